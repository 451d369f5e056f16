//! Changes: one entity put or removed.

use std::{fmt, str::FromStr};

use crossvault_core::ids::{AccountId, DataSource, InvalidId, RoleArn};
use serde::{Deserialize, Serialize};

use super::Entity;

/// What becomes of one entity. A row is written or deleted with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The entity is now so.
    Put(Entity),
    /// The entity is gone.
    Remove(EntityKey),
}

impl Change {
    /// The entity that changes.
    #[must_use]
    pub fn key(&self) -> EntityKey {
        match self {
            Self::Put(entity) => entity.key(),
            Self::Remove(key) => key.clone(),
        }
    }
}

/// What names an entity. Its text (`Display`) is the key of the row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EntityKey {
    /// `account/<id>`
    Account(AccountId),
    /// `directory/<management account>`
    Directory(AccountId),
    /// `folder/<management account>/<folder>`
    Folder(AccountId, String),
    /// `member/<account>`
    Member(AccountId),
    /// `control-policy/<management account>/<policy>`
    ControlPolicy(AccountId, String),
    /// `role/<account>/<name in lower case>`: names that differ in case name one role.
    Role(AccountId, String),
    /// `policy/<account>/<name>`
    Policy(AccountId, String),
    /// `source/<data source>`
    Source(DataSource),
}

impl EntityKey {
    /// The key of the role that an ARN names.
    #[must_use]
    pub fn role(role: &RoleArn) -> Self {
        Self::Role(role.account.clone(), role.name.as_str().to_ascii_lowercase())
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account/{account}"),
            Self::Directory(management) => write!(f, "directory/{management}"),
            Self::Folder(management, id) => write!(f, "folder/{management}/{id}"),
            Self::Member(account) => write!(f, "member/{account}"),
            Self::ControlPolicy(management, id) => write!(f, "control-policy/{management}/{id}"),
            Self::Role(account, name) => write!(f, "role/{account}/{name}"),
            Self::Policy(account, name) => write!(f, "policy/{account}/{name}"),
            Self::Source(source) => write!(f, "source/{source}"),
        }
    }
}

impl FromStr for EntityKey {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new(text, "the key of an entity (`<type>/<id>`)");
        let (kind, id) = text.split_once('/').ok_or_else(invalid)?;
        let halves = || id.split_once('/').ok_or_else(invalid);
        let key = match kind {
            "account" => Self::Account(id.parse()?),
            "directory" => Self::Directory(id.parse()?),
            "folder" => {
                let (management, id) = halves()?;
                Self::Folder(management.parse()?, id.to_owned())
            }
            "member" => Self::Member(id.parse()?),
            "control-policy" => {
                let (management, id) = halves()?;
                Self::ControlPolicy(management.parse()?, id.to_owned())
            }
            "role" => {
                let (account, name) = halves()?;
                Self::role(&RoleArn { account: account.parse()?, name: name.parse()? })
            }
            "policy" => {
                let (account, name) = halves()?;
                Self::Policy(account.parse()?, name.to_owned())
            }
            "source" => Self::Source(id.parse()?),
            _ => return Err(invalid()),
        };
        Ok(key)
    }
}

impl TryFrom<String> for EntityKey {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<EntityKey> for String {
    fn from(key: EntityKey) -> Self {
        key.to_string()
    }
}
