//! Each deed that breaks authority is heard of by its own events, and found to be what it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{explain::Explain, grant::Method, policy::ServiceRole};
use crossvault_handlers::{directory, records::Record};
use crossvault_simulator::world::{Answer, Deed};
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, PAYROLL, RESCUE, ROLE, VAULTS, account, add, bind, by_role, create_policy, create_vault,
    source,
};

const CUSTOM: &str = "backups";
/// Also allows the rest, or nobody could read that it denies something.
const DENY: &str = r#"{"Version":"1","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"},
    {"Effect":"Deny","Action":"nas:*","Resource":"*"}]}"#;
const ALLOW: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Payroll by role, rescue by directory, a source of each bound; payroll's role has a policy of its
/// own and control policies are on, with one that attaches nowhere yet.
struct Heard {
    cloud: Cloud,
    folder: String,
    control: String,
}

impl Heard {
    fn new() -> Self {
        let cloud = Cloud::new();
        cloud.ports.organize(&[account(PAYROLL), account(RESCUE)]).unwrap();
        cloud.ports.agree().unwrap();
        cloud.does(PAYROLL, Deed::PutPolicy { name: CUSTOM.into(), document: ALLOW.into() });
        cloud.ports.trust(&account(PAYROLL), &ROLE.parse().unwrap(), CUSTOM).unwrap();
        let folder = Deed::CreateFolder { parent: None, name: "finance".into() };
        let Answer::Folder(folder) = cloud.ports.does(&account(VAULTS), folder).unwrap() else {
            panic!("no folder")
        };
        for member in [PAYROLL, RESCUE] {
            cloud.does(
                VAULTS,
                Deed::MoveMember { account: account(member), folder: folder.clone() },
            );
        }
        cloud.does(VAULTS, Deed::EnableControlPolicy);
        let put = Deed::PutControlPolicy { name: "no-nas".into(), document: DENY.into() };
        let Answer::ControlPolicy(control) = cloud.ports.does(&account(VAULTS), put).unwrap()
        else {
            panic!("no control policy")
        };
        cloud.ok(add(PAYROLL, by_role(), false));
        cloud.ok(add(RESCUE, Method::Directory, false));
        cloud.ok(create_vault("main"));
        cloud.ok(create_policy("daily"));
        for owner in [PAYROLL, RESCUE] {
            cloud.ok(bind("daily", &source(owner, "nas/fs-1")));
        }
        cloud.work();
        Self { cloud, folder, control }
    }

    /// Does something, and lets the handler hear what the cloud tells of it.
    #[track_caller]
    fn does(&self, by: &str, deed: Deed) {
        let (_, events) = self.cloud.ports.tells(&account(by), deed).unwrap();
        assert!(!events.is_empty(), "it is told");
        for event in events {
            let stop_at = DateTime::<Utc>::MAX_UTC;
            run(directory::run(&self.cloud.ports, &event.json, stop_at)).unwrap();
        }
        self.cloud.work();
    }

    /// The grants that are stored as broken, with the code of the root.
    fn broken(&self) -> BTreeMap<String, &'static str> {
        let rows = self.cloud.ports.rows();
        let code = |record: &Record| {
            let Record::Grant(row) = record else { return None };
            let broken = row.0.standing.as_ref()?.broken.as_ref()?;
            Some((row.0.account.to_string(), broken.code()))
        };
        rows.iter().filter_map(|stored| code(&stored.record)).collect()
    }
}

/// Deeds, the last of which breaks what is expected and is told once for each grant.
#[track_caller]
fn check(
    deeds: impl FnOnce(&Heard) -> Vec<(&'static str, Deed)>,
    expected: &[(&str, &'static str)],
) {
    let heard = Heard::new();
    assert_eq!((heard.broken(), heard.cloud.ports.alerts()), (BTreeMap::new(), vec![]));
    let deeds = deeds(&heard);
    let (last, before) = deeds.split_last().unwrap();
    for (by, deed) in before {
        heard.does(by, deed.clone());
    }
    heard.cloud.ports.alerts();
    heard.does(last.0, last.1.clone());
    let expected: BTreeMap<String, &str> =
        expected.iter().map(|(owner, code)| ((*owner).to_owned(), *code)).collect();
    assert_eq!(heard.broken(), expected, "{:?}", last.1);
    let told = heard.cloud.ports.alerts();
    let told: Vec<_> =
        told.iter().map(|alert| (alert.account.as_str(), alert.code.as_str())).collect();
    let once: Vec<_> = expected.iter().map(|(owner, code)| (owner.as_str(), *code)).collect();
    assert_eq!(told, once);
}

/// One deed.
#[track_caller]
fn one(by: &'static str, deed: Deed, expected: &[(&str, &'static str)]) {
    check(|_| vec![(by, deed)], expected);
}

fn detach() -> Deed {
    Deed::DetachPolicy { role: ROLE.parse().unwrap(), policy: CUSTOM.into() }
}

#[test]
fn deeds_to_the_role_are_heard() {
    let name = || ROLE.parse().unwrap();
    one(PAYROLL, detach(), &[(PAYROLL, "PERMISSION_MISSING")]);
    let delete =
        |_: &Heard| vec![(PAYROLL, detach()), (PAYROLL, Deed::DeleteRole { name: name() })];
    check(delete, &[(PAYROLL, "ROLE_DELETED")]);
    let trust = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"Service":["ecs.aliyuncs.com"]}}]}"#
        .to_owned();
    one(PAYROLL, Deed::UpdateTrust { name: name(), trust }, &[(PAYROLL, "TRUST_MISSING")]);
}

#[test]
fn deeds_to_its_policy_are_heard() {
    let denied = [(PAYROLL, "PERMISSION_DENIED")];
    let (name, document) = (CUSTOM.to_owned(), DENY.to_owned());
    let put = Deed::PutPolicy { name: name.clone(), document: document.clone() };
    one(PAYROLL, put, &denied);
    let further = |set_as_default| {
        let (name, document) = (name.clone(), document.clone());
        Deed::PutPolicyVersion { name, document, set_as_default }
    };
    one(PAYROLL, further(true), &denied);
    // A version that does not count changes nothing until it does.
    one(PAYROLL, further(false), &[]);
    let version = "v2".parse().unwrap();
    let set = Deed::SetDefaultPolicyVersion { name: name.clone(), version };
    check(|_| vec![(PAYROLL, further(false)), (PAYROLL, set)], &denied);
}

#[test]
fn deeds_to_service_linked_roles_are_heard() {
    let delete = |role| Deed::DeleteServiceRole { role };
    one(RESCUE, delete(ServiceRole::HbrRd), &[(RESCUE, "MEMBER_SERVICE_ROLE_DELETED")]);
    let own = ServiceRole::HbrCrossAccountBackup;
    one(VAULTS, delete(own), &[(PAYROLL, "MANAGEMENT_SERVICE_ROLE_DELETED")]);
}

#[test]
fn deeds_to_members_are_heard() {
    let remove = |member| Deed::RemoveMember { account: account(member) };
    one(VAULTS, remove(RESCUE), &[(RESCUE, "NOT_MEMBER")]);
    one(VAULTS, remove(PAYROLL), &[]);
}

#[test]
fn control_policies_are_heard_of_by_the_role_way_only() {
    let denied = [(PAYROLL, "CONTROL_POLICY_DENIES")];
    let attach = |heard: &Heard, target: &str| Deed::AttachControlPolicy {
        policy: heard.control.clone(),
        target: target.to_owned(),
    };
    check(|heard| vec![(VAULTS, attach(heard, PAYROLL))], &denied);
    check(|heard| vec![(VAULTS, attach(heard, &heard.folder))], &denied);
    // A policy that is attached already says something else.
    let rewrite = |heard: &Heard| {
        let put = |document: &str| Deed::PutControlPolicy {
            name: "no-nas".into(),
            document: document.to_owned(),
        };
        let folder = attach(heard, &heard.folder);
        vec![(VAULTS, put(ALLOW)), (VAULTS, folder), (VAULTS, put(DENY))]
    };
    check(rewrite, &denied);
    // Only the member moves.
    let moved = |heard: &Heard| {
        let other = Deed::CreateFolder { parent: None, name: "barred".into() };
        let Answer::Folder(barred) = heard.cloud.ports.does(&account(VAULTS), other).unwrap()
        else {
            panic!("no folder")
        };
        let moves = |member| Deed::MoveMember { account: account(member), folder: barred.clone() };
        vec![(VAULTS, attach(heard, &barred)), (VAULTS, moves(RESCUE)), (VAULTS, moves(PAYROLL))]
    };
    check(moved, &denied);
}
