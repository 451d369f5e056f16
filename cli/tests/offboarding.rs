//! Backup of an account is cancelled, and the account's points are restored elsewhere.

use serde_json::{Value, json};

use crate::crossvault::Home;

/// The states of the steps, in order.
fn states(plan: &Value) -> Vec<&str> {
    let steps = plan["steps"].as_array().unwrap().iter();
    steps.map(|step| step["state"]["state"].as_str().unwrap()).collect()
}

#[test]
fn backup_of_an_account_is_cancelled_step_by_step() {
    let home = Home::ready();
    let web = "payroll/cn-hangzhou/ecs-files/web";
    home.ok(&["policies", "create", "nightly", "--vault", "main", "--every", "1d"]);
    home.ok(&["bindings", "add", "nightly", web]);
    home.ok(&["backup", "run", web, "--vault", "main"]);
    let point = home.only_point();
    let job = home.ok(&["backup", "run", web, "--policy", "nightly", "--detach"]);

    let shown = home.run(&["accounts", "remove", "payroll", "--plan"]).exits(0);
    for words in [
        "1 binding",
        "next",
        "resource account",
        "AliyunServiceRoleForHbrRd",
        "backup, rescue",
        "storage in vault main: 1 recovery point",
    ] {
        assert!(shown.stdout.contains(words), "{words}: {shown}");
    }
    assert_eq!(home.ok(&["bindings", "list"]).as_array().unwrap().len(), 1);

    // The job that runs is waited for.
    let waits = home.run(&["accounts", "remove", "payroll"]).exits(0);
    let wait = format!("crossvault jobs wait {}", job.as_str().unwrap());
    assert!(waits.stdout.contains(&wait), "{waits}");
    assert_eq!(home.ok(&["bindings", "list"]), json!([]));
    assert_eq!(home.ok(&["accounts", "list"]).as_array().unwrap().len(), 2);
    home.ok(&["jobs", "wait", job.as_str().unwrap()]);

    // Then the account is off the list, and its administrator has the word.
    let left = home.run(&["accounts", "remove", "payroll"]).exits(0);
    let typed = "crossvault --account payroll world roles service-delete directory";
    assert!(left.stdout.contains(typed) && left.stdout.contains("RAM console"), "{left}");
    assert_eq!(home.ok(&["accounts", "list"]).as_array().unwrap().len(), 1);
    home.ok(&["--account", "payroll", "world", "roles", "service-delete", "directory"]);
    let over = home.ok(&["accounts", "remove", "payroll", "--plan"]);
    assert_eq!(states(&over), ["done"; 4]);
    assert_eq!(over["stays_restorable"][0]["points"], 2);
    let shown = home.run(&["accounts", "remove", "payroll"]).exits(0);
    assert!(shown.stdout.contains("Nothing is left to do"), "{shown}");

    let target = "rescue/cn-hangzhou/ecs-files/web";
    home.ok(&["restore", &point, "--to", target, "--into", "copy"]);
    assert_eq!(home.read("rescue", "copy/etc/app.conf"), "secret sauce");
}

#[test]
fn the_role_of_the_other_way_is_deleted_with_the_command_that_is_shown() {
    let home = Home::peopled();
    home.ok(&["world", "roles", "service-create", "cross-account-backup"]);
    let create = ["--account", "partner", "world", "roles", "create", "hbr"];
    home.ok(&[&create[..], &["--attach", "AliyunHBRRolePolicy"]].concat());
    home.ok(&["accounts", "add", "partner", "--role", "hbr"]);
    let left = home.run(&["accounts", "remove", "partner"]).exits(0);
    let typed = "crossvault --account partner world roles delete hbr --detach";
    assert!(left.stdout.contains(typed), "{left}");
    let words: Vec<&str> = typed.split(' ').skip(1).collect();
    home.ok(&words);
    assert_eq!(states(&home.ok(&["accounts", "remove", "partner", "--plan"])), ["done"; 5]);
}

#[test]
fn jobs_that_run_are_stopped_when_that_is_asked_for() {
    let home = Home::ready();
    let run = ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"];
    let job = home.ok(&[&run[..], &["--detach"]].concat());
    let plan = home.ok(&["accounts", "remove", "payroll", "--running", "cancel"]);
    assert_eq!(states(&plan), ["done", "done", "done", "next"]);
    let job = home.ok(&["jobs", "show", job.as_str().unwrap()]);
    assert_eq!(job["status"], "CANCELED");
}

#[test]
fn what_each_account_may_do_is_shown_without_a_home() {
    let home = Home::none();
    let all = home.ok(&["sources", "kinds"]);
    assert_eq!(all.as_array().unwrap().len(), 7);
    let instance = home.ok(&["sources", "kinds", "--kind", "ecs-instance"]);
    assert_eq!(instance[0]["data_lies_with"], "resource");
    assert_eq!(instance[0]["resource"], json!(["manage-snapshots", "end-authorization"]));
    let table = home.run(&["sources", "kinds"]).exits(0);
    for word in ["restore to any other account", "ecs-database", "a resource account may"] {
        assert!(table.stdout.contains(word), "{word}: {table}");
    }
}
