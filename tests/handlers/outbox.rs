//! Effects are carried out at least once; one that fails blocks no other.

use chrono::TimeDelta;
use crossvault_core::{alert::Alert, ids::JobId};
use crossvault_handlers::{
    enqueue::{OUTBOX_DEAD, OUTBOX_SHARD, send, tell},
    outbox::{ATTEMPTS_MAX, Drained},
    ports::{Clock, Message, PortError, Store, Transaction},
    records::{Outbox, Record},
};

use crate::{
    stage::Stage,
    words::{PAYROLL, account, seconds},
};

fn effects(stage: &Stage) -> Vec<Outbox> {
    let rows = stage.records().into_iter().filter_map(|record| match record {
        Record::Outbox(row) => Some(row),
        _ => None,
    });
    rows.collect()
}

/// A message of a delay, and an alert.
fn put(stage: &Stage, name: &str, delay_s: Option<u32>) {
    let mut transaction = Transaction::default();
    let now = stage.now();
    if let Some(delay_s) = delay_s {
        let message = Message::TakeStep(JobId::derive(&[name]));
        send(&mut transaction, name, 0, 0, message, &account(PAYROLL), now, delay_s);
    } else {
        let alert = Alert {
            kind: "crossvault.test".to_owned(),
            at: now,
            account: account(PAYROLL),
            source: None,
            job: None,
            code: name.to_owned(),
            message: String::new(),
            remedy: String::new(),
            grant: None,
        };
        tell(&mut transaction, name, 0, 0, alert);
    }
    stage.run(stage.commit(transaction)).unwrap();
}

fn drained(sent: u64, failed: u64, dead: u64) -> Drained {
    Drained { sent, failed, dead }
}

#[test]
fn a_message_keeps_its_delay_and_one_too_long_for_a_queue_waits() {
    let stage = Stage::new();
    let now = stage.now();
    for delay in [0, 30, 900, 901, 5000] {
        put(&stage, &format!("after-{delay}"), Some(delay));
    }
    assert_eq!(stage.drain(), drained(3, 0, 0));
    let seen: Vec<i64> =
        stage.state().queue.iter().map(|w| (w.visible - now).num_seconds()).collect();
    assert_eq!(seen, [0, 30, 900]);
    stage.pass(seconds(4500));
    assert_eq!(stage.drain(), drained(2, 0, 0));
    let last = stage.state().queue.last().unwrap().visible;
    assert_eq!(last, now + seconds(5000));
    assert_eq!(effects(&stage), []);
}

#[test]
fn more_than_one_page_is_sent() {
    let stage = Stage::new();
    for n in 0..250 {
        put(&stage, &format!("message-{n}"), Some(n % 7));
    }
    assert_eq!(stage.drain(), drained(250, 0, 0));
    assert_eq!((effects(&stage), stage.state().queue.len()), (vec![], 250));
}

#[test]
fn an_effect_that_fails_blocks_no_other() {
    let stage = Stage::new();
    put(&stage, "alert", None);
    for n in 0..3 {
        put(&stage, &format!("message-{n}"), Some(0));
    }
    stage.fail("publish", PortError::Throttled, 1);
    assert_eq!(stage.drain(), drained(3, 1, 0));
    let left = effects(&stage);
    assert_eq!((left.len(), left[0].attempts, left[0].error.is_some()), (1, 1, true));
    stage.pass(seconds(2));
    assert_eq!(stage.drain(), drained(1, 0, 0));
    assert_eq!((effects(&stage), stage.state().alerts.len()), (vec![], 1));
}

/// The pause after a failure holds however often a drain is triggered: each commit triggers one,
/// and an outage of seconds must not use up all attempts.
#[test]
fn an_effect_that_fails_backs_off_and_is_put_aside_in_the_end() {
    let stage = Stage::new();
    put(&stage, "poison", None);
    put(&stage, "message", Some(0));
    stage.fail("publish", PortError::Full("the bus".to_owned()), 100);
    assert_eq!(stage.drain(), drained(1, 1, 0));
    let mut pauses = Vec::new();
    for _ in 2..=ATTEMPTS_MAX {
        let before = stage.now();
        for _ in 0..20 {
            assert_eq!(stage.drain(), drained(0, 0, 0));
        }
        let at = effects(&stage)[0].not_before;
        pauses.push((at - before).num_seconds());
        stage.state().now = at;
        let last = stage.drain();
        assert_eq!(last.failed + last.dead, 1);
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 512]);
    let [dead] = effects(&stage).try_into().unwrap();
    assert_eq!((dead.shard, dead.attempts), (OUTBOX_DEAD, ATTEMPTS_MAX));
    assert!(dead.error.is_some_and(|error| error.contains("the bus")));
    stage.pass(TimeDelta::days(1));
    put(&stage, "later", Some(0));
    assert_eq!(stage.drain(), drained(1, 0, 0));
}

#[test]
fn two_drains_at_once_lose_nothing() {
    let stage = Stage::new();
    for n in 0..5 {
        put(&stage, &format!("message-{n}"), Some(0));
    }
    for n in [1, 3] {
        stage.before("commit", n, Stage::drain_once);
    }
    stage.drain();
    assert_eq!(effects(&stage), []);
    let mut sent: Vec<Message> = stage.state().queue.iter().map(|w| w.message.clone()).collect();
    sent.dedup();
    assert!(sent.len() >= 5, "{sent:?}");
}

#[test]
fn a_drain_ends_in_time() {
    let stage = Stage::new();
    put(&stage, "message", Some(0));
    let now = stage.now();
    let done = stage.run(crossvault_handlers::outbox::drain(&stage, OUTBOX_SHARD, now)).unwrap();
    assert_eq!((done, effects(&stage).len()), (drained(0, 0, 0), 1));
}
