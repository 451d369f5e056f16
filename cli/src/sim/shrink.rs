//! `crossvault sim shrink`: a failing scenario made small.

use std::path::PathBuf;

use clap::Args;
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::{shrink::shrink, sweep};
use serde_json::json;

use super::{file, report};
use crate::{exit::Exit, output::Output};

/// Make a failing scenario small: the fewest acts and faults that still break the same rule
///
/// A candidate counts only if the same rule of the same invariant is broken at the same kind of
/// place. In the end each single act and fault was tried without. Exit code 1, as something is
/// broken.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim shrink seed-42.toml -o small.toml
  crossvault sim shrink seed-42.toml -o small.toml --tries 100000")]
pub struct Arguments {
    /// The scenario that fails
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where the small one is written
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// How many candidates are run at most
    #[arg(long, value_name = "N", default_value_t = report::TRIES)]
    tries: u32,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let scenario = file::read(&arguments.file)?;
    let Some(shrunk) = shrink(&scenario, &mut sweep::judge, arguments.tries) else {
        return Err(Failure::new(
            Kind::Usage,
            "SIM_NOTHING_BROKEN",
            format!("{} breaks nothing", arguments.file.display()),
            "Name a scenario that fails: `crossvault sim replay` shows whether it does.",
        ));
    };
    file::keep(&shrunk.scenario, &arguments.output)?;
    let value = report::value(&scenario, &shrunk, &arguments.output);
    output.answer(&json!({ "answer": "sim-shrink", "value": value }), || {
        report::text(&scenario, &shrunk, &arguments.output)
    })?;
    Ok(Exit::Failed)
}
