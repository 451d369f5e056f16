//! Policy documents from files: what they say, or where they break a rule.

use std::path::Path;

use crossvault_core::{
    explain::Explain,
    policy::{Dialect, InvalidPolicy, Place, Policy, PolicyKind},
};
use crossvault_embedded::socket::Failure;
use serde_json::{Value, json};

use crate::{
    exit::Exit,
    input::{name, read_text},
    output::{Output, printable},
};

/// A policy and the file that it was read from.
#[derive(Debug)]
pub struct Document {
    /// The file, as people name it.
    pub name: String,
    /// What it says.
    pub policy: Policy,
}

/// A document that breaks a rule, and the file that it was read from.
#[derive(Debug)]
struct Broken<'a> {
    name: &'a str,
    text: &'a str,
    error: &'a InvalidPolicy,
}

impl Document {
    /// Reads a document. `Err` when it breaks a rule, which is then told already.
    ///
    /// # Errors
    /// [`Failure`] when the file can't be read, or the answer not be written.
    pub fn read(
        output: Output,
        file: &Path,
        dialect: Dialect,
        kind: PolicyKind,
    ) -> Result<Result<Self, Exit>, Failure> {
        let (name, text) = (name(file), read_text(file)?);
        match Policy::parse_in(dialect, &text, kind) {
            Ok(policy) => Ok(Ok(Self { name, policy })),
            Err(error) => Broken { name: &name, text: &text, error: &error }.tell(output).map(Err),
        }
    }

    /// What is worth knowing about the document, with each place, for people.
    pub fn warnings_text(&self) -> Vec<String> {
        let warnings = self.policy.warnings().iter();
        let text = warnings.map(|warning| {
            let Place { line, column } = warning.at;
            format!(
                "warning[{}]: {}:{line}:{column}: {}\n{}\n  {}",
                warning.code(),
                printable(&self.name),
                printable(&warning.doubt.to_string()),
                excerpt(self.policy.text(), warning.at),
                printable(&warning.remedy()),
            )
        });
        text.collect()
    }

    /// What is worth knowing about the document, with each place, for programs.
    pub fn warnings_json(&self) -> Vec<Value> {
        let warnings = self.policy.warnings().iter();
        let value = warnings.map(|warning| {
            json!({
                "file": self.name,
                "line": warning.at.line,
                "column": warning.at.column,
                "code": warning.code(),
                "message": warning.doubt.to_string(),
                "remedy": warning.remedy(),
            })
        });
        value.collect()
    }
}

impl Broken<'_> {
    fn tell(&self, output: Output) -> Result<Exit, Failure> {
        let Self { name, text, error } = self;
        let Place { line, column } = error.at;
        if output.is_json {
            let value = json!({ "error": {
                "code": error.code(),
                "message": error.to_string(),
                "remedy": error.remedy(),
                "file": name,
                "line": line,
                "column": column,
            } });
            output.write(&value.to_string())?;
        } else {
            let message = format!("{name}:{line}:{column}: {}", error.rule);
            let below = format!("{}\n{}", excerpt(text, error.at), error.remedy());
            output.error(error.code(), &message, &below);
        }
        Ok(Exit::Usage)
    }
}

/// The line of that place with a caret below it; of a long line what is around the place.
fn excerpt(text: &str, at: Place) -> String {
    /// What is shown of a line at most, and how much of that stands before the place.
    const SHOWN: usize = 76;
    const BEFORE: usize = 50;
    let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let line = text.split('\n').nth(index(at.line)).unwrap_or_default();
    let column = index(at.column);
    let length = line.chars().count();
    let first = if length <= SHOWN { 0 } else { column.saturating_sub(BEFORE) };
    let shown = |from: usize, to: usize| -> String {
        let part = line.chars().skip(from).take(to.saturating_sub(from));
        // A tab is as wide as the terminal likes; one space is as wide as the caret thinks.
        printable(&part.map(|c| if c == '\t' { ' ' } else { c }).collect::<String>())
    };
    let end = first.saturating_add(SHOWN).min(length);
    let (cut, more) = (if first > 0 { "…" } else { "" }, if end < length { "…" } else { "" });
    let before = format!("{cut}{}", shown(first, column));
    let after = shown(column, end);
    let gutter = at.line.to_string();
    let space = " ".repeat(gutter.len());
    let caret = " ".repeat(before.chars().count());
    format!("{gutter} | {before}{}{more}\n{space} | {caret}^", after.trim_end_matches("\\r"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, line: u32, column: u32, expected: &str) {
        assert_eq!(excerpt(text, Place { line, column }), expected);
    }

    #[test]
    fn the_caret_stands_below_the_place() {
        check("a\nbcd\ne", 2, 2, "2 | bcd\n  |  ^");
        check("", 1, 1, "1 | \n  | ^");
        check("ab", 1, 3, "1 | ab\n  |   ^");
        check("\tü中x\r\n", 1, 4, "1 |  ü中x\n  |    ^");
        check("x", 7, 3, "7 | \n  | ^");
    }

    #[test]
    fn of_a_long_line_only_what_is_around_is_shown() {
        let text = format!("{}!{}", "a".repeat(1000), "b".repeat(1000));
        let shown = excerpt(&text, Place { line: 1, column: 1001 });
        let (line, caret) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().count(), 76 + 2 + 4, "{shown}");
        assert_eq!(line.chars().position(|c| c == '!'), caret.chars().position(|c| c == '^'));
    }

    #[test]
    fn what_would_command_the_terminal_is_shown_as_text() {
        let shown = excerpt("\u{1b}[2J\"x", Place { line: 1, column: 5 });
        assert_eq!(shown, "1 | \\u{1b}[2J\"x\n  |          ^");
    }
}
