//! Recovery points are listed, browsed, restored and deleted.

use chrono::TimeDelta;
use crossvault_core::{
    backup::{Backup, Sealed, point},
    ids::{DataSource, JobId, PointId},
    job::{Outcome, State},
    quantity::Bytes,
    restore::Overwrite,
    schedule::retention::Expiry,
    vault::{Epoch, RecoveryPoint},
};
use crossvault_handlers::{
    api::{Answer, Command, handle},
    ports::{BrowsedEntry, Store, Transaction},
    records::{Job, JobRef, JobWork, PointRef, PointRow, Record},
};
use crossvault_tests::platform::run;

use crate::cloud::{Cloud, PAYROLL, RESCUE, VAULTS, account, create_vault, restore, source, token};

fn delete(point: &PointId) -> Command {
    Command::DeletePoint { point: point.clone() }
}

fn points(cloud: &Cloud, of: Option<&DataSource>, vault: Option<&str>) -> Vec<RecoveryPoint> {
    let (source, vault) = (of.cloned(), vault.map(str::to_owned));
    let Answer::Points(points) = cloud.ok(Command::ListPoints { source, account: None, vault })
    else {
        panic!("no points")
    };
    points
}

/// Puts a point of any type of source into the vault `main`, as if a job had made it.
fn plant(cloud: &Cloud, of: &DataSource) -> PointId {
    let Answer::Vaults(vaults) = cloud.ok(Command::ListVaults) else { panic!("no vaults") };
    let id = JobId::derive(&["planted", &of.to_string()]);
    let backup = Backup {
        source: of.clone(),
        vault: vaults[0].vault.id.clone(),
        policy: None,
        binding: None,
        due: None,
    };
    let sealed = Sealed {
        snapshot: "planted".to_owned(),
        epoch: Epoch(0),
        taken: cloud.now(),
        files: 1,
        bytes: Bytes(1),
        added: Bytes(1),
        failed: 0,
    };
    let made = point(&id, &backup, &sealed, Expiry::Never);
    let work = JobWork::Backup(backup, State::Ended(Outcome::Complete(sealed)));
    let job = Job::new(id.clone(), work, of.account.clone(), cloud.now());
    let mut transaction = Transaction::default();
    for owner in [VAULTS, of.account.as_str()] {
        let row = JobRef { account: account(owner), queued: job.queued, job: id.clone() };
        transaction.create(row.into());
    }
    let reference = PointRef {
        source: of.clone(),
        taken: made.taken,
        point: made.id.clone(),
        vault: made.vault.clone(),
    };
    transaction.create(reference.into());
    transaction.create(Box::new(PointRow(made)).into());
    transaction.create(Box::new(job).into());
    run(cloud.ports.commit(transaction)).unwrap();
    PointId::of_job(&id)
}

fn in_use(cloud: &Cloud) -> usize {
    let rows = cloud.ports.rows();
    let users = |record: &Record| {
        let Record::Point(row) = record else { return 0 };
        row.0.in_use_by.len()
    };
    rows.iter().map(|stored| users(&stored.record)).sum()
}

#[test]
fn points_are_listed_newest_first() {
    let cloud = Cloud::set_up();
    let (nas, files) = (source(PAYROLL, "nas/fs-1"), source(RESCUE, "ecs-files/i-1"));
    let first = cloud.backed_up(&nas);
    cloud.ports.pass(TimeDelta::hours(1));
    let second = cloud.backed_up(&files);
    cloud.ports.pass(TimeDelta::hours(1));
    let third = cloud.backed_up(&nas);
    let ids = |points: Vec<RecoveryPoint>| points.into_iter().map(|p| p.id).collect::<Vec<_>>();
    let all = [third.clone(), second.clone(), first.clone()];
    assert_eq!(ids(points(&cloud, None, None)), all);
    assert_eq!(ids(points(&cloud, Some(&nas), Some("main"))), [third, first]);
    let of_account =
        Command::ListPoints { source: None, account: Some(account(RESCUE)), vault: None };
    let Answer::Points(found) = cloud.ok(of_account) else { panic!("no points") };
    assert_eq!(ids(found), [second]);
    cloud.ok(create_vault("empty"));
    assert_eq!(points(&cloud, None, Some("empty")), []);
}

#[test]
fn a_folder_is_listed_whole() {
    let cloud = Cloud::set_up();
    let id = cloud.backed_up(&source(PAYROLL, "nas/fs-1"));
    let entry = |n: u32| BrowsedEntry {
        name: format!("file-{n:05}"),
        kind: "file".to_owned(),
        size: Bytes(u64::from(n)),
        modified: None,
    };
    let entries: Vec<BrowsedEntry> = (0..2_500).map(entry).collect();
    cloud.ports.fill("", vec![entry(1)]);
    cloud.ports.fill("a/b", entries.clone());
    let browse = |path: &str| Command::BrowsePoint { point: id.clone(), path: path.to_owned() };
    assert_eq!(cloud.ok(browse("")), Answer::Entries(vec![entry(1)]));
    assert_eq!(cloud.ok(browse("./a//b/")), Answer::Entries(entries));
    cloud.refused(browse("c"), "UNKNOWN");
    for outside in ["/etc", "../x", "a/../.."] {
        cloud.refused(browse(outside), "PATH_OUTSIDE");
    }
}

#[test]
fn a_point_is_restored_to_any_account() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let id = cloud.backed_up(&nas);
    let job = cloud.started(restore(&id, &source(RESCUE, "nas/fs-1")));
    assert_eq!(in_use(&cloud), 1);
    let refusal = cloud.refused(delete(&id), "POINT_IN_USE");
    assert!(refusal.to_string().contains(job.as_str()));
    cloud.work();
    let view = cloud.job(&job);
    assert_eq!((view.status.as_str(), view.account.as_str()), ("COMPLETE", RESCUE));
    assert_eq!((view.point, in_use(&cloud)), (Some(id.clone()), 0));
    cloud.refused(restore(&id, &source(RESCUE, "ecs-files/i-1")), "RESTORE_OTHER_TYPE");
    let outside = Command::Restore {
        point: id,
        to: nas,
        into: "../..".to_owned(),
        only: None,
        overwrite: Overwrite::Refuse,
    };
    cloud.refused(outside, "PATH_OUTSIDE");
}

#[test]
fn an_ecs_instance_goes_back_only_to_its_own_account() {
    let cloud = Cloud::set_up();
    let id = plant(&cloud, &source(PAYROLL, "ecs-instance/i-1"));
    cloud.refused(restore(&id, &source(RESCUE, "ecs-instance/i-1")), "RESTORE_OTHER_ACCOUNT");
    cloud.refused(restore(&id, &source(PAYROLL, "ecs-instance/i-1")), "SOURCE_TYPE_UNSUPPORTED");
}

#[test]
fn a_canceled_restore_frees_its_point() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let id = cloud.backed_up(&nas);
    let job = cloud.started(restore(&id, &nas));
    cloud.ok(Command::CancelJob { job });
    assert_eq!(in_use(&cloud), 0);
    cloud.started(delete(&id));
}

#[test]
fn a_deleted_point_is_gone_at_once_for_restores_and_soon_for_all() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let id = cloud.backed_up(&nas);
    let job = cloud.started(delete(&id));
    assert_eq!(points(&cloud, None, None)[0].status(), "EXPIRED");
    cloud.refused(delete(&id), "POINT_NOT_AVAILABLE");
    cloud.refused(restore(&id, &nas), "POINT_NOT_AVAILABLE");
    cloud.refused(
        Command::BrowsePoint { point: id.clone(), path: String::new() },
        "POINT_NOT_AVAILABLE",
    );
    cloud.work();
    assert_eq!(cloud.job(&job).status, "COMPLETE");
    assert_eq!(points(&cloud, None, None), []);
    cloud.refused(delete(&id), "UNKNOWN");
    cloud.refused(restore(&id, &nas), "UNKNOWN");
}

#[test]
fn a_restore_and_a_deletion_at_once_are_one_of_the_two() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let id = cloud.backed_up(&nas);
    let twin = restore(&id, &nas);
    cloud.ports.before_commit(move |ports| {
        run(handle(ports, &account(VAULTS), &token("other"), twin)).unwrap();
    });
    let refused = cloud.ask(delete(&id)).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    cloud.work();
    assert_eq!(points(&cloud, None, None).len(), 1);
}
