//! `docs/codes.md`: every code with its message and its remedy, as the sources have them.
//!
//! After a change, `UPDATE_EXPECT=1 cargo test --test tidy` writes it anew. What stands in braces
//! is filled in when the error happens.

use std::{collections::BTreeSet, env, fs};

use crate::{
    codes::{HEAD, NO_CODES, STATES, is_upper_snake, last_variant, literals, loose},
    sources::{Source, Strings, code, none, root, rust},
};

const TOP: &str = "\
# Codes

Every error and every cause of a refusal has a code, which is never renamed and never gets a second
meaning. What stands in braces is filled in; several forms of a message or a remedy are divided by
` / `. This page is made from the sources by `UPDATE_EXPECT=1 cargo test --test tidy`, and a test
keeps it true.

| code | what is so | what to do |
| --- | --- | --- |
";

const PASSED_ON: &str = "(as what lies behind it)";

/// Codes whose words do not stand beside them in a form that is read here.
const APART: [(&str, &str, &str); 8] = [
    (
        "CROSS_ACCOUNT",
        "no error: the cloud's code of the way by RAM role (`CrossAccountType`)",
        "Nothing.",
    ),
    (
        "CROSS_ACCOUNT_BY_RD",
        "no error: the cloud's code of the way by directory (`CrossAccountType`)",
        "Nothing.",
    ),
    ("DEMO_WRONG", "the demo did not end as it must", "Please report this with the output above."),
    (
        "FILE_DAMAGED_IN_VAULT",
        "a part of the file or folder is missing or damaged in the vault",
        "Ask `crossvault vaults check` what else is damaged; restore the file from another recovery point.",
    ),
    (
        "FILE_NAMED_TWICE",
        "the recovery point has two entries of that name in one folder",
        "Ask `crossvault vaults check`; restore the file from another recovery point.",
    ),
    (
        "FILE_UNSAFE_NAME",
        "the name would lead out of its folder",
        "Restore the file from another recovery point; no backup of Crossvault has such names.",
    ),
    ("GRANT_MENDED", "no error: authority for the account is given again", "Nothing."),
    (
        "STATE_IO",
        "the file of the state can't be read or written",
        "Look at the disk of the home, then try again.",
    ),
];

/// A code with its message and its remedy.
type Row = (String, String, String);

/// The rows of the errors that explain themselves; their types may lie elsewhere in the crate.
fn explained(text: &str, krate: &[&str]) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for (at, _) in text.match_indices(HEAD) {
        let (before, rest) = text.split_at(at);
        let of = before.lines().rfind(|line| line.starts_with("impl")).unwrap();
        let of = of.trim_end_matches([' ', '{']).rsplit(' ').next().unwrap();
        let of = of.split('<').next().unwrap();
        let body = rest.split("\n    }").next().unwrap();
        let remedies = rest.split("fn remedy(&self) -> String {").nth(1).unwrap_or_default();
        let remedies = remedies.split("\n    }").next().unwrap();
        for (meaning, literal) in literals(body) {
            let variant = meaning.rsplit([',', '{', '}', ';']).find_map(last_variant);
            let owner = owner(meaning).unwrap_or(of);
            let near = [text].into_iter().chain(krate.iter().copied());
            let told_in = |text| message(text, owner, variant.as_deref());
            let message = near.map(told_in).find(|words| words != PASSED_ON);
            let message = message.unwrap_or(PASSED_ON.to_owned());
            let remedy = match &variant {
                Some(variant) if remedies.contains("match ") => arm(remedies, variant),
                Some(_) | None => remedies,
            };
            rows.insert((literal.to_owned(), message, told(&strings(remedy))));
        }
    }
    rows
}

/// The rows of codes that are given beside their words.
fn said_beside(source: &Source, text: &str) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for (code, _) in loose(source) {
        let given = format!("\"{code}\"");
        for rest in text.split(&given).skip(1).filter(|rest| rest.starts_with(',')) {
            let words = strings(&rest[..end(rest)]);
            let words: Vec<&String> = words.iter().filter(is_sentence).collect();
            if let [message, .., remedy] = words.as_slice() {
                rows.insert((code.clone(), clean(message), clean(remedy)));
            }
        }
    }
    rows
}

/// The type before the `::` of an arm's variant, unless it is `Self`.
fn owner(arm: &str) -> Option<&str> {
    let (path, _) = arm.rsplit_once("::")?;
    let name = path.rsplit(|c: char| !c.is_alphanumeric()).next()?;
    (!name.is_empty() && name != "Self").then_some(name)
}

/// The message of a type or of one of its variants.
fn message(text: &str, of: &str, variant: Option<&str>) -> String {
    let attribute = "#[error(";
    let defined = |word: &str| {
        [" {", "(", ";", "<"].iter().find_map(|end| text.find(&format!("{word} {of}{end}")))
    };
    let chunk = match variant {
        Some(variant) => defined("enum").and_then(|at| {
            let body = text[at..].split("\n}").next().unwrap();
            body.split(attribute).skip(1).find(|chunk| names(chunk, variant))
        }),
        None => {
            defined("struct").and_then(|at| text[..at].rfind(attribute).map(|from| &text[from..at]))
        }
    };
    let attributes = chunk.map(first_call).unwrap_or_default();
    if attributes.iter().any(|string| string.contains(' ')) {
        return told(&attributes);
    }
    // Or it is written by hand.
    let Some(at) = text.find(&format!("Display for {of} {{")) else { return told(&[]) };
    let body = text[at..].split("\n}").next().unwrap();
    told(&strings(variant.map_or(body, |variant| arm(body, variant))))
}

/// The strings of an attribute's text: those behind the first are parts of it.
fn first_call(chunk: &str) -> Vec<String> {
    strings(chunk).into_iter().take(1).collect()
}

/// Whether what follows the attribute is this variant.
fn names(chunk: &str, variant: &str) -> bool {
    let after = chunk.split(")]").last().unwrap();
    let after = after.rsplit("]\n").next().unwrap();
    let names = chunk.lines().filter_map(|line| line.strip_prefix("    "));
    let mut names = names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let first = names.next().unwrap_or(after);
    first.split(|c: char| !c.is_alphanumeric()).next() == Some(variant)
}

/// What stands behind the arrow of a variant's arm.
fn arm<'a>(body: &'a str, variant: &str) -> &'a str {
    let name = format!("::{variant}");
    let mut found = body.split(&name).skip(1);
    let found = found.find(|rest| !rest.starts_with(char::is_alphanumeric));
    let Some((_, rest)) = found.and_then(|rest| rest.split_once("=>")) else { return "" };
    &rest[..end(rest)]
}

/// Where an expression ends: at its comma, its closing bracket, or the end of its block.
fn end(text: &str) -> usize {
    let mut depth = 0_i32;
    let mut in_string = false;
    let mut is_escaped = false;
    let is_call = text.starts_with(',');
    let starts_block = text.trim_start().starts_with('{');
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '(' | '[' | '{' => depth = depth.saturating_add(1),
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                if depth < 0 || (depth == 0 && c == '}' && starts_block) {
                    return at;
                }
            }
            ',' if depth == 0 && !is_call => return at,
            _ => {}
        }
    }
    text.len()
}

/// The strings of a piece of Rust.
fn strings(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut current: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (&mut current, c) {
            (Some(string), '\\') => match chars.next() {
                // A line that goes on.
                Some('\n') => {
                    let rest = chars.as_str().trim_start();
                    chars = rest.chars();
                }
                Some('n') => string.push(' '),
                Some(other) => string.push(other),
                None => {}
            },
            (Some(string), '"') => {
                all.push(std::mem::take(string));
                current = None;
            }
            (Some(string), c) => string.push(c),
            (None, '"') => current = Some(String::new()),
            (None, _) => {}
        }
    }
    all
}

/// Whether a string is told as it is: a single word is put into a sentence, or asked for.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a filter gives references")]
fn is_sentence(string: &&String) -> bool {
    string.contains(' ') && string.contains(char::is_alphabetic)
}

/// Strings as they are told; what is handed on has none of its own.
fn told(strings: &[String]) -> String {
    let is_sentence =
        |string: &&String| string.contains(' ') && string.contains(char::is_alphabetic);
    let sentences = strings.iter().filter(is_sentence);
    let all: Vec<String> = sentences.map(|string| clean(string)).collect();
    if all.is_empty() { PASSED_ON.to_owned() } else { all.join(" / ") }
}

/// A template on one line of a table.
fn clean(template: &str) -> String {
    let line = template.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace("{{", "{").replace("}}", "}").replace('|', "\\|")
}

fn is_code(code: &str) -> bool {
    is_upper_snake(code) && !NO_CODES.contains(&code) && !STATES.contains(&code)
}

fn page(sources: &[Source]) -> String {
    let texts: Vec<String> =
        sources.iter().map(|source| code(source.product(), Strings::Kept)).collect();
    let mut rows: BTreeSet<Row> = BTreeSet::new();
    for (source, text) in sources.iter().zip(&texts) {
        let is_near = |other: &&Source| other.place() == source.place();
        let krate = sources.iter().zip(&texts).filter(|(other, _)| is_near(other));
        let krate: Vec<&str> = krate.map(|(_, text)| text.as_str()).collect();
        rows.extend(explained(text, &krate));
    }
    rows.retain(|(code, ..)| is_code(code));
    let known: BTreeSet<String> = rows.iter().map(|(code, ..)| code.clone()).collect();
    let beside = sources.iter().zip(&texts).flat_map(|(source, text)| said_beside(source, text));
    rows.extend(beside.filter(|(code, ..)| is_code(code) && !known.contains(code)));
    rows.extend(
        APART.map(|(code, message, remedy)| (code.to_owned(), clean(message), clean(remedy))),
    );
    let lines =
        rows.iter().map(|(code, message, remedy)| format!("| `{code}` | {message} | {remedy} |"));
    format!("{TOP}{}\n", lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_page_of_codes_is_true() {
    let file = root().join("docs/codes.md");
    let now = page(&rust());
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(root().join("docs")).unwrap();
        fs::write(&file, &now).unwrap();
    }
    let page = fs::read_to_string(&file).unwrap_or_default();
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (page.lines().collect(), now.lines().collect());
    let changed: Vec<String> =
        old.symmetric_difference(&new).map(|line| (*line).to_owned()).collect();
    none("lines of docs/codes.md that differ (UPDATE_EXPECT=1 writes it anew)", &changed);
    let list = fs::read_to_string(root().join("tests/tidy/codes.txt")).unwrap();
    let codes = list.lines().filter_map(|line| line.split_whitespace().next());
    let absent = codes.filter(|code| is_code(code) && !now.contains(&format!("| `{code}` |")));
    none("codes that docs/codes.md lacks", &absent.map(str::to_owned).collect::<Vec<_>>());
    let whole = new.iter().filter(|line| !line.contains(PASSED_ON)).count();
    assert!(whole > 150, "only {whole} codes are told in full");
}

#[test]
fn messages_and_remedies_are_found() {
    let text = r#"
/// Why.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    #[error("`{a}` is gone: {}", list(b))]
    Gone {
        a: u8,
    },
    #[error(transparent)]
    Other(#[from] Inner),
    #[error(
        "a long \
         one"
    )]
    Long,
}
impl Explain for Why {
    fn code(&self) -> &'static str {
        match self {
            Self::Gone { .. } => "GONE_IT_IS",
            Self::Long => "LONG_IT_IS",
            Self::Other(inner) => inner.code(),
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::Gone { a } => format!("Make `{a}` | again."),
            Self::Long => match x {
                1 => "Do one.".to_owned(),
                _ => "Do all.".to_owned(),
            },
            Self::Other(inner) => inner.remedy(),
        }
    }
}
"#;
    let row = |code: &str, message: &str, remedy: &str| {
        (code.to_owned(), message.to_owned(), remedy.to_owned())
    };
    let expected = [
        row("GONE_IT_IS", "`{a}` is gone: {}", "Make `{a}` \\| again."),
        row("LONG_IT_IS", "a long one", "Do one. / Do all."),
    ];
    assert_eq!(explained(text, &[]), expected.into());
}
