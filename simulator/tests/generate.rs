//! Scenarios from seeds: the same each time, set up without refusals, and harmless by themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use crossvault_core::explain::Explain;
use crossvault_handlers::records::Record;
use crossvault_simulator::{
    chooser::{Boring, Chance},
    cloud::Cloud,
    generate::{Scale, scenario},
    oracle::Oracles,
    run::{Ending, Event, Run, Violation, Watch},
};

/// Everything that was refused, by act or by answer.
#[derive(Default)]
struct Refusals(Vec<String>);

impl Watch for Refusals {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Skipped { act, why } => self.0.push(format!("{:?}: {why}", act.action)),
            Event::Ended { ending: Ending::Answered(answer), .. } => {
                self.0.extend(answer.as_ref().as_ref().err().cloned());
            }
            Event::Acts(_)
            | Event::Began { .. }
            | Event::Called { .. }
            | Event::Answered { .. }
            | Event::Ended { .. }
            | Event::Died { .. }
            | Event::Struck { .. }
            | Event::Healed => {}
        }
        Ok(())
    }
}

fn refusals(seed: u64, scale: Scale) -> Vec<String> {
    let scenario = scenario(seed, scale);
    let Ok(cloud) = Cloud::new(scenario.management.clone(), scenario.start) else {
        return vec!["the management account".to_owned()];
    };
    let before = Arc::clone(&scenario.before);
    let mut refusals = Refusals::default();
    let mut run = Run::new(cloud, scenario.start, before, scenario.settings, Boring, &mut refusals);
    assert_eq!(run.play().violation, None, "seed {seed}");
    refusals.0
}

#[test]
fn the_same_seed_gives_the_same_scenario_and_others_others() {
    let told: Vec<String> =
        (0..200).map(|seed| format!("{:?}", scenario(seed, Scale::Small))).collect();
    let again: Vec<String> =
        (0..200).map(|seed| format!("{:?}", scenario(seed, Scale::Small))).collect();
    assert_eq!(told, again);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn acts_come_in_order_with_numbers_of_their_own() {
    for seed in 0..200 {
        let scenario = scenario(seed, Scale::Small);
        let all = scenario.before.iter().chain(scenario.acts.iter());
        let acts: Vec<_> = all.map(|act| (act.at, act.id)).collect();
        assert!(acts.is_sorted_by_key(|(at, _)| *at), "seed {seed}");
        assert_eq!(acts.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len(), acts.len());
    }
}

#[test]
fn what_was_set_up_before_was_not_refused() {
    // All 2,000 where it takes seconds: without optimisation it takes a minute.
    let seeds = if cfg!(debug_assertions) { 300 } else { 2_000 };
    for seed in 0..seeds {
        assert_eq!(refusals(seed, Scale::Small), Vec::<String>::new(), "seed {seed}");
    }
    for seed in 0..5 {
        assert_eq!(refusals(seed, Scale::Wide), Vec::<String>::new(), "wide seed {seed}");
    }
}

/// A generator that goes blind proves nothing: each end of each kind of job is met on the way.
#[test]
fn nothing_breaks_without_faults_and_every_end_is_met() {
    let mut ends: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut causes = BTreeSet::new();
    let (mut acts, mut skipped) = (0, 0);
    for seed in 0..150 {
        let scenario = scenario(seed, Scale::Small);
        let stage = scenario.stage().unwrap();
        let mut refusals = Refusals::default();
        let mut run = scenario.run(&stage, Boring, (Oracles::all(), &mut refusals));
        assert_eq!(run.run().violation, None, "seed {seed}: {}", scenario.about);
        for (_, row) in run.cloud.rows.all() {
            let Record::Job(job) = &row.record else { continue };
            *ends.entry((job.work.kind(), job.work.status())).or_default() += 1;
            causes.extend(job.work.failure().map(Explain::code));
        }
        (acts, skipped) = (acts + scenario.acts.len(), skipped + refusals.0.len());
    }
    let met: Vec<(&str, &str)> = ends.keys().copied().collect();
    let expected = [
        ("backup", "CANCELED"),
        ("backup", "COMPLETE"),
        ("backup", "FAILED"),
        ("erase", "COMPLETE"),
        ("prune", "COMPLETE"),
        ("restore", "COMPLETE"),
        ("restore", "FAILED"),
        ("restore", "PARTIAL_COMPLETE"),
    ];
    assert!(expected.iter().all(|end| met.contains(end)), "{ends:?}");
    assert!(causes.len() >= 8, "{causes:?}");
    assert!(skipped * 3 < acts, "{skipped} of {acts} acts came to nothing");
}

#[test]
fn a_scenario_stays_one_whatever_is_left_out() {
    for seed in 0..60 {
        let mut scenario = scenario(seed, Scale::Small);
        let stage = scenario.stage().unwrap();
        let mut chance = Chance::new(seed, 0);
        let all = scenario.acts.iter().cloned();
        scenario.acts = all.filter(|_| chance.percent(50)).collect();
        let ended = scenario.run(&stage, Boring, Oracles::all()).run();
        assert_eq!(ended.violation, None, "seed {seed}");
    }
}
