//! Who may move a job: fence, lease, and one of the account's turns.

use chrono::TimeDelta;
use crossvault_core::ids::{AccountId, JobId};

use super::{LEASE, Pace};
use crate::{
    enqueue::{WATCHDOG, later, watch},
    ports::{Clock, Expect, PortError, Store, Transaction, Version, Write},
    records::{
        Due, GateRow, Job, JobWork, Key, Partition, Sort, Turn, Use, Waiting, Wake, read, scan,
    },
};

/// How often a decision is made again because another change came first.
pub(crate) const ATTEMPTS: u32 = 8;

/// A job that this step may move, as it was last stored.
pub(super) struct Held {
    /// The job.
    pub(super) job: Job,
    /// Its stamp: every commit of the step rests on it.
    pub(super) version: Version,
}

pub(super) enum Claim {
    /// The step may go on.
    Held(Box<Held>),
    /// The account's turns or the vault are taken.
    Waits,
    /// Another step lives, or the job has ended.
    Stale,
}

/// Claims a job: a higher fence, a lease, a turn, and a place among the users of the vault, in
/// one transaction.
pub(super) async fn claim<P: Clock + Store>(
    ports: &P,
    id: &JobId,
    pace: Pace,
) -> Result<Claim, PortError> {
    for _ in 0..ATTEMPTS {
        let Some((job, version)) = read::<Box<Job>>(ports, Key::job(id)).await? else {
            return Ok(Claim::Stale);
        };
        match attempt(ports, *job, version, pace).await {
            Err(PortError::Conflict) => {}
            claimed => return claimed,
        }
    }
    Err(PortError::Conflict)
}

async fn attempt<P: Clock + Store>(
    ports: &P,
    mut job: Job,
    version: Version,
    pace: Pace,
) -> Result<Claim, PortError> {
    let now = ports.now();
    if job.work.is_ended() || job.lease_until.is_some_and(|until| until > now) {
        return Ok(Claim::Stale);
    }
    let mut transaction = Transaction::default();

    if !pass_gate(ports, &mut job, &mut transaction).await? {
        move_wake(&mut transaction, &mut job, later(now, pace.pulse));
        store(ports, transaction, job, version).await?;
        return Ok(Claim::Waits);
    }
    // Before the turns: once it is gone, the turn that came for it is seen.
    let waits = waiting(ports, &job).await?;
    match find_turn(ports, &job, pace).await? {
        Place::Ours(n) => job.turn = Some(n),
        Place::Free(n) => {
            job.turn = Some(n);
            let turn = Turn { account: job.account.clone(), n, job: job.id.clone() };
            transaction.create(turn.into());
        }
        Place::None(turns) => {
            // The turns must still be taken when this is stored: a job that ends meanwhile looks
            // for those who wait.
            for (turn, seen) in turns {
                transaction.check(Key::turn(&turn.account, turn.n), seen);
            }
            wait(&mut transaction, &mut job, now);
            store(ports, transaction, job, version).await?;
            return Ok(Claim::Waits);
        }
    }
    job.waiting = None;
    transaction.writes.extend(waits);
    job.fence = job.fence.saturating_add(1);
    job.started = job.started.or(Some(now));
    job.lease_until = Some(later(now, LEASE));
    // A new transfer names anew all that failed behind its checkpoint.
    job.failure_pages = job.checkpoint_pages;
    move_wake(&mut transaction, &mut job, later(now, LEASE));
    let using = Use { vault: job.work.vault().clone(), job: job.id.clone() };
    transaction.put(using.into());
    let held = store(ports, transaction, job, version).await?;
    Ok(Claim::Held(Box::new(held)))
}

/// Reads the vault's gate: whether the job may touch the vault now. The answer must still be true
/// when the claim is stored.
async fn pass_gate<P: Store>(
    ports: &P,
    job: &mut Job,
    transaction: &mut Transaction,
) -> Result<bool, PortError> {
    let key = Key::gate(job.work.vault());
    let Some((row, seen)) = read::<GateRow>(ports, key.clone()).await? else {
        // Without a gate there is no vault: the transfer will say so.
        return Ok(true);
    };
    if matches!(job.work, JobWork::Prune(..)) {
        return Ok(row.gate.prune.is_none_or(|prune| prune == job.id));
    }
    if row.gate.prune.is_some() {
        return Ok(false);
    }
    transaction.check(key, seen);
    job.epoch = Some(row.gate.epoch);
    Ok(true)
}

/// The write by which a job no longer waits for a turn; none when a turn came for it already. It
/// conflicts with a turn that comes meanwhile: a job that did not see it would never free it.
pub(super) async fn waiting(ports: &impl Store, job: &Job) -> Result<Option<Write>, PortError> {
    let Some(since) = job.waiting else { return Ok(None) };
    let key = Key::waiting(&job.account, since, &job.id);
    let found = read::<Waiting>(ports, key.clone()).await?;
    Ok(found.map(|(_, seen)| Write::Delete(key, Expect::Version(seen))))
}

enum Place {
    /// A turn that names the job already.
    Ours(u16),
    /// A turn that nobody holds.
    Free(u16),
    /// All are taken by these.
    None(Vec<(Turn, Version)>),
}

async fn find_turn(ports: &impl Store, job: &Job, pace: Pace) -> Result<Place, PortError> {
    let turns = turns_of(ports, &job.account, pace.turns).await?;
    if let Some((turn, _)) = turns.iter().find(|(turn, _)| turn.job == job.id) {
        return Ok(Place::Ours(turn.n));
    }
    let free = (0..pace.turns).find(|n| !turns.iter().any(|(turn, _)| turn.n == *n));
    Ok(match free {
        Some(n) => Place::Free(n),
        None => Place::None(turns),
    })
}

async fn turns_of(
    ports: &impl Store,
    account: &AccountId,
    turns: u16,
) -> Result<Vec<(Turn, Version)>, PortError> {
    let partition = Partition::Account(account.clone());
    let last = Sort::Turn(turns.saturating_sub(1));
    scan(ports, partition, Sort::Turn(0), last, usize::from(turns)).await
}

fn wait(transaction: &mut Transaction, job: &mut Job, now: chrono::DateTime<chrono::Utc>) {
    if job.waiting.is_none() {
        job.waiting = Some(now);
        let account = job.account.clone();
        let row = Waiting { account, since: now, job: job.id.clone() };
        transaction.create(row.into());
    }
    // The turn comes by a message; this is for a lost one.
    move_wake(transaction, job, later(now, TimeDelta::minutes(5)));
}

/// Ends a step without an end of the job: the due index wakes it.
pub(super) async fn rest<P: Clock + Store>(
    ports: &P,
    held: &mut Held,
    pause: TimeDelta,
) -> Result<(), PortError> {
    let mut job = held.job.clone();
    let mut transaction = Transaction::default();
    job.lease_until = None;
    move_wake(&mut transaction, &mut job, later(ports.now(), pause));
    *held = store(ports, transaction, job, held.version).await?;
    Ok(())
}

/// Moves the job's row in the due index, and the time that stands in its head with it.
pub(super) fn move_wake(
    transaction: &mut Transaction,
    job: &mut Job,
    at: chrono::DateTime<chrono::Utc>,
) {
    if job.wake == Some(at) {
        return;
    }
    drop_wake(transaction, job);
    job.wake = Some(at);
    watch(transaction, job);
}

/// Takes the job out of the due index.
pub(super) fn drop_wake(transaction: &mut Transaction, job: &mut Job) {
    if let Some(at) = job.wake.take() {
        let due = Due { shard: crate::enqueue::DUE_SHARD, at, wake: Wake::Job(job.id.clone()) };
        transaction.delete(crate::records::Record::from(due).key(), Expect::Owned);
    }
}

/// When the due index wakes a job whose step has just been heard of.
pub(super) fn next_wake(
    job: &Job,
    now: chrono::DateTime<chrono::Utc>,
) -> chrono::DateTime<chrono::Utc> {
    job.lease_until.unwrap_or_else(|| later(now, WATCHDOG))
}

/// Stores the job as it is now, if nobody changed it meanwhile.
pub(super) async fn store(
    ports: &impl Store,
    mut transaction: Transaction,
    mut job: Job,
    version: Version,
) -> Result<Held, PortError> {
    job.revision = job.revision.saturating_add(1);
    transaction.replace(Box::new(job.clone()).into(), version);
    let version = ports.commit(transaction).await?;
    Ok(Held { job, version })
}
