//! `crossvault sim replay`: a scenario, told in sentences.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::{
    cloud::{Cloud, Fact},
    oracle::Oracles,
    run::{Event, Violation, Watch},
    scenario::{Expect, Finds, Names, Scenario},
    story::Story,
    sweep,
};
use serde_json::json;

use super::file;
use crate::{exit::Exit, output::Output};

/// Replay a scenario: what people do, what goes wrong, and what comes of it, in sentences
///
/// The run is the same each time, bit for bit: its hash says so. Exit code 1 when it breaks what
/// must hold and the file does not expect that, or when it comes to something else than expected.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim replay seed-42.toml
  crossvault sim replay tests/scenarios/runs/backup.toml --at 12 --json")]
pub struct Arguments {
    /// The scenario
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Stop after this sentence, and show the rows that are stored then
    #[arg(long, value_name = "EVENT")]
    at: Option<usize>,
}

/// Tells the story, and notes the rows at one sentence.
struct Teller {
    story: Story,
    at: Option<usize>,
    rows: Option<Vec<String>>,
}

impl Teller {
    fn note(&mut self, cloud: &Cloud) {
        let is_there = self.at.is_some_and(|at| self.story.lines().len() >= at);
        if is_there && self.rows.is_none() {
            let row = |(key, row): (&_, &std::sync::Arc<_>)| -> String {
                let stored: &crossvault_handlers::ports::Stored = row;
                let text = serde_json::to_string(&stored.record);
                text.unwrap_or_else(|_| format!("{key:?}"))
            };
            self.rows = Some(cloud.rows.all().map(row).collect());
        }
    }
}

impl Watch for Teller {
    fn wants_sites(&self) -> bool {
        self.story.wants_sites()
    }
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        self.story.event(cloud, now, event)?;
        self.note(cloud);
        Ok(())
    }
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        self.story.fact(cloud, now, fact)?;
        self.note(cloud);
        Ok(())
    }
}

/// Looks at what the run came to, just before the oracles say whether it may.
struct Found(Finds, Option<Expect>);

impl Watch for Found {
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        self.0.event(cloud, now, event)
    }
    fn at_rest(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        self.1 = Some(self.0.found(cloud, None));
        Ok(())
    }
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let scenario = file::read(&arguments.file)?;
    let mut teller = Teller { story: Story::of(&scenario), at: arguments.at, rows: None };
    let mut found = Found(Finds::new(Names::of(&scenario)), None);
    let watch = (&mut teller, (&mut found, Oracles::all().paranoid()));
    let (ended, now) =
        sweep::replay(&scenario, watch).map_err(|error| file::no_stage(&arguments.file, &error))?;
    if let Some(violation) = &ended.violation {
        teller.story.broken(now, violation);
    }
    let differences = differences(&scenario, found.1, ended.violation.as_ref());
    let lines = teller.story.lines();
    let shown = lines.iter().take(arguments.at.unwrap_or(usize::MAX));
    let told: Vec<String> = shown.zip(1..).map(|(line, n)| format!("{n:4}  {line}")).collect();
    let value = json!({
        "about": scenario.about,
        "hash": ended.hash,
        "calls": ended.calls,
        "invocations": ended.invocations,
        "story": lines,
        "rows": teller.rows,
        "violation": ended.violation.as_ref().map(file::broken),
        "differences": differences,
    });
    output.answer(&json!({ "answer": "sim-replay", "value": value }), || {
        let mut text = vec![scenario.about.clone(), String::new()];
        text.extend(told);
        text.extend(teller.rows.iter().flatten().map(|row| format!("      {row}")));
        text.push(String::new());
        text.push(format!("{} calls, hash {}", ended.calls, ended.hash));
        text.extend(ended.violation.iter().map(|one| format!("BROKEN {}", file::broken(one))));
        text.extend(differences.iter().map(|one| format!("UNEXPECTED {one}")));
        text.join("\n")
    })?;
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Where a run came to something else than its file expects; what is broken is never expected
/// unless the file says so.
fn differences(
    scenario: &Scenario,
    found: Option<Expect>,
    violation: Option<&Violation>,
) -> Vec<String> {
    let mut found = found.unwrap_or_default();
    let broken = |one: &Violation| format!("{} {}: {}", one.invariant.name(), one.code, one.site);
    found.violation = violation.map(broken);
    scenario.expect.differences(&found)
}
