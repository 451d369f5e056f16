//! Real documents parse; broken ones say what is wrong and where.
//!
//! `real/` holds one document a file, named by language and kind (`aws-trust-…`); beside each
//! stand the codes of its warnings, if it has some. `malformed.jsonl` holds documents that break a
//! rule, each with the code and the place of what breaks it.

use std::{env, fmt::Write as _, fs, path::Path, sync::LazyLock};

use crossvault_core::{
    explain::Explain,
    policy::{
        Dialect, Policy, PolicyKind, ServiceRole, system_policy, system_policy_names,
        trust_policy_for,
    },
};
use serde::Deserialize;

/// A document's name, language, kind and text.
type Document = (String, Dialect, PolicyKind, String);

/// All documents that should parse.
pub(crate) static REAL: LazyLock<Vec<Document>> = LazyLock::new(real);

fn real() -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/real");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let mut words = name.splitn(3, '-');
        let dialect = match words.next() {
            Some("ram") => Dialect::Ram,
            Some("aws") => Dialect::Aws,
            other => panic!("{other:?} is no language"),
        };
        let kind = kind(words.next().unwrap());
        all.push((name, dialect, kind, fs::read_to_string(&path).unwrap()));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn kind(name: &str) -> PolicyKind {
    match name {
        "permission" => PolicyKind::Permission,
        "session" => PolicyKind::Session,
        "trust" => PolicyKind::Trust,
        "control" => PolicyKind::Control,
        "system" => PolicyKind::System,
        other => panic!("{other} is no kind"),
    }
}

/// The codes of a document's warnings are written beside it; `UPDATE_EXPECT=1` writes them anew.
#[test]
fn real_documents_parse_and_are_warned_about_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/real");
    let mut found = String::new();
    for (name, dialect, kind, text) in REAL.iter() {
        let policy = Policy::parse_in(*dialect, text, *kind)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for warning in policy.warnings() {
            assert!(!warning.remedy().is_empty());
            writeln!(found, "{name} {} {warning}", warning.code()).unwrap();
        }
    }
    let path = folder.join("warnings.txt");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&path).unwrap());
}

#[test]
fn the_clouds_own_documents_give_no_warnings() {
    for name in system_policy_names() {
        assert_eq!(system_policy(name).unwrap().warnings(), [], "{name}");
    }
    for text in ServiceRole::ALL.map(ServiceRole::trust_document) {
        assert_eq!(Policy::parse(text, PolicyKind::Trust).unwrap().warnings(), []);
    }
    let pasted = trust_policy_for(&"1000000000000001".parse().unwrap());
    assert_eq!(Policy::parse(&pasted, PolicyKind::Trust).unwrap().warnings(), []);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Malformed {
    dialect: Dialect,
    kind: String,
    document: String,
    code: String,
    line: u32,
    column: u32,
}

#[test]
fn malformed_documents_name_the_rule_and_the_place() {
    let lines = include_str!("malformed.jsonl");
    let mut differing = Vec::new();
    for (number, line) in (1..).zip(lines.lines()) {
        let case: Malformed =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("line {number}: {error}"));
        let found = match Policy::parse_in(case.dialect, &case.document, kind(&case.kind)) {
            Ok(_) => "parses".to_owned(),
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
                format!("{} {}:{}", error.code(), error.at.line, error.at.column)
            }
        };
        let expected = format!("{} {}:{}", case.code, case.line, case.column);
        if found != expected {
            differing.push(format!("line {number}: {found}, expected {expected}"));
        }
    }
    assert!(lines.lines().count() >= 60);
    assert!(differing.is_empty(), "{differing:#?}");
}
