//! A scenario as a file: how the account is granted, what breaks, what is seen.

use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource},
    job::Progress,
    policy::ServiceRole,
};
use crossvault_handlers::{
    api::Command,
    ports::{PortError, Standing},
};
use crossvault_simulator::world::{Deed, Joined};
use serde::Deserialize;

use crate::cloud::{Cloud, PAYROLL, ROLE, VAULTS, account, add, create_vault, source};

/// The management account of the directory, in which the backup management account is a delegated
/// administrator.
pub const ORGANIZATION: &str = "1000000000000005";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, in a sentence.
    #[expect(dead_code, reason = "it is for the reader of the file")]
    about: String,
    way: Way,
    /// The role that is named instead of the usual one: then adding the account is refused.
    names: Option<String>,
    /// What is done before the account is added.
    #[serde(default)]
    before: Vec<Act>,
    /// What breaks the authority.
    #[serde(default)]
    breaks: Vec<Act>,
    /// The codes of all causes, the root first.
    pub causes: Vec<String>,
    /// How a job ends that runs while it breaks; left out where it can't be told.
    pub during: Option<String>,
    /// What mends it, in order.
    pub mends: Vec<String>,
    /// Whether "Check Permissions" sees it, which it does not if only a call shows it.
    #[serde(default = "yes")]
    pub is_seen_by_check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Directory,
    Role,
}

/// Something that somebody does, or that goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// A deed in the world, by the administrator of an account.
    Does { by: AccountId, deed: Box<Deed> },
    /// A command to Crossvault.
    Asks(Box<Command>),
    /// The next calls of a port's method fail.
    Fails { method: Call, error: Fault, times: u32 },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Call {
    Advance,
    Assume,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    Expired,
    Quota,
    /// The session policy is what refuses.
    Session,
}

fn yes() -> bool {
    true
}

/// The cloud of a scenario, with the account added and a vault.
pub struct Stage {
    pub cloud: Cloud,
    way: Method,
}

impl Stage {
    pub fn method(&self) -> Method {
        self.way.clone()
    }
}

/// What is backed up.
pub fn backed_up_source() -> DataSource {
    source(PAYROLL, "nas/fs-1")
}

impl Scenario {
    pub fn stage(&self) -> Stage {
        let cloud = Cloud::new();
        let own = source(VAULTS, "nas/fs-own");
        let (name, location) = (own.id.to_string(), "/own".to_owned());
        cloud.does(VAULTS, Deed::PutSource { source: own, name, location, running: true });
        organize(&cloud);
        let way = match self.way {
            Way::Directory => Method::Directory,
            Way::Role => {
                let account = account(VAULTS);
                let role = ServiceRole::HbrCrossAccountBackup;
                cloud.does(VAULTS, Deed::CreateServiceRole { account, role });
                Method::Role { name: self.names.as_deref().unwrap_or(ROLE).parse().unwrap() }
            }
        };
        if self.way == Way::Role && self.names.is_none() {
            let (payroll, role) = (account(PAYROLL), ROLE.parse().unwrap());
            cloud.ports.trust(&payroll, &role, "AliyunHBRRolePolicy").unwrap();
        }
        let stage = Stage { cloud, way };
        for act in &self.before {
            act.carry_out(&stage.cloud);
        }
        stage.cloud.ok(create_vault("main"));
        if self.is_added() {
            stage.cloud.ok(add(PAYROLL, stage.method(), true));
        }
        stage
    }

    /// Whether the account can be added before it breaks.
    pub fn is_added(&self) -> bool {
        self.names.is_none()
    }

    pub fn break_it(&self, stage: &Stage) {
        for act in &self.breaks {
            act.carry_out(&stage.cloud);
        }
    }

    /// Breaks it after the job's transfer was asked for the first time.
    pub fn break_once_it_moves(&self, stage: &Stage) {
        let breaks = self.breaks.clone();
        stage.cloud.ports.after_advance(move |ports| {
            for act in &breaks {
                let Act::Does { by, deed } = act else { panic!("{act:?} while a job runs") };
                ports.does(by, (**deed).clone()).unwrap();
            }
        });
    }
}

impl Act {
    fn carry_out(&self, cloud: &Cloud) {
        match self {
            Self::Does { by, deed } => {
                cloud.ports.does(by, (**deed).clone()).unwrap_or_else(|r| panic!("{deed:?}: {r}"));
            }
            Self::Asks(command) => {
                cloud.ok((**command).clone());
            }
            Self::Fails { method, error, times } => {
                let method = match method {
                    Call::Advance => "advance",
                    Call::Assume => "assume",
                };
                for _ in 0..*times {
                    cloud.ports.fail(method, error.error());
                }
            }
        }
    }
}

impl Fault {
    fn error(self) -> PortError {
        match self {
            Self::Expired => PortError::Expired,
            Self::Quota => PortError::Quota { quota: "mount targets".to_owned(), limit: Some(5) },
            Self::Session => PortError::Denied {
                action: "nas:CreateMountTargetSpecial".to_owned(),
                resource: "*".to_owned(),
                by: Some(crossvault_core::authorization::DeniedBy::Session),
            },
        }
    }
}

fn organize(cloud: &Cloud) {
    let name = "organization".to_owned();
    cloud.does(ORGANIZATION, Deed::CreateAccount { name });
    cloud.does(ORGANIZATION, Deed::CreateDirectory);
    for member in [VAULTS, PAYROLL] {
        let (account, joined) = (account(member), Joined::Invited);
        cloud.does(ORGANIZATION, Deed::AddMember { account, joined });
    }
    cloud.does(ORGANIZATION, Deed::RegisterAdministrator { account: account(VAULTS) });
}

/// A transfer that has begun.
pub fn moving() -> Standing {
    Standing::Moving { progress: Progress::default(), failures: Vec::new() }
}
