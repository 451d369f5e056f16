//! Measurements by criterion, and beside each its goal.

use std::{cell::RefCell, hint::black_box, time::Instant};

use criterion::Criterion;

/// What was measured.
pub struct Table {
    criterion: Criterion,
    rows: Vec<[String; 4]>,
}

impl Table {
    pub fn new(criterion: Criterion) -> Self {
        Self { criterion, rows: Vec::new() }
    }

    /// Measures one of `count` questions, all asked in turn; the goal and what is returned are in
    /// picoseconds.
    pub fn decision<T>(
        &mut self,
        name: &str,
        goal: u64,
        count: usize,
        ask: impl Fn(usize) -> T,
    ) -> u64 {
        let round = || {
            for n in 0..count {
                black_box(ask(black_box(n)));
            }
        };
        let cost = self.measure(name, count as u64, round);
        self.row(name, time(cost), goal, time);
        if cost > goal {
            self.missed();
        }
        cost
    }

    /// Measures one thing that is done.
    pub fn work<T>(&mut self, name: &str, goal: u64, work: impl Fn() -> T) {
        self.decision(name, goal, 1, |_| work());
    }

    /// Measures work on a text of that many bytes.
    pub fn bytes<T>(&mut self, name: &str, bytes: usize, work: impl Fn() -> T) {
        let cost = self.measure(name, 1, || {
            black_box(work());
        });
        let each = cost / bytes as u64;
        self.row(name, format!("{} a byte", time(each)), u64::MAX, time);
    }

    pub fn ratio(&mut self, name: &str, theirs: u64, ours: u64, at_least: u64) {
        let times = theirs / ours.max(1);
        let goal = format!(">= {at_least}");
        self.rows.push([name.to_owned(), format!("{times} times"), goal, said(times >= at_least)]);
    }

    pub fn at_most_times(&mut self, name: &str, large: u64, small: u64, at_most: u64) {
        let percent = large * 100 / small.max(1);
        let measured = format!("{}.{:02} times", percent / 100, percent % 100);
        let is_met = percent <= at_most * 100;
        self.rows.push([name.to_owned(), measured, format!("<= {at_most}"), said(is_met)]);
    }

    /// Counts allocations, of which there may be none.
    pub fn no_allocation(&mut self, name: &str, work: impl FnOnce()) {
        let count = allocation_counter::measure(work).count_total;
        let row = [format!("{name}: allocations"), count.to_string(), "0".to_owned()];
        let [name, count_text, goal] = row;
        self.rows.push([name, count_text, goal, said(count == 0)]);
    }

    pub fn print(&self) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default().to_owned();
        println!("\n{:<58} {:>16}  {:<10} (median; load {load})", "", "measured", "goal");
        for [name, measured, goal, said] in &self.rows {
            println!("{name:<58} {measured:>16}  {goal:<10} {said}");
        }
    }

    /// The median of the samples, in picoseconds a question.
    fn measure(&mut self, name: &str, questions: u64, mut round: impl FnMut()) -> u64 {
        let samples = RefCell::new(Vec::new());
        self.criterion.bench_function(name, |bench| {
            bench.iter_custom(|iterations| {
                let rounds = iterations.div_ceil(questions);
                let begun = Instant::now();
                for _ in 0..rounds {
                    round();
                }
                let took = begun.elapsed();
                let asked = rounds * questions;
                let each = took.as_nanos() * 1_000 / u128::from(asked);
                samples.borrow_mut().push(u64::try_from(each).unwrap_or(u64::MAX));
                // What the rounds took, cut to what was asked for.
                let nanos = took.as_nanos() * u128::from(iterations) / u128::from(asked);
                std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            });
        });
        let mut samples = samples.into_inner();
        samples.sort_unstable();
        samples.get(samples.len() / 2).copied().unwrap_or_default()
    }

    fn row(&mut self, name: &str, measured: String, goal: u64, shown: impl Fn(u64) -> String) {
        let (goal, said) = if goal == u64::MAX {
            (String::new(), String::new())
        } else {
            (format!("<= {}", shown(goal)), said(true))
        };
        self.rows.push([name.to_owned(), measured, goal, said]);
    }

    fn missed(&mut self) {
        if let Some([.., said]) = self.rows.last_mut() {
            "MISSED".clone_into(said);
        }
    }
}

fn said(is_met: bool) -> String {
    if is_met { "met" } else { "MISSED" }.to_owned()
}

fn time(picoseconds: u64) -> String {
    let (unit, scale) = match picoseconds {
        0..1_000_000 => ("ns", 1_000),
        1_000_000..1_000_000_000 => ("us", 1_000_000),
        _ => ("ms", 1_000_000_000),
    };
    format!("{}.{:02} {unit}", picoseconds / scale, picoseconds % scale * 100 / scale)
}
