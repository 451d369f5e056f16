use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::SourceView,
    directory::{DELEGATED_ADMINISTRATORS_MAX, Membership},
    explain::Explain,
    policy::{Context, ServiceRole, trust_policy_for},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const VAULTS: &str = "1000000000000001";
const PAYROLL: &str = "1000000000000002";
const RESCUE: &str = "1000000000000003";
const INSTANCE: &str = "acs:ecs:cn-hangzhou:1000000000000002:instance/i-1";

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn arn(account: &str, name: &str) -> RoleArn {
    RoleArn { account: id(account), name: name.parse().unwrap() }
}

fn now() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now().checked_add_signed(TimeDelta::seconds(seconds)).unwrap()
}

fn attempt(world: &mut World, by: &str, deed: Deed) -> Result<Answer, Refusal> {
    let (answer, changes) = decide(world, now(), Command { by: id(by), deed })?;
    for change in &changes {
        world.absorb(change);
    }
    Ok(answer)
}

#[track_caller]
fn done(world: &mut World, by: &str, deed: Deed) {
    attempt(world, by, deed).unwrap();
}

#[track_caller]
fn refused(world: &mut World, by: &str, deed: Deed, code: &str, cloud_code: &str) {
    let before = world.clone();
    let refusal = attempt(world, by, deed).unwrap_err();
    assert_eq!((refusal.code(), refusal.cloud_code()), (code, cloud_code), "{refusal}");
    assert!(!refusal.remedy().is_empty());
    assert_eq!(*world, before);
}

fn create_role(name: &str, trust: &str) -> Deed {
    Deed::CreateRole { name: name.parse().unwrap(), trust: trust.into(), max_session_s: None }
}

fn attach(role: &str, policy: &str) -> Deed {
    Deed::AttachPolicy { role: role.parse().unwrap(), policy: policy.into() }
}

fn detach(role: &str, policy: &str) -> Deed {
    Deed::DetachPolicy { role: role.parse().unwrap(), policy: policy.into() }
}

fn add(account: &str) -> Deed {
    Deed::AddMember { account: id(account), joined: Joined::Invited }
}

fn source_of(account: &str) -> DataSource {
    format!("{account}/cn-hangzhou/ecs-files/i-1").parse().unwrap()
}

/// Three accounts and nothing between them.
fn accounts() -> World {
    let mut world = World::default();
    for (account, name) in [(VAULTS, "vaults"), (PAYROLL, "payroll"), (RESCUE, "rescue")] {
        done(&mut world, account, Deed::CreateAccount { name: name.into() });
    }
    world
}

/// `payroll` grants by a RAM role and has one source.
fn role_way() -> World {
    let mut world = accounts();
    let role = ServiceRole::HbrCrossAccountBackup;
    done(&mut world, VAULTS, Deed::CreateServiceRole { account: id(VAULTS), role });
    done(&mut world, PAYROLL, create_role("hbrcrossrole", &trust_policy_for(&id(VAULTS))));
    done(&mut world, PAYROLL, attach("hbrcrossrole", "AliyunHBRRolePolicy"));
    done(
        &mut world,
        PAYROLL,
        Deed::PutSource {
            source: source_of(PAYROLL),
            name: "files".into(),
            location: "/data".into(),
            running: true,
        },
    );
    world
}

/// `payroll` is a member of the directory of `vaults`, and Cloud Backup has its role there.
fn directory_way() -> World {
    let mut world = accounts();
    done(&mut world, VAULTS, Deed::CreateDirectory);
    done(&mut world, VAULTS, add(PAYROLL));
    let role = ServiceRole::HbrRd;
    done(&mut world, VAULTS, Deed::CreateServiceRole { account: id(PAYROLL), role });
    world
}

fn enter(world: &World, by: &Session, role: &RoleArn) -> Result<Session, Refusal> {
    enter_with(world, by, role, None)
}

fn enter_with(
    world: &World,
    by: &Session,
    role: &RoleArn,
    session_policy: Option<&str>,
) -> Result<Session, Refusal> {
    assume(
        world,
        by,
        &Assume { role, session_name: "job-1", duration_s: 900, session_policy },
        now(),
    )
}

fn ok<T>(result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn err<T>(result: Result<T, Refusal>) -> Refusal {
    result.err().unwrap()
}

/// The service enters the management account's service role, and through it the RAM role.
fn through_role(world: &World) -> Result<Session, Refusal> {
    let role = ServiceRole::HbrCrossAccountBackup;
    let service = Session::service_of(role, id(VAULTS));
    let service_role = enter(world, &service, &role.arn(&id(VAULTS)))?;
    enter(world, &service_role, &arn(PAYROLL, "hbrcrossrole"))
}

fn through_directory(world: &World) -> Result<Session, Refusal> {
    let service = Session::service_of(ServiceRole::HbrRd, id(PAYROLL)).serving(id(VAULTS));
    enter(world, &service, &ServiceRole::HbrRd.arn(&id(PAYROLL)))
}

fn may(world: &World, session: &Session, action: &str, resource: &str) -> Result<(), Refusal> {
    check(world, session, action, resource, &Context::default(), now())
}

fn barrier(refusal: &Refusal) -> Option<Barrier> {
    if let Refusal::Denied { barrier, .. } = refusal { Some(*barrier) } else { None }
}

// Accounts and the directory.

#[test]
fn an_account_is_opened_once_and_may_be_renamed() {
    let mut world = accounts();
    let open = Deed::CreateAccount { name: "again".into() };
    refused(&mut world, VAULTS, open, "WORLD_ACCOUNT_EXISTS", "EntityAlreadyExists.Account");
    done(&mut world, VAULTS, Deed::RenameAccount { name: "backups".into() });
    assert_eq!(world.account(&id(VAULTS)).unwrap().name, "backups");
    let unnamed = Deed::RenameAccount { name: String::new() };
    refused(&mut world, VAULTS, unnamed, "WORLD_NAME_INVALID", "InvalidParameter.DisplayName");
    let other = Deed::RenameAccount { name: "x".into() };
    refused(
        &mut world,
        "1000000000000009",
        other,
        "WORLD_ACCOUNT_UNKNOWN",
        "EntityNotExists.Account",
    );
}

#[test]
fn a_deed_without_effect_changes_nothing() {
    let world = accounts();
    let deed = Deed::RenameAccount { name: "vaults".into() };
    let decided = decide(&world, now(), Command { by: id(VAULTS), deed });
    assert_eq!(decided, Ok((Answer::Done, vec![])));
}

#[test]
fn an_account_is_in_one_directory_at_most() {
    let mut world = directory_way();
    let code = ("WORLD_IN_DIRECTORY", "EntityAlreadyExists.ResourceDirectory");
    refused(&mut world, VAULTS, Deed::CreateDirectory, code.0, code.1);
    refused(&mut world, PAYROLL, Deed::CreateDirectory, code.0, code.1);
    refused(&mut world, VAULTS, add(PAYROLL), code.0, code.1);
    refused(&mut world, VAULTS, add(VAULTS), code.0, code.1);
    done(&mut world, RESCUE, Deed::CreateDirectory);
    refused(&mut world, RESCUE, add(PAYROLL), code.0, code.1);
    refused(
        &mut world,
        RESCUE,
        Deed::RemoveMember { account: id(PAYROLL) },
        "WORLD_NOT_MEMBER",
        "EntityNotExists.Account",
    );
}

#[test]
fn only_the_management_account_changes_the_directory() {
    let mut world = directory_way();
    let code = ("WORLD_DIRECTORY_UNKNOWN", "EntityNotExists.ResourceDirectory");
    refused(&mut world, PAYROLL, add(RESCUE), code.0, code.1);
    let register = Deed::RegisterAdministrator { account: id(PAYROLL) };
    refused(&mut world, PAYROLL, register, code.0, code.1);
}

#[test]
fn three_delegated_administrators_at_most_and_all_are_members() {
    let mut world = directory_way();
    let register = |account: &str| Deed::RegisterAdministrator { account: id(account) };
    refused(&mut world, VAULTS, register(RESCUE), "WORLD_NOT_MEMBER", "EntityNotExists.Account");
    refused(&mut world, VAULTS, register(VAULTS), "WORLD_NOT_MEMBER", "EntityNotExists.Account");
    for account in ["1000000000000011", "1000000000000012", "1000000000000013"] {
        done(&mut world, account, Deed::CreateAccount { name: "more".into() });
        done(&mut world, VAULTS, add(account));
        done(&mut world, VAULTS, register(account));
    }
    refused(
        &mut world,
        VAULTS,
        register(PAYROLL),
        "WORLD_ADMINISTRATORS_FULL",
        "LimitExceeded.DelegatedAdministrators",
    );
    refused(
        &mut world,
        VAULTS,
        register("1000000000000011"),
        "WORLD_ADMINISTERS_ALREADY",
        "EntityAlreadyExists.DelegatedAdministrator",
    );
}

#[test]
fn a_delegated_administrator_leaves_only_after_it_is_deregistered() {
    let mut world = directory_way();
    let (remove, deregister) = (
        Deed::RemoveMember { account: id(PAYROLL) },
        Deed::DeregisterAdministrator { account: id(PAYROLL) },
    );
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(PAYROLL) });
    refused(
        &mut world,
        VAULTS,
        remove.clone(),
        "WORLD_MEMBER_ADMINISTERS",
        "DeleteConflict.Account.DelegatedAdministrator",
    );
    done(&mut world, VAULTS, deregister.clone());
    refused(
        &mut world,
        VAULTS,
        deregister,
        "WORLD_ADMINISTERS_NOT",
        "EntityNotExists.DelegatedAdministrator",
    );
    done(&mut world, VAULTS, remove);
    // What the service made in the account stays there.
    assert!(world.find_role(&ServiceRole::HbrRd.arn(&id(PAYROLL))).is_some());
}

// Roles and policies.

#[test]
fn role_names_are_unique_regardless_of_case() {
    let mut world = role_way();
    let again = create_role("HbrCrossRole", &trust_policy_for(&id(VAULTS)));
    refused(&mut world, PAYROLL, again, "WORLD_ROLE_EXISTS", "EntityAlreadyExists.Role");
    assert!(world.find_role(&arn(PAYROLL, "HBRCROSSROLE")).is_some());
}

#[test]
fn a_trust_policy_names_only_roles_that_exist() {
    let mut world = accounts();
    let trust = trust_policy_for(&id(VAULTS));
    let code = ("WORLD_TRUSTED_ROLE_UNKNOWN", "EntityNotExist.Role");
    refused(&mut world, PAYROLL, create_role("r1", &trust), code.0, code.1);
    let root = trust.replace("role/AliyunServiceRoleForHbrCrossAccountBackup", "root");
    done(&mut world, PAYROLL, create_role("r1", &root));
    let update = Deed::UpdateTrust { name: "r1".parse().unwrap(), trust };
    refused(&mut world, PAYROLL, update, code.0, code.1);
}

#[test]
fn documents_are_checked_when_they_are_saved() {
    let mut world = role_way();
    refused(
        &mut world,
        PAYROLL,
        create_role("r1", "{}"),
        "POLICY_ELEMENT_MISSING",
        "MalformedPolicyDocument",
    );
    let put = |name: &str, document: &str| Deed::PutPolicy {
        name: name.into(),
        document: document.into(),
    };
    let long = " ".repeat(6145);
    let length = "InvalidParameter.PolicyDocument.Length";
    refused(&mut world, PAYROLL, put("p", &long), "POLICY_TOO_LONG", length);
    refused(
        &mut world,
        PAYROLL,
        put("p q", "{}"),
        "WORLD_NAME_INVALID",
        "InvalidParameter.PolicyName",
    );
    refused(
        &mut world,
        PAYROLL,
        put("AliyunHBRRolePolicy", "{}"),
        "WORLD_POLICY_IS_SYSTEM",
        "EntityAlreadyExists.Policy",
    );
}

#[test]
fn a_longest_session_has_bounds() {
    let mut world = role_way();
    for (seconds, good) in [(3599, false), (3600, true), (43200, true), (43201, false)] {
        let deed = Deed::CreateRole {
            name: format!("r{seconds}").parse().unwrap(),
            trust: trust_policy_for(&id(VAULTS)),
            max_session_s: Some(seconds),
        };
        assert_eq!(attempt(&mut world, PAYROLL, deed).is_ok(), good, "{seconds}");
    }
}

#[test]
fn what_is_attached_is_not_deleted() {
    let mut world = role_way();
    let document =
        r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"oss:*","Resource":"*"}]}"#;
    done(&mut world, PAYROLL, Deed::PutPolicy { name: "p".into(), document: document.into() });
    done(&mut world, PAYROLL, attach("hbrcrossrole", "p"));
    refused(
        &mut world,
        PAYROLL,
        attach("hbrcrossrole", "p"),
        "WORLD_POLICY_ATTACHED_ALREADY",
        "EntityAlreadyExists.Role.Policy",
    );
    let delete_policy = Deed::DeletePolicy { name: "p".into() };
    refused(
        &mut world,
        PAYROLL,
        delete_policy.clone(),
        "WORLD_POLICY_ATTACHED",
        "DeleteConflict.Policy.Role",
    );
    let delete_role = Deed::DeleteRole { name: "hbrcrossrole".parse().unwrap() };
    refused(
        &mut world,
        PAYROLL,
        delete_role.clone(),
        "WORLD_ROLE_HAS_POLICIES",
        "DeleteConflict.Role.Policy",
    );
    done(&mut world, PAYROLL, detach("hbrcrossrole", "p"));
    refused(
        &mut world,
        PAYROLL,
        detach("hbrcrossrole", "p"),
        "WORLD_POLICY_NOT_ATTACHED",
        "EntityNotExist.Role.Policy",
    );
    done(&mut world, PAYROLL, delete_policy);
    done(&mut world, PAYROLL, detach("hbrcrossrole", "AliyunHBRRolePolicy"));
    done(&mut world, PAYROLL, delete_role.clone());
    refused(&mut world, PAYROLL, delete_role, "WORLD_ROLE_UNKNOWN", "EntityNotExist.Role");
    let unknown = attach("hbrcrossrole", "p");
    refused(&mut world, PAYROLL, unknown, "WORLD_ROLE_UNKNOWN", "EntityNotExist.Role");
}

#[test]
fn ten_custom_policies_are_attached_at_most() {
    let mut world = role_way();
    let document =
        r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"oss:*","Resource":"*"}]}"#;
    for n in 0..11 {
        let name = format!("p{n}");
        done(&mut world, PAYROLL, Deed::PutPolicy { name, document: document.into() });
    }
    for n in 0..10 {
        done(&mut world, PAYROLL, attach("hbrcrossrole", &format!("p{n}")));
    }
    refused(
        &mut world,
        PAYROLL,
        attach("hbrcrossrole", "p10"),
        "WORLD_ATTACHED_FULL",
        "LimitExceeded.Role.Policy",
    );
    // The cloud's own policies are counted apart.
    done(&mut world, PAYROLL, attach("hbrcrossrole", "AdministratorAccess"));
}

#[test]
fn a_service_linked_role_is_made_and_deleted_as_such_and_never_edited() {
    let mut world = role_way();
    let name = ServiceRole::HbrCrossAccountBackup.role_name();
    let code = ("WORLD_ROLE_SERVICE_LINKED", "NoPermission");
    let root = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"RAM":"acs:ram::1000000000000001:root"}}]}"#;
    for deed in [
        create_role(name, root),
        Deed::DeleteRole { name: name.parse().unwrap() },
        Deed::UpdateTrust { name: name.parse().unwrap(), trust: root.into() },
        attach(name, "AdministratorAccess"),
        detach(name, ServiceRole::HbrCrossAccountBackup.policy_name()),
    ] {
        refused(&mut world, VAULTS, deed, code.0, code.1);
    }
    let role = ServiceRole::HbrCrossAccountBackup;
    refused(
        &mut world,
        VAULTS,
        Deed::CreateServiceRole { account: id(VAULTS), role },
        "WORLD_ROLE_EXISTS",
        "EntityAlreadyExists.Role",
    );
    done(&mut world, VAULTS, Deed::DeleteServiceRole { role });
    refused(
        &mut world,
        VAULTS,
        Deed::DeleteServiceRole { role },
        "WORLD_ROLE_UNKNOWN",
        "EntityNotExist.Role",
    );
}

#[test]
fn a_service_role_in_another_account_needs_the_directory() {
    let mut world = directory_way();
    let rd =
        |account: &str| Deed::CreateServiceRole { account: id(account), role: ServiceRole::HbrRd };
    refused(&mut world, VAULTS, rd(RESCUE), "WORLD_NOT_OWNER", "NoPermission");
    done(&mut world, VAULTS, add(RESCUE));
    refused(&mut world, PAYROLL, rd(RESCUE), "WORLD_NOT_OWNER", "NoPermission");
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(PAYROLL) });
    done(&mut world, PAYROLL, rd(RESCUE));
    let cross =
        Deed::CreateServiceRole { account: id(RESCUE), role: ServiceRole::HbrCrossAccountBackup };
    refused(&mut world, VAULTS, cross, "WORLD_NOT_OWNER", "NoPermission");
}

#[test]
fn a_source_belongs_to_its_account() {
    let mut world = role_way();
    let remove = Deed::RemoveSource { source: source_of(PAYROLL) };
    refused(&mut world, VAULTS, remove.clone(), "WORLD_NOT_OWNER", "NoPermission");
    done(&mut world, PAYROLL, remove.clone());
    refused(&mut world, PAYROLL, remove, "WORLD_SOURCE_UNKNOWN", "InvalidResourceId.NotFound");
}

// Sessions.

#[test]
fn the_service_reaches_the_resource_account_through_two_roles() {
    let world = role_way();
    let session = ok(through_role(&world));
    assert_eq!(session.account(), &id(PAYROLL));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    let refusal = err(may(&world, &session, "oss:DeleteObject", "acs:oss:*:1000000000000002:b/x"));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicySilent));
    let other = "acs:ecs:cn-hangzhou:1000000000000003:instance/i-1";
    let refusal = err(may(&world, &session, "ecs:RunCommand", other));
    assert_eq!(barrier(&refusal), Some(Barrier::OtherAccount));
}

#[test]
fn the_service_reaches_a_member_through_its_role_there() {
    let mut world = directory_way();
    let session = ok(through_directory(&world));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    done(&mut world, VAULTS, Deed::RemoveMember { account: id(PAYROLL) });
    let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(Barrier::Directory));
    assert_eq!(barrier(&err(through_directory(&world))), Some(Barrier::Directory));
    // IAM alone would let the service in.
    let service = Session::service_of(ServiceRole::HbrRd, id(PAYROLL));
    ok(enter(&world, &service, &ServiceRole::HbrRd.arn(&id(PAYROLL))));
}

#[test]
fn a_delegated_administrator_is_served_until_it_is_deregistered() {
    let mut world = directory_way();
    done(&mut world, VAULTS, add(RESCUE));
    let service = Session::service_of(ServiceRole::HbrRd, id(PAYROLL)).serving(id(RESCUE));
    let role = ServiceRole::HbrRd.arn(&id(PAYROLL));
    assert_eq!(barrier(&err(enter(&world, &service, &role))), Some(Barrier::Directory));
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(RESCUE) });
    let session = ok(enter(&world, &service, &role));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    done(&mut world, VAULTS, Deed::DeregisterAdministrator { account: id(RESCUE) });
    let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(Barrier::Directory));
}

#[test]
fn a_service_role_is_entered_by_its_service_only() {
    let world = role_way();
    let role = ServiceRole::HbrCrossAccountBackup.arn(&id(VAULTS));
    for stranger in [
        Session::service_of(ServiceRole::HbrRd, id(VAULTS)),
        Session::service_of(ServiceRole::HbrCrossAccountBackup, id(PAYROLL)),
    ] {
        let refusal = err(enter(&world, &stranger, &role));
        assert_eq!(barrier(&refusal), Some(Barrier::TrustPolicySilent));
        assert_eq!(refusal.cloud_code(), "NoPermission");
    }
}

#[test]
fn root_assumes_no_role_and_rules_its_own_account() {
    let world = role_way();
    let root = Session::root(id(VAULTS));
    let refusal = err(enter(&world, &root, &arn(PAYROLL, "hbrcrossrole")));
    assert_eq!((refusal.code(), refusal.cloud_code()), ("WORLD_ROOT_ASSUMES", "NoPermission"));
    ok(may(&world, &root, "ecs:RunCommand", "acs:ecs:cn-hangzhou:1000000000000001:instance/i-9"));
    assert_eq!(
        barrier(&err(may(&world, &root, "ecs:RunCommand", INSTANCE))),
        Some(Barrier::OtherAccount)
    );
}

#[test]
fn a_service_does_nothing_by_itself() {
    let world = role_way();
    let service = Session::service_of(ServiceRole::HbrRd, id(PAYROLL));
    let refusal = err(may(&world, &service, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(Barrier::Service));
}

#[test]
fn both_sides_must_allow_the_second_role() {
    let mut world = role_way();
    let root = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"RAM":"acs:ram::1000000000000002:root"}}]}"#;
    done(&mut world, PAYROLL, create_role("inner", root));
    let session = ok(through_role(&world));
    // The trust policy lets the session in, but no policy of its own lets it ask.
    let refusal = err(enter(&world, &session, &arn(PAYROLL, "inner")));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicySilent));
    done(&mut world, PAYROLL, attach("hbrcrossrole", "AliyunSTSAssumeRoleAccess"));
    ok(enter(&world, &session, &arn(PAYROLL, "inner")));
    let elsewhere = root.replace(PAYROLL, RESCUE);
    let update = Deed::UpdateTrust { name: "inner".parse().unwrap(), trust: elsewhere };
    done(&mut world, PAYROLL, update);
    let refusal = err(enter(&world, &session, &arn(PAYROLL, "inner")));
    assert_eq!(barrier(&refusal), Some(Barrier::TrustPolicySilent));
}

#[test]
fn a_changed_trust_policy_stops_the_next_session_and_no_living_one() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    let deed = Deed::UpdateTrust {
        name: "hbrcrossrole".parse().unwrap(),
        trust: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"RAM":"acs:ram::1000000000000003:root"}}]}"#
            .into(),
    };
    done(&mut world, PAYROLL, deed);
    assert_eq!(barrier(&err(through_role(&world))), Some(Barrier::TrustPolicySilent));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
}

#[test]
fn a_detached_policy_is_missed_at_once() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    done(&mut world, PAYROLL, detach("hbrcrossrole", "AliyunHBRRolePolicy"));
    let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicySilent));
    let document = r#"{"Version":"1","Statement":[
        {"Effect":"Allow","Action":"ecs:*","Resource":"*"},
        {"Effect":"Deny","Action":"ecs:RunCommand","Resource":"*",
         "Condition":{"DateGreaterThan":{"acs:CurrentTime":"2026-11-23T12:10:00Z"}}}]}"#;
    done(&mut world, PAYROLL, Deed::PutPolicy { name: "p".into(), document: document.into() });
    done(&mut world, PAYROLL, attach("hbrcrossrole", "p"));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    let later =
        check(&world, &session, "ecs:RunCommand", INSTANCE, &Context::default(), after(601));
    assert_eq!(barrier(&err(later)), Some(Barrier::IdentityPolicyDenies));
}

#[test]
fn a_session_ends_with_its_time() {
    let world = role_way();
    let session = ok(through_role(&world));
    assert_eq!(session.expires(), Some(after(900)));
    let at = |now| check(&world, &session, "ecs:RunCommand", INSTANCE, &Context::default(), now);
    ok(at(after(899)));
    let refusal = err(at(after(900)));
    assert_eq!(
        (refusal.code(), refusal.cloud_code()),
        ("WORLD_EXPIRED", "InvalidSecurityToken.Expired")
    );
}

#[test]
fn a_deleted_roles_session_is_dead_even_if_the_name_returns() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    let policy = "AliyunHBRRolePolicy";
    done(&mut world, PAYROLL, detach("hbrcrossrole", policy));
    done(&mut world, PAYROLL, Deed::DeleteRole { name: "hbrcrossrole".parse().unwrap() });
    let dead = |world: &World| {
        let refusal = err(may(world, &session, "ecs:RunCommand", INSTANCE));
        assert_eq!(refusal.code(), "WORLD_ROLE_OF_SESSION_DELETED");
    };
    dead(&world);
    assert_eq!(err(through_role(&world)).cloud_code(), "EntityNotExist.Role");
    done(&mut world, PAYROLL, create_role("hbrcrossrole", &trust_policy_for(&id(VAULTS))));
    done(&mut world, PAYROLL, attach("hbrcrossrole", policy));
    dead(&world);
    ok(may(&world, &ok(through_role(&world)), "ecs:RunCommand", INSTANCE));
}

#[test]
fn the_callers_role_deleted_stops_the_way_before_the_second_role() {
    let mut world = role_way();
    let role = ServiceRole::HbrCrossAccountBackup;
    let service_role =
        ok(enter(&world, &Session::service_of(role, id(VAULTS)), &role.arn(&id(VAULTS))));
    done(&mut world, VAULTS, Deed::DeleteServiceRole { role });
    let refusal = err(enter(&world, &service_role, &arn(PAYROLL, "hbrcrossrole")));
    assert_eq!(refusal.code(), "WORLD_ROLE_OF_SESSION_DELETED");
}

#[test]
fn a_session_policy_only_narrows() {
    let world = role_way();
    let role = ServiceRole::HbrCrossAccountBackup;
    let caller = ok(enter(&world, &Session::service_of(role, id(VAULTS)), &role.arn(&id(VAULTS))));
    let target = arn(PAYROLL, "hbrcrossrole");
    let policy = r#"{"Version":"1","Statement":[
        {"Effect":"Allow","Action":["ecs:RunCommand","oss:DeleteObject"],"Resource":"*"},
        {"Effect":"Deny","Action":"ecs:StopInstance","Resource":"*"}]}"#;
    let session = ok(enter_with(&world, &caller, &target, Some(policy)));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    for (action, expected) in [
        ("ecs:DescribeInstances", Barrier::SessionPolicySilent),
        ("ecs:StopInstance", Barrier::SessionPolicyDenies),
        ("oss:DeleteObject", Barrier::IdentityPolicySilent),
    ] {
        assert_eq!(barrier(&err(may(&world, &session, action, "*"))), Some(expected), "{action}");
    }
    let wrong = err(enter_with(&world, &caller, &target, Some("{")));
    assert_eq!(wrong.cloud_code(), "InvalidParameter.PolicyGrammar");
    let long = err(enter_with(&world, &caller, &target, Some(&" ".repeat(2049))));
    assert_eq!(long.cloud_code(), "InvalidParameter.PolicySize");
}

#[test]
fn names_and_lengths_of_sessions_have_bounds() {
    let world = role_way();
    let role = ServiceRole::HbrCrossAccountBackup;
    let service = Session::service_of(role, id(VAULTS));
    let ask = |session_name: &str, duration_s| {
        let role = role.arn(&id(VAULTS));
        let wish = Assume { role: &role, session_name, duration_s, session_policy: None };
        assume(&world, &service, &wish, now()).map(drop).map_err(|refusal| refusal.cloud_code())
    };
    assert_eq!(ask("job-1", 900), Ok(()));
    assert_eq!(ask("job-1", 3600), Ok(()));
    assert_eq!(ask("job-1", 899), Err("InvalidParameter.DurationSeconds"));
    assert_eq!(ask("job-1", 3601), Err("InvalidParameter.DurationSeconds"));
    for name in ["j", "a b", &"x".repeat(65)] {
        assert_eq!(ask(name, 900), Err("InvalidParameter.RoleSessionName"), "{name}");
    }
}

// Views.

#[test]
fn the_directory_is_read_by_those_who_hold_an_office() {
    let mut world = directory_way();
    done(&mut world, VAULTS, add(RESCUE));
    let (vaults, payroll) = (Session::root(id(VAULTS)), Session::root(id(PAYROLL)));
    let path = format!("rd-{VAULTS}/r-{VAULTS}/{PAYROLL}");
    let member = ok(membership(&world, &vaults, &id(PAYROLL), now()));
    assert_eq!(member, Membership::Member { path });
    let outside = ok(membership(&world, &vaults, &id("1000000000000009"), now()));
    assert_eq!(outside, Membership::Outside);
    let names = |search: &str| -> Vec<String> {
        ok(members(&world, &vaults, search, now())).into_iter().map(|m| m.name).collect()
    };
    assert_eq!(names(""), ["payroll", "rescue"]);
    assert_eq!(names("RESC"), ["rescue"]);
    assert_eq!(names("00002"), ["payroll"]);

    let refusal = err(administrators(&world, &payroll, now()));
    assert_eq!(barrier(&refusal), Some(Barrier::Directory));
    assert_eq!(
        barrier(&err(membership(&world, &payroll, &id(RESCUE), now()))),
        Some(Barrier::Directory)
    );
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(PAYROLL) });
    let found = ok(administrators(&world, &payroll, now())).unwrap();
    assert_eq!((found.management, found.delegated), (id(VAULTS), vec![id(PAYROLL)]));
    ok(members(&world, &payroll, "", now()));

    assert_eq!(ok(administrators(&accounts(), &vaults, now())), None);
}

#[test]
fn a_role_is_read_with_permission_only() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    let target = arn(PAYROLL, "HBRCrossRole");
    let view = ok(role(&world, &session, &target, now()));
    assert_eq!(view.trust, trust_policy_for(&id(VAULTS)));
    let names: Vec<&str> = view.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["AliyunHBRRolePolicy"]);
    let unknown = err(role(&world, &session, &arn(PAYROLL, "other"), now()));
    assert_eq!(unknown.cloud_code(), "EntityNotExist.Role");
    let foreign = err(role(&world, &Session::root(id(VAULTS)), &target, now()));
    assert_eq!(barrier(&foreign), Some(Barrier::OtherAccount));
    done(&mut world, PAYROLL, detach("hbrcrossrole", "AliyunHBRRolePolicy"));
    let refusal = err(role(&world, &session, &target, now()));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicySilent));
}

#[test]
fn sources_are_found_in_the_sessions_own_account() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    let wanted = source_of(PAYROLL);
    let found = |world: &World, session: &Session, account: &str| {
        sources(world, session, &id(account), &wanted.region, wanted.kind, now())
    };
    assert_eq!(ok(found(&world, &session, PAYROLL)), std::slice::from_ref(&wanted));
    let refusal = err(found(&world, &session, RESCUE));
    assert_eq!(barrier(&refusal), Some(Barrier::OtherAccount));
    assert_eq!(ok(source(&world, &session, &wanted, now())), SourceView::Present);
    done(&mut world, PAYROLL, Deed::RemoveSource { source: wanted.clone() });
    assert_eq!(ok(source(&world, &session, &wanted, now())), SourceView::Absent);
    assert_eq!(ok(found(&world, &session, PAYROLL)), []);
    let foreign = err(source(&world, &Session::root(id(VAULTS)), &wanted, now()));
    assert_eq!(barrier(&foreign), Some(Barrier::OtherAccount));
}

// Laws.

/// Commands of people; half of the time in a world that has accounts and a directory already.
fn any_commands(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Command>> {
    let command = |by: &str, deed| Command { by: id(by), deed };
    let mut prelude = vec![];
    for account in [VAULTS, PAYROLL, RESCUE, "1000000000000004", "1000000000000005"] {
        prelude.push(command(account, Deed::CreateAccount { name: "x".into() }));
    }
    prelude.push(command(VAULTS, Deed::CreateDirectory));
    for account in [PAYROLL, RESCUE, "1000000000000004", "1000000000000005"] {
        prelude.push(command(VAULTS, add(account)));
    }
    (any::<bool>(), vec(any_command(), count)).prop_map(move |(begun, commands)| {
        let prelude = if begun { prelude.clone() } else { vec![] };
        prelude.into_iter().chain(commands).collect()
    })
}

/// Few accounts and names, so that commands meet each other.
fn any_command() -> impl Strategy<Value = Command> {
    let accounts: Vec<AccountId> =
        (1..=6).map(|n| format!("100000000000000{n}").parse().unwrap()).collect();
    let account = || select(accounts.clone());
    let name = || select(vec!["r1", "R1", "r2"]).prop_map(|name| name.parse().unwrap());
    let policy = || {
        select(vec!["AliyunHBRRolePolicy", "AdministratorAccess", "p1", "nope"])
            .prop_map(str::to_owned)
    };
    let trust = || {
        let service_role = account().prop_map(|account| trust_policy_for(&account));
        let root = service_role
            .clone()
            .prop_map(|t| t.replace("role/AliyunServiceRoleForHbrCrossAccountBackup", "root"));
        prop_oneof![1 => service_role, 3 => root]
    };
    let service_role = || select(ServiceRole::ALL.to_vec());
    let source = || account().prop_map(|account| source_of(account.as_str()));
    let document = select(vec![
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}"#,
        "{}",
    ]);
    let deed = prop_oneof![
        6 => "[ab]{0,1}".prop_map(|name| Deed::CreateAccount { name: format!("x{name}") }),
        1 => "[ab]{0,1}".prop_map(|name| Deed::RenameAccount { name }),
        2 => Just(Deed::CreateDirectory),
        8 => account().prop_map(|account| Deed::AddMember { account, joined: Joined::Created }),
        2 => account().prop_map(|account| Deed::RemoveMember { account }),
        8 => account().prop_map(|account| Deed::RegisterAdministrator { account }),
        1 => account().prop_map(|account| Deed::DeregisterAdministrator { account }),
        4 => (name(), trust())
            .prop_map(|(name, trust)| Deed::CreateRole { name, trust, max_session_s: None }),
        2 => name().prop_map(|name| Deed::DeleteRole { name }),
        1 => (name(), trust()).prop_map(|(name, trust)| Deed::UpdateTrust { name, trust }),
        3 => (name(), policy()).prop_map(|(role, policy)| Deed::AttachPolicy { role, policy }),
        2 => (name(), policy()).prop_map(|(role, policy)| Deed::DetachPolicy { role, policy }),
        2 => document.prop_map(|document| Deed::PutPolicy {
            name: "p1".into(),
            document: document.into()
        }),
        1 => Just(Deed::DeletePolicy { name: "p1".into() }),
        3 => (account(), service_role())
            .prop_map(|(account, role)| Deed::CreateServiceRole { account, role }),
        1 => service_role().prop_map(|role| Deed::DeleteServiceRole { role }),
        1 => source().prop_map(|source| Deed::PutSource {
            source,
            name: "s".into(),
            location: "/s".into(),
            running: true
        }),
        1 => source().prop_map(|source| Deed::RemoveSource { source }),
    ];
    // The first account has the directory, in most worlds.
    let by = prop_oneof![Just(accounts[0].clone()), account()];
    (by, deed).prop_map(|(by, deed)| Command { by, deed })
}

fn assert_sound(world: &World) {
    for member in world.entities.members.values() {
        assert!(world.account(&member.account).is_some(), "dangling member");
        assert!(world.entities.directories.contains_key(&member.management), "no directory");
        assert!(!world.entities.directories.contains_key(&member.account), "manager as member");
    }
    for directory in world.directories() {
        assert!(world.account(&directory.management).is_some());
        let administrators =
            world.members_of(directory).filter(|member| member.administers_since.is_some()).count();
        assert!(administrators <= DELEGATED_ADMINISTRATORS_MAX);
    }
    let mut ids = std::collections::BTreeSet::new();
    for role in world.entities.roles.values() {
        assert!(world.account(&role.arn.account).is_some());
        assert!(ids.insert(role.id.clone()), "role id given twice");
        assert_eq!(role.service_role, ServiceRole::of(&role.arn));
        for name in &role.attached {
            let known = crossvault_core::policy::system_policy(name).is_some()
                || world.custom_policy(&role.arn.account, name).is_some();
            assert!(known, "{name} is attached and does not exist");
        }
    }
    for source in world.all_sources() {
        assert!(world.account(&source.id.account).is_some());
    }
}

proptest! {
    /// Embedded keeps the world as rows and reads them at start: nothing may be lost on the way.
    #[test]
    fn a_world_made_from_its_rows_equals_the_world_in_memory(
        commands in any_commands(1..60)
    ) {
        let mut world = World::default();
        let mut rows: BTreeMap<String, String> = BTreeMap::new();
        for command in commands {
            let Ok((_, changes)) = decide(&world, now(), command) else { continue };
            for change in changes {
                let written = serde_json::to_string(&change).unwrap();
                prop_assert_eq!(serde_json::from_str::<Change>(&written).unwrap(), change.clone());
                let key = change.key().to_string();
                prop_assert_eq!(key.parse::<EntityKey>().unwrap(), change.key());
                match &change {
                    Change::Put(entity) => {
                        rows.insert(key, serde_json::to_string(entity).unwrap());
                    }
                    Change::Remove(_) => prop_assert!(rows.remove(&key).is_some(), "{}", key),
                }
                let version = world.version();
                world.absorb(&change);
                prop_assert!(world.version() > version);
            }
        }
        let read: World =
            rows.values().map(|row| serde_json::from_str::<Entity>(row).unwrap()).collect();
        prop_assert_eq!(&read, &world);
        let whole = serde_json::to_string(&world).unwrap();
        prop_assert_eq!(serde_json::from_str::<World>(&whole).unwrap(), world);
    }

    /// No command, whoever gives it, leaves the world unsound; a refused one leaves it as it was.
    #[test]
    fn every_command_leaves_the_world_sound(commands in any_commands(1..60)) {
        let mut world = World::default();
        for command in commands {
            let _ = attempt(&mut world, command.by.as_str(), command.deed);
            assert_sound(&world);
        }
    }

    /// A deleted role's session is denied at once and for ever, whatever is made under its name.
    #[test]
    fn a_deleted_roles_session_is_denied_at_once(commands in any_commands(0..40)) {
        let mut world = role_way();
        let session = ok(through_role(&world));
        done(&mut world, PAYROLL, detach("hbrcrossrole", "AliyunHBRRolePolicy"));
        done(&mut world, PAYROLL, Deed::DeleteRole { name: "hbrcrossrole".parse().unwrap() });
        for command in commands {
            // Names of the pool stand for the role that was deleted.
            let text = serde_json::to_string(&command).unwrap().replace("\"r1\"", "\"hbrcrossrole\"");
            let command: Command = serde_json::from_str(&text).unwrap();
            let _ = attempt(&mut world, command.by.as_str(), command.deed);
            let denied = may(&world, &session, "ecs:RunCommand", INSTANCE);
            prop_assert!(matches!(denied, Err(Refusal::RoleOfSessionDeleted(_))));
        }
    }

    /// What belongs to an account changes by its own administrator only; the one exception is the
    /// service-linked role that the directory makes in its members.
    #[test]
    fn no_account_changes_what_belongs_to_another(commands in any_commands(1..60)) {
        let mut world = role_way();
        let belongings = |world: &World| {
            let ordinary = |role: &&Role| role.service_role != Some(ServiceRole::HbrRd);
            (
                world.roles_of(&id(PAYROLL)).filter(ordinary).cloned().collect::<Vec<_>>(),
                world.custom_policies_of(&id(PAYROLL)).cloned().collect::<Vec<_>>(),
                world.find_source(&source_of(PAYROLL)).cloned(),
                world.account(&id(PAYROLL)).map(|account| account.name.clone()),
            )
        };
        for Command { by, deed } in commands {
            let before = belongings(&world);
            let _ = attempt(&mut world, by.as_str(), deed);
            if by != id(PAYROLL) {
                prop_assert_eq!(belongings(&world), before);
            }
        }
    }
}

/// The commands above reach what the laws are about, or their being kept would prove nothing.
#[test]
fn the_laws_commands_reach_what_they_are_about() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeMap::new();
    for _ in 0..200 {
        let commands = any_commands(60..61).new_tree(&mut runner).unwrap().current();
        let mut world = World::default();
        for command in commands {
            let code = match attempt(&mut world, command.by.as_str(), command.deed) {
                Ok(_) => "done",
                Err(refusal) => refusal.code(),
            };
            *reached.entry(code).or_insert(0_u32) += 1;
        }
    }
    for code in [
        "done",
        "WORLD_ACCOUNT_EXISTS",
        "WORLD_ACCOUNT_UNKNOWN",
        "WORLD_ADMINISTERS_ALREADY",
        "WORLD_ADMINISTERS_NOT",
        "WORLD_ADMINISTRATORS_FULL",
        "WORLD_DIRECTORY_UNKNOWN",
        "WORLD_IN_DIRECTORY",
        "WORLD_MEMBER_ADMINISTERS",
        "WORLD_NOT_MEMBER",
        "WORLD_NOT_OWNER",
        "WORLD_POLICY_ATTACHED",
        "WORLD_POLICY_NOT_ATTACHED",
        "WORLD_POLICY_UNKNOWN",
        "WORLD_ROLE_EXISTS",
        "WORLD_ROLE_HAS_POLICIES",
        "WORLD_ROLE_UNKNOWN",
        "WORLD_TRUSTED_ROLE_UNKNOWN",
    ] {
        assert!(reached.contains_key(code), "{code} was never reached: {reached:?}");
    }
}
