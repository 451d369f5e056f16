//! Versions of permission policies, and what rows of earlier homes say.

use super::*;

fn put(document: String) -> Deed {
    Deed::PutPolicy { name: "p".into(), document }
}

fn put_version(document: String, set_as_default: bool) -> Deed {
    Deed::PutPolicyVersion { name: "p".into(), document, set_as_default }
}

fn set_default(version: &str) -> Deed {
    Deed::SetDefaultPolicyVersion { name: "p".into(), version: version.parse().unwrap() }
}

fn delete_version(version: &str) -> Deed {
    Deed::DeletePolicyVersion { name: "p".into(), version: version.parse().unwrap() }
}

fn versions(world: &World) -> (String, Vec<String>) {
    let policy = world.custom_policy(&id(PAYROLL), "p").unwrap();
    (policy.default.to_string(), policy.versions().keys().map(ToString::to_string).collect())
}

/// `payroll`'s role has `p` alone, whose first version allows commands.
fn with_policy() -> (World, Session) {
    let mut world = role_way();
    done(&mut world, PAYROLL, put(statement("Allow", "ecs:*")));
    done(&mut world, PAYROLL, attach("hbrcrossrole", "p"));
    done(&mut world, PAYROLL, detach("hbrcrossrole", "AliyunHBRRolePolicy"));
    let session = ok(through_role(&world));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    (world, session)
}

#[test]
fn only_the_default_version_counts() {
    let (mut world, session) = with_policy();
    done(&mut world, PAYROLL, put_version(statement("Allow", "oss:*"), false));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    done(&mut world, PAYROLL, set_default("v2"));
    let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicySilent));
    done(&mut world, PAYROLL, set_default("v1"));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    done(&mut world, PAYROLL, put_version(statement("Deny", "ecs:*"), true));
    let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicyDenies));
    assert_eq!(versions(&world), ("v3".into(), ["v1", "v2", "v3"].map(String::from).into()));
}

#[test]
fn a_policy_has_five_versions_at_most_and_none_gets_an_id_again() {
    let (mut world, _) = with_policy();
    for n in 2..=5 {
        done(&mut world, PAYROLL, put_version(statement("Allow", &format!("oss:A{n}")), false));
    }
    let full = ("WORLD_POLICY_VERSIONS_FULL", "LimitExceeded.Policy.Version");
    refused(&mut world, PAYROLL, put_version(statement("Allow", "oss:*"), true), full.0, full.1);
    done(&mut world, PAYROLL, delete_version("v5"));
    done(&mut world, PAYROLL, put_version(statement("Allow", "oss:*"), false));
    assert_eq!(versions(&world).1, ["v1", "v2", "v3", "v4", "v6"]);
}

#[test]
fn a_policy_written_anew_pushes_out_its_oldest_version_that_does_not_count() {
    let (mut world, _) = with_policy();
    for n in 2..=5 {
        done(&mut world, PAYROLL, put_version(statement("Allow", &format!("oss:A{n}")), false));
    }
    // The first one counts, so the second is the oldest that does not.
    done(&mut world, PAYROLL, put(statement("Allow", "oss:Put*")));
    assert_eq!(
        versions(&world),
        ("v6".into(), ["v1", "v3", "v4", "v5", "v6"].map(String::from).into())
    );
    // What it says already is no new version.
    done(&mut world, PAYROLL, put(statement("Allow", "oss:Put*")));
    assert_eq!(versions(&world).0, "v6");
}

#[test]
fn versions_that_are_not_there_are_refused() {
    let (mut world, _) = with_policy();
    let unknown = ("WORLD_POLICY_VERSION_UNKNOWN", "EntityNotExist.Policy.Version");
    refused(&mut world, PAYROLL, set_default("v2"), unknown.0, unknown.1);
    refused(&mut world, PAYROLL, delete_version("v2"), unknown.0, unknown.1);
    let default = ("WORLD_POLICY_VERSION_DEFAULT", "DeleteConflict.Policy.Version.Default");
    refused(&mut world, PAYROLL, delete_version("v1"), default.0, default.1);
    let none = ("WORLD_POLICY_UNKNOWN", "EntityNotExist.Policy");
    refused(&mut world, RESCUE, set_default("v1"), none.0, none.1);
    let invalid = ("POLICY_ELEMENT_MISSING", "MalformedPolicyDocument");
    refused(&mut world, PAYROLL, put_version("{}".into(), true), invalid.0, invalid.1);
    let system = ("WORLD_POLICY_IS_SYSTEM", "EntityAlreadyExists.Policy");
    let deed = Deed::DeletePolicyVersion {
        name: "AdministratorAccess".into(),
        version: VersionId::default(),
    };
    refused(&mut world, PAYROLL, deed, system.0, system.1);
    for wrong in ["1", "v", "v0", "v01", "v+1", "v4294967296"] {
        assert!(wrong.parse::<VersionId>().is_err(), "{wrong}");
    }
}

/// Rows as homes hold them that were made before folders, control policies and versions.
#[test]
fn rows_of_an_earlier_home_are_read() {
    let rows = [
        r#"{"Account":{"id":"1000000000000001","name":"vaults","roles_made":0}}"#,
        r#"{"Account":{"id":"1000000000000002","name":"payroll","roles_made":0}}"#,
        r#"{"Directory":{"id":"rd-1000000000000001","root":"r-1000000000000001",
            "management":"1000000000000001"}}"#,
        r#"{"Member":{"account":"1000000000000002","management":"1000000000000001",
            "path":"rd-1000000000000001/r-1000000000000001/1000000000000002","joined":"invited",
            "since":"2026-11-23T12:00:00Z","administers_since":null}}"#,
        r#"{"Policy":{"account":"1000000000000002","name":"p","document":{"kind":"Permission",
            "text":"{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}}}"#,
    ];
    let mut world: World =
        rows.iter().map(|row| serde_json::from_str::<Entity>(row).unwrap()).collect();
    assert!(!world.directory_of(&id(PAYROLL)).unwrap().control_enabled);
    assert_eq!(versions(&world), ("v1".into(), vec!["v1".into()]));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, PAYROLL, put(statement("Allow", "oss:*")));
    assert_eq!(versions(&world).0, "v2");
}
