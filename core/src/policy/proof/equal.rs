//! The quick evaluator equals the reference.

use std::collections::BTreeMap;

use super::{
    case::{Answers, Case, Outcome},
    generate::vocabulary,
};

/// As many cases as a test run takes the time for.
const CASES: u64 = 10_000;

fn differ(case: &Case, seed: u64) -> bool {
    let ready = case.read();
    Answers::plain(case, &ready) != Answers::quick(case, &ready, &vocabulary(seed))
}

/// Compiling is a matter of speed: verdict, layer and the numbers of the deciding statement are
/// those of the reference.
#[test]
fn compiled_equals_naive() {
    #[expect(clippy::disallowed_methods, reason = "how long to look is the caller's to say")]
    let cases = std::env::var("CROSSVAULT_CASES").map_or(CASES, |count| count.parse().unwrap());
    let mut outcomes = BTreeMap::<Outcome, u64>::new();
    for seed in 0..cases {
        let case = Case::of(seed);
        let ready = case.read();
        let plain = Answers::plain(&case, &ready);
        if plain != Answers::quick(&case, &ready, &vocabulary(seed)) {
            let small = shrink(case, |case| differ(case, seed));
            let ready = small.read();
            panic!(
                "case {seed}\n{}plain {:?}\nquick {:?}",
                small.show(),
                Answers::plain(&small, &ready),
                Answers::quick(&small, &ready, &vocabulary(seed)),
            );
        }
        *outcomes.entry(plain.1.into()).or_default() += 1;
    }
    // Outcomes that are rare prove little.
    for outcome in [Outcome::Allow, Outcome::ExplicitDeny, Outcome::ImplicitDeny] {
        let share = outcomes.get(&outcome).copied().unwrap_or_default() * 100 / cases;
        assert!(share >= 15, "{share} % are {outcome:?}: {outcomes:?}");
    }
}

/// Leaves out of a case whatever can be left out while it stays as it is said to be.
fn shrink(mut case: Case, is_so: impl Fn(&Case) -> bool) -> Case {
    while let Some(smaller) = smaller(&case).into_iter().find(|case| is_so(case)) {
        case = smaller;
    }
    case
}

/// The case without one of its things, in every way.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut without = |change: &mut dyn FnMut(&mut Case) -> bool| {
        let mut smaller = case.clone();
        if change(&mut smaller) {
            all.push(smaller);
        }
    };
    without(&mut |case| case.session.take().is_some());
    for n in 0..8 {
        without(&mut |case| n < case.control.len() && !case.control.remove(n).is_empty());
        without(&mut |case| {
            case.identity.len() > 1
                && n < case.identity.len()
                && !case.identity.remove(n).is_empty()
        });
        without(&mut |case| n < case.context.len() && !case.context.remove(n).1.is_empty());
        for d in 0..8 {
            without(&mut |case| {
                let Some(document) = case.documents().nth(d) else { return false };
                document.len() > 1 && n < document.len() && {
                    document.remove(n);
                    true
                }
            });
            for s in 0..8 {
                without(&mut |case| {
                    let Some(said) = case.documents().nth(d).and_then(|all| all.get_mut(s)) else {
                        return false;
                    };
                    n < said.conditions.len() && {
                        said.conditions.remove(n);
                        true
                    }
                });
                without(&mut |case| {
                    let Some(said) = case.documents().nth(d).and_then(|all| all.get_mut(s)) else {
                        return false;
                    };
                    said.resources.len() > 1 && n < said.resources.len() && {
                        said.resources.remove(n);
                        true
                    }
                });
                without(&mut |case| {
                    let Some(said) = case.documents().nth(d).and_then(|all| all.get_mut(s)) else {
                        return false;
                    };
                    said.actions.len() > 1 && n < said.actions.len() && {
                        said.actions.remove(n);
                        true
                    }
                });
            }
        }
    }
    all
}
