//! One account's jobs take turns, and keep no other account waiting.

use chrono::TimeDelta;
use crossvault_core::ids::JobId;
use crossvault_handlers::{
    job::Done,
    ports::{Clock, Message},
    records::{Record, Turn},
};

use crate::{
    stage::Stage,
    words::{PAYROLL, RESCUE, account, back_up, cancel, seconds, source},
};

fn backups(stage: &Stage, owner: &str, count: u32) -> Vec<JobId> {
    let start = |n| {
        // They wait in the order in which they were asked for.
        stage.pass(seconds(1));
        stage.started(back_up(&source(owner, n)))
    };
    (1..=count).map(start).collect()
}

fn turns(stage: &Stage) -> Vec<Turn> {
    let turns = stage.records().into_iter().filter_map(|record| match record {
        Record::Turn(turn) => Some(turn),
        _ => None,
    });
    turns.collect()
}

fn holders(stage: &Stage) -> Vec<JobId> {
    turns(stage).into_iter().map(|turn| turn.job).collect()
}

/// With turns for two, four jobs of which two rest and two wait.
fn crowd() -> (Stage, Vec<JobId>) {
    let stage = Stage::new();
    stage.state().transfers.lengths.insert(account(PAYROLL), 9);
    let jobs = backups(&stage, PAYROLL, 4);
    stage.state().limit = seconds(20);
    for job in &jobs {
        stage.step(job).unwrap();
        stage.pass(seconds(1));
        stage.sweep();
    }
    stage.state().limit = TimeDelta::minutes(10);
    assert_eq!((holders(&stage), stage.count("Waiting")), (jobs[..2].to_vec(), 2));
    (stage, jobs)
}

#[test]
fn the_end_of_a_job_passes_its_turn_on() {
    let (stage, jobs) = crowd();
    assert_eq!(stage.step(&jobs[1]), Ok(Done::Ended));
    // In the same transaction, to the one that waits longest.
    assert_eq!(holders(&stage), [jobs[0].clone(), jobs[2].clone()]);
    assert_eq!(stage.count("Waiting"), 1);
    stage.sweep();
    stage.state().queue.clear();
    stage.drain();
    let told = stage.state().queue.iter().any(|w| w.message == Message::TakeStep(jobs[2].clone()));
    assert!(told);
    assert_eq!(stage.step(&jobs[3]), Ok(Done::Waits));
    assert_eq!(stage.step(&jobs[2]), Ok(Done::Ended));
    assert_eq!(holders(&stage), [jobs[0].clone(), jobs[3].clone()]);
    stage.settle();
    stage.sweep();
    assert_eq!((turns(&stage), stage.count("Point")), (vec![], 4));
}

#[test]
fn a_turn_that_was_passed_on_is_freed_by_a_cancel() {
    let (stage, jobs) = crowd();
    assert_eq!(stage.step(&jobs[0]), Ok(Done::Ended));
    assert!(holders(&stage).contains(&jobs[2]));
    stage.ok(cancel(&jobs[2]));
    assert_eq!(stage.status(&jobs[2]), "CANCELED");
    assert!(holders(&stage).contains(&jobs[3]));
    stage.sweep();
    stage.settle();
    stage.sweep();
    assert_eq!((turns(&stage), stage.count("Waiting"), stage.count("Point")), (vec![], 0, 3));
}

#[test]
fn a_message_that_brings_a_turn_may_be_lost() {
    let (stage, jobs) = crowd();
    assert_eq!(stage.step(&jobs[0]), Ok(Done::Ended));
    assert_eq!(stage.step(&jobs[1]), Ok(Done::Ended));
    stage.drain();
    stage.state().queue.clear();
    stage.settle();
    stage.sweep();
    assert_eq!((turns(&stage), stage.count("Point")), (vec![], 4));
}

/// However the steps fall, never more than the account's turns are held, and all jobs end.
#[test]
fn never_more_jobs_than_turns() {
    for turns_max in [1, 2, 3] {
        let stage = Stage::new();
        stage.state().pace.turns = turns_max;
        stage.state().limit = seconds(20);
        stage.state().transfers.lengths.insert(account(PAYROLL), 5);
        let jobs = backups(&stage, PAYROLL, 6);
        for round in 0..200 {
            let job = &jobs[(round * 7 + round / 5) % jobs.len()];
            stage.step(job).unwrap();
            stage.sweep();
            assert!(turns(&stage).len() <= turns_max.into());
            let running = stage.jobs().iter().filter(|job| job.turn.is_some()).count();
            assert!(running <= turns_max.into());
        }
        stage.settle();
        assert_eq!((turns(&stage), stage.count("Point")), (vec![], 6));
    }
}

/// A turn that is freed between the look and the wait makes the job decide again.
#[test]
fn a_turn_that_is_freed_meanwhile_is_taken() {
    let (stage, jobs) = crowd();
    let stage = stage.fork(&[]);
    for job in &jobs[2..] {
        stage.ok(cancel(job));
    }
    let late = stage.started(back_up(&source(PAYROLL, 9)));
    let ending = jobs[0].clone();
    stage.before("commit", 1, move |stage| {
        assert_eq!(stage.step(&ending), Ok(Done::Ended));
    });
    assert_eq!(stage.step(&late), Ok(Done::Ended));
    stage.settle();
    stage.sweep();
    assert_eq!(stage.count("Waiting"), 0);
}

/// A turn that is passed on between the decision to cancel and its commit is freed all the same.
#[test]
fn a_turn_that_comes_while_its_job_is_canceled_is_freed() {
    let (stage, jobs) = crowd();
    let stage = stage.fork(&[]);
    let ending = jobs[0].clone();
    stage.before("commit", 1, move |stage| {
        assert_eq!(stage.step(&ending), Ok(Done::Ended));
    });
    stage.ok(cancel(&jobs[2]));
    assert_eq!(stage.status(&jobs[2]), "CANCELED");
    stage.sweep();
    stage.settle();
    stage.sweep();
    assert_eq!(turns(&stage), vec![]);
}

/// A turn that is passed on to a job which is about to take a free one is not held beside it.
#[test]
fn a_turn_that_comes_while_its_job_takes_another_is_not_lost() {
    let (stage, jobs) = crowd();
    let stage = stage.fork(&[]);
    stage.state().pace.turns = 3;
    let ending = jobs[0].clone();
    stage.before("commit", 1, move |stage| {
        assert_eq!(stage.step(&ending), Ok(Done::Ended));
    });
    assert_eq!(stage.step(&jobs[2]), Ok(Done::Ended));
    stage.sweep();
    stage.settle();
    stage.sweep();
    assert_eq!(turns(&stage), vec![]);
}

/// The jobs of one account hang, and those of another end as soon as they would alone.
#[test]
fn one_account_keeps_no_other_waiting() {
    let stage = Stage::new();
    stage.state().transfers.lengths.insert(account(PAYROLL), u64::MAX / 2);
    stage.state().limit = seconds(20);
    let hanging = backups(&stage, PAYROLL, 5);
    for job in &hanging {
        stage.step(job).unwrap();
    }
    let others = backups(&stage, RESCUE, 2);
    for job in &others {
        assert_eq!(stage.step(job), Ok(Done::Ended));
        assert_eq!(stage.status(job), "COMPLETE");
    }
    stage.drain();
    // Fair queues tell accounts apart.
    for waiting in &stage.state().queue {
        let Message::TakeStep(job) = &waiting.message else { panic!("{waiting:?}") };
        let owner = if others.contains(job) { RESCUE } else { PAYROLL };
        assert_eq!(waiting.group, account(owner));
    }
    stage.settle_until(stage.now() + TimeDelta::minutes(30));
    assert_eq!(turns(&stage).len(), 2);
    stage.sweep();
    for job in &hanging {
        stage.ok(cancel(job));
    }
    stage.settle();
    stage.sweep();
    assert_eq!((turns(&stage), stage.count("Due")), (vec![], 0));
}
