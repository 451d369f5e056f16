//! `crossvault policy`: documents and cases from files, without a home.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crossvault::{Ran, run, run_with};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/corpora/policy-cases.jsonl");

const READS: &str = r#"{"Version": "1", "Statement": [
  {"Effect": "Allow", "Action": "oss:Get*", "Resource": "*"}
]}"#;

/// A folder with files in it.
struct Files(TempDir);

impl Files {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.to_str().unwrap().to_owned()
    }
}

fn case(id: &str, policies: &Value, expected: &str) -> String {
    let request = json!({ "action": "oss:GetObject", "resource": "acs:oss:::b/o" });
    json!({ "id": id, "policies": policies, "request": request, "expected": expected }).to_string()
}

fn statement(effect: &str, action: &str) -> Value {
    let statement = json!({ "Effect": effect, "Action": action, "Resource": "*" });
    json!({ "Version": "1", "Statement": [statement] })
}

#[test]
fn the_corpus_is_decided_as_expected_in_both_languages() {
    for dialect in ["ram", "aws"] {
        let ran = run(&["policy", "test", CORPUS, "--dialect", dialect]).exits(0);
        assert!(ran.stdout.starts_with("2,523 cases: 2523 as expected; "), "{ran}");
        let value =
            &run(&["policy", "test", CORPUS, "--dialect", dialect, "--json"]).json()["value"];
        assert_eq!(value["as_expected"], 2523);
        assert_eq!(value["differing"], json!([]));
    }
}

#[test]
fn a_case_that_differs_is_shown_with_what_decided() {
    let reads = statement("Allow", "oss:Get*");
    let cases = [
        case("right", &json!({ "identity": [reads] }), "Allow"),
        case("allowed", &json!({ "identity": [reads] }), "ImplicitDeny"),
        case(
            "denied",
            &json!({ "identity": [reads, statement("Deny", "oss:GetObject")] }),
            "Allow",
        ),
        case(
            "cut",
            &json!({ "identity": [reads], "session": statement("Allow", "ecs:*") }),
            "Allow",
        ),
        case(
            "guarded",
            &json!({ "identity": [reads], "control": [[reads], [statement("Deny", "*")]] }),
            "Allow",
        ),
    ];
    let files = Files::of(&[("cases.jsonl", &cases.join("\n\n"))]);
    let file = files.path("cases.jsonl");
    let ran = run(&["policy", "test", &file]).exits(1);
    for line in [
        format!(
            "{file}:3: allowed: expected ImplicitDeny, found Allow: \
             statement 1 of `policies.identity[0]` allows"
        ),
        format!(
            "{file}:5: denied: expected Allow, found ExplicitDeny: \
             statement 1 of `policies.identity[1]` denies"
        ),
        format!(
            "{file}:7: cut: expected Allow, found ImplicitDeny: \
             no statement of `policies.session` allows"
        ),
        format!(
            "{file}:9: guarded: expected Allow, found ExplicitDeny: \
             statement 1 of `policies.control[1][0]` denies"
        ),
    ] {
        assert!(ran.stdout.lines().any(|found| found == line), "{line}\n{ran}");
    }
    assert!(ran.stdout.contains("\n5 cases: 1 as expected, 4 differ; "), "{ran}");
    let value = &run(&["policy", "test", &file, "--json"]).exits(1).json()["value"];
    assert_eq!(value["differing"][1]["id"], "denied");
    assert_eq!(value["differing"][1]["found"], "ExplicitDeny");
}

#[test]
fn a_case_that_cannot_be_read_is_shown_with_line_and_field() {
    let unknown = json!({ "identity": [statement("Allow", "nonsense")] });
    let lines = [
        case("right", &json!({ "identity": statement("Allow", "*") }), "Allow"),
        r#"{"id": "x""#.to_owned(),
        case("policy", &unknown, "Allow"),
        case("expectation", &json!({ "identity": [] }), "Deny"),
    ]
    .join("\n");
    let ran = run_with(&["policy", "test", "-"], &lines).exits(2);
    for (text, code) in [
        ("line 2, `case`: ", "CASE_NOT_JSON"),
        ("line 3, `policies.identity[0]`: ", "POLICY_ACTION"),
        ("line 4, `expected`: ", "CASE_WRONG_TYPE"),
    ] {
        let found = ran.stdout.lines().find(|line| line.contains(text));
        assert!(found.is_some_and(|line| line.ends_with(&format!("[{code}]"))), "{code}: {ran}");
    }
    let ran = run_with(&["policy", "test", "-", "--json"], &lines).exits(2);
    let found = &ran.json()["value"]["unreadable"];
    assert_eq!((&found[2]["line"], &found[2]["field"]), (&json!(4), &json!("expected")));
    assert_eq!(ran.json()["value"]["as_expected"], 1);
    // A file without a case proves nothing.
    let ran = run_with(&["policy", "test", "-"], "\n").exits(2);
    assert!(ran.stderr.starts_with("error[CASES_NONE]: "), "{ran}");
}

/// The line of the document, and what stands above the caret.
#[track_caller]
fn pointed(ran: &Ran) -> (String, String) {
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let shown = lines.windows(2).find(|pair| pair[1].ends_with('^')).unwrap();
    let caret = shown[1].chars().position(|c| c == '^').unwrap();
    (shown[0].trim_start().to_owned(), shown[0].chars().skip(caret).collect())
}

#[test]
fn a_document_that_breaks_a_rule_is_shown_with_a_caret() {
    let wrong = READS.replace("Allow", "allow");
    let files = Files::of(&[("wrong.json", &wrong), ("right.json", READS)]);
    let (wrong, right) = (files.path("wrong.json"), files.path("right.json"));
    for arguments in [
        &["policy", "check", &right, &wrong][..],
        &["policy", "compare", &right, &wrong],
        &["policy", "compare", &wrong, &right],
    ] {
        let ran = run(arguments).exits(2);
        assert!(ran.stdout.is_empty(), "{ran}");
        let head = format!("error[POLICY_EFFECT]: {wrong}:2:14: `Effect` is `allow`");
        assert!(ran.stderr.starts_with(&head), "{ran}");
        let (line, at) = pointed(&ran);
        assert_eq!(line, r#"2 |   {"Effect": "allow", "Action": "oss:Get*", "Resource": "*"}"#);
        assert!(at.starts_with(r#""allow""#), "{at}");
        assert!(
            ran.stderr.trim_end().ends_with("  Write `Allow` or `Deny`; case counts."),
            "{ran}"
        );

        let ran = run(&[arguments, &["--json"]].concat()).exits(2);
        let error = &ran.json()["error"];
        assert_eq!(error["code"], "POLICY_EFFECT");
        assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(14)));
    }
    let ran = run_with(&["policy", "check", "-"], "{\"Version\": \"1\",\n").exits(2);
    assert!(ran.stderr.starts_with("error[POLICY_NOT_JSON]: standard input:2:1: "), "{ran}");
}

#[test]
fn a_valid_document_is_checked_for_what_it_says_in_vain() {
    let text = r#"{"Version": "1", "Statement": [
  {"Effect": "Allow", "Action": "oss:*", "Resource": "*"},
  {"Effect": "Allow", "Action": "oss:GetObject", "Resource": "*",
   "Condition": {"StringEquals": {"acs:SourceVcp": "vpc-1"}}},
  {"Effect": "Deny", "Action": "oss:*", "Resource": "acs:oss:*:*:secret/*"},
  {"Effect": "Allow", "Action": "oss:PutObject", "Resource": "acs:oss:*:*:secret/x"}
]}"#;
    let ran = run_with(&["policy", "check", "-"], text).exits(0);
    assert!(ran.stdout.contains("warning[POLICY_KEY_UNKNOWN]: standard input:4:35: "), "{ran}");
    for line in [
        "statement 2 (line 3) decides nothing: statement 1 (line 2) decides all of it alike",
        "statement 4 (line 6) allows nothing: statement 3 (line 5) denies all of it",
    ] {
        assert!(ran.stdout.lines().any(|found| found == line), "{line}\n{ran}");
    }
    let ran = run_with(&["policy", "check", "-", "--json"], text).exits(0);
    let value = &ran.json()["value"][0];
    assert_eq!(
        value["findings"],
        json!([
            { "finding": "redundant", "statement": 2, "by": [1] },
            { "finding": "dead", "statement": 4, "by": [3] },
        ])
    );
    assert_eq!(value["warnings"][0]["code"], "POLICY_KEY_UNKNOWN");

    let trust = r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"RAM": "acs:ram::1000000000000001:root"}}]}"#;
    run_with(&["policy", "check", "-", "--kind", "trust"], trust).exits(0);
    let ran = run_with(&["policy", "check", "-"], trust).exits(2);
    assert!(ran.stderr.contains("error[POLICY_ELEMENT_MISSING]"), "{ran}");
    run_with(&["policy", "check", "-", "--dialect", "aws"], READS).exits(2);
}

#[test]
fn policies_are_compared_with_requests_that_show_the_difference() {
    let all = READS.replace("oss:Get*", "oss:*");
    let other = READS.replace("oss:Get*", "ecs:*");
    let files = Files::of(&[("reads", READS), ("all", &all), ("other", &other)]);
    let path = |name| files.path(name);
    for (first, second, exit, result, headline) in [
        ("reads", "reads", 0, "equal", "permit the same"),
        ("reads", "all", 0, "less", "permits less than"),
        ("all", "reads", 1, "more", "permits more than"),
        ("all", "other", 1, "incomparable", "each permit something"),
    ] {
        let (first, second) = (path(first), path(second));
        let ran = run(&["policy", "compare", &first, &second]).exits(exit);
        assert!(ran.stdout.lines().next().unwrap().contains(headline), "{ran}");
        let ran = run(&["policy", "compare", &first, &second, "--json"]).exits(exit);
        assert_eq!(ran.json()["value"]["result"], result, "{ran}");
    }
    let ran = run(&["policy", "compare", &path("all"), &path("reads"), "--json"]);
    let witness = &ran.json()["value"]["first_permits_no_more"]["witness"];
    let action = witness["action"].as_str().unwrap();
    assert!(action.starts_with("oss:") && !action.starts_with("oss:get"), "{witness}");
}

#[test]
fn what_cannot_be_compared_is_unknown_with_the_reason() {
    let on = |test: &str| READS.replace("\"*\"}", &format!("\"*\", \"Condition\": {{{test}}}}}"));
    let one = on(r#""StringEquals": {"acs:SourceVpc": "1"}"#);
    let other = on(r#""NumericEquals": {"acs:SourceVpc": "1"}"#);
    let files = Files::of(&[("one", &one), ("other", &other)]);
    let ran = run(&["policy", "compare", &files.path("one"), &files.path("other")]).exits(1);
    assert!(ran.stdout.starts_with("not known how "), "{ran}");
    assert!(ran.stdout.contains("is unknown: it hangs on `acs:sourcevpc`"), "{ran}");
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    let files = Files::of(&[("reads", READS)]);
    std::fs::write(files.0.path().join("bytes"), b"{\n\xff").unwrap();
    let (bytes, none) = (files.path("bytes"), files.path("none"));
    for (arguments, code) in [
        (&["policy", "check", &none][..], "DOCUMENT_UNREADABLE"),
        (&["policy", "test", &none], "DOCUMENT_UNREADABLE"),
        (&["policy", "check", &bytes], "DOCUMENT_NOT_TEXT"),
        (&["policy", "test", &bytes], "DOCUMENT_NOT_TEXT"),
        (&["policy", "compare", "-", "-"], "STDIN_TWICE"),
        (&["policy", "test", "-", "-"], "STDIN_TWICE"),
        (&["policy", "check"], "USAGE"),
    ] {
        let ran = run(&[arguments, &["--json"]].concat()).exits(2);
        assert_eq!(ran.json()["error"]["code"], code, "{ran}");
    }
}
