//! Vaults and the recovery points in them.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, BindingId, DataSource, JobId, PointId, PolicyId, Region, VaultId},
    quantity::Bytes,
    schedule::retention::Expiry,
};

/// A deduplicated, encrypted store of backup data of many accounts. It belongs to the backup
/// management account alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vault {
    /// Its id.
    pub id: VaultId,
    /// The name that people gave it, unique within the management account.
    pub name: String,
    /// Where it lies.
    pub region: Region,
    /// The backup management account.
    pub owner: AccountId,
    /// When it was made.
    pub created: DateTime<Utc>,
}

/// A period in a vault's life between two prunes.
///
/// Prune raises it before it removes anything, and a point is recorded only under the epoch in
/// which its data began: so no point ever leans on data that a prune took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch that a prune begins.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What stands between transfers and prunes of one vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The present epoch.
    pub epoch: Epoch,
    /// The prune job that wants the vault for itself: new transfers wait for its end.
    pub prune: Option<JobId>,
    /// Whether points were erased since the last prune: whether one would give space back.
    pub erased: bool,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One restorable backup of one source at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPoint {
    /// Its id, derived from its job.
    pub id: PointId,
    /// The job that made it.
    pub job: JobId,
    /// What it was made of.
    pub source: DataSource,
    /// Where its data lies.
    pub vault: VaultId,
    /// The policy whose retention rules it follows; none keeps it until somebody deletes it.
    pub policy: Option<PolicyId>,
    /// The binding that it was made for: retention is decided among the points of one binding.
    pub binding: Option<BindingId>,
    /// How the vault names its data.
    pub snapshot: String,
    /// The time whose content it holds.
    pub taken: DateTime<Utc>,
    /// Entries in it.
    pub files: u64,
    /// Their content.
    pub bytes: Bytes,
    /// What it added to the vault when it was made.
    pub added: Bytes,
    /// Files that failed and are not in it.
    pub failed: u64,
    /// When it may go.
    pub expires: Expiry,
    /// Whether it can be restored.
    pub state: PointState,
    /// Restore jobs that read it: it does not go before they end.
    pub in_use_by: Vec<JobId>,
}

/// Whether a point can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PointState {
    /// It can.
    Available,
    /// An erase job is about to remove it, or has begun to.
    Expiring {
        /// The erase job.
        job: JobId,
    },
}

impl RecoveryPoint {
    /// Its status in the cloud's words.
    ///
    /// Source: Cloud Backup API, statuses of a recovery point.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.state {
            PointState::Expiring { .. } => "EXPIRED",
            PointState::Available if self.failed > 0 => "PARTIAL_COMPLETE",
            PointState::Available => "COMPLETE",
        }
    }
}
