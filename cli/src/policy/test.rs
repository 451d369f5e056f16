//! `crossvault policy test`: unit tests of policies.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use crossvault_core::{
    explain::Explain,
    policy::{
        Dialect, Layer, Ruling,
        case::{Case, InvalidCase, Outcome},
    },
};
use crossvault_embedded::socket::{Failure, Kind};
use serde_json::{Value, json};

use super::DialectName;
use crate::{
    exit::Exit,
    input::{name, read_text, refuse_second_stdin},
    output::{Output, count, printable},
};

/// Run files of cases, and show each that is decided otherwise than it expects
///
/// A case is one line of JSON: `{"id": "reads", "policies": {"identity": [{…}], "session": null,
/// "control": [[{…}]]}, "request": {"action": "oss:GetObject", "resource": "acs:oss:…", "context":
/// {"acs:SourceIp": "10.0.0.1"}}, "expected": "Allow"}`; `expected` is `Allow`, `ExplicitDeny` or
/// `ImplicitDeny`. Cases in the words of the other language are translated.
///
/// Exit code 1 when a case differs, 2 when one can't be read.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault policy test cases.jsonl
  crossvault policy test ram.jsonl more.jsonl --json
  generate-cases | crossvault policy test - --dialect aws")]
pub struct Arguments {
    /// The files, one case a line; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The language in which the cases are decided
    #[arg(long, value_enum, default_value_t = DialectName::Ram)]
    dialect: DialectName,
}

/// What became of the cases.
#[derive(Default)]
struct Report {
    cases: u64,
    differing: Vec<Differing>,
    unreadable: Vec<(String, InvalidCase)>,
}

struct Differing {
    file: String,
    id: String,
    line: usize,
    outcome: Outcome,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { files, dialect } = arguments;
    refuse_second_stdin(files)?;
    let started = Instant::now();
    let mut report = Report::default();
    for file in files {
        report.run(&name(file), &read_text(file)?, (*dialect).into());
    }
    if report.cases == 0 {
        return Err(Failure::new(
            Kind::Usage,
            "CASES_NONE",
            "there is no case in what was named, which proves nothing",
            "Name files with a case on each line.",
        ));
    }
    let took_ms = started.elapsed().as_millis();
    if output.is_json {
        output.write(&report.json(took_ms).to_string())?;
    } else {
        output.write(&report.text(took_ms))?;
    }
    Ok(report.exit())
}

impl Report {
    fn run(&mut self, file: &str, text: &str, dialect: Dialect) {
        for read in Case::parse_lines(text) {
            self.cases = self.cases.saturating_add(1);
            let ran = read.and_then(|case| Ok((case.run(dialect)?, case)));
            match ran {
                Ok((outcome, _)) if outcome.is_expected() => {}
                Ok((outcome, case)) => self.differing.push(Differing {
                    file: file.to_owned(),
                    line: case.line(),
                    id: case.id,
                    outcome,
                }),
                Err(error) => self.unreadable.push((file.to_owned(), error)),
            }
        }
    }

    fn exit(&self) -> Exit {
        if !self.unreadable.is_empty() {
            Exit::Usage
        } else if self.differing.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        }
    }

    fn as_expected(&self) -> u64 {
        let others = self.differing.len().saturating_add(self.unreadable.len());
        self.cases.saturating_sub(u64::try_from(others).unwrap_or(u64::MAX))
    }

    fn text(&self, took_ms: u128) -> String {
        let mut lines: Vec<String> = Vec::new();
        for Differing { file, id, line, outcome } in &self.differing {
            lines.push(format!(
                "{}:{line}: {}: expected {}, found {}: {}",
                printable(file),
                printable(id),
                outcome.expected,
                outcome.decision(),
                why(outcome.found)
            ));
        }
        for (file, error) in &self.unreadable {
            lines.push(printable(&format!("{file}: {error} [{}]", error.code())));
            lines.push(format!("  {}", printable(&error.remedy())));
        }
        let as_expected = format!("{} as expected", self.as_expected());
        let others = [(self.differing.len(), "differ"), (self.unreadable.len(), "can't be read")];
        let others = others.into_iter().filter(|(number, _)| *number > 0);
        let others = others.map(|(number, what)| format!(", {number} {what}"));
        let cases = count(self.cases, "case");
        lines.push(format!("{cases}: {as_expected}{}; {took_ms} ms", others.collect::<String>()));
        lines.join("\n")
    }

    fn json(&self, took_ms: u128) -> Value {
        let differing = self.differing.iter().map(|Differing { file, id, line, outcome }| {
            json!({
                "file": file,
                "line": line,
                "id": id,
                "expected": outcome.expected.name(),
                "found": outcome.decision().name(),
                "why": why(outcome.found),
            })
        });
        let unreadable = self.unreadable.iter().map(|(file, error)| {
            json!({
                "file": file,
                "line": error.line,
                "field": error.field,
                "code": error.code(),
                "message": error.fault.to_string(),
                "remedy": error.remedy(),
            })
        });
        json!({ "answer": "policy-test", "value": {
            "cases": self.cases,
            "as_expected": self.as_expected(),
            "took_ms": u64::try_from(took_ms).unwrap_or(u64::MAX),
            "differing": differing.collect::<Vec<_>>(),
            "unreadable": unreadable.collect::<Vec<_>>(),
        } })
    }
}

/// What decided, by where it stands in the case; statements are counted from 1.
fn why(ruling: Ruling) -> String {
    let field = |layer| match layer {
        Layer::Control(level) => format!("policies.control[{level}]"),
        Layer::Session => "policies.session".to_owned(),
        Layer::Identity => "policies.identity".to_owned(),
    };
    let of = |layer, policy: usize| match layer {
        // It is no list.
        Layer::Session => field(layer),
        Layer::Control(_) | Layer::Identity => format!("{}[{policy}]", field(layer)),
    };
    match ruling {
        Ruling::Allow { policy, statement } => {
            let statement = statement.saturating_add(1);
            format!("statement {statement} of `{}` allows", of(Layer::Identity, policy))
        }
        Ruling::ExplicitDeny { layer, policy, statement } => {
            format!("statement {} of `{}` denies", statement.saturating_add(1), of(layer, policy))
        }
        Ruling::ImplicitDeny { layer } => format!("no statement of `{}` allows", field(layer)),
    }
}
