//! Laws that need no second evaluator.

use super::{
    case::{Answers, Case, Outcome},
    chance::Chance,
    generate::vocabulary,
};
use crate::policy::{CompiledLayers, Effect, Ruling};

const CASES: u64 = 2_000;

/// Asks each case before and after a change; says how often the answer is another.
#[track_caller]
fn check(change: impl Fn(&mut Case, &mut Chance), holds: impl Fn(Outcome, Outcome) -> bool) -> u64 {
    let mut changes = 0;
    for seed in 0..CASES {
        let before = Case::of(seed);
        let mut after = before.clone();
        change(&mut after, &mut Chance::of(seed));
        let known = vocabulary(seed);
        let (was, is) = (Outcome::quick(&before, &known), Outcome::quick(&after, &known));
        assert!(
            holds(was, is),
            "case {seed}: {was:?}, then {is:?}\n{}{}",
            before.show(),
            after.show()
        );
        changes += u64::from(was != is);
    }
    changes
}

/// A statement of another case, which speaks of the like.
fn add(case: &mut Case, effect: Effect, chance: &mut Chance) {
    let mut other = Case::of(chance.below(10_000) as u64);
    while other.dialect != case.dialect || other.version != case.version {
        other = Case::of(chance.below(10_000) as u64);
    }
    let mut said = other.identity.remove(0).remove(0);
    if chance.percent(50) {
        said.resources = vec!["*".to_owned()];
        said.conditions.clear();
    }
    said.effect = effect;
    case.identity[0].push(said);
}

#[test]
fn a_further_allow_takes_nothing_away() {
    let changes = check(
        |case, chance| add(case, Effect::Allow, chance),
        |was, is| was == is || (was, is) == (Outcome::ImplicitDeny, Outcome::Allow),
    );
    assert!(changes > 20, "{changes}");
}

#[test]
fn a_further_deny_gives_nothing() {
    let changes = check(
        |case, chance| add(case, Effect::Deny, chance),
        |was, is| was == is || is == Outcome::ExplicitDeny,
    );
    assert!(changes > 20, "{changes}");
}

#[test]
fn the_order_of_what_is_said_does_not_matter() {
    let shuffle = |case: &mut Case, chance: &mut Chance| {
        chance.shuffle(&mut case.identity);
        for document in case.documents() {
            chance.shuffle(document);
            for said in document {
                chance.shuffle(&mut said.actions);
                chance.shuffle(&mut said.resources);
                chance.shuffle(&mut said.conditions);
                said.conditions.iter_mut().for_each(|one| chance.shuffle(&mut one.values));
            }
        }
    };
    assert_eq!(check(shuffle, |was, is| was == is), 0);
}

#[test]
fn the_case_of_actions_and_keys_does_not_matter() {
    let flip = |text: &mut String| {
        let flipped = text.chars().map(|c| {
            if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
        });
        *text = flipped.collect();
    };
    let action = |case: &mut Case, _: &mut Chance| flip(&mut case.action);
    assert_eq!(check(action, |was, is| was == is), 0);
    let keys =
        |case: &mut Case, _: &mut Chance| case.context.iter_mut().for_each(|(key, _)| flip(key));
    assert_eq!(check(keys, |was, is| was == is), 0);
}

#[test]
fn what_is_known_does_not_matter() {
    for seed in 0..CASES {
        let case = Case::of(seed);
        let ready = case.read();
        let answers = [0, 1, 2].map(|known| Answers::quick(&case, &ready, &vocabulary(known)));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "case {seed}");
    }
}

/// Check Permissions is each single decision, and what is always allowed or never is so.
#[test]
fn what_is_missing_is_what_is_not_allowed() {
    let (mut missing, mut walked) = (0, 0);
    for seed in 0..CASES {
        let case = Case::of(seed);
        let ready = case.read();
        let known = vocabulary(1);
        let compiled = CompiledLayers::of(&known, &ready.layers());
        let request = case.request(&ready);
        let lacking = compiled.missing(&known.all(), request.resource, request.context);
        for action in known.ids() {
            let ruling = compiled.decide_known(action, request.resource, request.context);
            assert_eq!(ruling.is_allow(), !lacking.contains(action), "case {seed}");
            let may = compiled.always().contains(action) || compiled.perhaps().contains(action);
            assert!(may || !ruling.is_allow(), "case {seed}");
            assert!(ruling.is_allow() || !compiled.always().contains(action), "case {seed}");
        }
        missing += lacking.len();
        walked += compiled.perhaps().len();
    }
    assert!(missing > 1_000 && walked > 1_000, "{missing} {walked}");
}

/// The statement that is named decides: without it another one does, or it goes another way.
#[test]
fn without_the_deciding_statement_the_ruling_is_another() {
    let mut named = 0;
    for seed in 0..CASES {
        let mut case = Case::of(seed);
        let known = vocabulary(seed);
        let ready = case.read();
        let Answers(_, before) = Answers::quick(&case, &ready, &known);
        let (document, statement) = match before {
            Ruling::ImplicitDeny { .. } => continue,
            Ruling::Allow { policy, statement } => (&mut case.identity[policy], statement),
            Ruling::ExplicitDeny { layer, policy, statement } => {
                (case.document_of(layer, policy), statement)
            }
        };
        // In place of it one that speaks of nothing, so that the numbers stay.
        document[statement].actions = vec!["no:such".to_owned()];
        document[statement].not_action = false;
        let ready = case.read();
        let Answers(_, after) = Answers::quick(&case, &ready, &known);
        assert_ne!(before, after, "case {seed}\n{}", case.show());
        named += 1;
    }
    assert!(named > 500, "{named}");
}
