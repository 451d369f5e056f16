//! A run is what its seed says: on any thread, whatever else runs. And the check of it can fail: each
//! way by which something else gets in has a canary that dies of it.

#![expect(
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "what helps a test ends like one"
)]

use std::{
    cell::Cell,
    collections::hash_map::RandomState,
    future::Future,
    hash::{BuildHasher, Hash, Hasher},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    thread,
    time::SystemTime,
};

use crossvault_handlers::{
    ports::Store,
    records::{Key, Partition, Sort},
};
use crossvault_simulator::{
    call::Response,
    determinism::{Keep, Left, Mismatch, check, compare, outcome},
    ports::{Ports, with_mail},
    trace::Trace,
};

const SEEDS: u64 = 50;

#[test]
fn a_run_is_the_same_twice_and_on_another_thread_beside_busy_ones() {
    let here: Vec<String> = (0..SEEDS)
        .map(|seed| check(seed).unwrap_or_else(|mismatch| panic!("{mismatch}")))
        .collect();
    let is_over = AtomicBool::new(false);
    let there: Vec<String> = thread::scope(|scope| {
        // It runs too, so that a memory they shared would show.
        scope.spawn(|| {
            let goes_on = |_: &u64| !is_over.load(Ordering::Relaxed);
            (0..u64::MAX).take_while(goes_on).map(outcome).for_each(drop);
        });
        let runs = scope.spawn(|| (0..SEEDS).map(outcome).collect());
        let there = runs.join().unwrap();
        is_over.store(true, Ordering::Relaxed);
        there
    });
    assert_eq!(here, there);
    let different: std::collections::BTreeSet<_> = here.iter().collect();
    assert_eq!(different.len(), here.len(), "other seeds are other runs");
}

/// Which call of a canary asks for what got in.
const AT: usize = 2_500;

/// Drives a function as a run does: its calls and their answers are the trace.
fn drive<F: Future<Output = ()>>(start: impl Fn(Ports) -> F, keep: &Keep) -> Left {
    let mut trace = if *keep == Keep::Chain { Trace::chained() } else { Trace::default() };
    let Ok(management) = "1000000000000001".parse() else { return Left::default() };
    let mut work = pin!(start(Ports::new(management)));
    let mut records = Vec::new();
    with_mail(|mail| *mail = crossvault_simulator::ports::Mail::default());
    while work.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
        for (call, request) in with_mail(|mail| std::mem::take(&mut mail.sent)) {
            let text = format!("{request:?}");
            text.hash(&mut trace);
            if matches!(keep, Keep::Records(window) if window.contains(&trace.records())) {
                records.push((trace.records(), text));
            }
            trace.record();
            with_mail(|mail| mail.answers.push((call, Ok(Response::Row(None)))));
        }
    }
    Left { outcome: trace.hash(), chain: trace.chain().to_vec(), records }
}

/// A function that does the same thing each time, but for one call in which `extra` shows.
async fn function(ports: Ports, extra: impl Fn() -> String) {
    for call in 0..AT * 2 {
        let text = if call == AT { extra() } else { call.to_string() };
        let key = Key { partition: Partition::Reviews, sort: Sort::Failures(0) };
        let key = match text.parse() {
            Ok(n) => Key { sort: Sort::Failures(n), ..key },
            Err(_) => key,
        };
        assert_eq!(ports.get(key).await, Ok(None));
    }
}

fn of_canary(extra: impl Fn() -> u64 + Copy) -> Result<String, Mismatch> {
    compare(|keep| {
        drive(|ports| function(ports, move || (extra() % 1_000_000_007).to_string()), keep)
    })
}

#[track_caller]
fn dies(extra: impl Fn() -> u64 + Copy) {
    let Err(mismatch) = of_canary(extra) else { panic!("it was not caught") };
    let Some(parting) = &mismatch.parting else { panic!("{mismatch}") };
    assert_eq!(usize::try_from(parting.position), Ok(AT), "{mismatch}");
    assert_ne!(parting.expected, parting.found);
    assert_eq!(parting.before.len(), 3);
    let told = mismatch.to_string();
    assert!(told.contains("record 2500\n  expected: Get(") && told.contains("\n  found:    Get("));
}

#[test]
fn a_function_that_does_the_same_each_time_passes() {
    assert!(of_canary(|| 7).is_ok());
}

#[test]
fn the_order_of_a_hash_map_is_caught() {
    dies(|| RandomState::new().build_hasher().finish());
}

#[test]
fn a_look_at_the_clock_is_caught() {
    dies(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_nanos()).unwrap()
    });
}

#[test]
fn a_memory_of_the_run_before_is_caught() {
    thread_local! {
        static RUNS: Cell<u64> = const { Cell::new(0) };
    }
    dies(|| {
        RUNS.set(RUNS.get() + 1);
        RUNS.get()
    });
}

/// What shows once and not again is a difference too, though nobody can say where.
#[test]
fn what_differs_once_is_told_without_a_place() {
    let runs = Cell::new(0);
    let mismatch = compare(|_| {
        runs.set(runs.get() + 1);
        Left { outcome: (runs.get() == 1).to_string(), ..Left::default() }
    });
    let mismatch = mismatch.unwrap_err();
    assert_eq!(mismatch.parting, None);
    assert!(mismatch.to_string().ends_with("where they parted is not known"));
}
