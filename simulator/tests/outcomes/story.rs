//! A small world and a short story in it, told act by act.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, RoleName},
    policy::{ServiceRole, trust_policy_for},
    restore::Overwrite,
};
use crossvault_handlers::api::{Command, PolicySpec, RetentionSpec};
use crossvault_simulator::{
    chooser::{Boring, Chooser, Deviations},
    cloud::Size,
    model::Model,
    oracle::Oracles,
    run::{Run, Settings, Violation},
    scenario::{Expect, Scenario},
    script::{Act, Action},
    world::{self, Deed},
};

/// The role by which the resource account grants.
pub(crate) const ROLE: &str = "hbrcrossrole";

/// One backup management account, one resource account with a file system that is backed up every
/// hour, one empty file system beside it.
pub(crate) struct Story {
    acts: Vec<Act>,
    at: DateTime<Utc>,
}

pub(crate) fn start() -> DateTime<Utc> {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

pub(crate) fn vaults() -> AccountId {
    "1000000000000001".parse().unwrap()
}

pub(crate) fn payroll() -> AccountId {
    "1000000000000002".parse().unwrap()
}

pub(crate) fn files() -> DataSource {
    "1000000000000002/cn-hangzhou/nas/fs-1".parse().unwrap()
}

pub(crate) fn spare() -> DataSource {
    "1000000000000002/cn-hangzhou/nas/fs-2".parse().unwrap()
}

pub(crate) fn role() -> RoleName {
    ROLE.parse().unwrap()
}

fn does(by: &AccountId, deed: Deed) -> Action {
    Action::Does(world::Command { by: by.clone(), deed })
}

pub(crate) fn asks(command: Command) -> Action {
    Action::Asks { caller: vaults(), command }
}

/// What the resource account does.
pub(crate) fn payroll_does(deed: Deed) -> Action {
    does(&payroll(), deed)
}

/// What takes the role away.
pub(crate) fn role_goes() -> [Action; 2] {
    [
        payroll_does(Deed::DetachPolicy { role: role(), policy: "AliyunHBRRolePolicy".into() }),
        payroll_does(Deed::DeleteRole { name: role() }),
    ]
}

pub(crate) fn backs_up(source: DataSource) -> Action {
    asks(Command::BackUp { source, policy: None, vault: Some("main".into()) })
}

pub(crate) fn restores(overwrite: Overwrite) -> Action {
    Action::Restores { of: files(), to: spare(), into: String::new(), overwrite }
}

fn set_up() -> Vec<Action> {
    let (vaults, payroll) = (vaults(), payroll());
    let role_of = ServiceRole::HbrCrossAccountBackup;
    vec![
        does(&payroll, Deed::CreateAccount { name: "payroll".into() }),
        does(&vaults, Deed::CreateServiceRole { account: vaults.clone(), role: role_of }),
        does(
            &payroll,
            Deed::CreateRole {
                name: role(),
                trust: trust_policy_for(&vaults),
                max_session_s: None,
            },
        ),
        does(&payroll, Deed::AttachPolicy { role: role(), policy: "AliyunHBRRolePolicy".into() }),
        Action::Opens { source: files(), size: Size { files: 4, length: 4096 } },
        Action::Opens { source: spare(), size: Size { files: 2, length: 4096 } },
        asks(Command::AddAccount {
            account: payroll.clone(),
            region: files().region,
            method: Method::Role { name: role() },
            alias: String::new(),
            consent: true,
        }),
        asks(Command::CreateVault { name: "main".into(), region: files().region }),
    ]
}

/// A policy with a slot every hour, from ten past on.
pub(crate) fn hourly(days: u32) -> Action {
    asks(Command::CreatePolicy(PolicySpec {
        name: "hourly".into(),
        vault: "main".into(),
        schedule: format!("I|{}|PT1H", start().timestamp() + 600),
        zone: "UTC".into(),
        retention: RetentionSpec { days: Some(days), ..RetentionSpec::default() },
    }))
}

pub(crate) fn binds() -> Action {
    asks(Command::Bind { policy: "hourly".into(), source: files() })
}

impl Story {
    /// The hour after all was set up, with a policy bound.
    pub(crate) fn new() -> Self {
        Self::bare().then(1, hourly(7)).then(1, binds())
    }

    /// Without a policy.
    pub(crate) fn bare() -> Self {
        Self { acts: Vec::new(), at: start() + TimeDelta::minutes(5) }
    }

    /// So many seconds later this is done.
    pub(crate) fn then(mut self, seconds: i64, action: Action) -> Self {
        self.at += TimeDelta::seconds(seconds);
        let id = 100 + u32::try_from(self.acts.len()).unwrap();
        self.acts.push(Act { id, at: self.at, action });
        self
    }

    pub(crate) fn all(self, actions: impl IntoIterator<Item = Action>) -> Self {
        actions.into_iter().fold(self, |story, action| story.then(1, action))
    }

    pub(crate) fn scenario(self) -> Scenario {
        let act = |(n, action): (usize, Action)| Act {
            id: u32::try_from(n).unwrap(),
            at: start() + TimeDelta::seconds(i64::try_from(n).unwrap()),
            action,
        };
        Scenario {
            about: String::new(),
            management: vaults(),
            start: start(),
            settings: Settings::default(),
            before: set_up().into_iter().enumerate().map(act).collect(),
            acts: self.acts.into(),
            deviations: Deviations::default(),
            expect: Expect::default(),
        }
    }

    /// Plays it to the end under all oracles, with nothing out of the ordinary.
    #[track_caller]
    pub(crate) fn holds(self) -> Run<Boring, (Oracles, Model)> {
        let run = self.played(Boring);
        assert_eq!(run.ended().violation, None);
        run
    }

    /// Plays it to the end under all oracles that miss nothing.
    pub(crate) fn played<C: Chooser>(self, chooser: C) -> Run<C, (Oracles, Model)> {
        let scenario = self.scenario();
        let stage = scenario.stage().unwrap();
        let watch = Oracles::all().within(&scenario.settings).paranoid();
        let mut run = scenario.run(&stage, chooser, (watch, Model::default()));
        run.run();
        run
    }
}

/// What was found, in short.
pub(crate) fn code(found: Result<(), Violation>) -> String {
    match found {
        Ok(()) => "nothing".to_owned(),
        Err(violation) => format!("{} {}", violation.invariant.name(), violation.code),
    }
}
