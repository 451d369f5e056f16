//! The documents name files and tests that exist, and tell the exit codes as the program does.

use crate::sources::{Source, files, none, root, rust};

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

/// The names in backticks that look like tests, which are sentences, and stand in no source.
fn lost_tests(document: &Source, sources: &[Source]) -> Vec<String> {
    let is_sentence = |name: &str| {
        name.split('_').count() > 3
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let is_lost = |name: &str| {
        let head = format!("fn {name}(");
        !sources.iter().any(|source| source.text.contains(&head))
    };
    let mut lost = Vec::new();
    for (line, number) in prose(&document.text) {
        for name in line.split('`').skip(1).step_by(2) {
            if is_sentence(name) && is_lost(name) {
                lost.push(format!("{}:{number}: there is no test `{name}`", document.path));
            }
        }
    }
    lost
}

/// The rows `| code | meaning |` whose meaning the program does not tell in these words.
fn other_exit_codes(document: &Source, program: &str) -> Vec<String> {
    let rows = document.text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let (code, meaning) = (cells.next()?, cells.next()?);
        let is_row = code.parse::<u8>().is_ok() && cells.next().is_none();
        is_row.then(|| meaning.replace('`', ""))
    });
    let meanings: Vec<String> = rows.collect();
    let is_other = |meaning: &&String| !program.contains(&format!("\"{meaning}\""));
    let mut other: Vec<String> = meanings.iter().filter(is_other).cloned().collect();
    if meanings.len() < 7 {
        other.push(format!("only {} exit codes are told", meanings.len()));
    }
    other
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
fn documents_name_tests_that_exist() {
    let sources = rust();
    let lost = documents().iter().flat_map(|one| lost_tests(one, &sources)).collect::<Vec<_>>();
    none("tests in the documents", &lost);
}

#[test]
fn exit_codes_are_told_as_the_program_tells_them() {
    let all = documents();
    let readme = all.iter().find(|document| document.path == "README.md").unwrap();
    let sources = rust();
    let program = sources.iter().find(|source| source.path == "cli/src/exit.rs").unwrap();
    none("exit codes in README.md", &other_exit_codes(readme, &program.text));
    let planted = readme.text.replace("| 5 | the home", "| 5 | the house");
    assert_eq!(other_exit_codes(&Source::planted("README.md", &planted), &program.text).len(), 1);
    assert_eq!(other_exit_codes(&Source::planted("README.md", ""), &program.text).len(), 1);
}

#[test]
fn a_name_of_a_lost_test_is_seen() {
    let sources = [Source::planted("core/src/a.rs", "fn a_test_that_is_there() {}")];
    let check = |text: &str| lost_tests(&Source::planted("README.md", text), &sources).len();
    assert_eq!(check("`a_test_that_is_there`, `short_name`, `a_test`"), 0);
    assert_eq!(check("see `a_test_that_is_gone`"), 1);
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
