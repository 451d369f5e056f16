//! Hunts for planted mistakes: who finds each, how soon, and what is left of the run in the end.

use std::sync::Arc;

use super::Mistake;
use crate::{
    chooser::{Boring, Chooser, Deviations, Exhaustive, Priority, Random, Recorder, Replay, Swarm},
    cloud::Cloud,
    generate::{self, Scale},
    oracle::Oracles,
    run::Run,
    scenario::{NoStage, Scenario, Stage},
    shrink::{Failure, Judge, Shrunk, shrink},
};

/// How many candidates a failure is made small with.
const TRIES: u32 = 3_000;

/// The calls among which an order changes.
const CALLS: u64 = 1_000;

/// A scenario with a mistake in it, set up: any number of runs may begin there.
#[derive(Debug)]
pub struct Ground<'a> {
    scenario: &'a Scenario,
    mistake: &'static Mistake,
    stage: Result<Stage, Failure>,
    calls: u64,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Judged {
    /// How it failed, if it did.
    pub failure: Option<Failure>,
    /// How many calls were made.
    pub calls: u64,
}

impl<'a> Ground<'a> {
    /// Sets a scenario up; the mistake is made there too, and may be seen there.
    ///
    /// # Errors
    /// When the world refuses the scenario's management account.
    pub fn new(
        scenario: &'a Scenario,
        mistake: &'static Mistake,
        oracles: &Oracles,
    ) -> Result<Self, NoStage> {
        let first = scenario.before.iter().map(|act| act.at).min();
        let begin = first.unwrap_or(scenario.start).min(scenario.start);
        let cloud = Cloud::new(scenario.management.clone(), begin)?;
        let (before, settings) = (Arc::clone(&scenario.before), scenario.settings);
        let run = Run::new(cloud, begin, before, settings, Boring, oracles.clone());
        let mut run = run.with(mistake);
        let ended = run.play();
        let stage = match ended.violation {
            Some(violation) => Err(Failure { violation, at: ended.now }),
            None => Ok(Stage { cloud: run.cloud, now: ended.now }),
        };
        Ok(Self { scenario, mistake, stage, calls: ended.calls })
    }

    /// Runs what people do from there.
    pub fn run<C: Chooser>(&self, chooser: C, oracles: &Oracles) -> Judged {
        let stage = match &self.stage {
            Ok(stage) => stage,
            Err(failure) => return Judged { failure: Some(failure.clone()), calls: self.calls },
        };
        let mut run = self.scenario.run(stage, chooser, oracles.clone()).with(self.mistake);
        let ended = run.run();
        let failure = ended.violation.map(|violation| Failure { violation, at: ended.now });
        Judged { failure, calls: ended.calls }
    }
}

/// How a scenario with its own deviations fails under a mistake; none when it does not.
#[must_use]
pub fn replay(
    scenario: &Scenario,
    mistake: &'static Mistake,
    oracles: &Oracles,
) -> Option<Failure> {
    let ground = Ground::new(scenario, mistake, oracles).ok()?;
    ground.run(Replay(scenario.deviations.clone()), oracles).failure
}

/// Where it is searched, and who chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Generated scenarios, in which everything may go wrong, always as often.
    Random,
    /// Generated scenarios, each with a part of what may go wrong, by weights of its own.
    Swarm,
    /// Generated scenarios, in which the order is what goes wrong.
    Priority,
    /// The corpus, with each single thing that may go wrong.
    Singles,
}

impl By {
    /// All.
    pub const ALL: [Self; 4] = [Self::Random, Self::Swarm, Self::Priority, Self::Singles];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Swarm => "swarm",
            Self::Priority => "pct",
            Self::Singles => "singles",
        }
    }
}

/// A mistake that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// How the run failed.
    pub failure: Failure,
    /// In which run, from 1.
    pub runs: u64,
    /// How many calls were made until then.
    pub calls: u64,
    /// The run: replayed, it fails in the same way.
    pub scenario: Scenario,
}

/// What was searched in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vain {
    /// How many runs were made.
    pub runs: u64,
    /// How many calls.
    pub calls: u64,
}

/// Searches in at most so many runs. Of generated scenarios the first has that seed.
///
/// # Errors
/// What was searched in vain.
pub fn hunt(
    mistake: &'static Mistake,
    by: By,
    corpus: &[Scenario],
    seed: u64,
    runs: u64,
    oracles: &Oracles,
) -> Result<Found, Vain> {
    let mut hunt = Hunt { mistake, oracles, vain: Vain::default(), runs };
    match by {
        By::Singles => hunt.singles(corpus),
        By::Random | By::Swarm | By::Priority => hunt.generated(by, seed),
    }
}

struct Hunt<'a> {
    mistake: &'static Mistake,
    oracles: &'a Oracles,
    vain: Vain,
    runs: u64,
}

impl Hunt<'_> {
    fn generated(&mut self, by: By, first: u64) -> Result<Found, Vain> {
        for n in 0..self.runs {
            let seed = first.saturating_add(n);
            let scenario = generate::scenario(seed, Scale::Small);
            let Ok(ground) = Ground::new(&scenario, self.mistake, self.oracles) else { continue };
            let d = u32::try_from(n % 5).unwrap_or(0).saturating_add(1);
            let (judged, deviations) = match by {
                By::Random => self.run(&ground, Random::of(Swarm::whole(), seed)),
                By::Priority => self.run(&ground, Priority::new(seed, d, CALLS)),
                By::Swarm | By::Singles => self.run(&ground, Random::new(seed)),
            };
            if let Some(failure) = judged.failure {
                let scenario = Scenario { deviations, ..scenario };
                return Ok(self.found(failure, scenario));
            }
        }
        Err(self.vain)
    }

    fn singles(&mut self, corpus: &[Scenario]) -> Result<Found, Vain> {
        for scenario in corpus {
            let Ok(ground) = Ground::new(scenario, self.mistake, self.oracles) else { continue };
            let mut sets = Exhaustive::new(1);
            while let Some(set) = sets.next() {
                if self.vain.runs >= self.runs {
                    return Err(self.vain);
                }
                let mut recorder = Recorder::new(Replay(set)).asking();
                let judged = ground.run(&mut recorder, self.oracles);
                self.count(&judged);
                let (deviations, asked) = recorder.into_parts();
                if let Some(failure) = judged.failure {
                    let scenario = Scenario { deviations, ..scenario.clone() };
                    return Ok(self.found(failure, scenario));
                }
                sets.ran(&asked);
            }
        }
        Err(self.vain)
    }

    fn run<C: Chooser>(&mut self, ground: &Ground<'_>, chooser: C) -> (Judged, Deviations) {
        let mut recorder = Recorder::new(chooser);
        let judged = ground.run(&mut recorder, self.oracles);
        self.count(&judged);
        self.vain.calls = self.vain.calls.saturating_add(ground.calls);
        (judged, recorder.into_parts().0)
    }

    fn count(&mut self, judged: &Judged) {
        self.vain.runs = self.vain.runs.saturating_add(1);
        self.vain.calls = self.vain.calls.saturating_add(judged.calls);
    }

    fn found(&self, failure: Failure, scenario: Scenario) -> Found {
        let Vain { runs, calls } = self.vain;
        Found { failure, runs, calls, scenario }
    }
}

/// Makes what was found small.
#[must_use]
pub fn shrunk(found: &Found, mistake: &'static Mistake, oracles: &Oracles) -> Option<Shrunk> {
    struct With<'a>(&'static Mistake, &'a Oracles);
    impl Judge for With<'_> {
        fn judge(&mut self, scenario: &Scenario) -> Option<Failure> {
            replay(scenario, self.0, self.1)
        }
    }
    shrink(&found.scenario, &mut With(mistake, oracles), TRIES)
}
