//! `crossvault policy check`: whether a document is valid, and what it says in vain.

use std::path::PathBuf;

use clap::Args;
use crossvault_core::policy::{Finding, Policy, findings};
use crossvault_embedded::socket::Failure;
use serde_json::{Value, json};

use super::{DialectName, Document, KindName};
use crate::{
    exit::Exit,
    input::refuse_second_stdin,
    output::{Output, count, printable},
};

/// Check whether policy documents keep the rules of their language
///
/// One that breaks a rule is shown with the place, the rule and what to do, and ends with exit
/// code 2. Of a valid one it tells what is doubtful, such as a key that no request has, and the
/// statements that decide nothing, which is proven over all requests.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault policy check policy.json
  crossvault policy check --kind trust trust.json --json
  crossvault policy check --dialect aws --kind control guard.json")]
pub struct Arguments {
    /// The documents; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What the documents are for
    #[arg(long, value_enum, default_value_t = KindName::Permission)]
    kind: KindName,

    /// The language that they are written in
    #[arg(long, value_enum, default_value_t = DialectName::Ram)]
    dialect: DialectName,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { files, kind, dialect } = arguments;
    refuse_second_stdin(files)?;
    let mut documents = Vec::new();
    for file in files {
        match Document::read(output, file, (*dialect).into(), (*kind).into())? {
            Ok(document) => documents.push(document),
            Err(exit) => return Ok(exit),
        }
    }
    let value: Vec<Value> = documents.iter().map(json_of).collect();
    output.answer(&json!({ "answer": "policy-check", "value": value }), || {
        documents.iter().map(text_of).collect::<Vec<_>>().join("\n\n")
    })?;
    Ok(Exit::Done)
}

fn text_of(document: &Document) -> String {
    let Document { name, policy } = document;
    let statements = u64::try_from(policy.statements().len()).unwrap_or(u64::MAX);
    let mut paragraphs = vec![format!(
        "{}: a valid {} policy, {}",
        printable(name),
        policy.kind(),
        count(statements, "statement")
    )];
    paragraphs.extend(document.warnings_text());
    paragraphs.extend(findings(policy).iter().map(|finding| finding_text(policy, finding)));
    paragraphs.join("\n\n")
}

fn finding_text(policy: &Policy, finding: &Finding) -> String {
    let subject = place(policy, finding.statement());
    let others = |others: &[usize]| {
        let others: Vec<String> = others.iter().map(|other| place(policy, *other)).collect();
        others.join(" and ")
    };
    match finding {
        Finding::Dead { denied_by, .. } if denied_by.is_empty() => {
            format!("{subject} allows nothing: no request matches it")
        }
        Finding::Dead { denied_by, .. } => {
            format!("{subject} allows nothing: {} denies all of it", others(denied_by))
        }
        Finding::Redundant { covered_by, .. } if covered_by.is_empty() => {
            format!("{subject} decides nothing: nothing of what it denies is allowed")
        }
        Finding::Redundant { covered_by, .. } => {
            format!("{subject} decides nothing: {} decides all of it alike", others(covered_by))
        }
    }
}

/// A statement as people find it; counted from 1.
fn place(policy: &Policy, statement: usize) -> String {
    let number = statement.saturating_add(1);
    let found = policy.statements().get(statement);
    let line = found.map_or(0, |statement| statement.at.line);
    match found.and_then(|statement| statement.sid.as_deref()) {
        Some(sid) => format!("statement {number} (`{}`, line {line})", printable(sid)),
        None => format!("statement {number} (line {line})"),
    }
}

fn json_of(document: &Document) -> Value {
    let policy = &document.policy;
    let findings = findings(policy);
    let findings = findings.iter().map(|finding| {
        let (name, by) = match finding {
            Finding::Dead { denied_by, .. } => ("dead", denied_by),
            Finding::Redundant { covered_by, .. } => ("redundant", covered_by),
        };
        let number = |statement: &usize| statement.saturating_add(1);
        let by: Vec<usize> = by.iter().map(number).collect();
        json!({ "finding": name, "statement": number(&finding.statement()), "by": by })
    });
    json!({
        "file": document.name,
        "kind": policy.kind().to_string(),
        "dialect": policy.dialect(),
        "statements": policy.statements().len(),
        "warnings": document.warnings_json(),
        "findings": findings.collect::<Vec<_>>(),
    })
}
