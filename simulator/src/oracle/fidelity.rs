//! **What is restored is what the source held; and what a point says of itself is true.**
//!
//! A backup reads file by file while users go on writing, so each file of a sealed snapshot is what
//! the source held at some instant between its first read and its seal; a file that was there all
//! the while is in it, or is named as failed. A restore writes what the point holds and nothing else,
//! into the source that it is for; a complete one has every file in place. It writes over files of
//! users only where that was asked, and never over what they wrote after it had looked. An ECS
//! instance goes back only to its own account.

mod past;
mod wanted;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::Verb,
    ids::{JobId, SourceKind},
    job::{Outcome, State},
    quantity::Bytes,
    restore::{Overwrite, Restore},
    vault::RecoveryPoint,
};
use crossvault_handlers::{
    ports::TransferName,
    records::{Job, JobWork, Key, Record, Sort},
};

use self::{past::Past, wanted::Wanted};
use super::{Oracle, broken, job, job_of, point, points};
use crate::{
    call::Move,
    cloud::{Cloud, Fact, File, RowChange, Snapshot, path},
    run::{Invariant, Violation, Watch},
};

/// How many failed files of a job are named; further ones are only counted.
const NAMED_MAX: u64 = 10_000;

/// Watches over fidelity.
#[derive(Clone, Default)]
pub struct Fidelity {
    /// What the sources held.
    past: Past,
    /// What restores are to write.
    wanted: BTreeMap<JobId, Wanted>,
    /// When each transfer looked at what there was.
    opened: BTreeMap<TransferName, DateTime<Utc>>,
    /// The transfer that touched a source last.
    last: Option<TransferName>,
    /// Files that a snapshot lacks, or that a restore, by its id, has not put in place: to be named
    /// as failed.
    lacking: BTreeMap<String, Vec<u64>>,
}

impl Oracle for Fidelity {
    const INVARIANT: Invariant = Invariant::Fidelity;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        self.past = Past::of(&cloud.contents);
    }

    fn look(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        points(cloud).try_for_each(|point| says_the_truth(cloud, point))
    }
}

impl Watch for Fidelity {
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Touched { verb, mov, order, refused: None, .. } => {
                self.last = Some(order.name.clone());
                if *verb == Verb::Restore && *mov == Move::Open {
                    self.opened.insert(order.name.clone(), now);
                }
                Ok(())
            }
            Fact::Written { source, job, before, after } => {
                let written = self.written(cloud, *source, job, (*before, *after), now);
                self.past.written(*source, (*before, *after), now);
                written
            }
            Fact::Sealed { snapshot, .. } => self.sealed(cloud, snapshot),
            Fact::Restored { job, source } => self.restored(cloud, job, *source),
            Fact::Edited { source } => {
                self.past.edited(&cloud.contents, *source, now);
                Ok(())
            }
            Fact::Changed { changes, .. } => {
                self.past.changed(&cloud.contents, changes, now);
                Ok(())
            }
            Fact::Committed { changes, .. } => self.committed(cloud, changes),
            _ => Ok(()),
        }
    }
}

impl Fidelity {
    /// A snapshot is sealed: each file was so, and none is left out unnamed.
    fn sealed(&mut self, cloud: &Cloud, snapshot: &Snapshot) -> Result<(), Violation> {
        let site = format!("backup of {}", snapshot.source.kind);
        let Some(number) = cloud.contents.number(&snapshot.source) else {
            let says = format!("{} read {}, which never was", snapshot.job, snapshot.source);
            return Err(broken::<Self>("NEVER_SO", site, says));
        };
        let mut last = None;
        for file in &*snapshot.files {
            if last.replace(file.name).is_some_and(|last| last >= file.name) {
                let says = format!("{} has `{}` twice", snapshot.name, path(file.name));
                return Err(broken::<Self>("TWICE", site, says));
            }
            if !self.past.held(number, file.name, Some(file.content), snapshot.begun) {
                let says = format!(
                    "{} has `{}` as {} never held it since {}",
                    snapshot.name,
                    path(file.name),
                    snapshot.source,
                    snapshot.begun
                );
                return Err(broken::<Self>("NEVER_SO", site, says));
            }
        }
        let lacking = self.past.there_since(number, snapshot.begun, &snapshot.files);
        self.lacking.insert(snapshot.name.clone(), lacking);
        Ok(())
    }

    /// A restore wrote a file.
    fn written(
        &mut self,
        cloud: &Cloud,
        number: u32,
        id: &JobId,
        (before, after): (Option<File>, File),
        now: DateTime<Utc>,
    ) -> Result<(), Violation> {
        let Some(wanted) = wanted(&mut self.wanted, cloud, id, now) else {
            let says = format!("{id} wrote a file and is no restore of a point that is there");
            return Err(broken::<Self>("NOT_WANTED", "restore", says));
        };
        let restore = &wanted.restore;
        let fail = |code, how: &str| {
            let file = path(after.name);
            let says = format!("{id} wrote `{file}` into {}, {how}", restore.to);
            Err(broken::<Self>(code, format!("restore of {}", restore.to.kind), says))
        };
        if cloud.contents.number(&restore.to) != Some(number) {
            return fail("OTHER_TARGET", "and that is not where it went");
        }
        if wanted.files.get(&after.name).map(|file| file.content) != Some(after.content) {
            return fail("NOT_WANTED", "which the point does not hold so");
        }
        if !may_go_to(restore) {
            return fail("OTHER_ACCOUNT", "an instance of another account");
        }
        if before.is_none_or(|before| before == after) {
            return Ok(());
        }
        // The cloud rolls whole disks back.
        let is_instance = restore.to.kind == SourceKind::EcsInstance;
        if restore.overwrite != Overwrite::Replace && !is_instance {
            return fail("OVERWRITES", "over a file that nobody gave away");
        }
        let opened = self.last.as_ref().filter(|last| last.job == *id);
        let opened = opened.and_then(|last| self.opened.get(last));
        if opened.is_some_and(|opened| self.past.was_edited(number, after.name, *opened)) {
            return fail("UNDOES_EDIT", "over what users had written after it looked");
        }
        Ok(())
    }

    /// A restore says that all is in place.
    fn restored(&mut self, cloud: &Cloud, id: &JobId, number: u32) -> Result<(), Violation> {
        let queued = job_of(cloud, id).map(|job| job.queued).unwrap_or_default();
        let Some(wanted) = wanted(&mut self.wanted, cloud, id, queued) else {
            let says = format!("{id} restored and is no restore of a point that is there");
            return Err(broken::<Self>("NOT_WANTED", "restore", says));
        };
        let since = wanted.since;
        let is_lacking = |(name, file): &(&u64, &File)| {
            !self.past.held(number, **name, Some(file.content), since)
        };
        let lacking = wanted.files.iter().filter(is_lacking).map(|(_, file)| file.name).collect();
        self.lacking.insert(id.to_string(), lacking);
        Ok(())
    }

    fn committed(&mut self, cloud: &Cloud, changes: &[RowChange]) -> Result<(), Violation> {
        for change in changes {
            let Some(row) = change.after.as_deref() else { continue };
            match (&change.key.sort, &change.before) {
                (Sort::Point(..), None) => {
                    if let Some(made) = point(row) {
                        says_the_truth(cloud, made)?;
                        self.named(cloud, &made.job, &made.snapshot, made.failed)?;
                    }
                }
                (Sort::Head, before) => {
                    if let Some(after) = job(row) {
                        self.moved(cloud, before.as_deref().and_then(job), after)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A job moved.
    fn moved(&mut self, cloud: &Cloud, before: Option<&Job>, job: &Job) -> Result<(), Violation> {
        let JobWork::Restore(restore, state) = &job.work else { return Ok(()) };
        if before.is_none() && !may_go_to(restore) {
            let says = format!("{} is to restore {} into {}", job.id, restore.from, restore.to);
            return Err(broken::<Self>("OTHER_ACCOUNT", "restore of ecs-instance", says));
        }
        let State::Ended(Outcome::Complete(sealed) | Outcome::Partial(sealed)) = state else {
            return Ok(());
        };
        if before.is_some_and(|before| before.work.is_ended()) {
            return Ok(());
        }
        if !cloud.storage.restored.contains_key(&job.id) {
            let says = format!("{} ended well and had not everything in place", job.id);
            return Err(broken::<Self>("NOT_IN_PLACE", "restore", says));
        }
        self.named(cloud, &job.id, job.id.as_str(), sealed.failed)
    }

    /// What a job lacks is named as failed, and as much is named as is counted.
    fn named(
        &mut self,
        cloud: &Cloud,
        id: &JobId,
        made: &str,
        failed: u64,
    ) -> Result<(), Violation> {
        let lacking = self.lacking.remove(made).unwrap_or_default();
        if lacking.is_empty() && failed == 0 {
            return Ok(());
        }
        let Some(job) = job_of(cloud, id) else { return Ok(()) };
        let site = format!("{} with failed files", job.work.kind());
        let named = failures(cloud, job);
        let count = u64::try_from(named.len()).unwrap_or(u64::MAX);
        let unnamed = lacking.iter().find(|file| !named.contains(&path(**file)));
        if let Some(file) = unnamed.filter(|_| count < NAMED_MAX) {
            let says = format!("{id} left `{}` out and did not name it", path(*file));
            return Err(broken::<Self>("LEFT_OUT", site, says));
        }
        if count != failed.min(NAMED_MAX) {
            let says = format!("{id} counts {failed} failed files and names {}", named.len());
            return Err(broken::<Self>("MISCOUNTED", site, says));
        }
        Ok(())
    }
}

/// What a job is to restore, from the first time that it is asked for.
fn wanted<'a>(
    all: &'a mut BTreeMap<JobId, Wanted>,
    cloud: &Cloud,
    id: &JobId,
    now: DateTime<Utc>,
) -> Option<&'a Wanted> {
    if !all.contains_key(id) {
        let job = job_of(cloud, id)?;
        let JobWork::Restore(restore, _) = &job.work else { return None };
        all.insert(id.clone(), Wanted::of(cloud, restore, job.queued.min(now))?);
    }
    all.get(id)
}

/// The files that a job names as failed.
fn failures(cloud: &Cloud, job: &Job) -> Vec<String> {
    let page = |page| match cloud.rows.get(&Key::failures(&job.id, page)).map(|row| &row.record) {
        Some(Record::Failures(row)) => row.files.iter().map(|file| file.path.clone()).collect(),
        _ => Vec::new(),
    };
    (0..job.failure_pages).flat_map(page).collect()
}

/// What a point's row says is what its data is.
fn says_the_truth(cloud: &Cloud, point: &RecoveryPoint) -> Result<(), Violation> {
    // What lies where, and whether all of it is there, is another law: `durability`.
    let vaulted = cloud.storage.vaults.get(&point.vault);
    let Some(snapshot) = vaulted.and_then(|vaulted| vaulted.snapshots.get(&point.snapshot)) else {
        return Ok(());
    };
    let files = u64::try_from(snapshot.files.len()).unwrap_or(u64::MAX);
    let bytes: Bytes = snapshot.files.iter().map(|file| Bytes(file.content.length)).sum();
    let failed = snapshot.sealed.as_ref().map_or(0, |(sealed, _)| sealed.failed);
    let said = (point.files, point.bytes, point.taken, point.failed);
    let so = (files, bytes, snapshot.begun, failed);
    if said == so && point.source == snapshot.source {
        return Ok(());
    }
    let says = format!(
        "recovery point {} says {:?} of {} and has {:?} of {}",
        point.id, said, point.source, so, snapshot.source
    );
    Err(broken::<Fidelity>("UNTRUE", format!("point of {}", point.source.kind), says))
}

/// An ECS instance goes back only to its own account.
fn may_go_to(restore: &Restore) -> bool {
    let is_instance = [restore.from.kind, restore.to.kind].contains(&SourceKind::EcsInstance);
    !is_instance || restore.from.account == restore.to.account
}

#[cfg(test)]
mod tests;
