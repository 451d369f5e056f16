//! The answers against all requests of a small world, one by one.

use super::*;

/// Texts of patterns whose letters are few, so that they meet often.
fn glob() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab*?]{1,4}", 1 => "[ab]{1,3}", 1 => Just("*".to_owned())]
}

/// All texts of these letters up to that length.
fn texts(letters: &str, longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|t| letters.chars().map(move |c| format!("{t}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn only_resource(patterns: &[String]) -> Policy {
    let all: Vec<String> = patterns.iter().map(|p| format!(r#""acs:oss:::{p}""#)).collect();
    policy(&allow(r#""oss:GetObject""#, &format!("[{}]", all.join(","))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One pattern against several: as all texts up to a length say that no difference outlasts.
    #[test]
    fn globs_are_compared_as_their_texts_are(a in glob(), b in prop::collection::vec(glob(), 1..4)) {
        let (first, second) = (only_resource(std::slice::from_ref(&a)), only_resource(&b));
        let differs = texts("abx:", 5).into_iter().find(|text| {
            let resource = format!("acs:oss:::{text}");
            let request = Request::new("oss:GetObject", &resource);
            naive::evaluate(&[&first], &request).is_allow()
                && !naive::evaluate(&[&second], &request).is_allow()
        });
        match (permits_no_more(&[&first], &[&second]), differs) {
            // What tells them apart may be longer.
            (Inclusion::Yes, None) | (Inclusion::No(_), _) => {}
            (answer, differs) => prop_assert!(false, "{a} {b:?} {answer:?} {differs:?}"),
        }
    }
}

const ACTIONS: [&str; 9] = ["a:a", "a:b", "A:a", "a:*", "*:a", "?:?", "a:b?", "*", "*:*b"];

const RESOURCES: [&str; 12] = [
    "*",
    "acs:*",
    "acs:a:*:*:*",
    "acs:a:*:*:a*",
    "acs:?:*:*:*b",
    "acs:a:::a:b",
    "acs:*:*:*:a",
    "acs:ram:*:*:role/A*",
    "acs:ram:*:*:role/?b",
    "acs:ram:*:*:*",
    "acs:r*:*:*:*/a",
    "acs:a::*:?b",
];

const CONDITIONS: [&str; 18] = [
    r#""StringEquals":{"k":"a"}"#,
    r#""StringNotEquals":{"k":["a","ab"]}"#,
    r#""StringLike":{"k":"a*"}"#,
    r#""StringLike":{"k":["*b","?"]}"#,
    r#""StringNotLike":{"k":"a?"}"#,
    r#""StringEqualsIgnoreCase":{"k":"AB"}"#,
    r#""StringEquals":{"k":"A"},"StringLike":{"k":"?"}"#,
    r#""Bool":{"k":"true"}"#,
    r#""NumericLessThan":{"n":"5"}"#,
    r#""NumericGreaterThanEquals":{"n":"4.5"}"#,
    r#""NumericNotEquals":{"n":["5","-1"]}"#,
    r#""NumericEquals":{"n":["5","6"]},"StringLike":{"k":"*"}"#,
    r#""IpAddress":{"i":"10.0.0.0/8"}"#,
    r#""NotIpAddress":{"i":["10.1.0.0/16","::/0"]}"#,
    r#""DateLessThan":{"d":"2026-01-01T00:00:00Z"}"#,
    r#""DateGreaterThanEquals":{"d":"2025-12-31T23:59:59Z"}"#,
    r#""NumericLessThan":{"k":"5"}"#,
    r#""DateEquals":{"d":"2026-01-01T00:00:00Z"},"IpAddress":{"i":"10.1.2.3"}"#,
];

const GIVEN: [(&str, &[&str]); 4] = [
    ("k", &["", "a", "A", "ab", "aB", "b", "x", "true", "True", "4", "7"]),
    ("n", &["5", "4.5", "4.4", "6", "-1", "-2", "9", "x"]),
    ("i", &["10.0.0.1", "10.1.2.3", "10.1.2.4", "11.0.0.0", "::1", "x"]),
    (
        "d",
        &[
            "2026-01-01T00:00:00Z",
            "2025-12-31T23:59:59Z",
            "2025-12-31T23:59:58Z",
            "2027-01-01T00:00:00Z",
        ],
    ),
];

fn statement() -> impl Strategy<Value = String> {
    let list = |from: &'static [&'static str]| {
        prop::collection::vec(select(from), 1..3).prop_map(|all| format!("{all:?}"))
    };
    let condition = prop_oneof![
        3 => Just(String::new()),
        2 => select(&CONDITIONS[..]).prop_map(|c| format!(r#","Condition":{{{c}}}"#)),
    ];
    (
        prop_oneof![3 => Just("Allow"), 1 => Just("Deny")],
        prop_oneof![4 => Just("Action"), 1 => Just("NotAction")],
        list(&ACTIONS),
        prop_oneof![4 => Just("Resource"), 1 => Just("NotResource")],
        list(&RESOURCES),
        condition,
    )
        .prop_map(|(effect, action, actions, resource, resources, condition)| {
            format!(r#"{{"Effect":"{effect}","{action}":{actions},"{resource}":{resources}{condition}}}"#)
        })
}

fn statements() -> impl Strategy<Value = Policy> {
    prop::collection::vec(statement(), 1..4).prop_map(|all| policy(&all.join(",")))
}

/// Requests at the edges of what the statements above speak of.
fn request() -> impl Strategy<Value = Witness> {
    let action = select(&["a:a", "A:A", "a:b", "a:bb", "b:a", "x:y", "ab:ab"][..]);
    let resource = select(
        &[
            "*",
            "acs:a:::a",
            "acs:a:::b",
            "acs:a:::a:b",
            "acs:b:x::ab",
            "acs:a:x:y:ab",
            "acs:x:::",
            "acs:ram:::role/a",
            "acs:ram:::role/AB",
            "acs:ram:::role/b",
            "acs:ram:::Role/a",
            "acs:ram:::user/a",
            "acs:rx:::x/a",
            "acs:ram:::x/A",
            "acs:ram:::role/xb",
        ][..],
    );
    let given = |(key, values): (&'static str, &'static [&'static str])| {
        prop::option::of(select(values)).prop_map(move |value| (key, value))
    };
    let [k, n, i, d] = GIVEN;
    (action, resource, given(k), given(n), given(i), given(d)).prop_map(
        |(action, resource, k, n, i, d)| {
            let mut context = Context::default();
            for (key, value) in [k, n, i, d] {
                if let Some(value) = value {
                    context.add(key, value);
                }
            }
            Witness { action: action.into(), resource: resource.into(), context }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A yes holds of every request, a no of its witness; and both are given nearly always.
    #[test]
    fn policies_are_compared_as_their_requests_are(
        a in prop::collection::vec(statements(), 1..3),
        b in prop::collection::vec(statements(), 1..3),
        requests in prop::collection::vec(request(), 150),
    ) {
        let (a, b): (Vec<&Policy>, Vec<&Policy>) = (a.iter().collect(), b.iter().collect());
        let differs = |w: &&Witness| permits(&a, w) && !permits(&b, w);
        match permits_no_more(&a, &b) {
            Inclusion::Yes => prop_assert_eq!(requests.iter().find(differs), None),
            Inclusion::No(witness) => prop_assert!(differs(&&witness)),
            // Only the key that is asked for in two types is not understood.
            Inclusion::Unknown(why) => prop_assert_eq!(why, Why::Condition("k".to_owned())),
        }
        let shared = |w: &&Witness| permits(&a, w) && permits(&b, w);
        match disjoint(&a, &b) {
            Inclusion::Yes => prop_assert_eq!(requests.iter().find(shared), None),
            Inclusion::No(witness) => prop_assert!(shared(&&witness)),
            Inclusion::Unknown(why) => prop_assert_eq!(why, Why::Condition("k".to_owned())),
        }
    }

    /// A policy permits no more than itself, in whatever order, and no more with a deny added.
    #[test]
    fn a_policy_is_within_itself(all in prop::collection::vec(statement(), 1..5), deny in statement()) {
        let straight = policy(&all.join(","));
        let reversed: Vec<String> = all.iter().rev().cloned().collect();
        let reversed = policy(&reversed.join(","));
        prop_assert_eq!(compare(&[&straight], &[&reversed]), Comparison::Equal);
        let deny = policy(&deny.replace("Allow", "Deny"));
        prop_assert_eq!(permits_no_more(&[&straight, &deny], &[&straight]), Inclusion::Yes);
        prop_assert_eq!(permits_no_more(&[&straight], &[&straight, &reversed]), Inclusion::Yes);
    }

    /// What is reported as in vain can be left out, all of it at once.
    #[test]
    fn statements_in_vain_can_be_left_out(all in prop::collection::vec(statement(), 1..5)) {
        let whole = policy(&all.join(","));
        let vain: Vec<usize> = findings(&whole).iter().map(Finding::statement).collect();
        let rest: Vec<String> = (0..).zip(&all).filter(|(n, _)| !vain.contains(n)).map(|(_, s)| s.clone()).collect();
        if rest.is_empty() {
            prop_assert_eq!(permits_no_more(&[&whole], &[]), Inclusion::Yes);
        } else {
            match compare(&[&whole], &[&policy(&rest.join(","))]) {
                // Without the others, a key may be asked for in one type only.
                Comparison::Equal | Comparison::Unknown(Why::Condition(_)) => {}
                other @ (Comparison::Less(_)
                | Comparison::More(_)
                | Comparison::Neither(..)
                | Comparison::Unknown(_)) => prop_assert!(false, "{other:?}"),
            }
        }
    }
}

/// The worlds above hold both answers in plenty.
#[test]
fn both_answers_are_met() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut yes, mut no) = (0, 0);
    for _ in 0..300 {
        let mut draw = || {
            let tree = Strategy::new_tree(&statements(), &mut runner).unwrap();
            proptest::strategy::ValueTree::current(&tree)
        };
        let (a, b) = (draw(), draw());
        match permits_no_more(&[&a], &[&b]) {
            Inclusion::Yes => yes += 1,
            Inclusion::No(_) => no += 1,
            Inclusion::Unknown(_) => {}
        }
    }
    assert!(yes > 50 && no > 120, "{yes} {no}");
}
