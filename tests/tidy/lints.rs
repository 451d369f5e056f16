//! Lints stand once, in the root, and reach each crate.

use crate::sources::{Source, files, none};

/// Each crate takes the root's lints, and a `clippy.toml` in a crate, which stands in place of the
/// root's, repeats the root's lines.
fn offences(manifests: &[Source]) -> Vec<String> {
    let text_of = |path: &str| manifests.iter().find(|one| one.path == path).unwrap().text.as_str();
    let settings = text_of("clippy.toml").lines().filter(|line| !line.is_empty());
    let mut offences = Vec::new();
    for manifest in manifests {
        let path = &manifest.path;
        if path.ends_with("/Cargo.toml") && !manifest.text.contains("\n[lints]\nworkspace = true\n")
        {
            offences.push(format!("{path} does not take the workspace's lints"));
        }
        if path.ends_with("/clippy.toml") {
            let lacks = |line: &&str| !manifest.text.lines().any(|own| own == *line);
            let missing = settings.clone().filter(lacks);
            offences.extend(missing.map(|line| format!("{path} lacks the root's `{line}`")));
        }
    }
    offences
}

#[test]
fn every_crate_has_the_lints_of_the_root() {
    none("lints", &offences(&files("toml")));
}

#[test]
fn a_crate_without_lints_is_seen() {
    let mut manifests = files("toml");
    manifests.push(Source::planted("core/new/Cargo.toml", "[package]\n"));
    assert_eq!(offences(&manifests).len(), 1);
    manifests.push(Source::planted("cli/clippy.toml", "allow-unwrap-in-tests = true\n"));
    assert!(offences(&manifests).len() > 2);
}

#[test]
fn the_pure_crates_name_what_they_may_not_use() {
    for path in ["core/clippy.toml", "functions/handlers/clippy.toml"] {
        let all = files("toml");
        let text = &all.iter().find(|one| one.path == path).unwrap().text;
        for name in
            ["HashMap", "SystemTime", "Instant", "Utc::now", "fs::read", "env::var", "spawn"]
        {
            assert!(text.contains(&format!("::{name}\"")), "{path} does not ban `{name}`");
        }
    }
}
