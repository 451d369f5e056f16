//! What a simulated call costs, what a simulated year costs, and how that grows.
//!
//! `cargo bench -p crossvault-benches --bench simulator`; with `-- calls`, `-- runs`, `-- growth`
//! or `-- year` only those. Times are those of the processor, so that what else runs counts little.
//! `DAYS=7` makes the year a week.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    reason = "a bench is no test to clippy, and ends like one"
)]

mod stage;

use std::time::Duration;

use crossvault_simulator::{
    chooser::Boring,
    cloud::Size,
    oracle::Oracles,
    run::{Ended, Watch},
    scenario::{Scenario, Stage},
};

use self::stage::Scale;

/// How often what is short is measured: the median counts.
const ROUNDS: usize = 5;

fn main() {
    let only: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |part: &str| only.is_empty() || only.iter().any(|word| word == part);
    if is_wanted("calls") {
        calls();
    }
    if is_wanted("runs") {
        runs();
    }
    if is_wanted("growth") {
        growth();
    }
    if is_wanted("year") {
        year();
    }
}

/// A backup by schedule of sources with many files: each file is a call that is checked.
fn calls() {
    let size = Size { files: 10_000, length: 4096 };
    let scale = Scale { accounts: 10, sources: 2, size, days: 1, kept: 7, is_daily: false };
    println!("\na backup of {} sources of {} files each", scale.sources(), size.files);
    let scenario = scale.scenario();
    let stage = scenario.stage().unwrap();
    let off = rate(&scenario, &stage, || ());
    let on = rate(&scenario, &stage, || Oracles::all().within(&scenario.settings));
    println!("  {:<28} {:>12} calls/s  (goal: 2,000,000)", "all oracles off", grouped(off));
    println!("  {:<28} {:>12} calls/s  (goal: 2,000,000)", "all oracles on", grouped(on));
}

fn rate<W: Watch>(scenario: &Scenario, stage: &Stage, watch: impl Fn() -> W) -> u64 {
    median(|| {
        let mut run = scenario.run(stage, Boring, watch());
        let begun = processor();
        let ended = run.play();
        let took = since(begun);
        assert_eq!(ended.violation, None);
        ended.calls as f64 / took.as_secs_f64()
    })
}

/// The short scenario: three backups of three files, to rest.
fn runs() {
    let size = Size::default();
    let scale = Scale { accounts: 1, sources: 1, size, days: 3, kept: 7, is_daily: false };
    let scenario = scale.scenario();
    let stage = scenario.stage().unwrap();
    let (ended, _) = timed(&scenario, &stage, ());
    println!("\nthe short scenario: 3 backups by schedule, {} calls, to rest", ended.calls);
    let each = |with_oracles: bool| {
        median(|| {
            let begun = processor();
            for _ in 0..500 {
                if with_oracles {
                    timed(&scenario, &stage, Oracles::all().within(&scenario.settings));
                } else {
                    timed(&scenario, &stage, ());
                }
            }
            500.0 / since(begun).as_secs_f64()
        })
    };
    println!("  {:<28} {:>12} runs/s", "all oracles off", grouped(each(false)));
    println!("  {:<28} {:>12} runs/s", "all oracles on", grouped(each(true)));
}

/// The same days for ten times as many accounts, and again.
fn growth() {
    println!("\nthree days of daily backups of 10 sources an account");
    println!(
        "  {:>8} {:>9} {:>9} {:>12} {:>9} {:>12}",
        "accounts", "sources", "backups", "calls", "seconds", "us a backup"
    );
    for accounts in [10, 100, 1_000, 10_000] {
        let size = Size { files: 1, length: 4096 };
        let scale = Scale { accounts, sources: 10, size, days: 3, kept: 7, is_daily: true };
        let scenario = scale.scenario();
        let stage = scenario.stage().unwrap();
        let (ended, took) = timed(&scenario, &stage, ());
        println!(
            "  {accounts:>8} {:>9} {:>9} {:>12} {:>9.2} {:>12.1}",
            scale.sources(),
            scale.backups(),
            ended.calls,
            took.as_secs_f64(),
            took.as_secs_f64() * 1e6 / f64::from(scale.backups())
        );
    }
}

/// A year of a large company.
fn year() {
    let days = std::env::var("DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(365);
    let size = Size { files: 1, length: 4096 };
    let scale = Scale { accounts: 1_000, sources: 10, size, days, kept: 7, is_daily: true };
    let scenario = scale.scenario();
    let begun = processor();
    let stage = scenario.stage().unwrap();
    let staged = since(begun);
    let (ended, took) = timed(&scenario, &stage, ());
    println!(
        "\n1,000 accounts, 10,000 sources, daily backups for {days} days (goal: 365 days, < 60 s, < 1 GiB)"
    );
    println!(
        "  {} backups, {} calls, {} functions",
        scale.backups(),
        ended.calls,
        ended.invocations
    );
    println!(
        "  to set the stage {:.1} s, then {:.1} s: {:.1} us a backup, {} calls/s",
        staged.as_secs_f64(),
        took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / f64::from(scale.backups()),
        grouped((ended.calls as f64 / took.as_secs_f64()) as u64)
    );
    println!("  at most {} MiB", peak_mib());
}

fn timed<W: Watch>(scenario: &Scenario, stage: &Stage, watch: W) -> (Ended, Duration) {
    let mut run = scenario.run(stage, Boring, watch);
    let begun = processor();
    let ended = run.run();
    let took = since(begun);
    assert_eq!(ended.violation, None);
    (ended, took)
}

/// For how long this thread has had a processor.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn since(begun: Duration) -> Duration {
    processor().saturating_sub(begun)
}

fn median(measure: impl Fn() -> f64) -> u64 {
    let mut all: Vec<f64> = (0..ROUNDS).map(|_| measure()).collect();
    all.sort_by(f64::total_cmp);
    all[ROUNDS / 2] as u64
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The most memory that this process has had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
