//! Whether runs reach what there is to reach: causes, states, branches. A search that never comes
//! to a place proves nothing about it.
//!
//! What is reached is told from what is so in the cloud, never by the handlers themselves.

mod goals;
mod see;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Serialize, Serializer};

use crate::cloud::InvocationId;

/// Something that must be reached now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Goal {
    /// Of what: `cause`, `failure`, the kind of a job, `grant`, `leaving`, `branch`.
    pub of: &'static str,
    /// What.
    pub is: &'static str,
}

impl Goal {
    /// All goals.
    pub fn all() -> impl Iterator<Item = Self> {
        goals::all()
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}: {}", self.of, self.is))
    }
}

impl Serialize for Goal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How often what was reached: looks on at one run, and adds up over many.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    reached: BTreeMap<Goal, u64>,
    /// What the present run remembers of its functions.
    seen: see::Seen,
    runs: u64,
}

impl Coverage {
    /// A coverage of no run at all, to add others to.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds what one run has reached.
    pub fn add(&mut self, run: &Self) {
        self.runs = self.runs.saturating_add(1);
        self.join(run);
    }

    /// Adds what other runs have reached, with their number.
    pub fn merge(&mut self, others: &Self) {
        self.runs = self.runs.saturating_add(others.runs);
        self.join(others);
    }

    /// How many runs were added.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How often a goal was reached.
    #[must_use]
    pub fn times(&self, goal: Goal) -> u64 {
        self.reached.get(&goal).copied().unwrap_or(0)
    }

    /// All goals with how often each was reached.
    pub fn counts(&self) -> impl Iterator<Item = (Goal, u64)> {
        Goal::all().map(|goal| (goal, self.times(goal)))
    }

    /// The goals that were never reached.
    #[must_use]
    pub fn missing(&self) -> Vec<Goal> {
        Goal::all().filter(|goal| self.times(*goal) == 0).collect()
    }

    /// What was reached and is not listed: the list is to be mended.
    #[must_use]
    pub fn unlisted(&self) -> Vec<Goal> {
        let listed: BTreeSet<Goal> = Goal::all().collect();
        self.reached.keys().filter(|goal| !listed.contains(goal)).copied().collect()
    }

    fn join(&mut self, other: &Self) {
        for (goal, times) in &other.reached {
            let sum = self.reached.entry(*goal).or_default();
            *sum = sum.saturating_add(*times);
        }
    }

    fn reach(&mut self, of: &'static str, is: &'static str) {
        let times = self.reached.entry(Goal { of, is }).or_default();
        *times = times.saturating_add(1);
    }

    fn branch(&mut self, is: &'static str) {
        self.reach("branch", is);
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (goal, times) in self.counts() {
            writeln!(f, "{times:9}  {goal}")?;
        }
        writeln!(f, "{:9}  runs", self.runs)
    }
}

impl Serialize for Coverage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.counts())
    }
}

/// Which functions of a run did what.
type Those = BTreeSet<InvocationId>;
