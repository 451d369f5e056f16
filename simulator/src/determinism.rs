//! Whether a run is what its seed says and nothing else: made twice, it leaves the same trace.
//!
//! If it does not, something got in that is no choice: a clock, an address, the order of a hash map,
//! a memory of the run before. Where it got in is found in three pairs of runs: whether they differ,
//! which 1,024 records they differ in first, and which of these is the first.

use std::{fmt, hash::Hash, ops::Range, sync::Arc};

use chrono::{DateTime, Utc};

use crate::{
    chooser::{Boring, Chooser, Random},
    cloud::Cloud,
    generate::{self, Scale},
    oracle::Oracles,
    run::{Ended, Event, Run, Violation, Watch},
    scenario::{Scenario, Stage},
    trace::Trace,
};

/// How many records of a trace have one hash in its chain.
const BLOCK: u64 = 1024;

/// How many records before the first that differs are shown.
const SHOWN_BEFORE: usize = 3;

/// How many letters are shown of a record, around what differs.
const SHOWN_LETTERS: usize = 400;

/// What is kept of a run, beside its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Outcome,
    /// The trace's hash after each 1,024 records.
    Chain,
    /// These records as text.
    Records(Range<u64>),
}

/// What a run left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Its trace's hash, how it ended, and whatever else must be the same.
    pub outcome: String,
    /// The hash after each 1,024 records, if it was to be kept.
    pub chain: Vec<u64>,
    /// Records with their positions, from 0, if they were to be kept.
    pub records: Vec<(u64, String)>,
}

/// Two runs that should be one, and where they part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The outcomes.
    pub outcomes: [String; 2],
    /// The first record that differs; none when the runs differed once and not again.
    pub parting: Option<Box<Parting>>,
}

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// How many records are the same before.
    pub position: u64,
    /// The last of these.
    pub before: Vec<String>,
    /// What the first run went on with; none where it ended.
    pub expected: Option<String>,
    /// What the second went on with.
    pub found: Option<String>,
}

/// Runs the scenario of a seed twice, with chance by the same seed, and returns how it ended.
///
/// # Errors
/// [`Mismatch`] when the runs differ.
pub fn check(seed: u64) -> Result<String, Mismatch> {
    let scenario = generate::scenario(seed, Scale::Small);
    compare(|keep| stage(&scenario, keep).1)?;
    compare(|keep| of_scenario(&scenario, seed, keep))
}

/// The outcome of one run of a seed: for other threads, processes and machines to be compared with.
#[must_use]
pub fn outcome(seed: u64) -> String {
    of_scenario(&generate::scenario(seed, Scale::Small), seed, &Keep::Outcome).outcome
}

/// Makes a run twice and returns its outcome.
///
/// # Errors
/// [`Mismatch`] when the outcomes differ.
pub fn compare(mut run: impl FnMut(&Keep) -> Left) -> Result<String, Mismatch> {
    let mut twice = |keep: &Keep| [run(keep), run(keep)];
    let [one, other] = twice(&Keep::Outcome);
    if one.outcome == other.outcome {
        return Ok(one.outcome);
    }
    let outcomes = [one.outcome, other.outcome];
    let [one, other] = twice(&Keep::Chain);
    let same = one.chain.iter().zip(&other.chain).take_while(|(one, other)| one == other).count();
    let from = u64::try_from(same).unwrap_or(0).saturating_mul(BLOCK);
    let window = from.saturating_sub(BLOCK)..from.saturating_add(BLOCK);
    let mut parting = part(twice(&Keep::Records(window)));
    if parting.is_none() {
        // What gets in anew each time may have got in elsewhere.
        parting = part(twice(&Keep::Records(0..u64::MAX)));
    }
    Err(Mismatch { outcomes, parting: parting.map(Box::new) })
}

/// Where two lists of records part; none if they don't.
fn part([one, other]: [Left; 2]) -> Option<Parting> {
    let pairs = one.records.iter().zip(&other.records);
    let same = pairs.take_while(|(one, other)| one == other).count();
    let text = |left: &Left| left.records.get(same).map(|(_, text)| text.clone());
    let (expected, found) = (text(&one), text(&other));
    let next = one.records.get(same).or_else(|| other.records.get(same))?;
    let before = one.records.iter().take(same).skip(same.saturating_sub(SHOWN_BEFORE));
    let before = before.map(|(_, text)| text.clone()).collect();
    Some(Parting { position: next.0, before, expected, found })
}

/// The scenario set up, and what that left.
fn stage(scenario: &Scenario, keep: &Keep) -> (Option<Stage>, Left) {
    let Ok(cloud) = Cloud::new(scenario.management.clone(), scenario.start) else {
        return (None, Left::default());
    };
    let (start, before) = (scenario.start, Arc::clone(&scenario.before));
    let run = Run::new(cloud, start, before, scenario.settings, Boring, Records::of(keep));
    let (left, run) = finish(run, keep, Run::play);
    let now = run.now();
    (Some(Stage { cloud: run.cloud, now }), left)
}

fn of_scenario(scenario: &Scenario, seed: u64, keep: &Keep) -> Left {
    let (Some(stage), _) = stage(scenario, &Keep::Outcome) else { return Left::default() };
    let watch = (Records::of(keep), Oracles::all());
    let run = scenario.run(&stage, Random::new(seed), watch);
    finish(run, keep, Run::run).0
}

fn finish<C: Chooser, W: Watch + Recorded>(
    run: Run<C, W>,
    keep: &Keep,
    play: impl FnOnce(&mut Run<C, W>) -> Ended,
) -> (Left, Run<C, W>) {
    let mut run = if *keep == Keep::Chain { run.chained() } else { run };
    let ended = play(&mut run);
    let outcome = format!("{ended:?}, stored: {}", stored(&run.cloud));
    let chain = run.trace().chain().to_vec();
    let records = std::mem::take(run.watch.records());
    (Left { outcome, chain, records }, run)
}

/// The hash of all that is stored: the trace has the keys of what is written, and not all of it.
fn stored(cloud: &Cloud) -> String {
    let mut hash = Trace::default();
    for (_, row) in cloud.rows.all() {
        format!("{row:?}").hash(&mut hash);
        hash.record();
    }
    hash.hash()
}

/// Watches the records of a window as text. What it counts is what the trace counts: functions that
/// begin, calls, answers.
#[derive(Clone, Debug, Default)]
struct Records {
    window: Range<u64>,
    seen: u64,
    kept: Vec<(u64, String)>,
}

impl Records {
    fn of(keep: &Keep) -> Self {
        let window = match keep {
            Keep::Outcome | Keep::Chain => 0..0,
            Keep::Records(window) => window.clone(),
        };
        Self { window, ..Self::default() }
    }
}

impl Watch for Records {
    fn event(&mut self, _: &Cloud, now: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        if matches!(event, Event::Began { .. } | Event::Called { .. } | Event::Answered { .. }) {
            if self.window.contains(&self.seen) {
                self.kept.push((self.seen, format!("{now} {event:?}")));
            }
            self.seen = self.seen.saturating_add(1);
        }
        Ok(())
    }
}

/// A watcher that has records.
trait Recorded {
    fn records(&mut self) -> &mut Vec<(u64, String)>;
}

impl Recorded for Records {
    fn records(&mut self) -> &mut Vec<(u64, String)> {
        &mut self.kept
    }
}

impl<W> Recorded for (Records, W) {
    fn records(&mut self) -> &mut Vec<(u64, String)> {
        &mut self.0.kept
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = &self.outcomes;
        writeln!(f, "two runs of one seed differ:\n  first:  {one}\n  second: {other}")?;
        match &self.parting {
            Some(parting) => parting.fmt(f),
            None => f.write_str("made again, both were the same: where they parted is not known"),
        }
    }
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for text in &self.before {
            writeln!(f, "            {}", shown(text, 0))?;
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "the end".to_owned());
        let (expected, found) = (text(&self.expected), text(&self.found));
        let same = expected.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
        writeln!(f, "record {}", self.position)?;
        writeln!(f, "  expected: {}", shown(&expected, same))?;
        write!(f, "  found:    {}", shown(&found, same))
    }
}

/// A part of a text, around its nth letter.
fn shown(text: &str, around: usize) -> String {
    let from = around.saturating_sub(SHOWN_LETTERS / 2);
    let part: String = text.chars().skip(from).take(SHOWN_LETTERS).collect();
    let (start, end) = (if from > 0 { "…" } else { "" }, part.len() < text.len());
    format!("{start}{part}{}", if end { "…" } else { "" })
}
