//! `exactly-once`: every due slot has exactly one outcome; every job ends in exactly one final state.
//!
//! The due instants of a binding are expanded here from the schedules of its policy's versions,
//! life by life: each has a slot row or lies in one gap of missed slots, and never both. A slot that
//! started a job has that one job. A job that ended stays as it ended, and makes one point at most.
//! An alert's id stands for one content. What is told twice leaves nothing twice.

mod book;
mod timetable;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    backup_policy::BackupPolicy,
    ids::{BindingId, EffectId, JobId, PointId, PolicyId},
    schedule::slot::Outcome,
    vault::PointState,
};
use crossvault_handlers::records::{Job, JobWork, Key, Record, SlotRow};

use self::book::Book;
use super::{Oracle, broken};
use crate::{
    cloud::{Cloud, Fact, InvocationId, RowChange},
    run::{Ending, Event, Handler, Invariant, Trigger, Violation, Watch},
};

/// Watches over `exactly-once`.
#[derive(Clone, Debug, Default)]
pub struct ExactlyOnce {
    /// Each policy's versions, from the first on.
    policies: BTreeMap<PolicyId, Vec<BackupPolicy>>,
    /// What became of each binding's slots.
    books: BTreeMap<BindingId, Book>,
    /// The one job of each slot.
    slots: BTreeMap<(BindingId, DateTime<Utc>), JobId>,
    /// The one point of each job.
    points: BTreeMap<JobId, PointId>,
    alerts: BTreeMap<EffectId, Alert>,
    /// Whether faults have stopped, ticks since, and up to when one of them has decided.
    is_calm: bool,
    ticks: BTreeMap<InvocationId, DateTime<Utc>>,
    ticked: Option<DateTime<Utc>>,
}

impl Watch for ExactlyOnce {
    fn event(&mut self, _: &Cloud, now: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Healed => self.is_calm = true,
            Event::Began { of, trigger: Trigger::Tick(at), .. } if self.is_calm => {
                self.ticks.insert(*of, now.min(*at));
            }
            Event::Ended { of, handler: Handler::Schedule, ending } => {
                let upto = self.ticks.remove(of);
                if matches!(ending, Ending::Done(_)) {
                    self.ticked = self.ticked.max(upto);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, cloud: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { changes, .. } => {
                changes.iter().try_for_each(|change| self.of_change(cloud, change, changes))
            }
            Fact::Published { id, alert } => match self.alerts.get(id) {
                Some(before) if *before == **alert => Ok(()),
                Some(_) => {
                    let says = format!("alert {id} was published with two contents");
                    fail("ALERT_OF_TWO_CONTENTS", &alert.kind, says)
                }
                None => {
                    self.alerts.insert(id.clone(), (**alert).clone());
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        for (id, book) in &self.books {
            let live = match cloud.rows.get(&Key::binding(id)).map(|row| &row.record) {
                Some(Record::Binding(row)) => Some(&row.0),
                _ => None,
            };
            for life in &book.lives {
                let Some(versions) = self.policies.get(&life.policy) else { continue };
                if let Some(at) = book.undecided(life, versions, live, now) {
                    let says = format!("slot {at} of binding {id} has no outcome");
                    return fail("SLOT_WITHOUT_OUTCOME", "slot", says);
                }
            }
            if let (Some(next), Some(ticked)) = (live.and_then(|live| live.next), self.ticked)
                && next <= ticked
                && live.is_some_and(|live| cloud.rows.get(&Key::policy(&live.policy)).is_some())
            {
                let says = format!("a tick at {ticked} left slot {next} of binding {id} undecided");
                return fail("SLOT_FORGOTTEN", "slot", says);
            }
        }
        Ok(())
    }
}

impl Oracle for ExactlyOnce {
    const INVARIANT: Invariant = Invariant::ExactlyOnce;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        // Slots before bindings: a life goes on where the last outcome stands.
        let rows = || cloud.rows.all().map(|(_, row)| &row.record);
        for row in rows() {
            match row {
                Record::PolicyVersion(row) => self.add_version(&row.0),
                Record::Slot(row) => {
                    let _ = self.book(&row.binding).add_slot(row.due);
                }
                Record::MissedSlots(row) => {
                    let _ = self.book(&row.binding).add_gap(row.missed);
                }
                Record::Point(row) => {
                    self.points.insert(row.0.job.clone(), row.0.id.clone());
                }
                Record::Job(job) => {
                    if let Some(slot) = slot_of(job) {
                        self.slots.insert(slot, job.id.clone());
                    }
                }
                _ => {}
            }
        }
        for row in rows() {
            if let Record::Binding(row) = row {
                self.book(&row.0.id).begin(&row.0);
            }
        }
    }
}

impl ExactlyOnce {
    fn book(&mut self, binding: &BindingId) -> &mut Book {
        self.books.entry(binding.clone()).or_default()
    }

    fn add_version(&mut self, policy: &BackupPolicy) {
        let versions = self.policies.entry(policy.id.clone()).or_default();
        versions.push(policy.clone());
        versions.sort_by_key(|policy| policy.version);
    }

    fn of_change(
        &mut self,
        cloud: &Cloud,
        change: &RowChange,
        all: &[RowChange],
    ) -> Result<(), Violation> {
        let before = change.before.as_ref().map(|row| &row.record);
        let after = change.after.as_ref().map(|row| &row.record);
        match (before, after) {
            (Some(Record::Slot(_) | Record::MissedSlots(_)), _) => {
                let says = format!("the outcome at {:?} was changed", change.key);
                fail("OUTCOME_CHANGED", "slot", says)
            }
            (Some(Record::Job(before)), after) if before.work.is_ended() => {
                if matches!(after, Some(Record::Job(after)) if before == after) {
                    return Ok(());
                }
                let says =
                    format!("job {} was {} and has changed", before.id, before.work.status());
                fail("ENDED_JOB_CHANGED", before.work.kind(), says)
            }
            (Some(Record::Job(job)), None) => {
                let says = format!("job {} is gone before it ended", job.id);
                fail("JOB_GONE", job.work.kind(), says)
            }
            (None, Some(Record::PolicyVersion(row))) => {
                self.add_version(&row.0);
                Ok(())
            }
            (None, Some(Record::Slot(row))) => self.of_slot(row, all),
            (None, Some(Record::MissedSlots(row))) => {
                let missed = row.missed;
                if self.book(&row.binding).add_gap(missed) {
                    return Ok(());
                }
                let says = format!("{missed} of binding {} overlaps other outcomes", row.binding);
                fail("TWO_OUTCOMES", "gap", says)
            }
            (_, Some(Record::Binding(after))) => {
                let before = match before {
                    Some(Record::Binding(before)) => Some(&before.0),
                    _ => None,
                };
                // The outcomes of the same commit count already.
                let decided = all.iter().filter_map(decided_in).max();
                self.book(&after.0.id).follow(before, &after.0, decided);
                Ok(())
            }
            (Some(Record::Binding(before)), None) => {
                self.book(&before.0.id).end(&before.0);
                Ok(())
            }
            (None, Some(Record::Job(job))) => self.of_new_job(job, all),
            (None, Some(Record::Point(row))) => self.of_new_point(&row.0.job, &row.0.id, all),
            (Some(Record::Point(before)), Some(Record::Point(after))) => {
                match (&before.0.state, &after.0.state) {
                    (PointState::Expiring { job: one }, PointState::Expiring { job: other })
                        if one != other && lives(cloud, one) =>
                    {
                        let says = format!(
                            "point {} goes by job {other} while job {one} still runs",
                            after.0.id
                        );
                        fail("TWO_ERASES", "point", says)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn of_slot(&mut self, row: &SlotRow, all: &[RowChange]) -> Result<(), Violation> {
        let SlotRow { binding, due, outcome } = row;
        let book = self.books.entry(binding.clone()).or_default();
        if !book.add_slot(*due) {
            let says = format!("slot {due} of binding {binding} lies in a gap of missed slots");
            return fail("TWO_OUTCOMES", "slot", says);
        }
        let versions = book.lives.last().and_then(|life| self.policies.get(&life.policy));
        let mut schedules = versions.into_iter().flatten();
        if !schedules.any(|policy| timetable::has(&policy.schedule, *due)) {
            let says = format!("{due} is in no schedule of binding {binding}");
            return fail("NO_SUCH_SLOT", "slot", says);
        }
        if let Outcome::Started(job) = outcome
            && !all.iter().filter_map(new_job).any(|new| {
                new.id == *job && slot_of(new).is_some_and(|slot| slot == (binding.clone(), *due))
            })
        {
            let says = format!("slot {due} of binding {binding} started {job}, which is not there");
            return fail("STARTED_NOTHING", "slot", says);
        }
        Ok(())
    }

    fn of_new_job(&mut self, job: &Job, all: &[RowChange]) -> Result<(), Violation> {
        let Some(slot) = slot_of(job) else { return Ok(()) };
        let is_outcome = |change: &RowChange| {
            let row = change.after.as_ref().map(|row| &row.record);
            matches!(row, Some(Record::Slot(row)) if (&row.binding, &row.due) == (&slot.0, &slot.1)
                && row.outcome == Outcome::Started(job.id.clone()))
        };
        if !all.iter().any(is_outcome) {
            let says =
                format!("job {} stands for slot {}, which has no such outcome", job.id, slot.1);
            return fail("JOB_WITHOUT_SLOT", "backup", says);
        }
        if let Some(other) = self.slots.insert(slot, job.id.clone()) {
            let says = format!("jobs {other} and {} stand for one slot", job.id);
            return fail("TWO_JOBS_OF_A_SLOT", "backup", says);
        }
        Ok(())
    }

    fn of_new_point(
        &mut self,
        job: &JobId,
        point: &PointId,
        all: &[RowChange],
    ) -> Result<(), Violation> {
        let ends = |change: &RowChange| {
            let row = change.after.as_ref().map(|row| &row.record);
            matches!(row, Some(Record::Job(row)) if row.id == *job
                && matches!(row.work.status(), "COMPLETE" | "PARTIAL_COMPLETE"))
        };
        if !all.iter().any(ends) {
            let says = format!("point {point} came without the end of its job {job}");
            return fail("POINT_WITHOUT_END", "point", says);
        }
        if self.points.insert(job.clone(), point.clone()).is_some() {
            let says = format!("job {job} made a second point, {point}");
            return fail("SECOND_POINT", "point", says);
        }
        Ok(())
    }
}

/// The slot that a job stands for.
fn slot_of(job: &Job) -> Option<(BindingId, DateTime<Utc>)> {
    let JobWork::Backup(backup, _) = &job.work else { return None };
    backup.binding.clone().zip(backup.due)
}

fn new_job(change: &RowChange) -> Option<&Job> {
    match (&change.before, change.after.as_ref().map(|row| &row.record)) {
        (None, Some(Record::Job(job))) => Some(job),
        _ => None,
    }
}

fn decided_in(change: &RowChange) -> Option<DateTime<Utc>> {
    match &change.after.as_ref()?.record {
        Record::Slot(row) => Some(row.due),
        Record::MissedSlots(row) => Some(row.missed.last),
        _ => None,
    }
}

fn lives(cloud: &Cloud, job: &JobId) -> bool {
    let row = cloud.rows.get(&Key::job(job));
    row.is_some_and(|row| matches!(&row.record, Record::Job(job) if !job.work.is_ended()))
}

fn fail(code: &'static str, site: &str, says: String) -> Result<(), Violation> {
    Err(broken::<ExactlyOnce>(code, site, says))
}
