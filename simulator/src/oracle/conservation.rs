//! `conservation`, the part of it that exists: what rows say of usage is what the world knows.
//!
//! A point's bytes and files are those of its snapshot, and it adds to its vault no more than it
//! holds; the data that jobs claim to have added is in the vault at most once. A restore that wrote
//! all counts all it wrote. Usage, payers and charges come with metering; their law comes here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::VaultId,
    job::{Outcome, State},
    restore::{self, Restore},
    vault::RecoveryPoint,
};
use crossvault_handlers::records::{JobWork, Record};

use super::{Oracle, broken};
use crate::{
    cloud::{Cloud, Fact, RowChange, path},
    run::{Invariant, Violation, Watch},
};

/// Watches over `conservation`.
#[derive(Clone, Debug, Default)]
pub struct Conservation {
    vaults: BTreeMap<VaultId, Added>,
}

/// What came into a vault since all of it was last looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Added {
    /// The bytes that lay there then.
    before: u64,
    /// The bytes that jobs say they added.
    claimed: u64,
}

impl Watch for Conservation {
    fn fact(&mut self, cloud: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { changes, .. } => {
                changes.iter().try_for_each(|change| of_change(cloud, change))
            }
            Fact::Sealed { vault, snapshot } => {
                let claimed = snapshot.sealed.as_ref().map_or(0, |(sealed, _)| sealed.added.0);
                let added = self.vaults.entry(vault.clone()).or_default();
                added.claimed = added.claimed.saturating_add(claimed);
                Ok(())
            }
            Fact::Pruned { vault, .. } => {
                let added = Added { before: stored(cloud, vault), claimed: 0 };
                self.vaults.insert(vault.clone(), added);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        for (vault, Added { before, claimed }) in &self.vaults {
            let came = stored(cloud, vault).saturating_sub(*before);
            if *claimed > came {
                let says = format!(
                    "jobs say that they added {claimed} bytes to vault {vault}, and {came} came"
                );
                return Err(broken::<Conservation>("ADDED_TWICE", "vault", says));
            }
        }
        Ok(())
    }
}

impl Oracle for Conservation {
    const INVARIANT: Invariant = Invariant::Conservation;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        for vault in cloud.storage.vaults.keys() {
            let before = stored(cloud, vault);
            self.vaults.insert(vault.clone(), Added { before, claimed: 0 });
        }
    }
}

fn stored(cloud: &Cloud, vault: &VaultId) -> u64 {
    cloud.storage.vaults.get(vault).map_or(0, |vaulted| vaulted.blobs.values().sum())
}

fn of_change(cloud: &Cloud, change: &RowChange) -> Result<(), Violation> {
    let Some(after) = &change.after else { return Ok(()) };
    match &after.record {
        Record::Point(row) if change.before.is_none() => of_point(cloud, &row.0),
        Record::Point(row) => {
            let counts = |point: &RecoveryPoint| {
                (point.files, point.bytes, point.added, point.failed, point.snapshot.clone())
            };
            let before = change.before.as_ref().map(|before| &before.record);
            let is_same = |before: &Record| matches!(before, Record::Point(before) if counts(&before.0) == counts(&row.0));
            if before.is_none_or(is_same) {
                return Ok(());
            }
            let says = format!("what point {} counts was changed", row.0.id);
            Err(broken::<Conservation>("COUNT_CHANGED", "point", says))
        }
        Record::Job(job) => match &job.work {
            JobWork::Restore(restore, State::Ended(outcome)) => match outcome {
                Outcome::Complete(made) | Outcome::Partial(made) => {
                    of_restore(cloud, restore, made)
                }
                Outcome::Failed(_) | Outcome::Canceled => Ok(()),
            },
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn of_point(cloud: &Cloud, point: &RecoveryPoint) -> Result<(), Violation> {
    let vaulted = cloud.storage.vaults.get(&point.vault);
    let Some(snapshot) = vaulted.and_then(|vaulted| vaulted.snapshots.get(&point.snapshot)) else {
        // What a point lacks is another oracle's.
        return Ok(());
    };
    let files = count(snapshot.files.len());
    let bytes = snapshot.files.iter().map(|file| file.content.length).sum();
    if (point.files, point.bytes.0) != (files, bytes) {
        let says = format!(
            "point {} counts {} files with {}, and its snapshot has {files} with {bytes} bytes",
            point.id, point.files, point.bytes
        );
        return Err(broken::<Conservation>("POINT_MISCOUNTS", "point", says));
    }
    if point.added > point.bytes {
        let says = format!(
            "point {} added {} to its vault and holds {}",
            point.id, point.added, point.bytes
        );
        return Err(broken::<Conservation>("ADDED_TOO_MUCH", "point", says));
    }
    Ok(())
}

fn of_restore(cloud: &Cloud, restore: &Restore, made: &restore::Sealed) -> Result<(), Violation> {
    let vaulted = cloud.storage.vaults.get(&restore.vault);
    let snapshot = vaulted.and_then(|vaulted| vaulted.snapshots.get(&restore.snapshot));
    let Some(snapshot) = snapshot else { return Ok(()) };
    let (mut files, mut bytes) = (0_u64, 0_u64);
    for file in &*snapshot.files {
        if restore.only.as_ref().is_none_or(|only| *only == path(file.name)) {
            files = files.saturating_add(1);
            bytes = bytes.saturating_add(file.content.length);
        }
    }
    let is_short = made.failed == 0 && made.bytes.0 != bytes;
    if made.files.saturating_add(made.failed) == files && made.bytes.0 <= bytes && !is_short {
        return Ok(());
    }
    let says = format!(
        "a restore of point {} says {} files with {} and {} failed, of {files} with {bytes} bytes",
        restore.point, made.files, made.bytes, made.failed
    );
    Err(broken::<Conservation>("RESTORE_MISCOUNTS", "restore", says))
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
