//! `crossvault policy compare`: which of two policies permits more.

use std::path::PathBuf;

use clap::Args;
use crossvault_core::policy::{Inclusion, PolicyKind, Witness, permits_no_more};
use crossvault_embedded::socket::Failure;
use serde_json::{Map, Value, json};

use super::{DialectName, Document};
use crate::{
    exit::Exit,
    input::refuse_second_stdin,
    output::{Output, printable},
};

/// Compare what two permission policies permit, over all requests
///
/// A "no" comes with a request that shows it; where conditions can't be compared the answer is
/// "unknown" with the reason, never a wrong yes. Exit code 0 when the first is proven to permit no
/// more than the second, else 1.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault policy compare smaller.json today.json
  crossvault policy compare --dialect aws new.json - --json < old.json")]
pub struct Arguments {
    /// The first policy; `-` for standard input
    #[arg(value_name = "FIRST")]
    first: PathBuf,

    /// The second policy; `-` for standard input
    #[arg(value_name = "SECOND")]
    second: PathBuf,

    /// The language that they are written in
    #[arg(long, value_enum, default_value_t = DialectName::Ram)]
    dialect: DialectName,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { first, second, dialect } = arguments;
    refuse_second_stdin([first, second])?;
    // The cloud's own policies are compared too, and they are longer than customers' may be.
    let read = |file| Document::read(output, file, (*dialect).into(), PolicyKind::System);
    let (first, second) = match (read(first)?, read(second)?) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(exit), _) | (_, Err(exit)) => return Ok(exit),
    };
    let forth = permits_no_more(&[&first.policy], &[&second.policy]);
    let back = permits_no_more(&[&second.policy], &[&first.policy]);
    let value = json!({ "answer": "policy-comparison", "value": {
        "result": result(&forth, &back),
        "first_permits_no_more": json_of(&forth),
        "second_permits_no_more": json_of(&back),
    } });
    output.answer(&value, || {
        [
            headline(&first.name, &second.name, &forth, &back),
            line(&first.name, &second.name, &forth),
            line(&second.name, &first.name, &back),
        ]
        .join("\n")
    })?;
    Ok(if forth.is_yes() { Exit::Done } else { Exit::Failed })
}

fn result(forth: &Inclusion, back: &Inclusion) -> &'static str {
    match (forth, back) {
        (Inclusion::Yes, Inclusion::Yes) => "equal",
        (Inclusion::Yes, Inclusion::No(_)) => "less",
        (Inclusion::No(_), Inclusion::Yes) => "more",
        (Inclusion::No(_), Inclusion::No(_)) => "incomparable",
        (Inclusion::Unknown(_), _) | (_, Inclusion::Unknown(_)) => "unknown",
    }
}

fn headline(first: &str, second: &str, forth: &Inclusion, back: &Inclusion) -> String {
    let (first, second) = (printable(first), printable(second));
    match result(forth, back) {
        "equal" => format!("{first} and {second} permit the same"),
        "less" => format!("{first} permits less than {second}"),
        "more" => format!("{first} permits more than {second}"),
        "incomparable" => {
            format!("{first} and {second} each permit something that the other does not")
        }
        _ => format!("not known how {first} and {second} compare"),
    }
}

fn line(one: &str, other: &str, inclusion: &Inclusion) -> String {
    let (one, other) = (printable(one), printable(other));
    match inclusion {
        Inclusion::Yes => format!("  {one} permits nothing that {other} does not: proven"),
        Inclusion::No(witness) => {
            let witness = printable(&witness.to_string());
            format!("  {one} permits, and {other} does not: {witness}")
        }
        Inclusion::Unknown(why) => {
            let why = printable(&why.to_string());
            format!("  whether {one} permits what {other} does not is unknown: {why}")
        }
    }
}

fn json_of(inclusion: &Inclusion) -> Value {
    match inclusion {
        Inclusion::Yes => json!({ "is": "yes" }),
        Inclusion::No(Witness { action, resource, context }) => {
            let context: Map<String, Value> =
                context.iter().map(|(key, values)| (key.to_owned(), json!(values))).collect();
            let request = json!({ "action": action, "resource": resource, "context": context });
            json!({ "is": "no", "witness": request })
        }
        Inclusion::Unknown(why) => json!({ "is": "unknown", "why": why.to_string() }),
    }
}
