//! Backup of an account is cancelled, step by step, and its recovery points stay.

use crossvault_core::{
    catalog::Party,
    grant::Method,
    ids::{DataSource, PointId},
    offboarding::{Plan, RunningJobs, Step, StepState, Task},
    policy::ServiceRole,
};
use crossvault_handlers::{
    api::{Answer, Command, handle},
    records::Record,
};
use crossvault_simulator::world::Deed;
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, OUTSIDE, PAYROLL, RESCUE, ROLE, VAULTS, account, add, back_up, bind, by_role, region,
    remove, remove_with, restore, source, token,
};

fn planned(cloud: &Cloud, command: Command) -> Plan {
    let Answer::Removal(plan) = cloud.ok(command) else { panic!("no plan") };
    *plan
}

/// The plan, which changes nothing.
fn plan(cloud: &Cloud) -> Plan {
    let rows = cloud.ports.rows();
    let command = Command::PlanRemoval { account: account(PAYROLL), region: region() };
    let plan = planned(cloud, command);
    assert_eq!(cloud.ports.rows(), rows);
    plan
}

/// A step in few words: its task, and how it stands.
fn in_words(Step { task, who, state }: &Step) -> String {
    let task = match task {
        Task::Unbind { bindings } => format!("unbind {bindings}"),
        Task::EndJobs { jobs } => format!("end {}", jobs.len()),
        Task::UninstallClients { clients } => format!("uninstall {}", clients.len()),
        Task::DeleteGrant => "delete grant".to_owned(),
        Task::DetachPolicies { policies, .. } => match policies {
            Some(policies) => format!("detach {}", policies.len()),
            None => "detach".to_owned(),
        },
        Task::DeleteRole { .. } => "delete role".to_owned(),
    };
    let state = match state {
        StepState::Done => "done",
        StepState::Next => "next",
        StepState::Later => "later",
        StepState::Kept { .. } => "kept",
        StepState::Unseen => "unseen",
    };
    let who = match who {
        Party::Management => "we",
        Party::Resource => "they",
    };
    format!("{who} {task}: {state}")
}

#[track_caller]
fn check(plan: &Plan, expected: &[&str]) {
    let steps: Vec<String> = plan.steps.iter().map(in_words).collect();
    assert_eq!(steps, expected);
}

fn nas() -> DataSource {
    source(PAYROLL, "nas/fs-1")
}

/// The recovery points, as they are stored.
fn points(cloud: &Cloud) -> Vec<Record> {
    let rows = cloud.ports.rows().into_iter().map(|stored| stored.record);
    rows.filter(|record| matches!(record, Record::Point(_) | Record::PointRef(_))).collect()
}

fn delete_role(cloud: &Cloud) {
    let (role, policy) = (ROLE.parse().unwrap(), "AliyunHBRRolePolicy".to_owned());
    cloud.does(PAYROLL, Deed::DetachPolicy { role, policy });
    cloud.does(PAYROLL, Deed::DeleteRole { name: ROLE.parse().unwrap() });
}

/// Payroll by the directory.
fn by_directory() -> Cloud {
    let cloud = Cloud::new();
    cloud.ports.organize(&[account(PAYROLL)]).unwrap();
    cloud.ok(add(PAYROLL, Method::Directory, false));
    cloud
}

/// From the first step to the last: each is seen when it is done, and not before.
#[test]
fn steps_are_led_through_one_after_the_other() {
    let cloud = Cloud::set_up();
    let point = cloud.backed_up(&nas());
    let before = points(&cloud);
    cloud.ok(bind("daily", &nas()));
    let job = cloud.started(back_up(&nas(), Some("daily"), None));
    check(
        &plan(&cloud),
        &[
            "we unbind 1: next",
            "we end 1: later",
            "we delete grant: later",
            "they detach 1: later",
            "they delete role: later",
        ],
    );

    // A job runs: no new one begins, and its grant stays until it has ended.
    let waits = planned(&cloud, remove(PAYROLL));
    check(
        &waits,
        &[
            "we unbind 0: done",
            "we end 1: next",
            "we delete grant: later",
            "they detach 1: later",
            "they delete role: later",
        ],
    );
    assert_eq!(cloud.count("Grant"), 2);
    assert_eq!(points(&cloud), before);
    cloud.work();
    assert_eq!(cloud.job(&job).status, "COMPLETE");
    let before = points(&cloud);

    let ours = ["we unbind 0: done", "we end 0: done", "we delete grant: done"];
    let left = planned(&cloud, remove(PAYROLL));
    check(&left, &[&ours[..], &["they detach 1: next", "they delete role: later"]].concat());
    assert_eq!(cloud.count("Grant"), 1);
    assert_eq!(plan(&cloud), left);
    // Again there is nothing of ours to do.
    assert_eq!(planned(&cloud, remove(PAYROLL)), left);

    let (role, policy) = (ROLE.parse().unwrap(), "AliyunHBRRolePolicy".to_owned());
    cloud.does(PAYROLL, Deed::DetachPolicy { role, policy });
    // Without a policy, the role does not let itself be read any more.
    check(&plan(&cloud), &[&ours[..], &["they detach: next", "they delete role: later"]].concat());
    cloud.does(PAYROLL, Deed::DeleteRole { name: ROLE.parse().unwrap() });
    let over = plan(&cloud);
    check(&over, &[&ours[..], &["they detach: done", "they delete role: done"]].concat());
    assert!(over.is_over());

    // What was backed up stays, and goes wherever else it may.
    assert_eq!(points(&cloud), before);
    let [stays] = over.stays_restorable.as_slice() else { panic!("{over:?}") };
    assert_eq!((&stays.source, stays.points), (&nas(), 2));
    assert_eq!(stays.to, [account(VAULTS), account(RESCUE)]);
    restored(&cloud, &point);
}

/// Restores a point to the management account and to another granted one; the account that it came
/// from is closed.
#[track_caller]
fn restored(cloud: &Cloud, point: &PointId) {
    let own = source(VAULTS, "nas/fs-1");
    let (name, location) = ("own".to_owned(), "/own".to_owned());
    cloud.does(VAULTS, Deed::PutSource { source: own.clone(), name, location, running: true });
    for (to, status) in
        [(own, "COMPLETE"), (source(RESCUE, "nas/fs-1"), "COMPLETE"), (nas(), "FAILED")]
    {
        let job = cloud.started(restore(point, &to));
        cloud.work();
        assert_eq!(cloud.job(&job).status, status, "to {to}");
    }
}

#[test]
fn running_jobs_are_canceled_or_abandoned_when_that_is_asked_for() {
    for (jobs, status) in [(RunningJobs::Cancel, "CANCELED"), (RunningJobs::Abandon, "FAILED")] {
        let cloud = Cloud::set_up();
        let point = cloud.backed_up(&nas());
        let backup = cloud.started(back_up(&nas(), None, Some("main")));
        let other = cloud.started(restore(&point, &source(PAYROLL, "nas/fs-1")));
        // Of another account, and not concerned.
        let apart = cloud.started(restore(&point, &source(RESCUE, "nas/fs-1")));
        planned(&cloud, remove_with(PAYROLL, jobs));
        assert_eq!(cloud.count("Grant"), 1, "{jobs:?}");
        cloud.work();
        for job in [backup, other] {
            assert_eq!(cloud.job(&job).status, status);
        }
        assert_eq!(cloud.job(&apart).status, "COMPLETE");
        let (role, grant) = ("they detach 1: next", "we delete grant: done");
        let steps: Vec<String> = plan(&cloud).steps.iter().map(in_words).collect();
        assert!(steps.contains(&role.to_owned()) && steps.contains(&grant.to_owned()));
    }
}

#[test]
fn the_directorys_role_is_seen_until_it_is_gone() {
    let cloud = by_directory();
    let ours = ["we unbind 0: done", "we end 0: done", "we delete grant: done"];
    check(&planned(&cloud, remove(PAYROLL)), &[&ours[..], &["they delete role: next"]].concat());
    // Outside of the directory the service does not enter, and so does not see.
    cloud.does(VAULTS, Deed::RemoveMember { account: account(PAYROLL) });
    check(&plan(&cloud), &[&ours[..], &["they delete role: unseen"]].concat());
    cloud.does(PAYROLL, Deed::DeleteServiceRole { role: ServiceRole::HbrRd });
    let over = plan(&cloud);
    check(&over, &[&ours[..], &["they delete role: done"]].concat());
    assert!(over.is_over() && over.goes_on_costing.is_empty());
}

#[test]
fn a_role_that_closed_its_door_is_not_said_to_be_gone() {
    let cloud = Cloud::set_up();
    let trust = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}"#;
    cloud.does(PAYROLL, Deed::UpdateTrust { name: ROLE.parse().unwrap(), trust: trust.to_owned() });
    let left = planned(&cloud, remove(PAYROLL));
    let steps: Vec<String> = left.steps.iter().map(in_words).collect();
    assert_eq!(steps[3..], ["they detach: unseen", "they delete role: unseen"]);
    assert!(!left.is_over() && left.next().is_none());
}

#[test]
fn a_role_that_another_region_needs_is_kept() {
    let cloud = Cloud::set_up();
    let elsewhere = |account, region: &str| Command::AddAccount {
        account,
        region: region.parse().unwrap(),
        method: by_role(),
        alias: String::new(),
        consent: false,
    };
    cloud.ok(elsewhere(account(PAYROLL), "cn-beijing"));
    let left = planned(&cloud, remove(PAYROLL));
    assert!(left.is_over(), "{left:?}");
    let steps: Vec<String> = left.steps.iter().map(in_words).collect();
    assert_eq!(steps[3..], ["they detach 1: kept", "they delete role: kept"]);
    // Now it is the last one.
    let (account, region) = (account(PAYROLL), "cn-beijing".parse().unwrap());
    let jobs = RunningJobs::Finish;
    let last = planned(&cloud, Command::RemoveAccount { account, region, jobs });
    assert_eq!(in_words(last.next().unwrap()), "they detach 1: next");
    assert_eq!(in_words(plan(&cloud).next().unwrap()), "they detach 1: next");
}

/// Once the grant is gone, a client can't be reached any more.
#[test]
fn clients_go_before_the_grant_where_there_are_any() {
    let cloud = Cloud::set_up();
    cloud.ports.install(vec![source(PAYROLL, "ecs-files/i-1"), source(RESCUE, "ecs-files/i-1")]);
    let waits = planned(&cloud, remove(PAYROLL));
    assert_eq!(in_words(waits.next().unwrap()), "we uninstall 1: next");
    assert_eq!(cloud.count("Grant"), 2);
    cloud.ports.install(vec![]);
    let left = planned(&cloud, remove(PAYROLL));
    assert!(left.steps.iter().map(in_words).any(|step| step == "we uninstall 0: done"));
    assert_eq!(cloud.count("Grant"), 1);
}

#[test]
fn an_account_that_is_added_again_starts_afresh() {
    let cloud = Cloud::set_up();
    cloud.ok(remove(PAYROLL));
    assert_eq!(cloud.count("FormerGrant"), 1);
    cloud.ok(add(PAYROLL, by_role(), false));
    assert_eq!(cloud.count("FormerGrant"), 0);
    assert_eq!(in_words(plan(&cloud).next().unwrap()), "we delete grant: next");
    cloud.refused(remove(OUTSIDE), "UNKNOWN");
    let never = Command::PlanRemoval { account: account(OUTSIDE), region: region() };
    cloud.refused(never, "UNKNOWN");
}

/// A binding that is made between the last look and the deletion is found.
#[test]
fn no_binding_is_left_behind() {
    let cloud = Cloud::set_up();
    cloud.ports.before_commit(|ports| {
        run(handle(ports, &account(VAULTS), &token("other"), bind("daily", &nas()))).unwrap();
    });
    cloud.ok(remove(PAYROLL));
    assert_eq!((cloud.count("Binding"), cloud.count("Grant")), (0, 1));
}

#[test]
fn two_removals_at_once_come_to_the_same() {
    let cloud = Cloud::set_up();
    for n in 1..=21 {
        let fs = source(PAYROLL, &format!("nas/fs-{n}"));
        let (name, location) = (fs.id.to_string(), "/".to_owned());
        cloud.does(PAYROLL, Deed::PutSource { source: fs.clone(), name, location, running: true });
        cloud.ok(bind("daily", &fs));
    }
    // Before the first transaction of the one, the other does it all.
    cloud.ports.before_commit(|ports| {
        run(handle(ports, &account(VAULTS), &token("other"), remove(PAYROLL))).unwrap();
    });
    let one = planned(&cloud, remove(PAYROLL));
    assert_eq!(one, plan(&cloud));
    assert_eq!((cloud.count("Binding"), cloud.count("Grant")), (0, 1));
    let removed = |record: &Record| matches!(record, Record::Audit(row) if row.record.what == "account.removed");
    let rows = cloud.ports.rows();
    assert_eq!(rows.iter().filter(|stored| removed(&stored.record)).count(), 1);
    delete_role(&cloud);
    assert!(plan(&cloud).is_over());
}
