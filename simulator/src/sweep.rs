//! Many runs: from each seed a scenario and what goes wrong in it.

use chrono::{DateTime, Utc};

use crate::{
    chooser::{Allowed, Deviations, Only, Random, Recorder, Replay},
    generate::{self, Scale},
    oracle::Oracles,
    run::{Ended, Watch},
    scenario::{NoStage, Scenario},
    shrink::Failure,
};

/// How runs are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How large worlds are.
    pub scale: Scale,
    /// What may go wrong.
    pub allowed: Allowed,
}

/// What a seed came to.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// How the run ended.
    pub ended: Ended,
    /// What went wrong in it.
    pub deviations: Deviations,
}

/// Runs what follows from a seed, under the eyes of all oracles and of who else looks on.
///
/// # Errors
/// [`NoStage`] when the scenario of the seed breaks something before anything has gone wrong.
pub fn run<W: Watch>(seed: u64, plan: Plan, watch: W) -> Result<Seeded, NoStage> {
    let scenario = generate::scenario(seed, plan.scale);
    let stage = scenario.stage()?;
    let chooser = Recorder::new(Only::new(plan.allowed, Random::new(seed)));
    let mut run = scenario.run(&stage, chooser, (Oracles::all(), watch));
    let ended = run.run();
    let (deviations, _) = run.into_chooser().into_parts();
    Ok(Seeded { ended, deviations })
}

/// The scenario of a seed with what went wrong in it: what replays the same run.
#[must_use]
pub fn scenario(seed: u64, plan: Plan, deviations: Deviations) -> Scenario {
    Scenario { deviations, ..generate::scenario(seed, plan.scale) }
}

/// Replays a scenario under the eyes of all oracles, each looking at everything at every change.
#[must_use]
pub fn judge(scenario: &Scenario) -> Option<Failure> {
    let (ended, now) = replay(scenario, Oracles::all().paranoid()).ok()?;
    ended.violation.map(|violation| Failure { violation, at: now })
}

/// Replays a scenario, and returns how it ended and when.
///
/// # Errors
/// [`NoStage`] when it breaks something before anything has gone wrong.
pub fn replay<W: Watch>(scenario: &Scenario, watch: W) -> Result<(Ended, DateTime<Utc>), NoStage> {
    let stage = scenario.stage()?;
    let chooser = Replay(scenario.deviations.clone());
    let mut run = scenario.run(&stage, chooser, watch);
    let ended = run.run();
    let now = ended.now;
    Ok((ended, now))
}
