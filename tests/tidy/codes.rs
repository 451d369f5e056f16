//! Every error code, listed where a review sees a new, a lost and a renamed one.
//!
//! Programs rely on codes: one is never renamed and never gets a second meaning. `codes.txt`
//! beside this file has a line for each code and what it is said of; after a change,
//! `UPDATE_EXPECT=1 cargo test --test tidy` writes it anew, and the difference is reviewed.

use std::{collections::BTreeSet, env, fs};

use crate::sources::{Source, Strings, code, none, root, rust};

/// Names in capitals that are no codes.
pub const NO_CODES: [&str; 7] = [
    "CARGO_PKG_VERSION",
    "CROSSVAULT_CASES",
    "CROSSVAULT_HOME",
    "CROSSVAULT_LOG",
    "NO_COLOR",
    "SCREAMING_SNAKE_CASE",
    "XDG_RUNTIME_DIR",
];

/// The states of a job and the types of sources, which are listed by what names them.
pub const STATES: [&str; 6] = [
    "CROSS_ACCOUNT",
    "CROSS_ACCOUNT_BY_RD",
    "ECS_DATABASE",
    "ECS_FILE",
    "PARTIAL_COMPLETE",
    "UDM_ECS",
];

pub const HEAD: &str = "fn code(&self) -> &'static str {";

/// Codes, each with what it is said of.
pub type Codes = BTreeSet<(String, String)>;

/// The codes that the errors of a source give of themselves.
fn explained(source: &Source) -> Codes {
    let text = code(source.product(), Strings::Kept);
    let place = source.place();
    let mut found = Codes::new();
    for (at, _) in text.match_indices(HEAD) {
        let (before, rest) = text.split_at(at);
        let of = before.lines().rfind(|line| line.starts_with("impl")).unwrap();
        let of = of.trim_end_matches([' ', '{']).rsplit(' ').next().unwrap();
        // The method ends at its own indentation.
        let body = rest.split("\n    }").next().unwrap();
        for (meaning, literal) in literals(body) {
            let variant = meaning.rsplit([',', '{', '}', ';']).find_map(last_variant);
            let name = variant.map_or(of.to_owned(), |variant| format!("{of}::{variant}"));
            found.insert((literal.to_owned(), format!("{place} {name}")));
        }
    }
    found
}

/// The codes that a source gives in another way.
pub fn loose(source: &Source) -> Codes {
    // The rules of invariants are named in capitals too; a run that breaks one explains itself.
    let is_of_runs =
        source.path.starts_with("simulator/src/") && !source.path.contains("/src/world");
    if is_of_runs {
        return Codes::new();
    }
    let text = code(source.product(), Strings::Kept);
    let is_code = |literal: &str| {
        let is_other = NO_CODES.contains(&literal) || STATES.contains(&literal);
        literal.contains('_') && is_upper_snake(literal) && !is_other
    };
    literals(&text)
        .into_iter()
        .filter(|(_, literal)| is_code(literal))
        .map(|(_, literal)| (literal.to_owned(), source.place().to_owned()))
        .collect()
}

/// The codes of all sources; one that an error gives of itself is said of that only.
fn codes(sources: &[Source]) -> Codes {
    let mut all: Codes = sources.iter().flat_map(explained).collect();
    let known: BTreeSet<String> = all.iter().map(|(code, _)| code.clone()).collect();
    all.extend(sources.iter().flat_map(loose).filter(|(code, _)| !known.contains(code)));
    all
}

/// Each literal on one line without escapes, with the text between it and the one before.
pub fn literals(text: &str) -> Vec<(&str, &str)> {
    let mut parts = text.split('"');
    let mut all = Vec::new();
    while let (Some(before), Some(literal)) = (parts.next(), parts.next()) {
        all.push((before, literal));
    }
    all
}

/// The last `Self::Variant` of a match arm.
pub fn last_variant(arm: &str) -> Option<String> {
    let (_, name) = arm.rsplit_once("::")?;
    let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
    (!name.is_empty()).then_some(name)
}

pub fn is_upper_snake(code: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    code.starts_with(|c: char| c.is_ascii_uppercase()) && code.split('_').all(is_word)
}

fn list(sources: &[Source]) -> String {
    let all = codes(sources);
    let width = all.iter().map(|(code, _)| code.len()).max().unwrap_or(0);
    let lines: Vec<_> = all.iter().map(|(code, of)| format!("{code:width$}  {of}")).collect();
    lines.join("\n") + "\n"
}

#[test]
fn codes_are_upper_snake() {
    let all = codes(&rust());
    let wrong = all.iter().filter(|(code, _)| !is_upper_snake(code));
    none("codes", &wrong.map(|(code, of)| format!("`{code}` of {of}")).collect::<Vec<_>>());
}

#[test]
fn every_code_is_on_the_list() {
    let file = root().join("tests/tidy/codes.txt");
    let now = list(&rust());
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let listed = fs::read_to_string(&file).unwrap_or_default();
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (listed.lines().collect(), now.lines().collect());
    let mut changes: Vec<String> = old.difference(&new).map(|line| format!("- {line}")).collect();
    changes.extend(new.difference(&old).map(|line| format!("+ {line}")));
    none("codes that differ from codes.txt (UPDATE_EXPECT=1 writes it anew)", &changes);
    assert!(new.len() > 100, "only {} codes were found", new.len());
}

#[test]
fn codes_are_found_with_their_meaning() {
    let planted = Source::planted(
        "core/src/a.rs",
        r#"
impl Explain for Cause {
    fn code(&self) -> &'static str {
        match self {
            Self::RoleDeleted { .. } => "ROLE_DELETED", // "NOT_THIS"
            Self::Port(error) => error.code(),
            Self::Trust(_) | Self::Lost(..) => {
                "lost"
            }
        }
    }
}
fn f() { Failure::new("VAULT_BUSY", "a vault", "ROLE_DELETED", "NO_COLOR", "UDM_ECS") }

#[cfg(test)]
mod tests {
    fn f() { "IN_TESTS" }
}
"#,
    );
    let expected = "ROLE_DELETED  core Cause::RoleDeleted\nVAULT_BUSY    core\nlost          core Cause::Lost\n";
    assert_eq!(list(&[planted]), expected);
    assert!(is_upper_snake("A_1") && is_upper_snake("FULL"));
    assert!(!is_upper_snake("Full") && !is_upper_snake("A__B") && !is_upper_snake("_A"));
}
