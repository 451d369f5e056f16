//! Help, completions and exit codes.

use crate::crossvault::run;

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let named = list.take_while(|line| line.starts_with("  "));
    named
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Looks at a command and adds those below it to `more`.
fn check(path: &[String], more: &mut Vec<Vec<String>>) {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    for switch in ["--help", "-h"] {
        let ran = run(&[&path[..], &[switch]].concat()).exits(0);
        assert!(ran.stdout.contains("Example"), "no example: {ran}");
        assert!(ran.stdout.contains("crossvault "), "{ran}");
        assert!(ran.stderr.is_empty(), "{ran}");
        if switch == "-h" {
            let own = |name| path.iter().map(|part| (*part).to_owned()).chain([name]).collect();
            more.extend(commands(&ran.stdout).into_iter().map(own));
        }
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut paths = vec![vec![]];
    let mut seen = 0;
    while let Some(path) = paths.get(seen).cloned() {
        check(&path, &mut paths);
        seen = seen.saturating_add(1);
    }
    assert!(seen > 60, "only {seen} commands were found in the help");
}

#[test]
fn help_says_what_exit_codes_mean() {
    for arguments in [&["--help"][..], &["exit-codes"]] {
        let ran = run(arguments).exits(0);
        for word in ["Exit codes", "PARTIAL_COMPLETE", "refused", "home"] {
            assert!(ran.stdout.contains(word), "{word}: {ran}");
        }
    }
    let codes = run(&["exit-codes", "--json"]).exits(0).json();
    assert_eq!(codes["value"].as_array().unwrap().len(), 8);
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]).exits(0);
        assert!(ran.stdout.contains("crossvault"), "{ran}");
        assert!(ran.stdout.contains("export-key"), "{ran}");
    }
    run(&["completions", "tcl"]).exits(2);
}

#[test]
fn the_version_is_told() {
    assert!(run(&["--version"]).exits(0).stdout.starts_with("crossvault "));
}

#[test]
fn an_incomplete_command_shows_what_there_is() {
    for arguments in [&[][..], &["vaults"], &["world", "roles"]] {
        let ran = run(arguments).exits(2);
        assert!(ran.stderr.contains("Commands:"), "{ran}");
    }
    let ran = run(&["vaults", "--json"]).exits(2);
    assert_eq!(ran.json()["error"]["code"], "USAGE");
}

#[test]
fn nothing_is_colored_where_nobody_looks() {
    for arguments in [&["--help"][..], &["vaults", "create"], &["exit-codes"]] {
        let ran = run(arguments);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{ran}");
    }
}
