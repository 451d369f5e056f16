//! What a search found.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{run::Violation, scenario::Scenario};

/// What a search visited, and what it found broken.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ModelReport {
    /// The model.
    pub model: &'static str,
    /// How many faults strike on a way, at most.
    pub faults: usize,
    /// Whether every state within the bounds was visited.
    pub is_exhausted: bool,
    /// How many different states were visited.
    pub states: usize,
    /// In how many of them a function stood still in the middle.
    pub in_flight: usize,
    /// In how many everything was at rest: all oracles looked at them whole.
    pub at_rest: usize,
    /// In how many something was left to do after the last instant of the search.
    pub cut: usize,
    /// How many times a function was run, or an act done.
    pub transitions: usize,
    /// How many of these led to a state that was known.
    pub known: usize,
    /// How many steps the longest of the shortest ways has.
    pub depth: usize,
    /// How many calls were made.
    pub calls: u64,
    /// How often each function was triggered, and acts done.
    pub steps: BTreeMap<&'static str, usize>,
    /// What is broken, each way of breaking once.
    pub broken: Vec<Broken>,
}

/// Something that must not be, and how it comes about.
#[derive(Clone, Debug, Serialize)]
pub struct Broken {
    /// What must hold.
    pub invariant: &'static str,
    /// Which rule of it.
    pub code: &'static str,
    /// What it is about.
    pub site: String,
    /// The fact that breaks it.
    pub says: String,
    /// How it comes about, step by step.
    pub story: Vec<String>,
    /// The same as a scenario, where a run in which calls take time breaks it too.
    #[serde(skip)]
    pub scenario: Option<Scenario>,
}

impl Broken {
    /// Whether it is the same failure.
    #[must_use]
    pub fn is_of(&self, violation: &Violation) -> bool {
        let Violation { invariant, code, site, .. } = violation;
        (self.invariant, self.code, &self.site) == (invariant.name(), *code, site)
    }
}

impl std::fmt::Display for ModelReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { model, faults, states, in_flight, at_rest, transitions, depth, .. } = self;
        if self.is_exhausted {
            write!(f, "all {states} states of `{model}` with up to {faults} faults visited")?;
        } else {
            write!(
                f,
                "NOT exhausted: {states} states of `{model}` with up to {faults} faults visited"
            )?;
        }
        writeln!(f, ", depth {depth}: {at_rest} at rest, {in_flight} with a function in flight")?;
        writeln!(f, "{transitions} transitions, {} led to known states", self.known)?;
        for Broken { invariant, code, site, says, story, .. } in &self.broken {
            writeln!(f, "{invariant} is broken: {code} at {site}: {says}")?;
            for step in story {
                writeln!(f, "  {step}")?;
            }
        }
        Ok(())
    }
}
