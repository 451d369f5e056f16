//! Accounts, sources, and policies that back them up each day.

use chrono::{DateTime, Days, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, Region, RoleName, SourceKind},
    policy::{ServiceRole, trust_policy_for},
};
use crossvault_handlers::api::{Command, PolicySpec, RetentionSpec};
use crossvault_simulator::{
    chooser::Deviations,
    cloud::Size,
    run::Settings,
    scenario::{Expect, Scenario},
    script::{Act, Action},
    world::{self, Deed},
};

/// How many accounts share a vault and a policy.
const ACCOUNTS_A_VAULT: u32 = 10;

/// What is backed up.
#[derive(Clone, Copy)]
pub struct Scale {
    pub accounts: u32,
    /// Sources of each account.
    pub sources: u32,
    /// What each source holds.
    pub size: Size,
    pub days: u32,
    /// For how many days points are kept.
    pub kept: u32,
    pub is_daily: bool,
}

impl Scale {
    pub fn sources(self) -> u32 {
        self.accounts * self.sources
    }

    /// How many backups there are.
    pub fn backups(self) -> u32 {
        self.sources() * self.days
    }

    /// Each source is backed up each day, those of one vault at its own minute of the day.
    pub fn scenario(self) -> Scenario {
        let start: DateTime<Utc> = "2026-01-05T00:00:00Z".parse().unwrap();
        let mut script = Script { management: account(0), acts: Vec::new(), at: start };
        script.opens(self);
        let end = start + Days::new(self.days.into()) + TimeDelta::minutes(30);
        let waits = Act { id: u32::MAX, at: end, action: Action::Waits };
        let mut settings = Settings { is_daily: self.is_daily, ..Settings::default() };
        settings.storm = TimeDelta::hours(12);
        Scenario {
            about: "Every source is backed up each day.".to_owned(),
            management: account(0),
            start,
            settings,
            before: script.acts.into(),
            acts: [waits].into(),
            deviations: Deviations::default(),
            expect: Expect::default(),
        }
    }
}

struct Script {
    management: AccountId,
    acts: Vec<Act>,
    at: DateTime<Utc>,
}

impl Script {
    fn opens(&mut self, scale: Scale) {
        let management = self.management.clone();
        let service = ServiceRole::HbrCrossAccountBackup;
        self.does(&management, Deed::CreateServiceRole { account: account(0), role: service });
        for member in 1..=scale.accounts {
            if (member - 1) % ACCOUNTS_A_VAULT == 0 {
                self.vault((member - 1) / ACCOUNTS_A_VAULT, scale);
            }
            self.member(member, scale);
        }
    }

    fn vault(&mut self, number: u32, scale: Scale) {
        let first = self.at.date_naive().and_hms_opt(3, 0, 0).unwrap().and_utc();
        let first = first + TimeDelta::minutes(i64::from(number % 1200));
        self.asks(Command::CreateVault { name: format!("v{number}"), region: region() });
        self.asks(Command::CreatePolicy(PolicySpec {
            name: format!("p{number}"),
            vault: format!("v{number}"),
            schedule: format!("I|{}|P1D", first.timestamp()),
            zone: "UTC".to_owned(),
            retention: RetentionSpec { days: Some(scale.kept), ..RetentionSpec::default() },
        }));
    }

    fn member(&mut self, number: u32, scale: Scale) {
        let (member, role) = (account(number), "hbrcrossrole".parse::<RoleName>().unwrap());
        self.does(&member, Deed::CreateAccount { name: format!("a{number}") });
        let trust = trust_policy_for(&self.management);
        self.does(&member, Deed::CreateRole { name: role.clone(), trust, max_session_s: None });
        let policy = "AliyunHBRRolePolicy".to_owned();
        self.does(&member, Deed::AttachPolicy { role: role.clone(), policy });
        self.asks(Command::AddAccount {
            account: member.clone(),
            region: region(),
            method: Method::Role { name: role },
            alias: String::new(),
            consent: true,
        });
        for n in 0..scale.sources {
            let id = format!("fs-{n}").parse().unwrap();
            let (account, region) = (member.clone(), region());
            let source = DataSource { account, region, kind: SourceKind::Nas, id };
            self.act(Action::Opens { source: source.clone(), size: scale.size });
            let policy = format!("p{}", (number - 1) / ACCOUNTS_A_VAULT);
            self.asks(Command::Bind { policy, source });
        }
    }

    fn does(&mut self, by: &AccountId, deed: Deed) {
        self.act(Action::Does(world::Command { by: by.clone(), deed }));
    }

    fn asks(&mut self, command: Command) {
        self.act(Action::Asks { caller: self.management.clone(), command });
        // The next may need what this one makes.
        self.at += TimeDelta::milliseconds(500);
    }

    fn act(&mut self, action: Action) {
        let id = u32::try_from(self.acts.len()).unwrap();
        self.acts.push(Act { id, at: self.at, action });
        self.at += TimeDelta::milliseconds(1);
    }
}

fn account(number: u32) -> AccountId {
    (1_000_000_000_000_000 + u64::from(number)).to_string().parse().unwrap()
}

fn region() -> Region {
    "cn-hangzhou".parse().unwrap()
}
