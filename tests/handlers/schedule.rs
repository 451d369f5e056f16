//! Each slot has exactly one outcome, whatever the clock, the policy and other ticks do.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    backup_policy::Binding,
    ids::{BindingId, JobId},
    schedule::slot::{Count, Missed, Outcome, Skip},
};
use crossvault_handlers::{
    api::Command,
    enqueue::DUE_SHARD,
    fan_out::fan_out,
    ports::{Clock, Message, PortError, Store, Transaction},
    records::{BindingRow, Due, Key, PolicyRow, Record, Wake},
    schedule::{Ticked, tick},
};

use crate::{
    stage::Stage,
    words::{PAYROLL, at, bind, create_policy, pause, seconds, source, update},
};

/// The nights' slot.
const NIGHT: &str = "03T02:00:00";

/// One source bound to the policy `daily`, that is due at 02:00.
fn bound() -> Stage {
    let stage = Stage::new();
    stage.ok(bind("daily", &source(PAYROLL, 1)));
    stage.settle_until(at("02T12:30:00"));
    stage
}

fn tick_at(stage: &Stage, time: &str) -> Ticked {
    stage.state().now = at(time);
    let ticked = stage.tick();
    stage.sweep();
    exactly_once(stage);
    ticked
}

fn slots(stage: &Stage) -> Vec<(DateTime<Utc>, Outcome)> {
    let slots = stage.records().into_iter().filter_map(|record| match record {
        Record::Slot(row) => Some((row.due, row.outcome)),
        _ => None,
    });
    slots.collect()
}

fn missed(stage: &Stage) -> Vec<Missed> {
    let missed = stage.records().into_iter().filter_map(|record| match record {
        Record::MissedSlots(row) => Some(row.missed),
        _ => None,
    });
    missed.collect()
}

fn binding(stage: &Stage) -> Binding {
    let binding = stage.records().into_iter().find_map(|record| match record {
        Record::Binding(row) => Some(row.0),
        _ => None,
    });
    binding.unwrap()
}

/// No slot of a binding has an outcome and lies in a gap, or in two gaps; and a job stands for one
/// slot.
#[track_caller]
fn exactly_once(stage: &Stage) {
    type Span = (DateTime<Utc>, DateTime<Utc>);
    let mut decided: BTreeMap<BindingId, Vec<Span>> = BTreeMap::new();
    let mut jobs: Vec<JobId> = Vec::new();
    for record in stage.records() {
        match record {
            Record::Slot(row) => {
                let derived = JobId::derive(&["slot", row.binding.as_str(), &row.due.to_rfc3339()]);
                decided.entry(row.binding).or_default().push((row.due, row.due));
                if let Outcome::Started(job) = row.outcome {
                    // A repeat names the same job.
                    assert_eq!(job, derived);
                    jobs.push(job);
                }
            }
            Record::MissedSlots(row) => {
                let gap = (row.missed.first, row.missed.last);
                decided.entry(row.binding).or_default().push(gap);
            }
            _ => {}
        }
    }
    for spans in decided.values_mut() {
        spans.sort();
        for pair in spans.windows(2) {
            assert!(pair[0].1 < pair[1].0, "decided twice: {pair:?}");
        }
    }
    let count = jobs.len();
    jobs.sort();
    jobs.dedup();
    assert_eq!(jobs.len(), count);
    assert_eq!(stage.jobs().iter().filter(|job| job.work.kind() == "backup").count(), count);
}

#[test]
fn a_slot_gets_a_job() {
    let stage = bound();
    assert_eq!(tick_at(&stage, "03T01:59:59"), Ticked::default());
    let ticked = tick_at(&stage, NIGHT);
    assert_eq!((ticked.seen, ticked.started), (1, 1));
    let slots = slots(&stage);
    let [(due, Outcome::Started(job))] = slots.as_slice() else { panic!("{slots:?}") };
    assert_eq!((*due, binding(&stage).next), (at(NIGHT), Some(at("04T02:00:00"))));
    assert_eq!(stage.status(job), "QUEUED");
    // Later ticks decide nothing again.
    let again = tick_at(&stage, "03T02:00:30");
    assert_eq!((again.started, again.skipped, again.missed), (0, 0, 0));
    stage.settle_until(at("03T12:00:00"));
    assert_eq!(stage.status(job), "COMPLETE");
}

/// What counts is the earlier of the trigger's time and now.
#[test]
fn a_trigger_of_another_time_decides_nothing_early() {
    let stage = bound();
    stage.state().now = at("03T01:00:00");
    let ticked = stage.run(tick(&stage, DUE_SHARD, at("03T02:00:00"), DateTime::<Utc>::MAX_UTC));
    assert_eq!(ticked, Ok(Ticked::default()));
    stage.state().now = at("03T03:00:00");
    let ticked = stage.run(tick(&stage, DUE_SHARD, at("03T02:00:05"), DateTime::<Utc>::MAX_UTC));
    assert_eq!(ticked.unwrap().started, 1);
    exactly_once(&stage);
}

#[test]
fn two_ticks_at_once_decide_once() {
    for n in 1..=2 {
        let stage = bound();
        stage.ok(bind("daily", &source(PAYROLL, 2)));
        stage.before("commit", n, |stage| {
            stage.tick();
        });
        tick_at(&stage, NIGHT);
        assert_eq!((slots(&stage).len(), stage.jobs().len()), (2, 2));
        assert_eq!(stage.count("Outbox"), 2);
    }
}

#[test]
fn a_slot_is_skipped_while_its_predecessor_runs() {
    let stage = bound();
    tick_at(&stage, NIGHT);
    let first = stage.jobs()[0].id.clone();
    let ticked = tick_at(&stage, "04T02:00:00");
    assert_eq!((ticked.started, ticked.skipped), (0, 1));
    let expected = Outcome::Skipped(Skip::PredecessorRuns(first));
    assert_eq!(slots(&stage)[1], (at("04T02:00:00"), expected));
}

/// The skip says that a job runs, so it must still run when that is stored.
#[test]
fn a_predecessor_that_ends_meanwhile_makes_the_tick_decide_again() {
    let stage = bound();
    tick_at(&stage, NIGHT);
    let first = stage.jobs()[0].id.clone();
    let ending = first.clone();
    // The job's own watchdog is due too, and comes first.
    stage.state().now = at("03T02:30:00");
    stage.tick();
    let before = at("04T01:59:59");
    stage.state().now = before;
    stage.before("get", 3, move |stage| {
        // After the tick has read who is busy.
        stage.before("commit", 1, move |stage| {
            stage.step(&ending).unwrap();
        });
    });
    stage.state().now = at("04T02:00:00");
    let mut ticks = vec![stage.tick()];
    exactly_once(&stage);
    ticks.push(tick_at(&stage, "04T02:01:00"));
    ticks.push(tick_at(&stage, "04T02:02:00"));
    assert_eq!(ticks.iter().map(|ticked| ticked.skipped).sum::<u64>(), 0);
    assert_eq!(ticks.iter().map(|ticked| ticked.started).sum::<u64>(), 1);
    assert_eq!(stage.status(&first), "COMPLETE");
    assert!(matches!(&slots(&stage)[1].1, Outcome::Started(job) if *job != first));
}

#[test]
fn what_nobody_looked_at_in_time_is_recorded_once() {
    let stage = bound();
    let ticked = tick_at(&stage, "06T09:00:00");
    assert_eq!((ticked.started, ticked.missed), (0, 1));
    let gap = Missed { first: at(NIGHT), last: at("06T02:00:00"), count: Count::Exactly(4) };
    assert_eq!((missed(&stage), slots(&stage)), (vec![gap], vec![]));
    tick_at(&stage, "06T09:01:00");
    assert_eq!(missed(&stage), [gap]);
    // A gap and a fresh slot.
    let ticked = tick_at(&stage, "09T02:10:00");
    assert_eq!((ticked.started, ticked.missed), (1, 1));
    let next =
        Missed { first: at("07T02:00:00"), last: at("08T02:00:00"), count: Count::Exactly(2) };
    assert_eq!(missed(&stage), [gap, next]);
    assert_eq!(slots(&stage).len(), 1);
}

#[test]
fn a_paused_binding_skips() {
    let stage = bound();
    stage.ok(pause("daily", &source(PAYROLL, 1), true));
    assert_eq!(tick_at(&stage, NIGHT).skipped, 1);
    assert_eq!(slots(&stage), [(at(NIGHT), Outcome::Skipped(Skip::Paused))]);
    stage.ok(pause("daily", &source(PAYROLL, 1), false));
    assert_eq!(tick_at(&stage, "04T02:00:00").started, 1);
}

/// A clock that runs ahead decides slots early, but each once; one that steps back decides nothing.
#[test]
fn a_clock_that_jumps_decides_each_slot_once() {
    let stage = bound();
    stage.ok(create_policy("often", "I|0|PT1H"));
    stage.ok(bind("often", &source(PAYROLL, 2)));
    let jumps = [
        "03T02:00:00",
        "03T05:00:00",
        "03T01:00:00",
        "03T02:00:00",
        "03T04:59:00",
        "03T06:00:00",
        "05T02:00:00",
        "03T02:00:00",
        "04T02:00:00",
        "05T02:00:00",
        "05T02:16:00",
        "06T02:00:00",
    ];
    for time in jumps {
        tick_at(&stage, time);
        stage.drain();
        let queue = std::mem::take(&mut stage.state().queue);
        for waiting in queue {
            let Message::TakeStep(job) = waiting.message else { continue };
            stage.step(&job).unwrap();
            stage.sweep();
        }
    }
    let of_daily = slots(&stage).iter().filter(|(due, _)| due.time() == at(NIGHT).time()).count();
    assert!(of_daily >= 3, "{of_daily}");
}

/// The policy changes at 01:00 from 02:00 each day to 05:00 each day.
fn changed(stage: &Stage) {
    stage.state().now = at("03T01:00:00");
    stage.ok(update("daily", "C|0|0 0 5 * * ?"));
}

fn follow(stage: &Stage) -> u64 {
    let policy = binding(stage).policy;
    let fanned = stage.run(fan_out(stage, &policy, None)).unwrap();
    stage.sweep();
    exactly_once(stage);
    fanned.moved
}

#[test]
fn slots_of_an_old_version_after_the_change_are_dropped() {
    // The fan-out comes first.
    let stage = bound();
    changed(&stage);
    assert_eq!(follow(&stage), 1);
    assert_eq!((binding(&stage).next, binding(&stage).version), (Some(at("03T05:00:00")), 2));
    assert_eq!(tick_at(&stage, NIGHT), Ticked::default());
    assert_eq!(tick_at(&stage, "03T05:00:00").started, 1);
    assert_eq!(follow(&stage), 0);
    // A tick comes first, and the fan-out finds nothing to do.
    let stage = bound();
    changed(&stage);
    assert_eq!(tick_at(&stage, NIGHT).started, 0);
    assert_eq!((binding(&stage).next, binding(&stage).version), (Some(at("03T05:00:00")), 2));
    assert_eq!(follow(&stage), 0);
    assert_eq!(tick_at(&stage, "03T05:00:00").started, 1);
    assert_eq!((slots(&stage).len(), missed(&stage).len()), (1, 0));
}

/// A slot before the change is the old version's, also when the tick comes late.
#[test]
fn a_late_tick_judges_by_the_version_of_the_slot() {
    let stage = bound();
    stage.state().now = at("03T02:05:00");
    stage.ok(update("daily", "C|0|0 0 5 * * ?"));
    // It is left to the tick.
    assert_eq!(follow(&stage), 0);
    let ticked = tick_at(&stage, "03T02:06:00");
    assert_eq!((ticked.started, slots(&stage)[0].0), (1, at(NIGHT)));
    assert_eq!((binding(&stage).next, binding(&stage).version), (Some(at("03T05:00:00")), 2));
    // Two changes while nothing ran: each slot by its own version.
    let stage = bound();
    stage.state().now = at("03T03:00:00");
    stage.ok(update("daily", "C|0|0 0 4 * * ?"));
    stage.state().now = at("04T04:30:00");
    stage.ok(update("daily", "C|0|0 0 5 * * ?"));
    stage.state().now = at("04T05:05:00");
    for _ in 0..4 {
        stage.tick();
        stage.sweep();
        exactly_once(&stage);
    }
    let firsts: Vec<DateTime<Utc>> = missed(&stage).iter().map(|gap| gap.first).collect();
    assert_eq!(firsts, [at(NIGHT), at("03T04:00:00")]);
    assert_eq!(missed(&stage)[1].last, at("04T04:00:00"));
    assert_eq!(slots(&stage).len(), 1);
    assert_eq!((slots(&stage)[0].0, binding(&stage).version), (at("04T05:00:00"), 3));
}

/// A change that is made while the clock stands before a slot that was decided: the slot is not
/// decided again, whoever comes first.
#[test]
fn a_change_in_a_clock_s_past_decides_nothing_twice() {
    for fans_out_first in [true, false] {
        let stage = bound();
        assert_eq!(tick_at(&stage, NIGHT).started, 1);
        stage.settle_until(at("03T02:30:00"));
        stage.state().now = at("03T01:55:00");
        stage.ok(update("daily", "I|0|PT1H"));
        if fans_out_first {
            follow(&stage);
        } else {
            // Its message was lost.
            stage.state().now = at("04T02:00:00");
        }
        for time in ["03T01:59:00", "03T02:00:00", "03T03:00:00", "04T02:00:00", "04T02:01:00"] {
            tick_at(&stage, time);
            tick_at(&stage, time);
        }
        stage.settle_until(at("04T02:30:00"));
        exactly_once(&stage);
        assert_eq!((binding(&stage).version, binding(&stage).next), (2, Some(at("04T03:00:00"))));
    }
}

#[test]
fn a_deleted_policy_decides_nothing() {
    let stage = Stage::new();
    for n in 1..=60 {
        stage.ok(bind("daily", &source(PAYROLL, n)));
    }
    stage.ok(Command::DeletePolicy { policy: "daily".to_owned() });
    // More than one transaction takes wait for the fan-out.
    let left = stage.count("PolicyBinding");
    assert!(left > 0);
    let ticked = tick_at(&stage, NIGHT);
    assert_eq!((ticked.started, stage.count("Due")), (0, 0));
    assert_eq!(ticked.seen, u64::try_from(left).unwrap());
    stage.settle_until(at("03T03:00:00"));
    stage.sweep();
    assert_eq!((stage.count("PolicyBinding"), stage.count("Binding")), (0, 0));
}

#[test]
fn a_stale_due_row_is_removed() {
    let stage = bound();
    let id = binding(&stage).id;
    let wakes = [
        Wake::Binding(id),
        Wake::Binding(BindingId::derive(&["none"])),
        Wake::Job(JobId::derive(&["none"])),
    ];
    for wake in wakes {
        stage.put(Due { shard: DUE_SHARD, at: at("03T01:00:00"), wake }.into());
    }
    let ticked = tick_at(&stage, "03T01:30:00");
    assert_eq!((ticked.seen, ticked.started, stage.count("Due")), (3, 0, 1));
    assert_eq!(tick_at(&stage, NIGHT).started, 1);
}

/// Pages of due rows follow each other, those of one instant too.
#[test]
fn more_than_one_page_is_decided() {
    let stage = Stage::new();
    for n in 1..=230 {
        stage.ok(bind("daily", &source(PAYROLL, n)));
    }
    let ticked = tick_at(&stage, NIGHT);
    assert_eq!((ticked.seen, ticked.started), (230, 230));
    assert_eq!(slots(&stage).len(), 230);
}

/// Damage of one binding's rows keeps no other waiting.
#[test]
fn a_damaged_row_blocks_no_other() {
    let stage = Stage::new();
    for n in 1..=3 {
        stage.ok(bind("daily", &source(PAYROLL, n)));
    }
    stage.ok(create_policy("damaged", "C|0|0 0 1 * * ?"));
    stage.ok(bind("damaged", &source(PAYROLL, 4)));
    for record in stage.records() {
        if let Record::Policy(PolicyRow(mut policy)) = record
            && policy.name == "damaged"
        {
            policy.version = 5;
            stage.put(PolicyRow(policy).into());
        }
    }
    stage.state().now = at(NIGHT);
    let ticked = stage.run(tick(&stage, DUE_SHARD, at(NIGHT), DateTime::<Utc>::MAX_UTC));
    assert!(matches!(ticked, Err(PortError::Corrupt { .. })), "{ticked:?}");
    assert_eq!(slots(&stage).len(), 3);
}

/// Costs grow with what is due, not with what exists.
#[test]
fn with_nothing_due_one_read_is_all() {
    let calls = |bindings: u32| {
        let stage = bound();
        let template = binding(&stage);
        for n in 0..bindings {
            let id = BindingId::derive(&[&n.to_string()]);
            let at = at(NIGHT);
            let mut transaction = Transaction::default();
            transaction.put(BindingRow(Binding { id: id.clone(), ..template.clone() }).into());
            transaction.put(Due { shard: DUE_SHARD, at, wake: Wake::Binding(id) }.into());
            stage.run(stage.commit(transaction)).unwrap();
        }
        stage.state().now = at("03T01:59:00");
        stage.state().calls.clear();
        assert_eq!(stage.tick(), Ticked::default());
        stage.drain();
        std::mem::take(&mut stage.state().calls)
    };
    assert_eq!(calls(10), ["range", "range"]);
    assert_eq!(calls(10_000), ["range", "range"]);
}

/// A change of many bindings' policy goes page by page.
#[test]
fn a_fan_out_moves_all_pages() {
    let stage = Stage::new();
    for n in 1..=60 {
        stage.ok(bind("daily", &source(PAYROLL, n)));
    }
    stage.settle_until(at("02T12:30:00"));
    changed(&stage);
    stage.settle_until(at("03T01:30:00"));
    stage.sweep();
    let times: Vec<_> = stage
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::Binding(row) => Some((row.0.next, row.0.version)),
            _ => None,
        })
        .collect();
    assert_eq!(times, vec![(Some(at("03T05:00:00")), 2); 60]);
    assert!(stage.record(&Key::binding(&BindingId::derive(&["none"]))).is_none());
    assert!(stage.now() + seconds(1) > at("02T12:30:00") + TimeDelta::zero());
}

#[test]
fn a_tick_ends_in_time() {
    let stage = bound();
    stage.state().now = at(NIGHT);
    let now = stage.now();
    let ticked = stage.run(tick(&stage, DUE_SHARD, now, now)).unwrap();
    assert_eq!((ticked, slots(&stage).len()), (Ticked::default(), 0));
}
