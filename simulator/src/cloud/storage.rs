//! What vaults hold: blobs by their content, and snapshots that are lists of files.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup,
    ids::{DataSource, JobId, VaultId},
    job::Progress,
    restore,
};

use crossvault_handlers::ports::FailedFile;

use super::{Content, File};

/// A snapshot in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// The job that made it, and its fence.
    pub job: JobId,
    /// The fence under which it was made.
    pub fence: u32,
    /// What was backed up.
    pub source: DataSource,
    /// When its first file was read.
    pub begun: DateTime<Utc>,
    /// Its files.
    pub files: Arc<[File]>,
    /// What the vault says of it; none for a checkpoint.
    pub sealed: Option<(backup::Sealed, Progress)>,
}

/// What one vault holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vaulted {
    /// Blobs: what was read, once each, and its length.
    pub blobs: BTreeMap<Content, u64>,
    /// Snapshots by name.
    pub snapshots: BTreeMap<String, Arc<Snapshot>>,
}

impl Vaulted {
    /// Whether all that a snapshot needs is there.
    #[must_use]
    pub fn is_whole(&self, snapshot: &Snapshot) -> bool {
        snapshot.files.iter().all(|file| self.blobs.contains_key(&file.content))
    }

    /// Removes blobs that no snapshot needs, and returns how many.
    pub(super) fn prune(&mut self) -> u64 {
        let mut needed: Vec<Content> = self
            .snapshots
            .values()
            .flat_map(|snapshot| snapshot.files.iter().map(|file| file.content))
            .collect();
        needed.sort_unstable();
        let before = self.blobs.len();
        self.blobs.retain(|content, _| needed.binary_search(content).is_ok());
        u64::try_from(before.saturating_sub(self.blobs.len())).unwrap_or(u64::MAX)
    }
}

/// What all vaults hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// By vault.
    pub vaults: BTreeMap<VaultId, Vaulted>,
    /// Restores that have all in place, by job.
    pub restored: BTreeMap<JobId, (restore::Sealed, Progress)>,
    /// Files that failed in what a job has sealed, where some did.
    pub failures: BTreeMap<JobId, Vec<FailedFile>>,
}
