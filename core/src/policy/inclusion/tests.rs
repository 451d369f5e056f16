use proptest::{prelude::*, sample::select};

use super::*;
use crate::policy::{Dialect, system_policy};

mod aws;
mod laws;

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"1","Statement":[{statements}]}}"#);
    Policy::parse(&text, PolicyKind::System).unwrap()
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{action},"Resource":{resource}}}"#)
}

/// Checks `a` against `b` both ways; an expected witness is checked by what it must contain.
#[track_caller]
fn check(a: &str, b: &str, expected: [bool; 2]) {
    let (a, b) = (policy(a), policy(b));
    for (first, second, expected) in [(&a, &b, expected[0]), (&b, &a, expected[1])] {
        match permits_no_more(&[first], &[second]) {
            Inclusion::Yes => assert!(expected, "{} {}", first.text(), second.text()),
            Inclusion::No(witness) => {
                assert!(!expected, "{witness}");
                assert!(permits(&[first], &witness) && !permits(&[second], &witness));
            }
            Inclusion::Unknown(why) => panic!("{why}"),
        }
    }
}

/// Checks statements that allow everything under a condition.
#[track_caller]
fn check_conditions(a: &str, b: &str, expected: [bool; 2]) {
    let of = |condition: &str| {
        format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#)
    };
    check(&of(a), &of(b), expected);
}

#[test]
fn the_role_policy_is_within_the_administrators() {
    let role = system_policy("AliyunHBRRolePolicy").unwrap();
    let administrator = system_policy("AdministratorAccess").unwrap();
    assert_eq!(permits_no_more(&[role], &[administrator]), Inclusion::Yes);
    assert!(matches!(permits_no_more(&[administrator], &[role]), Inclusion::No(_)));
    assert!(matches!(compare(&[role], &[administrator]), Comparison::Less(_)));
    assert_eq!(compare(&[role], &[role]), Comparison::Equal);
    assert!(findings(role).is_empty());
}

#[test]
fn actions_are_compared_without_case_and_as_one_service_and_name() {
    check(
        &allow(r#""ECS:describe*""#, r#""*""#),
        &allow(r#""ecs:Describe*""#, r#""*""#),
        [true; 2],
    );
    check(&allow(r#""*""#, r#""*""#), &allow(r#""*:*""#, r#""*""#), [true; 2]);
    check(&allow(r#""ecs:*""#, r#""*""#), &allow(r#""ecs:?*""#, r#""*""#), [true; 2]);
    check(&allow(r#""ecs:Get*""#, r#""*""#), &allow(r#""ecs:*""#, r#""*""#), [true, false]);
    check(&allow(r#""ecs:a""#, r#""*""#), &allow(r#"["ecs:b","ecs:A"]"#, r#""*""#), [true, false]);
    let all_but = r#"{"Effect":"Allow","NotAction":"ecs:*","Resource":"*"}"#;
    check(&allow(r#""oss:Get*""#, r#""*""#), all_but, [true, false]);
    check(all_but, &allow(r#""ecs:*""#, r#""*""#), [false, false]);
    let two = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"ecs:*","Resource":"*"}"#;
    check(all_but, two, [true; 2]);
}

#[test]
fn resources_are_compared_part_by_part() {
    let on = |resource: &str| allow(r#""oss:GetObject""#, resource);
    check(&on(r#""acs:oss:*:*:b/*""#), &on(r#""acs:oss:*:*:*""#), [true, false]);
    check(&on(r#""acs:oss:*:*:*""#), &on(r#""*""#), [true, false]);
    check(&on(r#""acs:oss:*""#), &on(r#""acs:oss:*:*:*""#), [true; 2]);
    check(
        &on(r#""acs:oss:*:*:a*c""#),
        &on(r#"["acs:oss:*:*:a*","acs:oss:*:*:*c"]"#),
        [true, false],
    );
    // Only together do the second's statements cover the first.
    check(&on(r#""acs:oss:*:*:a?""#), &on(r#"["acs:oss:cn-*:*:a?","acs:oss:*:*:a?"]"#), [true; 2]);
    let without = r#"{"Effect":"Allow","Action":"oss:GetObject","NotResource":"acs:oss:*:*:b*"}"#;
    check(&on(r#""acs:oss:*:*:c""#), without, [true, false]);
    check(&on(r#""acs:oss:*:*:bc""#), without, [false, false]);
}

#[test]
fn a_role_is_compared_without_case_and_nothing_else_is() {
    let on = |resource: &str| allow(r#""ram:GetRole""#, resource);
    let (upper, lower) = (on(r#""acs:ram:*:*:role/A*""#), on(r#""acs:ram:*:*:role/a*""#));
    check(&upper, &lower, [true; 2]);
    check(&on(r#""acs:ram:*:*:user/A""#), &on(r#""acs:ram:*:*:user/a""#), [false; 2]);
    // `Role/…` is no role, so these are one in the place of roles only.
    check(&on(r#""acs:ram:*:*:Role/a""#), &lower, [false; 2]);
}

#[test]
fn denies_count_on_both_sides() {
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":"acs:oss:*:*:b/*"}"#;
    let all = allow(r#""oss:*""#, r#""*""#);
    let without = format!("{all},{deny}");
    check(&without, &all, [true, false]);
    check(&format!("{},{deny}", allow(r#""oss:*""#, r#""acs:oss:*:*:b/x""#)), deny, [true; 2]);
}

#[test]
fn conditions_are_compared_by_type() {
    for (a, b, expected) in [
        (r#""StringEquals":{"k":"a"}"#, r#""StringLike":{"K":["b","a*"]}"#, [true, false]),
        (r#""StringEquals":{"k":"a"}"#, r#""StringNotEquals":{"k":["b","c"]}"#, [true, false]),
        (r#""StringEquals":{"k":"Ab"}"#, r#""StringEqualsIgnoreCase":{"k":"aB"}"#, [true, false]),
        (r#""StringNotLike":{"k":"a*"}"#, r#""StringNotEquals":{"k":"ab"}"#, [true, false]),
        (
            r#""NumericGreaterThan":{"k":"1"},"NumericLessThan":{"k":"1.05"}"#,
            r#""NumericEquals":{"k":"7"}"#,
            [false; 2],
        ),
        (
            r#""NumericGreaterThan":{"k":"5"}"#,
            r#""NumericGreaterThanEquals":{"k":"5"}"#,
            [true, false],
        ),
        // Absent meets the negated one only.
        (r#""StringNotEquals":{"k":"a"}"#, r#""StringLike":{"k":"*"}"#, [false; 2]),
        (r#""NumericLessThan":{"k":"5"}"#, r#""NumericLessThanEquals":{"k":"5.0"}"#, [true, false]),
        (r#""NumericEquals":{"k":["1","-2"]}"#, r#""NumericLessThan":{"k":"1.01"}"#, [true, false]),
        (
            r#""NumericGreaterThan":{"k":"-3"},"NumericLessThan":{"k":"-2.9"}"#,
            r#""NumericLessThan":{"k":"0"}"#,
            [true, false],
        ),
        (
            r#""DateLessThan":{"k":"2026-11-23T12:00:00Z"}"#,
            r#""DateLessThan":{"k":"2026-11-23T21:00:00+08:00"}"#,
            [true, false],
        ),
        (r#""IpAddress":{"k":"10.1.0.0/16"}"#, r#""IpAddress":{"k":"10.0.0.0/8"}"#, [true, false]),
        (
            r#""IpAddress":{"k":["10.0.0.0/9","10.128.0.0/9"]}"#,
            r#""IpAddress":{"k":"10.7.7.7/8"}"#,
            [true, true],
        ),
        (r#""IpAddress":{"k":"10.0.0.0/8"}"#, r#""NotIpAddress":{"k":"::/0"}"#, [true, false]),
        (r#""Bool":{"k":"true"}"#, r#""Bool":{"k":["TRUE","false"]}"#, [true, false]),
        (r#""Bool":{"k":"true"}"#, r#""StringEqualsIgnoreCase":{"k":"True"}"#, [true, true]),
        (r#""Bool":{"k":"true"},"StringLike":{"j":"x"}"#, r#""Bool":{"k":"true"}"#, [true, false]),
    ] {
        check_conditions(a, b, expected);
    }
}

#[test]
fn what_is_not_understood_is_never_a_wrong_answer() {
    let of = |condition: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#
        ))
    };
    let mixed = of(r#""StringLike":{"k":"1*"},"NumericLessThan":{"k":"5"}"#);
    let less = of(r#""NumericLessThan":{"k":"7"}"#);
    assert_eq!(permits_no_more(&[&mixed], &[&mixed]), Inclusion::Yes);
    assert_eq!(
        permits_no_more(&[&mixed], &[&less]),
        Inclusion::Unknown(Why::Condition("k".into()))
    );
}

#[test]
fn what_can_not_be_compared_is_told() {
    let aws =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let aws = Policy::parse_in(Dialect::Aws, aws, PolicyKind::Permission).unwrap();
    let ram = system_policy("AdministratorAccess").unwrap();
    assert_eq!(permits_no_more(&[&aws], &[ram]), Inclusion::Unknown(Why::Languages));
    let trust = crate::policy::trust_policy_for(&"1000000000000001".parse().unwrap());
    let trust = Policy::parse(&trust, PolicyKind::Trust).unwrap();
    assert_eq!(permits_no_more(&[&trust], &[ram]), Inclusion::Unknown(Why::Trust));
    assert_eq!(permits_no_more(&[], &[ram]), Inclusion::Yes);
    assert!(matches!(permits_no_more(&[ram], &[]), Inclusion::No(_)));
}

#[test]
fn what_stands_on_both_sides_needs_no_search() {
    // Each of these by itself is past the budget.
    let hard = |letter: char, rest: usize| {
        allow(r#""oss:GetObject""#, &format!(r#""acs:oss:*:*:*{letter}{}""#, "?".repeat(rest)))
    };
    let deny = hard('d', 39).replace("Allow", "Deny");
    let (a, b) = (hard('a', 40), hard('b', 40));
    let of = |all: &[&str]| policy(&all.join(","));
    let yes = |a: &Policy, b: &Policy| permits_no_more(&[a], &[b]).is_yes();
    assert!(yes(&of(&[&b, &deny, &a]), &of(&[&a, &b, &deny])));
    assert!(yes(&of(&[&a, &deny]), &of(&[&b, &a])));
    assert!(!yes(&of(&[&a, &b]), &of(&[&a])));
    let everything = allow(r#""*""#, r#""*""#);
    assert!(yes(&of(&[&a, &b]), &of(&[&everything])));
    assert!(!yes(&of(&[&a, &b]), &of(&[&everything, &a.replace("Allow", "Deny")])));
    assert!(!yes(&of(&[&a]), &of(&[&a, &deny])));
}

#[test]
fn shared_requests_are_found_or_excluded() {
    let of = |action: &str, resource: &str| policy(&allow(action, resource));
    let (oss, ecs) = (of(r#""oss:*""#, r#""*""#), of(r#""ecs:*""#, r#""*""#));
    assert_eq!(disjoint(&[&oss], &[&ecs]), Inclusion::Yes);
    let (heads, tails) =
        (of(r#""oss:Get*""#, r#""acs:oss:*:*:a*""#), of(r#""oss:*t""#, r#""acs:oss:*:*:*b""#));
    assert!(matches!(disjoint(&[&heads], &[&tails]), Inclusion::No(_)));
    let deny = policy(&format!(
        r#"{},{{"Effect":"Deny","Action":"oss:get*","Resource":"*"}}"#,
        allow(r#""oss:*""#, r#""*""#)
    ));
    assert_eq!(disjoint(&[&heads], &[&deny]), Inclusion::Yes);
}

#[test]
fn statements_in_vain_are_found_with_what_decides_instead() {
    let policy = policy(
        r#"{"Effect":"Allow","Action":"oss:Get*","Resource":"*"},
        {"Effect":"Allow","Action":["oss:GetObject","oss:getbucket"],"Resource":"acs:oss:*:*:b"},
        {"Effect":"Allow","Action":"ecs:RunCommand","Resource":"acs:ecs:*:*:instance/*"},
        {"Effect":"Deny","Action":"ecs:*","Resource":"acs:ecs:*:*:*"},
        {"Effect":"Deny","Action":"nas:*","Resource":"*"}"#,
    );
    assert_eq!(
        findings(&policy),
        [
            Finding::Redundant { statement: 1, covered_by: vec![0] },
            Finding::Dead { statement: 2, denied_by: vec![3] },
            Finding::Redundant { statement: 4, covered_by: vec![] },
        ]
    );
}

/// The worst that globs can do ends within the budget, and never with a yes that is wrong.
#[test]
fn entangled_patterns_end_within_the_budget() {
    for n in 1..40 {
        let marks = "?".repeat(n);
        let tails: Vec<String> =
            ["a", "b", "c"].iter().map(|c| format!(r#""acs:oss:*:*:*{c}{marks}""#)).collect();
        let a = policy(&allow(r#""oss:GetObject""#, &format!(r#""acs:oss:*:*:*?{marks}""#)));
        let b = policy(&allow(r#""oss:GetObject""#, &format!("[{}]", tails.join(","))));
        // Any other letter before the end shows it.
        assert!(matches!(permits_no_more(&[&a], &[&b]), Inclusion::No(_)));
        let more =
            format!(r#"["acs:oss:*:*:*a{marks}","acs:oss:*:*:*?{marks}?","acs:oss:*:*:{marks}?"]"#);
        let more = policy(&allow(r#""oss:GetObject""#, &more));
        let answer = permits_no_more(&[&a], &[&more]);
        assert!(
            matches!(answer, Inclusion::Yes | Inclusion::Unknown(Why::Budget)),
            "{n} {answer:?}"
        );
        if n < 8 {
            assert_eq!(answer, Inclusion::Yes, "{n}");
        }
    }
}
