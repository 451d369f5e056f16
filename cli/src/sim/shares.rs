//! Work in shares, one a thread, under one progress bar.

use std::{
    num::NonZero,
    sync::{Mutex, PoisonError},
    thread,
};

use crossvault_simulator::{
    exhaust::{self, Plan, Progress, Report},
    oracle::Oracles,
    scenario::{NoStage, Scenario, Stage},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// Exhausts a scenario under the eyes of all oracles.
///
/// # Errors
/// [`NoStage`] when it can't even begin.
pub fn exhaust(
    output: Output,
    name: &str,
    scenario: &Scenario,
    plan: Plan,
) -> Result<Report, NoStage> {
    let shares = thread::available_parallelism().map_or(1, NonZero::get);
    let shares = u64::try_from(shares).unwrap_or(1);
    let bar = bar(output, name);
    let whole: Mutex<Result<Report, NoStage>> = Mutex::new(Ok(Report::default()));
    let work = |share: u64| {
        let mut done = 0;
        let mut tell = |progress: Progress| {
            if share == 0 {
                bar.set_length(progress.of.saturating_mul(shares));
            }
            bar.inc(progress.done.saturating_sub(done).saturating_mul(1));
            done = progress.done;
        };
        let mut lookers = |_: &Stage| Oracles::all();
        let report = exhaust::exhaust(scenario, plan.part(share, shares), &mut lookers, &mut tell);
        let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
        match (report, &mut *whole) {
            (Ok(report), Ok(all)) => all.merge(report),
            (Err(error), all) => *all = Err(error),
            (Ok(_), Err(_)) => {}
        }
    };
    thread::scope(|scope| {
        let work = &work;
        for share in 1..shares {
            scope.spawn(move || work(share));
        }
        work(0);
    });
    bar.finish_and_clear();
    whole.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn bar(output: Output, name: &str) -> ProgressBar {
    if !output.has_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1).with_message(name.to_owned());
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} calls, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}
