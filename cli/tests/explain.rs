//! `crossvault explain`: why policies decide as they do, from files and from the world.

use serde_json::json;
use tempfile::TempDir;

use crate::crossvault::{Home, PAYROLL, run, run_with};

/// Writes documents, each of statements, and returns their folder.
fn documents(documents: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, statements) in documents {
        let text = format!("{{\"Version\": \"1\", \"Statement\": [\n{statements}\n]}}");
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

const ALL: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;

const NARROW: &str = r#"{"Effect": "Allow", "Action": ["ecs:*", "oss:Put*"], "Resource": "*"},
{"Sid": "office", "Effect": "Allow", "Action": "oss:Get*",
 "Resource": ["acs:oss:cn-shanghai:*:b/*", "acs:oss:*:*:c/*"],
 "Condition": {"StringEquals": {"acs:SourceVpc": "vpc-1"},
               "IpAddress": {"acs:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}}}"#;

const ASKED: [&str; 5] =
    ["explain", "--action", "oss:GetObject", "--resource", "acs:oss:cn-hangzhou:1:b/o"];

#[test]
fn each_element_of_what_does_not_match_is_explained() {
    let folder = documents(&[("narrow.json", NARROW)]);
    let file = path(&folder, "narrow.json");
    let asked = [&ASKED[..], &["--policy", &file, "--context", "acs:SourceIp=11.0.0.1"]].concat();
    let ran = run(&asked).exits(3);
    let expected = format!(
        "`oss:GetObject` on `acs:oss:cn-hangzhou:1:b/o` is denied
└─ ✗ identity: does not allow, which decides
   └─ {file}
      ├─ ✗ statement 1 (line 2) would allow, and does not match
      │  ├─ ✗ Action: `oss:GetObject` is none of `ecs:*`, `oss:Put*`
      │  └─ ✓ Resource: `*` matches `acs:oss:cn-hangzhou:1:b/o`
      └─ ✗ statement 2 `office` (line 3) would allow, and does not match
         ├─ ✓ Action: `oss:Get*` matches `oss:GetObject`
         ├─ ✗ Resource: `acs:oss:cn-hangzhou:1:b/o` is none of these
         │  ├─ `acs:oss:cn-shanghai:*:b/*`: its region is `cn-hangzhou` and not `cn-shanghai`
         │  └─ `acs:oss:*:*:c/*`: its relative id is `b/o` and not `c/*`
         ├─ ✗ Condition: StringEquals `acs:sourcevpc` `vpc-1`: the request has no such key
         └─ ✗ Condition: IpAddress `acs:sourceip` `10.0.0.0/8`, `192.168.0.0/16`: \
         the request has `11.0.0.1`
"
    );
    assert_eq!(ran.stdout, expected);
    let value = &run(&[&asked[..], &["--json"]].concat()).exits(3).json()["value"];
    assert_eq!(value["is_allowed"], false);
    let ruling = json!({ "decision": "ImplicitDeny", "layer": "identity" });
    assert_eq!(value["permission"]["ruling"], ruling);
    let statement = &value["permission"]["layers"][0]["policies"][0]["statements"][1];
    assert_eq!(statement["elements"][1]["tried"][0]["differs"]["part"], "region");
    assert_eq!(statement["conditions"][0]["outcome"], json!({ "Err": "absent" }));
}

#[test]
fn the_layer_and_the_statement_that_decide_are_marked() {
    let guard = format!(
        "{ALL},\n{}",
        r#"{"Effect": "Deny", "Action": "oss:Get*", "Resource": "*",
            "Condition": {"StringNotEquals": {"acs:SourceVpc": "vpc-1"}}}"#
    );
    let small = r#"{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}"#;
    let folder = documents(&[("all", ALL), ("guard", &guard), ("small", small)]);
    let [all, guard, small] = ["all", "guard", "small"].map(|name| path(&folder, name));

    let layered =
        [&ASKED[..], &["--policy", &all, "--control", &all, "--control", &guard]].concat();
    let ran = run(&layered).exits(3);
    assert!(ran.stdout.contains("├─ ✓ control, level 1: allows\n"), "{ran}");
    assert!(ran.stdout.contains("├─ ✗ control, level 2: denies, which decides\n"), "{ran}");
    assert!(ran.stdout.contains("✓ statement 2 (line 3) denies ◀ decides\n"), "{ran}");
    assert!(ran.stdout.contains("the request has no such key, which meets it\n"), "{ran}");

    let ran = run(&[&layered[..], &["--context", "acs:SourceVpc=vpc-1"]].concat()).exits(0);
    assert!(ran.stdout.contains(" is allowed\n"), "{ran}");
    assert!(ran.stdout.contains("✓ identity: allows, which decides\n"), "{ran}");

    let ran = run(&[&ASKED[..], &["--policy", &all, "--session", &small]].concat()).exits(3);
    assert!(ran.stdout.contains("├─ ✗ session: does not allow, which decides\n"), "{ran}");
}

#[test]
fn a_trust_policy_says_whom_it_lets_in() {
    let trust = r#"{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"RAM": "acs:ram::1000000000000001:role/backup", "Service": "ecs.aliyuncs.com"}}"#;
    let folder = documents(&[("trust", trust), ("all", ALL)]);
    let [trust, all] = ["trust", "all"].map(|name| path(&folder, name));
    let principal =
        |text: &'static str| ["explain", "--trust", &trust, "--principal", text].map(str::to_owned);
    let ask = |text, more: &[&str], exit| {
        let arguments = principal(text);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&[&arguments[..], more].concat()).exits(exit)
    };
    let ran = ask("acs:ram::1000000000000001:role/backup", &[], 0);
    assert!(ran.stdout.starts_with("`acs:ram::1000000000000001:role/backup` is let in\n"), "{ran}");
    let ran = ask("acs:ram::1000000000000001:role/other", &[], 3);
    assert!(ran.stdout.contains("✗ Principal: "), "{ran}");
    ask("ecs.aliyuncs.com", &["--owner", PAYROLL], 0);
    ask("1000000000000001@ecs.aliyuncs.com", &["--owner", PAYROLL], 3);
    // Who may not come in can do nothing, whatever is allowed inside.
    let inside = ["--action", "oss:GetObject", "--policy", &all];
    let ran = ask("acs:ram::1000000000000001:role/backup", &inside, 0);
    assert!(ran.stdout.contains("\n\n`oss:GetObject` on `*` is allowed\n"), "{ran}");
    ask("acs:ram::1000000000000001:role/other", &inside, 3);

    for (text, code) in [
        ("acs:ram::1000000000000001:group/x", "PRINCIPAL_INVALID"),
        ("nobody", "PRINCIPAL_INVALID"),
        ("x@ecs.aliyuncs.com", "PRINCIPAL_INVALID"),
        ("ecs.aliyuncs.com", "OWNER_NEEDED"),
    ] {
        let ran = ask(text, &["--json"], 2);
        assert_eq!(ran.json()["error"]["code"], code, "{ran}");
    }
}

#[test]
fn warnings_and_broken_documents_are_shown_with_their_place() {
    let doubtful = r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
 "Condition": {"StringNotEquals": {"acs:SourceVcp": "1"}}}"#;
    let folder = documents(&[("doubtful", doubtful), ("broken", "{}")]);
    let [doubtful, broken] = ["doubtful", "broken"].map(|name| path(&folder, name));
    let ran = run(&[&ASKED[..], &["--policy", &doubtful]].concat()).exits(0);
    let head = format!("\n\nwarning[POLICY_KEY_UNKNOWN]: {doubtful}:3:36: ");
    assert!(ran.stdout.contains(&head), "{ran}");
    let ran = run(&[&ASKED[..], &["--policy", &doubtful, "--json"]].concat()).exits(0);
    assert_eq!(ran.json()["value"]["warnings"][0]["code"], "POLICY_KEY_UNKNOWN");
    for switch in ["--policy", "--session", "--control"] {
        let ran = run(&[&ASKED[..], &["--policy", &doubtful, switch, &broken]].concat()).exits(2);
        assert!(ran.stdout.is_empty(), "{ran}");
        let head = format!("error[POLICY_ELEMENT_MISSING]: {broken}:2:1: ");
        assert!(ran.stderr.starts_with(&head), "{ran}");
        assert!(ran.stderr.contains("\n  2 | {}\n    | ^\n  "), "{ran}");
    }
    let text = format!("{{\"Version\": \"1\", \"Statement\": [{ALL}]}}");
    let ran = run_with(&[&ASKED[..], &["--policy", "-"]].concat(), &text).exits(0);
    assert!(ran.stdout.contains("standard input\n"), "{ran}");
}

#[test]
fn the_other_language_has_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*",
        "Resource": "arn:aws:s3:::home/${aws:username}/*"}}"#;
    std::fs::write(folder.path().join("p"), text).unwrap();
    let file = path(&folder, "p");
    let asked = ["explain", "--dialect", "aws", "--action", "s3:GetObject", "--policy", &file];
    let asked = [&asked[..], &["--resource", "arn:aws:s3:::home/ann/x"]].concat();
    let ran = run(&asked).exits(3);
    assert!(ran.stdout.contains("the request has not one value of `aws:username`"), "{ran}");
    run(&[&asked[..], &["--context", "aws:username=ann"]].concat()).exits(0);
    let ran = run(&[&asked[..], &["--context", "aws:username=bob"]].concat()).exits(3);
    assert!(ran.stdout.contains("its resource is `home/ann/x`"), "{ran}");
}

#[test]
fn questions_that_cannot_be_answered_are_refused() {
    let folder = documents(&[("all", ALL)]);
    let all = path(&folder, "all");
    for (arguments, code) in [
        (&["--policy", &all][..], "USAGE"),
        (&["--policy", &all, "--action", "oss"], "ACTION_INVALID"),
        (&["--policy", &all, "--action", "oss:*"], "ACTION_INVALID"),
        (&["--policy", &all, "--action", "oss:Get", "--resource", "b/o"], "RESOURCE_INVALID"),
        (&["--action", "oss:Get"], "POLICIES_NEEDED"),
        (&["--principal", "ecs.aliyuncs.com"], "TRUST_NEEDED"),
        (&["--trust", &all, "--action", "oss:Get"], "USAGE"),
        (&["--policy", &all, "--action", "oss:Get", "--context", "x"], "USAGE"),
        (&["--role", "x", "--action", "oss:Get"], "USAGE"),
        (&["--policy", "-", "--session", "-", "--action", "oss:Get"], "STDIN_TWICE"),
    ] {
        let ran = run(&[&["explain"], arguments, &["--json"]].concat()).exits(2);
        assert_eq!(ran.json()["error"]["code"], code, "{ran}");
    }
}

#[test]
fn a_role_of_the_world_is_explained_with_the_control_policies_above_it() {
    let home = Home::peopled();
    let role = ["world", "roles"];
    home.ok(&[&role[..], &["service-create", "cross-account-backup"]].concat());
    let create = ["create", "hbrcrossrole", "--attach", "AliyunHBRRolePolicy"];
    home.ok(&[&["--account", "payroll"], &role[..], &create].concat());
    let resource = format!("acs:ecs:cn-hangzhou:{PAYROLL}:instance/i-1");
    let asked =
        ["explain", "--role", "payroll:hbrcrossrole", "--action", "ecs:RunCommand", "--resource"];
    let asked = [&asked[..], &[&resource]].concat();

    let ran = home.run(&asked).exits(0);
    let head = format!("✓ identity, acs:ram::{PAYROLL}:role/hbrcrossrole: allows, which decides");
    assert!(ran.stdout.contains(&head), "{ran}");
    assert!(ran.stdout.contains("AliyunHBRRolePolicy\n"), "{ran}");

    let principal = "acs:ram::1000000000000001:role/AliyunServiceRoleForHbrCrossAccountBackup";
    let ran = home.run(&[&asked[..], &["--principal", principal]].concat()).exits(0);
    assert!(ran.stdout.starts_with(&format!("`{principal}` is let in\n")), "{ran}");

    let deny = r#"{"Effect": "Deny", "Action": "ecs:RunCommand", "Resource": "*"}"#;
    let folder = documents(&[("deny", deny)]);
    let ran = home.run(&[&asked[..], &["--policy", &path(&folder, "deny")]].concat()).exits(3);
    assert!(ran.stdout.contains("◀ decides"), "{ran}");

    home.ok(&["world", "control", "enable"]);
    let guard = path(&folder, "deny");
    home.ok(&["world", "control", "put", "guard", "--document", &guard]);
    home.ok(&["world", "control", "attach", "guard", "payroll"]);
    let ran = home.run(&asked).exits(3);
    assert!(ran.stdout.contains("├─ ✓ control, Root (r-"), "{ran}");
    let head = format!("├─ ✗ control, payroll ({PAYROLL}): denies, which decides");
    assert!(ran.stdout.contains(&head), "{ran}");

    home.fails(&["explain", "--role", "payroll:none", "--action", "a:B"], 3, "ROLE_UNKNOWN");
    home.fails(&["explain", "--role", "nobody:none", "--action", "a:B"], 3, "ACCOUNT_UNKNOWN");
    let other = ["explain", "--role", "rescue:none", "--action", "a:B"];
    home.fails(&other, 3, "ROLE_UNKNOWN");
    let foreign = ["explain", "--role", "payroll:hbrcrossrole", "--action", "a:B", "--resource"];
    let foreign = [&foreign[..], &["acs:ecs:cn-hangzhou:1000000000000013:instance/i-1"]].concat();
    home.fails(&foreign, 3, "RESOURCE_OF_OTHER_ACCOUNT");
}
