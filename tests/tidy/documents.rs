//! The documents name files that exist and commands that the program has.

use crate::sources::{Source, files, none, root};

/// Ends of names that make a word in backticks a file of ours.
const ENDINGS: [&str; 7] = [".rs", ".toml", ".md", ".txt", ".yaml", ".json", "/"];

/// The names in backticks that look like files and are none.
fn lost_files(document: &Source) -> Vec<String> {
    let mut lost = Vec::new();
    for (line, number) in prose(&document.text) {
        let spans = line.split('`').skip(1).step_by(2).map(|span| (span, true));
        let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links = links.filter(|link| !link.contains("://")).map(|link| (link, false));
        for (name, is_span) in spans.chain(links) {
            let name = name.split(['#', ':']).next().unwrap();
            let is_file = ENDINGS.iter().any(|end| name.ends_with(end)) || name.starts_with(".ci/");
            let is_pattern = name.contains(['*', '<', '…', ' ', '$', '~', '{', '\\']);
            // A bare name such as `Cargo.toml` is of whatever crate is spoken of.
            let is_bare = !name.trim_end_matches('/').contains('/') && is_span;
            if name.is_empty() || is_pattern || (is_span && (!is_file || is_bare)) {
                continue;
            }
            if !name.starts_with('/') && !root().join(name).exists() {
                lost.push(format!("{}:{number}: `{name}` does not exist", document.path));
            }
        }
    }
    lost
}

/// The lines outside of fenced blocks, with their numbers.
fn prose(text: &str) -> Vec<(&str, usize)> {
    let mut is_inside = false;
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1_usize..) {
        if line.trim_start().starts_with("```") {
            is_inside = !is_inside;
        } else if !is_inside {
            lines.push((line, number));
        }
    }
    lines
}

/// The documents at the root.
fn documents() -> Vec<Source> {
    let all = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
    let mut found = files("md");
    found.retain(|document| all.contains(&document.path.as_str()));
    assert_eq!(found.len(), all.len(), "a document is gone");
    found
}

#[test]
fn documents_name_files_that_exist() {
    none("names in the documents", &documents().iter().flat_map(lost_files).collect::<Vec<_>>());
}

#[test]
fn a_name_of_a_lost_file_is_seen() {
    #[track_caller]
    fn check(text: &str, caught: usize) {
        assert_eq!(lost_files(&Source::planted("README.md", text)).len(), caught, "{text}");
    }
    check("see `core/src/lib.rs`, `core/src/` and [the map](ARCHITECTURE.md#rows)", 0);
    check("see `core/src/gone.rs`", 1);
    check("see `core/gone/` and [it](GONE.md)", 2);
    check("run `.ci/gone`", 1);
    check("any `functions/handlers/src/ports/<name>.rs`, `lib.rs`, `a/b`, `tests/*.rs`", 0);
    check("```\n`core/src/gone.rs`\n```\n", 0);
}
