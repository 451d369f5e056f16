//! Bad input of each command: a code, what is so, what to do, and the documented exit code.

use crate::crossvault::{BACKUP, Home, run};

const JOB: &str = "job-0123456789abcdef0123";
const POINT: &str = "s-0123456789abcdef0123";

#[test]
fn what_is_not_understood_is_usage() {
    let home = Home::none();
    for (arguments, code) in [
        (&["nonsense"][..], "USAGE"),
        (&["vaults", "create"], "USAGE"),
        (&["vaults", "list", "--nonsense"], "USAGE"),
        (&["-q", "-v", "vaults", "list"], "USAGE"),
        (&["jobs", "show", "job-1"], "INVALID_ID"),
        (&["jobs", "cancel", "1"], "INVALID_ID"),
        (&["jobs", "wait", POINT], "INVALID_ID"),
        (&["jobs", "list", "--limit", "many"], "USAGE"),
        (&["points", "browse", JOB], "INVALID_ID"),
        (&["points", "delete", "s-XYZ", "--yes"], "INVALID_ID"),
        (&["restore", "s-1", "--to", "ecs-files/web"], "INVALID_ID"),
        (&["restore", POINT, "--to", "web"], "INVALID_ID"),
        (&["restore", POINT], "USAGE"),
        (&["backup", "run", "web", "--vault", "main"], "INVALID_ID"),
        (&["backup", "run", "floppy/web", "--vault", "main"], "INVALID_ID"),
        (&["backup", "run", "ecs-files/web"], "USAGE"),
        (&["backup", "run", "ecs-files/web", "--vault", "a", "--policy", "b"], "USAGE"),
        (&["accounts", "add", "payroll"], "USAGE"),
        (&["accounts", "add", "payroll", "--directory", "--role", "r"], "USAGE"),
        (&["accounts", "add", "payroll", "--role", "no role"], "INVALID_ID"),
        (&["accounts", "add", ""], "INVALID_ID"),
        (&["sources", "list", "--kind", "floppy"], "INVALID_ID"),
        (&["--region", "CN Hangzhou", "vaults", "list"], "INVALID_ID"),
        (&["--token", "no token", "vaults", "list"], "INVALID_ID"),
        (&["--home", "", "vaults", "list"], "USAGE"),
        (&["init", "--management", "1"], "INVALID_ID"),
        (&["world", "accounts", "add", "12", "short"], "INVALID_ID"),
        (&["world", "roles", "create", "no role"], "INVALID_ID"),
        (&["world", "roles", "service-create", "other"], "USAGE"),
        (&["policies", "create", "p", "--vault", "v", "--every", "soon"], "INTERVAL_INVALID"),
        (&["policies", "create", "p", "--vault", "v", "--daily", "25:00"], "TIME_OF_DAY_INVALID"),
        (&["policies", "create", "p", "--vault", "v", "--daily", "2:00", "--every", "1d"], "USAGE"),
        (
            &["policies", "create", "p", "--vault", "v", "--every", "1d", "--start", "soon"],
            "START_INVALID",
        ),
        (
            &["policies", "create", "p", "--vault", "v", "--every", "1d", "--keep", "long"],
            "KEEP_TIME_INVALID",
        ),
        (&["alerts", "--limit", "0"], "USAGE"),
    ] {
        home.fails(arguments, 2, code);
    }
    assert!(!home.dir().exists(), "a command that is not understood touches nothing");
}

#[test]
fn a_home_that_is_not_there_is_told_by_every_command() {
    let home = Home::none();
    for arguments in [
        &["status"][..],
        &["up"],
        &["vaults", "list"],
        &["accounts", "list"],
        &["world", "accounts", "list"],
        &["backup", "run", "ecs-files/web", "--vault", "main"],
        &["points", "list"],
        &["audit"],
        &["alerts"],
    ] {
        home.fails(arguments, 5, "HOME_MISSING");
    }
    assert!(!home.dir().exists());
}

#[test]
fn a_home_is_made_once_and_nowhere_else() {
    let home = Home::new();
    home.fails(&["init"], 5, "HOME_EXISTS");
    let other = home.beside("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("letter.txt"), "dear").unwrap();
    let ran = run(&["--home", other.to_str().unwrap(), "init", "--json"]).exits(5);
    assert_eq!(ran.json()["error"]["code"], "HOME_OCCUPIED");
    assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
}

#[test]
fn a_home_that_another_process_holds_is_told_with_who_it_is() {
    let home = Home::new();
    let lock = std::fs::OpenOptions::new().write(true).open(home.dir().join("lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(home.dir().join("lock"), "4242\ncrossvault backup run\n").unwrap();
    home.fails(&["status"], 5, "HOME_HELD");
    let ran = home.run(&["vaults", "list"]).exits(5);
    assert!(ran.stderr.contains("4242") && ran.stderr.contains("backup run"), "{ran}");
    drop(lock);
    home.ok(&["status"]);
}

#[test]
fn accounts_that_nobody_has_are_refused() {
    let home = Home::new();
    for arguments in [
        &["--account", "nobody", "jobs", "list"][..],
        &["--account", "1000000000009999", "points", "list"],
        &["--as", "nobody", "vaults", "list"],
        &["accounts", "add", "nobody", "--directory"],
        &["accounts", "check", "nobody"],
        &["accounts", "remove", "nobody"],
        &["backup", "run", "nobody/cn-hangzhou/ecs-files/web", "--vault", "main"],
        &["restore", POINT, "--to", "nobody/cn-hangzhou/ecs-files/web"],
        &["world", "directory", "add-member", "nobody"],
    ] {
        home.fails(arguments, 3, "ACCOUNT_UNKNOWN");
    }
    home.ok(&["world", "accounts", "add", "1000000000000098", "twin"]);
    home.ok(&["world", "accounts", "add", "1000000000000099", "twin"]);
    home.fails(&["--account", "twin", "jobs", "list"], 3, "ACCOUNT_AMBIGUOUS");
    home.ok(&["--account", "1000000000000099", "jobs", "list"]);
}

#[test]
fn things_that_are_not_there_are_refused() {
    let home = Home::ready();
    let web = "payroll/cn-hangzhou/ecs-files/web";
    for arguments in [
        &["jobs", "show", JOB][..],
        &["jobs", "cancel", JOB],
        &["jobs", "wait", JOB],
        &["points", "browse", POINT],
        &["points", "delete", POINT, "--yes"],
        &["points", "list", "--vault", "none"],
        &["restore", POINT, "--to", web],
        &["vaults", "prune", "none"],
        &["vaults", "check", "none"],
        &["vaults", "export-key", "none", "--to", "-"],
        &["policies", "update", "none", "--every", "1d"],
        &["policies", "delete", "none"],
        &["policies", "create", "nightly", "--vault", "none", "--every", "1d"],
        &["bindings", "add", "none", web],
        &["bindings", "remove", "none", web],
        &["bindings", "pause", "none", web],
        &["bindings", "resume", "none", web],
        &["bindings", "slots", "none", web],
        &["bindings", "list", "--policy", "none"],
        &["backup", "run", web, "--vault", "none"],
        &["backup", "run", web, "--policy", "none"],
        &["accounts", "remove", "partner"],
    ] {
        home.fails(arguments, 3, "UNKNOWN");
    }
}

#[test]
fn rules_are_told_when_they_are_broken() {
    let home = Home::ready();
    let policy = ["policies", "create", "nightly", "--vault", "main"];
    for (more, code) in [
        (&["--schedule", "every day"][..], "RECURRENCE_FORM_INVALID"),
        (&["--schedule", "I|0|P1M"], "RECURRENCE_INTERVAL_CALENDAR"),
        (&["--every", "PT5S"], "RECURRENCE_INTERVAL_SHORT"),
        (&["--cron", "0 2 * * *"], "RECURRENCE_CRON_INVALID"),
        (&["--cron", "0 0 2 30 2 ?"], "RECURRENCE_NEVER_RUNS"),
        (&["--daily", "02:00", "--zone", "Mars/Olympus"], "ZONE_UNKNOWN"),
        (&["--every", "1d", "--keep", "0d"], "RETENTION_DAYS_INVALID"),
        (&["--every", "1d", "--keep", "30d", "--keep-daily", "7d"], "RETENTION_SPECIAL_NOT_LONGER"),
    ] {
        home.fails(&[&policy, more].concat(), 3, code);
    }
    home.fails(&policy, 2, "SCHEDULE_NEEDED");
    home.fails(
        &["policies", "create", "9lives", "--vault", "main", "--every", "1d"],
        3,
        "INVALID_NAME",
    );
    home.ok(&["policies", "create", "nightly", "--vault", "main", "--every", "1d"]);
    home.fails(&[&policy[..], &["--every", "1d"]].concat(), 3, "NAME_TAKEN");
    home.fails(&["policies", "update", "nightly"], 2, "CHANGE_NEEDED");
    home.fails(&["vaults", "create", "main"], 3, "NAME_TAKEN");
    home.fails(&["vaults", "create", "autovault"], 3, "INVALID_NAME");
    home.fails(&["jobs", "list", "--limit", "0"], 3, "OUT_OF_BOUNDS");
    home.fails(&["audit", "--limit", "100000"], 3, "OUT_OF_BOUNDS");
    home.fails(&["points", "delete", POINT], 3, "CONFIRMATION_NEEDED");
    home.fails(&["accounts", "add", "backup", "--directory"], 3, "OWN_ACCOUNT");
}

#[test]
fn a_source_of_another_account_is_pointed_at() {
    let home = Home::ready();
    let arguments = ["backup", "run", "ecs-files/web", "--vault", "main"];
    home.fails(&arguments, 3, "SOURCE_OF_OTHER_ACCOUNT");
    let ran = home.run(&arguments);
    assert!(ran.stderr.contains("`payroll/ecs-files/web`"), "{ran}");
    assert!(ran.stderr.contains("--account"), "{ran}");
}

#[test]
fn a_token_means_one_request() {
    let home = Home::new();
    let first = home.ok(&["--token", "t-1", "vaults", "create", "main"]);
    let again = home.ok(&["--token", "t-1", "vaults", "create", "main"]);
    assert_eq!(first, again);
    home.fails(&["--token", "t-1", "vaults", "create", "other"], 3, "TOKEN_REUSED");
    assert_eq!(home.ok(&["vaults", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn the_world_says_no_in_its_own_codes() {
    let home = Home::peopled();
    for (arguments, code) in [
        (&["world", "accounts", "add", BACKUP, "again"][..], "WORLD_ACCOUNT_EXISTS"),
        (&["world", "directory", "add-member", "payroll"], "WORLD_IN_DIRECTORY"),
        (&["world", "directory", "remove-member", "backup"], "WORLD_MEMBER_ADMINISTERS"),
        (&["world", "administrators", "add", "backup"], "WORLD_ADMINISTERS_ALREADY"),
        (&["world", "administrators", "add", "partner"], "WORLD_NOT_MEMBER"),
        (&["--account", "partner", "world", "roles", "delete", "none"], "WORLD_ROLE_UNKNOWN"),
        (
            // The role that it would trust is not there yet.
            &["--account", "partner", "world", "roles", "create", "hbr"],
            "WORLD_TRUSTED_ROLE_UNKNOWN",
        ),
        (
            &["--account", "partner", "world", "sources", "remove", "nas/none"],
            "WORLD_SOURCE_UNKNOWN",
        ),
        (
            &[
                "--account",
                "partner",
                "--as",
                "payroll",
                "world",
                "sources",
                "remove",
                "ecs-files/web",
            ],
            "WORLD_NOT_OWNER",
        ),
        (
            &["--account", "partner", "--as", "payroll", "world", "roles", "delete", "hbr"],
            "WORLD_NOT_OWNER",
        ),
    ] {
        home.fails(arguments, 3, code);
    }
    let nowhere = home.beside("nowhere");
    let add = ["--account", "partner", "world", "sources", "add", "nas/fs-1", "--path"];
    let add = [&add[..], &[nowhere.to_str().unwrap()]].concat();
    home.fails(&add, 3, "SOURCE_FOLDER_UNUSABLE");
    home.ok(&[&add[..], &["--create"]].concat());
    assert!(nowhere.is_dir());
    let trust = ["--account", "partner", "world", "roles", "create", "x", "--trust", "/no/file"];
    home.fails(&trust, 2, "DOCUMENT_UNREADABLE");
}

#[test]
fn a_key_file_is_made_for_its_owner_and_never_written_over() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.ok(&["vaults", "create", "main"]);
    let file = home.beside("main.key");
    let arguments = ["vaults", "export-key", "main", "--to", file.to_str().unwrap()];
    let ran = home.run(&arguments).exits(0);
    let key = std::fs::read_to_string(&file).unwrap();
    assert!(key.trim().len() >= 32);
    assert!(!ran.stdout.contains(key.trim()) && !ran.stderr.contains(key.trim()));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    home.fails(&arguments, 3, "KEY_FILE_EXISTS");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
}
