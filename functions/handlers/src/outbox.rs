//! Carries out recorded effects. Trigger: the store's change stream, and a sweep each minute.
//!
//! It sends, then deletes the row: at least once, in no order. Messages carry no facts and alerts
//! carry ids, so a repeat is harmless. A row fails alone: it blocks no other.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    enqueue::{OUTBOX_DEAD, later},
    ports::{Clock, Events, Expect, PortError, Queue, Store, Transaction, Version},
    records::{AFTER_ALL, Key, Outbox, Partition, Send, Sort, scan},
};

/// How often an effect is tried before it is put aside.
pub const ATTEMPTS_MAX: u32 = 10;

/// The longest delay that a queue takes.
const DELAY_MAX: TimeDelta = TimeDelta::seconds(900);

/// The pause after a failed attempt; each further one doubles it.
const BACK_OFF: TimeDelta = TimeDelta::seconds(2);

/// How many rows are read at a time.
const PAGE: usize = 100;

/// What a drain did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Effects that were carried out.
    pub sent: u64,
    /// Effects that failed and are tried again.
    pub failed: u64,
    /// Effects that failed too often and were put aside.
    pub dead: u64,
}

/// Carries out all effects of a shard that are due within a queue's longest delay.
///
/// # Errors
/// A failure of the store.
pub async fn drain<P: Clock + Store + Queue + Events>(
    ports: &P,
    shard: u16,
    stop_at: DateTime<Utc>,
) -> Result<Drained, PortError> {
    let mut drained = Drained::default();
    let upto = later(ports.now(), DELAY_MAX);
    let mut from = Sort::At(DateTime::<Utc>::MIN_UTC, "".into());
    loop {
        let to = Sort::At(upto, AFTER_ALL.into());
        let page = scan::<Outbox>(ports, Partition::Outbox(shard), from, to, PAGE).await?;
        let last = page.last().map(|(row, _)| (row.not_before, row.id.to_string()));
        let is_last_page = page.len() < PAGE;
        for (row, seen) in page {
            if ports.now() >= stop_at {
                return Ok(drained);
            }
            // A queue delays what is early, but what failed rests here: a drain runs after every
            // commit, and an outage of seconds must not use up all attempts.
            if row.attempts > 0 && row.not_before > ports.now() {
                continue;
            }
            match carry_out(ports, row, seen, &mut drained).await {
                // Another drain deleted it: it was sent twice, which is harmless.
                Ok(()) | Err(PortError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        let Some((at, id)) = last.filter(|_| !is_last_page) else { return Ok(drained) };
        from = Sort::At(at, format!("{id}\0").into());
    }
}

async fn carry_out<P: Clock + Store + Queue + Events>(
    ports: &P,
    row: Outbox,
    seen: Version,
    drained: &mut Drained,
) -> Result<(), PortError> {
    let now = ports.now();
    let mut transaction = Transaction::default();
    transaction
        .delete(Key::outbox(row.shard, row.not_before, row.id.as_str()), Expect::Version(seen));
    match send(ports, &row, now).await {
        Ok(()) => drained.sent = drained.sent.saturating_add(1),
        Err(error) => {
            tracing::warn!(effect = %row.id, attempts = row.attempts, %error, "not carried out");
            let again = again(row, &error, now);
            if again.shard == OUTBOX_DEAD {
                drained.dead = drained.dead.saturating_add(1);
            } else {
                drained.failed = drained.failed.saturating_add(1);
            }
            transaction.create(again.into());
        }
    }
    ports.commit(transaction).await?;
    Ok(())
}

async fn send<P: Queue + Events>(
    ports: &P,
    row: &Outbox,
    now: DateTime<Utc>,
) -> Result<(), PortError> {
    match &row.send {
        Send::Message { message, group } => {
            let delay = row.not_before.signed_duration_since(now).num_seconds().max(0);
            let delay_s = u32::try_from(delay).unwrap_or(u32::MAX);
            ports.send(message.clone(), group.clone(), delay_s).await
        }
        Send::Alert(alert) => ports.publish(row.id.clone(), (**alert).clone()).await,
    }
}

/// The row for the next attempt: later each time, and put aside after the last.
fn again(mut row: Outbox, error: &PortError, now: DateTime<Utc>) -> Outbox {
    row.attempts = row.attempts.saturating_add(1);
    row.error = Some(error.to_string());
    let doublings = row.attempts.saturating_sub(1).min(8);
    let pause = BACK_OFF.checked_mul(2_i32.saturating_pow(doublings)).unwrap_or(BACK_OFF);
    // Never the same key as before.
    row.not_before = later(now.max(row.not_before), pause);
    if row.attempts >= ATTEMPTS_MAX {
        row.shard = OUTBOX_DEAD;
    }
    row
}
