//! The small worlds that are searched.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, RoleName},
    policy::{ServiceRole, trust_policy_for},
    restore::Overwrite,
};
use crossvault_handlers::api::{Command, PolicySpec, RetentionSpec};

use super::Model;
use crate::{
    chooser::Deviations,
    cloud::Size,
    run::Settings,
    scenario::{Expect, Scenario},
    script::{Act, Action},
    world::{self, Deed, Joined},
};

/// The backup management account, which manages the directory too.
const VAULTS: &str = "1000000000000001";
/// It grants by a role.
const PAYROLL: &str = "1000000000000002";
/// It is a member of the directory.
const RESEARCH: &str = "1000000000000003";
const ROLE: &str = "hbrcrossrole";

/// How far apart slots are.
fn every() -> TimeDelta {
    TimeDelta::hours(1)
}

/// What strikes functions at their calls and messages on their way.
const STRIKES: &str = "timed-out-after,crash-before,crash-after,lost,again";

/// The same, and functions that stand still while others run: each such state is a state more, so
/// that only a short time is searched whole with them.
const WITH_FREEZES: &str =
    "timed-out-after,crash-before,crash-after,freeze-before,freeze-after,lost,again";

const STATES_MAX: usize = 1_000_000;

impl Model {
    /// One account by role and one by directory, a source in each, one policy: two slots, one fault,
    /// and at any moment the second account leaves the directory. Seconds.
    #[must_use]
    pub fn small() -> Self {
        Self {
            name: "small",
            scenario: scenario(vec![leaves()]),
            faults: 1,
            strikes: STRIKES,
            until: later(first_slot(), TimeDelta::minutes(110)),
            states_max: STATES_MAX,
        }
    }

    /// The same world with one slot and no acts: for each test run.
    #[must_use]
    pub fn tiny() -> Self {
        Self { name: "tiny", scenario: scenario(vec![]), until: one_slot(), ..Self::small() }
    }

    /// The tiny one, with functions that stand still while others run. Seconds.
    #[must_use]
    pub fn frozen() -> Self {
        Self { name: "frozen", strikes: WITH_FREEZES, ..Self::tiny() }
    }

    /// The small one, and at any moment the first source is restored. A minute.
    #[must_use]
    pub fn restore() -> Self {
        Self { name: "restore", scenario: scenario(vec![leaves(), restores()]), ..Self::small() }
    }

    /// The small one with one slot and two faults. Minutes.
    #[must_use]
    pub fn pairs() -> Self {
        Self { name: "pairs", faults: 2, until: one_slot(), ..Self::small() }
    }

    /// All of them.
    #[must_use]
    pub fn all() -> [Self; 5] {
        [Self::tiny(), Self::frozen(), Self::small(), Self::restore(), Self::pairs()]
    }

    /// The model of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|model| model.name == name)
    }
}

/// When the first slot's jobs are long done and the second slot is still to come.
fn one_slot() -> DateTime<Utc> {
    later(first_slot(), TimeDelta::minutes(50))
}

fn scenario(acts: Vec<Action>) -> Scenario {
    let vaults: AccountId = id(VAULTS);
    let before = numbered(setup(&vaults), 1);
    let acts = acts.into_iter().map(|act| (start(), act)).collect();
    Scenario {
        about: "A small world, searched whole.".to_owned(),
        management: vaults,
        start: start(),
        settings: Settings::default(),
        before: before.into(),
        acts: numbered(acts, 101).into(),
        deviations: Deviations::default(),
        expect: Expect::default(),
    }
}

fn setup(vaults: &AccountId) -> Vec<(DateTime<Utc>, Action)> {
    let (payroll, research): (AccountId, AccountId) = (id(PAYROLL), id(RESEARCH));
    let role: RoleName = id(ROLE);
    let [files, share] = sources();
    let service = ServiceRole::HbrCrossAccountBackup;
    let trust = trust_policy_for(vaults);
    let asks = |command| Action::Asks { caller: vaults.clone(), command };
    let add = |account: &AccountId, method| {
        let region = files.region.clone();
        let (account, alias) = (account.clone(), String::new());
        asks(Command::AddAccount { account, region, method, alias, consent: true })
    };
    let size = Size { files: 1, length: 1 };
    let joined = Joined::Created;
    let acts = vec![
        does(vaults, Deed::CreateServiceRole { account: vaults.clone(), role: service }),
        does(vaults, Deed::CreateDirectory),
        does(&payroll, Deed::CreateAccount { name: "payroll".to_owned() }),
        does(&payroll, Deed::CreateRole { name: role.clone(), trust, max_session_s: None }),
        does(
            &payroll,
            Deed::AttachPolicy { role: role.clone(), policy: "AliyunHBRRolePolicy".to_owned() },
        ),
        does(&research, Deed::CreateAccount { name: "research".to_owned() }),
        does(vaults, Deed::AddMember { account: research.clone(), joined }),
        Action::Opens { source: files.clone(), size },
        Action::Opens { source: share.clone(), size },
        add(&payroll, Method::Role { name: role }),
        add(&research, Method::Directory),
        asks(Command::CreateVault { name: "main".to_owned(), region: files.region.clone() }),
        asks(Command::CreatePolicy(PolicySpec {
            name: "hourly".to_owned(),
            vault: "main".to_owned(),
            schedule: format!("I|{}|PT{}H", first_slot().timestamp(), every().num_hours()),
            zone: "UTC".to_owned(),
            retention: RetentionSpec { days: Some(7), ..RetentionSpec::default() },
        })),
        asks(Command::Bind { policy: "hourly".to_owned(), source: files.clone() }),
        asks(Command::Bind { policy: "hourly".to_owned(), source: share.clone() }),
    ];
    let times = std::iter::successors(Some(start()), |at| Some(later(*at, TimeDelta::seconds(5))));
    times.zip(acts).collect()
}

fn sources() -> [DataSource; 2] {
    [
        id(&format!("{PAYROLL}/cn-hangzhou/nas/fs-1")),
        id(&format!("{RESEARCH}/cn-hangzhou/nas/fs-2")),
    ]
}

/// The second account leaves the directory.
fn leaves() -> Action {
    does(&id(VAULTS), Deed::RemoveMember { account: id(RESEARCH) })
}

/// The newest point of the first source is restored into it.
fn restores() -> Action {
    let [of, _] = sources();
    let into = String::new();
    Action::Restores { to: of.clone(), of, into, overwrite: Overwrite::Replace }
}

fn does(by: &AccountId, deed: Deed) -> Action {
    Action::Does(world::Command { by: by.clone(), deed })
}

fn start() -> DateTime<Utc> {
    later(DateTime::UNIX_EPOCH, TimeDelta::days(20_458))
}

fn first_slot() -> DateTime<Utc> {
    later(start(), TimeDelta::minutes(10))
}

/// Acts with numbers of their own.
fn numbered(acts: Vec<(DateTime<Utc>, Action)>, from: u32) -> Vec<Act> {
    (from..).zip(acts).map(|(id, (at, action))| Act { id, at, action }).collect()
}

fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(at)
}

/// An id that is written in this module.
#[expect(clippy::expect_used, reason = "every text is made of constants")]
fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id that is written here is valid")
}
