//! What the world is made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, DataSource, InvalidId, RoleArn},
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
    /// A folder of a directory.
    Folder(Folder),
    /// An account's membership of a directory.
    Member(Member),
    /// A custom control policy of a directory.
    ControlPolicy(ControlPolicy),
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
            Self::Folder(folder) => EntityKey::Folder(folder.management.clone(), folder.id.clone()),
            Self::Member(member) => EntityKey::Member(member.account.clone()),
            Self::ControlPolicy(policy) => {
                EntityKey::ControlPolicy(policy.management.clone(), policy.id.clone())
            }
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

/// A resource directory: a tree of nodes, which are its Root folder, folders and members.
///
/// Control policies are attached to nodes. While the feature is on, each node has at least one;
/// while it is off, none has any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Its id, `rd-…`.
    pub id: String,
    /// The id of its Root folder, `r-…`.
    pub root: String,
    /// The account that made it; it is not a member.
    pub management: AccountId,
    /// Whether control policies are evaluated.
    #[serde(default)]
    pub control_enabled: bool,
    /// The ids of the control policies attached to Root.
    #[serde(default)]
    pub attached: BTreeSet<String>,
    /// How many folders and control policies were ever made in it, so that no id is given twice.
    #[serde(default)]
    pub made: u64,
}

/// A folder of a directory, below Root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// The management account of its directory.
    pub management: AccountId,
    /// Its id, `fd-…`.
    pub id: String,
    /// Its name: no two folders of one parent share theirs.
    pub name: String,
    /// Its place, `rd-…/r-…/fd-…`; folders don't move.
    pub path: String,
    /// The ids of the control policies attached to it.
    pub attached: BTreeSet<String>,
}

/// A control policy that the management account of a directory wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPolicy {
    /// The management account of its directory.
    pub management: AccountId,
    /// Its id, `cp-…`.
    pub id: String,
    /// Its name: no two of one directory share theirs.
    pub name: String,
    /// What it says.
    pub document: Policy,
}

/// An account's membership of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The member.
    pub account: AccountId,
    /// The management account of its directory.
    pub management: AccountId,
    /// Its place, `rd-…/r-…/fd-…/<account id>`.
    pub path: String,
    /// How it became a member.
    pub joined: Joined,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Since when it is a delegated administrator of Cloud Backup; none if it is not.
    pub administers_since: Option<DateTime<Utc>>,
    /// The ids of the control policies attached to it.
    #[serde(default)]
    pub attached: BTreeSet<String>,
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

/// A permission policy that an account wrote itself: one version that counts, and others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomPolicy {
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// What its default version says, which alone counts.
    pub document: Policy,
    /// Which version the default is.
    #[serde(default)]
    pub default: VersionId,
    /// What its other versions say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<VersionId, Policy>,
    /// The version that was written last, be it deleted: no id is given twice.
    #[serde(default)]
    pub newest: VersionId,
}

impl CustomPolicy {
    /// Every version with what it says, in the order of writing.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<VersionId, &Policy> {
        let others = self.others.iter().map(|(id, document)| (*id, document));
        others.chain([(self.default, &self.document)]).collect()
    }
}

/// A version of a policy, `v<n>`; the first is `v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionId(u32);

impl VersionId {
    /// The version that is written after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Default for VersionId {
    fn default() -> Self {
        Self(1)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("v{}", self.0))
    }
}

impl FromStr for VersionId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let number = text.strip_prefix('v').filter(|digits| !digits.starts_with(['0', '+']));
        let number = number.and_then(|digits| digits.parse().ok());
        number.map(Self).ok_or_else(|| InvalidId::new(text, "a policy version (`v1`, `v2`, …)"))
    }
}

impl TryFrom<String> for VersionId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<VersionId> for String {
    fn from(id: VersionId) -> Self {
        id.to_string()
    }
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
