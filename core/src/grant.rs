//! Grants: resource accounts that were added for backup, region by region.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    authorization::Causes,
    ids::{AccountId, Region, RoleName},
};

/// A resource account added for backup in one region.
///
/// Source: Cloud Backup, "Cross-account backup", "Add the resource account in the backup
/// management account": an account is added in the region where its resources are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The resource account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// How it granted.
    pub method: Method,
    /// A name that people know the account by; may be empty.
    pub alias: String,
    /// When it was added.
    pub added: DateTime<Utc>,
    /// How it stood when it was last looked at beside a job; none if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// How a grant stood when it was looked at: told to people, and never taken as a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// When it came to stand so.
    pub since: DateTime<Utc>,
    /// Counts the changes between standing and broken, so that each is told once.
    pub revision: u32,
    /// Why it is broken; none when it stands.
    pub broken: Option<Causes>,
}

/// How a resource account grants access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Through the resource directory (`CROSS_ACCOUNT_BY_RD`).
    Directory,
    /// Through a RAM role of the resource account (`CROSS_ACCOUNT`).
    Role {
        /// The role's name.
        name: RoleName,
    },
}

impl Method {
    /// The cloud's code for the method, `CrossAccountType`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Directory => "CROSS_ACCOUNT_BY_RD",
            Self::Role { .. } => "CROSS_ACCOUNT",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::Role { name } => write!(f, "role {name}"),
        }
    }
}
