//! What people are told without asking.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, DataSource, JobId};

/// News that somebody should act on. It is sent at least once; receivers drop repeats by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What happened, as a CloudEvents type such as `crossvault.job.failed`.
    pub kind: String,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The account whose resource it concerns.
    pub account: AccountId,
    /// The source that it concerns, where there is one.
    pub source: Option<DataSource>,
    /// The job that it is about, where there is one.
    pub job: Option<JobId>,
    /// The code of the failure or cause.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: String,
}
