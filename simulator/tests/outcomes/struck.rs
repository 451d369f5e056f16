//! Runs in which anything goes wrong, one thing at a time: all that must hold does.

use crossvault_core::restore::Overwrite;
use crossvault_simulator::{
    chooser::Random,
    exhaust::{Found, Plan, exhaust},
    generate::{Scale, scenario},
    model::Model,
    oracle::Oracles,
    script::Action,
};

use crate::story::{Story, backs_up, files, restores};

#[track_caller]
fn survives(story: Story) {
    let scenario = story.scenario();
    let settings = scenario.settings;
    let report = exhaust(
        &scenario,
        // A part of them where it would take a minute.
        Plan::up_to(1).part(0, if cfg!(debug_assertions) { 15 } else { 1 }),
        &mut |_: &_| (Oracles::all().within(&settings), Model::default()),
        &mut |_| (),
    );
    let report = report.unwrap();
    assert!(report.runs > 20, "{}", report.runs);
    // These people don't wait, so what they ask for may come out otherwise: that is no fault.
    let is_broken = |found: &Found| found.violation.code != "LEAVES_A_MARK";
    let found: Vec<String> = report
        .found
        .into_iter()
        .filter(is_broken)
        .map(|found| format!("{:?} by {:?}", found.violation, found.strikes))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_slot_and_its_backup() {
    survives(Story::new().then(600, Action::Waits));
}

#[test]
fn a_backup_by_hand_and_its_restore() {
    survives(Story::bare().then(1, backs_up(files())).then(120, restores(Overwrite::Replace)));
}

#[test]
fn a_cancel_and_a_deletion() {
    survives(
        Story::bare()
            .then(1, backs_up(files()))
            .then(60, Action::Deletes(files()))
            .then(60, backs_up(files()))
            .then(1, Action::Cancels(files())),
    );
}

#[test]
fn whatever_comes_by_chance() {
    let seeds = if cfg!(debug_assertions) { 60 } else { 3_000 };
    let mut failed = 0;
    for seed in 0..seeds {
        let scenario = scenario(seed, Scale::Small);
        let stage = scenario.stage().unwrap();
        let watch = (Oracles::all().within(&scenario.settings), Model::default());
        let mut run = scenario.run(&stage, Random::new(seed), watch);
        if let Some(violation) = run.run().violation {
            println!("seed {seed}: {violation:?}");
            failed += 1;
        }
    }
    assert_eq!(failed, 0);
}
