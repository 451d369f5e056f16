//! **No recovery point changes or goes but by an erase job, whatever becomes of authority.**
//!
//! What a point says is never changed once it is stored; it may only be taken into use and marked as
//! going, by a job that is made in the same commit and names it. Its data goes only by the job of
//! its mark, its row only with the end of that job. Until then all its blobs are in its vault, in a
//! snapshot of its own source and job, and a prune takes none of them. Whether a point may be marked
//! is another law: `retention`.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{JobId, PointId, VaultId},
    job::{Outcome, State},
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::{
    ports::Stored,
    records::{Job, JobWork, Sort},
};

use super::{Oracle, broken, job, job_of, point};
use crate::{
    cloud::{Cloud, Fact, RowChange, Snapshot},
    run::{Invariant, Violation, Watch},
};

/// Watches over durability.
#[derive(Clone, Default)]
pub struct Durability {
    points: BTreeMap<PointId, Kept>,
}

/// A point that exists.
#[derive(Clone)]
struct Kept {
    row: Arc<Stored>,
    snapshot: Option<Arc<Snapshot>>,
}

impl Oracle for Durability {
    const INVARIANT: Invariant = Invariant::Durability;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        for (_, row) in cloud.rows.all() {
            if let Some(point) = point(row) {
                let kept = Kept { row: Arc::clone(row), snapshot: snapshot(cloud, point).cloned() };
                self.points.insert(point.id.clone(), kept);
            }
        }
    }

    fn look(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        let mut count = 0_usize;
        for (_, row) in cloud.rows.all() {
            let Some(found) = point(row) else { continue };
            count = count.saturating_add(1);
            let Some(kept) = self.points.get(&found.id) else {
                return point_broken("APPEARED", found, "was never made");
            };
            if !Arc::ptr_eq(&kept.row, row) && kept.row != *row {
                return point_broken("CHANGED", found, "is not as it was stored");
            }
            if found.state == PointState::Available {
                is_whole(cloud, found)?;
                if kept.snapshot.as_ref() != snapshot(cloud, found) {
                    return point_broken("DATA_CHANGED", found, "holds other data than it did");
                }
            }
        }
        if count < self.points.len() {
            let is_there = |id: &PointId| {
                cloud.rows.all().any(|(_, row)| point(row).is_some_and(|point| point.id == *id))
            };
            let gone = self.points.iter().find(|(id, _)| !is_there(id));
            if let Some(found) = gone.and_then(|(_, kept)| point(&kept.row)) {
                return point_broken("VANISHED", found, "has no row any more");
            }
        }
        Ok(())
    }
}

impl Watch for Durability {
    fn fact(&mut self, cloud: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { changes, .. } => {
                for change in changes {
                    if matches!(change.key.sort, Sort::Point(..)) {
                        self.changed(cloud, change, changes)?;
                    }
                }
                Ok(())
            }
            Fact::Erased { vault, snapshot, job, .. } => {
                self.erased(cloud, vault, snapshot, job.as_ref())
            }
            Fact::Pruned { vault, .. } => self.pruned(cloud, vault),
            _ => Ok(()),
        }
    }
}

impl Durability {
    fn changed(
        &mut self,
        cloud: &Cloud,
        change: &RowChange,
        with: &[RowChange],
    ) -> Result<(), Violation> {
        let before = change.before.as_deref().and_then(point);
        let after = change.after.as_deref().and_then(point);
        match (before, after, &change.after) {
            (None, Some(made), Some(row)) => {
                is_made_by_its_job(made, with)?;
                is_whole(cloud, made)?;
                let snapshot = snapshot(cloud, made).cloned();
                let kept = Kept { row: Arc::clone(row), snapshot };
                match self.points.insert(made.id.clone(), kept) {
                    Some(_) => point_broken("MADE_TWICE", made, "was made a second time"),
                    None => Ok(()),
                }
            }
            (Some(before), Some(after), Some(row)) => {
                if !is_same(before, after) {
                    return point_broken("CHANGED", before, "says something else now");
                }
                is_marked_rightly(cloud, before, after, with)?;
                if let Some(kept) = self.points.get_mut(&after.id) {
                    kept.row = Arc::clone(row);
                }
                Ok(())
            }
            (Some(before), None, _) => {
                self.points.remove(&before.id);
                went_with_its_job(before, with)
            }
            _ => Ok(()),
        }
    }

    /// A point's data goes by the erase job that names it, and only once the point is marked.
    fn erased(
        &self,
        cloud: &Cloud,
        vault: &VaultId,
        snapshot: &Snapshot,
        by: Option<&JobId>,
    ) -> Result<(), Violation> {
        let kept = self.points.get(&PointId::of_job(&snapshot.job));
        let kept = kept.and_then(|kept| point(&kept.row));
        let Some(kept) = kept.filter(|kept| kept.snapshot == snapshot.name && kept.vault == *vault)
        else {
            return Ok(());
        };
        let Some(by) = by else {
            return point_broken("SWEPT", kept, "was taken for an orphan, and its data removed");
        };
        if kept.state == PointState::Available {
            return point_broken("ERASED", kept, &format!("lost its data to {by} unmarked"));
        }
        match job_of(cloud, by).map(|job| &job.work) {
            Some(JobWork::Erase(erase, _)) if erase.points.iter().any(|it| it.point == kept.id) => {
                Ok(())
            }
            _ => point_broken("ERASED", kept, &format!("lost its data to {by}, not told to")),
        }
    }

    /// A prune takes nothing that a point needs.
    fn pruned(&self, cloud: &Cloud, vault: &VaultId) -> Result<(), Violation> {
        let points = self.points.values().filter_map(|kept| point(&kept.row));
        let mut points =
            points.filter(|point| point.vault == *vault && point.state == PointState::Available);
        points.try_for_each(|point| is_whole(cloud, point))
    }
}

fn point_broken<T>(code: &'static str, point: &RecoveryPoint, how: &str) -> Result<T, Violation> {
    let says = format!("recovery point {} of {} {how}", point.id, point.source);
    Err(broken::<Durability>(code, format!("point of {}", point.source.kind), says))
}

fn snapshot<'a>(cloud: &'a Cloud, point: &RecoveryPoint) -> Option<&'a Arc<Snapshot>> {
    cloud.storage.vaults.get(&point.vault)?.snapshots.get(&point.snapshot)
}

/// The point's data is in its vault, all of it, and is that of its source and job.
fn is_whole(cloud: &Cloud, point: &RecoveryPoint) -> Result<(), Violation> {
    let vaulted = cloud.storage.vaults.get(&point.vault);
    let Some((vaulted, snapshot)) = vaulted.zip(snapshot(cloud, point)) else {
        return point_broken("NO_DATA", point, "has no data in its vault");
    };
    if snapshot.sealed.is_none() {
        return point_broken("NO_DATA", point, "rests on a checkpoint that was never sealed");
    }
    if snapshot.job != point.job || snapshot.source != point.source {
        let of = format!("has the data of {} of {}", snapshot.job, snapshot.source);
        return point_broken("OTHER_DATA", point, &of);
    }
    if !vaulted.is_whole(snapshot) {
        return point_broken("LACKS_BLOBS", point, "lacks blobs that its vault does not have");
    }
    Ok(())
}

/// Whether both say the same, but for who uses the point and whether it is about to go.
fn is_same(one: &RecoveryPoint, other: &RecoveryPoint) -> bool {
    fn lasting(point: &RecoveryPoint) -> impl PartialEq {
        let RecoveryPoint {
            id,
            job,
            source,
            vault,
            policy,
            binding,
            snapshot,
            taken,
            files,
            bytes,
            added,
            failed,
            expires,
            state: _,
            in_use_by: _,
        } = point;
        (
            (id, job, source, vault, policy, binding),
            (snapshot, taken, files, bytes, added),
            (failed, expires),
        )
    }
    lasting(one) == lasting(other)
}

/// A point is made in the commit in which its job ends with it.
fn is_made_by_its_job(made: &RecoveryPoint, with: &[RowChange]) -> Result<(), Violation> {
    let ends = |job: &Job| {
        job.id == made.job
            && matches!(&job.work, JobWork::Backup(_, State::Ended(Outcome::Complete(it) | Outcome::Partial(it)))
                if it.snapshot == made.snapshot)
    };
    if made.id == PointId::of_job(&made.job) && stored_jobs(with).any(ends) {
        return Ok(());
    }
    point_broken("MADE_BY_NOBODY", made, "was made without the end of its job")
}

/// A mark comes with the job that erases the point, and stays.
fn is_marked_rightly(
    cloud: &Cloud,
    before: &RecoveryPoint,
    after: &RecoveryPoint,
    with: &[RowChange],
) -> Result<(), Violation> {
    let by = match (&before.state, &after.state) {
        (PointState::Available, PointState::Available) => return Ok(()),
        (PointState::Expiring { .. }, PointState::Available) => {
            return point_broken("REVIVED", after, "is offered again although it was going");
        }
        (PointState::Expiring { job: old }, PointState::Expiring { job: new }) => {
            if old == new {
                return Ok(());
            }
            if job_of(cloud, old).is_some_and(|job| !job.work.is_ended()) {
                return point_broken("MARKED_TWICE", after, &format!("is still going by {old}"));
            }
            new
        }
        (PointState::Available, PointState::Expiring { job }) => job,
    };
    let names = |job: &Job| {
        job.id == *by
            && matches!(&job.work, JobWork::Erase(erase, _) if erase.vault == after.vault
                && erase.source == after.source
                && erase.points.iter().any(|it| it.point == after.id && it.snapshot == after.snapshot))
    };
    if stored_jobs(with).any(names) {
        return Ok(());
    }
    point_broken("MARKED_BY_NOBODY", after, &format!("is going by {by}, which was not told to"))
}

/// A row goes with the end of the job that erased the point.
fn went_with_its_job(gone: &RecoveryPoint, with: &[RowChange]) -> Result<(), Violation> {
    let PointState::Expiring { job: by } = &gone.state else {
        return point_broken("WENT", gone, "went without having been marked");
    };
    let is_done = |job: &Job| {
        job.id == *by && matches!(job.work, JobWork::Erase(_, State::Ended(Outcome::Complete(_))))
    };
    if stored_jobs(with).any(is_done) {
        return Ok(());
    }
    point_broken("WENT", gone, &format!("went, and {by} had not erased it"))
}

fn stored_jobs(changes: &[RowChange]) -> impl Iterator<Item = &Job> {
    changes.iter().filter_map(|change| change.after.as_deref().and_then(job))
}

#[cfg(test)]
mod tests;
