//! Who there is and what they have, before anything is done.

use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, Region, SourceKind},
};
use crossvault_handlers::api::RetentionSpec;

use super::{Scale, id};
use crate::{chooser::Chance, cloud::Size};

const REGIONS: [&str; 2] = ["cn-hangzhou", "cn-shanghai"];
const ZONES: [&str; 3] = ["UTC", "Asia/Shanghai", "America/New_York"];
const LENGTHS: [u64; 6] = [0, 1, 4096, 1 << 20, 64 << 20, 1 << 30];

/// How long life goes on, in hours.
const SPANS_H: [u64; 5] = [2, 6, 12, 24, 72];

/// Intervals and crons, each with how many minutes lie between two slots at least.
const EVERY: [(&str, u64); 8] = [
    ("PT10M", 10),
    ("PT15M", 15),
    ("0 0/30 * * * ?", 30),
    ("PT1H", 60),
    ("PT2H", 120),
    ("0 0 1,9,17 * * ?", 480),
    ("PT12H", 720),
    ("0 30 2 * * ?", 1440),
];

/// How many slots a binding has at most: one more says no more.
const SLOTS_MAX: u64 = 32;

/// A resource account.
#[derive(Clone, Debug)]
pub(super) struct Resident {
    pub account: AccountId,
    pub name: String,
    pub region: Region,
    pub method: Method,
    /// The policy on its role.
    pub policy: &'static str,
    /// Whether it lies in the folder of the directory; else in its root.
    pub is_in_folder: bool,
}

/// A source and how much it holds.
#[derive(Clone, Debug)]
pub(super) struct Sourced {
    pub source: DataSource,
    pub size: Size,
    /// The policy that it is bound to; none for one that is only restored into.
    pub policy: Option<String>,
}

/// A backup policy, and what kinds of sources may be bound to it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub name: String,
    pub region: Region,
    /// An interval, or a cron.
    pub every: &'static str,
    pub zone: &'static str,
    pub retention: RetentionSpec,
}

/// Everything that a scenario is about.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub management: AccountId,
    /// Who manages the directory; it may be the backup management account itself.
    pub director: AccountId,
    pub residents: Vec<Resident>,
    pub sources: Vec<Sourced>,
    pub policies: Vec<Planned>,
    pub has_control: bool,
    /// How long it goes on, in hours.
    pub span_h: u64,
}

impl Cast {
    pub(super) fn draw(chance: &mut Chance, scale: Scale) -> Self {
        let management: AccountId = id("1000000000000001");
        let is_director = chance.percent(50);
        let director = if is_director { management.clone() } else { id("1000000000000002") };
        let regions = if chance.percent(25) { &REGIONS[..] } else { &REGIONS[..1] };
        let (first, last) = scale.accounts();
        let count = chance.between(first, last);
        let residents: Vec<Resident> = (1..=count).map(|n| resident(chance, n, regions)).collect();
        let span_h = chance.pick(&SPANS_H).copied().unwrap_or(2);
        let of_region = |region| policies(chance, region, span_h);
        let policies = regions.iter().copied().flat_map(of_region).collect();
        let has_control = chance.percent(60);
        let sources = Vec::new();
        let mut cast =
            Self { management, director, residents, sources, policies, has_control, span_h };
        cast.draw_sources(chance);
        cast
    }

    /// The sources of all, of one to three kinds, so that some can be restored to others.
    fn draw_sources(&mut self, chance: &mut Chance) {
        let count = chance.between(1, 3);
        let kinds: Vec<SourceKind> =
            (0..count).filter_map(|_| chance.pick(&SourceKind::ALL).copied()).collect();
        for resident in self.residents.clone() {
            for n in 1..=chance.between(1, 3) {
                let Some(kind) = chance.pick(&kinds).copied() else { continue };
                let source = source(&resident.account, &resident.region, kind, &format!("{n}"));
                let policy = self.policy_for(chance, &source).filter(|_| chance.percent(80));
                let size = size(chance);
                self.sources.push(Sourced { source, size, policy });
            }
        }
        // Something to be restored into: by its owner's leave, or of the management account.
        for kind in kinds {
            if chance.percent(40) {
                let region = id(REGIONS[0]);
                let source = source(&self.management, &region, kind, "rescue");
                let size = Size { files: 0, length: 0 };
                if self.sources.iter().all(|there| there.source != source) {
                    self.sources.push(Sourced { source, size, policy: None });
                }
            }
        }
    }

    /// A policy of its region whose rules a source of that kind may have.
    pub(super) fn policy_for(&self, chance: &mut Chance, source: &DataSource) -> Option<String> {
        let may = |planned: &&Planned| match source.kind {
            SourceKind::EcsInstance => planned.retention.days.is_some(),
            SourceKind::Tablestore => !planned.retention.keep_latest,
            _ => true,
        };
        let of_region = self.policies.iter().filter(|planned| planned.region == source.region);
        let fitting: Vec<&Planned> = of_region.filter(may).collect();
        chance.pick(&fitting).map(|planned| planned.name.clone())
    }

    /// Whether the directory is needed.
    pub(super) fn has_directory(&self) -> bool {
        self.residents.iter().any(Resident::is_by_directory)
    }

    /// The regions with somebody in them.
    pub(super) fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<Region> =
            self.policies.iter().map(|planned| planned.region.clone()).collect();
        regions.dedup();
        regions
    }

    /// The id of the folder: the first thing that is made in the directory.
    pub(super) fn folder(&self) -> String {
        format!("fd-{}-1", self.director)
    }

    /// The id of the control policy that denies everything: the second.
    pub(super) fn deny_all(&self) -> String {
        format!("cp-{}-2", self.director)
    }

    pub(super) fn about(&self) -> String {
        let by_directory = self.residents.iter().filter(|one| one.is_by_directory()).count();
        let by_role = self.residents.len().saturating_sub(by_directory);
        format!(
            "{by_role} accounts by role, {by_directory} by directory, {} sources",
            self.sources.len()
        )
    }
}

impl Resident {
    pub(super) fn is_by_directory(&self) -> bool {
        self.method == Method::Directory
    }
}

fn resident(chance: &mut Chance, n: u64, regions: &[&str]) -> Resident {
    let region = chance.pick(regions).copied().unwrap_or(REGIONS[0]);
    let by_directory = chance.percent(50);
    let name = if chance.percent(80) { "hbrcrossrole" } else { "Backup-Role" };
    let method = if by_directory { Method::Directory } else { Method::Role { name: id(name) } };
    Resident {
        account: id(&format!("10000000000001{n:02}")),
        name: format!("account-{n}"),
        region: id(region),
        method,
        policy: if chance.percent(85) { "AliyunHBRRolePolicy" } else { "AdministratorAccess" },
        is_in_folder: chance.percent(40),
    }
}

fn source(account: &AccountId, region: &Region, kind: SourceKind, name: &str) -> DataSource {
    let id = id(&format!("{}-{name}", kind.word()));
    DataSource { account: account.clone(), region: region.clone(), kind, id }
}

fn size(chance: &mut Chance) -> Size {
    let files = u32::try_from(chance.between(0, 12)).unwrap_or(0);
    Size { files, length: chance.pick(&LENGTHS).copied().unwrap_or(0) }
}

/// One to three policies of a region; every kind of source may be bound to the first.
fn policies(chance: &mut Chance, region: &str, span_h: u64) -> Vec<Planned> {
    let count = chance.between(1, 3);
    let policy = |n| Planned {
        name: format!("{region}-{n}"),
        region: id(region),
        every: every(chance, span_h),
        zone: chance.pick(&ZONES).copied().unwrap_or("UTC"),
        retention: retention(chance, n == 1),
    };
    (1..=count).map(policy).collect()
}

/// A rhythm with at most as many slots in the span as say anything.
pub(super) fn every(chance: &mut Chance, span_h: u64) -> &'static str {
    let span_min = span_h.saturating_mul(60);
    let fitting = EVERY.iter().filter(|(_, min)| min.saturating_mul(SLOTS_MAX) >= span_min);
    let fitting: Vec<&'static str> = fitting.map(|(every, _)| *every).collect();
    chance.pick(&fitting).copied().unwrap_or("P1D")
}

/// Retention rules; plain ones suit every kind of source.
pub(super) fn retention(chance: &mut Chance, is_plain: bool) -> RetentionSpec {
    let days: u32 = chance.pick(&[1, 1, 2, 7, 30]).copied().unwrap_or(1);
    if !is_plain && chance.percent(25) {
        return RetentionSpec { keep_latest: chance.percent(30), ..RetentionSpec::default() };
    }
    let mut special = |often, more: u32| {
        let is_in = chance.percent(often);
        is_in.then(|| days.saturating_add(more))
    };
    let (daily, weekly) = (special(30, 1), special(20, 7));
    let (monthly, yearly) = (special(15, 60), special(10, 400));
    let keep_latest = !is_plain && chance.percent(40);
    RetentionSpec { days: Some(days), daily, weekly, monthly, yearly, keep_latest }
}
