//! Commands while `crossvault up` holds the home.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::crossvault::Home;

#[test]
fn commands_ask_the_process_that_runs() {
    let home = Home::ready();
    let up = home.up();
    assert_eq!(home.ok(&["status"])["served"], true);
    let job =
        home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    assert_eq!(job["status"], "COMPLETE");
    let point = home.only_point();
    home.ok(&["restore", &point, "--to", "rescue/cn-hangzhou/ecs-files/web", "--into", "copy"]);
    assert_eq!(home.read("rescue", "copy/etc/app.conf"), "secret sauce");
    home.fails(&["--as", "payroll", "points", "list"], 3, "NOT_PERMITTED");
    home.fails(&["jobs", "show", "job-0123456789abcdef0123"], 3, "UNKNOWN");
    home.fails(&["world", "administrators", "add", "partner"], 3, "WORLD_NOT_MEMBER");
    home.ok(&["vaults", "check", "main"]);
    assert_eq!(up.interrupt(), 0);
    assert_eq!(home.ok(&["status"])["served"], false);
    assert_eq!(home.only_point(), point);
}

#[test]
fn a_job_that_is_left_to_itself_ends_by_itself() {
    let home = Home::ready();
    let _up = home.up();
    let run =
        ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main", "--detach"];
    let job = home.ok(&run);
    let begun = Instant::now();
    while home.ok(&["jobs", "show", job.as_str().unwrap()])["ended"] != true {
        assert!(begun.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(100));
    }
    home.only_point();
}

#[test]
fn a_second_process_is_told_which_one_holds_the_home() {
    let home = Home::new();
    let up = home.up();
    home.fails(&["up"], 5, "HOME_HELD");
    let ran = home.run(&["up"]).exits(5);
    assert!(ran.stderr.contains(&up.id().to_string()), "{ran}");
    home.fails(&["init"], 5, "HOME_EXISTS");
}

#[test]
fn only_the_owner_can_open_the_socket() {
    let home = Home::new();
    let _up = home.up();
    let socket = home.dir().join("api.sock");
    let mode = std::fs::metadata(socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn who_stops_waiting_is_told_how_to_go_on() {
    let home = Home::ready();
    home.write("payroll", "big", &"0123456789abcdef".repeat(4_000_000));
    let run = ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"];
    let child = home.start(&run);
    let id = child.id().to_string();
    while std::fs::read_dir(home.dir().join("vaults")).unwrap().next().is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-INT", &id]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let job = home.ok(&["jobs", "list"])[0]["id"].as_str().unwrap().to_owned();
    // A fast machine has ended it before the signal came.
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(130), "{told}");
        assert!(
            told.contains("INTERRUPTED") && told.contains(&format!("jobs wait {job}")),
            "{told}"
        );
    }
    home.ok(&["jobs", "wait", &job]);
    home.only_point();
}

#[test]
fn a_killed_process_leaves_a_home_that_can_be_used() {
    let home = Home::ready();
    home.up().kill();
    assert!(home.dir().join("api.sock").exists(), "it could not clean up");
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    let up = home.up();
    home.only_point();
    assert_eq!(up.interrupt(), 0);
}

#[test]
fn commands_at_the_same_time_wait_for_each_other() {
    let home = Home::new();
    let names: Vec<String> = (0..6).map(|number| format!("vault-{number}")).collect();
    let mut running = vec![];
    for name in &names {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crossvault"));
        command.args(["vaults", "create", name]).env("CROSSVAULT_HOME", home.dir());
        running.push(command.stdout(Stdio::null()).spawn().unwrap());
    }
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(home.ok(&["vaults", "list"]).as_array().unwrap().len(), names.len());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossvault"));
    command.args(["completions", "bash"]).env("CROSSVAULT_HOME", home.dir());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
