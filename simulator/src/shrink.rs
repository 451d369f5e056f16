//! Making a failing scenario small: the fewest acts and deviations that still fail in the same way.
//!
//! A candidate counts only if the same rule of the same invariant fails at the same kind of place
//! ([`Violation::is_same`]). In the end nothing can be left out any more, and one last pass proves it.

mod ddmin;
mod simpler;

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_core::ids::AccountId;

use self::ddmin::ddmin;
use crate::{
    chooser::{Deviations, Key},
    run::Violation,
    scenario::Scenario,
    script::{Act, Action},
};

/// How a scenario fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is broken.
    pub violation: Violation,
    /// When that was seen.
    pub at: DateTime<Utc>,
}

/// Runs a scenario and tells how it fails; none when it does not.
pub trait Judge {
    /// Runs it.
    fn judge(&mut self, scenario: &Scenario) -> Option<Failure>;
}

impl<F: FnMut(&Scenario) -> Option<Failure>> Judge for F {
    fn judge(&mut self, scenario: &Scenario) -> Option<Failure> {
        self(scenario)
    }
}

/// A scenario that was made small.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What is left.
    pub scenario: Scenario,
    /// How it fails.
    pub failure: Failure,
    /// How many candidates were run.
    pub tried: u32,
    /// Whether the last pass has shown that no single act or deviation can be left out; without it
    /// the candidates were used up before.
    pub is_minimal: bool,
}

/// Makes a failing scenario small, running at most so many candidates.
///
/// None when it does not fail.
pub fn shrink(scenario: &Scenario, judge: &mut impl Judge, tries: u32) -> Option<Shrunk> {
    let failure = judge.judge(scenario)?;
    let mut search = Search { best: scenario.clone(), failure, judge, tried: 1, tries };
    let mut size = usize::MAX;
    while search.size() < size && !search.is_spent() {
        size = search.size();
        search.cut();
        search.fewer_deviations();
        search.fewer_acts();
        search.simpler();
    }
    let is_minimal = search.is_minimal();
    let Search { best, failure, tried, .. } = search;
    Some(Shrunk { scenario: best, failure, tried, is_minimal })
}

/// The best so far, and who runs candidates.
struct Search<'a, J> {
    best: Scenario,
    failure: Failure,
    judge: &'a mut J,
    tried: u32,
    tries: u32,
}

impl<J: Judge> Search<'_, J> {
    fn size(&self) -> usize {
        let acts = self.best.before.len().saturating_add(self.best.acts.len());
        acts.saturating_add(self.best.deviations.0.len())
    }

    fn is_spent(&self) -> bool {
        self.tried >= self.tries
    }

    /// Runs a candidate, and keeps it if it fails in the same way.
    fn keeps(&mut self, candidate: Scenario) -> bool {
        if self.is_spent() {
            return false;
        }
        self.tried = self.tried.saturating_add(1);
        let Some(failure) = self.judge.judge(&candidate) else { return false };
        if !failure.violation.is_same(&self.failure.violation) {
            return false;
        }
        (self.best, self.failure) = (candidate, failure);
        true
    }

    /// Cuts off what people do after the failure.
    fn cut(&mut self) {
        let at = self.failure.at;
        let acts: Vec<Act> = self.best.acts.iter().filter(|act| act.at <= at).cloned().collect();
        if acts.len() < self.best.acts.len() {
            self.keeps(Scenario { acts: acts.into(), ..self.best.clone() });
        }
    }

    fn fewer_deviations(&mut self) {
        let all: Vec<(Key, u8)> =
            self.best.deviations.0.iter().map(|(key, option)| (*key, *option)).collect();
        ddmin(all, |some| {
            let deviations = Deviations(some.iter().copied().collect());
            self.keeps(Scenario { deviations, ..self.best.clone() })
        });
    }

    /// Leaves out whole accounts first, then single acts, of the stage too.
    fn fewer_acts(&mut self) {
        let accounts: BTreeSet<AccountId> =
            self.best.before.iter().chain(self.best.acts.iter()).filter_map(account).collect();
        for account_out in accounts {
            let without = |acts: &[Act]| -> Arc<[Act]> {
                let is_of_other = |act: &&Act| account(act).as_ref() != Some(&account_out);
                acts.iter().filter(is_of_other).cloned().collect()
            };
            let (before, acts) = (without(&self.best.before), without(&self.best.acts));
            self.keeps(Scenario { before, acts, ..self.best.clone() });
        }
        ddmin(self.best.acts.to_vec(), |some| {
            self.keeps(Scenario { acts: some.into(), ..self.best.clone() })
        });
        ddmin(self.best.before.to_vec(), |some| {
            self.keeps(Scenario { before: some.into(), ..self.best.clone() })
        });
    }

    /// Whether no single act or deviation can be left out.
    fn is_minimal(&mut self) -> bool {
        let size = self.size();
        let one_less = |acts: &[Act], n: usize| -> Arc<[Act]> {
            acts.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, act)| act.clone()).collect()
        };
        for n in 0..self.best.acts.len() {
            let acts = one_less(&self.best.acts, n);
            self.keeps(Scenario { acts, ..self.best.clone() });
        }
        for n in 0..self.best.before.len() {
            let before = one_less(&self.best.before, n);
            self.keeps(Scenario { before, ..self.best.clone() });
        }
        let keys: Vec<Key> = self.best.deviations.0.keys().copied().collect();
        for key in keys {
            let mut deviations = self.best.deviations.clone();
            deviations.0.remove(&key);
            self.keeps(Scenario { deviations, ..self.best.clone() });
        }
        self.size() == size && !self.is_spent()
    }
}

/// The account without which an act is nothing; the management account is never left out.
fn account(act: &Act) -> Option<AccountId> {
    match &act.action {
        Action::Does(command) => Some(command.by.clone()),
        Action::Opens { source, .. }
        | Action::Edits(source)
        | Action::Cancels(source)
        | Action::Deletes(source) => Some(source.account.clone()),
        Action::Restores { of, .. } => Some(of.account.clone()),
        Action::Asks { command, .. } => asked_for(command),
        Action::Retains | Action::Reviews | Action::Waits => None,
    }
}

fn asked_for(command: &crossvault_handlers::api::Command) -> Option<AccountId> {
    use crossvault_handlers::api::Command;
    match command {
        Command::AddAccount { account, .. } | Command::RemoveAccount { account, .. } => {
            Some(account.clone())
        }
        Command::Bind { source, .. }
        | Command::Unbind { source, .. }
        | Command::PauseBinding { source, .. }
        | Command::BackUp { source, .. } => Some(source.account.clone()),
        _ => None,
    }
}
