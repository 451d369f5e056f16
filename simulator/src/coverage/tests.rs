use super::{Coverage, Goal, goals};

/// The codes of causes that are listed are those that `core` has.
#[test]
fn every_cause_is_a_goal() {
    let codes = include_str!("../../../tests/tidy/codes.txt");
    let of_cause = |line: &str| {
        let (code, place) = line.split_once(' ')?;
        place.split_whitespace().any(|word| word.starts_with("Cause::")).then(|| code.to_owned())
    };
    let mut known: Vec<String> = codes.lines().filter_map(of_cause).collect();
    let mut listed: Vec<&str> = goals::CAUSES.to_vec();
    known.sort_unstable();
    listed.sort_unstable();
    assert!(known.len() > 10);
    assert_eq!(listed, known);
}

#[test]
fn what_is_reached_is_no_longer_missing() {
    let mut run = Coverage::none();
    let goal = Goal { of: "cause", is: "ROLE_DELETED" };
    assert!(run.missing().contains(&goal));
    run.reach(goal.of, goal.is);
    let mut all = Coverage::none();
    all.add(&run);
    all.add(&run);
    assert!(!all.missing().contains(&goal));
    assert_eq!((all.times(goal), all.runs()), (2, 2));
    assert_eq!(all.unlisted(), vec![]);
    all.reach("branch", "nobody has heard of it");
    assert_eq!(all.unlisted().len(), 1);
}

#[test]
fn no_goal_is_listed_twice() {
    let mut all: Vec<Goal> = Goal::all().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}
