//! `crossvault sim timeline`: a run as a page to look at.

use std::{fs, path::PathBuf};

use clap::Args;
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::timeline::{self, Recording};
use serde_json::json;

use super::file;
use crate::{
    exit::Exit,
    output::{Output, count},
};

/// Draw a scenario's run as one page: accounts, jobs, what went wrong, and the world at each event
///
/// The page needs nothing else: open it in any browser. Exit code 1 when the run breaks what must
/// hold; the page is written then, too, and shows where.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim timeline seed-42.toml -o seed-42.html
  crossvault sim timeline tests/scenarios/runs/backup.toml -o backup.html --json")]
pub struct Arguments {
    /// The scenario
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where the page is written
    #[arg(short, long, value_name = "PAGE")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { file, output: page } = arguments;
    let scenario = file::read(file)?;
    let recording = timeline::record(&scenario, &file.display().to_string())
        .map_err(|error| file::no_stage(file, &error))?;
    fs::write(page, timeline::page(&recording)).map_err(|error| {
        Failure::new(
            Kind::Platform,
            "PAGE_UNWRITABLE",
            format!("{} can't be written: {error}", page.display()),
            "Name another place, or make space there.",
        )
    })?;
    let verdict = recording.verdict.as_ref();
    let value = json!({
        "file": file.display().to_string(),
        "page": page.display().to_string(),
        "hash": recording.hash,
        "jobs": recording.jobs.len(),
        "events": recording.events.len(),
        "accounts": recording.lanes.len(),
        "violation": verdict,
    });
    output.answer(&json!({ "answer": "sim-timeline", "value": value }), || {
        text(arguments, &recording)
    })?;
    Ok(if verdict.is_some() { Exit::Failed } else { Exit::Done })
}

fn text(arguments: &Arguments, recording: &Recording) -> String {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let (jobs, events) = (number(recording.jobs.len()), number(recording.events.len()));
    let mut lines = vec![
        format!("{} of {} as a page", count(events, "event"), count(jobs, "job")),
        format!("hash {}", recording.hash),
        format!("Look at it:  {}", arguments.output.display()),
    ];
    if let Some(verdict) = &recording.verdict {
        let (invariant, code, says) = (verdict.invariant, verdict.code, &verdict.says);
        lines.insert(0, format!("BROKEN {invariant}: {code}: {says}"));
    }
    lines.join("\n")
}
