//! Who may move a job: leases end, the dead are succeeded, and the late change nothing.

use chrono::TimeDelta;
use crossvault_handlers::{
    job::{Done, LEASE, recover},
    ports::Clock,
};

use crate::{
    stage::{Fault, both},
    step::{ended, one_backup},
    words::{PAYROLL, back_up, seconds, source},
};

/// A lost message is made up for by the job's row in the due index.
#[test]
fn the_watchdog_finds_a_lost_message() {
    let (stage, job) = one_backup(9);
    stage.state().pace.step = seconds(20);
    for _ in 0..3 {
        stage.drain();
        stage.state().queue.clear();
        stage.pass(seconds(1000));
        assert_eq!(stage.tick().woken, 1);
        stage.sweep();
        stage.drain();
        assert_eq!(stage.state().queue.len(), 1);
        stage.state().queue.clear();
        assert_eq!(stage.step(&job).map(|_| ()), Ok(()));
        stage.sweep();
    }
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

/// A step that died holds the job no longer than its lease.
#[test]
fn a_lease_ends() {
    let (stage, job) = one_backup(9);
    let advance = {
        let trial = stage.fork(&[]);
        trial.step(&job).unwrap();
        let state = trial.state();
        state.calls.iter().position(|method| *method == "advance").unwrap() + 2
    };
    let stage = stage.fork(&[(advance, Fault::CrashBefore)]);
    assert_eq!(stage.invoke(stage.stepping(&job)), None);
    let until = stage.job(&job).lease_until.unwrap();
    assert!(until > stage.now() && until <= stage.now() + LEASE);
    assert_eq!(stage.step(&job), Ok(Done::Stale));
    stage.state().now = until - TimeDelta::milliseconds(1);
    assert_eq!(stage.step(&job), Ok(Done::Stale));
    stage.state().now = until;
    assert_eq!(stage.step(&job), Ok(Done::Ended));
    assert_eq!(stage.job(&job).fence, 2);
    ended(&stage, &job, "COMPLETE", "");
}

/// A step that lives renews its lease with each pulse.
#[test]
fn a_pulse_renews_the_lease() {
    let (stage, job) = one_backup(20);
    for n in [3, 9, 15] {
        let job = job.clone();
        stage.before("advance", n, move |stage| {
            let held = stage.job(&job);
            assert_eq!(held.lease_until, Some(stage.now() + LEASE));
            assert_eq!(held.wake, held.lease_until);
            assert_eq!(stage.step(&job), Ok(Done::Stale));
        });
    }
    assert_eq!(stage.step(&job), Ok(Done::Ended));
}

/// An old step that wakes after its successor claimed can't change anything, and its transfer is
/// halted.
#[test]
fn a_zombie_changes_nothing() {
    let mut polls = 0;
    loop {
        let (stage, job) = one_backup(9);
        stage.state().pace.pulse = seconds(10);
        stage.state().is_interleaved = true;
        let mut zombie = Box::pin(stage.stepping(&job));
        let is_over = (0..polls).any(|_| both::poll(zombie.as_mut()).is_some());
        if is_over {
            break;
        }
        stage.state().is_interleaved = false;
        let (has_claimed, has_ended) =
            (stage.job(&job).fence == 1, stage.job(&job).work.is_ended());
        stage.pass(LEASE + seconds(1));
        let (successor, late) =
            if has_ended { (Done::Stale, Done::Ended) } else { (Done::Ended, Done::Stale) };
        assert_eq!(stage.step(&job), Ok(successor));
        assert_eq!(stage.job(&job).fence, if has_claimed && !has_ended { 2 } else { 1 });
        let rows = stage.rows();
        assert_eq!(stage.run(zombie), Ok(late), "after {polls} polls");
        assert_eq!(stage.rows(), rows, "after {polls} polls");
        stage.settle();
        ended(&stage, &job, "COMPLETE", "");
        assert_eq!(stage.state().transfers.data.len(), 1, "after {polls} polls");
        polls += 1;
    }
    assert!(polls > 20, "{polls}");
}

/// The same while the successor moves: it is neither stopped nor slowed.
#[test]
fn a_zombie_leaves_its_successor_alone() {
    let mut polls = 0;
    loop {
        let (stage, job) = one_backup(9);
        stage.state().is_interleaved = true;
        let mut zombie = Box::pin(stage.stepping(&job));
        let is_over = (0..polls).any(|_| both::poll(zombie.as_mut()).is_some());
        if is_over || stage.job(&job).work.is_ended() {
            break;
        }
        let fence = stage.job(&job).fence;
        stage.pass(LEASE + seconds(1));
        let mut successor = Box::pin(stage.stepping(&job));
        let advanced = stage.state().calls.iter().filter(|method| **method == "advance").count();
        let count = || stage.state().calls.iter().filter(|method| **method == "advance").count();
        let mut end = None;
        // It finds what the zombie has sealed, or moves by itself.
        while end.is_none() && count() < advanced + 3 {
            end = both::poll(successor.as_mut());
        }
        assert_eq!(stage.job(&job).fence, fence + 1);
        let rows = stage.rows();
        assert_eq!(stage.run(zombie), Ok(Done::Stale), "after {polls} polls");
        assert_eq!(stage.rows(), rows, "after {polls} polls");
        let end = end.unwrap_or_else(|| stage.run(successor));
        assert_eq!(end, Ok(Done::Ended), "after {polls} polls");
        ended(&stage, &job, "COMPLETE", "");
        polls += 1;
    }
    assert!(polls > 20, "{polls}");
}

/// Nothing of a step that moves may be sealed in a name that was halted.
#[test]
fn a_failed_step_halts_its_transfer() {
    let (stage, job) = one_backup(9);
    let n = {
        let trial = stage.fork(&[]);
        trial.step(&job).unwrap();
        let state = trial.state();
        // The commit after the second pulse.
        let second = state.calls.iter().enumerate().filter(|(_, method)| **method == "advance");
        second.map(|(i, _)| i).nth(1).unwrap() + 2
    };
    let stage = stage.fork(&[(n, Fault::LostBefore)]);
    assert!(stage.step(&job).is_err());
    assert!(stage.state().transfers.all.is_empty());
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

#[test]
fn after_a_start_every_live_job_goes_on_at_once() {
    let (stage, job) = one_backup(9);
    let other = stage.started(back_up(&source(PAYROLL, 2)));
    stage.before("advance", 2, |stage| stage.state().transfers.halt_all());
    assert!(stage.step(&job).is_ok());
    stage.drain();
    stage.state().queue.clear();
    let freed = stage.run(recover(&stage)).unwrap();
    assert_eq!(freed, 2);
    stage.sweep();
    assert_eq!(stage.tick().woken, 2);
    stage.settle();
    assert_eq!([stage.status(&job), stage.status(&other)], ["COMPLETE", "COMPLETE"]);
    assert_eq!(stage.count("Due"), 0);
}
