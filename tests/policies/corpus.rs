//! The corpus: what an independent evaluator decided, case by case.

use std::collections::BTreeMap;

use crossvault_core::policy::{
    Dialect,
    case::{Case, Decision},
};

const CASES: &str = include_str!("../corpora/policy-cases.jsonl");

fn cases() -> Vec<Case> {
    Case::parse_lines(CASES).collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn check(dialect: Dialect) {
    let mut differing = Vec::new();
    for case in cases() {
        let outcome = case.run(dialect).unwrap_or_else(|error| panic!("{error}"));
        if !outcome.is_expected() {
            differing.push(format!(
                "{}: {} and not {}",
                case.id,
                outcome.decision(),
                case.expected
            ));
        }
    }
    assert!(differing.is_empty(), "{} differ: {differing:#?}", differing.len());
}

#[test]
fn every_case_is_decided_as_expected_in_ram() {
    check(Dialect::Ram);
}

#[test]
fn every_case_is_decided_as_expected_in_aws() {
    check(Dialect::Aws);
}

/// A corpus that lost its denies would still be green.
#[test]
fn the_corpus_has_each_decision() {
    let mut count: BTreeMap<Decision, usize> = BTreeMap::new();
    for case in cases() {
        *count.entry(case.expected).or_default() += 1;
    }
    assert_eq!(count.values().sum::<usize>(), 2523);
    assert!(Decision::ALL.iter().all(|decision| count[decision] > 300), "{count:?}");
}
