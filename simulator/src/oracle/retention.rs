//! **No point goes before its time or while it is in use; what is past its time does go.**
//!
//! When a point may go is what its policy's rules come to, computed here by plain code. It is marked
//! as going only once that time has come and no restore reads it, or because a person wants it gone;
//! never while it is the newest complete one of a binding whose policy keeps that. Once all is at
//! rest and retention has run, no point that should be gone is left, no data is left that no point
//! names, and where points went their space is to be given back. Locks and legal holds do not exist
//! yet: there is nothing to be looked at.

mod left;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    ids::{BindingId, JobId, PointId, VaultId},
    schedule::retention::Expiry,
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::{
    api::Command,
    records::{Job, JobWork, Key, Partition, Record, Sort},
};

use super::{Oracle, broken, job, point, points};
use crate::{
    cloud::{Cloud, Fact, InvocationId, RowChange, Snapshot},
    run::{Ending, Event, Handler, Invariant, Trigger, Violation, Watch},
};

/// Watches over retention.
#[derive(Clone, Default)]
pub struct Retention {
    /// Those that run.
    running: BTreeMap<InvocationId, Running>,
    /// The restores that read a point, and have not ended.
    readers: BTreeMap<PointId, BTreeSet<JobId>>,
    /// When the newest complete point that a binding ever made was taken.
    newest: BTreeMap<BindingId, DateTime<Utc>>,
    /// Vaults in which points were erased since they were last pruned.
    unpruned: BTreeSet<VaultId>,
    /// The last stamp of a commit.
    stamp: u128,
    /// When the last run of retention began that did all it had to.
    retained: Option<DateTime<Utc>>,
}

/// An invocation that runs.
#[derive(Clone)]
struct Running {
    began: DateTime<Utc>,
    /// How wrong its clock is.
    skew: TimeDelta,
    /// The last stamp before it began: what has an older one, it may have read.
    stamp: u128,
    /// The point that a person wants gone.
    deletes: Option<PointId>,
}

impl Oracle for Retention {
    const INVARIANT: Invariant = Invariant::Retention;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        for (_, row) in cloud.rows.all() {
            self.stamp = self.stamp.max(row.version.0);
            match &row.record {
                Record::Point(row) => self.made(&row.0),
                Record::Latest(row) => self.taken(&row.binding, row.taken),
                Record::Job(job) => self.reads(job),
                _ => {}
            }
        }
    }
}

impl Watch for Retention {
    fn event(&mut self, _: &Cloud, now: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Began { of, trigger, skew, .. } => {
                let skew = TimeDelta::seconds(skew.seconds());
                let deletes = deletes(trigger).cloned();
                let running = Running { began: now, skew, stamp: self.stamp, deletes };
                self.running.insert(*of, running);
            }
            Event::Ended { of, handler, ending } => {
                let running = self.running.remove(of);
                if *handler == Handler::Retention && matches!(ending, Ending::Done(_)) {
                    self.retained = running.map(|running| running.began).or(self.retained);
                }
            }
            Event::Died { of, .. } => {
                self.running.remove(of);
            }
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { by, changes } => {
                for change in changes {
                    match (&change.key.partition, &change.key.sort) {
                        (_, Sort::Point(..)) => self.changed(cloud, *by, change, now)?,
                        (Partition::Job(_), Sort::Head) => {
                            if let Some(job) = change.after.as_deref().and_then(job) {
                                self.reads(job);
                            }
                        }
                        _ => {}
                    }
                }
                let stored = changes.iter().find_map(|change| change.after.as_ref());
                self.stamp = stored.map_or(self.stamp, |row| self.stamp.max(row.version.0));
                Ok(())
            }
            Fact::Erased { snapshot, .. } => self.unread(snapshot),
            Fact::Pruned { vault, .. } => {
                self.unpruned.remove(vault);
                left::no_blobs(cloud, vault)
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        // What is left is known only once retention has run.
        let Some(retained) = self.retained else { return Ok(()) };
        points(cloud).try_for_each(|point| self.is_left_rightly(cloud, point, retained))?;
        left::no_orphans(cloud)?;
        self.unpruned.iter().try_for_each(|vault| left::is_to_be_pruned(cloud, vault))
    }
}

/// The point that a person wants gone.
fn deletes(trigger: &Trigger) -> Option<&PointId> {
    let Trigger::Ask { command, .. } = trigger else { return None };
    let Command::DeletePoint { point } = &**command else { return None };
    Some(point)
}

impl Retention {
    fn made(&mut self, point: &RecoveryPoint) {
        if let Some(binding) = point.binding.as_ref().filter(|_| point.failed == 0) {
            self.taken(binding, point.taken);
        }
    }

    fn taken(&mut self, binding: &BindingId, taken: DateTime<Utc>) {
        let newest = self.newest.entry(binding.clone()).or_insert(taken);
        *newest = taken.max(*newest);
    }

    /// Follows which restores read which points.
    fn reads(&mut self, job: &Job) {
        let JobWork::Restore(restore, state) = &job.work else { return };
        let readers = self.readers.entry(restore.point.clone()).or_default();
        if state.is_ended() {
            readers.remove(&job.id);
        } else {
            readers.insert(job.id.clone());
        }
    }

    fn reader(&self, point: &PointId) -> Option<&JobId> {
        self.readers.get(point)?.first()
    }

    fn changed(
        &mut self,
        cloud: &Cloud,
        by: InvocationId,
        change: &RowChange,
        now: DateTime<Utc>,
    ) -> Result<(), Violation> {
        let before = change.before.as_deref().and_then(point);
        let after = change.after.as_deref().and_then(point);
        match (before, after) {
            (None, Some(made)) => {
                let kept = self.is_kept_as_it_should(cloud, by, made);
                self.made(made);
                kept
            }
            (Some(before), Some(after)) => match (&before.state, &after.state) {
                (PointState::Available, PointState::Expiring { .. }) => {
                    self.may_go(cloud, by, after, now)
                }
                _ => Ok(()),
            },
            (Some(gone), None) => {
                self.unpruned.insert(gone.vault.clone());
                match self.reader(&gone.id) {
                    Some(reader) => of_point("READ", gone, &format!("went while {reader} read it")),
                    None => Ok(()),
                }
            }
            (None, None) => Ok(()),
        }
    }

    /// A point is marked as going.
    fn may_go(
        &self,
        cloud: &Cloud,
        by: InvocationId,
        going: &RecoveryPoint,
        now: DateTime<Utc>,
    ) -> Result<(), Violation> {
        if let Some(reader) = self.reader(&going.id) {
            return of_point("READ", going, &format!("is going while {reader} reads it"));
        }
        let running = self.running.get(&by);
        if running.is_some_and(|running| running.deletes.as_ref() == Some(&going.id)) {
            return Ok(());
        }
        // Its own clock is all that a function has.
        let skew = running.map_or(TimeDelta::zero(), |running| running.skew);
        let theirs = now.checked_add_signed(skew).unwrap_or(now);
        if !has_ended(going, theirs) {
            let until = going.expires;
            let how = format!("is going at {now} and is to be kept until {until}");
            return of_point("TOO_EARLY", going, &how);
        }
        let stamp = running.map_or(self.stamp, |running| running.stamp);
        if keeps_latest(cloud, going, stamp) && is_newest(cloud, going) {
            return of_point("LATEST", going, "is going and is its binding's newest");
        }
        Ok(())
    }

    /// A new point is kept as long as its policy says.
    fn is_kept_as_it_should(
        &self,
        cloud: &Cloud,
        by: InvocationId,
        made: &RecoveryPoint,
    ) -> Result<(), Violation> {
        let expected = match made.policy.as_ref().zip(made.binding.as_ref()) {
            Some((policy, binding)) => match cloud.rows.get(&Key::policy(policy)) {
                Some(row) => {
                    let read = self.running.get(&by).map_or(self.stamp, |running| running.stamp);
                    let Record::Policy(policy) = &row.record else { return Ok(()) };
                    if row.version.0 > read {
                        // It changed meanwhile: either version is the right one.
                        return Ok(());
                    }
                    rules::expiry(made.taken, self.newest.get(binding).copied(), &policy.0)
                }
                None => Expiry::Never,
            },
            None => Expiry::Never,
        };
        if made.expires == expected {
            return Ok(());
        }
        let how = format!("is kept until {} and should be until {expected}", made.expires);
        of_point("KEPT_OTHERWISE", made, &how)
    }

    /// Data goes only when nobody reads it.
    fn unread(&self, snapshot: &Snapshot) -> Result<(), Violation> {
        let reader = self.reader(&PointId::of_job(&snapshot.job));
        let Some(reader) = reader.filter(|_| snapshot.sealed.is_some()) else { return Ok(()) };
        let says = format!("the data of {} went while {reader} read it", snapshot.job);
        Err(broken::<Self>("READ", format!("data of {}", snapshot.source.kind), says))
    }

    /// A point that is left is one that should be.
    fn is_left_rightly(
        &self,
        cloud: &Cloud,
        point: &RecoveryPoint,
        retained: DateTime<Utc>,
    ) -> Result<(), Violation> {
        if let PointState::Expiring { job } = &point.state {
            return left::is_going(cloud, point, job);
        }
        let is_kept = || {
            self.reader(&point.id).is_some()
                || (keeps_latest(cloud, point, u128::MAX) && is_newest(cloud, point))
        };
        if !has_ended(point, retained) || is_kept() {
            return Ok(());
        }
        of_point("STAYS", point, &format!("stays, and was to go at {}", point.expires))
    }
}

fn of_point(code: &'static str, point: &RecoveryPoint, how: &str) -> Result<(), Violation> {
    let says = format!("recovery point {} of {} {how}", point.id, point.source);
    Err(broken::<Retention>(code, format!("point of {}", point.source.kind), says))
}

/// Whether a point's retention has ended.
fn has_ended(point: &RecoveryPoint, now: DateTime<Utc>) -> bool {
    matches!(point.expires, Expiry::At(at) if at <= now)
}

/// Whether the point's binding is there and its policy keeps the newest, as it stood before that
/// stamp.
fn keeps_latest(cloud: &Cloud, point: &RecoveryPoint, before: u128) -> bool {
    let row = |key: &Key| cloud.rows.get(key).filter(|row| row.version.0 <= before);
    let binding = point.binding.as_ref().and_then(|binding| row(&Key::binding(binding)));
    let Some(Record::Binding(binding)) = binding.map(|row| &row.record) else { return false };
    let policy = row(&Key::policy(&binding.0.policy)).map(|row| &row.record);
    matches!(policy, Some(Record::Policy(row)) if row.0.retention.keep_latest())
}

/// Whether no other complete point of the same binding that is available is newer.
fn is_newest(cloud: &Cloud, of: &RecoveryPoint) -> bool {
    let is_newer = |point: &RecoveryPoint| {
        point.binding == of.binding
            && point.vault == of.vault
            && point.failed == 0
            && point.state == PointState::Available
            && (point.taken, &point.id) > (of.taken, &of.id)
    };
    of.failed == 0 && !points(cloud).any(is_newer)
}

#[cfg(test)]
mod tests;
