//! What a restore is to put in place.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::restore::Restore;

use crate::cloud::{Cloud, File, path, restored_name};

/// What a restore is to put in place.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) restore: Restore,
    /// The point's files, by the names that they have in the target.
    pub(super) files: BTreeMap<u64, File>,
    /// Since when it may have been put there.
    pub(super) since: DateTime<Utc>,
}

impl Wanted {
    /// What a restore wants of its point; none when the point's data is not there.
    pub(super) fn of(cloud: &Cloud, restore: &Restore, since: DateTime<Utc>) -> Option<Self> {
        let vaulted = cloud.storage.vaults.get(&restore.vault)?;
        let snapshot = vaulted.snapshots.get(&restore.snapshot)?;
        let is_wanted = |name| restore.only.as_ref().is_none_or(|only| *only == path(name));
        let files = snapshot.files.iter().filter(|file| is_wanted(file.name));
        let files = files.map(|file| (restored_name(&restore.into, file.name), *file));
        Some(Self { restore: restore.clone(), files: files.collect(), since })
    }
}
