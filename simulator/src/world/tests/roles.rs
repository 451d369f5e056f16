//! Roles, policies and sources.

use super::*;

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
