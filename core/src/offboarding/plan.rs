//! All steps with how each stands, what stays, and what goes on costing: from facts alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cost::{self, Cost};
use crate::{
    catalog::{Party, may_restore_to},
    grant::Method,
    ids::{AccountId, DataSource, JobId, Region, RoleArn, SourceKind, VaultId},
    quantity::Bytes,
};

/// What is so now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The backup management account.
    pub management: AccountId,
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// How it grants, or how it did when it was taken off the list.
    pub method: Method,
    /// Whether it is on the list.
    pub is_listed: bool,
    /// Policies that are bound to its sources, by type of source.
    pub bindings: BTreeMap<SourceKind, u64>,
    /// Jobs that read or write its sources and have not ended.
    pub jobs: Vec<JobId>,
    /// Sources on which a client is installed; none where the platform works without clients.
    pub clients: Option<Vec<DataSource>>,
    /// The role in the account by which it grants.
    pub role: RoleFacts,
    /// Recovery points of its sources.
    pub points: Vec<Points>,
    /// Every other grant.
    pub granted: BTreeSet<(AccountId, Region)>,
}

/// What is known of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFacts {
    /// The role.
    pub role: RoleArn,
    /// Whether it exists.
    pub presence: Presence,
    /// The policies attached to it, as far as they may be read.
    pub policies: Option<Vec<String>>,
    /// Other regions in which the account is added through it.
    pub needed_in: Vec<Region>,
}

/// Whether a role exists, as the cloud was seen to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It does.
    Present,
    /// It does not.
    Absent,
    /// The way to it is closed, so that it can't be seen from here.
    Unseen,
}

/// The recovery points of one source in one vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// The source.
    pub source: DataSource,
    /// The vault.
    pub vault: VaultId,
    /// The vault's name.
    pub vault_name: String,
    /// How many there are.
    pub count: u64,
    /// How many of them can be restored: the others are being erased.
    pub restorable: u64,
    /// The newest that can be restored.
    pub newest: Option<DateTime<Utc>>,
    /// Their content.
    pub content: Bytes,
    /// What they added to the vault.
    pub added: Bytes,
}

/// Everything about the cancelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// How it grants, or granted.
    pub method: Method,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What can be restored afterwards, source by source.
    pub stays_restorable: Vec<Restorable>,
    /// What goes on costing until recovery points are deleted.
    pub goes_on_costing: Vec<Cost>,
    /// What costs no more.
    pub stops: Vec<Cost>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is to be done, with what was seen of it.
    pub task: Task,
    /// Whose administrator does it.
    pub who: Party,
    /// How it stands.
    pub state: StepState,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum Task {
    /// Take the policies off the account's sources.
    Unbind {
        /// How many are bound.
        bindings: u64,
    },
    /// Let the jobs that run in the account end.
    EndJobs {
        /// Those that have not.
        jobs: Vec<JobId>,
    },
    /// Uninstall clients and unregister instances. Not by deleting a client: that deletes its
    /// recovery points.
    UninstallClients {
        /// Sources on which one is installed.
        clients: Vec<DataSource>,
    },
    /// Take the account off the list.
    DeleteGrant,
    /// Detach the policies from the RAM role, which could not be deleted else.
    DetachPolicies {
        /// The role.
        role: RoleArn,
        /// What is attached to it, as far as it may be read.
        policies: Option<Vec<String>>,
    },
    /// Delete the role.
    DeleteRole {
        /// The role.
        role: RoleArn,
    },
}

/// How a step stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum StepState {
    /// It was seen to be done.
    Done,
    /// It is to be done now.
    Next,
    /// It comes after another one.
    Later,
    /// It must not be done: the account is added in these regions through the same role.
    Kept {
        /// The regions.
        regions: Vec<Region>,
    },
    /// Whether it is done can't be seen from the backup management account.
    Unseen,
}

/// The recovery points of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restorable {
    /// The source.
    pub source: DataSource,
    /// How many can be restored.
    pub points: u64,
    /// The newest.
    pub newest: Option<DateTime<Utc>>,
    /// The accounts that they can be restored to without this grant. Empty for an ECS instance,
    /// which goes back only to its own account: once that is added again.
    pub to: Vec<AccountId>,
}

impl Plan {
    /// The step that is to be done now; none when nothing is left.
    #[must_use]
    pub fn next(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.state == StepState::Next)
    }

    /// Whether every step is done, or must not be.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.steps.iter().all(|step| match step.state {
            StepState::Done | StepState::Kept { .. } => true,
            StepState::Next | StepState::Later | StepState::Unseen => false,
        })
    }
}

/// Shows all steps of the cancelling with how each stands, what stays, and what goes on costing.
#[must_use]
pub fn plan(facts: &Facts) -> Plan {
    let mut kinds: BTreeSet<SourceKind> = facts.bindings.keys().copied().collect();
    kinds.extend(facts.points.iter().map(|points| points.source.kind));
    Plan {
        account: facts.account.clone(),
        region: facts.region.clone(),
        method: facts.method.clone(),
        steps: steps(facts),
        stays_restorable: stays_restorable(facts),
        goes_on_costing: cost::goes_on(&facts.points),
        stops: cost::stops(&kinds),
    }
}

fn steps(facts: &Facts) -> Vec<Step> {
    let done = |is_done| if is_done { StepState::Done } else { StepState::Next };
    let bindings = facts.bindings.values().fold(0, |sum: u64, n| sum.saturating_add(*n));
    let mut steps = vec![
        (Task::Unbind { bindings }, Party::Management, done(bindings == 0)),
        (
            Task::EndJobs { jobs: facts.jobs.clone() },
            Party::Management,
            done(facts.jobs.is_empty()),
        ),
    ];
    if let Some(clients) = &facts.clients {
        let task = Task::UninstallClients { clients: clients.clone() };
        steps.push((task, Party::Management, done(clients.is_empty())));
    }
    steps.push((Task::DeleteGrant, Party::Management, done(!facts.is_listed)));
    steps.extend(of_role(facts).map(|(task, state)| (task, Party::Resource, state)));
    let mut is_open = false;
    steps
        .into_iter()
        .map(|(task, who, state)| {
            let state = if is_open && state == StepState::Next { StepState::Later } else { state };
            is_open |= state == StepState::Next;
            Step { task, who, state }
        })
        .collect()
}

/// What the resource account's administrator does. A service-linked role has no policies to
/// detach.
fn of_role(facts: &Facts) -> impl Iterator<Item = (Task, StepState)> {
    let RoleFacts { role, presence, policies, needed_in } = &facts.role;
    let state = |is_done: bool| match presence {
        Presence::Absent => StepState::Done,
        _ if !needed_in.is_empty() => StepState::Kept { regions: needed_in.clone() },
        Presence::Present if is_done => StepState::Done,
        Presence::Present => StepState::Next,
        Presence::Unseen if facts.is_listed => StepState::Later,
        Presence::Unseen => StepState::Unseen,
    };
    let detach = match &facts.method {
        Method::Directory => None,
        Method::Role { .. } => {
            let is_done = policies.as_ref().is_some_and(Vec::is_empty);
            let task = Task::DetachPolicies { role: role.clone(), policies: policies.clone() };
            Some((task, state(is_done)))
        }
    };
    detach.into_iter().chain([(Task::DeleteRole { role: role.clone() }, state(false))])
}

fn stays_restorable(facts: &Facts) -> Vec<Restorable> {
    let accounts: BTreeSet<&AccountId> =
        facts.granted.iter().map(|(account, _)| account).chain([&facts.management]).collect();
    let may_go = |source: &DataSource, account: &AccountId| {
        // Snapshots of an instance do not leave their region either.
        let is_own = *account == source.account;
        let elsewhere = !is_own || may_restore_to(source, &facts.management, source.kind);
        elsewhere && may_restore_to(source, account, source.kind)
    };
    let mut sources: BTreeMap<&DataSource, (u64, Option<DateTime<Utc>>)> = BTreeMap::new();
    for points in facts.points.iter().filter(|points| points.restorable > 0) {
        let (count, newest) = sources.entry(&points.source).or_default();
        *count = count.saturating_add(points.restorable);
        *newest = (*newest).max(points.newest);
    }
    sources
        .into_iter()
        .map(|(source, (points, newest))| Restorable {
            source: source.clone(),
            points,
            newest,
            to: accounts.iter().copied().filter(|to| may_go(source, to)).cloned().collect(),
        })
        .collect()
}
