//! What the world is made of.

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, DataSource, RoleArn},
    policy::{Policy, ServiceRole},
};
use serde::{Deserialize, Serialize};

use super::EntityKey;

/// One thing of the world: what a row holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entity {
    /// An account.
    Account(Account),
    /// A resource directory.
    Directory(Directory),
    /// An account's membership of a directory.
    Member(Member),
    /// A RAM role.
    Role(Role),
    /// A custom permission policy.
    Policy(CustomPolicy),
    /// A data source.
    Source(Source),
}

impl Entity {
    /// What names it.
    #[must_use]
    pub fn key(&self) -> EntityKey {
        match self {
            Self::Account(account) => EntityKey::Account(account.id.clone()),
            Self::Directory(directory) => EntityKey::Directory(directory.management.clone()),
            Self::Member(member) => EntityKey::Member(member.account.clone()),
            Self::Role(role) => EntityKey::role(&role.arn),
            Self::Policy(policy) => EntityKey::Policy(policy.account.clone(), policy.name.clone()),
            Self::Source(source) => EntityKey::Source(source.id.clone()),
        }
    }
}

/// A cloud account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its display name.
    pub name: String,
    /// How many roles were ever made in it, so that each gets an id of its own.
    pub roles_made: u64,
}

/// A resource directory.
///
/// It has its Root folder only; further folders come with control policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Its id, `rd-…`.
    pub id: String,
    /// The id of its Root folder, `r-…`.
    pub root: String,
    /// The account that made it; it is not a member.
    pub management: AccountId,
}

/// An account's membership of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The member.
    pub account: AccountId,
    /// The management account of its directory.
    pub management: AccountId,
    /// Its place, `rd-…/r-…/<account id>`.
    pub path: String,
    /// How it became a member.
    pub joined: Joined,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Since when it is a delegated administrator of Cloud Backup; none if it is not.
    pub administers_since: Option<DateTime<Utc>>,
}

/// How an account became a member.
///
/// Source: Resource Directory API, `GetAccount`, `JoinMethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joined {
    /// It existed and accepted an invitation.
    #[serde(rename = "invited")]
    Invited,
    /// It was made in the directory.
    #[serde(rename = "created")]
    Created,
}

/// A RAM role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name in the world.
    pub arn: RoleArn,
    /// Its id: a role made anew under an old name has another.
    pub id: RoleId,
    /// Who may assume it.
    pub trust: Policy,
    /// The longest session, in seconds.
    pub max_session_s: u32,
    /// The names of the policies attached to it, the cloud's and the account's own.
    pub attached: BTreeSet<String>,
    /// Which service-linked role it is; none for an ordinary role.
    pub service_role: Option<ServiceRole>,
}

/// The id of a role, never given twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleId(pub(super) String);

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A permission policy that an account wrote itself. Its present version is the default one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomPolicy {
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// What it says.
    pub document: Policy,
}

/// A data source and where its data lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The source.
    pub id: DataSource,
    /// Its display name.
    pub name: String,
    /// Where the platform finds its data: a path on one machine, a seed in the simulator.
    pub location: String,
    /// Whether it runs: an instance that is stopped exists and cannot be reached.
    pub running: bool,
}
