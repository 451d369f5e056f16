//! What is recorded of each change: who, what, when and why.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, AuditId, Token};

/// One change, recorded with it in the same transaction and never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its id, derived from what it records.
    pub id: AuditId,
    /// When the change was decided.
    pub at: DateTime<Utc>,
    /// Who made it.
    pub who: Actor,
    /// What was done, as a word such as `vault.created`.
    pub what: String,
    /// What it was done to: an id.
    pub subject: String,
    /// The account whose resource it concerns.
    pub account: AccountId,
    /// Why: the rule, the slot, the cause or the wish behind it.
    pub why: String,
}

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// A person or program of an account, by a request.
    Caller {
        /// The account.
        account: AccountId,
        /// The request's token.
        request: Token,
    },
    /// Crossvault itself: the handler's name.
    Handler {
        /// Such as `schedule`.
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller { account, .. } => write!(f, "{account}"),
            Self::Handler { name } => write!(f, "crossvault/{name}"),
        }
    }
}
