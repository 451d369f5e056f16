//! All choices with few deviations, each once.

use super::{Deviations, Key, Options};

/// Walks through all sets of at most k deviations that make a difference.
///
/// What is asked after a deviation depends on it, so the sets are found by running: each item is to
/// be run with a [`super::Recorder`] that [asks](super::Recorder::asking), and what was asked told
/// to [`Self::ran`] before the next is taken. Then those with one deviation more follow, which comes
/// later in that run. A set has its deviations in the order of asking, so none is met twice.
///
/// Depth first: no more is kept than what was asked in k runs.
#[derive(Clone, Debug)]
pub struct Exhaustive {
    at_most: usize,
    /// The set that was handed out last, and not yet told of.
    last: Option<Deviations>,
    is_begun: bool,
    branches: Vec<Branch>,
}

/// The sets with one deviation more than a certain one.
#[derive(Clone, Debug)]
struct Branch {
    with: Deviations,
    /// What is left to try: each key's deviations in order, the latest key first.
    left: Vec<(Key, Options)>,
    /// The last option of the last key that was tried; 0 for none.
    tried: u8,
}

impl Exhaustive {
    /// All sets of at most so many deviations, beginning with the boring run.
    #[must_use]
    pub fn new(at_most: usize) -> Self {
        Self { at_most, last: None, is_begun: false, branches: Vec::new() }
    }

    /// Tells what was asked in the run of the set that was handed out last. A set that is never told
    /// of has none that go on from it: so a failure's followers are left out.
    pub fn ran(&mut self, asked: &[(Key, Options)]) {
        let Some(with) = self.last.take().filter(|with| with.0.len() < self.at_most) else {
            return;
        };
        let latest = asked.iter().rposition(|(key, _)| with.0.contains_key(key));
        let from = latest.map_or(0, |at| at.saturating_add(1));
        let left = asked.iter().skip(from).rev().copied().collect();
        self.branches.push(Branch { with, left, tried: 0 });
    }
}

impl Branch {
    fn next(&mut self) -> Option<Deviations> {
        while let Some((key, options)) = self.left.last() {
            if let Some(option) = options.deviations().find(|option| *option > self.tried) {
                self.tried = option;
                let mut set = self.with.clone();
                set.0.insert(*key, option);
                return Some(set);
            }
            self.left.pop();
            self.tried = 0;
        }
        None
    }
}

impl Iterator for Exhaustive {
    type Item = Deviations;

    fn next(&mut self) -> Option<Deviations> {
        self.last = None;
        if !self.is_begun {
            self.is_begun = true;
            self.last = Some(Deviations::default());
        }
        while self.last.is_none() {
            let branch = self.branches.last_mut()?;
            self.last = branch.next();
            if self.last.is_none() {
                self.branches.pop();
            }
        }
        self.last.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chooser::{Chooser, Name, Recorder, Replay, What};

    fn ask(chooser: &mut impl Chooser, of: u64, options: &[u8]) -> u8 {
        let key = Key { of: Name(of), call: 0, what: What::Fault };
        chooser.choose(key, Options::of(options.iter().copied()))
    }

    /// A run whose later questions hang on earlier answers.
    fn run(chooser: &mut impl Chooser) -> Vec<u8> {
        let first = ask(chooser, 9, &[1, 3]);
        let second = ask(chooser, 5, &[2]);
        let mut said = vec![first, second];
        if first == 3 {
            said.push(ask(chooser, 2, &[1, 2]));
        }
        if second == 0 {
            said.push(ask(chooser, 7, &[63]));
        }
        said.push(ask(chooser, 1, &[1]));
        said
    }

    fn all(at_most: usize) -> Vec<Vec<u8>> {
        let mut sets = Exhaustive::new(at_most);
        let mut said = Vec::new();
        while let Some(set) = sets.next() {
            let mut recorder = Recorder::new(Replay(set.clone())).asking();
            said.push(run(&mut recorder));
            assert_eq!(recorder.made(), &set, "what was planned is what happened");
            sets.ran(recorder.asked());
        }
        said
    }

    /// Counted by hand from `run`, by the number of answers that are not 0.
    #[test]
    fn each_run_with_few_deviations_is_made_once() {
        for (at_most, expected) in [(0, 1), (1, 6), (2, 16), (3, 26), (4, 30), (9, 30)] {
            let runs = all(at_most);
            let different: BTreeSet<_> = runs.iter().cloned().collect();
            assert_eq!(runs.len(), different.len(), "none twice");
            assert_eq!(runs.len(), expected, "at most {at_most}");
            let deviations = |said: &Vec<u8>| said.iter().filter(|said| **said != 0).count();
            assert!(runs.iter().all(|said| deviations(said) <= at_most));
        }
    }

    #[test]
    fn a_set_that_is_not_told_of_is_not_gone_on_from() {
        assert_eq!(Exhaustive::new(3).count(), 1);
    }
}
