//! `explained`: a job that failed for want of authority names a cause that is true in the world.
//!
//! Each cause that it names was a fact at some instant between the beginning of its last step and
//! its end, judged plainly on the world as it was then; what the cloud merely said in that step
//! (denied, expired, out of quota) counts if it was said. A job that failed otherwise met what it
//! names, and authority was not broken all the while behind it. Each failure says what mends it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::Cause,
    catalog::Verb,
    explain::Explain,
    grant::Method,
    ids::{AccountId, DataSource, JobId, Region, SourceKind},
    job::Failure,
};
use crossvault_handlers::{
    ports::Message,
    records::{Job, JobWork, Record},
};

use super::{Oracle, broken, plain::Scene};
use crate::{
    cloud::{Cloud, Fact, InvocationId},
    fault::{Fault, Skew},
    run::{Event, Invariant, Trigger, Violation, Watch},
    world::{Change, World},
};

/// Watches over `explained`.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// The world in the beginning, and how it changed since.
    base: World,
    changes: Vec<(DateTime<Utc>, Vec<Change>)>,
    /// How each account was added in each region, and since when.
    grants: BTreeMap<(AccountId, Region), Vec<Added>>,
    /// The present fence of each job, and since when it has it.
    claimed: BTreeMap<JobId, (u32, DateTime<Utc>)>,
    /// What each step met, and of which job it is.
    steps: BTreeMap<InvocationId, (JobId, Met)>,
    /// What each job met in all its steps.
    met: BTreeMap<JobId, Met>,
}

/// Since an instant an account is added in this way, or not at all.
type Added = (DateTime<Utc>, Option<Method>);

/// Faults that were met, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Met(u64);

impl Met {
    fn add(&mut self, fault: Fault) {
        self.0 |= 1_u64.wrapping_shl(fault as u32);
    }
    fn has(self, fault: Fault) -> bool {
        self.0 & 1_u64.wrapping_shl(fault as u32) != 0
    }
    /// Something happened that is no fault of a call, such as a wrong clock.
    fn disturb(&mut self) {
        self.add(Fault::None);
    }
}

impl Watch for Explained {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Called { fault: Fault::None, .. } => {}
            Event::Called { of, fault, .. } => {
                if let Some((job, met)) = self.steps.get_mut(of) {
                    met.add(*fault);
                    self.met.entry(job.clone()).or_default().add(*fault);
                }
            }
            Event::Began {
                of, trigger: Trigger::Message(Message::TakeStep(job)), skew, ..
            } => {
                let mut met = Met::default();
                if *skew != Skew::None {
                    met.disturb();
                    self.met.entry(job.clone()).or_default().disturb();
                }
                self.steps.insert(*of, (job.clone(), met));
            }
            Event::Ended { of, .. } | Event::Died { of, .. } => {
                self.steps.remove(of);
            }
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Changed { changes, .. } => self.changes.push((now, changes.clone())),
            Fact::Committed { by, changes } => {
                for change in changes {
                    let before = change.before.as_ref().map(|row| &row.record);
                    let after = change.after.as_ref().map(|row| &row.record);
                    match (before, after) {
                        (before, Some(Record::Job(job))) => {
                            let is_new = !matches!(before,
                                Some(Record::Job(before)) if before.work.is_ended());
                            self.of_job(cloud, now, *by, job, is_new)?;
                        }
                        (_, Some(Record::Grant(row))) => {
                            let of = (row.0.account.clone(), row.0.region.clone());
                            self.of_grant(of, now, Some(row.0.method.clone()));
                        }
                        (Some(Record::Grant(row)), None) => {
                            let of = (row.0.account.clone(), row.0.region.clone());
                            self.of_grant(of, now, None);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Oracle for Explained {
    const INVARIANT: Invariant = Invariant::Explained;

    fn begin(&mut self, cloud: &Cloud, now: DateTime<Utc>) {
        self.base = cloud.world.clone();
        for (_, row) in cloud.rows.all() {
            match &row.record {
                Record::Grant(row) => {
                    let of = (row.0.account.clone(), row.0.region.clone());
                    self.of_grant(of, DateTime::<Utc>::MIN_UTC, Some(row.0.method.clone()));
                }
                Record::Job(job) if !job.work.is_ended() => {
                    self.claimed.insert(job.id.clone(), (job.fence, now));
                }
                _ => {}
            }
        }
    }
}

impl Explained {
    fn of_grant(&mut self, of: (AccountId, Region), now: DateTime<Utc>, method: Option<Method>) {
        let history = self.grants.entry(of).or_default();
        if history.last().is_none_or(|(_, last)| *last != method) {
            history.push((now, method));
        }
    }

    fn of_job(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        by: InvocationId,
        job: &Job,
        is_new: bool,
    ) -> Result<(), Violation> {
        if !job.work.is_ended() {
            match self.claimed.get_mut(&job.id) {
                Some((fence, _)) if *fence == job.fence => {}
                Some(claimed) => *claimed = (job.fence, now),
                None => {
                    self.claimed.insert(job.id.clone(), (job.fence, now));
                }
            }
            return Ok(());
        }
        let claimed = self.claimed.remove(&job.id);
        let Some(failure) = job.work.failure().filter(|_| is_new) else { return Ok(()) };
        let step = self.steps.get(&by).map(|(_, met)| *met).unwrap_or_default();
        let since = claimed.map_or(job.queued, |(_, since)| since);
        let window = Window { cloud, job, since, now, step };
        let says = |what: &str| format!("job {} failed with `{failure}`, {what}", job.id);
        if failure.remedy().is_empty() {
            return fail("NO_REMEDY", failure, says("and nothing says what mends it"));
        }
        match failure {
            Failure::Unauthorized(causes) => {
                let Some(untrue) = causes.iter().find(|cause| !self.is_true(&window, cause)) else {
                    return Ok(());
                };
                let what = format!("and `{untrue}` was at no time so since its step began");
                fail("FALSE_CAUSE", untrue, says(&what))
            }
            Failure::Broken(_) | Failure::Exhausted { .. } => {
                if let Some(why) = self.broken_throughout(&window) {
                    let what = format!("and all the while authority was broken: {why}");
                    return fail("MASKED", failure, says(&what));
                }
                if self.is_met(&window, failure) {
                    return Ok(());
                }
                fail("UNEXPLAINED", failure, says("and met nothing of the kind"))
            }
        }
    }

    /// Whether a cause was a fact at some instant of the window.
    fn is_true(&self, window: &Window<'_>, cause: &Cause) -> bool {
        let step = window.step;
        let was_said = match cause {
            Cause::CredentialsExpired { .. } => step.has(Fault::Expired),
            Cause::QuotaExceeded { .. } => step.has(Fault::Quota),
            Cause::TrustMissing { .. }
            | Cause::EntryDenied { .. }
            | Cause::RoleChainRefused { .. }
            | Cause::PermissionMissing { .. }
            | Cause::PermissionDenied { .. } => step.has(Fault::Denied),
            _ => false,
        };
        was_said || self.any(window, |scene, kind, _, _| scene.is_true(cause, kind))
    }

    /// Why authority was broken at every instant of the window, if it was.
    fn broken_throughout(&self, window: &Window<'_>) -> Option<String> {
        if window.step.has(Fault::Stale) {
            return None;
        }
        let mut why = None;
        let was_whole = self.any(window, |scene, kind, verb, source| {
            why = scene.against(kind, verb, Some(source));
            why.is_none()
        });
        why.filter(|_| !was_whole)
    }

    /// Whether a job met what it names.
    fn is_met(&self, window: &Window<'_>, failure: &Failure) -> bool {
        let job = window.job;
        let met = self.met.get(&job.id).copied().unwrap_or_default();
        match failure {
            Failure::Unauthorized(_) => true,
            Failure::Broken(trouble) => match trouble.code.as_str() {
                "FULL" => met.has(Fault::Full),
                "QUOTA" => met.has(Fault::Quota),
                "CORRUPT" => met.has(Fault::Damaged) || !window.has_snapshot(),
                _ => false,
            },
            // Only what keeps a job from moving on again and again exhausts it.
            Failure::Exhausted { .. } => {
                met != Met::default() || self.changes.iter().any(|(at, _)| *at >= job.queued)
            }
        }
    }

    /// Looks at the world as it was at each instant of the window, until one is what is sought.
    fn any(
        &self,
        window: &Window<'_>,
        mut is_it: impl FnMut(&Scene<'_>, SourceKind, Verb, &DataSource) -> bool,
    ) -> bool {
        let (source, verb) = match &window.job.work {
            JobWork::Backup(backup, _) => (&backup.source, Verb::BackUp),
            JobWork::Restore(restore, _) => (&restore.to, Verb::Restore),
            JobWork::Erase(erase, _) => (&erase.source, Verb::BackUp),
            JobWork::Prune(..) => return false,
        };
        let methods = self.methods(&source.account, &source.region, window);
        let mut seen = |world: &World, now| {
            methods.iter().any(|method| {
                let scene = Scene {
                    world,
                    management: &window.cloud.management,
                    account: &source.account,
                    region: &source.region,
                    method: method.as_ref(),
                    now,
                };
                is_it(&scene, source.kind, verb, source)
            })
        };
        let mut before = self.changes.partition_point(|(at, _)| *at < window.since);
        if window.step.has(Fault::Stale) {
            before = before.saturating_sub(1);
        }
        let (before, within) = self.changes.split_at(before);
        let mut world = self.base.clone();
        for change in before.iter().flat_map(|(_, changes)| changes) {
            world.absorb(change);
        }
        if seen(&world, window.since) {
            return true;
        }
        within.iter().any(|(at, changes)| {
            for change in changes {
                world.absorb(change);
            }
            seen(&world, *at)
        })
    }

    /// The ways in which an account was added at some instant of the window.
    fn methods(
        &self,
        account: &AccountId,
        region: &Region,
        window: &Window<'_>,
    ) -> Vec<Option<Method>> {
        let history = self.grants.get(&(account.clone(), region.clone()));
        let history = history.map_or(&[][..], Vec::as_slice);
        let before = history.iter().rfind(|(at, _)| *at < window.since);
        let within = history.iter().filter(|(at, _)| *at >= window.since && *at <= window.now);
        let first = before.and_then(|(_, method)| method.clone());
        std::iter::once(first).chain(within.map(|(_, method)| method.clone())).collect()
    }
}

/// A job's last step.
struct Window<'a> {
    cloud: &'a Cloud,
    job: &'a Job,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    step: Met,
}

impl Window<'_> {
    /// Whether all that a restore reads is in its vault.
    fn has_snapshot(&self) -> bool {
        let JobWork::Restore(restore, _) = &self.job.work else { return true };
        let vaulted = self.cloud.storage.vaults.get(&restore.vault);
        let found = vaulted.and_then(|of| Some((of, of.snapshots.get(&restore.snapshot)?)));
        found.is_some_and(|(vaulted, snapshot)| vaulted.is_whole(snapshot))
    }
}

fn fail(code: &'static str, of: &impl Explain, says: String) -> Result<(), Violation> {
    Err(broken::<Explained>(code, of.code(), says))
}
