//! A small honest world for the oracles' tests: what happens in it breaks nothing.

#![allow(clippy::arithmetic_side_effects, reason = "a test's numbers are small")]

use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource},
    policy::{ServiceRole, trust_policy_for},
    restore::Overwrite,
    vault::RecoveryPoint,
};
use crossvault_handlers::{
    api::{Command, PolicySpec, RetentionSpec},
    ports::Transaction,
    records::Record,
};

use super::{Oracles, points};

use crate::{
    chooser::Boring,
    cloud::{Cloud, Fact, Size},
    run::{Event, Invariant, Run, Settings, Violation, Watch},
    script::{Act, Action},
    world::{self, Deed, Joined},
};

/// A run of a story.
pub type Told<W> = Run<Boring, W>;

/// Acts, one after another.
pub struct Story {
    pub settings: Settings,
    acts: Vec<Act>,
    now: DateTime<Utc>,
}

pub fn start() -> DateTime<Utc> {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

/// The backup management account.
pub fn vaults() -> AccountId {
    "1000000000000001".parse().unwrap()
}

/// Its file system belongs to an account that grants by a role.
pub fn files() -> DataSource {
    "1000000000000002/cn-hangzhou/nas/fs-1".parse().unwrap()
}

/// Another account's, to restore into.
pub fn rescue() -> DataSource {
    "1000000000000003/cn-hangzhou/nas/fs-2".parse().unwrap()
}

/// An instance of an account that grants through the directory.
pub fn instance() -> DataSource {
    "1000000000000004/cn-hangzhou/ecs-instance/i-1".parse().unwrap()
}

fn directory() -> AccountId {
    "1000000000000009".parse().unwrap()
}

impl Story {
    /// Two accounts that grant by a role and one through the directory, a vault, and a policy that
    /// backs up every six hours and keeps a point for a day, the newest for ever.
    pub fn new() -> Self {
        let settings = Settings { is_daily: true, ..Settings::default() };
        let mut story = Self { settings, acts: Vec::new(), now: start() };
        for source in [files(), rescue(), instance()] {
            let name = source.account.to_string();
            story.does(&source.account, Deed::CreateAccount { name });
            story.act(Action::Opens { source, size: Size { files: 20, length: 4096 } });
        }
        story.does(&directory(), Deed::CreateAccount { name: "directory".into() });
        story.does(&directory(), Deed::CreateDirectory);
        for account in [vaults(), instance().account] {
            story.does(&directory(), Deed::AddMember { account, joined: Joined::Invited });
        }
        story.does(&directory(), Deed::RegisterAdministrator { account: vaults() });
        let role = ServiceRole::HbrCrossAccountBackup;
        story.does(&vaults(), Deed::CreateServiceRole { account: vaults(), role });
        for source in [files(), rescue()] {
            let (by, name) = (&source.account, "hbrcrossrole".parse().unwrap());
            let trust = trust_policy_for(&vaults());
            story.does(by, Deed::CreateRole { name, trust, max_session_s: None });
            let (role, policy) = ("hbrcrossrole".parse().unwrap(), "AliyunHBRRolePolicy".into());
            story.does(by, Deed::AttachPolicy { role, policy });
            story.adds(&source, Method::Role { name: "hbrcrossrole".parse().unwrap() });
        }
        story.adds(&instance(), Method::Directory);
        let region = files().region;
        story.asks(Command::CreateVault { name: "main".into(), region });
        let retention = RetentionSpec { days: Some(1), keep_latest: true, ..Default::default() };
        story.asks(Command::CreatePolicy(PolicySpec {
            name: "often".into(),
            vault: "main".into(),
            schedule: format!("I|{}|PT6H", start().timestamp() + 1800),
            zone: "UTC".into(),
            retention,
        }));
        for source in [files(), instance()] {
            story.asks(Command::Bind { policy: "often".into(), source });
        }
        story
    }

    fn adds(&mut self, source: &DataSource, method: Method) {
        let (account, region) = (source.account.clone(), source.region.clone());
        let alias = String::new();
        self.asks(Command::AddAccount { account, region, method, alias, consent: true });
    }

    pub fn does(&mut self, by: &AccountId, deed: Deed) {
        self.act(Action::Does(world::Command { by: by.clone(), deed }));
    }

    pub fn asks(&mut self, command: Command) {
        self.act(Action::Asks { caller: vaults(), command });
    }

    pub fn restores(&mut self, into: &str, overwrite: Overwrite) {
        let into = into.to_owned();
        self.act(Action::Restores { of: files(), to: rescue(), into, overwrite });
    }

    /// Something is done, ten seconds after what was done before.
    pub fn act(&mut self, action: Action) {
        self.now += TimeDelta::seconds(10);
        let id = u32::try_from(self.acts.len()).unwrap();
        self.acts.push(Act { id, at: self.now, action });
    }

    /// Time passes.
    pub fn waits(&mut self, minutes: i64) {
        self.now += TimeDelta::minutes(minutes);
        self.act(Action::Waits);
    }

    pub fn run<W: Watch>(self, watch: W) -> Told<W> {
        let cloud = Cloud::new(vaults(), start()).unwrap();
        Run::new(cloud, start(), self.acts.into(), self.settings, Boring, watch)
    }

    /// Three backups with edits, restores that find files in the way, a point that is deleted by
    /// hand, and what two days bring.
    pub fn full() -> Self {
        let mut story = Self::new();
        for _ in 0..3 {
            story.waits(6 * 60 - 10);
            story.act(Action::Edits(files()));
            story.act(Action::Edits(instance()));
        }
        story.restores("", Overwrite::Refuse);
        story.restores("", Overwrite::Replace);
        story.restores("copy", Overwrite::Refuse);
        story.act(Action::Restores {
            of: instance(),
            to: instance(),
            into: String::new(),
            overwrite: Overwrite::Refuse,
        });
        story.waits(30);
        story.act(Action::Deletes(files()));
        story.waits(2 * 24 * 60);
        story
    }
}

/// Shows the oracles something else than what was so, once: it is told of each fact until it says
/// that it has done so, with what the oracles said.
struct Tampered<F> {
    oracles: Oracles,
    tamper: F,
    is_done: bool,
}

impl<F> Watch for Tampered<F>
where
    F: FnMut(&mut Oracles, &Cloud, DateTime<Utc>, &Fact) -> Option<Result<(), Violation>>,
{
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        self.oracles.event(cloud, now, event)
    }
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        if !self.is_done
            && let Some(said) = (self.tamper)(&mut self.oracles, cloud, now, fact)
        {
            self.is_done = true;
            return said;
        }
        self.oracles.fact(cloud, now, fact)
    }
    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        self.oracles.at_rest(cloud, now)
    }
}

/// What an oracle finds in the full story when it is tampered with; the oracle is paranoid.
#[track_caller]
pub fn tampered(
    invariant: Invariant,
    tamper: impl FnMut(&mut Oracles, &Cloud, DateTime<Utc>, &Fact) -> Option<Result<(), Violation>>,
) -> Option<&'static str> {
    let oracles = Oracles::only(&[invariant]);
    let mut run = Story::full().run(Tampered { oracles, tamper, is_done: false });
    let ended = run.run();
    assert!(run.watch.is_done, "nothing was tampered with");
    ended.violation.map(|violation| violation.code)
}

/// What an oracle finds when the first fact that can be changed so is, and the cloud with it.
#[track_caller]
pub fn changed(
    invariant: Invariant,
    mut change: impl FnMut(&mut Cloud, &mut Fact) -> bool,
) -> Option<&'static str> {
    tampered(invariant, |oracles, cloud, now, fact| {
        let (mut cloud, mut fact) = (cloud.clone(), fact.clone());
        change(&mut cloud, &mut fact).then(|| oracles.fact(&cloud, now, &fact))
    })
}

/// What an oracle finds at rest, when the cloud was tampered with just before.
#[track_caller]
pub fn found_at_rest(
    invariant: Invariant,
    tamper: impl FnOnce(&mut Cloud),
) -> Option<&'static str> {
    static END: OnceLock<(Cloud, Oracles, DateTime<Utc>)> = OnceLock::new();
    let (cloud, oracles, now) = END.get_or_init(|| {
        let mut run = Story::full().run(Oracles::all());
        let ended = run.run();
        assert_eq!(ended.violation, None);
        (run.cloud, run.watch, ended.now)
    });
    let (mut cloud, mut oracles) = (cloud.clone(), oracles.clone());
    tamper(&mut cloud);
    let only = Oracles::INVARIANTS.iter().filter(|other| **other != invariant);
    oracles = only.fold(oracles, |oracles, other| oracles.without(*other));
    oracles.at_rest(&cloud, *now).err().map(|violation| violation.code)
}

/// Stores rows, whatever stood there.
pub fn put(cloud: &mut Cloud, record: impl Into<Record>) {
    let mut transaction = Transaction::default();
    transaction.put(record.into());
    cloud.rows.commit(transaction).unwrap();
}

/// The first point of a source.
pub fn point_of(cloud: &Cloud, source: &DataSource) -> RecoveryPoint {
    points(cloud).find(|point| point.source == *source).unwrap().clone()
}
