//! Honest runs: whatever people do, all that must hold does.

use chrono::TimeDelta;
use crossvault_core::{offboarding::RunningJobs, restore::Overwrite};
use crossvault_handlers::{
    api::{Command, RetentionSpec},
    records::Record,
};
use crossvault_simulator::{
    chooser::Boring, cloud::Cloud, model::Model, oracle::Oracles, run::Run, script::Action,
    world::Deed,
};

use crate::story::{Story, asks, backs_up, files, payroll, payroll_does, restores, role_goes};

/// How the jobs ended, by kind and status or code.
fn jobs(cloud: &Cloud) -> Vec<String> {
    let mut all: Vec<_> = cloud
        .rows
        .all()
        .filter_map(|(_, row)| match &row.record {
            Record::Job(job) => Some((job.queued, job)),
            _ => None,
        })
        .collect();
    all.sort_by_key(|(queued, job)| (*queued, job.id.clone()));
    let word = |job: &crossvault_handlers::records::Job| match job.work.failure() {
        Some(failure) => format!("{} {}", job.work.kind(), failure.root_code()),
        None => format!("{} {}", job.work.kind(), job.work.status()),
    };
    all.into_iter().map(|(_, job)| word(job)).collect()
}

fn count(run: &Run<Boring, (Oracles, Model)>, name: &str) -> usize {
    run.cloud.rows.all().filter(|(_, row)| row.record.name() == name).count()
}

#[test]
fn slots_become_points() {
    let run = Story::new().then(30, Action::Edits(files())).then(3 * 3600, Action::Waits).holds();
    assert_eq!(jobs(&run.cloud), ["backup COMPLETE"; 3]);
    assert_eq!(count(&run, "Point"), 3);
}

#[test]
fn a_restore_ends_and_frees_its_point() {
    let run = Story::bare()
        .then(1, backs_up(files()))
        .then(60, restores(Overwrite::Replace))
        .then(60, restores(Overwrite::Refuse))
        .holds();
    assert_eq!(jobs(&run.cloud), ["backup COMPLETE", "restore COMPLETE", "restore COMPLETE"]);
}

#[test]
fn a_restore_that_meets_other_files_is_partial() {
    let run =
        Story::bare().then(1, backs_up(files())).then(60, restores(Overwrite::Refuse)).holds();
    assert_eq!(jobs(&run.cloud), ["backup COMPLETE", "restore PARTIAL_COMPLETE"]);
}

#[test]
fn a_job_is_canceled_before_and_while_it_runs() {
    let run = Story::bare()
        .then(1, backs_up(files()))
        .then(0, Action::Cancels(files()))
        .then(10, backs_up(files()))
        .then(1, Action::Cancels(files()))
        .holds();
    assert!(jobs(&run.cloud).iter().all(|job| job.starts_with("backup C")));
}

#[test]
fn points_expire_and_their_space_is_given_back() {
    let mut story = Story::bare().then(1, crate::story::hourly(1)).then(1, crate::story::binds());
    for _ in 0..2 {
        story = story.then(24 * 3600, Action::Retains).then(60, Action::Edits(files()));
    }
    let run = story.holds();
    let jobs = jobs(&run.cloud);
    assert!(jobs.contains(&"erase COMPLETE".to_owned()), "{jobs:?}");
    assert!(jobs.contains(&"prune COMPLETE".to_owned()), "{jobs:?}");
}

#[test]
fn a_point_is_deleted_by_hand() {
    let run = Story::bare().then(1, backs_up(files())).then(60, Action::Deletes(files())).holds();
    assert_eq!(jobs(&run.cloud)[..2], ["backup COMPLETE", "erase COMPLETE"]);
    assert_eq!(count(&run, "Point"), 0);
}

#[test]
fn a_role_that_goes_is_named_by_every_job_after() {
    let run = Story::new().all(role_goes()).then(2 * 3600, Action::Reviews).holds();
    assert_eq!(jobs(&run.cloud), ["backup ROLE_DELETED"; 2]);
}

#[test]
fn a_source_that_goes_is_named() {
    let run = Story::new()
        .then(1, payroll_does(Deed::RemoveSource { source: files() }))
        .then(3600, Action::Waits)
        .holds();
    assert_eq!(jobs(&run.cloud), ["backup SOURCE_NOT_FOUND"]);
}

#[test]
fn an_account_is_taken_off_the_list() {
    let remove = || {
        asks(Command::RemoveAccount {
            account: payroll(),
            region: files().region,
            jobs: RunningJobs::Cancel,
        })
    };
    let run =
        Story::new().then(3600, remove()).then(60, remove()).then(3600, backs_up(files())).holds();
    assert_eq!(jobs(&run.cloud).last().unwrap(), "backup GRANT_REMOVED");
    assert_eq!(count(&run, "Binding"), 0);
}

#[test]
fn a_policy_changes_is_paused_and_goes() {
    let change = |schedule: &str| {
        asks(Command::UpdatePolicy {
            policy: "hourly".into(),
            schedule: Some(schedule.into()),
            zone: None,
            retention: Some(RetentionSpec { days: Some(3), ..RetentionSpec::default() }),
        })
    };
    let pause =
        |paused| asks(Command::PauseBinding { policy: "hourly".into(), source: files(), paused });
    let run = Story::new()
        .then(2 * 3600, change("I|0|PT20M"))
        .then(3600, pause(true))
        .then(3600, pause(false))
        .then(1, change("C|0|0 0 * * * ?"))
        .then(2 * 3600, asks(Command::Unbind { policy: "hourly".into(), source: files() }))
        .then(3600, crate::story::binds())
        .then(2 * 3600, asks(Command::DeletePolicy { policy: "hourly".into() }))
        .then(3600, Action::Waits)
        .holds();
    assert!(count(&run, "Slot") > 8);
    assert!(TimeDelta::hours(9) < run.now() - crate::story::start());
}
