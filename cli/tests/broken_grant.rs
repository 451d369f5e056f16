//! What a person sees when authority breaks: alerts, standings, reviews, and how each is mended.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::crossvault::{BACKUP, HEADQUARTERS, Home, PARTNER, PAYROLL, RESCUE};

const ROLE: &str = "hbrcrossrole";
const ROLE_POLICY: &str = "AliyunHBRRolePolicy";
const DENY: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"ecs:*","Resource":"*"}]}"#;

/// [`Home::peopled`], with payroll added by role, under this policy, and rescue by directory.
fn granted(policy: &str) -> Home {
    let home = Home::peopled();
    home.ok(&["world", "roles", "service-create", "cross-account-backup"]);
    payroll(&home, &["roles", "create", ROLE, "--attach", policy]);
    home.ok(&["accounts", "add", "payroll", "--role", ROLE]);
    home.ok(&["accounts", "add", "rescue", "--directory"]);
    home
}

/// [`granted`], with a daily policy bound to a source of each.
fn bound(policy: &str) -> Home {
    let home = granted(policy);
    home.ok(&["vaults", "create", "main"]);
    home.ok(&["policies", "create", "nightly", "--vault", "main", "--daily", "02:00"]);
    for account in ["payroll", "rescue"] {
        home.ok(&["--account", account, "bindings", "add", "nightly", "ecs-files/web"]);
    }
    home
}

/// Does something in payroll's own world.
fn payroll(home: &Home, rest: &[&str]) -> Value {
    home.ok(&[&["--account", "payroll", "world"], rest].concat())
}

/// A file beside the home, by its path.
fn file(home: &Home, name: &str, text: &str) -> String {
    let file = home.beside(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The cloud tells of a change at once, and a look takes less than a second: this long is a hang.
#[track_caller]
fn newest_alert(home: &Home, account: &str, kind: &str) -> Value {
    let begun = Instant::now();
    loop {
        let alerts = home.ok(&["--account", account, "alerts"]);
        if alerts[0]["kind"] == kind {
            return alerts[0].clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no {kind}: {alerts}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The stored standing of an account: none, or the codes of why it is broken.
fn broken(home: &Home, account: &str) -> Value {
    let grants = home.ok(&["accounts", "list"]);
    let mut grants = grants.as_array().unwrap().iter();
    grants.find(|grant| grant["account"] == account).unwrap()["standing"]["broken"].clone()
}

/// The last column of the accounts' table, by name of account.
#[track_caller]
fn stands(home: &Home, name: &str) -> String {
    let listed = home.run(&["accounts", "list"]).exits(0);
    let line = listed.stdout.lines().find(|line| line.contains(name)).unwrap();
    line.split_whitespace().last().unwrap().to_owned()
}

/// Asserts what is stored and shown of both accounts: `yes`, or the code of the root.
#[track_caller]
fn both_stand(home: &Home, of_payroll: &str, of_rescue: &str) {
    assert_eq!([stands(home, "payroll"), stands(home, "rescue")], [of_payroll, of_rescue]);
    let is_stored = |account, shown| broken(home, account).is_null() == (shown == "yes");
    assert!(is_stored(PAYROLL, of_payroll) && is_stored(RESCUE, of_rescue));
}

#[test]
fn a_policy_that_is_detached_is_told_and_attaching_it_mends() {
    let home = bound(ROLE_POLICY);
    let _up = home.up();
    both_stand(&home, "yes", "yes");
    payroll(&home, &["roles", "detach", ROLE, ROLE_POLICY]);
    let alert = newest_alert(&home, "payroll", "crossvault.grant.broken");
    let causes = alert["grant"]["causes"].as_array().unwrap();
    assert_eq!(
        (&alert["code"], &causes[0]["code"]),
        (&causes[0]["code"], &"PERMISSION_MISSING".into())
    );
    let binding = &home.ok(&["--account", "payroll", "bindings", "list"])[0]["binding"];
    let at_risk = &alert["grant"]["at_risk"];
    assert_eq!(at_risk["bindings"].as_array().map(Vec::len), Some(1), "{at_risk}");
    let first = &at_risk["bindings"][0];
    assert_eq!((&first["binding"], &first["next"]), (&binding["id"], &binding["next"]));
    assert_eq!((&first["policy"], &at_risk["others"]), (&"nightly".into(), &0.into()));
    both_stand(&home, "PERMISSION_MISSING", "yes");

    let told = home.run(&["alerts"]).exits(0);
    let line = "  at risk: nightly of payroll/ecs-files/web, next slot ";
    for part in [
        "PERMISSION_MISSING: ",
        line,
        "02:00",
        "ecs:",
        "`crossvault --region cn-hangzhou accounts check payroll`",
    ] {
        assert!(told.stdout.contains(part), "{part}: {told}");
    }
    assert_eq!(home.ok(&["--account", "rescue", "alerts"]), json!([]));

    payroll(&home, &["roles", "attach", ROLE, ROLE_POLICY]);
    let alert = newest_alert(&home, "payroll", "crossvault.grant.mended");
    assert_eq!(alert["grant"]["causes"], json!([]));
    both_stand(&home, "yes", "yes");
    let kinds = home.ok(&["alerts"]).as_array().unwrap().len();
    assert_eq!(kinds, 2, "each is told once");
    let audit = home.run(&["audit"]).exits(0);
    assert!(audit.stdout.contains("grant.broken") && audit.stdout.contains("grant.mended"));
}

#[test]
fn a_control_policy_on_a_folder_breaks_the_role_way_only() {
    let home = bound(ROLE_POLICY);
    let deny = file(&home, "deny.json", DENY);
    let _up = home.up();
    home.ok(&["world", "folders", "create", "finance"]);
    for account in ["payroll", "rescue"] {
        home.ok(&["world", "folders", "move", account, "finance"]);
    }
    home.ok(&["world", "control", "put", "no-ecs", "--document", &deny]);
    home.ok(&["world", "control", "enable"]);
    home.ok(&["world", "control", "attach", "no-ecs", "finance"]);
    let alert = newest_alert(&home, "payroll", "crossvault.grant.broken");
    assert_eq!(alert["code"], "CONTROL_POLICY_DENIES");
    let message = alert["message"].as_str().unwrap();
    assert!(
        message.contains("no-ecs") && message.contains(&format!("fd-{HEADQUARTERS}")),
        "{message}"
    );
    both_stand(&home, "CONTROL_POLICY_DENIES", "yes");

    home.ok(&["world", "control", "detach", "no-ecs", "finance"]);
    newest_alert(&home, "payroll", "crossvault.grant.mended");
    both_stand(&home, "yes", "yes");
    assert_eq!(home.ok(&["--account", "rescue", "alerts"]), json!([]));
}

#[test]
fn a_member_that_is_removed_breaks_the_directory_way() {
    let home = bound(ROLE_POLICY);
    let _up = home.up();
    home.ok(&["world", "directory", "remove-member", "rescue"]);
    let alert = newest_alert(&home, "rescue", "crossvault.grant.broken");
    assert_eq!(alert["code"], "NOT_MEMBER");
    let source = format!("{RESCUE}/cn-hangzhou/ecs-files/web");
    assert_eq!(alert["grant"]["at_risk"]["bindings"][0]["source"], source);
    both_stand(&home, "yes", "NOT_MEMBER");
    home.ok(&["world", "directory", "add-member", "rescue"]);
    newest_alert(&home, "rescue", "crossvault.grant.mended");
    both_stand(&home, "yes", "yes");
}

/// That a policy was detached from partner's role, as an event bus delivers it.
fn detached() -> Value {
    json!({
        "specversion": "1.0", "id": "1", "source": "acs.ram", "type": "ram:ActionTrail:ApiCall",
        "data": {
            "eventId": "8E1B5F5A-1", "eventName": "DetachPolicyFromRole", "serviceName": "Ram",
            "eventTime": "2026-03-02T11:50:00Z", "recipientAccountId": PARTNER,
            "requestParameters": {
                "PolicyType": "System", "PolicyName": ROLE_POLICY, "RoleName": ROLE,
            },
        },
    })
}

/// Of an account outside the directory nobody hears.
#[test]
fn an_event_is_handed_in_where_nothing_runs() {
    let home = bound(ROLE_POLICY);
    let partner = |rest: &[&str]| home.ok(&[&["--account", "partner"], rest].concat());
    partner(&["world", "roles", "create", ROLE, "--attach", ROLE_POLICY]);
    home.ok(&["accounts", "add", "partner", "--role", ROLE]);
    partner(&["bindings", "add", "nightly", "ecs-files/web"]);
    partner(&["world", "roles", "detach", ROLE, ROLE_POLICY]);

    let mut failed = detached();
    failed["data"]["errorCode"] = "NoPermission".into();
    let failed = file(&home, "failed.json", &failed.to_string());
    assert_eq!(home.ok(&["event", &failed]), json!({"grants": 0, "broken": 0, "mended": 0}));
    assert_eq!(stands(&home, "partner"), "yes");

    let text = detached().to_string();
    let event = file(&home, "detached.json", &text);
    let told = home.run(&["event", &event]).exits(0);
    assert!(
        told.stdout.contains("1 broken") && told.stdout.contains("crossvault alerts"),
        "{told}"
    );
    assert_eq!(stands(&home, "partner"), "PERMISSION_MISSING");
    let alert = newest_alert(&home, "partner", "crossvault.grant.broken");
    assert_eq!(alert["grant"]["at_risk"]["bindings"][0]["policy"], "nightly");
    both_stand(&home, "yes", "yes");

    // The same event again tells nothing new; when it is true no more, it finds that.
    assert_eq!(home.ok(&["event", &event]), json!({"grants": 1, "broken": 0, "mended": 0}));
    partner(&["world", "roles", "attach", ROLE, ROLE_POLICY]);
    let told = home.run_with(&["event"], &text).exits(0);
    assert!(told.stdout.contains("1 mended"), "{told}");
    assert_eq!(stands(&home, "partner"), "yes");
}

#[test]
fn an_event_that_is_none_is_refused_with_its_place() {
    let home = Home::new();
    let no_role = detached();
    let cases = [
        ("{", "$"),
        ("{}", "$"),
        (&without(&no_role, "requestParameters", "RoleName"), "$.data.requestParameters.RoleName"),
    ];
    for (number, (text, place)) in cases.into_iter().enumerate() {
        let event = file(&home, &format!("{number}.json"), text);
        home.fails(&["event", &event], 2, "INVALID_EVENT");
        let asked = home.ask(&["event", &event]).json();
        let message = asked["error"]["message"].as_str().unwrap();
        assert!(message.contains(&format!("at `{place}`")), "{message}");
    }
    home.fails(&["event", "none.json"], 2, "DOCUMENT_UNREADABLE");
}

/// An event without a member of its data's member.
fn without(event: &Value, member: &str, name: &str) -> String {
    let mut event = event.clone();
    event["data"][member].as_object_mut().unwrap().remove(name);
    event.to_string()
}

/// What a review found of payroll's grant now, and what a person reads of it.
fn reviewed(home: &Home) -> (Value, String) {
    let review = home.ok(&["accounts", "review", "payroll", "--now"]);
    let shown = home.run(&["accounts", "review", "payroll"]).exits(0).stdout;
    (review[0].clone(), shown)
}

fn codes(review: &Value) -> Vec<&str> {
    let findings = review["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["found"]["code"].as_str().unwrap()).collect()
}

#[test]
fn a_policy_that_is_too_much_is_replaced_by_the_smaller_one() {
    let home = bound("AdministratorAccess");
    let (review, shown) = reviewed(&home);
    assert_eq!(codes(&review)[0], "OVER_BROAD_POLICY", "{review}");
    assert!(shown.contains("OVER_BROAD_POLICY"), "{shown}");
    let documents = review["advice"]["smaller"]["documents"].as_array().unwrap();
    for (number, document) in documents.iter().enumerate() {
        let document = document.as_str().unwrap();
        assert!(shown.contains(document), "it can be copied: {shown}");
        let name = format!("smaller-{number}");
        let file = file(&home, "smaller.json", document);
        payroll(&home, &["policies", "put", &name, "--document", &file]);
        payroll(&home, &["roles", "attach", ROLE, &name]);
    }
    payroll(&home, &["roles", "detach", ROLE, "AdministratorAccess"]);
    let check = ["accounts", "check", "payroll", "--source", "ecs-files/web"];
    home.run(&check).exits(0);
    let (review, shown) = reviewed(&home);
    assert_eq!(codes(&review), Vec::<&str>::new(), "{shown}");
    assert!(shown.contains("nothing is found"), "{shown}");
    both_stand(&home, "yes", "yes");
}

#[test]
fn trust_in_a_whole_account_is_found() {
    let home = bound(ROLE_POLICY);
    let trust = json!({
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "RAM": [format!("acs:ram::{BACKUP}:root")] },
        }],
    });
    let wide = file(&home, "wide.json", &trust.to_string());
    payroll(&home, &["roles", "trust", ROLE, "--document", &wide]);
    let (review, shown) = reviewed(&home);
    assert!(codes(&review).contains(&"TRUST_TOO_WIDE"), "{review}");
    assert!(shown.contains("TRUST_TOO_WIDE"), "{shown}");
    payroll(&home, &["roles", "trust", ROLE]);
    assert!(!codes(&reviewed(&home).0).contains(&"TRUST_TOO_WIDE"));
}

#[test]
fn a_grant_that_nothing_uses_is_found() {
    let home = granted(ROLE_POLICY);
    let none = home.run(&["accounts", "review"]).exits(0);
    assert!(none.stdout.contains("--now"), "{none}");
    let all = home.ok(&["accounts", "review", "--now"]);
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    for review in all.as_array().unwrap() {
        assert!(codes(review).contains(&"GRANT_UNUSED"), "{review}");
    }
    let shown = home.run(&["accounts", "review"]).exits(0);
    assert_eq!(shown.stdout.matches("GRANT_UNUSED").count(), 2, "{shown}");
    assert!(shown.stdout.contains("Bind a source"), "{shown}");
}
