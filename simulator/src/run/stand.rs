//! Where a run stands, and the end of a run whose future is known.

use chrono::{DateTime, Utc};

use super::{Ended, Planned, Run, Watch, later};
use crate::{
    chooser::Chooser,
    state::{self, Digest, Stand},
};

impl<C: Chooser, W: Watch> Run<C, W> {
    /// Who decides.
    pub fn chooser(&self) -> &C {
        &self.chooser
    }

    /// Where the run stands, with what is planned measured from an instant; none while a function
    /// runs.
    ///
    /// What those who look on remember is not part of it.
    pub fn stand(&self, from: DateTime<Utc>) -> Option<Stand> {
        if !self.tasks.is_empty() {
            return None;
        }
        let mut digest = Digest::default();
        state::add_cloud(&mut digest, &self.cloud);
        for (at, planned) in self.agenda.in_order() {
            digest.instant(at, from);
            match planned {
                Planned::Act(n) => digest.hash(n),
                Planned::Trigger { trigger, attempt } => digest.shown(&(trigger, attempt)),
                // Of a function that died: nothing comes of it.
                Planned::Effect { .. } | Planned::Answer { .. } => {}
            }
        }
        digest.shown(&self.waiting);
        let counts = (self.working, self.pending, self.deliveries, self.live_jobs);
        digest.hash(&(counts, self.is_calm, self.is_draining));
        for at in [self.tick_at, self.drain_at].into_iter().flatten() {
            digest.instant(at, from);
        }
        digest.hash(&(self.tick_at.is_some(), self.drain_at.is_some()));
        Some(digest.stand())
    }

    /// As [`Run::run`], but it ends as soon as its future is known: none then. It is asked after
    /// each thing that has happened in the storm, while no function runs.
    pub fn run_unless(&mut self, is_known: impl FnMut(&Self) -> bool) -> Option<Ended> {
        if self.play_unless(is_known) {
            return None;
        }
        Some(self.finish())
    }

    /// Runs the script and what follows from it; true when its future was known before the end.
    pub(super) fn play_unless(&mut self, mut is_known: impl FnMut(&Self) -> bool) -> bool {
        let last = self.script.iter().map(|act| act.at).max().unwrap_or(self.now);
        let until = later(last, self.settings.storm);
        while self.violation.is_none() && (self.pending > 0 || !self.is_at_rest()) {
            // Who waits for an answer waits for it beyond the storm.
            let until = (self.pending == 0).then_some(until);
            if !self.happens(until) {
                return false;
            }
            if self.tasks.is_empty() && self.violation.is_none() && is_known(self) {
                return true;
            }
        }
        false
    }
}
