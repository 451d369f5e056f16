//! What AWS IAM has beyond RAM: operators for absent keys and several values, variables.

use super::*;

fn aws(statements: &[String]) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Policy::parse_in(Dialect::Aws, &text, PolicyKind::Permission).unwrap()
}

fn statement(effect: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":"s3:GetObject","Resource":"{resource}","Condition":{{{condition}}}}}"#
    )
}

#[track_caller]
fn check(a: &str, b: &str, expected: &Inclusion) {
    let [a, b] = [a, b].map(|condition| aws(&[statement("Allow", "*", condition)]));
    let answer = permits_no_more(&[&a], &[&b]);
    match (&answer, expected) {
        (Inclusion::No(_), Inclusion::No(_)) => {}
        (answer, expected) => assert_eq!(answer, expected),
    }
}

#[test]
fn absent_keys_are_compared() {
    let no = Inclusion::No(Witness::default());
    let (plain, if_exists) = (r#""StringEquals":{"k":"a"}"#, r#""StringEqualsIfExists":{"k":"a"}"#);
    check(plain, if_exists, &Inclusion::Yes);
    check(if_exists, plain, &no);
    check(r#""Null":{"k":"true"}"#, if_exists, &Inclusion::Yes);
    check(plain, r#""Null":{"k":"false"}"#, &Inclusion::Yes);
    check(r#""Null":{"k":"false"}"#, plain, &no);
    check(r#""Null":{"k":["true","false"]}"#, r#""StringLikeIfExists":{"k":"*"}"#, &Inclusion::Yes);
    check(
        r#""NumericLessThan":{"k":"5"}"#,
        r#""NumericLessThanIfExists":{"k":"6"},"Null":{"k":"false"}"#,
        &Inclusion::Yes,
    );
}

#[test]
fn several_values_and_variables_are_met_or_not() {
    let any = r#""ForAnyValue:StringEquals":{"k":["a","b"]}"#;
    check(any, any, &Inclusion::Yes);
    let user = r#""StringEquals":{"k":"${aws:username}"}"#;
    check(user, user, &Inclusion::Yes);
    check(user, r#""StringLike":{"k":"*"}"#, &Inclusion::Unknown(Why::Condition("k".into())));
    let own = |effect| aws(&[statement(effect, "arn:aws:s3:::b/${aws:username}/*", "")]);
    let all = aws(&[statement("Allow", "arn:aws:s3:::b/*", "")]);
    assert_eq!(permits_no_more(&[&own("Allow")], &[&own("Allow")]), Inclusion::Yes);
    assert!(!permits_no_more(&[&all], &[&own("Allow")]).is_yes());
    assert_eq!(permits_no_more(&[&all, &own("Deny")], &[&all]), Inclusion::Yes);
}

#[test]
fn a_name_has_one_part_more() {
    let on = |resource: &str| aws(&[statement("Allow", resource, "")]);
    let (bucket, all) = (on("arn:aws:s3:::b/*"), on("arn:*:s3:*:*:*"));
    assert!(matches!(compare(&[&bucket], &[&all]), Comparison::Less(_)));
    let (a, b) = (on("arn:aws:iam::1:role/A"), on("arn:aws:iam::1:role/a"));
    assert_eq!(disjoint(&[&a], &[&b]), Inclusion::Yes);
}

const CONDITIONS: [&str; 11] = [
    r#""StringEqualsIfExists":{"k":"a"}"#,
    r#""StringNotEqualsIfExists":{"k":"a"}"#,
    r#""StringLike":{"k":["a*","b"]}"#,
    r#""Null":{"k":"true"}"#,
    r#""Null":{"k":"false"}"#,
    r#""BoolIfExists":{"k":"true"}"#,
    r#""NumericLessThanIfExists":{"n":"5"}"#,
    r#""Null":{"n":"true"}"#,
    r#""ForAnyValue:StringLike":{"q":"a*"}"#,
    r#""ForAllValues:StringEquals":{"q":["a","b"]}"#,
    r#""StringNotEquals":{"q":"${aws:username}"}"#,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A yes holds of every request, a no of its witness.
    #[test]
    fn policies_are_compared_as_their_requests_are(
        all in prop::collection::vec(
            (prop_oneof![3 => Just("Allow"), 1 => Just("Deny")], select(&CONDITIONS[..])), 2..6,
        ),
    ) {
        let all: Vec<String> = all.iter().map(|(effect, c)| statement(effect, "*", c)).collect();
        let (a, b) = all.split_at(all.len().div_ceil(2));
        let (a, b) = (aws(a), aws(b));
        let differs = |w: &Witness| permits(&[&a], w) && !permits(&[&b], w);
        let answer = permits_no_more(&[&a], &[&b]);
        if let Inclusion::No(witness) = &answer {
            prop_assert!(differs(witness));
        }
        for k in [None, Some("a"), Some("ab"), Some("b"), Some("true"), Some("x")] {
            for n in [None, Some("4"), Some("5"), Some("x")] {
                for q in [None, Some("a"), Some("ab"), Some("b"), Some("x")] {
                    let mut context = Context::default();
                    for (key, value) in [("k", k), ("n", n), ("q", q), ("aws:username", Some("b"))] {
                        if let Some(value) = value {
                            context.add(key, value);
                        }
                    }
                    let action = "s3:GetObject".to_owned();
                    let request = Witness { action, resource: "*".into(), context };
                    prop_assert!(!(answer.is_yes() && differs(&request)), "{request}");
                }
            }
        }
    }
}
