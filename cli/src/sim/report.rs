//! A failure on one screen: what is broken, how it came to it, and how to see it again.

use std::path::Path;

use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::{
    oracle::Oracles,
    scenario::Scenario,
    shrink::{Shrunk, shrink},
    story::Story,
    sweep,
};
use serde_json::{Value, json};

use crate::{exit::Exit, output::Output};

/// How many candidates are run to make a failure small.
pub const TRIES: u32 = 20_000;

/// Makes a failing scenario small, writes it to the file and tells it.
pub fn broken(
    output: Output,
    scenario: &Scenario,
    file: &Path,
    run: &Value,
) -> Result<Exit, Failure> {
    output.note("something is broken; making the run small");
    let Some(shrunk) = shrink(scenario, &mut sweep::judge, TRIES) else {
        return Err(Failure::new(
            Kind::Platform,
            "SIM_NOT_REPRODUCED",
            "the run broke something, and its replay did not",
            "This is a mistake in the simulator: please report the seed. `crossvault sim check` looks for its kind.",
        ));
    };
    super::file::keep(&shrunk.scenario, file)?;
    let value = json!({ "run": run, "failure": value(scenario, &shrunk, file) });
    output.answer(&json!({ "answer": "sim-broken", "value": value }), || {
        text(scenario, &shrunk, file)
    })?;
    Ok(Exit::Failed)
}

/// A seed whose scenario has no stage.
pub fn unstaged(seed: u64, message: &str) -> Failure {
    Failure::new(
        Kind::Platform,
        "SIM_UNSTAGED",
        format!("seed {seed}: {message}"),
        "This is a mistake in the simulator: please report the seed.",
    )
}

/// The screen.
pub fn text(scenario: &Scenario, shrunk: &Shrunk, file: &Path) -> String {
    let violation = &shrunk.failure.violation;
    let file = file.display();
    let mut lines = vec![
        format!("BROKEN {}: {} ({})", violation.invariant.name(), violation.code, violation.site),
        format!("  {}", violation.says),
        String::new(),
        format!("How it came to it, {}:", size(scenario, shrunk)),
    ];
    lines.extend(story(&shrunk.scenario).into_iter().map(|line| format!("  {line}")));
    lines.extend([
        String::new(),
        format!("See it again:  crossvault sim replay {file}"),
        format!("Keep it:       mv {file} tests/scenarios/runs/"),
    ]);
    lines.join("\n")
}

/// What happens in a scenario, in sentences.
fn story(scenario: &Scenario) -> Vec<String> {
    let mut story = Story::of(scenario);
    // What it tells is told however it ended.
    let _ = sweep::replay(scenario, (&mut story, Oracles::all().paranoid()));
    story.lines().to_vec()
}

fn size(scenario: &Scenario, shrunk: &Shrunk) -> String {
    let acts = |scenario: &Scenario| scenario.before.len().saturating_add(scenario.acts.len());
    let small = &shrunk.scenario;
    let proof = if shrunk.is_minimal { "none can be left out" } else { "more might be left out" };
    format!(
        "{} of {} acts and {} of {} faults, after {} tries ({proof})",
        acts(small),
        acts(scenario),
        small.deviations.0.len(),
        scenario.deviations.0.len(),
        shrunk.tried
    )
}

/// The same as data.
pub fn value(scenario: &Scenario, shrunk: &Shrunk, file: &Path) -> Value {
    let violation = &shrunk.failure.violation;
    json!({
        "invariant": violation.invariant.name(),
        "code": violation.code,
        "site": violation.site,
        "says": violation.says,
        "at": shrunk.failure.at,
        "story": story(&shrunk.scenario),
        "acts": shrunk.scenario.before.len().saturating_add(shrunk.scenario.acts.len()),
        "acts_before": scenario.before.len().saturating_add(scenario.acts.len()),
        "faults": shrunk.scenario.deviations.0.len(),
        "faults_before": scenario.deviations.0.len(),
        "tried": shrunk.tried,
        "is_minimal": shrunk.is_minimal,
        "file": file.display().to_string(),
    })
}
