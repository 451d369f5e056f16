//! Every way in which a scenario can go wrong, up to so many things at once.
//!
//! The scenario is run without faults, and all that is decided in it is listed: each call, each
//! delivery, each start. Then each option of each decision has a run of its own, from the same
//! stage. For pairs, what is decided after the first deviation is listed again, so that the second
//! may strike what only the first has brought about; for triples likewise.
//!
//! A run ends early when it comes to [stand](crate::state::Stand) where an earlier one stood that
//! had as many deviations left: it has the same future, and ends like it.

mod matrix;
mod record;
mod remains;
mod sites;
mod strike;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use matrix::{Cell, Matrix, Outcome};
pub use record::{Decision, Places, Recorder};
pub use remains::Remains;
pub use sites::{Known, SITES, differences, known, updated};
pub use strike::{Place, Strike, Struck};
pub use table::Table;

use crate::{
    chooser::{Deviations, Key, Names, Replay},
    run::{Invariant, Violation, Watch},
    scenario::{NoStage, Scenario, Stage},
    state::Stand,
};

/// The code of a mark that is left although the system recovers from what struck.
const LEAVES_A_MARK: &str = "LEAVES_A_MARK";

/// How many stands a run is known by, from its last deviation on.
const STANDS: usize = 3;

/// What is run of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many things go wrong at once, at most.
    pub depth: u32,
    /// Whether runs whose future is known end early.
    pub is_reduced: bool,
    share: (u64, u64),
}

impl Plan {
    /// All runs with up to so many deviations.
    #[must_use]
    pub fn up_to(depth: u32) -> Self {
        Self { depth, is_reduced: true, share: (0, 1) }
    }

    /// The i-th of n shares, from 0: together they are the whole, and each may have its own thread.
    #[must_use]
    pub fn part(self, i: u64, n: u64) -> Self {
        Self { share: (i, n.max(1)), ..self }
    }

    /// Every run to its end, also where its future is known.
    #[must_use]
    pub fn unreduced(self) -> Self {
        Self { is_reduced: false, ..self }
    }

    fn has(self, nth: u64) -> bool {
        let (i, n) = self.share;
        nth.checked_rem(n).unwrap_or(0) == i
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// How many of the single strikes are done, with all that comes behind them.
    pub done: u64,
    /// How many there are in this share.
    pub of: u64,
    /// How many runs that were.
    pub runs: u64,
    /// How many of them broke what must hold.
    pub broken: u64,
}

/// Something that must not be, and what brings it about.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// What strikes, in its order.
    pub strikes: Vec<Struck>,
    /// The same, to be replayed.
    #[serde(skip)]
    pub deviations: Deviations,
    /// The same in the words of a scenario file.
    pub words: Vec<String>,
    /// What is broken.
    #[serde(serialize_with = "violation")]
    pub violation: Violation,
    /// How many runs end in the same violation.
    pub times: u64,
}

fn violation<S: serde::Serializer>(of: &Violation, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Said<'a> {
        invariant: &'a str,
        code: &'a str,
        site: &'a str,
        says: &'a str,
    }
    let Violation { invariant, code, site, says } = of;
    Said { invariant: invariant.name(), code, site, says }.serialize(serializer)
}

/// What became of all runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How many decisions there are without faults.
    pub decisions: u64,
    /// How many runs there were.
    pub runs: u64,
    /// How many of them ended early, because their future was known.
    pub same: u64,
    /// How many calls were made in them.
    pub calls: u64,
    /// Where what struck, and how that ended.
    pub matrix: Matrix,
    /// What must not be: the first run of each violation.
    pub found: Vec<Found>,
    /// Marks that were left although the system recovers from what struck: of a scenario whose end
    /// hangs on when things are done there are some, of others none.
    pub marks: Vec<Found>,
}

impl Report {
    /// What another share, or another scenario, has found.
    pub fn merge(&mut self, other: Self) {
        self.decisions = self.decisions.max(other.decisions);
        self.runs = self.runs.saturating_add(other.runs);
        self.same = self.same.saturating_add(other.same);
        self.calls = self.calls.saturating_add(other.calls);
        self.matrix.merge(other.matrix);
        for found in other.found.into_iter().chain(other.marks) {
            self.add(found);
        }
    }

    /// Those among which one of this kind stands.
    fn all_like(&mut self, violation: &Violation) -> &mut Vec<Found> {
        if violation.code == LEAVES_A_MARK { &mut self.marks } else { &mut self.found }
    }

    fn add(&mut self, found: Found) {
        let all = self.all_like(&found.violation);
        let known = all.iter_mut().find(|known| known.violation.is_same(&found.violation));
        match known {
            Some(known) => known.times = known.times.saturating_add(found.times),
            None => all.push(found),
        }
    }
}

/// Who looks on at each run, and hears of its end.
pub trait Lookers {
    /// Who looks on at one run.
    type Watch: Watch;
    /// Begins to look on at a run from a stage.
    fn begin(&mut self, stage: &Stage) -> Self::Watch;
    /// A run has ended.
    fn end(&mut self, watch: Self::Watch) {
        drop(watch);
    }
}

impl<W: Watch, F: FnMut(&Stage) -> W> Lookers for F {
    type Watch = W;
    fn begin(&mut self, stage: &Stage) -> W {
        self(stage)
    }
}

/// Runs a scenario with everything that can go wrong in it; its own deviations are left out.
///
/// # Errors
/// [`NoStage`] when it can't even begin.
pub fn exhaust<L: Lookers>(
    scenario: &Scenario,
    plan: Plan,
    lookers: &mut L,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, NoStage> {
    let stage = scenario.stage()?;
    let mut explorer = Explorer {
        scenario,
        stage,
        plan,
        lookers,
        progress,
        boring: None,
        known: BTreeMap::new(),
        report: Report::default(),
        so_far: Progress::default(),
    };
    explorer.explore(Trail::default(), plan.depth);
    Ok(explorer.report)
}

struct Explorer<'a, L> {
    scenario: &'a Scenario,
    stage: Stage,
    plan: Plan,
    lookers: &'a mut L,
    progress: &'a mut dyn FnMut(Progress),
    /// What is left when nothing goes wrong.
    boring: Option<Remains>,
    /// Where earlier runs stood: how many deviations they had left, and how they ended.
    known: BTreeMap<Stand, (u32, Outcome)>,
    report: Report,
    so_far: Progress,
}

/// What goes wrong in a run.
#[derive(Clone, Default)]
struct Trail {
    deviations: Deviations,
    /// The same in words. Where a delivery was struck is known only after the run.
    strikes: Vec<(Strike, Option<Place>)>,
}

impl Trail {
    fn is_boring(&self) -> bool {
        self.strikes.is_empty()
    }

    fn with(&self, key: Key, option: u8, place: Option<&Place>) -> Self {
        let mut further = self.clone();
        further.deviations.0.insert(key, option);
        further.strikes.push((Strike::of(key.what, option), place.cloned()));
        further
    }

    fn struck(&self) -> impl DoubleEndedIterator<Item = Struck> {
        let struck = |(by, at): &(Strike, Option<Place>)| Some(Struck { at: at.clone()?, by: *by });
        self.strikes.iter().filter_map(struck)
    }
}

/// A run that has ended.
struct Ran {
    outcome: Outcome,
    violation: Option<Violation>,
    is_same: bool,
    /// What was decided after its last deviation, and where.
    next: Vec<(Decision, Option<Place>)>,
}

impl<L: Lookers> Explorer<'_, L> {
    /// Runs with what goes wrong on a trail, and then with each that may come after it.
    fn explore(&mut self, mut trail: Trail, left: u32) {
        let ran = self.run(&mut trail, left);
        self.note(&trail, &ran);
        let all = ran.next.iter().flat_map(|(decision, place)| {
            decision.options.deviations().map(move |option| (decision.key, option, place))
        });
        let is_boring = trail.is_boring();
        let mine = all.zip(0_u64..).filter(|(_, nth)| !is_boring || self.plan.has(*nth));
        let mine: Vec<_> = mine.map(|(one, _)| one).collect();
        if is_boring {
            self.so_far.of = u64::try_from(mine.len()).unwrap_or(u64::MAX);
        }
        for (key, option, place) in mine {
            self.explore(trail.with(key, option, place.as_ref()), left.saturating_sub(1));
            if is_boring {
                self.so_far.done = self.so_far.done.saturating_add(1);
                (self.progress)(self.so_far);
            }
        }
    }

    /// Counts a run.
    fn note(&mut self, trail: &Trail, ran: &Ran) {
        let report = &mut self.report;
        report.runs = report.runs.saturating_add(1);
        report.same = report.same.saturating_add(u64::from(ran.is_same));
        self.so_far.runs = report.runs;
        match trail.struck().next_back() {
            Some(last) => report.matrix.count(last, &ran.outcome, ran.is_same),
            None => report.decisions = u64::try_from(ran.next.len()).unwrap_or(u64::MAX),
        }
        if ran.outcome == Outcome::Broken {
            self.so_far.broken = self.so_far.broken.saturating_add(1);
        }
        if let Some(violation) = ran.violation.clone() {
            let (strikes, deviations) = (trail.struck().collect(), trail.deviations.clone());
            let is_known =
                report.all_like(&violation).iter().any(|known| known.violation.is_same(&violation));
            let words = if is_known { vec![] } else { self.words(&deviations) };
            self.report.add(Found { strikes, deviations, words, violation, times: 1 });
        }
    }

    /// Deviations in words, which takes a run more.
    fn words(&self, deviations: &Deviations) -> Vec<String> {
        let replay = Replay(deviations.clone());
        let mut run = self.scenario.run(&self.stage, replay, Names::default());
        run.run();
        let told = run.watch.tell(deviations).unwrap_or_default();
        told.iter().map(ToString::to_string).collect()
    }

    /// Runs, and completes the trail.
    fn run(&mut self, trail: &mut Trail, left: u32) -> Ran {
        let (is_kept, is_boring) = (left > 0, trail.is_boring());
        let mut recorder = Recorder::new(&trail.deviations, is_kept);
        let watch = (Places::new(is_kept), self.lookers.begin(&self.stage));
        let mut run = self.scenario.run(&self.stage, &mut recorder, watch);
        let (known, plan, from) = (&self.known, self.plan, self.stage.now);
        let (mut stands, mut same) = (Vec::new(), None);
        let ended = run.run_unless(|run| {
            let is_enough = !is_boring && stands.len() >= STANDS;
            if !plan.is_reduced || is_enough || !run.chooser().is_through() {
                return false;
            }
            let Some(stand) = run.stand(from) else { return false };
            let earlier = known.get(&stand).filter(|(theirs, _)| *theirs >= left && !is_boring);
            same = earlier.map(|(_, outcome)| outcome.clone());
            stands.push(stand);
            same.is_some()
        });
        self.report.calls = self.report.calls.saturating_add(run.calls());
        let remains = ended.as_ref().map(|_| Remains::of(&run.cloud));
        let (places, watch) = run.watch;
        self.lookers.end(watch);
        if let Some((_, at)) = trail.strikes.last_mut() {
            *at = at.take().or_else(|| places.last_delivery());
        }
        let is_same = same.is_some();
        let violation = ended.and_then(|ended| ended.violation);
        let (outcome, violation) = match (same, violation) {
            (Some(outcome), _) => (outcome, None),
            (None, Some(violation)) => (Outcome::Broken, Some(violation)),
            (None, None) => self.judge(trail, remains.unwrap_or_default()),
        };
        for stand in stands {
            let known = self.known.entry(stand).or_insert_with(|| (left, outcome.clone()));
            if known.0 < left {
                *known = (left, outcome.clone());
            }
        }
        if is_boring {
            for (place, strike, why) in places.impossible() {
                self.report.matrix.declare(place, strike, why);
            }
        }
        let decisions = if is_same { vec![] } else { recorder.decisions };
        let next = decisions.into_iter().map(|one| (one, places.of(&one))).collect();
        Ran { outcome, violation, is_same, next }
    }

    /// How a run ended that broke nothing.
    fn judge(&mut self, trail: &Trail, remains: Remains) -> (Outcome, Option<Violation>) {
        let Some(boring) = &self.boring else {
            self.boring = Some(remains);
            return (Outcome::Recovered, None);
        };
        let Some(difference) = boring.difference(&remains) else {
            return (Outcome::Recovered, None);
        };
        if !trail.strikes.iter().all(|(strike, _)| strike.is_recoverable()) {
            return (Outcome::Ended(remains.failures_beside(boring)), None);
        }
        let violation = Violation {
            invariant: Invariant::Progress,
            code: LEAVES_A_MARK,
            site: trail.struck().next_back().map(|last| last.at.to_string()).unwrap_or_default(),
            says: difference,
        };
        (Outcome::Marked, Some(violation))
    }
}
