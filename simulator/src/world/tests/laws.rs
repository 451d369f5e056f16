//! What no series of commands breaks.

use crossvault_core::trail::Hint;

use super::*;

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
    prop_oneof![any_command_of_accounts(), any_command_of_nodes()]
}

/// What is done to the nodes of a directory, mostly by its management account.
fn any_command_of_nodes() -> impl Strategy<Value = Command> {
    let account = || (1..=6).prop_map(|n| id(&format!("100000000000000{n}")));
    let control_document = select(vec![
        r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"ecs:*","Resource":"*"}]}"#,
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}"#,
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#,
    ]);
    // Folders and control policies of the first account's directory are counted together.
    let made = || 1_u8..6;
    let folder = || proptest::option::of(made().prop_map(|n| format!("fd-{VAULTS}-{n}")));
    let name_of_folder = || select(vec!["f1", "f2", "f3"]).prop_map(str::to_owned);
    let control_policy = || {
        let custom = made().prop_map(|n| format!("cp-{VAULTS}-{n}"));
        prop_oneof![Just(FULL_ACCESS_ID.to_owned()), custom]
    };
    let node = || {
        let folder = folder().prop_map(|folder| folder.unwrap_or_else(|| root_of(VAULTS)));
        prop_oneof![folder, account().prop_map(|id| id.to_string())]
    };
    let deed = prop_oneof![
        6 => (folder(), name_of_folder())
            .prop_map(|(parent, name)| Deed::CreateFolder { parent, name }),
        2 => folder().prop_map(|folder| Deed::DeleteFolder { folder: folder.unwrap_or_default() }),
        6 => (account(), folder()).prop_map(|(account, folder)| {
            let folder = folder.unwrap_or_else(|| root_of(VAULTS));
            Deed::MoveMember { account, folder }
        }),
        4 => Just(Deed::EnableControlPolicy),
        1 => Just(Deed::DisableControlPolicy),
        3 => (select(vec!["c1", "c2"]), control_document).prop_map(|(name, document)| {
            Deed::PutControlPolicy { name: name.into(), document: document.into() }
        }),
        1 => control_policy().prop_map(|policy| Deed::DeleteControlPolicy { policy }),
        6 => (control_policy(), node()).prop_map(|(policy, target)| {
            Deed::AttachControlPolicy { policy, target }
        }),
        4 => (control_policy(), node()).prop_map(|(policy, target)| {
            Deed::DetachControlPolicy { policy, target }
        }),
    ];
    let by = prop_oneof![9 => Just(id(VAULTS)), 1 => account()];
    (by, deed).prop_map(|(by, deed)| Command { by, deed })
}

fn any_command_of_accounts() -> impl Strategy<Value = Command> {
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
    let version_document = select(vec![
        r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"ecs:*","Resource":"*"}]}"#,
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#,
    ]);
    let version = || select(vec!["v1", "v2", "v3"]).prop_map(|text| text.parse().unwrap());
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
        1 => (version_document, any::<bool>()).prop_map(|(document, set_as_default)| {
            Deed::PutPolicyVersion { name: "p1".into(), document: document.into(), set_as_default }
        }),
        1 => version().prop_map(|version| {
            Deed::SetDefaultPolicyVersion { name: "p1".into(), version }
        }),
        1 => version().prop_map(|version| {
            Deed::DeletePolicyVersion { name: "p1".into(), version }
        }),
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
        assert_tree(world, directory);
    }
    for folder in world.entities.folders.values() {
        assert!(world.entities.directories.contains_key(&folder.management), "dangling folder");
    }
    for policy in world.entities.policies.values() {
        assert!(policy.versions().len() <= 5);
        assert!(!policy.others.contains_key(&policy.default));
        assert!(policy.versions().keys().all(|version| *version <= policy.newest));
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

/// Each node lies under one other up to Root, at a path that says so; while the feature is on it
/// has a policy, all of which exist.
fn assert_tree(world: &World, directory: &Directory) {
    let top = format!("{}/{}", directory.id, directory.root);
    let mut nodes: BTreeMap<String, Node<'_>> = BTreeMap::new();
    for node in world.nodes_of(directory) {
        let path = match node {
            Node::Root(_) => top.clone(),
            Node::Folder(folder) => folder.path.clone(),
            Node::Member(member) => member.path.clone(),
        };
        assert!(path.ends_with(&format!("/{}", node.id())), "{path} of {}", node.id());
        assert_eq!(world.node(directory, node.id()), Some(node));
        assert!(nodes.insert(path, node).is_none(), "two nodes at one place");
    }
    for (path, node) in &nodes {
        let parent = path.rsplit_once('/').unwrap().0;
        let is_below_a_folder = nodes.get(parent).is_some_and(|n| !matches!(n, Node::Member(_)));
        assert!(*path == top || is_below_a_folder, "{path} hangs in the air");
        if let Node::Folder(_) = node {
            assert!(path.split('/').count() <= 7, "{path} is too deep");
        }
        if let Node::Member(member) = node {
            let way: Vec<&str> = world.way_to(&member.account).iter().map(|n| n.id()).collect();
            assert_eq!(way, path.split('/').skip(1).collect::<Vec<_>>());
        }
        assert_eq!(node.attached().is_empty(), !directory.control_enabled, "{path}");
        assert!(node.attached().len() <= 11);
        for policy in node.attached() {
            assert!(world.control_policy(directory, policy).is_some(), "{policy} is gone");
        }
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

    /// Every event is one that the reader of the cloud's trail understands.
    #[test]
    fn every_event_is_understood(commands in any_commands(1..60)) {
        let mut world = World::default();
        for command in commands {
            let Ok((_, changes)) = decide(&world, now(), command.clone()) else { continue };
            let told = events(&world, now(), &command, &changes);
            prop_assert!(told.is_empty() || !changes.is_empty());
            for event in told {
                match Hint::read(&event.json) {
                    Ok(hint) => prop_assert!(hint.is_none_or(|hint| hint.account == event.account)),
                    Err(error) => prop_assert!(false, "{error}: {}", event.json),
                }
            }
            for change in &changes {
                world.absorb(change);
            }
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

    /// A session's fate under control policies is that of their layers, as the language decides
    /// them; and no control policy ever reaches a service-linked role.
    #[test]
    fn control_policies_bear_on_ordinary_roles_alone(commands in any_commands(0..60)) {
        let mut world = role_way();
        done(&mut world, VAULTS, Deed::CreateDirectory);
        done(&mut world, VAULTS, add(PAYROLL));
        let role = ServiceRole::HbrRd;
        done(&mut world, VAULTS, Deed::CreateServiceRole { account: id(PAYROLL), role });
        let (ordinary, linked) = (ok(through_role(&world)), ok(through_directory(&world)));
        for Command { by, deed } in commands {
            let ends_the_way = matches!(
                &deed,
                Deed::RemoveMember { .. } | Deed::DeleteServiceRole { .. }
            );
            if ends_the_way {
                continue;
            }
            let _ = attempt(&mut world, by.as_str(), deed);
            ok(may(&world, &linked, "ecs:RunCommand", INSTANCE));
            let directory = world.directory_of(&id(PAYROLL)).unwrap();
            let way = world.way_to(&id(PAYROLL));
            let control = way.iter().map(|node| {
                world.attached_to(directory, *node).into_iter().map(|(_, policy)| policy).collect()
            });
            let control = if directory.control_enabled { control.collect() } else { vec![] };
            let identity = vec![crossvault_core::policy::system_policy("AliyunHBRRolePolicy").unwrap()];
            let layers = crossvault_core::policy::Layers { control, session: None, identity };
            let request = crossvault_core::policy::Request::new("ecs:RunCommand", INSTANCE);
            let ruling = crossvault_core::policy::decide(&layers, &request);
            let answer = may(&world, &ordinary, "ecs:RunCommand", INSTANCE);
            prop_assert_eq!(answer.is_ok(), ruling.is_allow(), "{:?}", ruling);
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
        let commands = any_commands(120..121).new_tree(&mut runner).unwrap().current();
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
        "WORLD_CONTROL_DISABLED",
        "WORLD_CONTROL_POLICY_ATTACHED",
        "WORLD_CONTROL_ATTACHED_ALREADY",
        "WORLD_CONTROL_POLICY_LAST",
        "WORLD_CONTROL_POLICY_NOT_ATTACHED",
        "WORLD_CONTROL_POLICY_UNKNOWN",
        "WORLD_DIRECTORY_UNKNOWN",
        "WORLD_FOLDER_EXISTS",
        "WORLD_FOLDER_HAS_FOLDERS",
        "WORLD_FOLDER_HAS_MEMBERS",
        "WORLD_FOLDER_UNKNOWN",
        "WORLD_IN_DIRECTORY",
        "WORLD_MEMBER_ADMINISTERS",
        "WORLD_NOT_MEMBER",
        "WORLD_NOT_OWNER",
        "WORLD_POLICY_ATTACHED",
        "WORLD_POLICY_NOT_ATTACHED",
        "WORLD_NODE_UNKNOWN",
        "WORLD_POLICY_UNKNOWN",
        "WORLD_POLICY_VERSION_DEFAULT",
        "WORLD_POLICY_VERSION_UNKNOWN",
        "WORLD_ROLE_EXISTS",
        "WORLD_ROLE_HAS_POLICIES",
        "WORLD_ROLE_UNKNOWN",
        "WORLD_TRUSTED_ROLE_UNKNOWN",
    ] {
        assert!(reached.contains_key(code), "{code} was never reached: {reached:?}");
    }
}
