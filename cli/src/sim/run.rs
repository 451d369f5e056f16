//! `crossvault sim run`: scenarios from seeds.

use std::{
    collections::BTreeMap,
    num::NonZero,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use crossvault_embedded::socket::Failure;
use crossvault_simulator::{
    chooser::Allowed,
    generate::Scale,
    sweep::{self, Plan, Seeded},
    trace,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::report;
use crate::{
    exit::Exit,
    output::{Output, count},
};

/// Run scenarios that follow from seeds: who there is, what they do, and what goes wrong
///
/// Each run is watched by an oracle for each thing that must always hold. The first that finds
/// something broken ends it: then the run is made small, told in sentences, and written to a file
/// that replays it.
///
/// Exit code 1 when something was broken.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sim run --seed 42
  crossvault sim run --runs 10000
  crossvault sim run --for 60s --world wide
  crossvault sim run --runs 500 --faults crash-before,crash-after,lost")]
pub struct Arguments {
    /// The seed, or the first of them
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How many seeds; without it the one
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    runs: Option<u64>,

    /// For how long, such as `60s`, `10m` or `1h`: as many seeds as there is time for
    #[arg(long = "for", id = "duration", value_name = "TIME", value_parser = time)]
    duration: Option<Duration>,

    /// What may go wrong, by the names of the faults, with commas; without it everything
    #[arg(long, value_name = "NAMES")]
    faults: Option<Allowed>,

    /// How large the worlds are
    #[arg(long, value_enum, default_value_t = World::Small)]
    world: World,

    /// How many runs go on at once; without it as many as there are processors
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Where the scenario of a failure is written
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
}

/// How large worlds are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum World {
    /// 1 to 4 resource accounts
    Small,
    /// 8 to 40 resource accounts
    Wide,
}

/// What the runs came to.
#[derive(Default)]
struct Tally {
    /// Hashes of the runs by their seeds.
    hashes: BTreeMap<u64, String>,
    calls: u64,
    deviations: usize,
    /// How many runs had any.
    struck: u64,
    /// The lowest seed that broke something.
    broken: Option<(u64, Seeded)>,
    /// Seeds whose stage could not be set: a mistake of the generator.
    unstaged: Vec<(u64, String)>,
}

/// Runs the command.
pub fn run(output: Output, arguments: &Arguments) -> Result<Exit, Failure> {
    let plan = Plan {
        scale: match arguments.world {
            World::Small => Scale::Small,
            World::Wide => Scale::Wide,
        },
        allowed: arguments.faults.unwrap_or_default(),
    };
    let started = Instant::now();
    let tally = runs(output, arguments, plan, started);
    let took = started.elapsed();
    let (text, value) = (tally.text(arguments.seed, took), tally.json(arguments.seed, took));
    if let Some((seed, message)) = tally.unstaged.first() {
        return Err(report::unstaged(*seed, message));
    }
    let Some((seed, seeded)) = tally.broken else {
        output.answer(&json!({ "answer": "sim-run", "value": value }), || text)?;
        return Ok(Exit::Done);
    };
    let scenario = sweep::scenario(seed, plan, seeded.deviations);
    let file = arguments.into.join(format!("seed-{seed}.toml"));
    if !output.is_json {
        output.write(&text)?;
    }
    report::broken(output, &scenario, &file, &value)
}

/// Runs seeds until there are no more, no more time, or one has broken something.
fn runs(output: Output, arguments: &Arguments, plan: Plan, started: Instant) -> Tally {
    let count = arguments.runs.unwrap_or(if arguments.duration.is_some() { u64::MAX } else { 1 });
    let last = arguments.seed.saturating_add(count);
    let bar = progress(output, arguments, count);
    let (next, tally) = (AtomicU64::new(arguments.seed), Mutex::new(Tally::default()));
    let threads = arguments.threads.or_else(|| thread::available_parallelism().ok());
    let work = || loop {
        let is_late = arguments.duration.is_some_and(|limit| started.elapsed() >= limit);
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if is_late || seed >= last {
            return;
        }
        let seeded = sweep::run(seed, plan, ());
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let is_broken = match seeded {
            Ok(seeded) => tally.take(seed, seeded),
            Err(error) => {
                tally.unstaged.push((seed, error.to_string()));
                true
            }
        };
        bar.inc(1);
        bar.set_message(format!("{} calls", tally.calls));
        if is_broken {
            // Those that run go on to their ends; lower seeds among them may be broken too.
            next.store(u64::MAX / 2, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.map_or(1, NonZero::get) {
            scope.spawn(work);
        }
        work();
    });
    bar.finish_and_clear();
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn progress(output: Output, arguments: &Arguments, count: u64) -> ProgressBar {
    if !output.has_progress() || count == 1 {
        return ProgressBar::hidden();
    }
    let is_counted = arguments.duration.is_none();
    let bar = if is_counted { ProgressBar::new(count) } else { ProgressBar::no_length() };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    let template = if is_counted {
        "{bar:30} {pos}/{len} runs, {per_sec}, {msg}, {eta} left"
    } else {
        "{spinner} {pos} runs in {elapsed}, {per_sec}, {msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

impl Tally {
    /// Takes in a run, and tells whether it broke something.
    fn take(&mut self, seed: u64, seeded: Seeded) -> bool {
        self.hashes.insert(seed, seeded.ended.hash.clone());
        self.calls = self.calls.saturating_add(seeded.ended.calls);
        self.deviations = self.deviations.saturating_add(seeded.deviations.0.len());
        let is_struck = !seeded.deviations.0.is_empty();
        self.struck = self.struck.saturating_add(u64::from(is_struck));
        let is_broken = seeded.ended.violation.is_some();
        if is_broken && self.broken.as_ref().is_none_or(|(lowest, _)| seed < *lowest) {
            self.broken = Some((seed, seeded));
        }
        is_broken
    }

    fn runs(&self) -> u64 {
        u64::try_from(self.hashes.len()).unwrap_or(u64::MAX)
    }

    fn hash(&self) -> String {
        trace::combine(self.hashes.values())
    }

    fn text(&self, first: u64, took: Duration) -> String {
        let (runs, calls) = (self.runs(), self.calls);
        let seeds = match runs {
            0 | 1 => format!("seed {first}"),
            runs => format!("seeds {first} to {}", first.saturating_add(runs).saturating_sub(1)),
        };
        [
            format!("{seeds}, crossvault {}", env!("CARGO_PKG_VERSION")),
            format!(
                "{} with {}, {} in {} of them; {} runs/s, {} calls/s",
                count(runs, "run"),
                count(calls, "call"),
                count(u64::try_from(self.deviations).unwrap_or(u64::MAX), "fault"),
                self.struck,
                a_second(runs, took),
                a_second(calls, took)
            ),
            format!("hash {}", self.hash()),
        ]
        .join("\n")
    }

    fn json(&self, first: u64, took: Duration) -> Value {
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "seed": first,
            "runs": self.runs(),
            "calls": self.calls,
            "faults": self.deviations,
            "struck_runs": self.struck,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "hash": self.hash(),
        })
    }
}

fn a_second(number: u64, took: Duration) -> u64 {
    let us = took.as_micros().max(1);
    let number = u128::from(number).saturating_mul(1_000_000);
    number.checked_div(us).and_then(|rate| u64::try_from(rate).ok()).unwrap_or(u64::MAX)
}

/// A time with its unit.
fn time(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(number.len()..).unwrap_or_default();
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let number = number.parse::<u64>().ok().filter(|number| *number > 0);
    let seconds = seconds.zip(number).and_then(|(unit, number)| number.checked_mul(unit));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "give a time such as `60s`, `10m` or `1h`".to_owned())
}
