//! What a snapshot says of itself: which job made it of what, and what it misses.

use std::{fmt, path::PathBuf, str::FromStr};

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{InvalidId, JobId},
    vault::Epoch,
};
use rustic_core::{
    Id,
    jiff::{Timestamp, tz::TimeZone},
    repofile::{SnapshotFile, SnapshotId, StringList},
};
use serde::{Deserialize, Serialize};

use super::{backup::BackupOrder, tree::FailedFile};

/// The tag of all snapshots that Crossvault made.
const OURS: &str = "crossvault";
/// The tag of checkpoints, which are no recovery points.
const PARTIAL: &str = "partial";

/// How the vault names a snapshot: the 64 hex digits of restic's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotName(pub(super) Id);

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_hex())
    }
}

impl fmt::Debug for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SnapshotName {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let id = (text.len() == 64).then(|| text.parse().ok()).flatten();
        id.map(Self).ok_or_else(|| InvalidId::new(text, "a snapshot's name (64 hex digits)"))
    }
}

/// A backup whose data is all in the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// How the vault names it.
    pub snapshot: SnapshotName,
    /// The id of its root folder: equal content has the same.
    pub tree: String,
    /// The job that made it.
    pub job: JobId,
    /// The step of the job that made it.
    pub fence: u32,
    /// The vault's epoch under which its data began.
    pub epoch: Epoch,
    /// The time that the order gave it.
    pub taken: DateTime<Utc>,
    /// Files, folders, links and other entries in it.
    pub files: u64,
    /// Their content in bytes.
    pub bytes: u64,
    /// What the job added to the vault, in bytes, compressed and encrypted; without steps that
    /// crashed.
    pub bytes_added: u64,
    /// How many files and folders are left out.
    pub failed: u64,
    /// Their names and reasons, at most 10,000.
    pub failures: Vec<FailedFile>,
}

/// A snapshot of Crossvault in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedIn {
    /// How the vault names it.
    pub snapshot: SnapshotName,
    /// The job that made it.
    pub job: JobId,
    /// The step of the job that made it.
    pub fence: u32,
    /// The vault's epoch under which its data began.
    pub epoch: Epoch,
    /// The time that the order gave it.
    pub taken: DateTime<Utc>,
    /// Whether it is only a checkpoint.
    pub partial: bool,
    /// What it added to the vault, in bytes; a checkpoint without those before it.
    pub bytes_added: u64,
    /// The account whose data it is, as text.
    pub account: String,
    /// The source whose data it is, as text.
    pub source: String,
}

/// What is stored beside the tree, in the snapshot's description.
#[derive(Serialize, Deserialize)]
struct Note {
    files: u64,
    bytes: u64,
    failed: u64,
    failures: Vec<FailedFile>,
}

/// What came of reading a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) added: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<FailedFile>,
}

/// A snapshot file for an order, without its tree.
pub(super) fn begin(order: &BackupOrder) -> SnapshotFile {
    let mut file = SnapshotFile {
        hostname: order.source.account.to_string(),
        label: order.source.to_string(),
        program_version: concat!("crossvault ", env!("CARGO_PKG_VERSION")).to_owned(),
        ..SnapshotFile::default()
    };
    let at = Timestamp::new(
        order.time.timestamp(),
        i32::try_from(order.time.timestamp_subsec_nanos()).unwrap_or(0),
    );
    file.time = at.unwrap_or_default().to_zoned(TimeZone::UTC);
    file
}

/// Completes a snapshot file with what makes it findable and honest.
pub(super) fn finish(
    mut file: SnapshotFile,
    order: &BackupOrder,
    partial: bool,
    outcome: &Outcome,
) -> SnapshotFile {
    let mut tags = StringList::default();
    tags.add(OURS.to_owned());
    for (name, value) in [
        ("account", order.source.account.to_string()),
        ("region", order.source.region.to_string()),
        ("source", order.source.to_string()),
        ("plan", order.plan.as_ref().map_or_else(|| "adhoc".to_owned(), ToString::to_string)),
        ("job", order.job.to_string()),
        ("fence", order.fence.to_string()),
        ("epoch", order.epoch.to_string()),
    ] {
        tags.add(format!("{name}={value}"));
    }
    if partial {
        tags.add(PARTIAL.to_owned());
    }
    file.tags = tags;
    if let Some(summary) = &mut file.summary {
        summary.data_added_packed = outcome.added;
    }
    let note = Note {
        files: outcome.files,
        bytes: outcome.bytes,
        failed: outcome.failed,
        failures: outcome.failures.clone(),
    };
    file.description = serde_json::to_string(&note).ok();
    file
}

/// What a snapshot file says of the job that made it; none when Crossvault did not make it.
pub(super) fn sealed_in(id: SnapshotId, file: &SnapshotFile) -> Option<SealedIn> {
    if !file.tags.contains(OURS) {
        return None;
    }
    let tag =
        |name: &str| file.tags.iter().find_map(|tag| tag.strip_prefix(name)?.strip_prefix('='));
    Some(SealedIn {
        snapshot: SnapshotName(*id),
        job: tag("job")?.parse().ok()?,
        fence: tag("fence")?.parse().ok()?,
        epoch: Epoch(tag("epoch")?.parse().ok()?),
        taken: taken(file),
        partial: file.tags.contains(PARTIAL),
        bytes_added: file.summary.as_ref().map_or(0, |summary| summary.data_added_packed),
        account: file.hostname.clone(),
        source: file.label.clone(),
    })
}

/// All that a snapshot file says of a backup.
pub(super) fn sealed(known: &SealedIn, file: &SnapshotFile) -> Sealed {
    let note = file.description.as_deref().and_then(|text| serde_json::from_str::<Note>(text).ok());
    let (files, bytes, failed, failures) =
        note.map_or_else(Default::default, |n| (n.files, n.bytes, n.failed, n.failures));
    Sealed {
        snapshot: known.snapshot,
        tree: file.tree.into_inner().to_hex().to_string(),
        job: known.job.clone(),
        fence: known.fence,
        epoch: known.epoch,
        taken: known.taken,
        files,
        bytes,
        bytes_added: known.bytes_added,
        failed,
        failures,
    }
}

fn taken(file: &SnapshotFile) -> DateTime<Utc> {
    let at = file.time.timestamp();
    let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    DateTime::from_timestamp(at.as_second(), nanoseconds).unwrap_or_default()
}

impl Serialize for FailedFile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.path_text(), &self.code, &self.reason).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FailedFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, code, reason) = <(PathBuf, String, String)>::deserialize(deserializer)?;
        Ok(Self { path, code, reason })
    }
}
