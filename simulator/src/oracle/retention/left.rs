//! What must not be left once points have gone.

use std::collections::BTreeSet;

use crossvault_core::{
    catalog::{Party, data_lies_with},
    ids::{JobId, PointId, VaultId},
    job::{Outcome, State},
    vault::RecoveryPoint,
};
use crossvault_handlers::records::{JobWork, Key, Record};

use super::{Retention, of_point};
use crate::{
    cloud::{Cloud, Snapshot},
    oracle::{broken, job_of},
    run::Violation,
};

/// A point that is going does go, but where the resource account has its data and may refuse.
pub(super) fn is_going(cloud: &Cloud, point: &RecoveryPoint, by: &JobId) -> Result<(), Violation> {
    let has_failed = job_of(cloud, by).is_some_and(|job| job.work.failure().is_some());
    if has_failed && data_lies_with(point.source.kind) == Party::Resource {
        return Ok(());
    }
    of_point("GOES_FOREVER", point, &format!("is going by {by}, for ever"))
}

/// No data is left that no point names and no job will.
pub(super) fn no_orphans(cloud: &Cloud) -> Result<(), Violation> {
    let vaults = cloud.storage.vaults.iter();
    let mut all = vaults.flat_map(|(vault, vaulted)| {
        vaulted.snapshots.values().map(move |snapshot| (vault, snapshot))
    });
    all.try_for_each(|(vault, snapshot)| is_named(cloud, vault, snapshot))
}

fn is_named(cloud: &Cloud, vault: &VaultId, snapshot: &Snapshot) -> Result<(), Violation> {
    let orphan = |code, how: &str| {
        let says = format!("{} lies in {vault} {how}", snapshot.name);
        Err(broken::<Retention>(code, format!("data of {}", snapshot.source.kind), says))
    };
    // What nobody knows, nobody removes.
    let Some(job) = job_of(cloud, &snapshot.job) else { return Ok(()) };
    let JobWork::Backup(backup, State::Ended(outcome)) = &job.work else { return Ok(()) };
    let (Outcome::Complete(made) | Outcome::Partial(made)) = outcome else {
        return orphan("ORPHAN", "and its job came to nothing");
    };
    if made.snapshot != snapshot.name {
        return orphan("ORPHAN", "and its job made another");
    }
    let point = Key::point(vault, &backup.source, made.taken, &PointId::of_job(&job.id));
    match cloud.rows.get(&point) {
        Some(_) => Ok(()),
        None => orphan("LEFT_BEHIND", "although its point is gone"),
    }
}

/// A prune leaves no blob that no snapshot needs.
pub(super) fn no_blobs(cloud: &Cloud, vault: &VaultId) -> Result<(), Violation> {
    let Some(vaulted) = cloud.storage.vaults.get(vault) else { return Ok(()) };
    let files = vaulted.snapshots.values().flat_map(|snapshot| &*snapshot.files);
    let needed: BTreeSet<_> = files.map(|file| file.content).collect();
    let left = vaulted.blobs.keys().filter(|content| !needed.contains(content)).count();
    if left == 0 {
        return Ok(());
    }
    let says = format!("after a prune of {vault} {left} blobs are left that nothing needs");
    Err(broken::<Retention>("BLOBS_LEFT", "prune", says))
}

/// A vault in which points were erased knows that a prune would give space back.
pub(super) fn is_to_be_pruned(cloud: &Cloud, vault: &VaultId) -> Result<(), Violation> {
    match cloud.rows.get(&Key::gate(vault)).map(|row| &row.record) {
        Some(Record::Gate(row)) if !row.gate.erased && row.gate.prune.is_none() => {
            let says = format!("points of {vault} were erased and no prune gives their space back");
            Err(broken::<Retention>("NEVER_GIVEN_BACK", "vault", says))
        }
        _ => Ok(()),
    }
}
