//! Where things lie: names of folders, lengths of files, docs at their top.

use std::{collections::BTreeMap, path::Path};

use crate::sources::{Source, folders, none, rust};

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["common", "helper", "helpers", "impl", "misc", "types", "util", "utils"];

/// Lines of a source before its tests.
const LINES_MAX: usize = 500;
/// Lines of a file of tests.
const TEST_LINES_MAX: usize = 600;

/// Files that are longer, each with the reason or the way out.
const LONGER: [(&str, &str); 1] =
    [("functions/handlers/src/records/row.rs", "to be split: one file a family of rows")];

fn bad_folders(folders: &[String]) -> Vec<String> {
    let is_bad = |folder: &&String| folder.split('/').any(|name| EMPTY_NAMES.contains(&name));
    folders.iter().filter(is_bad).map(|folder| format!("`{folder}`")).collect()
}

fn bad_files(sources: &[Source]) -> Vec<String> {
    let stem =
        |source: &Source| Path::new(&source.path).file_stem().unwrap().to_str().unwrap().to_owned();
    let is_bad = |name: &String| name == "mod" || EMPTY_NAMES.contains(&name.as_str());
    sources.iter().filter(|source| is_bad(&stem(source))).map(|one| one.path.clone()).collect()
}

fn too_long(sources: &[Source]) -> Vec<String> {
    let allowed: BTreeMap<_, _> = LONGER.into_iter().collect();
    let mut offences = Vec::new();
    for source in sources {
        let (lines, bound) = if source.is_test() {
            (source.text.lines().count(), TEST_LINES_MAX)
        } else {
            (source.product_lines(), LINES_MAX)
        };
        match (lines > bound, allowed.get(source.path.as_str())) {
            (true, None) => {
                offences.push(format!("{} has {lines} lines, {bound} are allowed", source.path));
            }
            (false, Some(_)) => {
                offences.push(format!("{} is short now: strike it from `LONGER`", source.path));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    offences
}

/// A file begins by saying what it is about. Two kinds need not: tests beside their subject, and a
/// private module whose parent says it and shows its items as its own (`pub use name::…`).
fn without_docs(sources: &[Source]) -> Vec<String> {
    let texts: BTreeMap<&str, &str> =
        sources.iter().map(|source| (source.path.as_str(), source.text.as_str())).collect();
    let is_shown = |source: &Source| {
        let path = Path::new(&source.path);
        let folder = path.parent().unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let parents = [folder.with_extension("rs"), folder.join("lib.rs"), folder.join("main.rs")];
        parents.iter().filter_map(|path| texts.get(path.to_str().unwrap())).any(|facade| {
            facade.starts_with("//!")
                && facade.contains(&format!("\nmod {name};"))
                && facade.contains(&format!(" use {name}::"))
        })
    };
    sources
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .filter(|source| !source.path.ends_with("/tests.rs") && !is_shown(source))
        .map(|source| format!("{} does not begin with `//!`", source.path))
        .collect()
}

#[test]
fn folders_and_files_say_what_is_inside() {
    none("names of folders", &bad_folders(&folders()));
    none("names of files", &bad_files(&rust()));
}

#[test]
fn files_stay_short() {
    none("lengths of files", &too_long(&rust()));
    for (path, _) in LONGER {
        assert!(rust().iter().any(|source| source.path == path), "`{path}` is gone");
    }
}

#[test]
fn files_begin_with_what_they_are_about() {
    none("module docs", &without_docs(&rust()));
}

#[test]
fn an_empty_name_is_seen() {
    assert_eq!(bad_folders(&["core/src/utils".to_owned(), "core/src/utility".to_owned()]).len(), 1);
    let planted = ["core/src/job/mod.rs", "cli/src/helpers.rs", "cli/src/job.rs"];
    assert_eq!(bad_files(&planted.map(|path| Source::planted(path, ""))).len(), 2);
}

#[test]
fn a_long_file_is_seen() {
    #[track_caller]
    fn check(path: &str, text: &str, caught: bool) {
        assert_eq!(too_long(&[Source::planted(path, text)]).len(), usize::from(caught), "{path}");
    }
    let long = "x\n".repeat(501);
    check("core/src/a.rs", &long, true);
    check("core/src/a.rs", "x\n", false);
    check("core/src/a.rs", &format!("x\n\n#[cfg(test)]\nmod tests {{\n{long}}}\n"), false);
    check("core/src/a/tests.rs", &long, false);
    check("core/src/a/tests.rs", &long.repeat(2), true);
}

#[test]
fn a_file_without_docs_is_seen() {
    let file = Source::planted("core/src/a/b.rs", "fn f() {}\n");
    let facade = |text| Source::planted("core/src/a.rs", text);
    let check = |facade: Source, caught| {
        assert_eq!(without_docs(&[file.clone(), facade]).len(), caught);
    };
    check(facade("//! A.\n\nmod b;\n\npub use b::F;\n"), 0);
    check(facade("//! A.\n\nmod b;\n"), 1);
    check(facade("//! A.\n\npub mod b;\n\npub use b::F;\n"), 1);
    check(facade("mod b;\n\npub use b::F;\n"), 2);
}
