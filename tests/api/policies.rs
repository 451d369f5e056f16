//! Policies are made, changed and deleted, and their bindings follow.

use chrono::TimeDelta;
use crossvault_core::{backup_policy::BackupPolicy, ids::DataSource};
use crossvault_handlers::{
    api::{Answer, Command, PolicySpec, RetentionSpec, handle},
    enqueue::DUE_SHARD,
    schedule,
};
use crossvault_simulator::world::Deed;
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, PAYROLL, VAULTS, account, bind, create_policy, source, spec, token, update,
};

fn policies(cloud: &Cloud) -> Vec<BackupPolicy> {
    let Answer::Policies(policies) = cloud.ok(Command::ListPolicies) else { panic!("no policies") };
    policies
}

fn delete(policy: &str) -> Command {
    Command::DeletePolicy { policy: policy.to_owned() }
}

/// Sources of one account, as many as asked for, all bound to `daily`.
fn bound(cloud: &Cloud, count: usize) -> Vec<DataSource> {
    let sources: Vec<_> = (0..count).map(|n| source(PAYROLL, &format!("nas/n-{n}"))).collect();
    for new in &sources {
        let (name, location) = (new.id.to_string(), "/".to_owned());
        cloud.does(PAYROLL, Deed::PutSource { source: new.clone(), name, location, running: true });
        cloud.ok(bind("daily", new));
    }
    sources
}

#[test]
fn what_a_policy_says_is_checked() {
    let cloud = Cloud::set_up();
    cloud.refused(create_policy("daily"), "NAME_TAKEN");
    cloud.refused(create_policy("2nd"), "INVALID_NAME");
    let refused = |change: fn(&mut PolicySpec), code: &str| {
        let mut spec = spec("other");
        change(&mut spec);
        cloud.refused(Command::CreatePolicy(spec), code);
    };
    refused(|spec| "none".clone_into(&mut spec.vault), "UNKNOWN");
    refused(|spec| "Mars/Olympus".clone_into(&mut spec.zone), "ZONE_UNKNOWN");
    refused(|spec| "daily".clone_into(&mut spec.schedule), "RECURRENCE_FORM_INVALID");
    refused(|spec| spec.retention.days = Some(0), "RETENTION_DAYS_INVALID");
    refused(|spec| spec.retention.weekly = Some(7), "RETENTION_SPECIAL_NOT_LONGER");
    refused(
        |spec| {
            spec.retention =
                RetentionSpec { days: None, daily: Some(9), ..RetentionSpec::default() }
        },
        "RETENTION_SPECIAL_BESIDE_PERMANENT",
    );
    let names: Vec<String> = policies(&cloud).into_iter().map(|policy| policy.name).collect();
    assert_eq!(names, ["daily"]);
}

#[test]
fn a_policy_is_known_by_name_and_id() {
    let cloud = Cloud::set_up();
    let id = policies(&cloud)[0].id.to_string();
    cloud.ok(bind(&id, &source(PAYROLL, "nas/fs-1")));
    cloud.refused(bind("daily", &source(PAYROLL, "nas/fs-1")), "BOUND_ALREADY");
    cloud.refused(bind("nightly", &source(PAYROLL, "nas/fs-1")), "UNKNOWN");
    cloud.refused(bind("po-00000000000000000000", &source(PAYROLL, "nas/fs-1")), "UNKNOWN");
    cloud.refused(bind(&"x".repeat(5_000), &source(PAYROLL, "nas/fs-1")), "UNKNOWN");
}

#[test]
fn a_changed_policy_moves_all_its_bindings() {
    let cloud = Cloud::set_up();
    // More than two pages of a fan-out.
    bound(&cloud, 60);
    cloud.ports.pass(TimeDelta::minutes(10));
    let Answer::Policy(changed) = cloud.ok(update("daily", "C|0|0 0 5 * * ?")) else {
        panic!("no policy")
    };
    assert_eq!((changed.version, changed.since), (2, cloud.now()));
    assert!(cloud.due().iter().all(|due| due.to_string() == "2026-03-03 02:00:00 UTC"));
    cloud.work();
    assert_eq!(cloud.due().len(), 60);
    let Answer::Bindings(listed) = cloud.ok(Command::ListBindings { policy: None }) else {
        panic!("no bindings")
    };
    assert_eq!(listed.len(), 60);
    assert!(listed.is_sorted_by_key(|view| view.binding.source.clone()));
    assert!(cloud.due().iter().all(|due| due.to_string() == "2026-03-03 05:00:00 UTC"));
    // A change that changes nothing is none.
    let rows = cloud.count("PolicyVersion");
    cloud.ok(update("daily", "C|0|0 0 5 * * ?"));
    assert_eq!(cloud.count("PolicyVersion"), rows);
}

#[test]
fn a_slot_before_the_change_is_decided_by_the_old_version() {
    let cloud = Cloud::set_up();
    bound(&cloud, 1);
    // 02:05: the slot of 02:00 is due, and no tick has come yet.
    cloud.ports.pass(TimeDelta::minutes(14 * 60 + 5));
    cloud.ok(update("daily", "C|0|0 0 5 * * ?"));
    cloud.ok(update("daily", "C|0|0 0 6 * * ?"));
    cloud.work();
    assert_eq!(cloud.due()[0].to_string(), "2026-03-03 02:00:00 UTC");
    let at = cloud.now();
    let ticked =
        run(schedule::tick(&cloud.ports, DUE_SHARD, at, chrono::DateTime::<chrono::Utc>::MAX_UTC))
            .unwrap();
    assert_eq!(ticked.started, 1);
    cloud.sweep();
    assert_eq!(cloud.due()[0].to_string(), "2026-03-03 05:00:00 UTC");
    // The message of the second change is repeated: now it moves the binding.
    let policy = policies(&cloud)[0].id.clone();
    let fanned = run(crossvault_handlers::fan_out::fan_out(&cloud.ports, &policy, None)).unwrap();
    assert_eq!(fanned.moved, 1);
    cloud.sweep();
    assert_eq!(cloud.due()[0].to_string(), "2026-03-03 06:00:00 UTC");
    let fanned = run(crossvault_handlers::fan_out::fan_out(&cloud.ports, &policy, None)).unwrap();
    assert_eq!(fanned.moved, 0);
}

#[test]
fn a_binding_follows_as_far_as_its_slots_are_decided() {
    let cloud = Cloud::set_up();
    bound(&cloud, 1);
    cloud.ok(update("daily", "I|0|PT1H"));
    cloud.ports.pass(TimeDelta::hours(3));
    cloud.ok(update("daily", "C|0|0 0 5 * * ?"));
    cloud.work();
    // The second version has a slot at 13:00 that no tick has looked at.
    assert_eq!(cloud.due()[0].to_string(), "2026-03-02 13:00:00 UTC");
}

#[test]
fn versions_follow_one_another_also_when_the_clock_steps_back() {
    let cloud = Cloud::set_up();
    bound(&cloud, 1);
    cloud.ports.pass(TimeDelta::hours(-1));
    let Answer::Policy(second) = cloud.ok(update("daily", "I|0|PT2H")) else { panic!("none") };
    assert!(second.since > cloud.now());
    cloud.work();
    assert_eq!(cloud.due()[0].to_string(), "2026-03-02 14:00:00 UTC");
}

#[test]
fn a_deleted_policy_unbinds_all_its_sources() {
    for count in [0, 3, 60] {
        let cloud = Cloud::set_up();
        let sources = bound(&cloud, count);
        let point = sources.first().map(|first| cloud.backed_up(first));
        cloud.ok(delete("daily"));
        assert_eq!(policies(&cloud), []);
        let Answer::Bindings(bindings) = cloud.ok(Command::ListBindings { policy: None }) else {
            panic!("no bindings")
        };
        assert_eq!(bindings, []);
        cloud.work();
        assert_eq!((cloud.count("Binding"), cloud.count("PolicyBinding")), (0, 0));
        assert_eq!(cloud.count("Point"), usize::from(point.is_some()));
        cloud.refused(delete("daily"), "UNKNOWN");
        cloud.ok(create_policy("daily"));
    }
}

#[test]
fn a_binding_that_is_made_while_its_policy_goes_goes_too() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let twin = bind("daily", &nas);
    cloud.ports.before_commit(move |ports| {
        run(handle(ports, &account(VAULTS), &token("other"), twin)).unwrap();
    });
    cloud.ok(delete("daily"));
    cloud.work();
    assert_eq!((cloud.count("Binding"), cloud.count("Due")), (0, 0));
}
