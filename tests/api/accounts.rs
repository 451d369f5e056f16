//! Accounts are added, checked and removed.

use crossvault_core::{
    authorization::{Cause, Mend},
    explain::Explain,
    grant::Method,
    policy::ServiceRole,
};
use crossvault_handlers::{
    api::{Answer, ApiError, Check, Command, handle},
    ports::PortError,
};
use crossvault_simulator::world::{Deed, Joined};
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, OUTSIDE, PAYROLL, RESCUE, ROLE, VAULTS, account, add, bind, by_role, region, remove,
    source, token,
};

fn check(cloud: &Cloud, owner: &str, method: Option<Method>) -> Check {
    let (account, region) = (account(owner), region());
    let command = Command::CheckAccount { account, region, method, source: None };
    let Answer::Check(check) = cloud.ok(command) else { panic!("no check") };
    check
}

/// The codes of what stands against an operation.
fn codes(check: &Check, operation: &str) -> Vec<&'static str> {
    let found = check.operations.iter().find(|one| one.operation == operation).unwrap();
    found.causes.iter().map(|view| view.cause.code()).collect()
}

fn trusted(cloud: &Cloud, policy: &str) {
    cloud.ports.agree().unwrap();
    cloud.ports.trust(&account(PAYROLL), &ROLE.parse().unwrap(), policy).unwrap();
}

fn put_policy(cloud: &Cloud, name: &str, actions: &str) {
    let document = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
    );
    cloud.does(PAYROLL, Deed::PutPolicy { name: name.to_owned(), document });
}

fn has_service_role(cloud: &Cloud, owner: &str, role: ServiceRole) -> bool {
    cloud.ports.look(|world| world.find_role(&role.arn(&account(owner))).is_some())
}

fn grants(cloud: &Cloud, search: &str) -> Vec<String> {
    let search = (!search.is_empty()).then(|| search.to_owned());
    let Answer::Accounts(grants) = cloud.ok(Command::ListAccounts { region: None, search }) else {
        panic!("no accounts")
    };
    grants.iter().map(|grant| format!("{} {}", grant.account, grant.region)).collect()
}

/// The members of the directory, with whether they are added.
fn members(cloud: &Cloud) -> Vec<(String, bool)> {
    let search = Command::SearchMembers { search: String::new() };
    let Answer::Members(members) = cloud.ok(search) else { panic!("no members") };
    members.iter().map(|view| (view.member.account.to_string(), view.added)).collect()
}

#[test]
fn the_first_account_by_role_needs_consent() {
    let cloud = Cloud::new();
    cloud.refused(add(PAYROLL, by_role(), false), "CONSENT_NEEDED");
    assert!(!has_service_role(&cloud, VAULTS, ServiceRole::HbrCrossAccountBackup));
    // What was agreed to is done and on record, and stays: only now a role can trust it.
    let refusal = cloud.refusal(add(PAYROLL, by_role(), true), "ROLE_DELETED");
    assert!(refusal.remedy().contains("trust policy"));
    assert!(has_service_role(&cloud, VAULTS, ServiceRole::HbrCrossAccountBackup));
    assert_eq!((cloud.count("Audit"), cloud.count("Grant")), (1, 0));

    for owner in [PAYROLL, RESCUE] {
        let role = ROLE.parse().unwrap();
        cloud.ports.trust(&account(owner), &role, "AliyunHBRRolePolicy").unwrap();
        cloud.ok(add(owner, by_role(), false));
        assert!(check(&cloud, owner, None).is_authorized());
    }
    let both = [PAYROLL, RESCUE].map(|owner| format!("{owner} cn-hangzhou"));
    assert_eq!(grants(&cloud, ""), both);
}

#[test]
fn an_account_whose_role_is_missing_or_trusts_another_is_refused() {
    let cloud = Cloud::new();
    cloud.ports.agree().unwrap();
    cloud.refused(add(PAYROLL, by_role(), true), "ROLE_DELETED");
    let mends = check(&cloud, PAYROLL, Some(by_role())).mends;
    let [Mend::CreateRole { trust, .. }] = mends.as_slice() else { panic!("{mends:?}") };
    let trust = trust.clone();

    let (name, other) = (ROLE.parse().unwrap(), trust.replace(VAULTS, OUTSIDE));
    let role = ServiceRole::HbrCrossAccountBackup;
    cloud.does(OUTSIDE, Deed::CreateServiceRole { account: account(OUTSIDE), role });
    cloud.does(PAYROLL, Deed::CreateRole { name, trust: other, max_session_s: None });
    cloud.refused(add(PAYROLL, by_role(), true), "TRUST_MISSING");

    let before_adding = check(&cloud, PAYROLL, Some(by_role()));
    assert_eq!(codes(&before_adding, "back up nas"), ["TRUST_MISSING"]);
    let [Mend::Trust { document, .. }, ..] = before_adding.mends.as_slice() else { panic!() };
    assert_eq!(*document, trust);
    let (role, policy) = (ROLE.parse().unwrap(), "AliyunHBRRolePolicy".to_owned());
    cloud.does(PAYROLL, Deed::AttachPolicy { role, policy });
    cloud.does(PAYROLL, Deed::UpdateTrust { name: ROLE.parse().unwrap(), trust });
    cloud.ok(add(PAYROLL, by_role(), true));
}

#[test]
fn a_check_says_when_the_management_accounts_service_role_is_missing() {
    let cloud = Cloud::new();
    trusted(&cloud, "AliyunHBRRolePolicy");
    cloud.does(VAULTS, Deed::DeleteServiceRole { role: ServiceRole::HbrCrossAccountBackup });
    let found = check(&cloud, PAYROLL, Some(by_role()));
    assert_eq!(codes(&found, "discover nas"), ["MANAGEMENT_SERVICE_ROLE_DELETED"]);
    assert!(found.mends.is_empty(), "adding it creates that role: {:?}", found.mends);
    assert_eq!(codes(&check(&cloud, PAYROLL, None), "discover nas"), ["GRANT_REMOVED"]);
}

#[test]
fn the_management_account_needs_no_grant() {
    let cloud = Cloud::new();
    for method in [None, Some(by_role()), Some(Method::Directory)] {
        assert!(check(&cloud, VAULTS, method).is_authorized());
    }
}

#[test]
fn a_role_that_serves_one_type_is_enough_and_the_check_shows_the_other() {
    let cloud = Cloud::new();
    put_policy(&cloud, "nothing", r#""ram:GetRole","ram:GetPolicy","ram:ListPoliciesForRole""#);
    trusted(&cloud, "nothing");
    let refusal = cloud.refused(add(PAYROLL, by_role(), true), "PERMISSION_MISSING");
    assert!(refusal.to_string().contains("nas:DescribeFileSystems"), "{refusal}");

    let nas = r#""ram:GetRole","ram:GetPolicy","ram:ListPoliciesForRole","nas:*","vpc:Describe*""#;
    put_policy(&cloud, "nothing", nas);
    cloud.ok(add(PAYROLL, by_role(), true));
    let found = check(&cloud, PAYROLL, None);
    for operation in ["discover nas", "back up nas", "restore nas"] {
        assert_eq!(codes(&found, operation), [""; 0], "{operation}");
    }
    for operation in ["discover ecs-files", "back up ecs-files", "restore ecs-files"] {
        assert_eq!(codes(&found, operation), ["PERMISSION_MISSING"], "{operation}");
    }
    // Of what may be listed, all is listed.
    let nas = source(PAYROLL, "nas/fs-1");
    assert_eq!(sources(&cloud, PAYROLL), vec![nas]);
}

#[test]
fn a_role_that_may_not_be_read_is_tried_out() {
    let cloud = Cloud::new();
    put_policy(&cloud, "blind", r#""oss:*""#);
    trusted(&cloud, "blind");
    cloud.refused(add(PAYROLL, by_role(), true), "PERMISSION_MISSING");
    put_policy(&cloud, "blind", r#""nas:*","vpc:*""#);
    cloud.ok(add(PAYROLL, by_role(), true));
    let found = check(&cloud, PAYROLL, None);
    assert_eq!(codes(&found, "discover nas"), [""; 0]);
    assert_eq!(codes(&found, "discover ecs-files"), ["PERMISSION_MISSING"]);
}

#[test]
fn a_member_of_the_directory_is_added_without_its_doing() {
    let cloud = Cloud::new();
    cloud.ports.organize(&[account(PAYROLL)]).unwrap();
    // The service-linked role that adding creates is no finding before.
    assert!(check(&cloud, PAYROLL, Some(Method::Directory)).is_authorized());
    cloud.ok(add(PAYROLL, Method::Directory, false));
    assert!(has_service_role(&cloud, PAYROLL, ServiceRole::HbrRd));
    assert!(!has_service_role(&cloud, VAULTS, ServiceRole::HbrCrossAccountBackup));
    assert!(check(&cloud, PAYROLL, None).is_authorized());

    cloud.refused(add(OUTSIDE, Method::Directory, false), "NOT_MEMBER");
    assert!(!has_service_role(&cloud, OUTSIDE, ServiceRole::HbrRd));
    assert_eq!(members(&cloud), [(PAYROLL.to_owned(), true)]);
}

#[test]
fn only_an_administrator_adds_members() {
    let cloud = Cloud::new();
    cloud.refused(add(PAYROLL, Method::Directory, false), "NOT_ADMINISTRATOR");
    cloud.refused(Command::SearchMembers { search: String::new() }, "NOT_ADMINISTRATOR");

    cloud.does(OUTSIDE, Deed::CreateDirectory);
    for member in [VAULTS, PAYROLL] {
        let (account, joined) = (account(member), Joined::Invited);
        cloud.does(OUTSIDE, Deed::AddMember { account, joined });
    }
    cloud.refused(add(PAYROLL, Method::Directory, false), "NOT_ADMINISTRATOR");
    cloud.does(OUTSIDE, Deed::RegisterAdministrator { account: account(VAULTS) });
    cloud.ok(add(PAYROLL, Method::Directory, false));
    assert_eq!(members(&cloud), [(PAYROLL.to_owned(), true)]);
    cloud.does(OUTSIDE, Deed::DeregisterAdministrator { account: account(VAULTS) });
    assert_eq!(codes(&check(&cloud, PAYROLL, None), "back up nas")[0], "NOT_ADMINISTRATOR");
}

#[test]
fn an_account_is_added_once_in_a_region() {
    let cloud = Cloud::set_up();
    cloud.refused(add(PAYROLL, by_role(), true), "ACCOUNT_ADDED");
    cloud.refused(add(PAYROLL, Method::Directory, true), "ACCOUNT_ADDED");
    cloud.refused(add(VAULTS, by_role(), true), "OWN_ACCOUNT");

    let elsewhere = Command::AddAccount {
        account: account(PAYROLL),
        region: "eu-central-1".parse().unwrap(),
        method: by_role(),
        alias: "Payroll".to_owned(),
        consent: false,
    };
    cloud.ok(elsewhere);
    assert_eq!(grants(&cloud, "pay"), [format!("{PAYROLL} eu-central-1")]);
    assert_eq!(grants(&cloud, "0012").len(), 2);
    assert_eq!(grants(&cloud, "").len(), 3);
}

#[test]
fn adding_again_creates_a_service_role_that_was_deleted() {
    let cloud = Cloud::set_up();
    cloud.does(VAULTS, Deed::DeleteServiceRole { role: ServiceRole::HbrCrossAccountBackup });
    cloud.refused(add(PAYROLL, by_role(), false), "CONSENT_NEEDED");
    cloud.ok(add(PAYROLL, by_role(), true));
    assert!(check(&cloud, PAYROLL, None).is_authorized());
    assert_eq!(grants(&cloud, "").len(), 2);
}

#[test]
fn a_service_role_that_has_not_spread_yet_is_waited_for() {
    let cloud = Cloud::new();
    trusted(&cloud, "AliyunHBRRolePolicy");
    let missing = || PortError::NotFound("role".to_owned());
    cloud.ports.fail("assume", missing());
    cloud.ports.fail("assume", missing());
    let first = cloud.ask_under("mine", add(PAYROLL, by_role(), true));
    assert_eq!(first, Err(ApiError::Port(PortError::TimedOut)));
    cloud.ask_under("mine", add(PAYROLL, by_role(), true)).unwrap();
}

#[test]
fn a_removed_account_is_unbound_and_keeps_its_points() {
    let cloud = Cloud::set_up();
    let sources: Vec<_> = (0..45).map(|n| source(PAYROLL, &format!("nas/fs-{n}"))).collect();
    for new in &sources {
        let (name, location) = (new.id.to_string(), "/".to_owned());
        cloud.does(PAYROLL, Deed::PutSource { source: new.clone(), name, location, running: true });
        cloud.ok(bind("daily", new));
    }
    let other = source(RESCUE, "nas/fs-1");
    cloud.ok(bind("daily", &other));
    let point = cloud.backed_up(&sources[0]);
    // A change of one of them in the middle does not stop it.
    let paused = Command::PauseBinding {
        policy: "daily".to_owned(),
        source: sources[0].clone(),
        paused: true,
    };
    cloud.ports.before_commit(move |ports| {
        run(handle(ports, &account(VAULTS), &token("other"), paused)).unwrap();
    });
    cloud.ok(remove(PAYROLL));
    assert_eq!(cloud.count("Binding"), 1);
    assert_eq!(cloud.count("Point"), 1);
    assert_eq!(grants(&cloud, ""), [format!("{RESCUE} cn-hangzhou")]);
    cloud.refused(remove(OUTSIDE), "UNKNOWN");
    cloud.refused(bind("daily", &sources[0]), "GRANT_REMOVED");

    let job = cloud.started(crate::cloud::restore(&point, &other));
    cloud.work();
    assert_eq!(cloud.job(&job).status, "COMPLETE");
}

fn sources(cloud: &Cloud, owner: &str) -> Vec<crossvault_core::ids::DataSource> {
    let command = Command::ListSources { account: account(owner), region: region(), kind: None };
    let Answer::Sources(sources) = cloud.ok(command) else { panic!("no sources") };
    sources
}

#[test]
fn sources_are_listed_by_type() {
    let cloud = Cloud::set_up();
    let expected = ["ecs-files/i-1", "nas/fs-1"].map(|name| source(PAYROLL, name));
    assert_eq!(sources(&cloud, PAYROLL), expected);
    assert_eq!(sources(&cloud, VAULTS), []);
    let kind = Some(crossvault_core::ids::SourceKind::Nas);
    let command = Command::ListSources { account: account(OUTSIDE), region: region(), kind };
    let refusal = cloud.refused(command, "GRANT_REMOVED");
    assert!(matches!(refusal, crossvault_handlers::api::Refusal::Unauthorized(causes)
        if matches!(causes.root(), Cause::GrantRemoved { .. })));
}
