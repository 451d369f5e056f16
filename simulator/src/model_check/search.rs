//! The search: states in the order of the faults that they took, each visited once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    Broken, Model, ModelReport,
    ahead::{Ahead, Move, ahead, of_move, of_planned, words},
    print::{Print, Prints},
};
use crate::{
    chooser::{Allowed, Deviations, Exhaustive, Only, Recorder, Replay},
    oracle::Oracles,
    run::{Invariant, Planned, Rest, Run, Violation},
    scenario::{NoStage, Stage},
    script::Act,
};

type Looks = (Oracles, Prints);
type Choosing = Only<Recorder<Replay>>;
type Running = Run<Choosing, Looks>;

/// A move with what goes wrong in it.
type Step = (Move, Deviations);

/// A state that is yet to be gone on from.
struct Node {
    /// Its number among the visited.
    n: usize,
    /// The last state without a function in flight.
    base: Arc<Rest<Looks>>,
    /// What has happened since; nothing where no function is in flight.
    since: Vec<Step>,
    /// What the function in flight knows: the state that it began in and where it stands still.
    held: Option<Print>,
    spent: usize,
}

/// A state that was visited, and how it was first reached.
struct Visited {
    from: Option<(usize, Step)>,
    depth: usize,
    /// Where the next thing that comes by itself leads, if nothing goes wrong.
    fair: Option<usize>,
    /// Whether it was seen that everything comes to rest from here.
    ends: bool,
}

struct Search<'a> {
    model: &'a Model,
    stage: Stage,
    /// What may strike where no function is in flight, and where one is.
    strikes: [Allowed; 2],
    known: BTreeMap<Print, usize>,
    visited: Vec<Visited>,
    /// By the faults that were spent.
    open: Vec<VecDeque<Node>>,
    report: ModelReport,
}

/// Visits every state of a model, as long as `goes_on` lets it.
///
/// # Errors
/// [`NoStage`] when the world can't be set up.
pub fn check(
    model: &Model,
    mut goes_on: impl FnMut(&ModelReport) -> bool,
) -> Result<ModelReport, NoStage> {
    let mut search = Search::new(model)?;
    let mut is_whole = true;
    while let Some(node) = search.next() {
        is_whole = search.visited.len() < model.states_max && goes_on(&search.report);
        if !is_whole {
            break;
        }
        search.expand(&node);
    }
    search.report.is_exhausted = is_whole;
    if is_whole {
        search.fairly();
    }
    Ok(search.report)
}

impl<'a> Search<'a> {
    fn new(model: &'a Model) -> Result<Self, NoStage> {
        let stage = model.scenario.stage()?;
        let strikes = |is_frozen: bool| {
            let named = model.strikes.split(',');
            let strikes = named.filter(|name| !is_frozen || !name.trim().starts_with("freeze"));
            let strikes: Vec<&str> = strikes.collect();
            strikes.join(",").parse().unwrap_or(Allowed::NOTHING)
        };
        let mut search = Self {
            model,
            stage,
            strikes: [strikes(false), strikes(true)],
            known: BTreeMap::new(),
            visited: Vec::new(),
            open: (0..=model.faults).map(|_| VecDeque::new()).collect(),
            report: ModelReport {
                model: model.name,
                faults: model.faults,
                ..ModelReport::default()
            },
        };
        let root = search.root();
        search.arrive(root, None, 0);
        Ok(search)
    }

    fn root(&self) -> Running {
        let looks = (Oracles::all(), Prints::new(&self.stage.cloud));
        let (cloud, now) = (self.stage.cloud.clone(), self.stage.now);
        let acts = Arc::clone(&self.model.scenario.acts);
        let mut run = Run::new(cloud, now, acts, self.model.scenario.settings, calm(), looks);
        run.cloud.may_be_stale = false;
        run
    }

    fn next(&mut self) -> Option<Node> {
        self.open.iter_mut().find_map(VecDeque::pop_front)
    }

    /// Goes on from a state in every way.
    fn expand(&mut self, node: &Node) {
        let run = self.reach(node);
        let Ahead { moves, fair, is_cut } = ahead(&run, self.model.until);
        let here = here(node, &run);
        if run.is_at_rest() || fair == 0 {
            self.conclude(node, run, is_cut);
        }
        for (nth, mov) in moves.into_iter().enumerate() {
            let mut sets = Exhaustive::new(self.model.faults.saturating_sub(node.spent));
            while let Some(with) = sets.next() {
                let is_fair = nth == 0 && fair > 0 && with.0.is_empty();
                if let Some((to, asked)) = self.go(node, here, (mov, with)) {
                    sets.ran(&asked);
                    if is_fair && let Some(from) = self.visited.get_mut(node.n) {
                        from.fair = Some(to);
                    }
                }
            }
        }
    }

    /// Makes a move, and returns the state it leads to and what was asked on the way; none where
    /// something broke.
    fn go(
        &mut self,
        node: &Node,
        here: Print,
        step: Step,
    ) -> Option<(usize, crate::chooser::Asked)> {
        let mut run = self.reach(node);
        let before = run.calls();
        let steps = words_of(&run, step.0);
        let what = of_move(&run, step.0);
        let asked = self.make(&mut run, &step);
        self.report.transitions = self.report.transitions.saturating_add(1);
        self.report.calls = self.report.calls.saturating_add(run.calls().saturating_sub(before));
        let count = self.report.steps.entry(steps).or_default();
        *count = count.saturating_add(1);
        if let Some(violation) = run.violation().cloned() {
            self.found(violation, Some((node.n, step)));
            return None;
        }
        let spent = node.spent.saturating_add(step.1.0.len());
        let to = self.arrive(run, Some((node, here, what, step)), spent);
        Some((to, asked))
    }

    /// Takes in a state that was reached.
    fn arrive(
        &mut self,
        run: Running,
        from: Option<(&Node, Print, Print, Step)>,
        spent: usize,
    ) -> usize {
        let mut run = run;
        let held = from.as_ref().filter(|_| run.is_in_flight()).map(|(node, here, what, step)| {
            // What it knows follows from where it began and from what it met.
            let met: Vec<(u32, u8)> = step.1.0.iter().map(|(key, met)| (key.call, *met)).collect();
            node.held.unwrap_or_else(|| here.then(*what).then(Print::shown(&met)))
        });
        let base = from.as_ref().map(|(node, ..)| Arc::clone(&node.base));
        let print = print_of(&mut run, held, base.as_deref());
        if let Some(known) = self.known.get(&print) {
            self.report.known = self.report.known.saturating_add(1);
            return *known;
        }
        let n = self.visited.len();
        self.known.insert(print, n);
        let depth = from.as_ref().map_or(0, |(node, ..)| {
            self.visited.get(node.n).map_or(0, |from| from.depth.saturating_add(1))
        });
        self.report.depth = self.report.depth.max(depth);
        self.report.states = n.saturating_add(1);
        let way = from.as_ref().map(|(node, _, _, step)| (node.n, step.clone()));
        self.visited.push(Visited { from: way, depth, fair: None, ends: false });
        let node = match (run.into_rest(), from) {
            (Some(rest), _) => {
                Node { n, base: Arc::new(rest), since: Vec::new(), held: None, spent }
            }
            (None, Some((node, _, _, step))) => {
                self.report.in_flight = self.report.in_flight.saturating_add(1);
                let since = node.since.iter().cloned().chain([step]).collect();
                Node { n, base: Arc::clone(&node.base), since, held, spent }
            }
            (None, None) => return n,
        };
        if let Some(open) = self.open.get_mut(spent) {
            open.push_back(node);
        }
        n
    }

    /// The run in a state.
    fn reach(&self, node: &Node) -> Running {
        let acts = Arc::clone(&self.model.scenario.acts);
        let rest = Rest::clone(&node.base);
        let mut run = Run::resume(rest, acts, self.model.scenario.settings, calm());
        for step in &node.since {
            self.make(&mut run, step);
        }
        run
    }

    fn make(&self, run: &mut Running, (mov, with): &Step) -> crate::chooser::Asked {
        let [strikes, in_flight] = self.strikes;
        let strikes = if run.is_in_flight() { in_flight } else { strikes };
        let chooser = Recorder::new(Replay(with.clone())).asking();
        run.choosing(Only::new(strikes, chooser));
        match mov {
            Move::Step(number) => run.step(*number),
            Move::Thaw => run.thaw(),
        }
        run.choosing(calm()).into_inner().into_parts().1
    }

    /// Lets faults stop and all come to rest: then everything must hold.
    fn conclude(&mut self, node: &Node, run: Running, is_cut: bool) {
        if run.is_at_rest() {
            self.report.at_rest = self.report.at_rest.saturating_add(1);
        } else if is_cut {
            self.report.cut = self.report.cut.saturating_add(1);
        }
        match run.without_acts().conclude().violation {
            Some(violation) => self.found(violation, self.way_to(node.n)),
            None => {
                if let Some(visited) = self.visited.get_mut(node.n) {
                    visited.ends = true;
                }
            }
        }
    }

    fn way_to(&self, n: usize) -> Option<(usize, Step)> {
        self.visited.get(n).and_then(|visited| visited.from.clone())
    }

    /// From every state the way on which nothing more goes wrong must come to rest.
    fn fairly(&mut self) {
        for n in 0..self.visited.len() {
            let mut way = Vec::new();
            let mut at = n;
            let ends = loop {
                let Some(visited) = self.visited.get(at) else { break false };
                if visited.ends {
                    break true;
                }
                way.push(at);
                match visited.fair {
                    Some(next) if way.len() <= self.visited.len() => at = next,
                    _ => break false,
                }
            };
            if ends {
                for at in way {
                    if let Some(visited) = self.visited.get_mut(at) {
                        visited.ends = true;
                    }
                }
            } else if self.report.broken.is_empty() {
                let violation = Violation {
                    invariant: Invariant::Progress,
                    code: "NEVER_RESTS",
                    site: "model".to_owned(),
                    says: "without further faults it never comes to rest".to_owned(),
                };
                self.found(violation, self.way_to(n));
            }
        }
    }

    /// Writes down what is broken, and how it comes about.
    fn found(&mut self, violation: Violation, last: Option<(usize, Step)>) {
        if self.report.broken.iter().any(|broken| broken.is_of(&violation)) {
            return;
        }
        let mut steps = Vec::new();
        let mut at = last;
        while let Some((from, step)) = at {
            steps.push(step);
            at = self.way_to(from);
        }
        steps.reverse();
        let (story, scenario) = self.tell(&steps, &violation);
        let Violation { invariant, code, site, says } = violation;
        let invariant = invariant.name();
        self.report.broken.push(Broken { invariant, code, site, says, story, scenario });
    }

    /// The way in words, and as a scenario if that breaks the same.
    fn tell(
        &self,
        steps: &[Step],
        violation: &Violation,
    ) -> (Vec<String>, Option<crate::scenario::Scenario>) {
        let mut run = self.root();
        let mut story = Vec::new();
        let mut acts: Vec<Act> = Vec::new();
        let mut scenario = self.model.scenario.clone();
        for step in steps {
            let planned = planned_of(&run, step.0);
            let what = planned.as_ref().map_or_else(
                || "the frozen function goes on".to_owned(),
                |planned| words(planned, &self.model.scenario.acts),
            );
            self.make(&mut run, step);
            if let Some(Planned::Act(n)) = planned
                && let Some(act) = self.model.scenario.acts.get(n)
            {
                acts.push(Act { at: run.now(), ..act.clone() });
            }
            let strikes: Vec<String> = step.1.0.iter().map(strike).collect();
            story.push(format!("{} {what} {}", run.now().format("%H:%M:%S"), strikes.join(", ")));
            scenario.deviations.0.extend(step.1.0.iter().map(|(key, option)| (*key, *option)));
        }
        scenario.acts = acts.into();
        let chooser = Replay(scenario.deviations.clone());
        let ended = scenario.run(&self.stage, chooser, Oracles::all()).run();
        let is_same = ended.violation.is_some_and(|found| found.is_same(violation));
        (story, is_same.then_some(scenario))
    }
}

fn strike((key, option): (&crate::chooser::Key, &u8)) -> String {
    use crate::{
        chooser::What,
        fault::{Fault, Mishap, Skew},
    };
    match key.what {
        What::Fault => format!("[{} at call {}]", Fault::of(*option).name(), key.call),
        What::Mishap => format!("[a delivery {}]", Mishap::of(*option).name()),
        What::Skew => format!("[clock {}]", Skew::of(*option).name()),
    }
}

fn planned_of(run: &Running, mov: Move) -> Option<Planned> {
    let Move::Step(number) = mov else { return None };
    let choices = run.choices().into_iter();
    choices.filter(|choice| choice.number == number).map(|choice| choice.planned.clone()).next()
}

fn words_of(run: &Running, mov: Move) -> &'static str {
    match planned_of(run, mov) {
        Some(Planned::Trigger { trigger, .. }) => trigger.handler().name(),
        Some(Planned::Act(_)) => "act",
        _ => "thaw",
    }
}

fn calm() -> Choosing {
    Only::new(Allowed::NOTHING, Recorder::new(Replay::default()))
}

/// The print of a state that is gone on from.
fn here(node: &Node, run: &Running) -> Print {
    let mut prints = run.watch.1.clone();
    prints.of_cloud(&run.cloud).then(of_planned(run)).then(Print::shown(&node.held))
}

/// The print of a run: with a function in flight, what that knows and which rows are others now.
fn print_of(run: &mut Running, held: Option<Print>, base: Option<&Rest<Looks>>) -> Print {
    let planned = of_planned(run);
    let print = run.watch.1.of_cloud(&run.cloud).then(planned).then(Print::shown(&held));
    let Some(base) = base.filter(|_| held.is_some()) else { return print };
    let rows = run.cloud.rows.all();
    let is_other = |key: &_, row: &Arc<_>| {
        base.cloud.rows.get(key).is_none_or(|before| !Arc::ptr_eq(before, row))
    };
    rows.filter(|(key, row)| is_other(key, row))
        .map(|(key, _)| Print::shown(key))
        .fold(print, Print::and)
}
