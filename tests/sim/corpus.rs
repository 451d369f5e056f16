//! Every file in `tests/scenarios/runs`: it is run with what goes wrong in it, and must come to what
//! it expects. `UPDATE_EXPECT=1 cargo test --test sim` writes anew what is expected; the difference
//! is reviewed.

use std::{env, fs, path::PathBuf};

use chrono::{DateTime, Utc};
use crossvault_simulator::{
    chooser::{Boring, Replay},
    cloud::Cloud,
    fault::{Fault, Mishap, Skew},
    generate::{self, Scale},
    oracle::Oracles,
    run::{Event, Violation, Watch},
    scenario::{self, Finds, Names, Scenario},
    story::Story,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios/runs")
}

pub(crate) fn files() -> Vec<(PathBuf, Scenario)> {
    let mut paths: Vec<_> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let scenario =
            scenario::read(&text).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        (path, scenario)
    };
    paths.into_iter().map(read).collect()
}

/// Counts what goes wrong.
struct Strikes(usize);

impl Watch for Strikes {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        let strikes = match event {
            Event::Called { fault, .. } => *fault != Fault::None,
            Event::Struck { mishap, .. } => *mishap != Mishap::None,
            Event::Began { skew, .. } => *skew != Skew::None,
            Event::Acts(_)
            | Event::Skipped { .. }
            | Event::Answered { .. }
            | Event::Ended { .. }
            | Event::Died { .. }
            | Event::Healed => false,
        };
        self.0 = self.0.saturating_add(usize::from(strikes));
        Ok(())
    }
}

#[test]
fn every_file_comes_to_what_it_expects() {
    let mut offences = Vec::new();
    for (path, scenario) in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let finds = Finds::new(Names::of(&scenario));
        let (stage, finds) = scenario.watched_stage(finds).unwrap();
        let refused = finds.found(&stage.cloud, None).refused.unwrap();
        assert_eq!(refused, Vec::<String>::new(), "{name}: on the stage");
        let watch = ((finds, Strikes(0)), (Story::of(&scenario), Oracles::all()));
        let mut run = scenario.run(&stage, Replay(scenario.deviations.clone()), watch);
        let ended = run.run();
        println!("{name}: {} calls, {} invocations", ended.calls, ended.invocations);
        let strikes = run.watch.0.1.0;
        assert_eq!(strikes, scenario.deviations.0.len(), "{name}: a fault strikes nothing");
        let found = run.watch.0.0.found(&run.cloud, ended.violation.as_ref());
        if env::var_os("UPDATE_EXPECT").is_some() {
            let scenario = Scenario { expect: found, ..scenario };
            fs::write(&path, scenario::write(&scenario)).unwrap();
            continue;
        }
        let differences = scenario.expect.differences(&found);
        if !differences.is_empty() {
            let story = run.watch.1.0.lines().join("\n  ");
            offences.push(format!("{name}: {}\n  {story}", differences.join("\n")));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_file_is_as_it_would_be_written() {
    // What is being written is not read.
    if env::var_os("UPDATE_EXPECT").is_some() {
        return;
    }
    for (path, scenario) in files() {
        let text = scenario::write(&scenario);
        assert_eq!(scenario::read(&text).unwrap(), scenario, "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", path.display());
    }
}

/// What is drawn has its own times, numbers and names: all of it is written, and read back.
#[test]
fn whatever_is_drawn_reads_back_as_it_was() {
    for seed in 0..200 {
        let scenario = generate::scenario(seed, Scale::Small);
        let text = scenario::write(&scenario);
        let read = scenario::read(&text).unwrap_or_else(|wrong| panic!("{seed}: {wrong}\n{text}"));
        assert_eq!(read, scenario, "{seed}:\n{text}");
    }
}

/// A stage of which any part is left out is still written in a few lines.
#[test]
fn a_stage_with_any_act_left_out_reads_back_as_it_was() {
    for (path, scenario) in files() {
        for n in 0..scenario.before.len() {
            let mut before = scenario.before.to_vec();
            before.remove(n);
            let smaller = Scenario { before: before.into(), ..scenario.clone() };
            let text = scenario::write(&smaller);
            assert_eq!(scenario::read(&text).unwrap(), smaller, "{}\n{text}", path.display());
        }
    }
}

/// What each is exhausted with is a run's calls times its faults: so runs stay small.
#[test]
fn boring_runs_are_small() {
    if env::var_os("UPDATE_EXPECT").is_some() {
        return;
    }
    for (path, scenario) in files() {
        let stage = scenario.stage().unwrap();
        let ended = scenario.run(&stage, Boring, ()).run();
        assert!(ended.calls <= 250, "{}: {} calls", path.display(), ended.calls);
    }
}
