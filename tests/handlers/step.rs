//! One job, step by step: how it comes to each of its ends.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    explain::Explain,
    ids::{JobId, PointId},
    job::{Failure, STUMBLES_MAX, State},
    offboarding::RunningJobs,
};
use crossvault_handlers::{
    api::Command,
    job::Done,
    ports::{Clock, FailedFile, Message, PortError, Transfers},
    records::{Job, JobWork, Key, Record},
};

use crate::{
    stage::Stage,
    words::{PAYROLL, ROLE, VAULTS, account, back_up, cancel, region, seconds, source},
};

/// A backup of so many units that waits for its first step.
pub fn one_backup(units: u64) -> (Stage, JobId) {
    let stage = Stage::new();
    stage.state().transfers.lengths.insert(account(PAYROLL), units);
    let job = stage.started(back_up(&source(PAYROLL, 1)));
    (stage, job)
}

/// Files that can't be read.
pub fn failing(count: usize) -> Vec<FailedFile> {
    let failed = |n| FailedFile {
        path: format!("file-{n}"),
        code: "PERMISSION".to_owned(),
        message: "permission denied".to_owned(),
    };
    (0..count).map(failed).collect()
}

/// Nothing is held, one point at most, and the rows are as they must be.
#[track_caller]
pub fn ended(stage: &Stage, job: &JobId, status: &str, code: &str) {
    stage.sweep();
    assert_eq!((stage.status(job), stage.why(job).as_str()), (status, code));
    for held in ["Busy", "Turn", "Use", "Waiting", "Due"] {
        assert_eq!(stage.count(held), 0, "{held}");
    }
    let has_point = matches!(status, "COMPLETE" | "PARTIAL_COMPLETE");
    assert_eq!(stage.count("Point"), usize::from(has_point));
    assert!(stage.state().transfers.all.is_empty(), "a transfer still moves");
}

fn running(job: &Job) -> crossvault_core::job::Running {
    match &job.work {
        JobWork::Backup(_, State::Running(running)) => running.clone(),
        other => panic!("{other:?} does not run"),
    }
}

#[test]
fn a_backup_comes_to_its_point() {
    let (stage, job) = one_backup(3);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
    let made = stage.job(&job);
    assert_eq!((made.progress.files, made.fence), (3, 1));
    let point = stage.records().into_iter().find_map(|record| match record {
        Record::Point(row) => Some(row.0),
        _ => None,
    });
    let point = point.unwrap();
    assert_eq!((point.id, &point.job), (PointId::of_job(&job), &job));
    assert_eq!(point.snapshot, stage.state().transfers.data[0].snapshot);
    assert!(stage.state().alerts.is_empty());
}

#[test]
fn a_backup_whose_files_fail_is_partial_and_told() {
    let (stage, job) = one_backup(3);
    stage.state().transfers.failing = failing(3);
    stage.settle();
    ended(&stage, &job, "PARTIAL_COMPLETE", "");
    let state = stage.state();
    let [(_, alert)] = state.alerts.as_slice() else { panic!("{:?}", state.alerts) };
    assert_eq!((alert.code.as_str(), alert.job.as_ref()), ("PARTIAL_COMPLETE", Some(&job)));
}

/// At most 100 a row, 10,000 a job; further ones are only counted.
#[test]
fn failed_files_are_named_up_to_a_bound() {
    let (stage, job) = one_backup(3);
    stage.state().transfers.failing = failing(10_050);
    stage.settle();
    ended(&stage, &job, "PARTIAL_COMPLETE", "");
    let mut named = BTreeSet::new();
    for record in stage.records() {
        if let Record::Failures(row) = record {
            assert!(row.files.len() <= 100);
            named.extend(row.files.into_iter().map(|file| file.path));
        }
    }
    assert_eq!((named.len(), stage.count("Failures")), (10_000, 100));
    assert_eq!((stage.job(&job).progress.failed, stage.job(&job).failure_pages), (10_050, 100));
}

/// Steps double, so that listing the source again stays cheap beside reading it.
#[test]
fn steps_grow_and_go_on_from_the_checkpoint() {
    let (stage, job) = one_backup(20);
    stage.state().pace.step = seconds(20);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
    let state = stage.state();
    let orders = &state.transfers.orders;
    let lengths: Vec<i64> =
        orders.iter().map(|(began, order)| (order.pause_at - began).num_seconds()).collect();
    assert_eq!(lengths, [20, 40, 80, 160]);
    let from: Vec<Option<&str>> = orders.iter().map(|(_, order)| order.from.0.as_deref()).collect();
    assert_eq!(from, [None, Some("2"), Some("6"), Some("14")]);
    let fences: Vec<u32> = orders.iter().map(|(_, order)| order.name.fence).collect();
    assert_eq!(fences, [1, 2, 3, 4]);
}

#[test]
fn a_step_ends_before_the_platform_ends_it() {
    let (stage, job) = one_backup(9);
    stage.state().limit = seconds(40);
    let stop_at = stage.now() + seconds(40);
    assert_eq!(stage.step(&job), Ok(Done::Rests));
    assert_eq!(stage.now(), stop_at);
    assert_eq!(running(&stage.job(&job)).at.0.as_deref(), Some("4"));
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

/// A platform near its time limit stands at once where it began.
#[test]
fn a_pause_without_progress_ends_the_step() {
    let (stage, job) = one_backup(9);
    stage.state().limit = seconds(20);
    assert_eq!(stage.step(&job), Ok(Done::Rests));
    stage.state().limit = seconds(0);
    assert_eq!(stage.step(&job), Ok(Done::Rests));
    assert_eq!(stage.job(&job).lease_until, None);
    stage.sweep();
    stage.state().limit = TimeDelta::minutes(10);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

#[test]
fn a_queued_job_is_canceled_at_once() {
    let (stage, job) = one_backup(3);
    stage.ok(cancel(&job));
    ended(&stage, &job, "CANCELED", "");
    stage.settle();
    ended(&stage, &job, "CANCELED", "");
    assert!(stage.state().transfers.orders.is_empty());
}

#[test]
fn a_job_that_waits_for_a_turn_is_canceled_at_once() {
    let (stage, job) = one_backup(3);
    stage.state().pace.turns = 1;
    let other = stage.started(back_up(&source(PAYROLL, 2)));
    stage.state().limit = seconds(20);
    assert_eq!(stage.step(&other), Ok(Done::Rests));
    assert_eq!(stage.step(&job), Ok(Done::Waits));
    assert_eq!(stage.count("Waiting"), 1);
    stage.ok(cancel(&job));
    assert_eq!((stage.status(&job), stage.count("Waiting")), ("CANCELED", 0));
    stage.sweep();
    stage.settle();
    ended(&stage, &other, "COMPLETE", "");
}

#[test]
fn a_job_that_rests_is_canceled_by_its_next_step() {
    let (stage, job) = one_backup(9);
    stage.state().limit = seconds(20);
    assert_eq!(stage.step(&job), Ok(Done::Rests));
    stage.ok(cancel(&job));
    assert_eq!(stage.status(&job), "CANCELING");
    stage.sweep();
    assert_eq!(stage.step(&job), Ok(Done::Ended));
    ended(&stage, &job, "CANCELED", "");
    stage.settle();
    assert!(stage.state().transfers.data.is_empty());
}

#[test]
fn a_job_that_moves_is_canceled_at_its_pulse() {
    let (stage, job) = one_backup(9);
    let wish = job.clone();
    stage.before("advance", 3, move |stage| {
        stage.ok(cancel(&wish));
    });
    assert_eq!(stage.step(&job), Ok(Done::Ended));
    assert_eq!(stage.job(&job).fence, 1);
    ended(&stage, &job, "CANCELED", "");
    stage.settle();
    assert!(stage.state().transfers.data.is_empty());
}

/// What was complete before the wish to stop arrived stays complete.
#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let (stage, job) = one_backup(3);
    let wish = job.clone();
    stage.before("advance", 3, move |stage| {
        stage.ok(cancel(&wish));
    });
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

/// What is wrong from the start, or from the third pulse on, is told by its cause.
#[track_caller]
fn refused(code: &str, breaks: fn(&Stage)) {
    let (stage, job) = one_backup(9);
    breaks(&stage);
    stage.settle();
    ended(&stage, &job, "FAILED", code);
    assert!(stage.state().transfers.orders.is_empty());
    let (stage, job) = one_backup(9);
    stage.before("advance", 3, breaks);
    // A session that is open may outlive the way by which it was opened.
    stage.state().cloud.session = seconds(40);
    stage.settle();
    ended(&stage, &job, "FAILED", code);
    let state = stage.state();
    assert!(state.transfers.data.is_empty());
    let [(_, alert)] = state.alerts.as_slice() else { panic!("{:?}", state.alerts) };
    assert_eq!(alert.code, code);
}

#[test]
fn a_job_without_authority_ends_with_its_cause() {
    refused("ROLE_DELETED", |stage| stage.state().cloud.role(&account(PAYROLL)).exists = false);
    refused("TRUST_MISSING", |stage| stage.state().cloud.role(&account(PAYROLL)).trusts = false);
    refused("PERMISSION_MISSING", |stage| {
        stage.state().cloud.role(&account(PAYROLL)).permits = false;
    });
    refused("SOURCE_NOT_FOUND", |stage| {
        stage.state().cloud.absent.insert(source(PAYROLL, 1));
    });
    refused("GRANT_REMOVED", |stage| {
        let (account, region) = (account(PAYROLL), region());
        let jobs = RunningJobs::Abandon;
        stage.ok(Command::RemoveAccount { account, region, jobs });
    });
}

/// The cloud's answers may be seconds old: a denial that the facts don't explain may pass.
#[test]
fn a_denial_without_a_cause_may_pass() {
    let denied = || PortError::Denied { action: "nas:Read".into(), resource: "*".into(), by: None };
    let (stage, job) = one_backup(3);
    stage.fail("advance", denied(), 3);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
    let (stage, job) = one_backup(3);
    stage.fail("advance", denied(), 8);
    stage.settle();
    ended(&stage, &job, "FAILED", "DENIED");
    // Where the role's policies can't be read, the denial itself is the fact.
    let (stage, job) = one_backup(3);
    stage.state().cloud.role(&account(PAYROLL)).is_readable = false;
    stage.fail("advance", denied(), 1);
    stage.settle();
    ended(&stage, &job, "FAILED", "PERMISSION_MISSING");
    let why = stage.job(&job).work.failure().unwrap().to_string();
    assert!(why.contains("nas:Read") && why.contains(ROLE), "{why}");
}

#[test]
fn a_role_that_can_not_be_read_is_no_cause() {
    let (stage, job) = one_backup(3);
    stage.state().cloud.role(&account(PAYROLL)).is_readable = false;
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

/// Credentials that end are no loss of authority, and no attempt is counted.
#[test]
fn expired_credentials_are_replaced() {
    let (stage, job) = one_backup(9);
    stage.state().cloud.session = seconds(75);
    stage.state().calls.clear();
    // Only what began under fresh credentials can end under them.
    stage.state().pace.step = seconds(50);
    stage.fail("advance", PortError::Expired, 1);
    assert_eq!(stage.step(&job), Ok(Done::Rests));
    let job_now = stage.job(&job);
    assert_eq!((running(&job_now).stumbles, job_now.fence), (0, 1));
    assert_eq!(stage.state().calls.iter().filter(|method| **method == "describe").count(), 2);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
}

/// A step that outlived its credentials would lose what it moved, and so would every further one.
#[test]
fn a_step_ends_before_its_credentials_do() {
    let (stage, job) = one_backup(60);
    stage.state().cloud.session = seconds(180);
    stage.state().limit = TimeDelta::hours(6);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
    let from: Vec<Option<String>> =
        stage.state().transfers.orders.iter().map(|(_, order)| order.from.0.clone()).collect();
    let from: Vec<Option<&str>> = from.iter().map(Option::as_deref).collect();
    assert_eq!(from, [None, Some("12"), Some("24"), Some("36"), Some("48")]);
}

/// A clock that runs ahead of the cloud's makes every credential look old.
#[test]
fn credentials_that_are_never_good_do_not_hang_the_step() {
    let (stage, job) = one_backup(3);
    stage.state().cloud.session = seconds(0);
    stage.settle();
    ended(&stage, &job, "FAILED", "EXPIRED");
}

#[test]
fn a_missing_thing_is_a_cause_or_passes() {
    let missing = || PortError::NotFound("fs-1".to_owned());
    let (stage, job) = one_backup(9);
    stage.fail("advance", missing(), 2);
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
    let (stage, job) = one_backup(9);
    stage.before("advance", 3, move |stage| {
        stage.state().cloud.absent.insert(source(PAYROLL, 1));
        stage.fail("advance", missing(), 1);
    });
    stage.settle();
    ended(&stage, &job, "FAILED", "SOURCE_NOT_FOUND");
}

#[test]
fn a_job_backs_off_and_gives_up_in_the_end() {
    for error in [PortError::Throttled, PortError::TimedOut, PortError::Conflict] {
        let (stage, job) = one_backup(3);
        stage.fail("advance", error.clone(), 7);
        stage.settle();
        ended(&stage, &job, "COMPLETE", "");

        let (stage, job) = one_backup(3);
        stage.fail("advance", error.clone(), 8);
        let mut pauses = Vec::new();
        while !stage.job(&job).work.is_ended() {
            let done = stage.step(&job).unwrap();
            if done == Done::Rests {
                stage.sweep();
                stage.drain();
                let waiting = stage.state().queue.pop().unwrap();
                assert_eq!(waiting.message, Message::TakeStep(job.clone()));
                assert_eq!(waiting.group, account(PAYROLL));
                pauses.push((waiting.visible - stage.now()).num_seconds());
                stage.state().now = waiting.visible;
            }
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600]);
        let failure = stage.job(&job).work.failure().cloned().unwrap();
        assert!(matches!(failure, Failure::Exhausted { times: STUMBLES_MAX, .. }), "{failure:?}");
        ended(&stage, &job, "FAILED", error.code());
    }
}

#[test]
fn progress_forgives_stumbles() {
    let (stage, job) = one_backup(12);
    stage.state().pace.step = seconds(20);
    for round in 0..4 {
        let _ = round;
        stage.fail("advance", PortError::Throttled, 5);
        for _ in 0..6 {
            stage.pass(seconds(601));
            stage.step(&job).unwrap();
        }
        if stage.job(&job).work.is_ended() {
            break;
        }
    }
    stage.state().scripted.clear();
    stage.settle();
    ended(&stage, &job, "COMPLETE", "");
    assert!(stage.job(&job).fence > STUMBLES_MAX);
}

#[test]
fn what_trying_again_does_not_mend_ends_the_job() {
    let failed = PortError::Failed {
        code: "VAULT_WRONG_KEY".to_owned(),
        message: "the key does not fit".to_owned(),
        remedy: "Give the right key.".to_owned(),
    };
    let corrupt = PortError::Corrupt { what: "a pack".to_owned(), detail: "its hash".to_owned() };
    for (error, code) in [
        (PortError::Full("/vaults".to_owned()), "FULL"),
        (corrupt, "CORRUPT"),
        (failed, "VAULT_WRONG_KEY"),
        (PortError::Invalid("a mistake".to_owned()), "INVALID"),
    ] {
        for n in [1, 3] {
            let (stage, job) = one_backup(9);
            let error = error.clone();
            stage.before("advance", n, move |stage| stage.fail("advance", error, 1));
            stage.settle();
            ended(&stage, &job, "FAILED", code);
            let failure = stage.job(&job).work.failure().cloned().unwrap();
            assert!(matches!(failure, Failure::Broken(_)));
            assert_eq!(stage.state().alerts.len(), 1);
        }
    }
}

/// The same while authority is asked: or the job would be tried for ever.
#[test]
fn what_does_not_pass_while_authority_is_asked_ends_the_job() {
    for method in ["own", "assume", "role", "describe"] {
        let (stage, job) = one_backup(3);
        stage.fail(method, PortError::Invalid("a mistake".to_owned()), 1);
        stage.settle();
        ended(&stage, &job, "FAILED", "INVALID");
        let (stage, job) = one_backup(3);
        stage.fail(method, PortError::Throttled, 3);
        stage.settle();
        ended(&stage, &job, "COMPLETE", "");
    }
}

#[test]
fn a_step_of_an_unknown_or_ended_job_is_stale() {
    let (stage, job) = one_backup(3);
    stage.settle();
    let rows = stage.rows();
    assert_eq!(stage.step(&job), Ok(Done::Stale));
    assert_eq!(stage.step(&JobId::derive(&["none"])), Ok(Done::Stale));
    assert_eq!(stage.rows(), rows);
}

/// Platforms with many threads send futures between them.
#[test]
fn steps_may_be_sent_between_threads() {
    fn is_send(_: impl Future + Send) {}
    let (stage, job) = one_backup(3);
    is_send(stage.stepping(&job));
    is_send(crossvault_handlers::schedule::tick(&stage, 0, stage.now(), DateTime::<Utc>::MAX_UTC));
    let name = crossvault_handlers::ports::TransferName { job, fence: 1 };
    is_send(stage.halt(name));
    assert!(stage.record(&Key::job(&JobId::derive(&[VAULTS]))).is_none());
}
