//! Dependencies point one way: what assembles → platforms → handlers → core.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sources::{cargo, none};

/// Each crate of the workspace, and the others that it may use.
const ARROWS: [(&str, &[&str]); 7] = [
    ("crossvault-core", &[]),
    ("crossvault-handlers", &["crossvault-core"]),
    ("crossvault-simulator", &["crossvault-core", "crossvault-handlers"]),
    // The local world's identities are the simulator's.
    ("crossvault-embedded", &["crossvault-core", "crossvault-handlers", "crossvault-simulator"]),
    (
        "crossvault",
        &["crossvault-core", "crossvault-embedded", "crossvault-handlers", "crossvault-simulator"],
    ),
    (
        "crossvault-tests",
        &["crossvault-core", "crossvault-embedded", "crossvault-handlers", "crossvault-simulator"],
    ),
    (
        "crossvault-benches",
        &["crossvault-core", "crossvault-handlers", "crossvault-simulator", "crossvault-tests"],
    ),
];

/// What a crate may use besides in its tests: the plain store, the sweeps.
const IN_TESTS: [(&str, &str); 1] = [("crossvault", "crossvault-tests")];

/// What the two pure crates may use of other people's; one more is a decision of its own.
const FOREIGN: [(&str, &[&str]); 2] = [
    (
        "crossvault-core",
        &[
            "chrono",
            "chrono-tz",
            "compact_str",
            "croner",
            "memchr",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
        ],
    ),
    (
        "crossvault-handlers",
        &["chrono", "chrono-tz", "serde", "serde_json", "sha2", "thiserror", "tracing"],
    ),
];

/// A crate and what it depends on: (name, whether only in tests).
type Crates = BTreeMap<String, Vec<(String, bool)>>;

fn crates(metadata: &str) -> Crates {
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().unwrap();
            let used = all.iter().map(|one| (text(&one["name"]), one["kind"] == "dev")).collect();
            (text(&package["name"]), used)
        })
        .collect()
}

fn offences(crates: &Crates) -> Vec<String> {
    let ours: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let foreign: BTreeMap<_, _> = FOREIGN.into_iter().collect();
    let mut offences = Vec::new();
    for (name, used) in crates {
        let Some(may) = ours.get(name.as_str()) else {
            offences.push(format!("`{name}` has no place among the arrows: name it in `ARROWS`"));
            continue;
        };
        for (other, is_dev) in used {
            let is_ours = crates.contains_key(other);
            let is_for_tests = *is_dev && IN_TESTS.contains(&(name, other));
            if is_ours && !is_for_tests && !may.contains(&other.as_str()) {
                offences.push(format!("`{name}` uses `{other}`"));
            }
            let is_foreign = !is_ours && !is_dev;
            if is_foreign && foreign.get(name.as_str()).is_some_and(|may| !may.contains(&&**other))
            {
                offences
                    .push(format!("`{name}` uses `{other}`: name it in `FOREIGN`, or do without"));
            }
        }
    }
    let there: BTreeSet<&str> = crates.keys().map(String::as_str).collect();
    for gone in ours.keys().filter(|name| !there.contains(*name)) {
        offences.push(format!("`{gone}` is among the arrows and not in the workspace"));
    }
    offences
}

fn workspace() -> Crates {
    crates(&cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]))
}

#[test]
fn the_crates_use_what_the_map_says() {
    none("arrows between crates", &offences(&workspace()));
}

#[test]
fn an_arrow_that_points_back_is_seen() {
    #[track_caller]
    fn check(name: &str, uses: &str, is_dev: bool, caught: bool) {
        let mut planted = workspace();
        let before = offences(&planted).len();
        planted.get_mut(name).unwrap().push((uses.to_owned(), is_dev));
        let is_caught = offences(&planted).len() > before;
        assert_eq!(is_caught, caught, "{name} -> {uses}");
    }
    check("crossvault-core", "crossvault-handlers", false, true);
    check("crossvault-handlers", "crossvault-embedded", true, true);
    check("crossvault-simulator", "crossvault-embedded", false, true);
    check("crossvault-handlers", "tokio", false, true);
    check("crossvault-core", "rand", false, true);
    check("crossvault-handlers", "proptest", true, false);
    check("crossvault", "anything", false, false);
    check("crossvault", "crossvault-tests", true, false);
    check("crossvault", "crossvault-tests", false, true);

    let mut planted = workspace();
    planted.insert("crossvault-new".to_owned(), Vec::new());
    planted.remove("crossvault-core");
    assert!(offences(&planted).len() >= 2);
}
