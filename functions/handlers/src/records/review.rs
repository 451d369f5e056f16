//! What a review found, and how far the present round has come.

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, Region},
    job::Trouble,
    review::{Finding, Replacement, Severity},
};
use serde::{Deserialize, Serialize};

use super::key::Key;

/// What the last review of a grant found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    /// The grant's account.
    pub account: AccountId,
    /// The grant's region.
    pub region: Region,
    /// When it was reviewed.
    pub at: DateTime<Utc>,
    /// What is too much, worst first.
    pub findings: Vec<Noted>,
    /// What to attach in place of the role's policies.
    pub advice: Advice,
}

/// A finding, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// How much it matters: `high`, `medium` or `low`.
    pub severity: String,
    /// What it is, and what to do.
    pub found: Trouble,
}

/// Which policies a role should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// These in place of the present ones: proven to be enough, and to permit less.
    Smaller {
        /// The policies, as JSON text.
        documents: Vec<String>,
    },
    /// The present ones, for the reason that is told.
    AsItIs {
        /// The reason.
        why: String,
    },
}

impl Noted {
    /// Puts a finding into words.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let severity = match finding.severity() {
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
        };
        Self { severity: severity.to_owned(), found: Trouble::of(finding) }
    }
}

impl Advice {
    /// Puts it into words.
    #[must_use]
    pub fn of(replacement: Replacement) -> Self {
        let why = match replacement {
            Replacement::Smaller { documents, beyond: _ } => return Self::Smaller { documents },
            Replacement::SmallEnough => "the present policies permit no more than is needed".into(),
            Replacement::NothingNeeded => "nothing is bound, so nothing is needed".into(),
            Replacement::Insufficient(witness) => {
                format!("the present policies do not permit {witness}, which is needed")
            }
            Replacement::Unknown(why) => format!("whether less would do is not known: {why}"),
        };
        Self::AsItIs { why }
    }
}

impl ReviewRow {
    pub(super) fn key(&self) -> Key {
        Key::review(&self.region, &self.account)
    }
}

/// The round of reviews that runs or ran last: whoever comes goes on where it stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRound {
    /// When it began.
    pub began: DateTime<Utc>,
    /// The last grant that was seen to; none when none was yet.
    pub after: Option<(Region, AccountId)>,
    /// Whether it has seen to all.
    pub is_done: bool,
}

impl ReviewRound {
    #[expect(clippy::unused_self, reason = "every row has a key; there is one such row")]
    pub(super) fn key(&self) -> Key {
        Key::reviews()
    }
}
