//! The backup job: what it reads, and the recovery point it makes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{BindingId, DataSource, JobId, PointId, PolicyId, VaultId},
    job::{self, Seal},
    quantity::Bytes,
    schedule::retention::Expiry,
    vault::{Epoch, PointState, RecoveryPoint},
};

/// Where a backup job stands.
pub type State = job::State<Sealed>;

/// What a backup job is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// What is read.
    pub source: DataSource,
    /// Where it goes.
    pub vault: VaultId,
    /// The policy whose retention rules the point follows; none keeps it until it is deleted.
    pub policy: Option<PolicyId>,
    /// The binding that it runs for; none when somebody asked for a source by hand.
    pub binding: Option<BindingId>,
    /// The slot of the binding that it stands for; none when somebody asked for it by hand.
    pub due: Option<DateTime<Utc>>,
}

/// What the platform says of a backup whose data is all in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// How the vault names it.
    pub snapshot: String,
    /// The vault's epoch under which its data began.
    pub epoch: Epoch,
    /// The time whose content it holds: when its reading began.
    pub taken: DateTime<Utc>,
    /// Files, folders, links and other entries in it.
    pub files: u64,
    /// Their content.
    pub bytes: Bytes,
    /// What it added to the vault, after deduplication and compression.
    pub added: Bytes,
    /// Files that failed and are left out.
    pub failed: u64,
}

impl Seal for Sealed {
    fn failed(&self) -> u64 {
        self.failed
    }
}

/// The recovery point that a job's sealed data becomes.
#[must_use]
pub fn point(job: &JobId, backup: &Backup, sealed: &Sealed, expires: Expiry) -> RecoveryPoint {
    RecoveryPoint {
        id: PointId::of_job(job),
        job: job.clone(),
        source: backup.source.clone(),
        vault: backup.vault.clone(),
        policy: backup.policy.clone(),
        binding: backup.binding.clone(),
        snapshot: sealed.snapshot.clone(),
        taken: sealed.taken,
        files: sealed.files,
        bytes: sealed.bytes,
        added: sealed.added,
        failed: sealed.failed,
        expires,
        state: PointState::Available,
        in_use_by: Vec::new(),
    }
}
