//! `crossvault sim matrix`: where what can go wrong, and how that ends.

use std::path::PathBuf;

use clap::Args;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::exhaust::{Plan, Report, Table};
use serde_json::json;

use super::{file, shares};
use crate::{exit::Exit, input::name, output::Output};

/// Show for each call of each function what can go wrong there, and how that ended
///
/// Each scenario is run with each single fault. A cell that was never run and that nothing says
/// can't be is empty: then the scenarios prove less than they seem to. Exit code 1 when a cell is
/// empty or something is broken.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim matrix tests/scenarios/runs
  crossvault sim matrix tests/scenarios/runs/backup.toml --json")]
pub struct Arguments {
    /// Scenarios, and folders that have some
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut whole = Report::default();
    for path in file::all(&arguments.files)? {
        let scenario = file::read(&path)?;
        let report = shares::exhaust(output, &name(&path), &scenario, Plan::up_to(1))
            .map_err(|error| file::no_stage(&path, &error))?;
        whole.merge(report);
    }
    let empty: Vec<String> = whole.matrix.empty().iter().map(ToString::to_string).collect();
    let value = json!({
        "runs": whole.runs,
        "matrix": whole.matrix,
        "empty": empty,
        "found": whole.found,
    });
    output.answer(&json!({ "answer": "sim-matrix", "value": value }), || {
        let mut text = Table(&whole.matrix).to_string();
        text.extend(empty.iter().map(|cell| format!("EMPTY {cell}\n")));
        let found = whole.found.iter().map(|found| file::broken(&found.violation));
        text.extend(found.map(|found| format!("BROKEN {found}\n")));
        text
    })?;
    let is_well = empty.is_empty() && whole.found.is_empty();
    Ok(if is_well { Exit::Done } else { Exit::Failed })
}
