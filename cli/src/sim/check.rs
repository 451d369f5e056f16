//! `crossvault sim check`: that the same run is the same run.

use clap::Args;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::{determinism, trace};
use serde_json::json;

use crate::{
    exit::Exit,
    output::{Output, count},
};

/// Check that runs are the same each time: every seed is run twice and compared
///
/// The hash over all of them is the same on every machine, in every build and beside whatever else
/// runs: compare it with another's. Where two runs part, the first record that differs is shown.
/// Exit code 1 then.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim check
  crossvault sim check --runs 1000 --json")]
pub struct Arguments {
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 200)]
    runs: u64,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { seed, runs } = *arguments;
    let mut outcomes = Vec::new();
    let mut mismatches = Vec::new();
    for seed in seed..seed.saturating_add(runs) {
        match determinism::check(seed) {
            Ok(outcome) => outcomes.push(outcome),
            Err(mismatch) => mismatches.push((seed, mismatch.to_string())),
        }
    }
    let hash = trace::combine(&outcomes);
    let value = json!({
        "seed": seed,
        "runs": runs,
        "hash": hash,
        "mismatches": mismatches.iter().map(|(seed, text)| json!({ "seed": seed, "says": text })).collect::<Vec<_>>(),
    });
    output.answer(&json!({ "answer": "sim-check", "value": value }), || {
        let differ = mismatches.iter().map(|(seed, text)| format!("seed {seed} differs: {text}"));
        let mut lines: Vec<String> = differ.collect();
        lines.push(format!("{} twice: {} differ", count(runs, "run"), mismatches.len()));
        lines.push(format!("hash {hash}"));
        lines.join("\n")
    })?;
    Ok(if mismatches.is_empty() { Exit::Done } else { Exit::Failed })
}
