//! Whatever is written, the parser answers: at once, with a place in the text, without a panic.
//!
//! `PROPTEST_CASES` sets how many documents are tried. Ten minutes are about
//!
//! ```sh
//! PROPTEST_CASES=7000000 cargo test --release -p crossvault-tests --test policies bytes
//! ```

use std::time::{Duration, Instant};

use crossvault_core::policy::{
    Context, Dialect, InvalidPolicy, Policy, PolicyKind, Request, case::Case, evaluate,
};
use proptest::{prelude::*, sample::Index};

use crate::documents::REAL;

const KINDS: [PolicyKind; 5] = [
    PolicyKind::Permission,
    PolicyKind::Session,
    PolicyKind::Trust,
    PolicyKind::Control,
    PolicyKind::System,
];

/// No document takes longer, not even a long one in a build without optimisation.
const AT_MOST: Duration = Duration::from_secs(1);

/// Reads the text as each kind in both languages.
fn read_all(text: &str) {
    for dialect in [Dialect::Ram, Dialect::Aws] {
        for kind in KINDS {
            let before = Instant::now();
            let read = Policy::parse_in(dialect, text, kind);
            assert!(before.elapsed() < AT_MOST, "{kind} {:?}", before.elapsed());
            match read {
                Ok(policy) => use_it(&policy),
                Err(error) => assert_within(text, &error),
            }
        }
    }
}

/// What was read can be asked, and every warning has its place.
fn use_it(policy: &Policy) {
    let context = Context::default().with("aws:username", "*").with("acs:SourceIp", "10.0.0.1");
    let request = Request { action: "a:B", resource: "arn:aws:s3:::b/x", context: &context };
    let _ = evaluate(&[policy], &request);
    let lines = u32::try_from(policy.text().split('\n').count()).unwrap();
    assert!(policy.warnings().iter().all(|warning| warning.at.line <= lines));
}

/// The place is a character of the text, or right behind the last one of its line.
#[track_caller]
fn assert_within(text: &str, error: &InvalidPolicy) {
    let line = usize::try_from(error.at.line).unwrap();
    let column = usize::try_from(error.at.column).unwrap();
    let found = text.split('\n').nth(line.checked_sub(1).unwrap());
    let length = found.unwrap_or_else(|| panic!("{error}: no such line")).chars().count();
    assert!((1..=length.saturating_add(1)).contains(&column), "{error}: the line has {length}");
}

/// Something done to a document: where, how much of it goes, what comes in its place.
type Change = (Index, usize, String);

fn changed(text: &str, changes: &[Change]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (at, gone, new) in changes {
        let from = at.index(letters.len().saturating_add(1));
        let to = letters.len().min(from.saturating_add(*gone));
        letters.splice(from..to, new.chars());
    }
    letters.into_iter().collect()
}

fn any_change() -> impl Strategy<Value = Change> {
    let new = prop_oneof![
        "[\"\\\\{}\\[\\],:*?$a-c0-9 \n]{0,3}",
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("${aws:username}".to_owned()),
        Just("\\ud800".to_owned()),
        ".{0,2}",
    ];
    (any::<Index>(), 0..12usize, new)
}

proptest! {
    #[test]
    fn bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn letters_of_json_are_answered(text in "[\\[\\]{},:\"\\\\a-fnrtu0-9eE+.\\- \n*$]{0,60}") {
        read_all(&text);
        let _ = Case::parse(&text);
    }

    /// Near a real document lie those that come far into the parser.
    #[test]
    fn changed_documents_are_answered(
        which in any::<Index>(),
        changes in prop::collection::vec(any_change(), 1..4),
    ) {
        let (_, _, _, text) = which.get(&REAL);
        read_all(&changed(text, &changes));
    }

    /// What is cut off is missing at its end.
    #[test]
    fn cut_documents_are_answered(which in any::<Index>(), end in any::<Index>()) {
        let (_, _, _, text) = which.get(&REAL);
        let cut: String = text.chars().take(end.index(text.chars().count())).collect();
        read_all(&cut);
    }
}

/// A text of that length, made of one piece again and again.
fn repeated(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes.checked_div(piece.len()).unwrap())
}

#[test]
fn a_mebibyte_of_anything_is_answered_at_once() {
    for piece in [
        "[",
        "{\"a\":",
        "\"",
        "\\",
        "{",
        " ",
        "\n",
        "9",
        "-",
        "[[],",
        "\"\\u0041",
        "é",
        "\0",
        "[0,",
    ] {
        read_all(&repeated(piece, 1 << 20));
    }
}

/// The longest documents that are not refused for their length, as costly as can be.
#[test]
fn long_documents_are_read_at_once() {
    let length = 130_000;
    let statement = |name: &str, value: &str| {
        format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","{name}":{value}}}]}}"#
        )
    };
    let keys: Vec<String> = (0..length / 12).map(|n| format!("\"k{n}\":\"v\"")).collect();
    let keys = keys.join(",");
    let ones: Vec<String> = (0..length / 60)
        .map(|n| format!(r#"{{"Effect":"Allow","Action":"a:B{n}","Resource":"*"}}"#))
        .collect();
    let denies = ones.join(",").replace("Allow", "Deny");
    let both = format!("{},{}", ones[..ones.len() / 2].join(","), &denies[..denies.len() / 2]);
    let both = &both[..both.rfind(",{").unwrap()];
    let actions: Vec<String> = (0..length / 10).map(|n| format!("\"a:B{n}\"")).collect();
    let actions = actions.join(",");
    for text in [
        statement("Condition", &format!("{{\"StringEquals\":{{{keys}}}}}")),
        statement("Condition", &format!("{{{}}}", keys.replace("\"v\"", "{}"))),
        format!("{{{keys}}}"),
        format!(r#"{{"Version":"1","Statement":[{}]}}"#, ones.join(",")),
        format!(r#"{{"Version":"1","Statement":[{both}]}}"#),
        format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
        ),
        statement("Sid", &format!("\"{}\"", "é".repeat(60_000))),
        format!("{}{}", " ".repeat(60_000), statement("Sid", "\"x\"")),
    ] {
        read_all(&text);
    }
}

/// Matching is never quadratic for long, whatever stands in a policy.
#[test]
fn hostile_patterns_are_matched_at_once() {
    let name = format!("acs:oss:::{}", "a".repeat(4096));
    for pattern in [
        format!("*{}b*", "a".repeat(1024)),
        format!("*{}b*", "?a".repeat(512)),
        format!("{}b", "*a".repeat(1000)),
    ] {
        let text = format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"acs:oss:*:*:{pattern}"}}]}}"#
        );
        let policy = Policy::parse(&text, PolicyKind::Permission).unwrap();
        let before = Instant::now();
        assert!(!evaluate(&[&policy], &Request::new("a:B", &name)).is_allow());
        assert!(before.elapsed() < AT_MOST, "{:?}", before.elapsed());
    }
}
