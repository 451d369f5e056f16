//! Prunes, erasures and retention beside the jobs that use a vault.

use chrono::{DateTime, TimeDelta};
use crossvault_core::{
    backup,
    ids::{JobId, PointId},
    quantity::Bytes,
    vault::{Epoch, Gate, PointState, RecoveryPoint},
};
use crossvault_handlers::{
    api::{Answer, ApiError, Command},
    job::Done,
    ports::{Clock, Message, PortError, Work},
    records::Record,
};

use crate::{
    stage::{Datum, Stage},
    words::{
        PAYROLL, RESCUE, account, at, back_up, bind, cancel, delete, prune, restore, seconds,
        source,
    },
};

fn gate(stage: &Stage) -> Gate {
    let gate = stage.records().into_iter().find_map(|record| match record {
        Record::Gate(row) => Some(row.gate),
        _ => None,
    });
    gate.unwrap()
}

fn points(stage: &Stage) -> Vec<RecoveryPoint> {
    let points = stage.records().into_iter().filter_map(|record| match record {
        Record::Point(row) => Some(row.0),
        _ => None,
    });
    points.collect()
}

/// The data of every point is there, all of it.
#[track_caller]
fn sound(stage: &Stage) {
    for point in points(stage) {
        let state = stage.state();
        let datum = state.transfers.data.iter().find(|datum| datum.snapshot == point.snapshot);
        assert!(datum.is_some_and(|datum| datum.is_sound), "{point:?}");
    }
}

/// A backup of so many units.
fn stage_of(units: u64) -> (Stage, JobId) {
    let stage = Stage::new();
    stage.state().transfers.lengths.insert(account(PAYROLL), units);
    let job = stage.started(back_up(&source(PAYROLL, 1)));
    (stage, job)
}

#[test]
fn a_prune_waits_for_transfers_and_lets_none_begin() {
    let (stage, backup) = stage_of(9);
    stage.before("advance", 3, |stage| {
        let prune = stage.started(prune());
        let late = stage.started(back_up(&source(RESCUE, 1)));
        assert_eq!(stage.step(&prune), Ok(Done::Waits));
        assert_eq!(
            gate(stage),
            Gate { epoch: Epoch(0), prune: Some(prune.clone()), erased: false }
        );
        assert_eq!(stage.step(&late), Ok(Done::Waits));
        stage.pass(seconds(20));
        assert_eq!(stage.step(&prune), Ok(Done::Waits));
        assert_eq!(gate(stage).epoch, Epoch(0));
        stage.sweep();
    });
    assert_eq!(stage.step(&backup), Ok(Done::Ended));
    assert_eq!(stage.status(&backup), "COMPLETE");
    // The epoch is higher before anything is removed.
    stage.before("advance", 1, |stage| assert_eq!(gate(stage).epoch, Epoch(1)));
    stage.settle();
    stage.sweep();
    assert_eq!(gate(&stage), Gate { epoch: Epoch(1), prune: None, erased: false });
    let state = stage.state();
    let began: Vec<(bool, Epoch)> = state
        .transfers
        .orders
        .iter()
        .map(|(_, order)| (matches!(order.work, Work::Prune(_)), order.epoch))
        .collect();
    assert_eq!(began, [(false, Epoch(0)), (true, Epoch(1)), (false, Epoch(1))]);
    drop(state);
    sound(&stage);
    assert_eq!(points(&stage).len(), 2);
}

/// Data that began before a prune may lean on what it removed: no point is recorded of it.
#[test]
fn a_prune_loses_its_patience_after_an_hour() {
    let (stage, backup) = stage_of(600);
    stage.state().limit = TimeDelta::hours(6);
    stage.state().pace.step = TimeDelta::hours(6);
    stage.state().cloud.session = TimeDelta::hours(6);
    stage.before("advance", 2, |stage| {
        let prune = stage.started(prune());
        assert_eq!(stage.step(&prune), Ok(Done::Waits));
    });
    // The backup's lease lives for all of the hour.
    stage.before("advance", 355, |stage| {
        assert_eq!(gate(stage).epoch, Epoch(0));
        stage.drain_once();
        let prune = gate(stage).prune.unwrap();
        assert_eq!(stage.step(&prune), Ok(Done::Waits));
    });
    stage.before("advance", 370, |stage| {
        let prune = gate(stage).prune.unwrap();
        assert_eq!(stage.step(&prune), Ok(Done::Ended));
        assert_eq!((stage.status(&prune), gate(stage).epoch), ("COMPLETE", Epoch(1)));
    });
    assert_eq!(stage.step(&backup), Ok(Done::Rests));
    assert_eq!((stage.status(&backup), points(&stage).len()), ("RUNNING", 0));
    assert!(stage.state().transfers.data.iter().all(|datum| !datum.is_sound));
    stage.sweep();
    stage.settle();
    stage.sweep();
    assert_eq!((stage.status(&backup), points(&stage).len()), ("COMPLETE", 1));
    sound(&stage);
    // What was outdated is an orphan.
    assert_eq!(stage.state().transfers.data.len(), 2);
    stage.retain();
    assert_eq!(stage.state().transfers.data.len(), 1);
    sound(&stage);
}

#[test]
fn a_prune_that_is_canceled_or_fails_opens_the_gate() {
    for erased in [false, true] {
        let (stage, backup) = stage_of(9);
        stage.before("advance", 3, move |stage| {
            let prune = stage.started(prune());
            assert_eq!(stage.step(&prune), Ok(Done::Waits));
            stage.ok(cancel(&prune));
            assert_eq!(stage.status(&prune), "CANCELED");
            assert_eq!(gate(stage), Gate::default());
            stage.sweep();
        });
        stage.settle();
        assert_eq!(stage.status(&backup), "COMPLETE");
        if erased {
            stage.ok(delete(&PointId::of_job(&backup)));
            stage.settle();
        }
        assert_eq!(gate(&stage).erased, erased);
        let prune = stage.started(prune());
        stage.fail("advance", PortError::Full("/vaults".to_owned()), 1);
        stage.settle();
        assert_eq!((stage.status(&prune), stage.why(&prune).as_str()), ("FAILED", "FULL"));
        // It still would give space back.
        assert_eq!(gate(&stage), Gate { epoch: Epoch(1), prune: None, erased });
        stage.sweep();
    }
}

#[test]
fn two_prunes_follow_each_other() {
    let stage = Stage::new();
    let both = [stage.started(prune()), stage.started(prune())];
    stage.settle();
    stage.sweep();
    for prune in &both {
        assert_eq!(stage.status(prune), "COMPLETE");
    }
    assert_eq!(gate(&stage), Gate { epoch: Epoch(2), prune: None, erased: false });
}

fn with_a_point() -> (Stage, PointId) {
    let stage = Stage::new();
    let point = stage.backed_up(back_up(&source(PAYROLL, 1)));
    (stage, point)
}

#[test]
fn an_erasure_removes_the_point() {
    let (stage, point) = with_a_point();
    let job = stage.started(delete(&point));
    assert_eq!(points(&stage)[0].state, PointState::Expiring { job: job.clone() });
    let Err(ApiError::Refused(refusal)) = stage.ask(restore(&point, &source(RESCUE, 1))) else {
        panic!("refused")
    };
    assert_eq!(refusal.root_code(), "POINT_NOT_AVAILABLE");
    stage.settle();
    stage.sweep();
    assert_eq!(stage.status(&job), "COMPLETE");
    assert_eq!((stage.count("Point"), stage.count("PointRef")), (0, 0));
    assert!(stage.state().transfers.data.is_empty());
    assert!(gate(&stage).erased);
    // Retention gives the space back, once.
    stage.retain();
    stage.settle();
    stage.retain();
    stage.settle();
    stage.sweep();
    assert_eq!(gate(&stage), Gate { epoch: Epoch(1), prune: None, erased: false });
}

#[test]
fn an_erasure_that_failed_is_made_anew() {
    let (stage, point) = with_a_point();
    let job = stage.started(delete(&point));
    stage.fail("advance", PortError::Full("/vaults".to_owned()), 1);
    stage.settle();
    stage.sweep();
    assert_eq!((stage.status(&job), points(&stage).len()), ("FAILED", 1));
    stage.pass(seconds(1));
    stage.retain();
    stage.settle();
    stage.sweep();
    assert_eq!((stage.count("Point"), stage.state().transfers.data.len()), (0, 0));
}

/// A point of a binding whose time is over.
fn expired() -> (Stage, PointId) {
    let stage = Stage::new();
    stage.ok(bind("daily", &source(PAYROLL, 1)));
    stage.settle_until(at("03T03:00:00"));
    let point = points(&stage)[0].id.clone();
    let source = source(PAYROLL, 1);
    stage.ok(Command::Unbind { policy: "daily".to_owned(), source });
    stage.pass(TimeDelta::days(8));
    (stage, point)
}

#[test]
fn a_restore_keeps_its_point() {
    let (stage, point) = expired();
    let job = stage.started(restore(&point, &source(RESCUE, 1)));
    stage.retain();
    assert_eq!(points(&stage)[0].state, PointState::Available);
    assert_eq!(points(&stage)[0].in_use_by, std::slice::from_ref(&job));
    let Err(ApiError::Refused(refusal)) = stage.ask(delete(&point)) else { panic!("refused") };
    assert_eq!(refusal.root_code(), "POINT_IN_USE");
    stage.settle();
    stage.sweep();
    assert_eq!((stage.status(&job), points(&stage)[0].in_use_by.len()), ("COMPLETE", 0));
    stage.retain();
    stage.settle();
    stage.sweep();
    assert_eq!(points(&stage), []);
}

/// A restore that comes between the plan of retention and its commit keeps its point.
#[test]
fn a_restore_that_comes_first_keeps_its_point() {
    let (stage, point) = expired();
    let mine = point.clone();
    stage.before("commit", 1, move |stage| {
        stage.ok(restore(&mine, &source(RESCUE, 1)));
    });
    stage.retain();
    stage.sweep();
    assert_eq!(points(&stage)[0].state, PointState::Available);
    // And the other way round.
    let (stage, point) = expired();
    stage.before("commit", 1, Stage::retain);
    let answer = stage.ask(restore(&point, &source(RESCUE, 1)));
    let Err(ApiError::Refused(refusal)) = answer else { panic!("{answer:?}") };
    assert_eq!(refusal.root_code(), "POINT_NOT_AVAILABLE");
    stage.settle();
    stage.sweep();
    assert_eq!(points(&stage), []);
}

#[test]
fn a_restore_that_ends_badly_frees_its_point() {
    for ending in ["FAILED", "CANCELED"] {
        let (stage, point) = with_a_point();
        let job = stage.started(restore(&point, &source(RESCUE, 1)));
        if ending == "FAILED" {
            stage.state().cloud.role(&account(RESCUE)).exists = false;
        } else {
            stage.ok(cancel(&job));
        }
        stage.settle();
        stage.sweep();
        assert_eq!((stage.status(&job), points(&stage)[0].in_use_by.len()), (ending, 0));
    }
}

/// What crashes left behind goes; what nobody knows and what a live job made stays.
#[test]
fn retention_sweeps_orphans_only() {
    let (stage, backup) = stage_of(9);
    let done = stage.started(back_up(&source(RESCUE, 1)));
    let canceled = stage.started(back_up(&source(RESCUE, 2)));
    stage.ok(cancel(&canceled));
    assert_eq!(stage.step(&done), Ok(Done::Ended));
    stage.state().limit = seconds(20);
    assert_eq!(stage.step(&backup), Ok(Done::Rests));
    let left = |job: &JobId, name: &str, is_partial| {
        let mut state = stage.state();
        let vault = state.transfers.data[0].vault.clone();
        let sealed = backup::Sealed {
            snapshot: name.to_owned(),
            epoch: Epoch(0),
            taken: DateTime::UNIX_EPOCH,
            files: 1,
            bytes: Bytes(1),
            added: Bytes(1),
            failed: 0,
        };
        let (job, snapshot) = (job.clone(), name.to_owned());
        let is_sound = true;
        state.transfers.data.push(Datum { vault, job, snapshot, sealed, is_partial, is_sound });
    };
    let unknown = JobId::derive(&["unknown"]);
    left(&done, "gone-twin", false);
    left(&done, "gone-checkpoint", true);
    left(&canceled, "gone-late", false);
    left(&backup, "kept-checkpoint", true);
    left(&unknown, "kept-unknown", false);
    for n in 0..150 {
        left(&canceled, &format!("gone-{n:03}"), true);
    }
    let own = points(&stage)[0].snapshot.clone();
    stage.retain();
    let mut kept: Vec<String> =
        stage.state().transfers.data.iter().map(|datum| datum.snapshot.clone()).collect();
    kept.retain(|name| *name != own);
    kept.sort();
    assert_eq!(kept, ["kept-checkpoint", "kept-unknown"]);
    sound(&stage);
    stage.state().limit = TimeDelta::hours(1);
    stage.settle();
    assert_eq!(stage.status(&backup), "COMPLETE");
}

/// Runs of retention at the same time, or again after a crash, make one erasure.
#[test]
fn retention_twice_is_once() {
    let (stage, _) = expired();
    stage.before("commit", 1, Stage::retain);
    stage.retain();
    stage.retain();
    let erasures =
        |stage: &Stage| stage.jobs().iter().filter(|job| job.work.kind() == "erase").count();
    assert_eq!(erasures(&stage), 1);
    stage.settle();
    stage.pass(TimeDelta::days(1));
    stage.retain();
    stage.settle();
    stage.sweep();
    assert_eq!((erasures(&stage), points(&stage).len()), (1, 0));
}

/// More points than one job erases, and more than one page.
#[test]
fn many_points_go_in_many_jobs() {
    let stage = Stage::new();
    stage.ok(crate::words::create_policy("often", "I|0|PT30M"));
    stage.ok(bind("often", &source(PAYROLL, 1)));
    stage.settle_until(at("05T00:15:00"));
    let count = points(&stage).len();
    assert!(count > 110, "{count}");
    let source = source(PAYROLL, 1);
    stage.ok(Command::Unbind { policy: "often".to_owned(), source });
    stage.pass(TimeDelta::days(30));
    stage.retain();
    stage.settle();
    stage.sweep();
    assert_eq!((stage.count("Point"), stage.count("PointRef")), (0, 0));
    let erasures = stage.jobs().iter().filter(|job| job.work.kind() == "erase").count();
    assert_eq!(erasures, count.div_ceil(20));
}

/// A deletion that was answered is a job that is told of its end.
#[test]
fn a_deletion_is_a_job() {
    let (stage, point) = with_a_point();
    let answer = stage.ok(delete(&point));
    let Answer::JobStarted(job) = answer else { panic!("{answer:?}") };
    stage.drain();
    let told = stage.state().queue.iter().any(|w| w.message == Message::TakeStep(job.clone()));
    assert!(told && stage.now() > stage.job(&job).queued - seconds(1));
}
