//! The full way: accounts of both kinds, a policy, backups, loss of authority, restores.

use serde_json::Value;

use crate::crossvault::{Home, tree};

fn job_status(answer: &Value) -> &str {
    answer["status"].as_str().unwrap_or_default()
}

#[test]
fn accounts_are_added_both_ways_and_checked() {
    let home = Home::peopled();
    // Through the directory.
    home.ok(&["accounts", "check", "payroll", "--directory"]);
    let grant = home.ok(&["accounts", "add", "payroll", "--directory", "--alias", "wages"]);
    assert_eq!(grant["alias"], "wages");
    home.fails(&["accounts", "add", "partner", "--directory"], 3, "NOT_MEMBER");

    // Through a RAM role: first the consent, then the role.
    home.fails(&["accounts", "add", "partner", "--role", "hbr"], 3, "CONSENT_NEEDED");
    home.ok(&["world", "roles", "service-create", "cross-account-backup"]);
    let missing = home.ask(&["accounts", "check", "partner", "--role", "hbr"]).exits(3);
    assert!(missing.stdout.contains("ROLE_DELETED"), "{missing}");
    home.ok(&["--account", "partner", "world", "roles", "create", "hbr"]);
    let bare = home.run(&["accounts", "check", "partner", "--role", "hbr"]).exits(3);
    assert!(bare.stdout.contains("PERMISSION_MISSING"), "{bare}");
    home.ok(&["--account", "partner", "world", "roles", "attach", "hbr", "AliyunHBRRolePolicy"]);
    let good = home.run(&["accounts", "check", "partner", "--role", "hbr"]).exits(0);
    assert!(good.stdout.contains("authorized"), "{good}");
    home.ok(&["accounts", "add", "partner", "--role", "hbr"]);

    let all = home.ok(&["accounts", "list"]);
    assert_eq!(all.as_array().unwrap().len(), 2);
    let found = home.ok(&["accounts", "list", "--search", "wag"]);
    assert_eq!(found.as_array().unwrap().len(), 1);
    let switched = home.ok(&["--account", "partner", "accounts", "list"]);
    assert_eq!(switched.as_array().unwrap().len(), 1);
    assert_eq!(home.ok(&["--region", "cn-beijing", "accounts", "list"]), serde_json::json!([]));
    let table = home.run(&["accounts", "list"]).exits(0);
    assert!(table.stdout.contains("wages") && table.stdout.contains("role hbr"), "{table}");
    let members = home.ok(&["accounts", "members", "--search", "pay"]);
    assert_eq!(members[0]["added"], true);
    let sources = home.ok(&["--account", "partner", "sources", "list"]);
    assert_eq!(sources.as_array().unwrap().len(), 1);
}

#[test]
fn what_is_backed_up_is_restored_into_another_account() {
    let home = Home::ready();
    home.write("payroll", "data/big.bin", &"0123456789abcdef".repeat(100_000));
    let run = ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"];
    let job = home.ok(&run);
    assert_eq!(job_status(&job), "COMPLETE");
    let point = home.only_point();
    assert_eq!(job["point"], point.as_str());

    let names = |path: &str| {
        let entries = home.ok(&["points", "browse", &point, path]);
        let names = entries.as_array().unwrap().iter();
        names.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["data", "etc"]);
    assert_eq!(names("etc"), ["app.conf"]);

    // Into another account, as a whole.
    let target = "rescue/cn-hangzhou/ecs-files/web";
    let job = home.ok(&["restore", &point, "--to", target, "--into", "copy"]);
    assert_eq!(job_status(&job), "COMPLETE");
    assert_eq!(tree(&home.source("payroll")), tree(&home.source("rescue").join("copy")));

    // Only a part of it.
    home.ok(&[
        "--account",
        "rescue",
        "restore",
        &point,
        "--to",
        "ecs-files/web",
        "--into",
        "part",
        "--only",
        "etc",
    ]);
    assert!(!home.source("rescue").join("part/data").exists());

    // What is in the way stays, and is named.
    home.write("rescue", "copy/etc/app.conf", "changed since");
    let again = ["restore", &point, "--to", target, "--into", "copy"];
    let partial = home.run(&again).exits(4);
    assert!(partial.stdout.contains("etc/app.conf"), "{partial}");
    assert_eq!(home.read("rescue", "copy/etc/app.conf"), "changed since");
    home.ok(&[&again[..], &["--overwrite"]].concat());
    assert_eq!(home.read("rescue", "copy/etc/app.conf"), "secret sauce");

    // Never beyond the target.
    home.fails(&["restore", &point, "--to", target, "--into", "../out"], 3, "PATH_OUTSIDE");
    home.fails(&["points", "browse", &point, "none"], 3, "UNKNOWN");

    let jobs = home.ok(&["jobs", "list"]);
    assert_eq!(jobs.as_array().unwrap().len(), 5);
    let audit = home.run(&["audit", "--limit", "100"]).exits(0);
    assert!(audit.stdout.contains("backup") && audit.stdout.contains("restore"), "{audit}");
    let vaults = home.ok(&["vaults", "list"]);
    assert_eq!(vaults[0]["points"], 1);
    home.ok(&["vaults", "check", "main", "--read-data"]);
    assert_eq!(job_status(&home.ok(&["vaults", "prune", "main"])), "COMPLETE");
}

#[test]
fn without_authority_a_job_fails_with_its_cause_and_the_points_stay() {
    let home = Home::ready();
    let web = "payroll/cn-hangzhou/ecs-files/web";
    home.ok(&["backup", "run", web, "--vault", "main"]);
    let point = home.only_point();
    let job = home.ok(&["backup", "run", web, "--vault", "main", "--detach"]);
    home.ok(&["world", "directory", "remove-member", "payroll"]);

    // What was begun before fails as a job, and an alert tells of it.
    let failed = home.ask(&["jobs", "wait", job.as_str().unwrap()]).exits(1).json();
    assert_eq!(failed["value"]["failure"]["code"], "NOT_MEMBER");
    let shown = home.run(&["jobs", "show", job.as_str().unwrap()]).exits(0);
    assert!(shown.stdout.contains("NOT_MEMBER") && shown.stdout.contains("Invite"), "{shown}");
    let alerts = home.ok(&["--account", "payroll", "alerts"]);
    assert_eq!((&alerts[0]["code"], &alerts[0]["job"]), (&"NOT_MEMBER".into(), &job));
    assert_eq!(home.ok(&["--account", "rescue", "alerts"]), serde_json::json!([]));
    let alerts = home.run(&["alerts"]).exits(0);
    assert!(alerts.stdout.contains("NOT_MEMBER") && alerts.stdout.contains("Invite"), "{alerts}");

    // A new one names the cause too, whether it is refused or fails.
    let failed = home.run(&["backup", "run", web, "--vault", "main"]);
    assert!(matches!(failed.exit, 1 | 3), "{failed}");
    let told = format!("{}{}", failed.stdout, failed.stderr);
    assert!(told.contains("NOT_MEMBER") && told.contains("Invite"), "{failed}");
    let check = home.run(&["accounts", "check", "payroll"]).exits(3);
    assert!(check.stdout.contains("NOT_MEMBER"), "{check}");

    assert_eq!(home.only_point(), point);
    home.ok(&["restore", &point, "--to", "rescue/cn-hangzhou/ecs-files/web", "--into", "copy"]);
    assert_eq!(home.read("rescue", "copy/etc/app.conf"), "secret sauce");
}

#[test]
fn a_policy_is_made_bound_changed_and_deleted() {
    let home = Home::ready();
    let web = "payroll/cn-hangzhou/ecs-files/web";
    let policy = home.ok(&[
        "policies",
        "create",
        "nightly",
        "--vault",
        "main",
        "--daily",
        "02:00",
        "--zone",
        "Asia/Shanghai",
        "--keep",
        "30d",
        "--keep-monthly",
        "1y",
        "--keep-latest",
    ]);
    assert_eq!(policy["name"], "nightly");
    let shown = home.run(&["policies", "list"]).exits(0);
    for word in ["02:00", "Asia/Shanghai", "30d", "monthly 365d", "main"] {
        assert!(shown.stdout.contains(word), "{word}: {shown}");
    }
    home.ok(&["policies", "update", "nightly", "--keep-monthly", "none"]);
    let shown = home.run(&["policies", "list"]).exits(0);
    assert!(!shown.stdout.contains("monthly") && shown.stdout.contains("30d"), "{shown}");

    let bound = home.run(&["bindings", "add", "nightly", web]).exits(0);
    assert!(bound.stdout.contains("next slot"), "{bound}");
    home.ok(&["--account", "rescue", "bindings", "add", "nightly", "ecs-files/web"]);
    home.fails(&["bindings", "add", "nightly", web], 3, "BOUND_ALREADY");
    assert_eq!(home.ok(&["bindings", "list"]).as_array().unwrap().len(), 2);
    let switched = home.ok(&["--account", "rescue", "bindings", "list"]);
    assert_eq!(switched.as_array().unwrap().len(), 1);
    home.run(&["bindings", "pause", "nightly", web]).exits(0);
    let listed = home.run(&["bindings", "list"]).exits(0);
    assert!(listed.stdout.contains("paused"), "{listed}");
    home.run(&["bindings", "resume", "nightly", web]).exits(0);
    assert_eq!(home.ok(&["bindings", "slots", "nightly", web]), serde_json::json!([]));

    // By its policy: the point follows the policy's retention.
    home.ok(&["backup", "run", web, "--policy", "nightly"]);
    let points = home.ok(&["points", "list", "--source", web]);
    assert_ne!(points[0]["policy"], Value::Null);

    home.ok(&["bindings", "remove", "nightly", web]);
    home.ok(&["policies", "delete", "nightly"]);
    assert_eq!(home.ok(&["policies", "list"]), serde_json::json!([]));
    home.only_point();
}

#[test]
fn a_point_is_deleted_before_its_time() {
    let home = Home::ready();
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    let point = home.only_point();
    home.fails(&["points", "delete", &point], 3, "CONFIRMATION_NEEDED");
    home.ok(&["points", "delete", &point, "--yes"]);
    assert_eq!(home.ok(&["points", "list"]), serde_json::json!([]));
}

#[test]
fn a_job_can_be_left_to_itself_and_waited_for() {
    let home = Home::ready();
    let run =
        ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main", "--detach"];
    let noted = home.run(&run).exits(0);
    assert!(noted.stderr.contains("crossvault up"), "{noted}");
    let jobs = home.ok(&["jobs", "list"]);
    let job = jobs[0]["id"].as_str().unwrap();
    assert_eq!(job_status(&home.ok(&["jobs", "show", job])), "QUEUED");
    // One source, one backup at a time.
    home.fails(&run, 3, "SOURCE_BUSY");
    assert_eq!(job_status(&home.ok(&["jobs", "wait", job])), "COMPLETE");
    home.ok(&run);
    let second = home.ok(&["jobs", "list"])[0]["id"].as_str().unwrap().to_owned();
    home.ok(&["jobs", "cancel", &second]);
    home.ask(&["jobs", "wait", &second]).exits(1);
    home.only_point();
}

#[test]
fn status_shows_what_is_set_up() {
    let home = Home::ready();
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    let status = home.ok(&["status"]);
    assert_eq!((&status["accounts"], &status["served"]), (&2.into(), &false.into()));
    let shown = home.run(&["status"]).exits(0);
    for word in ["backup", "COMPLETE", "crossvault up"] {
        assert!(shown.stdout.contains(word), "{word}: {shown}");
    }
}

#[test]
fn a_source_that_is_gone_is_named() {
    let home = Home::ready();
    std::fs::remove_dir_all(home.source("payroll")).unwrap();
    let run = ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"];
    let gone = home.run(&run);
    assert!(matches!(gone.exit, 1 | 3), "{gone}");
    let told = format!("{}{}", gone.stdout, gone.stderr);
    assert!(told.contains("SOURCE_NOT_FOUND"), "{gone}");
    assert_eq!(home.ok(&["points", "list"]), serde_json::json!([]));
}

#[test]
fn names_of_files_do_not_command_the_terminal() {
    let home = Home::ready();
    home.write("payroll", "Übung/\u{1b}[2J.txt", "odd");
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    let point = home.only_point();
    let listed = home.run(&["points", "browse", &point, "Übung"]).exits(0);
    assert!(listed.stdout.contains("[2J.txt") && !listed.stdout.contains('\u{1b}'), "{listed}");
}
