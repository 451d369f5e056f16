//! The stage in a few lines: who there is, what they own, what is bound.
//!
//! It stands for acts at fixed times before the start. [`Setup::of`] finds them again among what was
//! done, also when some are missing, so that a smaller stage is still written in a few lines.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, Region, RoleName},
    policy::{ServiceRole, trust_policy_for},
};
use crossvault_handlers::api::{Command, PolicySpec};

use super::Names;
use crate::{
    chooser::Name,
    cloud::Size,
    script::{Act, Action},
    world::{self, Deed, Joined},
};

/// How long before the start the stage is set.
const BEFORE: TimeDelta = TimeDelta::hours(2);

/// How an account stands to the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directory {
    Manages,
    Administers,
    Member,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) id: AccountId,
    pub(super) directory: Option<Directory>,
    /// The role that lets the management account in, and the policies attached to it.
    pub(super) role: Option<(RoleName, Vec<String>)>,
    /// Where it is added, and how.
    pub(super) added: Vec<(Region, Method)>,
}

impl Account {
    /// Whether it grants in one way, and a role is the one that it has.
    fn is_plain(&self) -> bool {
        let is_own = |name| self.role.as_ref().is_some_and(|(role, _)| role == name);
        let first = self.added.first().map(|(_, method)| method);
        self.added.iter().all(|(_, method)| {
            Some(method) == first
                && match method {
                    Method::Role { name } => is_own(name),
                    Method::Directory => true,
                }
        })
    }
}

/// A policy and what it is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) spec: PolicySpec,
    pub(super) binds: Vec<DataSource>,
}

/// The stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Setup {
    /// The backup management account first.
    pub(super) accounts: Vec<Account>,
    pub(super) sources: Vec<(DataSource, Size)>,
    pub(super) vaults: Vec<(String, Region)>,
    pub(super) policies: Vec<Policy>,
}

/// When each of its four parts is done.
fn times(start: DateTime<Utc>) -> [DateTime<Utc>; 4] {
    let at = |minutes| {
        let before = BEFORE.checked_sub(&TimeDelta::minutes(minutes)).unwrap_or(BEFORE);
        start.checked_sub_signed(before).unwrap_or(start)
    };
    [at(0), at(1), at(2), at(3)]
}

impl Setup {
    /// What is done to set it.
    pub(super) fn acts(&self, management: &AccountId, start: DateTime<Utc>) -> Vec<Act> {
        let [cloud, places, policies, bindings] = times(start);
        let mut acts = Vec::new();
        for action in self.in_the_cloud(management) {
            acts.push(Act { id: id(&action), at: cloud, action });
        }
        let mut ask = |at, command| {
            let action = Action::Asks { caller: management.clone(), command };
            acts.push(Act { id: id(&action), at, action });
        };
        for (name, region) in &self.vaults {
            ask(places, Command::CreateVault { name: name.clone(), region: region.clone() });
        }
        for account in &self.accounts {
            for (region, method) in &account.added {
                ask(places, add(&account.id, region, method));
            }
        }
        for policy in &self.policies {
            ask(policies, Command::CreatePolicy(policy.spec.clone()));
        }
        for policy in &self.policies {
            for source in &policy.binds {
                let (policy, source) = (policy.spec.name.clone(), source.clone());
                ask(bindings, Command::Bind { policy, source });
            }
        }
        acts
    }

    /// What administrators do, in an order that works.
    fn in_the_cloud(&self, management: &AccountId) -> Vec<Action> {
        let mut all = Vec::new();
        let mut does = |by: &AccountId, deed| {
            all.push(Action::Does(world::Command { by: by.clone(), deed }));
        };
        for Account { name, id, .. } in self.accounts.iter().filter(|one| one.id != *management) {
            does(id, Deed::CreateAccount { name: name.clone() });
        }
        let of = |wanted: &'static [Directory]| {
            self.accounts
                .iter()
                .filter(move |one| one.directory.is_some_and(|how| wanted.contains(&how)))
        };
        for manager in of(&[Directory::Manages]) {
            does(&manager.id, Deed::CreateDirectory);
            for account in of(&[Directory::Member, Directory::Administers]) {
                let (account, joined) = (account.id.clone(), Joined::Created);
                does(&manager.id, Deed::AddMember { account, joined });
            }
            for account in of(&[Directory::Administers]) {
                does(&manager.id, Deed::RegisterAdministrator { account: account.id.clone() });
            }
        }
        let roles = || self.accounts.iter().filter_map(|one| Some((&one.id, one.role.as_ref()?)));
        if roles().next().is_some() {
            let (account, role) = (management.clone(), ServiceRole::HbrCrossAccountBackup);
            does(management, Deed::CreateServiceRole { account, role });
        }
        for (account, (name, policies)) in roles() {
            let trust = trust_policy_for(management);
            does(account, Deed::CreateRole { name: name.clone(), trust, max_session_s: None });
            for policy in policies {
                let policy = policy.clone();
                does(account, Deed::AttachPolicy { role: name.clone(), policy });
            }
        }
        let opens = |(source, size): &(DataSource, Size)| Action::Opens {
            source: source.clone(),
            size: *size,
        };
        all.extend(self.sources.iter().map(opens));
        all
    }

    /// The stage that acts set, and the acts that it is not made of; none when they set none.
    pub(super) fn of(
        before: &[Act],
        management: &AccountId,
        start: DateTime<Utc>,
    ) -> (Self, Vec<Act>) {
        let mut setup = Self::default();
        setup.accounts.push(account(super::MANAGEMENT, management));
        for act in before {
            setup.take(act, management, start);
        }
        let acts = setup.acts(management, start);
        if let Some(rest) = before.strip_prefix(acts.as_slice())
            && setup.accounts.iter().all(Account::is_plain)
        {
            return (setup, rest.to_vec());
        }
        let accounts = vec![account(super::MANAGEMENT, management)];
        (Self { accounts, ..Self::default() }, before.to_vec())
    }

    /// The names of its accounts.
    pub(super) fn names(&self) -> Names {
        let mut names = Names::default();
        for account in &self.accounts {
            names.add(&account.name, &account.id);
        }
        names
    }

    /// Takes an act for a part of the stage, if it can be one.
    fn take(&mut self, act: &Act, management: &AccountId, start: DateTime<Utc>) -> Option<()> {
        let [cloud, places, policies, bindings] = times(start);
        match &act.action {
            Action::Does(command) if act.at == cloud => self.take_deed(command, management)?,
            Action::Opens { source, size } if act.at == cloud => {
                self.sources.push((source.clone(), *size));
            }
            Action::Asks { command, .. } => match command {
                Command::CreateVault { name, region } if act.at == places => {
                    self.vaults.push((name.clone(), region.clone()));
                }
                Command::AddAccount { account, region, method, .. } if act.at == places => {
                    self.account(account)?.added.push((region.clone(), method.clone()));
                }
                Command::CreatePolicy(spec) if act.at == policies => {
                    self.policies.push(Policy { spec: spec.clone(), binds: Vec::new() });
                }
                Command::Bind { policy, source } if act.at == bindings => {
                    let of = self.policies.iter_mut().find(|one| one.spec.name == *policy)?;
                    of.binds.push(source.clone());
                }
                _ => return None,
            },
            _ => return None,
        }
        Some(())
    }

    fn take_deed(&mut self, command: &world::Command, management: &AccountId) -> Option<()> {
        let by = &command.by;
        match &command.deed {
            Deed::CreateAccount { name } => self.accounts.push(account(name, by)),
            Deed::CreateDirectory => self.account(by)?.directory = Some(Directory::Manages),
            Deed::AddMember { account, .. } => {
                self.account(account)?.directory = Some(Directory::Member);
            }
            Deed::RegisterAdministrator { account } => {
                self.account(account)?.directory = Some(Directory::Administers);
            }
            Deed::CreateRole { name, trust, .. } if *trust == trust_policy_for(management) => {
                self.account(by)?.role = Some((name.clone(), Vec::new()));
            }
            Deed::AttachPolicy { policy, .. } => {
                self.account(by)?.role.as_mut()?.1.push(policy.clone());
            }
            _ => return None,
        }
        Some(())
    }

    fn account(&mut self, id: &AccountId) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|one| one.id == *id)
    }
}

/// The number of an act of the stage: it follows from what is done, so that another one more or less
/// leaves it as it is.
fn id(action: &Action) -> u32 {
    let key = match action {
        Action::Asks { command, .. } => match command {
            Command::CreateVault { name, region } => format!("vault {name} {region}"),
            Command::AddAccount { account, region, .. } => format!("account {account} {region}"),
            Command::CreatePolicy(spec) => format!("policy {}", spec.name),
            Command::Bind { policy, source } => format!("bind {policy} {source}"),
            other => format!("{other:?}"),
        },
        other => format!("{other:?}"),
    };
    let [a, b, c, d, ..] = Name::of("stage", &key, 1).0.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]) | 1 << 31
}

fn account(name: &str, id: &AccountId) -> Account {
    let (name, id) = (name.to_owned(), id.clone());
    Account { name, id, directory: None, role: None, added: Vec::new() }
}

fn add(account: &AccountId, region: &Region, method: &Method) -> Command {
    Command::AddAccount {
        account: account.clone(),
        region: region.clone(),
        method: method.clone(),
        alias: String::new(),
        consent: true,
    }
}
