//! The same number of things, each simpler: weaker faults, rounder times, smaller sources.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::{Judge, Search};
use crate::{
    cloud::Size,
    scenario::Scenario,
    script::{Act, Action},
};

impl<J: Judge> Search<'_, J> {
    /// Makes what is left simpler, one thing after another.
    pub(super) fn simpler(&mut self) {
        self.weaker();
        self.rounder();
        self.smaller();
    }

    /// Takes the weakest option that still fails; options are numbered by what they do to a run.
    fn weaker(&mut self) {
        let all: Vec<_> = self.best.deviations.0.iter().map(|(key, n)| (*key, *n)).collect();
        for (key, option) in all {
            for weaker in 1..option {
                let mut deviations = self.best.deviations.clone();
                deviations.0.insert(key, weaker);
                if self.keeps(Scenario { deviations, ..self.best.clone() }) {
                    break;
                }
            }
        }
    }

    /// Lets acts follow each other by a minute, or at least happen on the minute.
    fn rounder(&mut self) {
        for n in 0..self.best.acts.len() {
            let Some(act) = self.best.acts.get(n) else { return };
            let previous = n.checked_sub(1).and_then(|n| self.best.acts.get(n));
            let soon = previous.map_or(self.best.start, |act| act.at);
            let soon = soon.checked_add_signed(TimeDelta::minutes(1));
            let round = act.at.duration_trunc(TimeDelta::minutes(1)).ok();
            let was = act.at;
            for at in [soon, round].into_iter().flatten().filter(|at| *at < was) {
                if self.keeps_at(n, at) {
                    break;
                }
            }
        }
    }

    fn keeps_at(&mut self, n: usize, at: DateTime<Utc>) -> bool {
        let mut acts: Vec<Act> = self.best.acts.to_vec();
        if let Some(act) = acts.get_mut(n) {
            act.at = at;
        }
        acts.sort_by_key(|act| act.at);
        self.keeps(Scenario { acts: acts.into(), ..self.best.clone() })
    }

    /// Lets sources hold one small file, or half as many.
    fn smaller(&mut self) {
        for n in 0..self.best.before.len() {
            let Some(Action::Opens { size, .. }) = self.best.before.get(n).map(|act| &act.action)
            else {
                continue;
            };
            let size = *size;
            let half = Size { files: size.files.div_ceil(2), ..size };
            for smaller in [Size { files: 1, length: 1 }, Size { length: 1, ..size }, half] {
                if smaller != size && self.keeps_size(n, smaller) {
                    break;
                }
            }
        }
    }

    fn keeps_size(&mut self, n: usize, smaller: Size) -> bool {
        let mut before: Vec<Act> = self.best.before.to_vec();
        if let Some(Action::Opens { size, .. }) = before.get_mut(n).map(|act| &mut act.action) {
            *size = smaller;
        }
        self.keeps(Scenario { before: before.into(), ..self.best.clone() })
    }
}
