//! Backups by hand, and what all jobs come to.

use chrono::TimeDelta;
use crossvault_core::job::{Checkpoint, Progress};
use crossvault_handlers::{
    api::{Answer, Command, JobView, handle},
    ports::{FailedFile, Standing},
};
use crossvault_simulator::world::Deed;
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, PAYROLL, RESCUE, ROLE, VAULTS, account, back_up, bind, create_policy, create_vault,
    restore, source, token,
};

fn cancel(job: &crossvault_core::ids::JobId) -> Command {
    Command::CancelJob { job: job.clone() }
}

fn jobs(cloud: &Cloud, owner: Option<&str>, limit: usize) -> Vec<JobView> {
    let Answer::Jobs(jobs) = cloud.ok(Command::ListJobs { account: owner.map(account), limit })
    else {
        panic!("no jobs")
    };
    jobs
}

#[test]
fn one_backup_of_a_binding_runs_at_a_time() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    cloud.ok(bind("daily", &nas));
    let first = cloud.started(back_up(&nas, Some("daily"), None));
    let refusal = cloud.refused(back_up(&nas, Some("daily"), None), "SOURCE_BUSY");
    assert!(refusal.to_string().contains(first.as_str()));
    cloud.work();
    let view = cloud.job(&first);
    assert_eq!((view.status.as_str(), view.ended), ("COMPLETE", true));
    cloud.started(back_up(&nas, Some("daily"), None));
}

#[test]
fn a_backup_by_hand_finds_its_vault() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    cloud.refused(back_up(&nas, None, None), "VAULT_NEEDED");
    cloud.refused(back_up(&nas, Some("daily"), None), "UNKNOWN");
    cloud.refused(back_up(&nas, None, Some("none")), "UNKNOWN");
    cloud
        .refused(back_up(&source(PAYROLL, "oss/b"), None, Some("main")), "SOURCE_TYPE_UNSUPPORTED");
    cloud.ok(bind("daily", &nas));
    cloud.ok(create_vault("other"));
    cloud.refused(back_up(&nas, Some("daily"), Some("other")), "UNKNOWN");
    let job = cloud.started(back_up(&nas, None, None));
    cloud.work();
    assert_eq!(cloud.job(&job).status, "COMPLETE");
    // Its point follows the policy; one into a vault is kept until somebody deletes it.
    let Answer::Points(points) =
        cloud.ok(Command::ListPoints { source: None, account: None, vault: None })
    else {
        panic!("no points")
    };
    assert!(points[0].policy.is_some());
    // With two policies nobody can say which is meant.
    cloud.ok(create_policy("hourly"));
    cloud.ok(bind("hourly", &nas));
    cloud.refused(back_up(&nas, None, None), "VAULT_NEEDED");
    cloud.started(back_up(&nas, Some("daily"), Some("main")));
}

#[test]
fn a_binding_that_goes_meanwhile_is_not_backed_up() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    cloud.ok(bind("daily", &nas));
    let unbind = Command::Unbind { policy: "daily".to_owned(), source: nas.clone() };
    cloud.ports.before_commit(move |ports| {
        run(handle(ports, &account(VAULTS), &token("other"), unbind)).unwrap();
    });
    cloud.refusal(back_up(&nas, Some("daily"), None), "UNKNOWN");
    assert_eq!(cloud.count("Job"), 0);
}

#[test]
fn a_job_without_authority_ends_with_its_cause() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let (role, policy) = (ROLE.parse().unwrap(), "AliyunHBRRolePolicy".to_owned());
    cloud.does(PAYROLL, Deed::DetachPolicy { role, policy });
    cloud.does(PAYROLL, Deed::DeleteRole { name: ROLE.parse().unwrap() });
    let job = cloud.started(back_up(&nas, None, Some("main")));
    cloud.work();
    let view = cloud.job(&job);
    assert_eq!(view.status, "FAILED");
    assert_eq!(view.failure.unwrap().code, "ROLE_DELETED");
    assert!(view.causes[0].remedy.contains("again"));
}

#[test]
fn a_job_that_waits_is_canceled_at_once() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let job = cloud.started(back_up(&nas, None, Some("main")));
    assert_eq!(cloud.started(cancel(&job)), job);
    assert_eq!(cloud.job(&job).status, "CANCELED");
    cloud.refused(cancel(&job), "JOB_ENDED");
    cloud.work();
    cloud.started(back_up(&nas, None, Some("main")));
    let none = crossvault_core::ids::JobId::derive(&["none"]);
    cloud.refused(cancel(&none), "UNKNOWN");
    cloud.refused(Command::ShowJob { job: none }, "UNKNOWN");
}

/// A file that could not be moved, and the next transfer that stands at a checkpoint behind it.
fn pause_behind_a_failure(cloud: &Cloud) -> Vec<FailedFile> {
    let failures = vec![FailedFile {
        path: "locked.db".to_owned(),
        code: "PERMISSION".to_owned(),
        message: "permission denied".to_owned(),
    }];
    cloud.ports.stand(Standing::Paused {
        at: Checkpoint(Some("half".to_owned())),
        progress: Progress { failed: 1, ..Progress::default() },
        failures: failures.clone(),
    });
    failures
}

/// A backup tries again what failed before its checkpoint; a restore does not come back to it.
#[test]
fn a_restore_names_to_its_end_what_failed_before_a_checkpoint() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let backup = cloud.started(back_up(&nas, None, Some("main")));
    pause_behind_a_failure(&cloud);
    cloud.work();
    let made = cloud.job(&backup);
    assert_eq!((made.status.as_str(), made.failures), ("COMPLETE", vec![]));
    let job = cloud.started(restore(&made.point.unwrap(), &nas));
    let failures = pause_behind_a_failure(&cloud);
    cloud.work();
    assert_eq!(cloud.job(&job).failures, failures);
}

#[test]
fn a_job_that_runs_is_asked_to_stop() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let job = cloud.started(back_up(&nas, None, Some("main")));
    let failures = pause_behind_a_failure(&cloud);
    cloud.step();
    let view = cloud.job(&job);
    assert_eq!((view.status.as_str(), view.failures), ("RUNNING", failures));
    cloud.started(cancel(&job));
    assert_eq!(cloud.job(&job).status, "CANCELING");
    let audit = cloud.count("Audit");
    cloud.started(cancel(&job));
    assert_eq!(cloud.count("Audit"), audit);
    cloud.work();
    assert_eq!(cloud.job(&job).status, "CANCELED");
    assert_eq!(cloud.count("Point"), 0);
}

#[test]
fn jobs_are_listed_newest_first() {
    let cloud = Cloud::set_up();
    let mut expected = Vec::new();
    for owner in [PAYROLL, RESCUE, PAYROLL] {
        expected.insert(0, cloud.started(back_up(&source(owner, "nas/fs-1"), None, Some("main"))));
        cloud.ports.pass(TimeDelta::minutes(1));
        cloud.work();
    }
    let ids = |views: Vec<JobView>| views.into_iter().map(|view| view.id).collect::<Vec<_>>();
    assert_eq!(ids(jobs(&cloud, None, 99)), expected);
    assert_eq!(ids(jobs(&cloud, None, 2)), expected[..2]);
    assert_eq!(ids(jobs(&cloud, Some(RESCUE), 10)), expected[1..2]);
    for limit in [0, 100] {
        cloud.refused(Command::ListJobs { account: None, limit }, "OUT_OF_BOUNDS");
    }
}
