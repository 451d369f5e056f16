//! Folders and control policies.

use crossvault_core::authorization::DeniedBy;

use super::*;

fn move_to(account: &str, folder: &str) -> Deed {
    Deed::MoveMember { account: id(account), folder: folder.into() }
}

fn create_folder(parent: &str, name: &str) -> Deed {
    Deed::CreateFolder { parent: Some(parent.into()), name: name.into() }
}

fn path_of(world: &World, account: &str) -> String {
    world.member(&id(account)).unwrap().path.clone()
}

// Folders.

#[test]
fn a_member_is_where_it_was_moved_to() {
    let mut world = directory_way();
    let root = root_of(VAULTS);
    let outer = folder(&mut world, &root, "outer");
    let inner = folder(&mut world, &outer, "inner");
    done(&mut world, VAULTS, move_to(PAYROLL, &inner));
    assert_eq!(path_of(&world, PAYROLL), format!("rd-{VAULTS}/{root}/{outer}/{inner}/{PAYROLL}"));
    done(&mut world, VAULTS, move_to(PAYROLL, &root));
    assert_eq!(path_of(&world, PAYROLL), format!("rd-{VAULTS}/{root}/{PAYROLL}"));
    let again = decide(&world, now(), Command { by: id(VAULTS), deed: move_to(PAYROLL, &root) });
    assert_eq!(again, Ok((Answer::Done, vec![])));
    let unknown = ("WORLD_FOLDER_UNKNOWN", "EntityNotExists.Folder");
    refused(&mut world, VAULTS, move_to(PAYROLL, "fd-nowhere"), unknown.0, unknown.1);
    let not_member = ("WORLD_NOT_MEMBER", "EntityNotExists.Account");
    refused(&mut world, VAULTS, move_to(RESCUE, &outer), not_member.0, not_member.1);
    let not_manager = ("WORLD_DIRECTORY_UNKNOWN", "EntityNotExists.ResourceDirectory");
    refused(&mut world, PAYROLL, move_to(PAYROLL, &outer), not_manager.0, not_manager.1);
}

#[test]
fn a_folder_is_deleted_when_nothing_lies_in_it() {
    let mut world = directory_way();
    let root = root_of(VAULTS);
    let outer = folder(&mut world, &root, "outer");
    let inner = folder(&mut world, &outer, "inner");
    let delete = |folder: &str| Deed::DeleteFolder { folder: folder.into() };
    let code = ("WORLD_FOLDER_HAS_FOLDERS", "DeleteConflict.Folder.SubFolder");
    refused(&mut world, VAULTS, delete(&outer), code.0, code.1);
    done(&mut world, VAULTS, move_to(PAYROLL, &inner));
    let code = ("WORLD_FOLDER_HAS_MEMBERS", "DeleteConflict.Folder.Account");
    refused(&mut world, VAULTS, delete(&inner), code.0, code.1);
    done(&mut world, VAULTS, move_to(PAYROLL, &root));
    done(&mut world, VAULTS, delete(&inner));
    done(&mut world, VAULTS, delete(&outer));
    let code = ("WORLD_FOLDER_UNKNOWN", "EntityNotExists.Folder");
    refused(&mut world, VAULTS, delete(&outer), code.0, code.1);
    refused(&mut world, VAULTS, delete(&root), code.0, code.1);
    // Its id is never given again.
    assert_ne!(folder(&mut world, &root, "outer"), outer);
}

#[test]
fn folders_have_names_depth_and_number_within_limits() {
    let mut world = directory_way();
    let mut parent = root_of(VAULTS);
    for level in 1..=5 {
        parent = folder(&mut world, &parent, &format!("level-{level}"));
    }
    let code = ("WORLD_FOLDER_TOO_DEEP", "LimitExceeded.Folder.Depth");
    refused(&mut world, VAULTS, create_folder(&parent, "level-6"), code.0, code.1);

    let root = root_of(VAULTS);
    let code = ("WORLD_FOLDER_EXISTS", "InvalidParameter.Folder.Name.AlreadyUsed");
    refused(&mut world, VAULTS, create_folder(&root, "level-1"), code.0, code.1);
    folder(&mut world, &root, "level-2");
    let code = ("WORLD_NAME_INVALID", "InvalidParameter.Folder.Name");
    for name in ["", "a b", "a/b", "1234567890123456789012345"] {
        refused(&mut world, VAULTS, create_folder(&root, name), code.0, code.1);
    }
    for n in 6..100 {
        folder(&mut world, &root, &format!("f{n}"));
    }
    let code = ("WORLD_FOLDERS_FULL", "QuotaExceeded.Folder.Count");
    refused(&mut world, VAULTS, create_folder(&root, "one-more"), code.0, code.1);
}

// The feature.

fn attached(world: &World) -> Vec<Vec<String>> {
    let directory = world.directory_of(&id(VAULTS)).unwrap();
    world.nodes_of(directory).map(|node| node.attached().iter().cloned().collect()).collect()
}

#[test]
fn the_feature_gives_each_node_a_policy_and_takes_all() {
    let mut world = directory_way();
    let root = root_of(VAULTS);
    let before = folder(&mut world, &root, "before");
    let policy = control(&mut world, "no-oss", &statement("Deny", "oss:*"));
    let code = ("WORLD_CONTROL_DISABLED", "NotSupport.ControlPolicyNotEnabled");
    refused(&mut world, VAULTS, attach_control(&policy, &root), code.0, code.1);
    assert!(attached(&world).iter().all(Vec::is_empty));

    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&policy, &before));
    folder(&mut world, &before, "after");
    done(&mut world, VAULTS, add(RESCUE));
    let full = || FULL_ACCESS_ID.to_owned();
    // Root, two folders, two members.
    let expected =
        vec![vec![full()], vec![policy.clone(), full()], vec![full()], vec![full()], vec![full()]];
    assert_eq!(attached(&world), expected);
    // Enabling what is enabled changes nothing.
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    assert_eq!(attached(&world), expected);

    done(&mut world, VAULTS, Deed::DisableControlPolicy);
    assert!(attached(&world).iter().all(Vec::is_empty));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&policy, PAYROLL));
    // A removed member keeps nothing.
    done(&mut world, VAULTS, Deed::RemoveMember { account: id(PAYROLL) });
    done(&mut world, VAULTS, Deed::DeleteControlPolicy { policy });
    done(&mut world, VAULTS, add(PAYROLL));
    assert_eq!(world.member(&id(PAYROLL)).unwrap().attached, [full()].into());
}

#[test]
fn the_last_policy_of_a_node_stays() {
    let mut world = directory_way();
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    let policy = control(&mut world, "only-ecs", &statement("Allow", "ecs:*"));
    let last = ("WORLD_CONTROL_POLICY_LAST", "NotSupport.DetachLastControlPolicy");
    refused(&mut world, VAULTS, detach_control(FULL_ACCESS_ID, PAYROLL), last.0, last.1);
    done(&mut world, VAULTS, attach_control(&policy, PAYROLL));
    done(&mut world, VAULTS, detach_control(FULL_ACCESS_ID, PAYROLL));
    refused(&mut world, VAULTS, detach_control(&policy, PAYROLL), last.0, last.1);
    let not_attached =
        ("WORLD_CONTROL_POLICY_NOT_ATTACHED", "EntityNotExists.ControlPolicyAttachment");
    let detach = detach_control(FULL_ACCESS_ID, PAYROLL);
    refused(&mut world, VAULTS, detach, not_attached.0, not_attached.1);
    let again = ("WORLD_CONTROL_ATTACHED_ALREADY", "EntityAlreadyExists.ControlPolicyAttachment");
    refused(&mut world, VAULTS, attach_control(&policy, PAYROLL), again.0, again.1);
    let deleted = ("WORLD_CONTROL_POLICY_ATTACHED", "DeleteConflict.ControlPolicy.Attachment");
    let delete = Deed::DeleteControlPolicy { policy: policy.clone() };
    refused(&mut world, VAULTS, delete.clone(), deleted.0, deleted.1);
    done(&mut world, VAULTS, attach_control(FULL_ACCESS_ID, PAYROLL));
    done(&mut world, VAULTS, detach_control(&policy, PAYROLL));
    done(&mut world, VAULTS, delete.clone());
    let unknown = ("WORLD_CONTROL_POLICY_UNKNOWN", "EntityNotExists.ControlPolicy");
    refused(&mut world, VAULTS, delete, unknown.0, unknown.1);
    refused(&mut world, VAULTS, attach_control(&policy, PAYROLL), unknown.0, unknown.1);
}

#[test]
fn nodes_and_documents_are_checked() {
    let mut world = directory_way();
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    let policy = control(&mut world, "p", &statement("Deny", "oss:*"));
    let unknown = ("WORLD_NODE_UNKNOWN", "EntityNotExists.Target");
    for target in [RESCUE, VAULTS, "fd-nowhere", "r-1"] {
        refused(&mut world, VAULTS, attach_control(&policy, target), unknown.0, unknown.1);
    }
    let put = |name: &str, document: String| Deed::PutControlPolicy { name: name.into(), document };
    let long = statement("Deny", &format!("oss:{}*", "x".repeat(4096)));
    let too_long = ("POLICY_TOO_LONG", "InvalidParameter.PolicyDocument.Length");
    refused(&mut world, VAULTS, put("q", long), too_long.0, too_long.1);
    let invalid = ("WORLD_NAME_INVALID", "InvalidParameter.PolicyName");
    refused(&mut world, VAULTS, put("q q", statement("Deny", "*")), invalid.0, invalid.1);
    let system = ("WORLD_POLICY_IS_SYSTEM", "EntityAlreadyExists.Policy");
    refused(&mut world, VAULTS, put(FULL_ACCESS, statement("Deny", "*")), system.0, system.1);
    let delete = Deed::DeleteControlPolicy { policy: FULL_ACCESS_ID.into() };
    refused(&mut world, VAULTS, delete, system.0, system.1);
    // The same name is the same policy, said anew.
    assert_eq!(control(&mut world, "p", &statement("Deny", "ecs:*")), policy);
}

#[test]
fn ten_custom_policies_of_a_node_at_most() {
    let mut world = directory_way();
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    let root = root_of(VAULTS);
    for n in 0..10 {
        let policy = control(&mut world, &format!("p{n}"), &statement("Deny", "oss:*"));
        done(&mut world, VAULTS, attach_control(&policy, &root));
    }
    let policy = control(&mut world, "p10", &statement("Deny", "oss:*"));
    let full = ("WORLD_CONTROL_ATTACHED_FULL", "LimitExceeded.ControlPolicyAttachment");
    refused(&mut world, VAULTS, attach_control(&policy, &root), full.0, full.1);
    // The cloud's own is counted apart.
    done(&mut world, VAULTS, detach_control(FULL_ACCESS_ID, &root));
    refused(&mut world, VAULTS, attach_control(&policy, &root), full.0, full.1);
    done(&mut world, VAULTS, attach_control(FULL_ACCESS_ID, &root));
}

// Evaluation.

#[track_caller]
fn assert_kept_back(world: &World, session: &Session, by: Barrier) {
    let refusal = err(may(world, session, "ecs:RunCommand", INSTANCE));
    assert_eq!(barrier(&refusal), Some(by));
    assert_eq!(refusal.cloud_code(), "NoPermission");
}

#[test]
fn each_level_must_allow_and_the_refusal_names_the_one_that_does_not() {
    let (mut world, session) = member_with_role();
    let root = root_of(VAULTS);
    let folder = folder(&mut world, &root, "finance");
    done(&mut world, VAULTS, move_to(PAYROLL, &folder));
    let deny = control(&mut world, "no-commands", &statement("Deny", "ecs:RunCommand"));
    let narrow = control(&mut world, "only-oss", &statement("Allow", "oss:*"));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    for node in [root.as_str(), folder.as_str(), PAYROLL] {
        done(&mut world, VAULTS, attach_control(&deny, node));
        let (policy, node) = ("no-commands".to_owned(), node.to_owned());
        let by = Barrier::ControlPolicyDenies { policy: policy.clone(), node: node.clone() };
        assert_kept_back(&world, &session, by);
        let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
        let by = DeniedBy::Control { policy: Some(policy), node: node.clone() };
        assert_eq!(refusal.denied_by(), Some(by));
        ok(may(&world, &session, "ecs:DescribeInstances", "*"));
        done(&mut world, VAULTS, detach_control(&deny, &node));

        done(&mut world, VAULTS, attach_control(&narrow, &node));
        done(&mut world, VAULTS, detach_control(FULL_ACCESS_ID, &node));
        assert_kept_back(&world, &session, Barrier::ControlPolicySilent { node: node.clone() });
        let refusal = err(may(&world, &session, "ecs:RunCommand", INSTANCE));
        let by = DeniedBy::Control { policy: None, node: node.clone() };
        assert_eq!(refusal.denied_by(), Some(by));
        done(&mut world, VAULTS, attach_control(FULL_ACCESS_ID, &node));
        done(&mut world, VAULTS, detach_control(&narrow, &node));
        ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    }
    // What a control policy allows, it does not grant.
    let delete = may(&world, &session, "oss:DeleteObject", "acs:oss:*:1000000000000002:b/x");
    assert_eq!(barrier(&err(delete)), Some(Barrier::IdentityPolicySilent));
}

#[test]
fn the_level_nearest_to_the_resource_is_named() {
    let (mut world, session) = member_with_role();
    let deny = control(&mut world, "deny", &statement("Deny", "ecs:*"));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&deny, &root_of(VAULTS)));
    done(&mut world, VAULTS, attach_control(&deny, PAYROLL));
    let by = Barrier::ControlPolicyDenies { policy: "deny".into(), node: PAYROLL.into() };
    assert_kept_back(&world, &session, by);
    done(&mut world, VAULTS, Deed::DisableControlPolicy);
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
}

#[test]
fn a_move_changes_what_is_inherited_at_once() {
    let (mut world, session) = member_with_role();
    let root = root_of(VAULTS);
    let closed = folder(&mut world, &root, "closed");
    let deny = control(&mut world, "deny", &statement("Deny", "ecs:*"));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&deny, &closed));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    done(&mut world, VAULTS, move_to(PAYROLL, &closed));
    let by = Barrier::ControlPolicyDenies { policy: "deny".into(), node: closed };
    assert_kept_back(&world, &session, by);
    done(&mut world, VAULTS, Deed::RemoveMember { account: id(PAYROLL) });
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
}

#[test]
fn a_condition_excepts_a_role() {
    let (mut world, session) = member_with_role();
    let excepted = statement("Deny", "ecs:*").replace(
        r#""Resource":"*""#,
        r#""Resource":"*","Condition":{"StringNotLike":{"acs:PrincipalARN":"acs:ram:*:*:role/hbrcrossrole"}}"#,
    );
    let deny = control(&mut world, "deny", &excepted);
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&deny, PAYROLL));
    ok(may(&world, &session, "ecs:RunCommand", INSTANCE));
    control(&mut world, "deny", &excepted.replace("hbrcrossrole", "another"));
    let by = Barrier::ControlPolicyDenies { policy: "deny".into(), node: PAYROLL.into() };
    assert_kept_back(&world, &session, by);
}

#[test]
fn service_linked_roles_root_users_and_the_management_account_are_exempt() {
    let (mut world, _) = member_with_role();
    let root = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"RAM":["acs:ram::1000000000000001:root","acs:ram::1000000000000002:root"],
                     "Service":"x.aliyuncs.com"}}]}"#;
    for account in [VAULTS, PAYROLL] {
        done(&mut world, account, create_role("ordinary", root));
        done(&mut world, account, attach("ordinary", "AdministratorAccess"));
    }
    let ordinary = |account: &str| arn(account, "ordinary");
    let session_in = |account: &str| {
        ok(enter(&world, &Session::service("x.aliyuncs.com", id(account)), &ordinary(account)))
    };
    let (of_management, of_member) = (session_in(VAULTS), session_in(PAYROLL));
    let role = ServiceRole::HbrRd;
    done(&mut world, VAULTS, Deed::CreateServiceRole { account: id(PAYROLL), role });
    let deny = control(&mut world, "nothing", &statement("Deny", "*"));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&deny, &root_of(VAULTS)));

    let by = Barrier::ControlPolicyDenies { policy: "nothing".into(), node: root_of(VAULTS) };
    assert_eq!(
        barrier(&err(may(&world, &of_member, "ecs:RunCommand", INSTANCE))),
        Some(by.clone())
    );
    ok(may(&world, &Session::root(id(PAYROLL)), "ecs:RunCommand", INSTANCE));
    ok(may(&world, &ok(through_directory(&world)), "ecs:RunCommand", INSTANCE));
    let own = "acs:ecs:cn-hangzhou:1000000000000001:instance/i-9";
    ok(may(&world, &of_management, "ecs:RunCommand", own));

    // Assuming a member's role is a call on a resource of the member.
    let target = arn(PAYROLL, "hbrcrossrole");
    ok(through_role(&world));
    ok(enter(&world, &of_management, &ordinary(PAYROLL)));
    assert_eq!(barrier(&err(enter(&world, &of_member, &ordinary(PAYROLL)))), Some(by));
    // A service enters its role without policies of its own.
    ok(enter(&world, &Session::service("x.aliyuncs.com", id(PAYROLL)), &ordinary(PAYROLL)));
    let refusal = err(enter(&world, &of_management, &target));
    assert_eq!(barrier(&refusal), Some(Barrier::TrustPolicySilent));
}

#[test]
fn a_stranger_who_assumes_a_members_role_is_kept_back() {
    let (mut world, _) = member_with_role();
    let root = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"RAM":"acs:ram::1000000000000003:root","Service":"x.aliyuncs.com"}}]}"#;
    done(&mut world, RESCUE, create_role("stranger", root));
    done(&mut world, RESCUE, attach("stranger", "AliyunSTSAssumeRoleAccess"));
    done(&mut world, PAYROLL, create_role("door", root));
    let service = Session::service("x.aliyuncs.com", id(RESCUE));
    let stranger = ok(enter(&world, &service, &arn(RESCUE, "stranger")));
    let deny = control(&mut world, "closed", &statement("Deny", "sts:AssumeRole"));
    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    ok(enter(&world, &stranger, &arn(PAYROLL, "door")));
    done(&mut world, VAULTS, attach_control(&deny, PAYROLL));
    let by = Barrier::ControlPolicyDenies { policy: "closed".into(), node: PAYROLL.into() };
    assert_eq!(barrier(&err(enter(&world, &stranger, &arn(PAYROLL, "door")))), Some(by));
    // The service-linked role of the management account is not.
    ok(through_role(&world));
}

// Views.

#[test]
fn levels_and_targets_are_read_by_those_who_hold_an_office() {
    let (mut world, _) = member_with_role();
    let root = root_of(VAULTS);
    let folder = folder(&mut world, &root, "finance");
    done(&mut world, VAULTS, move_to(PAYROLL, &folder));
    let document = statement("Deny", "oss:*");
    let policy = control(&mut world, "no-oss", &document);
    let (vaults, payroll) = (Session::root(id(VAULTS)), Session::root(id(PAYROLL)));
    let levels = |world: &World, by: &Session, account: &str| {
        control_policies(world, by, &id(account), now())
    };
    let targets =
        |world: &World, by: &Session, policy: &str| control_targets(world, by, policy, now());
    assert_eq!(ok(levels(&world, &vaults, PAYROLL)), []);
    assert_eq!(ok(targets(&world, &vaults, &policy)), [""; 0]);

    done(&mut world, VAULTS, Deed::EnableControlPolicy);
    done(&mut world, VAULTS, attach_control(&policy, &folder));
    let found = ok(levels(&world, &vaults, PAYROLL));
    let told: Vec<_> =
        found.iter().map(|level| (level.node.as_str(), level.name.as_str())).collect();
    assert_eq!(told, [(root.as_str(), "Root"), (&folder, "finance"), (PAYROLL, "payroll")]);
    let names: Vec<Vec<&str>> = found
        .iter()
        .map(|level| level.policies.iter().map(|policy| policy.name.as_str()).collect())
        .collect();
    assert_eq!(names, [vec![FULL_ACCESS], vec!["no-oss", FULL_ACCESS], vec![FULL_ACCESS]]);
    assert_eq!(found[1].policies[0].document, document);
    assert_eq!(ok(targets(&world, &vaults, &policy)), std::slice::from_ref(&folder));
    assert_eq!(
        ok(targets(&world, &vaults, FULL_ACCESS_ID)),
        [root.as_str(), &folder, PAYROLL].map(str::to_owned)
    );
    for outside in [VAULTS, RESCUE] {
        assert_eq!(ok(levels(&world, &vaults, outside)), []);
    }
    let unknown = err(targets(&world, &vaults, "cp-nothing"));
    assert_eq!(unknown.cloud_code(), "EntityNotExists.ControlPolicy");

    assert_eq!(barrier(&err(levels(&world, &payroll, PAYROLL))), Some(Barrier::Directory));
    assert_eq!(barrier(&err(targets(&world, &payroll, &policy))), Some(Barrier::Directory));
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(PAYROLL) });
    assert_eq!(ok(levels(&world, &payroll, PAYROLL)), found);
    ok(targets(&world, &payroll, &policy));
    let service = Session::service_of(ServiceRole::HbrRd, id(VAULTS));
    assert_eq!(ok(levels(&world, &service, PAYROLL)), found);
}
