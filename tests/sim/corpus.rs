//! Every file in `tests/scenarios/runs`: it is run with what goes wrong in it, and must come to what
//! it expects. `UPDATE_EXPECT=1 cargo test --test sim` writes anew what is expected; the difference
//! is reviewed.

use std::{env, fs, path::PathBuf};

use crossvault_simulator::{
    chooser::{Boring, Replay},
    scenario::{self, Finds, Names, Scenario},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios/runs")
}

fn files() -> Vec<(PathBuf, Scenario)> {
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

#[test]
fn every_file_comes_to_what_it_expects() {
    let mut offences = Vec::new();
    for (path, scenario) in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let finds = Finds::new(Names::of(&scenario));
        let (stage, finds) = scenario.watched_stage(finds).unwrap();
        let refused = finds.found(&stage.cloud, None).refused.unwrap();
        assert_eq!(refused, Vec::<String>::new(), "{name}: on the stage");
        let mut run = scenario.run(&stage, Replay(scenario.deviations.clone()), finds);
        let ended = run.run();
        println!("{name}: {} calls, {} invocations", ended.calls, ended.invocations);
        let found = run.watch.found(&run.cloud, ended.violation.as_ref());
        if env::var_os("UPDATE_EXPECT").is_some() {
            let scenario = Scenario { expect: found, ..scenario };
            fs::write(&path, scenario::write(&scenario)).unwrap();
            continue;
        }
        let differences = scenario.expect.differences(&found);
        offences.extend(differences.into_iter().map(|one| format!("{name}: {one}")));
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
