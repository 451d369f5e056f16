//! The tiny world, searched whole; and searches that must find something, or must not claim all.

use crossvault_simulator::model_check::{Model, check};

#[test]
fn the_tiny_world_is_searched_whole_and_nothing_breaks() {
    let report = check(&Model::tiny(), |_| true).unwrap();
    assert!(report.is_exhausted && report.broken.is_empty(), "{report}");
    assert!(report.states > 200 && report.at_rest > 50 && report.cut == 0, "{report}");
    for function in ["schedule", "outbox", "job"] {
        assert!(report.steps.contains_key(function), "no `{function}` ran");
    }
    assert!(report.to_string().starts_with("all "), "{report}");
}

#[test]
fn the_same_world_has_the_same_states_each_time() {
    let states = || check(&Model { faults: 0, ..Model::small() }, |_| true).unwrap();
    let (one, other) = (states(), states());
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
    assert!(one.steps.contains_key("act") && one.steps.contains_key("directory"), "{one:?}");
}

#[test]
fn a_function_that_stands_still_is_in_flight_while_others_run() {
    let report = check(&Model { strikes: "freeze-after", ..Model::tiny() }, |_| true).unwrap();
    assert!(report.is_exhausted && report.in_flight > 50 && report.broken.is_empty(), "{report}");
    assert!(report.steps.get("thaw").is_some_and(|thaws| *thaws > 50), "{report:?}");
}

#[test]
fn a_search_that_is_given_up_does_not_claim_all() {
    let report = check(&Model { states_max: 20, ..Model::tiny() }, |_| true).unwrap();
    assert!(!report.is_exhausted);
    assert!(report.to_string().starts_with("NOT exhausted"), "{report}");
}
