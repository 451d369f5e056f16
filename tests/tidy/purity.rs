//! Decisions and handlers have no runtime, no clock and no randomness, down to the last crate.
//!
//! Asked of each crate alone: in a build of all of them, another crate may switch a feature on.

use crate::sources::{cargo, none};

/// Crates that run futures, tell the time, make chance or call the system.
const IMPURE: [&str; 27] = [
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-std",
    "embassy-executor",
    "fastrand",
    "futures",
    "futures-executor",
    "futures-util",
    "getrandom",
    "iana-time-zone",
    "instant",
    "mio",
    "nix",
    "num_cpus",
    "pollster",
    "polling",
    "quanta",
    "rand",
    "rayon",
    "rustix",
    "smol",
    "socket2",
    "time",
    "tokio",
    "uuid",
    "web-time",
];

/// Features that bring a clock.
const CLOCKS: [(&str, &str); 3] =
    [("chrono", "clock"), ("chrono", "now"), ("chrono", "iana-time-zone")];

/// The crates that a crate is built with, as lines of a name and its features.
fn tree(name: &str) -> String {
    let format = "{p}\t{f}";
    cargo(&[
        "tree",
        "--package",
        name,
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        format,
        "--offline",
    ])
}

fn offences(tree: &str) -> Vec<String> {
    let mut offences = Vec::new();
    for line in tree.lines() {
        let (package, features) = line.split_once('\t').unwrap();
        let name = package.split(' ').next().unwrap();
        if IMPURE.contains(&name) {
            offences.push(format!("`{name}` is in the tree"));
        }
        let mut features = features.split([',', ' ']);
        if let Some(feature) = features.find(|feature| CLOCKS.contains(&(name, feature))) {
            offences.push(format!("`{name}` has its feature `{feature}`"));
        }
    }
    offences
}

#[track_caller]
fn check(name: &str) {
    let tree = tree(name);
    assert!(tree.lines().count() > 5 && tree.contains("chrono v"), "{tree}");
    none(&format!("what `{name}` is built with"), &offences(&tree));
}

#[test]
fn core_is_built_without_runtime_clock_and_randomness() {
    check("crossvault-core");
}

#[test]
fn handlers_are_built_without_runtime_clock_and_randomness() {
    check("crossvault-handlers");
}

#[test]
fn the_simulated_world_is_built_without_runtime_clock_and_randomness() {
    check("crossvault-simulator");
}

/// The embedded platform has all three, and the same look at it finds them.
#[test]
fn runtime_clock_and_randomness_are_seen() {
    let found = offences(&tree("crossvault-embedded"));
    for offence in
        ["`tokio` is in the tree", "`rand` is in the tree", "`chrono` has its feature `now`"]
    {
        assert!(found.iter().any(|seen| seen == offence), "{offence} is not in {found:?}");
    }
}
