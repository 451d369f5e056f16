//! Every type of source on a platform that backs up all of them: what its jobs need is what the
//! catalog says and no less, and its recovery points go where they may.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::Cause,
    catalog::{self, Deed as Able, Need, Operation, Party, Scope, Verb},
    explain::Explain,
    grant::Method,
    ids::{DataSource, PointId, RoleArn, SourceKind},
    policy::documents,
    restore::Overwrite,
};
use crossvault_handlers::{
    api::{Answer, Command, JobView},
    enqueue::DUE_SHARD,
    records::Advice,
    schedule,
};
use crossvault_simulator::world::Deed;
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, PAYROLL, RESCUE, ROLE, VAULTS, account, add, back_up, bind, by_role, create_vault,
    region, remove, restore, source,
};

const EXACT: &str = "exact";

fn source_of(owner: &str, kind: SourceKind) -> DataSource {
    source(owner, &format!("{kind}/x-1"))
}

fn role_of(owner: &str) -> RoleArn {
    RoleArn { account: account(owner), name: ROLE.parse().unwrap() }
}

/// What a job of this sort needs of its source, in the order of the catalog.
fn needs(verb: Verb, of: &DataSource) -> Vec<Need> {
    catalog::needs(Operation { kind: of.kind, verb }, of.into())
}

/// Lets an account's role do what is needed and nothing else.
fn narrow(cloud: &Cloud, owner: &str, needs: &[Need]) {
    let documents = documents(&needs.iter().collect::<Vec<_>>());
    let [document] = documents.as_slice() else { panic!("{documents:?}") };
    put(cloud, owner, document);
}

fn put(cloud: &Cloud, owner: &str, document: &str) {
    let (name, document) = (EXACT.to_owned(), document.to_owned());
    cloud.does(owner, Deed::PutPolicy { name, document });
    let role = || ROLE.parse().unwrap();
    let has_exact = cloud.ports.look(|world| {
        world.find_role(&role_of(owner)).unwrap().attached.iter().any(|name| name == EXACT)
    });
    if !has_exact {
        let policy = "AliyunHBRRolePolicy".to_owned();
        cloud.does(owner, Deed::DetachPolicy { role: role(), policy });
        cloud.does(owner, Deed::AttachPolicy { role: role(), policy: EXACT.to_owned() });
    }
}

/// Carries out what the command starts, to its end.
#[track_caller]
fn done(cloud: &Cloud, command: Command) -> JobView {
    let job = cloud.started(command);
    cloud.work();
    cloud.job(&job)
}

fn by_hand(of: &DataSource) -> Command {
    back_up(of, None, Some("main"))
}

/// The job completes with exactly the needs, with and without the role being readable; without any
/// one of them it ends with a cause that names this one.
#[track_caller]
fn needs_exactly(cloud: &Cloud, target: &DataSource, needs: &[Need], command: &Command) {
    let owner = target.account.as_str();
    for reads in [catalog::reads(&role_of(owner)), vec![]] {
        let of = |needs: &[Need]| [needs, &reads].concat();
        narrow(cloud, owner, &of(needs));
        let view = done(cloud, command.clone());
        assert_eq!(view.status, "COMPLETE", "{target}: {view:?}");
        for Need { action, .. } in needs {
            let rest: Vec<Need> =
                needs.iter().filter(|need| need.action != *action).cloned().collect();
            narrow(cloud, owner, &of(&rest));
            let view = done(cloud, command.clone());
            let [one] = view.causes.as_slice() else {
                panic!("{target} without {action}: {view:?}")
            };
            let Cause::PermissionMissing { actions, .. } = &one.cause else { panic!("{one:?}") };
            assert_eq!(actions, &[action.to_string()], "{target}");
            assert!(one.message.contains(action), "{}", one.message);
        }
    }
}

#[test]
fn a_backup_needs_exactly_what_the_catalog_says() {
    for kind in SourceKind::ALL {
        let cloud = Cloud::of_all_kinds().added();
        let of = source_of(PAYROLL, kind);
        needs_exactly(&cloud, &of, &needs(Verb::BackUp, &of), &by_hand(&of));
    }
}

#[test]
fn a_restore_needs_exactly_what_the_catalog_says() {
    for kind in SourceKind::ALL {
        let cloud = Cloud::of_all_kinds().added();
        let point = cloud.backed_up(&source_of(PAYROLL, kind));
        for owner in [PAYROLL, RESCUE] {
            let to = source_of(owner, kind);
            if owner == PAYROLL || catalog::may(Party::Management, kind, Able::RestoreToOthers) {
                needs_exactly(&cloud, &to, &needs(Verb::Restore, &to), &restore(&point, &to));
            } else {
                assert_eq!(kind, SourceKind::EcsInstance);
                cloud.refused(restore(&point, &to), "RESTORE_OTHER_ACCOUNT");
            }
        }
    }
}

/// What lies in a vault goes without the account; an instance's snapshots go only with its leave.
#[test]
fn points_are_deleted_by_the_leave_of_whoever_has_their_data() {
    for kind in SourceKind::ALL {
        let cloud = Cloud::of_all_kinds().added();
        let of = source_of(PAYROLL, kind);
        let needs = needs(Verb::Erase, &of);
        let point = |_| {
            cloud.ports.pass(TimeDelta::hours(1));
            cloud.backed_up(&of)
        };
        let mut deletions = (0..needs.len() + 3).map(point).collect::<Vec<_>>().into_iter();
        let mut delete = || done(&cloud, Command::DeletePoint { point: deletions.next().unwrap() });

        // The source may be long gone, and that may be seen.
        cloud.does(PAYROLL, Deed::RemoveSource { source: of.clone() });
        assert_eq!(delete().status, "COMPLETE", "{kind}");
        let of_role = |needs: &[Need]| [needs, &catalog::reads(&role_of(PAYROLL))].concat();
        narrow(&cloud, PAYROLL, &of_role(&needs));
        assert_eq!(delete().status, "COMPLETE", "{kind}");
        for Need { action, .. } in &needs {
            let is_other = |need: &&Need| need.action != *action;
            let rest: Vec<Need> = needs.iter().filter(is_other).cloned().collect();
            narrow(&cloud, PAYROLL, &of_role(&rest));
            let view = delete();
            let [one] = view.causes.as_slice() else { panic!("{kind} without {action}: {view:?}") };
            let Cause::PermissionMissing { actions, .. } = &one.cause else { panic!("{one:?}") };
            assert_eq!(actions, &[action.to_string()], "{kind}");
        }
        cloud.ok(remove(PAYROLL));
        let failure = delete().failure.map(|failure| failure.code);
        let expected = (!needs.is_empty()).then(|| "GRANT_REMOVED".to_owned());
        assert_eq!(failure, expected, "{kind}");
    }
}

/// Backs up every type and restores it to where it came from.
#[track_caller]
fn all_work(cloud: &Cloud, owner: &str) -> Vec<PointId> {
    let work = |kind| {
        let of = source_of(owner, kind);
        let point = cloud.backed_up(&of);
        let view = done(cloud, restore(&point, &of));
        assert_eq!(view.status, "COMPLETE", "{view:?}");
        point
    };
    SourceKind::ALL.into_iter().map(work).collect()
}

#[test]
fn both_ways_serve_every_type() {
    let cloud = Cloud::of_all_kinds().added();
    all_work(&cloud, PAYROLL);

    let cloud = Cloud::of_all_kinds();
    cloud.ports.organize(&[account(PAYROLL)]).unwrap();
    cloud.ok(add(PAYROLL, Method::Directory, false));
    cloud.ok(create_vault("main"));
    all_work(&cloud, PAYROLL);
}

#[test]
fn a_check_tells_of_every_type() {
    let cloud = Cloud::of_all_kinds().added();
    let check = |source| {
        let (account, region) = (account(PAYROLL), region());
        let command = Command::CheckAccount { account, region, method: None, source };
        let Answer::Check(check) = cloud.ok(command) else { panic!("no check") };
        check
    };
    let whole = check(None);
    assert_eq!((whole.operations.len(), whole.is_authorized()), (21, true), "{whole:?}");
    // A role for one type of source serves this type, and the account stays added.
    for kind in SourceKind::ALL {
        let of = source_of(PAYROLL, kind);
        let needed = [needs(Verb::Discover, &of), needs(Verb::BackUp, &of)].concat();
        narrow(&cloud, PAYROLL, &[needed, catalog::reads(&role_of(PAYROLL))].concat());
        assert!(check(Some(of)).is_authorized(), "{kind}");
        assert!(!check(None).is_authorized(), "{kind}");
    }
}

#[test]
fn an_account_that_serves_one_type_is_added() {
    for kind in SourceKind::ALL {
        let cloud = Cloud::of_all_kinds();
        cloud.ports.agree().unwrap();
        cloud
            .ports
            .trust(&account(PAYROLL), &ROLE.parse().unwrap(), "AliyunHBRRolePolicy")
            .unwrap();
        let of = source_of(PAYROLL, kind);
        let scope = Scope { source: None, ..Scope::from(&of) };
        let of_all = |verb| catalog::needs(Operation { kind, verb }, scope);
        let needed = [of_all(Verb::Discover), of_all(Verb::BackUp)].concat();
        let needed = [needed, catalog::reads(&role_of(PAYROLL))].concat();
        let is_other = |need: &&Need| need.action != needed[0].action;
        let less: Vec<Need> = needed.iter().filter(is_other).cloned().collect();
        narrow(&cloud, PAYROLL, &less);
        cloud.refused(add(PAYROLL, by_role(), true), "PERMISSION_MISSING");
        narrow(&cloud, PAYROLL, &needed);
        cloud.ok(add(PAYROLL, by_role(), true));
    }
}

#[test]
fn what_a_review_advises_serves_every_type() {
    let cloud = Cloud::of_all_kinds().added();
    for kind in SourceKind::ALL {
        cloud.ok(bind("daily", &source_of(PAYROLL, kind)));
    }
    let of = Some(account(PAYROLL));
    let Answer::Reviews(reviews) = cloud.ok(Command::ListReviews { account: of, now: true }) else {
        panic!("no reviews")
    };
    let Advice::Smaller { documents } = &reviews[0].advice else { panic!("{reviews:?}") };
    let [document] = documents.as_slice() else { panic!("{documents:?}") };
    put(&cloud, PAYROLL, document);
    all_work(&cloud, PAYROLL);
}

#[test]
fn every_type_is_backed_up_by_its_policy_and_stays_when_its_account_goes() {
    let cloud = Cloud::of_all_kinds().added();
    for kind in SourceKind::ALL {
        cloud.ok(bind("daily", &source_of(PAYROLL, kind)));
    }
    cloud.ports.pass(TimeDelta::hours(14));
    let stop_at = DateTime::<Utc>::MAX_UTC;
    let ticked = run(schedule::tick(&cloud.ports, DUE_SHARD, cloud.now(), stop_at)).unwrap();
    assert_eq!(ticked.started, 7);
    cloud.work();
    assert_eq!(cloud.count("Point"), 7);

    let Answer::Removal(plan) = cloud.ok(remove(PAYROLL)) else { panic!("no plan") };
    for restorable in &plan.stays_restorable {
        let others = [account(VAULTS), account(RESCUE)];
        let goes_only_home = restorable.source.kind == SourceKind::EcsInstance;
        assert_eq!(restorable.to, if goes_only_home { &[][..] } else { &others }, "{restorable:?}");
    }
    assert_eq!(plan.stays_restorable.len(), 7);
}

#[test]
fn the_refusal_of_an_instance_elsewhere_says_where_it_goes() {
    let cloud = Cloud::of_all_kinds().added();
    let point = cloud.backed_up(&source_of(PAYROLL, SourceKind::EcsInstance));
    let to = source_of(RESCUE, SourceKind::EcsInstance);
    let refusal = cloud.refused(restore(&point, &to), "RESTORE_OTHER_ACCOUNT");
    assert!(refusal.remedy().contains(PAYROLL), "{}", refusal.remedy());
}

#[test]
fn only_a_point_that_holds_files_is_browsed_and_restored_in_part() {
    let cloud = Cloud::of_all_kinds().added();
    cloud.ports.fill("", Vec::new());
    for kind in SourceKind::ALL {
        let of = source_of(PAYROLL, kind);
        let point = cloud.backed_up(&of);
        let part = |into: &str, only: Option<&str>| {
            let (into, only) = (into.to_owned(), only.map(str::to_owned));
            let (point, to) = (point.clone(), of.clone());
            Command::Restore { point, to, into, only, overwrite: Overwrite::Refuse }
        };
        let browse = Command::BrowsePoint { point: point.clone(), path: String::new() };
        let commands = [browse, part("monday", None), part("", Some("etc/hosts"))];
        for command in commands {
            if catalog::may(Party::Management, kind, Able::ReadPoints) {
                cloud.ok(command);
            } else {
                cloud.refused(command, "POINT_HOLDS_NO_FILES");
            }
        }
    }
}
