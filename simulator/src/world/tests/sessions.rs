//! Who may do what, and until when.

use super::*;

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
