//! A run as one page to look at: who did what when, what went wrong, and the world at each event.
//!
//! [`record`] replays a scenario with somebody who writes everything down; [`page`] puts what was
//! written into a page that needs nothing else, neither a network nor a server.

mod difference;
mod page;
mod recorder;
mod recording;

pub use difference::Difference;
pub use page::page;
pub use recorder::Recorder;
pub use recording::{Bar, Entry, Kind, Lane, Recording, Step, Verdict};

use crate::{
    chooser::Replay,
    oracle::Oracles,
    scenario::{NoStage, Scenario},
};

/// Replays a scenario, its stage too, under the eyes of all oracles, and writes it down. `file` is
/// what the page names as the scenario's.
///
/// # Errors
/// [`NoStage`] when the scenario has none.
pub fn record(scenario: &Scenario, file: &str) -> Result<Recording, NoStage> {
    let (stage, mut recorder) = scenario.watched_stage(Recorder::of(scenario, file))?;
    recorder.opens();
    // It looks on first: what breaks something is written down before an oracle ends the run.
    let watch = (&mut recorder, Oracles::all());
    let chooser = Replay(scenario.deviations.clone());
    let ended = scenario.run(&stage, chooser, watch).run();
    Ok(recorder.into_recording(&ended))
}

#[cfg(test)]
mod tests;
