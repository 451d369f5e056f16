//! What a perfect backup service would have made of the script: the measure of how jobs end.
//!
//! It knows what people did, how the world changed, what went wrong and what sources held, and none
//! of the handlers' decisions. From that it says of each job whether it had to succeed, had to fail,
//! or may do either: authority that was whole from its making to its end and nothing met that a
//! backup need not survive means success; authority that was broken all that time means failure;
//! only who was asked to stop is canceled. What succeeded left a point, unless it was erased since,
//! and each file of it is what the source held while the job ran.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::Verb,
    grant::Method,
    ids::{AccountId, DataSource, Region},
    job::STUMBLES_MAX,
};
use crossvault_handlers::{
    api::Command,
    records::{Job, JobWork, Record},
};

use crate::{
    cloud::{Cloud, Fact, File},
    fault::Fault,
    oracle::plain::Scene,
    run::{Event, Invariant, Trigger, Violation, Watch},
    world::{Change, World},
};

/// What the source held since an instant.
type Held = (DateTime<Utc>, Arc<Vec<File>>);

/// Since an instant an account is added in this way, or not at all.
type Added = (DateTime<Utc>, Option<Method>);

/// A perfect backup service, which looks on.
#[derive(Clone, Debug, Default)]
pub struct Model {
    has_begun: bool,
    base: World,
    changes: Vec<(DateTime<Utc>, Vec<Change>)>,
    grants: BTreeMap<(AccountId, Region), Vec<Added>>,
    /// By the number of the source.
    contents: BTreeMap<u32, Vec<Held>>,
    /// When somebody asked for jobs to stop.
    stops: Vec<DateTime<Utc>>,
    /// How many faults struck, and since when one that a job need not survive.
    struck: u32,
    excused: Option<DateTime<Utc>>,
}

/// How a job had to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Succeed,
    Fail,
    Either,
}

impl Watch for Model {
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        self.begin(cloud, now);
        match event {
            Event::Called { fault: Fault::None, .. } => {}
            Event::Called { fault, .. } => {
                self.struck = self.struck.saturating_add(1);
                if !fault.is_recoverable() {
                    self.excused.get_or_insert(now);
                }
            }
            Event::Began { trigger: Trigger::Ask { command, .. }, .. } => {
                if matches!(**command, Command::CancelJob { .. } | Command::RemoveAccount { .. }) {
                    self.stops.push(now);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        self.begin(cloud, now);
        match fact {
            Fact::Changed { changes, .. } => {
                self.changes.push((now, changes.clone()));
                // Sources come and go with the world.
                for held in cloud.contents.all() {
                    if let Some(number) = cloud.contents.number(&held.source) {
                        self.hold(cloud, number, now);
                    }
                }
            }
            Fact::Edited { source } | Fact::Written { source, .. } => {
                self.hold(cloud, *source, now);
            }
            Fact::Committed { changes, .. } => {
                for change in changes {
                    let before = change.before.as_ref().map(|row| &row.record);
                    let after = change.after.as_ref().map(|row| &row.record);
                    match (before, after) {
                        (Some(Record::Job(before)), Some(Record::Job(after)))
                            if after.work.is_ended() && !before.work.is_ended() =>
                        {
                            self.of_end(cloud, now, after)?;
                        }
                        (_, Some(Record::Grant(row))) => {
                            let of = (row.0.account.clone(), row.0.region.clone());
                            let method = Some(row.0.method.clone());
                            self.grants.entry(of).or_default().push((now, method));
                        }
                        (Some(Record::Grant(row)), None) => {
                            let of = (row.0.account.clone(), row.0.region.clone());
                            self.grants.entry(of).or_default().push((now, None));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn at_rest(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        for (_, row) in cloud.rows.all() {
            if let Record::Job(job) = &row.record
                && matches!(job.work, JobWork::Backup(..))
                && matches!(job.work.status(), "COMPLETE" | "PARTIAL_COMPLETE")
                && !has_point(cloud, job)
            {
                let says = format!("job {} is {} and left no point", job.id, job.work.status());
                return fail("NO_POINT", job, says);
            }
        }
        Ok(())
    }
}

impl Model {
    fn begin(&mut self, cloud: &Cloud, now: DateTime<Utc>) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        self.base = cloud.world.clone();
        for held in cloud.contents.all() {
            if let Some(number) = cloud.contents.number(&held.source) {
                self.hold(cloud, number, now);
            }
        }
        for (_, row) in cloud.rows.all() {
            if let Record::Grant(row) = &row.record {
                let of = (row.0.account.clone(), row.0.region.clone());
                let since = DateTime::<Utc>::MIN_UTC;
                self.grants.entry(of).or_default().push((since, Some(row.0.method.clone())));
            }
        }
    }

    fn hold(&mut self, cloud: &Cloud, number: u32, now: DateTime<Utc>) {
        let files = cloud.contents.held(number).and_then(|held| held.files.clone());
        let files = files.unwrap_or_default();
        let history = self.contents.entry(number).or_default();
        if history.last().is_none_or(|(_, last)| !Arc::ptr_eq(last, &files)) {
            history.push((now, files));
        }
    }

    /// Compares how a job has ended with how it had to.
    fn of_end(&self, cloud: &Cloud, now: DateTime<Utc>, job: &Job) -> Result<(), Violation> {
        let status = job.work.status();
        let was_asked = self.stops.iter().any(|at| *at >= job.queued);
        if status == "CANCELED" && !was_asked {
            let says = format!("job {} is canceled, and nobody asked for that", job.id);
            return fail("CANCELED_BY_NONE", job, says);
        }
        let has_failed = job.work.failure().is_some();
        let verdict = self.verdict(cloud, now, job);
        match (verdict, status) {
            (Verdict::Succeed, _) if has_failed => {
                let why = job.work.failure().map(ToString::to_string).unwrap_or_default();
                let says = format!("job {} had to succeed, and failed with `{why}`", job.id);
                return fail("MUST_SUCCEED", job, says);
            }
            (Verdict::Fail, "COMPLETE" | "PARTIAL_COMPLETE") => {
                let says = format!(
                    "job {} had no authority from its making to its end, and is {status}",
                    job.id
                );
                return fail("MUST_FAIL", job, says);
            }
            _ => {}
        }
        self.of_content(cloud, job)
    }

    fn verdict(&self, cloud: &Cloud, now: DateTime<Utc>, job: &Job) -> Verdict {
        let (source, verb) = match &job.work {
            JobWork::Backup(backup, _) => (&backup.source, Verb::BackUp),
            JobWork::Restore(restore, _) => (&restore.to, Verb::Restore),
            JobWork::Erase(..) | JobWork::Prune(..) => return Verdict::Either,
        };
        let (mut was_whole, mut was_broken) = (false, false);
        self.over_time(cloud, source, job.queued, now, |scene| {
            match scene.against(source.kind, verb, Some(source)) {
                None => was_whole = true,
                Some(_) => was_broken = true,
            }
        });
        match (was_whole, was_broken) {
            (false, true) => Verdict::Fail,
            (true, false) if self.excused.is_none() && self.struck < STUMBLES_MAX => {
                Verdict::Succeed
            }
            _ => Verdict::Either,
        }
    }

    /// Looks at the world and the grants as they were at each instant of a span.
    fn over_time(
        &self,
        cloud: &Cloud,
        source: &DataSource,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        mut look: impl FnMut(&Scene<'_>),
    ) {
        let of = (source.account.clone(), source.region.clone());
        let history = self.grants.get(&of).map_or(&[][..], Vec::as_slice);
        let start = history.iter().rfind(|(at, _)| *at < since);
        let within = history.iter().filter(|(at, _)| *at >= since && *at <= until);
        let first = start.and_then(|(_, method)| method.as_ref());
        let methods: Vec<Option<&Method>> =
            std::iter::once(first).chain(within.map(|(_, method)| method.as_ref())).collect();
        let mut seen = |world: &World, now| {
            for method in &methods {
                look(&Scene {
                    world,
                    management: &cloud.management,
                    account: &source.account,
                    region: &source.region,
                    method: *method,
                    now,
                });
            }
        };
        let mut world = self.base.clone();
        let (before, after) =
            self.changes.split_at(self.changes.partition_point(|(at, _)| *at < since));
        for change in before.iter().flat_map(|(_, changes)| changes) {
            world.absorb(change);
        }
        seen(&world, since);
        for (at, changes) in after {
            for change in changes {
                world.absorb(change);
            }
            seen(&world, *at);
        }
    }

    /// Each file of a point is what its source held while the job ran.
    fn of_content(&self, cloud: &Cloud, job: &Job) -> Result<(), Violation> {
        let JobWork::Backup(backup, _) = &job.work else { return Ok(()) };
        let Some(vaulted) = cloud.storage.vaults.get(&backup.vault) else { return Ok(()) };
        let made = vaulted
            .snapshots
            .values()
            .filter(|snapshot| snapshot.job == job.id && snapshot.sealed.is_some());
        let number = cloud.contents.number(&backup.source);
        let history = number.and_then(|number| self.contents.get(&number));
        let history = history.map_or(&[][..], Vec::as_slice);
        for snapshot in made {
            let from = history.partition_point(|(at, _)| *at <= snapshot.begun).saturating_sub(1);
            let held = history.get(from..).unwrap_or_default();
            let was_held = |file: &&File| held.iter().any(|(_, files)| files.contains(file));
            if let Some(file) = snapshot.files.iter().find(|file| !was_held(file)) {
                let says = format!(
                    "file {} of snapshot {} is nothing that {} held since {}",
                    file.name, snapshot.name, backup.source, snapshot.begun
                );
                return fail("CONTENT_OF_ANOTHER_TIME", job, says);
            }
        }
        Ok(())
    }
}

/// Whether a backup's point is there, or was erased by a job since.
fn has_point(cloud: &Cloud, job: &Job) -> bool {
    cloud.rows.all().any(|(_, row)| match &row.record {
        Record::Point(row) => row.0.job == job.id,
        Record::Job(erase) => match &erase.work {
            JobWork::Erase(erase, _) => {
                let point = crossvault_core::ids::PointId::of_job(&job.id);
                erase.points.iter().any(|erased| erased.point == point)
            }
            _ => false,
        },
        _ => false,
    })
}

fn fail(code: &'static str, job: &Job, says: String) -> Result<(), Violation> {
    Err(Violation { invariant: Invariant::Model, code, site: job.work.kind().to_owned(), says })
}
