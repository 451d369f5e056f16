//! `crossvault sim exhaust`: everything that can go wrong in a scenario.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::exhaust::{Found, Plan, Report};
use serde_json::json;

use super::{file, shares};
use crate::{
    exit::Exit,
    input::name,
    output::{Output, count},
};

/// Run a scenario with everything that can go wrong in it: each call with each fault
///
/// With `-k 2` also each two together, with `-k 3` each three. What was seen to have the same
/// future is run once. Exit code 1 when something was broken.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim exhaust tests/scenarios/runs/backup.toml
  crossvault sim exhaust tests/scenarios/runs -k 2
  crossvault sim exhaust tests/scenarios/runs/backup.toml -k 3 --json")]
pub struct Arguments {
    /// Scenarios, and folders that have some
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How many things go wrong at once, at most
    #[arg(short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3))]
    k: u32,

    /// Run everything to its end, also where its future is known
    #[arg(long)]
    whole: bool,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let plan = Plan::up_to(arguments.k);
    let plan = if arguments.whole { plan.unreduced() } else { plan };
    let (mut lines, mut values, mut is_broken) = (Vec::new(), Vec::new(), false);
    let (begun, mut runs) = (Instant::now(), 0_u64);
    for path in file::all(&arguments.files)? {
        let (scenario, started) = (file::read(&path)?, Instant::now());
        let report = shares::exhaust(output, &name(&path), &scenario, plan)
            .map_err(|error| file::no_stage(&path, &error))?;
        runs = runs.saturating_add(report.runs);
        is_broken |= !report.found.is_empty();
        let took_ms = started.elapsed().as_millis();
        lines.push(line(&name(&path), &report, took_ms));
        lines.extend(report.found.iter().map(found));
        values.push(json!({
            "file": name(&path),
            "decisions": report.decisions,
            "runs": report.runs,
            "same": report.same,
            "calls": report.calls,
            "found": report.found,
            "took_ms": u64::try_from(took_ms).unwrap_or(u64::MAX),
        }));
    }
    lines.push(format!("{} in {} ms", count(runs, "run"), begun.elapsed().as_millis()));
    let value = json!({ "k": arguments.k, "files": values });
    output.answer(&json!({ "answer": "sim-exhaust", "value": value }), || lines.join("\n"))?;
    Ok(if is_broken { Exit::Failed } else { Exit::Done })
}

fn line(file: &str, report: &Report, took_ms: u128) -> String {
    let Report { decisions, runs, same, .. } = report;
    let end = if report.found.is_empty() { "nothing broken" } else { "BROKEN" };
    format!("{file}: {decisions} decisions, {runs} runs, {same} ended early, {took_ms} ms: {end}")
}

fn found(found: &Found) -> String {
    let strikes: Vec<String> = found.strikes.iter().map(ToString::to_string).collect();
    format!(
        "  {} by {}, {} times",
        file::broken(&found.violation),
        strikes.join(" and "),
        found.times
    )
}
