//! Tells a job's state machine what happened, and stores the new state with its effects.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::Causes,
    job::{Checkpoint, Effect, Event, Illegal, Progress, Seal, State, Trouble, transition},
    upkeep,
};

use super::{
    LEASE, StepError,
    claim::{ATTEMPTS, Held, move_wake, next_wake},
    finish,
};
use crate::{
    enqueue::{WATCHDOG, later, send},
    ports::{
        Clock, Directory, FailedFile, Message, PortError, Sealed, Store, Transaction, Version,
    },
    records::{Failures, Job, JobWork, Key, codec::failures_in_a_page, read},
};

/// How many failed files one row names.
const FILES_PER_PAGE: usize = 100;

/// How many pages one commit writes.
///
/// Full pages of 400 KB and the job's own row stay under what one transaction takes.
const PAGES_PER_COMMIT: usize = 8;

/// How many failed files of a job are named; further ones are only counted.
const FILES_MAX: usize = 10_000;

/// What happened to a job, whatever its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A step has authority.
    Authorized,
    /// Authority is broken.
    Refused(Causes),
    /// The transfer moves.
    Moved(Progress),
    /// The transfer stands at a checkpoint.
    Paused {
        /// Where.
        at: Checkpoint,
        /// How far it is.
        progress: Progress,
    },
    /// A step ended without progress.
    Stumbled {
        /// The fence of the step.
        fence: u32,
        /// Why.
        trouble: Trouble,
    },
    /// The transfer is complete.
    Sealed {
        /// What it made.
        sealed: Sealed,
        /// How far it came.
        progress: Progress,
    },
    /// What was sealed belongs to an epoch that is over.
    Outdated,
    /// It can't be done.
    Broken(Trouble),
    /// Somebody wants it stopped.
    CancelAsked,
    /// The transfer was halted.
    Halted,
}

/// Stores what happened, with the files that failed. False when the job is no longer ours.
pub(super) async fn store<P: Clock + Store + Directory>(
    ports: &P,
    held: &mut Held,
    happened: Happened,
    mut failures: Vec<FailedFile>,
) -> Result<bool, StepError> {
    // What one commit can't hold goes first, as progress.
    loop {
        let fits = fitting(&failures);
        if fits >= failures.len() {
            break;
        }
        let rest = failures.split_off(fits);
        let moved = Happened::Moved(held.job.progress);
        if !store_one(ports, held, moved, failures).await? {
            return Ok(false);
        }
        failures = rest;
    }
    store_one(ports, held, happened, failures).await
}

/// How many of the files fit into the pages of one commit.
fn fitting(failures: &[FailedFile]) -> usize {
    let mut rest = failures;
    for _ in 0..PAGES_PER_COMMIT {
        rest = rest.split_at(failures_in_a_page(rest).min(rest.len())).1;
    }
    failures.len().saturating_sub(rest.len())
}

async fn store_one<P: Clock + Store + Directory>(
    ports: &P,
    held: &mut Held,
    happened: Happened,
    failures: Vec<FailedFile>,
) -> Result<bool, StepError> {
    let fence = held.job.fence;
    for _ in 0..ATTEMPTS {
        let now = ports.now();
        let mut planned = plan(ports, &held.job, held.version, happened.clone(), now).await?;
        if happened == Happened::Authorized && planned.job.work == held.job.work {
            // Nothing new: a commit would tell nobody anything.
            return Ok(true);
        }
        name_failures(&mut planned, &failures);
        keep_pages(&mut planned.job, &happened);
        match planned.commit(ports).await {
            Ok(stored) => {
                *held = stored;
                return Ok(true);
            }
            Err(PortError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        // Somebody else changed the job: is it still ours?
        let Some((job, version)) = read::<Box<Job>>(ports, Key::job(&held.job.id)).await? else {
            return Ok(false);
        };
        if job.fence != fence || job.lease_until.is_none() {
            return Ok(false);
        }
        *held = Held { job: *job, version };
    }
    Err(PortError::Conflict.into())
}

/// A job's next state with all the writes that go with it, not yet stored.
pub(crate) struct Planned {
    /// The job as it will be.
    pub(crate) job: Job,
    /// The writes beside the job's own row; more may be added.
    pub(crate) transaction: Transaction,
    /// The stamp that the job must have.
    version: Version,
}

impl Planned {
    /// Adds the job's own row: the writes are then complete.
    pub(crate) fn into_transaction(self) -> Transaction {
        let mut transaction = self.transaction;
        transaction.replace(Box::new(self.job).into(), self.version);
        transaction
    }

    async fn commit(self, ports: &impl Store) -> Result<Held, PortError> {
        let job = self.job.clone();
        let version = ports.commit(self.into_transaction()).await?;
        Ok(Held { job, version })
    }
}

/// Plans what an event does to a job: the new state, its effects, and what ending it frees.
pub(crate) async fn plan<P: Store + Directory>(
    ports: &P,
    job: &Job,
    version: Version,
    happened: Happened,
    now: DateTime<Utc>,
) -> Result<Planned, StepError> {
    let mut transaction = Transaction::default();
    let mut job = job.clone();
    let happened = match happened {
        Happened::Sealed { sealed, progress } => {
            if is_outdated(ports, &sealed, &job, &mut transaction).await? {
                transaction = Transaction::default();
                Happened::Outdated
            } else {
                job.progress = progress;
                Happened::Sealed { sealed, progress }
            }
        }
        Happened::Moved(progress) | Happened::Paused { progress, .. } => {
            job.progress = progress;
            happened
        }
        Happened::Authorized
        | Happened::Refused(_)
        | Happened::Stumbled { .. }
        | Happened::Outdated
        | Happened::Broken(_)
        | Happened::CancelAsked
        | Happened::Halted => happened,
    };
    let renews = matches!(happened, Happened::Authorized | Happened::Moved(_));
    let had_ended = job.work.is_ended();
    let (work, effects) = apply(job.work, happened)?;
    job.work = work;
    job.revision = job.revision.saturating_add(1);
    if renews && job.lease_until.is_some() {
        job.lease_until = Some(later(now, LEASE));
    }
    let mut wake = next_wake(&job, now);
    for (n, effect) in (0_u32..).zip(effects) {
        match effect {
            Effect::TakeStep { delay_s } => {
                // A cancel only wakes a job; every other further step ends this one.
                if !job.work.is_canceling() {
                    job.lease_until = None;
                }
                let message = Message::TakeStep(job.id.clone());
                let (id, group) = (job.id.as_str(), &job.account);
                send(&mut transaction, id, job.revision, n, message, group, now, delay_s);
                let pause = TimeDelta::seconds(i64::from(delay_s));
                if job.lease_until.is_none() {
                    wake = later(later(now, pause), WATCHDOG);
                }
            }
            Effect::Finish => finish::finish(ports, &mut transaction, &mut job, now).await?,
        }
    }
    if job.work.is_ended() {
        debug_assert!(!had_ended || job.wake.is_none());
    } else {
        move_wake(&mut transaction, &mut job, wake);
    }
    Ok(Planned { job, transaction, version })
}

/// Whether sealed data began under an epoch of its vault that is over. If not, the epoch must
/// still be the same when the point is recorded.
async fn is_outdated(
    ports: &impl Store,
    sealed: &Sealed,
    job: &Job,
    transaction: &mut Transaction,
) -> Result<bool, PortError> {
    let Sealed::Backup(sealed) = sealed else { return Ok(false) };
    let key = Key::gate(job.work.vault());
    let Some((row, seen)) = read::<crate::records::GateRow>(ports, key.clone()).await? else {
        return Ok(false);
    };
    transaction.check(key, seen);
    Ok(row.gate.epoch != sealed.epoch)
}

/// Hands the event to the machine of the job's kind.
fn apply(work: JobWork, happened: Happened) -> Result<(JobWork, Vec<Effect>), StepError> {
    Ok(match work {
        JobWork::Backup(backup, state) => {
            let (state, effects) = moved(state, happened, |sealed| match sealed {
                Sealed::Backup(sealed) => Some(sealed),
                Sealed::Restore(_) | Sealed::Upkeep(_) => None,
            })?;
            (JobWork::Backup(backup, state), effects)
        }
        JobWork::Restore(restore, state) => {
            let (state, effects) = moved(state, happened, |sealed| match sealed {
                Sealed::Restore(sealed) => Some(sealed),
                Sealed::Backup(_) | Sealed::Upkeep(_) => None,
            })?;
            (JobWork::Restore(restore, state), effects)
        }
        JobWork::Erase(erase, state) => {
            let (state, effects) = moved(state, happened, of_upkeep)?;
            (JobWork::Erase(erase, state), effects)
        }
        JobWork::Prune(prune, state) => {
            let (state, effects) = moved(state, happened, of_upkeep)?;
            (JobWork::Prune(prune, state), effects)
        }
    })
}

fn of_upkeep(sealed: Sealed) -> Option<upkeep::Sealed> {
    match sealed {
        Sealed::Upkeep(sealed) => Some(sealed),
        Sealed::Backup(_) | Sealed::Restore(_) => None,
    }
}

fn moved<S: Seal>(
    state: State<S>,
    happened: Happened,
    unwrap: impl Fn(Sealed) -> Option<S>,
) -> Result<(State<S>, Vec<Effect>), StepError> {
    let event = match happened {
        Happened::Authorized => Event::Authorized,
        Happened::Refused(causes) => Event::Refused(causes),
        Happened::Moved(progress) => Event::Moved(progress),
        Happened::Paused { at, progress } => Event::Paused { at, progress },
        Happened::Stumbled { fence, trouble } => Event::Stumbled { fence, trouble },
        Happened::Sealed { sealed, .. } => {
            let illegal = Illegal { state: state.name(), event: "sealed by another kind" };
            Event::Sealed(unwrap(sealed).ok_or(illegal)?)
        }
        Happened::Outdated => Event::Outdated,
        Happened::Broken(trouble) => Event::Broken(trouble),
        Happened::CancelAsked => Event::CancelAsked,
        Happened::Halted => Event::Halted,
    };
    Ok(transition(state, event)?)
}

/// Notes which pages of failed files the checkpoint stands behind. A restore goes on after them; a
/// backup reads again what failed, so none are.
fn keep_pages(job: &mut Job, happened: &Happened) {
    let is_restore = matches!(job.work, JobWork::Restore(..));
    if is_restore && matches!(happened, Happened::Paused { .. }) {
        job.checkpoint_pages = job.failure_pages;
    }
}

/// Adds rows that name the failed files, up to the most that a job names.
fn name_failures(planned: &mut Planned, mut failures: &[FailedFile]) {
    while !failures.is_empty() {
        let page = planned.job.failure_pages;
        let pages_max = FILES_MAX.checked_div(FILES_PER_PAGE).unwrap_or(0);
        if usize::try_from(page).is_ok_and(|page| page >= pages_max) {
            return;
        }
        let (files, rest) = failures.split_at(failures_in_a_page(failures).min(failures.len()));
        failures = rest;
        let row = Failures { job: planned.job.id.clone(), page, files: files.to_vec() };
        planned.transaction.put(row.into());
        planned.job.failure_pages = page.saturating_add(1);
    }
}
