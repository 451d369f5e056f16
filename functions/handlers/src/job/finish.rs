//! What the end of a job writes: all that it held is free, and what it made is recorded.

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    audit::{self, Actor},
    backup::{self, Backup},
    explain::Explain,
    ids::AuditId,
    job::{Outcome, State},
    restore::Restore,
    schedule::retention::{Expiry, expiry, first_of},
    upkeep::Erase,
    vault::Gate,
};

use super::{
    StepError,
    claim::{drop_wake, waiting},
};
use crate::{
    enqueue::{record, send, tell},
    ports::{Directory, Expect, Message, PortError, Store, Transaction},
    records::{
        AFTER_ALL, Busy, BusyOf, GateRow, Job, JobWork, Key, Latest, Partition, PointRef, PointRow,
        PolicyRow, Sort, Turn, Waiting, read, scan,
    },
};

/// Numbers of the effects of a job's end; the step's own message has 0.
const PASSED_TURN: u32 = 1;
const ALERT: u32 = 2;

/// Adds all writes of a job's end. The job's own row is the caller's.
pub(super) async fn finish<P: Store + Directory>(
    ports: &P,
    transaction: &mut Transaction,
    job: &mut Job,
    now: DateTime<Utc>,
) -> Result<(), StepError> {
    job.ended = Some(now);
    job.lease_until = None;
    drop_wake(transaction, job);
    // Before the turns are read: once it is gone, the turn that came for it is seen.
    transaction.writes.extend(waiting(ports, job).await?);
    job.waiting = None;
    transaction.delete(Key::vault_use(job.work.vault(), &job.id), Expect::Owned);
    pass_turn(ports, transaction, job, now).await?;
    match job.work.clone() {
        JobWork::Backup(backup, state) => {
            of_backup(ports, transaction, job, &backup, &state).await?;
        }
        JobWork::Restore(restore, _) => of_restore(ports, transaction, job, &restore).await?,
        JobWork::Erase(erase, state) => {
            if matches!(state, State::Ended(Outcome::Complete(_))) {
                of_erase(ports, transaction, &erase).await?;
            }
        }
        JobWork::Prune(prune, state) => {
            let key = Key::gate(&prune.vault);
            if let Some((row, seen)) = read::<GateRow>(ports, key).await?
                && row.gate.prune.as_ref() == Some(&job.id)
            {
                let is_done = matches!(state, State::Ended(Outcome::Complete(_)));
                let gate = Gate { prune: None, erased: row.gate.erased && !is_done, ..row.gate };
                transaction.replace(GateRow { vault: prune.vault, gate }.into(), seen);
            }
        }
    }
    report(ports, transaction, job, now);
    Ok(())
}

/// Hands the job's turn to the job of its account that waits longest, or frees it.
async fn pass_turn<P: Store>(
    ports: &P,
    transaction: &mut Transaction,
    job: &mut Job,
    now: DateTime<Utc>,
) -> Result<(), PortError> {
    // By all of them, since a turn may have been passed on to a job that does not know it yet.
    job.turn = None;
    let partition = Partition::Account(job.account.clone());
    let (from, to) = (Sort::Turn(0), Sort::Turn(u16::MAX));
    let turns = scan::<Turn>(ports, partition.clone(), from, to, 100).await?;
    let Some((turn, seen)) = turns.into_iter().find(|(turn, _)| turn.job == job.id) else {
        return Ok(());
    };
    let from = Sort::Waiting(DateTime::<Utc>::MIN_UTC, "".into());
    let to = Sort::Waiting(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into());
    // Two, since the first may be this job itself.
    let waiting = scan::<Waiting>(ports, partition, from, to, 2).await?;
    let Some((next, seen_next)) = waiting.into_iter().find(|(row, _)| row.job != job.id) else {
        transaction.delete(Key::turn(&turn.account, turn.n), Expect::Version(seen));
        return Ok(());
    };
    transaction.replace(Turn { job: next.job.clone(), ..turn }.into(), seen);
    let key = Key::waiting(&next.account, next.since, &next.job);
    transaction.delete(key, Expect::Version(seen_next));
    let message = Message::TakeStep(next.job);
    let (id, revision) = (job.id.as_str(), job.revision);
    send(transaction, id, revision, PASSED_TURN, message, &job.account, now, 0);
    Ok(())
}

/// A backup frees its binding or source; if it made something, that becomes a recovery point.
async fn of_backup<P: Store>(
    ports: &P,
    transaction: &mut Transaction,
    job: &Job,
    backup: &Backup,
    state: &backup::State,
) -> Result<(), PortError> {
    let busy = Key::busy(&BusyOf::of(backup));
    if let Some((row, seen)) = read::<Busy>(ports, busy.clone()).await?
        && row.job == job.id
    {
        transaction.delete(busy, Expect::Version(seen));
    }
    let State::Ended(Outcome::Complete(sealed) | Outcome::Partial(sealed)) = state else {
        return Ok(());
    };
    let expires = expires(ports, transaction, backup, sealed).await?;
    let point = backup::point(&job.id, backup, sealed, expires);
    let reference = PointRef {
        source: point.source.clone(),
        taken: point.taken,
        point: point.id.clone(),
        vault: point.vault.clone(),
    };
    transaction.create(Box::new(PointRow(point)).into());
    transaction.create(reference.into());
    Ok(())
}

/// When the point may go, by the policy as it is now; and the binding's newest point is noted.
async fn expires<P: Store>(
    ports: &P,
    transaction: &mut Transaction,
    backup: &Backup,
    sealed: &backup::Sealed,
) -> Result<Expiry, PortError> {
    let (Some(policy), Some(binding)) = (&backup.policy, &backup.binding) else {
        return Ok(Expiry::Never);
    };
    // A policy that was deleted meanwhile says nothing any more: then only people delete.
    let Some((PolicyRow(policy), _)) = read(ports, Key::policy(policy)).await? else {
        return Ok(Expiry::Never);
    };
    let latest = read::<Latest>(ports, Key::latest(binding)).await?;
    let previous = latest.as_ref().map(|(row, _)| row.taken);
    let first_of = first_of(sealed.taken, previous, policy.schedule.zone());
    if sealed.failed == 0 && previous.is_none_or(|previous| previous < sealed.taken) {
        // The binding's `Busy` keeps any other job from writing it.
        transaction.put(Latest { binding: binding.clone(), taken: sealed.taken }.into());
    }
    Ok(expiry(sealed.taken, &policy.retention, &first_of))
}

/// A restore no longer needs its point.
async fn of_restore<P: Store>(
    ports: &P,
    transaction: &mut Transaction,
    job: &Job,
    restore: &Restore,
) -> Result<(), PortError> {
    let Some((row, seen)) = crate::points::find(ports, &restore.point).await? else {
        return Ok(());
    };
    let mut point = row.0;
    point.in_use_by.retain(|user| *user != job.id);
    transaction.replace(Box::new(PointRow(point)).into(), seen);
    Ok(())
}

/// Points whose data is gone are gone, and a prune would give their space back.
async fn of_erase<P: Store>(
    ports: &P,
    transaction: &mut Transaction,
    erase: &Erase,
) -> Result<(), PortError> {
    if let Some((row, seen)) = read::<GateRow>(ports, Key::gate(&erase.vault)).await?
        && !row.gate.erased
    {
        let gate = Gate { erased: true, ..row.gate };
        transaction.replace(GateRow { vault: row.vault, gate }.into(), seen);
    }
    for erased in &erase.points {
        // Marked as expiring for this very job: nobody else writes them.
        let key = Key::point(&erase.vault, &erase.source, erased.taken, &erased.point);
        transaction.delete(key, Expect::Owned);
        let reference = Key::point_ref(&erase.source, erased.taken, &erased.point);
        transaction.delete(reference, Expect::Owned);
    }
    Ok(())
}

/// Records the end, and tells people of an end that they should act on.
fn report<P: Directory>(ports: &P, transaction: &mut Transaction, job: &Job, now: DateTime<Utc>) {
    let status = job.work.status();
    let why = match job.work.failure() {
        Some(failure) => format!("{}: {failure}", failure.root_code()),
        None if job.progress.failed > 0 => format!("{} files failed", job.progress.failed),
        None => String::new(),
    };
    record(
        transaction,
        &ports.management(),
        audit::Record {
            id: AuditId::derive(&["job.ended", job.id.as_str()]),
            at: now,
            who: Actor::Handler { name: "job".to_owned() },
            what: format!("{}.{}", job.work.kind(), status.to_lowercase()),
            subject: job.id.to_string(),
            account: job.account.clone(),
            why,
        },
    );
    let (kind, code, message, remedy) = match (job.work.failure(), status) {
        (Some(failure), _) => {
            ("failed", failure.root_code().to_owned(), failure.to_string(), failure.remedy())
        }
        (None, "PARTIAL_COMPLETE") => (
            "partial",
            "PARTIAL_COMPLETE".to_owned(),
            format!("{} files failed", job.progress.failed),
            format!("See them with `crossvault jobs show {}`.", job.id),
        ),
        (None, _) => return,
    };
    let alert = Alert {
        kind: format!("crossvault.{}.{kind}", job.work.kind()),
        at: now,
        account: job.account.clone(),
        source: job.work.source().cloned(),
        job: Some(job.id.clone()),
        code,
        message,
        remedy,
        grant: None,
    };
    tell(transaction, job.id.as_str(), job.revision, ALERT, alert);
}
