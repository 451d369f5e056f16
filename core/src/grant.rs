//! Grants: resource accounts that were added for backup, region by region.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Region, RoleName};

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
