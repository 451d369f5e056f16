//! Making a job, and the writes that every change carries with it.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    alert::Alert,
    audit::{self, Actor},
    ids::{AccountId, AuditId, EffectId},
};

use crate::{
    ports::{Message, Transaction},
    records::{AuditRow, Due, Job, JobRef, Outbox, Send, Wake},
};

/// The shard of the due index. One serves until about 200 due bindings a second.
pub const DUE_SHARD: u16 = 0;

/// The shard of the outbox.
pub const OUTBOX_SHARD: u16 = 0;

/// The shard of the outbox to which effects go that failed too often.
pub const OUTBOX_DEAD: u16 = u16::MAX;

/// After how long without a sign of life the due index wakes a job.
pub const WATCHDOG: TimeDelta = TimeDelta::seconds(60);

/// Adds a new job with its watchdog, its message, its references and its audit record.
///
/// The job's id is derived from what it is for, so a repeat conflicts instead of making a second.
pub fn enqueue(
    transaction: &mut Transaction,
    management: &AccountId,
    mut job: Job,
    who: Actor,
    why: String,
) {
    let now = job.queued;
    job.wake = Some(later(now, WATCHDOG));
    let message = Message::TakeStep(job.id.clone());
    send(transaction, job.id.as_str(), job.revision, 0, message, &job.account, now, 0);
    watch(transaction, &job);
    refer(transaction, &job.account, &job);
    if job.account != *management {
        refer(transaction, management, &job);
    }
    record(
        transaction,
        management,
        audit::Record {
            id: AuditId::derive(&["job.created", job.id.as_str()]),
            at: now,
            who,
            what: format!("{}.created", job.work.kind()),
            subject: job.id.to_string(),
            account: job.account.clone(),
            why,
        },
    );
    transaction.create(Box::new(job).into());
}

/// Adds the row that wakes the job at its `wake`.
pub fn watch(transaction: &mut Transaction, job: &Job) {
    if let Some(at) = job.wake {
        let due = Due { shard: DUE_SHARD, at, wake: Wake::Job(job.id.clone()) };
        transaction.put(due.into());
    }
}

fn refer(transaction: &mut Transaction, account: &AccountId, job: &Job) {
    let reference = JobRef { account: account.clone(), queued: job.queued, job: job.id.clone() };
    transaction.create(reference.into());
}

/// Adds an audit record.
pub fn record(transaction: &mut Transaction, management: &AccountId, record: audit::Record) {
    transaction.create(AuditRow { management: management.clone(), record }.into());
}

/// Adds a message to the outbox, to be sent after a pause. Its id comes from what causes it: the
/// thing, its revision, and the number of the effect within the change.
#[expect(clippy::too_many_arguments, reason = "each is one part of the row")]
pub fn send(
    transaction: &mut Transaction,
    subject: &str,
    revision: u32,
    n: u32,
    message: Message,
    group: &AccountId,
    now: DateTime<Utc>,
    delay_s: u32,
) {
    let send = Send::Message { message, group: group.clone() };
    let not_before = later(now, TimeDelta::seconds(i64::from(delay_s)));
    put(transaction, effect(subject, revision, n), not_before, send);
}

/// Adds an alert to the outbox.
pub fn tell(transaction: &mut Transaction, subject: &str, revision: u32, n: u32, alert: Alert) {
    let at = alert.at;
    put(transaction, effect(subject, revision, n), at, Send::Alert(Box::new(alert)));
}

fn effect(subject: &str, revision: u32, n: u32) -> EffectId {
    EffectId::derive(&[subject, &revision.to_string(), &n.to_string()])
}

fn put(transaction: &mut Transaction, id: EffectId, not_before: DateTime<Utc>, send: Send) {
    let row = Outbox { id, shard: OUTBOX_SHARD, not_before, send, attempts: 0, error: None };
    transaction.put(row.into());
}

/// A later instant; at the end of time it stays there.
#[must_use]
pub fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(at)
}
