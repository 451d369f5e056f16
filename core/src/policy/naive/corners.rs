//! The corners of the language, one named test each, in both languages where both have them.

use crate::{
    explain::Explain,
    policy::{
        Context, Dialect, Layers, Policy, PolicyKind, Request, Ruling, decide, evaluate, translate,
    },
};

/// A document of RAM with these statements; the fields that a statement lacks are filled in.
fn document(statements: &[&str]) -> String {
    let statements: Vec<String> = statements
        .iter()
        .map(|statement| {
            let mut text = (*statement).to_owned();
            for (name, value) in [("Effect", "Allow"), ("Action", "*"), ("Resource", "*")] {
                if !text.contains(&format!("{name}\"")) {
                    text = format!("\"{name}\":\"{value}\",{text}");
                }
            }
            format!("{{{}}}", text.trim_end_matches(','))
        })
        .collect();
    format!(r#"{{"Version":"1","Statement":[{}]}}"#, statements.join(","))
}

/// The same document in that language; keys are `acs:k` and `acs:l`.
fn policy(dialect: Dialect, statements: &[&str]) -> Policy {
    let text = document(statements);
    let text = match dialect {
        Dialect::Ram => text,
        Dialect::Aws => text
            .replace(r#""Version":"1""#, r#""Version":"2012-10-17""#)
            .replace("\"acs:k\"", "\"aws:k\"")
            .replace("\"acs:l\"", "\"aws:l\"")
            .replace("\"acs:", "\"arn:aws:"),
    };
    Policy::parse_in(dialect, &text, PolicyKind::Permission).unwrap()
}

fn given(dialect: Dialect, values: &[(&str, &str)]) -> Context {
    let mut context = Context::default();
    for (key, value) in values {
        context.add(&translate::key(key, dialect), value);
    }
    context
}

#[track_caller]
fn check_in(
    dialect: Dialect,
    statements: &[&str],
    (action, resource): (&str, &str),
    values: &[(&str, &str)],
    expected: bool,
) {
    let policy = policy(dialect, statements);
    let context = given(dialect, values);
    let resource = translate::name(resource, dialect);
    let request = Request { action, resource: &resource, context: &context };
    let found = evaluate(&[&policy], &request).is_allow();
    assert_eq!(found, expected, "{dialect:?} {} {resource} {values:?}", policy.text());
}

/// In both languages.
#[track_caller]
fn check(statements: &[&str], request: (&str, &str), values: &[(&str, &str)], expected: bool) {
    check_in(Dialect::Ram, statements, request, values, expected);
    check_in(Dialect::Aws, statements, request, values, expected);
}

/// A condition on `acs:k`, in both languages.
#[track_caller]
fn check_condition(condition: &str, values: &[&str], expected: bool) {
    let statement = format!("\"Condition\":{condition}");
    let values: Vec<(&str, &str)> = values.iter().map(|value| ("acs:k", *value)).collect();
    check(&[&statement], ("a:B", "*"), &values, expected);
}

/// A condition on `aws:k`, in AWS only.
#[track_caller]
fn check_aws(condition: &str, values: &[(&str, &str)], expected: bool) {
    let statement = format!("\"Condition\":{condition}");
    check_in(Dialect::Aws, &[&statement], ("a:B", "*"), values, expected);
}

#[track_caller]
fn refused(statements: &[&str], code: &str) {
    let error = Policy::parse(&document(statements), PolicyKind::Permission).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
}

const BUCKET: &str = "acs:oss:cn:1000000000000012:b";

#[test]
fn actions_have_no_case() {
    check(&[r#""Action":"OSS:getobject""#], ("oss:GetObject", BUCKET), &[], true);
    check(&[r#""Action":"oss:Get*""#], ("Oss:gETObject", BUCKET), &[], true);
}

#[test]
fn resources_have_case() {
    check(&[r#""Resource":"acs:oss:*:*:b/X""#], ("a:B", "acs:oss:cn:1:b/x"), &[], false);
    check(&[r#""Resource":"acs:oss:*:*:b/X""#], ("a:B", "acs:oss:cn:1:b/X"), &[], true);
}

#[test]
fn a_star_in_a_resource_stays_within_its_part() {
    let name = "acs:ecs:cn:1:instance/i-1:x:y";
    check(&[r#""Resource":"acs:ecs:*:*:x:y""#], ("a:B", name), &[], false);
    check(&[r#""Resource":"acs:ecs:*:x:y""#], ("a:B", name), &[], false);
}

#[test]
fn the_last_part_takes_the_colons() {
    let name = "acs:ecs:cn:1:instance/i-1:x:y";
    check(&[r#""Resource":"acs:ecs:*:*:*:y""#], ("a:B", name), &[], true);
    check(&[r#""Resource":"acs:ecs:*:*:instance/*""#], ("a:B", name), &[], true);
    check(&[r#""Resource":"acs:ecs:*:*:instance/*:z""#], ("a:B", name), &[], false);
}

#[test]
fn a_star_before_the_first_slash_is_a_star() {
    check(&[r#""Resource":"acs:ecs:*:*:*/i-1""#], ("a:B", "acs:ecs:cn:1:instance/i-1"), &[], true);
    let aws = policy(Dialect::Aws, &[r#""Resource":"acs:ecs:*:*:*/i-1""#]);
    assert_eq!(aws.warnings()[0].code(), "POLICY_WILDCARD_IN_TYPE");
}

#[test]
fn a_star_matches_the_empty_text() {
    check(&[r#""Resource":"acs:oss:*:*:b*""#], ("a:B", "acs:oss:::b"), &[], true);
    check_condition(r#"{"StringLike":{"acs:k":"*"}}"#, &[""], true);
    check_condition(r#"{"StringLike":{"acs:k":"a*"}}"#, &["a"], true);
}

#[test]
fn a_question_mark_is_exactly_one_character() {
    for (value, expected) in [("", false), ("a", true), ("é", true), ("😀", true), ("ab", false)]
    {
        check_condition(r#"{"StringLike":{"acs:k":"?"}}"#, &[value], expected);
    }
}

#[test]
fn wildcards_in_the_request_are_letters() {
    check_condition(r#"{"StringLike":{"acs:k":"a?"}}"#, &["a*"], true);
    check_condition(r#"{"StringLike":{"acs:k":"ab"}}"#, &["a*"], false);
    check(&[r#""Action":"oss:Get""#], ("oss:*", BUCKET), &[], false);
}

#[test]
fn empty_lists_are_refused() {
    refused(&[r#""Action":[]"#], "POLICY_EMPTY_LIST");
    refused(&[r#""NotAction":[]"#], "POLICY_EMPTY_LIST");
    refused(&[r#""Resource":[]"#], "POLICY_EMPTY_LIST");
    refused(&[r#""NotResource":[]"#], "POLICY_EMPTY_LIST");
    refused(&[r#""Condition":{"Bool":{"acs:k":[]}}"#], "POLICY_EMPTY_LIST");
    refused(&[], "POLICY_EMPTY_LIST");
}

#[test]
fn action_and_its_opposite_exclude_each_other_and_one_must_be_there() {
    let both = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","NotAction":"a:B","Resource":"*"}]}"#;
    let neither = r#"{"Version":"1","Statement":[{"Effect":"Deny","Resource":"*"}]}"#;
    for (text, code) in [(both, "POLICY_ELEMENTS_EXCLUDE"), (neither, "POLICY_ELEMENT_MISSING")] {
        assert_eq!(Policy::parse(text, PolicyKind::Permission).unwrap_err().code(), code);
    }
}

#[test]
fn deny_with_not_action_denies_all_others_also_unknown_ones() {
    let statements = [r#""Sid":"1""#, r#""Effect":"Deny","NotAction":"oss:*""#];
    check(&statements, ("oss:GetObject", BUCKET), &[], true);
    check(&statements, ("nobody:Knows", BUCKET), &[], false);
}

#[test]
fn allow_with_not_action_allows_unknown_ones_and_is_warned_about() {
    let statement = r#""NotAction":"oss:*""#;
    check(&[statement], ("nobody:Knows", BUCKET), &[], true);
    check(&[statement], ("oss:GetObject", BUCKET), &[], false);
    for dialect in [Dialect::Ram, Dialect::Aws] {
        assert_eq!(policy(dialect, &[statement]).warnings()[0].code(), "POLICY_ALLOW_NOT_ACTION");
    }
}

#[test]
fn not_resource_is_none_of_the_list_and_is_warned_about_in_ram() {
    let statement = r#""Effect":"Deny","NotResource":["acs:oss:*:*:b","acs:oss:*:*:c"]"#;
    let all = r#""Sid":"1""#;
    check(&[all, statement], ("a:B", BUCKET), &[], true);
    check(&[all, statement], ("a:B", "acs:oss:cn:1:d"), &[], false);
    let codes = |dialect| -> Vec<&str> {
        policy(dialect, &[statement]).warnings().iter().map(Explain::code).collect()
    };
    assert_eq!(codes(Dialect::Ram), ["POLICY_NOT_RESOURCE_UNSUPPORTED"]);
    assert!(codes(Dialect::Aws).is_empty());
}

#[test]
fn values_of_a_key_are_alternatives_and_none_may_match_a_negated_one() {
    check_condition(r#"{"StringEquals":{"acs:k":["a","b"]}}"#, &["b"], true);
    check_condition(r#"{"StringEquals":{"acs:k":["a","b"]}}"#, &["c"], false);
    check_condition(r#"{"StringNotEquals":{"acs:k":["a","b"]}}"#, &["b"], false);
    check_condition(r#"{"StringNotEquals":{"acs:k":["a","b"]}}"#, &["c"], true);
}

#[test]
fn keys_and_operators_must_all_be_met() {
    let keys = r#""Condition":{"StringEquals":{"acs:k":"a","acs:l":"b"}}"#;
    let operators = r#""Condition":{"StringEquals":{"acs:k":"a"},"StringLike":{"acs:l":"b"}}"#;
    for statement in [keys, operators] {
        check(&[statement], ("a:B", "*"), &[("acs:k", "a"), ("acs:l", "b")], true);
        check(&[statement], ("a:B", "*"), &[("acs:k", "a"), ("acs:l", "c")], false);
        check(&[statement], ("a:B", "*"), &[("acs:k", "a")], false);
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    refused(&[r#""Condition":{"StringEquals":{"acs:k":"a","acs:k":"b"}}"#], "POLICY_DUPLICATE_KEY");
    refused(&[r#""Condition":{"StringEquals":{"acs:k":"a","acs:K":"b"}}"#], "POLICY_DUPLICATE_KEY");
}

#[test]
fn an_absent_key_meets_negated_operators_and_no_others() {
    check_condition(r#"{"StringEquals":{"acs:k":"a"}}"#, &[], false);
    check_condition(r#"{"StringLike":{"acs:k":"*"}}"#, &[], false);
    check_condition(r#"{"Bool":{"acs:k":"false"}}"#, &[], false);
    check_condition(r#"{"StringNotEquals":{"acs:k":"a"}}"#, &[], true);
    check_condition(r#"{"StringNotLike":{"acs:k":"*"}}"#, &[], true);
    check_condition(r#"{"NotIpAddress":{"acs:k":"10.0.0.0/8"}}"#, &[], true);
    check_condition(r#"{"DateNotEquals":{"acs:k":"2026-11-23T12:00:00Z"}}"#, &[], true);
}

#[test]
fn if_exists_is_met_by_an_absent_key_in_aws_and_refused_in_ram() {
    let condition = r#"{"StringEqualsIfExists":{"aws:k":"a"}}"#;
    check_aws(condition, &[], true);
    check_aws(condition, &[("aws:k", "a")], true);
    check_aws(condition, &[("aws:k", "b")], false);
    refused(&[&format!("\"Condition\":{condition}")], "POLICY_OPERATOR");
}

#[test]
fn null_is_about_presence_and_an_empty_value_is_present() {
    for (value, absent, present) in [("true", true, false), ("false", false, true)] {
        let condition = format!(r#"{{"Null":{{"aws:k":"{value}"}}}}"#);
        check_aws(&condition, &[], absent);
        check_aws(&condition, &[("aws:k", "")], present);
    }
}

#[test]
fn for_all_values_is_met_by_no_values_and_warned_about() {
    let condition = r#"{"ForAllValues:StringEquals":{"aws:k":["a","b"]}}"#;
    check_aws(condition, &[], true);
    check_aws(condition, &[("aws:k", "a"), ("aws:k", "b")], true);
    check_aws(condition, &[("aws:k", "a"), ("aws:k", "c")], false);
    let warned = |condition: &str| {
        let policy = policy(Dialect::Aws, &[&format!("\"Condition\":{condition}")]);
        policy.warnings().iter().any(|warning| warning.code() == "POLICY_FOR_ALL_VALUES")
    };
    assert!(warned(condition));
    assert!(!warned(r#"{"ForAllValues:StringEquals":{"aws:k":"a"},"Null":{"aws:k":"false"}}"#));
}

#[test]
fn for_any_value_needs_one() {
    let condition = r#"{"ForAnyValue:StringLike":{"aws:k":"a*"}}"#;
    check_aws(condition, &[], false);
    check_aws(condition, &[("aws:k", "b"), ("aws:k", "a1")], true);
    check_aws(condition, &[("aws:k", "b"), ("aws:k", "c")], false);
    let negated = r#"{"ForAnyValue:StringNotEquals":{"aws:k":"a"}}"#;
    check_aws(negated, &[("aws:k", "a"), ("aws:k", "b")], true);
    check_aws(negated, &[("aws:k", "a")], false);
    check_aws(negated, &[], false);
}

#[test]
fn several_values_without_a_quantifier_meet_nothing() {
    check_condition(r#"{"StringEquals":{"acs:k":"a"}}"#, &["a", "b"], false);
    check_condition(r#"{"StringNotEquals":{"acs:k":"c"}}"#, &["a", "b"], false);
}

#[test]
fn a_value_that_cannot_be_read_is_refused_in_a_policy_and_matches_nothing_in_a_request() {
    refused(&[r#""Condition":{"NumericEquals":{"acs:k":"seven"}}"#], "POLICY_CONDITION_VALUE");
    refused(&[r#""Condition":{"DateEquals":{"acs:k":"today"}}"#], "POLICY_CONDITION_VALUE");
    refused(&[r#""Condition":{"IpAddress":{"acs:k":"10.0.0.0/33"}}"#], "POLICY_CONDITION_VALUE");
    check_condition(r#"{"NumericEquals":{"acs:k":"7"}}"#, &["seven"], false);
    check_condition(r#"{"NumericNotEquals":{"acs:k":"7"}}"#, &["seven"], true);
    check_condition(r#"{"DateNotEquals":{"acs:k":"2026-11-23T12:00:00Z"}}"#, &["today"], true);
    check_condition(r#"{"NotIpAddress":{"acs:k":"10.0.0.0/8"}}"#, &["10.0.0"], true);
}

#[test]
fn dates_are_instants_and_seconds_are_of_aws_only() {
    let noon = r#"{"DateEquals":{"acs:k":"2026-11-23T12:00:00Z"}}"#;
    check_condition(noon, &["2026-11-23T20:00:00+08:00"], true);
    let statement = format!("\"Condition\":{noon}");
    let seconds = [("acs:k", "1795435200")];
    check_in(Dialect::Aws, &[&statement], ("a:B", "*"), &seconds, true);
    check_in(Dialect::Ram, &[&statement], ("a:B", "*"), &seconds, false);
    refused(&[r#""Condition":{"DateEquals":{"acs:k":"1795435200"}}"#], "POLICY_CONDITION_VALUE");
    check_aws(
        r#"{"DateLessThan":{"aws:k":"1795435201"}}"#,
        &[("aws:k", "2026-11-23T12:00:00Z")],
        true,
    );
}

#[test]
fn booleans_have_no_case_and_nothing_else_is_one() {
    check_condition(r#"{"Bool":{"acs:k":"true"}}"#, &["TRUE"], true);
    check_condition(r#"{"Bool":{"acs:k":"true"}}"#, &["1"], false);
    check_condition(r#"{"Bool":{"acs:k":"false"}}"#, &["0"], false);
}

#[test]
fn networks_mask_their_host_bits() {
    let within = |network: &str, address: &str, expected| {
        check_condition(
            &format!(r#"{{"IpAddress":{{"acs:k":"{network}"}}}}"#),
            &[address],
            expected,
        );
    };
    within("10.1.2.3/8", "10.0.0.0", true);
    within("10.1.2.3/8", "10.255.255.255", true);
    within("10.1.2.3/8", "11.0.0.0", false);
    within("0.0.0.0/0", "2001:db8::5", false);
    within("::/0", "10.0.0.1", false);
    within("10.0.0.0/8", "::ffff:10.0.0.1", true);
}

const HOME: &str = r#""Resource":"acs:oss:*:*:b/${aws:username}/*""#;

#[test]
fn a_variable_stands_for_the_request_value() {
    let own = ("a:B", "acs:oss:::b/bob/x");
    check_in(Dialect::Aws, &[HOME], own, &[("aws:username", "bob")], true);
    check_in(Dialect::Aws, &[HOME], own, &[("aws:username", "eve")], false);
    // RAM has none, so the name must hold it letter by letter.
    check_in(Dialect::Ram, &[HOME], own, &[("aws:username", "bob")], false);
    check_in(Dialect::Ram, &[HOME], ("a:B", "acs:oss:::b/${aws:username}/x"), &[], true);
}

#[test]
fn a_wildcard_in_a_variables_value_is_a_letter() {
    let other = ("a:B", "acs:oss:::b/bob/x");
    check_in(Dialect::Aws, &[HOME], other, &[("aws:username", "*")], false);
    check_in(Dialect::Aws, &[HOME], other, &[("aws:username", "b?b")], false);
    check_in(Dialect::Aws, &[HOME], ("a:B", "acs:oss:::b/*/x"), &[("aws:username", "*")], true);
    check_aws(r#"{"StringLike":{"aws:k":"${aws:l}"}}"#, &[("aws:k", "ab"), ("aws:l", "a*")], false);
}

#[test]
fn an_absent_variable_matches_nothing_in_allow_and_deny_alike() {
    let own = ("a:B", "acs:oss:::b//x");
    check_in(Dialect::Aws, &[HOME], own, &[], false);
    let all = r#""Sid":"1""#;
    check_in(Dialect::Aws, &[all, &format!("\"Effect\":\"Deny\",{HOME}")], own, &[], true);
    let but = HOME.replace("Resource", "NotResource");
    check_in(Dialect::Aws, &[&but], own, &[], false);
    check_aws(r#"{"StringNotEquals":{"aws:k":"${aws:l}"}}"#, &[("aws:k", "a")], false);
    check_aws(r#"{"StringEquals":{"aws:k":["${aws:l}","a"]}}"#, &[("aws:k", "a")], true);
}

#[test]
fn a_variable_may_have_a_default() {
    let home = HOME.replace("aws:username", "aws:username, 'guest'");
    check_in(Dialect::Aws, &[&home], ("a:B", "acs:oss:::b/guest/x"), &[], true);
    check_in(
        Dialect::Aws,
        &[&home],
        ("a:B", "acs:oss:::b/guest/x"),
        &[("aws:username", "bob")],
        false,
    );
}

#[test]
fn escaped_wildcards_are_letters() {
    let condition = r#"{"StringLike":{"aws:k":"${*}${?}${$}*"}}"#;
    check_aws(condition, &[("aws:k", "*?$x")], true);
    check_aws(condition, &[("aws:k", "ab$x")], false);
}

#[test]
fn variables_are_expanded_in_the_present_version_and_in_texts_only() {
    let old = r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:s3:::b/${aws:username}"}}"#;
    let old = Policy::parse_in(Dialect::Aws, old, PolicyKind::Permission).unwrap();
    let context = Context::default().with("aws:username", "bob");
    let asks = |resource| {
        evaluate(&[&old], &Request { action: "s3:x", resource, context: &context }).is_allow()
    };
    assert!(!asks("arn:aws:s3:::b/bob"));
    assert!(asks("arn:aws:s3:::b/${aws:username}"));
    assert_eq!(old.warnings()[0].code(), "POLICY_VARIABLE_IS_TEXT");
    let number = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":"*","Condition":{"NumericEquals":{"aws:k":"${aws:l}"}}}}"#;
    let error = Policy::parse_in(Dialect::Aws, number, PolicyKind::Permission).unwrap_err();
    assert_eq!(error.code(), "POLICY_CONDITION_VALUE");
}

#[test]
fn arns_are_matched_part_by_part() {
    let matches = |pattern: &str, name: &str, expected| {
        let condition = format!(r#"{{"ArnLike":{{"aws:k":"{pattern}"}}}}"#);
        check_aws(&condition, &[("aws:k", name)], expected);
        let negated = condition.replace("ArnLike", "ArnNotEquals");
        check_aws(&negated, &[("aws:k", name)], !expected);
    };
    let role = "arn:aws:iam::111122223333:role/path/x:y";
    matches("arn:aws:iam::*:role/*", role, true);
    matches("arn:aws:iam::111122223333:*", role, true);
    matches("arn:aws:iam:*:y", role, false);
    matches("arn:aws:iam::*:role/x", role, false);
    matches("arn:*", role, true);
    matches("*", role, true);
    matches("*", "no arn", false);
}

fn layers(
    identity: &str,
    session: Option<&str>,
    control: &[&str],
) -> (Policy, Option<Policy>, Vec<Policy>) {
    let read = |statement: &str| policy(Dialect::Ram, &[statement]);
    (read(identity), session.map(read), control.iter().map(|text| read(text)).collect())
}

#[track_caller]
fn check_layers(identity: &str, session: Option<&str>, control: &[&str], expected: &str) {
    let (identity, session, control) = layers(identity, session, control);
    let layers = Layers {
        control: control.iter().map(|policy| vec![policy]).collect(),
        session: session.as_ref(),
        identity: vec![&identity],
    };
    let found = match decide(&layers, &Request::new("oss:GetObject", BUCKET)) {
        Ruling::Allow { .. } => "Allow".to_owned(),
        Ruling::ExplicitDeny { layer, .. } => format!("ExplicitDeny {layer:?}"),
        Ruling::ImplicitDeny { layer } => format!("ImplicitDeny {layer:?}"),
    };
    assert_eq!(found, expected);
}

const ALLOW: &str = r#""Action":"oss:*""#;
const DENY: &str = r#""Effect":"Deny","Action":"oss:*""#;
const OTHER: &str = r#""Action":"ecs:*""#;

#[test]
fn a_session_policy_can_only_take_away() {
    check_layers(ALLOW, Some(ALLOW), &[], "Allow");
    check_layers(ALLOW, Some(OTHER), &[], "ImplicitDeny Session");
    check_layers(ALLOW, Some(DENY), &[], "ExplicitDeny Session");
    check_layers(OTHER, Some(ALLOW), &[], "ImplicitDeny Identity");
}

#[test]
fn each_level_of_control_policies_must_allow() {
    check_layers(ALLOW, None, &[ALLOW, ALLOW], "Allow");
    check_layers(ALLOW, None, &[ALLOW, OTHER], "ImplicitDeny Control(1)");
    check_layers(ALLOW, None, &[ALLOW, DENY], "ExplicitDeny Control(1)");
    check_layers(OTHER, None, &[ALLOW], "ImplicitDeny Identity");
}

#[test]
fn an_explicit_deny_anywhere_comes_before_each_implicit_one() {
    check_layers(DENY, Some(OTHER), &[OTHER], "ExplicitDeny Identity");
    check_layers(DENY, Some(DENY), &[OTHER], "ExplicitDeny Session");
    check_layers(OTHER, Some(OTHER), &[OTHER, OTHER], "ImplicitDeny Control(0)");
}
