//! The choosers in whole runs: what one made, told in words and read again, makes the same run.

#![expect(clippy::panic, reason = "what helps a test ends like one")]

use std::collections::BTreeSet;

use crossvault_simulator::{
    chooser::{
        Boring, Chooser, Deviation, Deviations, Exhaustive, Names, Only, Priority, Random,
        Recorder, Replay,
    },
    generate::{Scale, scenario},
    run::Ended,
};

/// Makes the run of a seed by a chooser, writes what it chose as text, and makes it again from that.
fn told_and_made_again(seed: u64, chooser: impl Chooser) -> (Ended, Ended, Vec<String>) {
    let scenario = scenario(seed, Scale::Small);
    let Ok(stage) = scenario.stage() else { panic!("seed {seed} has no stage") };
    let (mut recorder, mut names) = (Recorder::new(chooser), Names::default());
    let ended = scenario.run(&stage, &mut recorder, &mut names).run();
    let told: Vec<String> = names.tell(recorder.made()).map_or_else(
        |nameless| panic!("seed {seed}: {nameless}"),
        |told| told.iter().map(ToString::to_string).collect(),
    );
    let read = told.iter().map(|text| text.parse::<Deviation>());
    let read: Deviations = read.map(|one| one.unwrap_or_else(|error| panic!("{error}"))).collect();
    assert_eq!(&read, recorder.made(), "seed {seed}");
    (ended, scenario.run(&stage, Replay(read), ()).run(), told)
}

#[test]
fn what_was_chosen_by_chance_is_told_in_words_and_makes_the_same_run() {
    let mut kinds = BTreeSet::new();
    for seed in 0..25 {
        let (ended, again, told) = told_and_made_again(seed, Random::new(seed));
        assert_eq!(again, ended, "seed {seed}: {told:#?}");
        kinds.extend(told.iter().filter_map(|text| text.split(' ').next()).map(str::to_owned));
    }
    // It strikes whatever runs.
    for kind in ["api", "delivery", "job", "outbox", "schedule", "stream"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
}

#[test]
fn an_order_is_told_in_words_and_makes_the_same_run() {
    for seed in 0..10 {
        let (ended, again, told) = told_and_made_again(seed, Priority::new(seed, 3, 1_000));
        assert_eq!(again, ended, "seed {seed}: {told:#?}");
        assert!(!told.is_empty());
    }
}

#[test]
fn only_what_is_allowed_happens() {
    let allowed = "crash-before, lost".parse().unwrap();
    let mut met = BTreeSet::new();
    for seed in 0..20 {
        let (_, _, told) = told_and_made_again(seed, Only::new(allowed, Random::new(seed)));
        met.extend(told.iter().filter_map(|text| Some(text.rsplit_once(": ")?.1.to_owned())));
    }
    assert_eq!(met, BTreeSet::from(["crash-before".to_owned(), "lost".to_owned()]));
}

/// Who asks and is answered boringly makes the boring run, call for call.
#[test]
fn the_first_of_all_choices_is_the_boring_run_and_the_next_differ_in_one_thing() {
    let scenario = scenario(3, Scale::Small);
    let stage = scenario.stage().unwrap();
    let mut sets = Exhaustive::new(1);
    let boring = scenario.run(&stage, Boring, ()).run();
    let mut hashes = BTreeSet::new();
    for n in 0..30 {
        let set = sets.next().unwrap();
        assert_eq!(set.0.len(), usize::from(n > 0));
        let mut recorder = Recorder::new(Replay(set)).asking();
        let ended = scenario.run(&stage, &mut recorder, ()).run();
        if n == 0 {
            assert_eq!((ended.calls, ended.now), (boring.calls, boring.now));
        }
        assert!(hashes.insert(ended.hash), "choice {n} makes the run of another");
        sets.ran(recorder.asked());
    }
}
