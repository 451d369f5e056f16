//! `quota`: every stated limit holds.
//!
//! At most three delegated administrators of a directory; at most so many jobs of one account at a
//! time as it has turns, each with a turn of its own; at most so many messages worked on as there
//! are workers; session policies of 2,048 characters, transactions of 100 writes, pages of 100 rows,
//! 100 failed files a row, 900 seconds of delay in the queue, and as many points an erase as one
//! transaction ends.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, JobId},
    upkeep::ERASE_POINTS_MAX,
};
use crossvault_handlers::records::{Job, JobWork, Key, Record};

use super::{Oracle, broken};
use crate::{
    call::Response,
    cloud::{Cloud, Fact, InvocationId, RowChange},
    run::{Event, Invariant, Settings, Trigger, Violation, Watch},
    world::{Change, Entity},
};

/// Delegated administrators of one directory.
///
/// Source: Cloud Backup, "Cross-account backup": at most three.
const ADMINISTRATORS_MAX: usize = 3;
/// Characters of a session policy.
///
/// Source: STS API, `AssumeRole`, parameter `Policy`.
const SESSION_POLICY_MAX: usize = 2048;
/// Writes of a transaction.
const WRITES_MAX: usize = 100;
/// Rows of a page, and items of a list of the cloud.
const PAGE_MAX: usize = 100;
/// Files that one row names.
const FAILURES_MAX: usize = 100;
/// Seconds that the queue delays.
const DELAY_MAX_S: u32 = 900;

/// Watches over `quota`.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    /// What a run's settings set: none where they are not known.
    turns: Option<usize>,
    workers: Option<usize>,
    /// Jobs with a lease, by account.
    running: BTreeMap<AccountId, BTreeSet<JobId>>,
    /// Messages that are worked on.
    working: BTreeSet<InvocationId>,
}

impl Quota {
    /// The limits of a run with these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            turns: Some(settings.limits.pace.turns.into()),
            workers: Some(settings.workers),
            ..Self::default()
        }
    }

    fn of_change(&mut self, cloud: &Cloud, change: &RowChange) -> Result<(), Violation> {
        let Some(after) = &change.after else { return Ok(()) };
        match &after.record {
            Record::Job(job) => self.of_job(cloud, job),
            Record::Failures(row) => at_most("FAILURES", row.files.len(), FAILURES_MAX, || {
                format!("a page of failed files of job {}", row.job)
            }),
            _ => Ok(()),
        }
    }

    fn of_job(&mut self, cloud: &Cloud, job: &Job) -> Result<(), Violation> {
        if let JobWork::Erase(erase, _) = &job.work {
            at_most("ERASE", erase.points.len(), ERASE_POINTS_MAX, || {
                format!("the points of erase job {}", job.id)
            })?;
        }
        if job.lease_until.is_none() {
            if let Some(running) = self.running.get_mut(&job.account) {
                running.remove(&job.id);
            }
            return Ok(());
        }
        if !self.running.contains_key(&job.account) {
            self.running.insert(job.account.clone(), BTreeSet::new());
        }
        let Some(running) = self.running.get_mut(&job.account) else { return Ok(()) };
        if !running.contains(&job.id) {
            running.insert(job.id.clone());
            at_most("JOBS_OF_ACCOUNT", running.len(), self.turns.unwrap_or(usize::MAX), || {
                format!("the running jobs of account {}", job.account)
            })?;
            let turn = job.turn.map(|n| Key::turn(&job.account, n));
            let row = turn.and_then(|key| cloud.rows.get(&key));
            let is_its = |row: &Record| matches!(row, Record::Turn(turn) if turn.job == job.id);
            if !row.is_some_and(|row| is_its(&row.record)) {
                let says = format!("job {} runs without a turn of account {}", job.id, job.account);
                return Err(broken::<Quota>("NO_TURN", job.work.kind(), says));
            }
        }
        Ok(())
    }
}

impl Watch for Quota {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Began { of, trigger: Trigger::Message(_), .. } => {
                self.working.insert(*of);
                at_most("WORKERS", self.working.len(), self.workers.unwrap_or(usize::MAX), || {
                    "the messages that are worked on".to_owned()
                })
            }
            Event::Ended { of, .. } | Event::Died { of, .. } => {
                self.working.remove(of);
                Ok(())
            }
            Event::Answered { answer: Ok(answer), .. } => {
                let rows = match answer {
                    Response::Rows(rows) => rows.len(),
                    Response::Range(rows) => rows.len(),
                    Response::Members(members) => members.len(),
                    Response::Sources(sources) => sources.len(),
                    Response::Sealed(sealed) => sealed.len(),
                    _ => return Ok(()),
                };
                at_most("PAGE", rows, PAGE_MAX, || "the items of one answer".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn fact(&mut self, cloud: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { changes, .. } => {
                at_most("WRITES", changes.len(), WRITES_MAX, || "the writes of a commit".into())?;
                changes.iter().try_for_each(|change| self.of_change(cloud, change))
            }
            Fact::Assumed { session, role, .. } => {
                let issued = cloud.sessions.get(*session);
                let policy = issued.and_then(|issued| issued.session.policy());
                let length = policy.map_or(0, |policy| policy.text().chars().count());
                at_most("SESSION_POLICY", length, SESSION_POLICY_MAX, || {
                    format!("the characters of the session policy for `{role}`")
                })
            }
            Fact::Sent { message, delay_s, .. } if *delay_s > DELAY_MAX_S => {
                let says = format!("{message:?} is delayed by {delay_s} s, which is over 900 s");
                Err(broken::<Quota>("DELAY", "queue", says))
            }
            Fact::Changed { changes, .. } => changes.iter().try_for_each(|change| {
                let Change::Put(Entity::Member(member)) = change else { return Ok(()) };
                let Some(directory) = cloud.world.directory_of(&member.account) else {
                    return Ok(());
                };
                let members = cloud.world.members_of(directory);
                let delegated = members.filter(|member| member.administers_since.is_some());
                at_most("ADMINISTRATORS", delegated.count(), ADMINISTRATORS_MAX, || {
                    format!("the delegated administrators of directory {}", directory.id)
                })
            }),
            _ => Ok(()),
        }
    }
}

impl Oracle for Quota {
    const INVARIANT: Invariant = Invariant::Quota;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        for (_, row) in cloud.rows.all() {
            if let Record::Job(job) = &row.record
                && job.lease_until.is_some()
            {
                self.running.entry(job.account.clone()).or_default().insert(job.id.clone());
            }
        }
    }
}

fn at_most(
    code: &'static str,
    found: usize,
    limit: usize,
    what: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if found <= limit {
        return Ok(());
    }
    let says = format!("{} are {found}, and {limit} are the most", what());
    Err(broken::<Quota>(code, code.to_lowercase(), says))
}
