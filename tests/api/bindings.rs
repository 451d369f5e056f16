//! Policies are attached to sources, paused, and taken off.

use chrono::TimeDelta;
use crossvault_core::{explain::Explain, ids::DataSource, schedule::slot};
use crossvault_handlers::{
    api::{Answer, BindingView, Command, SlotView, handle},
    enqueue::DUE_SHARD,
    schedule,
};
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, PAYROLL, RESCUE, VAULTS, account, back_up, bind, create_policy, remove, source, token,
};

fn bindings(cloud: &Cloud, policy: Option<&str>) -> Vec<BindingView> {
    let Answer::Bindings(bindings) =
        cloud.ok(Command::ListBindings { policy: policy.map(str::to_owned) })
    else {
        panic!("no bindings")
    };
    bindings
}

fn unbind(policy: &str, source: &DataSource) -> Command {
    Command::Unbind { policy: policy.to_owned(), source: source.clone() }
}

fn pause(source: &DataSource, paused: bool) -> Command {
    Command::PauseBinding { policy: "daily".to_owned(), source: source.clone(), paused }
}

fn tick(cloud: &Cloud) -> schedule::Ticked {
    let ticked = run(schedule::tick(
        &cloud.ports,
        DUE_SHARD,
        cloud.now(),
        chrono::DateTime::<chrono::Utc>::MAX_UTC,
    ));
    cloud.sweep();
    ticked.unwrap()
}

#[test]
fn one_policy_serves_sources_of_several_accounts() {
    let cloud = Cloud::set_up();
    cloud.ok(create_policy("hourly"));
    let sources = [source(RESCUE, "nas/fs-1"), source(PAYROLL, "ecs-files/i-1")];
    for source in &sources {
        cloud.ok(bind("daily", source));
    }
    cloud.ok(bind("hourly", &sources[0]));
    let all: Vec<_> =
        bindings(&cloud, None).into_iter().map(|view| (view.policy, view.binding.source)).collect();
    let [rescue, payroll] = sources;
    let (daily, hourly) = ("daily".to_owned(), "hourly".to_owned());
    assert_eq!(all, [(daily.clone(), payroll), (daily, rescue.clone()), (hourly, rescue)]);
    assert_eq!(bindings(&cloud, Some("hourly")).len(), 1);
}

#[test]
fn only_what_can_be_backed_up_is_bound() {
    let cloud = Cloud::set_up();
    cloud.refused(bind("daily", &source(PAYROLL, "nas/typo")), "SOURCE_NOT_FOUND");
    let refusal =
        cloud.refused(bind("daily", &source(PAYROLL, "oss/bucket")), "SOURCE_TYPE_UNSUPPORTED");
    assert!(refusal.remedy().ends_with("ecs-files, nas."), "{}", refusal.remedy());
    let elsewhere = format!("{PAYROLL}/eu-central-1/nas/fs-1").parse().unwrap();
    cloud.refused(bind("daily", &elsewhere), "REGION_NOT_ADDED");
}

#[test]
fn an_account_that_is_removed_meanwhile_is_not_bound() {
    let cloud = Cloud::set_up();
    cloud.ports.before_commit(|ports| {
        run(handle(ports, &account(VAULTS), &token("other"), remove(PAYROLL))).unwrap();
    });
    let refused = cloud.ask(bind("daily", &source(PAYROLL, "nas/fs-1"))).unwrap_err();
    assert!(refused.to_string().contains("not on the list"), "{refused}");
    assert_eq!(cloud.count("Binding"), 0);
}

#[test]
fn a_policy_that_is_deleted_meanwhile_is_not_bound() {
    let cloud = Cloud::set_up();
    cloud.ports.before_commit(|ports| {
        let delete = Command::DeletePolicy { policy: "daily".to_owned() };
        run(handle(ports, &account(VAULTS), &token("other"), delete)).unwrap();
    });
    cloud.refusal(bind("daily", &source(PAYROLL, "nas/fs-1")), "UNKNOWN");
    assert_eq!(cloud.count("Binding"), 0);
}

#[test]
fn what_is_unbound_runs_no_more_and_keeps_its_history() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    cloud.ok(bind("daily", &nas));
    cloud.ports.pass(TimeDelta::hours(14));
    assert_eq!(tick(&cloud).started, 1);
    cloud.ok(unbind("daily", &nas));
    cloud.refused(unbind("daily", &nas), "UNKNOWN");
    assert!(cloud.due().is_empty());
    // What ran goes on to its point.
    cloud.work();
    assert_eq!(cloud.count("Point"), 1);
    let slots = Command::ListSlots { policy: "daily".to_owned(), source: nas.clone(), limit: 9 };
    assert!(matches!(cloud.ok(slots), Answer::Slots(slots) if slots.len() == 1));

    // The clock steps back before the slot, and the source is bound again: no slot comes twice.
    cloud.ports.pass(TimeDelta::hours(-2));
    cloud.ok(bind("daily", &nas));
    assert_eq!(cloud.due()[0].to_string(), "2026-03-04 02:00:00 UTC");
}

#[test]
fn a_paused_binding_skips_its_slots() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    cloud.ok(bind("daily", &nas));
    cloud.ok(pause(&nas, true));
    let audit = cloud.count("Audit");
    cloud.ok(pause(&nas, true));
    assert_eq!(cloud.count("Audit"), audit);
    cloud.ports.pass(TimeDelta::hours(14));
    assert_eq!(tick(&cloud).skipped, 1);
    // Asked for by hand, it is backed up all the same.
    cloud.started(back_up(&nas, None, None));
    cloud.ok(pause(&nas, false));
    cloud.ports.pass(TimeDelta::hours(3 * 24 + 1));
    assert_eq!(tick(&cloud).missed, 1);
    let slots = Command::ListSlots { policy: "daily".to_owned(), source: nas.clone(), limit: 1 };
    let Answer::Slots(newest) = cloud.ok(slots) else { panic!("no slots") };
    assert!(
        matches!(newest.as_slice(), [SlotView::Missed(missed)]
        if missed.count == slot::Count::Exactly(3)),
        "{newest:?}"
    );
    let slots = Command::ListSlots { policy: "daily".to_owned(), source: nas, limit: 99 };
    let Answer::Slots(all) = cloud.ok(slots) else { panic!("no slots") };
    assert!(matches!(
        all[1],
        SlotView::Slot { outcome: slot::Outcome::Skipped(slot::Skip::Paused), .. }
    ));
    let too_many = Command::ListSlots {
        policy: "daily".to_owned(),
        source: source(PAYROLL, "nas/fs-1"),
        limit: 100,
    };
    cloud.refused(too_many, "OUT_OF_BOUNDS");
    let unbound = Command::ListSlots {
        policy: "daily".to_owned(),
        source: source(RESCUE, "nas/fs-1"),
        limit: 9,
    };
    cloud.refused(unbound, "UNKNOWN");
}
