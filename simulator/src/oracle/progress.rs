//! `progress`: once faults stop, every job ends within its bound and every grant's status is true.
//!
//! At rest nothing is left half done: no job lives, nothing waits in the outbox or holds a place, no
//! data lies in a vault that no point names, no point is still going, and how a grant is said to
//! stand is how a plain look at the world finds it. And what passes by itself alone never makes a
//! job fail: trying again was enough. (That all comes to rest in time the run itself sees to.)

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::Verb,
    grant::Grant,
    ids::{DataSource, JobId, SourceKind, VaultId},
    job::{Failure, STUMBLES_MAX},
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::{
    enqueue::OUTBOX_DEAD,
    ports::Message,
    records::{AFTER_ALL, Key, Partition, Record, Sort, Wake},
};

use super::{Oracle, broken, plain::Scene};
use crate::{
    cloud::{Cloud, Fact, InvocationId},
    fault::Fault,
    run::{Event, Handler, Invariant, Trigger, Violation, Watch},
};

/// How often the outbox tries before it puts an effect aside.
const SENDS_MAX: u32 = 10;

/// Watches over `progress`.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Whose steps run.
    steps: BTreeMap<InvocationId, JobId>,
    /// How many faults each job met.
    met: BTreeMap<JobId, u32>,
    /// Functions that send, and how many faults they met.
    senders: BTreeSet<InvocationId>,
    unsent: u32,
    /// Whether a fault struck that a job need not survive.
    is_excused: bool,
    /// When the world last changed.
    changed: Option<DateTime<Utc>>,
}

impl Watch for Progress {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Called { fault: Fault::None, .. } => {}
            Event::Called { of, fault, .. } => {
                self.is_excused |= !fault.is_recoverable();
                if let Some(job) = self.steps.get(of) {
                    let met = self.met.entry(job.clone()).or_default();
                    *met = met.saturating_add(1);
                }
                if self.senders.contains(of) {
                    self.unsent = self.unsent.saturating_add(1);
                }
            }
            Event::Began { of, trigger, .. } => match trigger {
                Trigger::Message(Message::TakeStep(job)) => {
                    self.steps.insert(*of, job.clone());
                }
                other if other.handler() == Handler::Outbox => {
                    self.senders.insert(*of);
                }
                _ => {}
            },
            Event::Ended { of, .. } | Event::Died { of, .. } => {
                self.steps.remove(of);
                self.senders.remove(of);
            }
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, _: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Changed { .. } => self.changed = Some(now),
            Fact::Committed { changes, .. } => {
                for change in changes {
                    let Some(Record::Job(job)) = change.after.as_ref().map(|row| &row.record)
                    else {
                        continue;
                    };
                    if let Some(failure) = job.work.failure() {
                        self.of_failure(&job.id, job.work.kind(), failure)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        for (key, row) in cloud.rows.all() {
            self.of_row(cloud, &row.record)
                .map_err(|(code, what)| broken::<Progress>(code, row.record.name(), what))?;
            if let (Record::Grant(row), Partition::Grants(_)) = (&row.record, &key.partition) {
                self.of_grant(cloud, &row.0, now)?;
            }
        }
        of_storage(cloud)
    }
}

impl Oracle for Progress {
    const INVARIANT: Invariant = Invariant::Progress;

    fn begin(&mut self, _: &Cloud, now: DateTime<Utc>) {
        self.changed = Some(now);
    }
}

impl Progress {
    fn of_failure(
        &self,
        job: &JobId,
        kind: &'static str,
        failure: &Failure,
    ) -> Result<(), Violation> {
        let met = self.met.get(job).copied().unwrap_or_default();
        let is_fair = match failure {
            // What the world says is `explained`'s.
            Failure::Unauthorized(_) => true,
            Failure::Broken(_) => self.is_excused,
            Failure::Exhausted { .. } => self.is_excused || met >= STUMBLES_MAX,
        };
        if is_fair {
            return Ok(());
        }
        let says = format!("job {job} failed with `{failure}` after {met} faults that pass");
        Err(broken::<Progress>("FAILED_IN_PASSING", kind, says))
    }

    /// What must not be left.
    fn of_row(&self, cloud: &Cloud, row: &Record) -> Result<(), (&'static str, String)> {
        match row {
            Record::Job(job) if !job.work.is_ended() => {
                Err(("JOB_LIVES", format!("job {} is {} at rest", job.id, job.work.status())))
            }
            Record::Busy(row) => Err(("LEFT", format!("{row:?} is left"))),
            Record::Turn(row) => Err(("LEFT", format!("{row:?} is left"))),
            Record::Waiting(row) => Err(("LEFT", format!("{row:?} is left"))),
            Record::Use(row) => Err(("LEFT", format!("{row:?} is left"))),
            Record::Due(row) => match &row.wake {
                Wake::Job(job) => Err(("LEFT", format!("job {job} would be woken at {}", row.at))),
                Wake::Binding(_) => Ok(()),
            },
            Record::Gate(row) => match &row.gate.prune {
                Some(job) => Err(("GATE_CLOSED", format!("{job} closes vault {}", row.vault))),
                None => Ok(()),
            },
            Record::Outbox(row) if row.shard == OUTBOX_DEAD => {
                if row.attempts >= SENDS_MAX && self.unsent >= SENDS_MAX {
                    return Ok(());
                }
                let (id, unsent) = (&row.id, self.unsent);
                Err(("PUT_ASIDE", format!("effect {id} is put aside after {unsent} faults")))
            }
            Record::Outbox(row) => {
                Err(("UNSENT", format!("effect {} waits: {:?}", row.id, row.error)))
            }
            Record::Point(row) => match &row.0.state {
                PointState::Expiring { job } if !has_failed(cloud, job) => {
                    Err(("POINT_LEFT", format!("point {} is still going by {job}", row.0.id)))
                }
                PointState::Expiring { .. } | PointState::Available => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// How a grant is said to stand is how it stands, if it was reviewed since the last change.
    fn of_grant(&self, cloud: &Cloud, grant: &Grant, now: DateTime<Utc>) -> Result<(), Violation> {
        let reviewed = match cloud.rows.get(&Key::reviews()).map(|row| &row.record) {
            Some(Record::ReviewRound(round)) if round.is_done => Some(round.began),
            _ => None,
        };
        if reviewed.is_none() || reviewed < self.changed {
            return Ok(());
        }
        let scene = Scene {
            world: &cloud.world,
            management: &cloud.management,
            account: &grant.account,
            region: &grant.region,
            method: Some(&grant.method),
            now,
        };
        if !scene.is_readable() {
            return Ok(());
        }
        let found = against(&scene, &bound(cloud, grant));
        let site = grant.method.code();
        let said = grant.standing.as_ref().and_then(|standing| standing.broken.as_ref());
        let (account, region) = (&grant.account, &grant.region);
        match (said, found) {
            (None, Some(why)) => {
                let says = format!("account {account} in {region} is said to stand, and {why}");
                Err(broken::<Progress>("STANDS_WRONGLY", site, says))
            }
            (Some(causes), None) => {
                let says = format!(
                    "account {account} in {region} stands, and is said to be broken: {causes}"
                );
                Err(broken::<Progress>("BROKEN_WRONGLY", site, says))
            }
            (Some(causes), Some(_)) => {
                let is_so = |cause: &&crossvault_core::authorization::Cause| {
                    SourceKind::ALL.iter().any(|kind| scene.is_true(cause, *kind))
                };
                let Some(untrue) = causes.iter().find(|cause| !is_so(cause)) else { return Ok(()) };
                let says =
                    format!("account {account} in {region} is broken, and not since {untrue}");
                Err(broken::<Progress>("BROKEN_OTHERWISE", site, says))
            }
            (None, None) => Ok(()),
        }
    }
}

/// What stands against the backups of what is bound; with nothing bound, against every type.
fn against(scene: &Scene<'_>, bound: &[DataSource]) -> Option<String> {
    let of_kind = |kind, source: Option<&DataSource>| {
        // That the source is gone breaks no grant.
        let there = source.filter(|source| scene.world.find_source(source).is_some());
        let backup = || scene.against(kind, Verb::BackUp, there);
        scene.against(kind, Verb::Discover, None).or_else(backup)
    };
    if bound.is_empty() {
        let all: Vec<Option<String>> =
            SourceKind::ALL.iter().map(|kind| of_kind(*kind, None)).collect();
        return all.into_iter().collect::<Option<Vec<_>>>()?.into_iter().next();
    }
    bound.iter().find_map(|source| of_kind(source.kind, Some(source)))
}

/// The account's sources in the region that are bound.
fn bound(cloud: &Cloud, grant: &Grant) -> Vec<DataSource> {
    let rows = cloud.rows.range(crossvault_handlers::ports::Range {
        partition: Partition::Account(grant.account.clone()),
        from: Sort::Binding("".into()),
        to: Sort::Binding(AFTER_ALL.into()),
        reverse: false,
        limit: usize::MAX,
    });
    let source = |row: crossvault_handlers::ports::Stored| match row.record {
        Record::AccountBinding(row) if row.source.region == grant.region => Some(row.source),
        _ => None,
    };
    rows.into_iter().filter_map(source).collect()
}

/// All that a vault holds is named by a point: the day's sweep found the rest.
fn of_storage(cloud: &Cloud) -> Result<(), Violation> {
    for (vault, vaulted) in &cloud.storage.vaults {
        let points: Vec<&RecoveryPoint> = points(cloud, vault).collect();
        for name in vaulted.snapshots.keys() {
            if !points.iter().any(|point| point.snapshot == *name) {
                let says = format!("snapshot {name} in vault {vault} is of no point");
                return Err(broken::<Progress>("ORPHAN", "vault", says));
            }
        }
    }
    Ok(())
}

fn points<'a>(cloud: &'a Cloud, vault: &'a VaultId) -> impl Iterator<Item = &'a RecoveryPoint> {
    cloud.rows.all().filter_map(move |(key, row)| match &row.record {
        Record::Point(row) if key.partition == Partition::Vault(vault.clone()) => Some(&row.0),
        _ => None,
    })
}

fn has_failed(cloud: &Cloud, job: &JobId) -> bool {
    let row = cloud.rows.get(&Key::job(job));
    row.is_some_and(|row| matches!(&row.record, Record::Job(job) if job.work.failure().is_some()))
}
