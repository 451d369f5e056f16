//! The local world's directory and policies from outside: folders, control policies, versions.

use crate::crossvault::{HEADQUARTERS, Home, PAYROLL};

const DENY: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"ecs:*","Resource":"*"}]}"#;
const ALLOW: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#;

/// [`Home::peopled`] with two policy documents beside it.
fn home() -> (Home, String, String) {
    let home = Home::peopled();
    let write = |name: &str, text: &str| {
        let file = home.beside(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (deny, allow) = (write("deny.json", DENY), write("allow.json", ALLOW));
    (home, deny, allow)
}

#[test]
fn folders_hold_members_and_the_tree_is_shown() {
    let (home, ..) = home();
    let finance = home.ok(&["world", "folders", "create", "finance"]);
    home.ok(&["world", "folders", "create", "salaries", "--parent", "finance"]);
    home.ok(&["world", "folders", "move", "payroll", "salaries"]);
    let shown = home.ok(&["world", "directory", "show"]);
    let salaries = shown[0]["folders"][1]["id"].as_str().unwrap();
    let path = format!(
        "rd-{HEADQUARTERS}/r-{HEADQUARTERS}/{}/{salaries}/{PAYROLL}",
        finance.as_str().unwrap()
    );
    let members = shown[0]["members"].as_array().unwrap();
    assert!(members.iter().any(|member| member["path"] == path.as_str()), "{shown}");
    let ran = home.run(&["world", "directory", "show"]).exits(0);
    for line in ["Root", "  finance", "    salaries", "      payroll"] {
        assert!(
            ran.stdout.lines().any(|shown| shown.trim_start_matches('│').contains(line)),
            "{ran}"
        );
    }
    let list = home.run(&["world", "folders", "list"]).exits(0);
    assert!(list.stdout.contains("finance/salaries"), "{list}");

    home.fails(&["world", "folders", "delete", "salaries"], 3, "WORLD_FOLDER_HAS_MEMBERS");
    home.fails(&["world", "folders", "create", "finance"], 3, "WORLD_FOLDER_EXISTS");
    home.fails(&["world", "folders", "move", "rescue", "nowhere"], 3, "WORLD_FOLDER_UNKNOWN");
    home.fails(&["world", "folders", "create", "no folder"], 3, "WORLD_NAME_INVALID");
    home.ok(&["world", "folders", "create", "finance", "--parent", "salaries"]);
    home.fails(&["world", "folders", "delete", "finance"], 3, "FOLDER_AMBIGUOUS");
    home.ok(&["world", "folders", "move", "payroll", "Root"]);
    let inner = format!("fd-{HEADQUARTERS}-3");
    home.ok(&["world", "folders", "delete", &inner]);
    home.ok(&["world", "folders", "delete", "salaries"]);
    home.ok(&["world", "folders", "delete", "finance"]);
    assert_eq!(home.ok(&["world", "folders", "list"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn control_policies_are_written_attached_and_detached() {
    let (home, deny, allow) = home();
    home.ok(&["world", "folders", "create", "finance"]);
    home.ok(&["world", "control", "put", "no-ecs", "--document", &deny]);
    home.fails(&["world", "control", "attach", "no-ecs", "payroll"], 3, "WORLD_CONTROL_DISABLED");
    let list = home.run(&["world", "control", "list"]).exits(0);
    assert!(list.stdout.contains("not evaluated"), "{list}");
    home.ok(&["world", "control", "enable"]);
    for target in ["Root", "finance", "payroll"] {
        home.ok(&["world", "control", "attach", "no-ecs", target]);
    }
    let policies = home.ok(&["world", "control", "list"]);
    assert_eq!(policies[0]["targets"].as_array().map(Vec::len), Some(3), "{policies}");
    let shown = home.run(&["world", "directory", "show"]).exits(0);
    let both = "no-ecs, FullAliyunAccess";
    assert_eq!(shown.stdout.matches(both).count(), 3, "{shown}");

    home.fails(&["world", "control", "delete", "no-ecs"], 3, "WORLD_CONTROL_POLICY_ATTACHED");
    home.ok(&["world", "control", "detach", "FullAliyunAccess", "finance"]);
    home.fails(
        &["world", "control", "detach", "no-ecs", "finance"],
        3,
        "WORLD_CONTROL_POLICY_LAST",
    );
    home.fails(&["world", "control", "attach", "no-ecs", "partner"], 3, "WORLD_NODE_UNKNOWN");
    home.fails(
        &["world", "control", "attach", "nothing", "payroll"],
        3,
        "WORLD_CONTROL_POLICY_UNKNOWN",
    );
    home.fails(
        &["--account", "payroll", "world", "control", "enable"],
        3,
        "WORLD_DIRECTORY_UNKNOWN",
    );
    home.ok(&["world", "control", "disable"]);
    home.ok(&["world", "control", "put", "no-ecs", "--document", &allow]);
    home.ok(&["world", "control", "delete", "no-ecs"]);
}

fn policies<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["--account", "payroll", "world", "policies"], rest].concat()
}

#[test]
fn a_permission_policy_has_versions_of_which_one_counts() {
    let (home, deny, allow) = home();
    home.ok(&policies(&["put", "p", "--document", &allow]));
    home.ok(&policies(&["put-version", "p", "--document", &deny]));
    let counting = |home: &Home| -> Vec<bool> {
        let versions = home.ok(&policies(&["versions", "p"]));
        let versions = versions.as_array().unwrap();
        versions.iter().map(|version| version["default"] == true).collect()
    };
    assert_eq!(counting(&home), [true, false]);
    home.ok(&policies(&["set-default", "p", "v2"]));
    assert_eq!(counting(&home), [false, true]);
    home.fails(&policies(&["delete-version", "p", "v2"]), 3, "WORLD_POLICY_VERSION_DEFAULT");
    home.fails(&policies(&["set-default", "p", "v9"]), 3, "WORLD_POLICY_VERSION_UNKNOWN");
    home.fails(&policies(&["set-default", "p", "9"]), 2, "INVALID_ID");
    home.fails(&policies(&["versions", "q"]), 3, "WORLD_POLICY_UNKNOWN");
    home.ok(&policies(&["delete-version", "p", "v1"]));
    home.ok(&policies(&["put-version", "p", "--document", &allow, "--default"]));
    let ran = home.run(&policies(&["versions", "p"])).exits(0);
    assert!(ran.stdout.contains("v3") && !ran.stdout.contains("v1"), "{ran}");
}

#[test]
fn a_control_policy_stops_the_role_way_and_spares_the_directory_way() {
    let (home, deny, _) = home();
    home.ok(&["vaults", "create", "main"]);
    home.write("payroll", "a", "1");
    home.write("rescue", "a", "1");
    home.ok(&["world", "roles", "service-create", "cross-account-backup"]);
    let role = ["--account", "payroll", "world", "roles", "create", "hbrcrossrole"];
    home.ok(&[&role[..], &["--attach", "AliyunHBRRolePolicy"]].concat());
    home.ok(&["accounts", "add", "payroll", "--role", "hbrcrossrole"]);
    home.ok(&["accounts", "add", "rescue", "--directory"]);
    home.ok(&["world", "control", "put", "no-ecs", "--document", &deny]);
    home.ok(&["world", "control", "enable"]);
    let back_up = |account| {
        home.ask(&["--account", account, "backup", "run", "ecs-files/web", "--vault", "main"])
    };
    back_up("payroll").exits(0);
    home.ok(&["world", "control", "attach", "no-ecs", "Root"]);
    let refused = back_up("payroll");
    assert!(refused.stdout.contains("CONTROL_POLICY_DENIES"), "{refused}");
    assert!(refused.stdout.contains(&format!("r-{HEADQUARTERS}")), "{refused}");
    back_up("rescue").exits(0);
    home.ok(&["world", "control", "detach", "no-ecs", "Root"]);
    back_up("payroll").exits(0);
}
