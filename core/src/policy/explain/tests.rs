use super::*;
use crate::policy::{Dialect, PolicyKind, document::Policy, naive};

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version": "1", "Statement": [{statements}]}}"#);
    Policy::parse(&text, PolicyKind::Permission).unwrap()
}

fn asked(policy: &Policy, context: &Context) -> Explanation {
    let identity = Level { name: "role", policies: vec![Named { name: "p", policy }] };
    let request = Request::new("oss:GetObject", "acs:oss:cn-hangzhou:1000000000000012:b/o");
    let question =
        Question { control: vec![], session: None, identity, request: request.within(context) };
    explain(&question)
}

#[test]
fn a_statement_that_does_not_match_says_why_for_every_element() {
    let policy = policy(
        r#"{"Effect": "Allow", "Action": ["ecs:*", "oss:Put*"],
            "Resource": ["acs:oss:cn-shanghai:*:x/*", "acs:oss:*:*:c/*"],
            "Condition": {"StringEquals": {"acs:SourceVpc": ["vpc-1", "vpc-2"]},
                          "IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}}"#,
    );
    let found = asked(&policy, &Context::default().with("acs:SourceIp", "11.0.0.1"));
    assert_eq!(found.ruling, Ruling::ImplicitDeny { layer: Layer::Identity });
    let statement = &found.layers[0].policies[0].statements[0];
    assert!(!statement.is_met && !statement.decides && found.layers[0].decides);
    let [action, resource] = statement.elements.as_slice() else { panic!("{statement:?}") };
    assert_eq!((action.name, action.is_met, action.tried.len()), ("Action", false, 2));
    assert!(!resource.is_met);
    let differs: Vec<String> =
        resource.tried.iter().map(|tried| tried.differs.as_ref().unwrap().to_string()).collect();
    assert_eq!(
        differs,
        [
            "its region is `cn-hangzhou` and not `cn-shanghai`",
            "its relative id is `b/o` and not `c/*`"
        ]
    );
    let conditions: Vec<String> = statement.conditions.iter().map(ToString::to_string).collect();
    assert_eq!(
        conditions,
        [
            "StringEquals `acs:sourcevpc` `vpc-1`, `vpc-2`: the request has no such key",
            "IpAddress `acs:sourceip` `10.0.0.0/8`: the request has `11.0.0.1`"
        ]
    );
}

#[test]
fn the_deciding_statement_is_marked() {
    let policy = policy(
        r#"{"Effect": "Allow", "Action": "oss:*", "Resource": "*"},
           {"Sid": "guard", "Effect": "Deny", "Action": "oss:Get*", "Resource": "*",
            "Condition": {"StringNotEquals": {"acs:SourceVpc": "vpc-1"}}}"#,
    );
    let found = asked(&policy, &Context::default());
    let statements = &found.layers[0].policies[0].statements;
    assert!(statements[0].is_met && !statements[0].decides);
    assert!(statements[1].decides);
    assert_eq!(statements[1].conditions[0].outcome, Ok(Met::ByAbsence));
    assert_eq!(
        serde_json::to_value(found.ruling).unwrap(),
        serde_json::json!(
            { "decision": "ExplicitDeny", "layer": "identity", "policy": 0, "statement": 1 }
        )
    );
    let found = asked(&policy, &Context::default().with("acs:SourceVpc", "vpc-1"));
    assert!(found.layers[0].policies[0].statements[0].decides);
}

#[test]
fn trust_is_explained_as_it_is_decided() {
    let owner: AccountId = "1000000000000012".parse().unwrap();
    let text = r#"{"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"RAM": "acs:ram::1000000000000001:role/backup", "Service": "ecs.aliyuncs.com"}},
        {"Effect": "Deny", "Action": "sts:*", "Principal": {"RAM": "acs:ram::1000000000000001:user/eve"}}
    ]}"#;
    let trust = Policy::parse(text, PolicyKind::Trust).unwrap();
    let role = |text: &str| TrustedPrincipal::Role(text.parse().unwrap());
    let service = |acts_for: &str| TrustedPrincipal::Service {
        name: "ecs.aliyuncs.com".to_owned(),
        acts_for: acts_for.parse().unwrap(),
    };
    let eve =
        TrustedPrincipal::User { account: "1000000000000001".parse().unwrap(), name: "Eve".into() };
    let context = Context::default();
    for (principal, decides) in [
        (role("acs:ram::1000000000000001:role/BACKUP"), Some(0)),
        (role("acs:ram::1000000000000001:role/other"), None),
        (service("1000000000000012"), Some(0)),
        (service("1000000000000001"), None),
        (eve, Some(1)),
        (TrustedPrincipal::Federated("acs:ram::1:saml-provider/x".to_owned()), None),
    ] {
        let named = Named { name: "trust", policy: &trust };
        let found = explain_trust(named, &owner, &principal, &context);
        assert_eq!(found.verdict, naive::trusts(&trust, &owner, &principal, &context));
        let deciding = found.policy.statements.iter().position(|statement| statement.decides);
        assert_eq!(deciding, decides, "{principal}");
        assert!(found.policy.statements.iter().all(|s| s.elements[1].tried.len() < 3));
    }
}

#[test]
fn whom_not_principal_names_is_left_out() {
    let text = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"},
        {"Effect": "Deny", "Action": "sts:AssumeRole",
         "NotPrincipal": {"AWS": "arn:aws:iam::100000000001:role/backup"}}]}"#;
    let trust = Policy::parse_in(Dialect::Aws, text, PolicyKind::Trust).unwrap();
    let owner: AccountId = "100000000012".parse().unwrap();
    for (name, is_let_in) in [("backup", true), ("other", false)] {
        let role = format!("acs:ram::100000000001:role/{name}").parse().unwrap();
        let named = Named { name: "trust", policy: &trust };
        let principal = TrustedPrincipal::Role(role);
        let found = explain_trust(named, &owner, &principal, &Context::default());
        assert_eq!(found.verdict.is_allow(), is_let_in, "{name}");
        let element = &found.policy.statements[1].elements[1];
        assert_eq!((element.name, element.is_met), ("NotPrincipal", !is_let_in));
    }
}

#[test]
fn several_values_are_none_for_an_operator_that_takes_one() {
    let policy = policy(
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"acs:SourceVpc": "vpc-1"}}}"#,
    );
    let of = |values: &[&str]| {
        let mut context = Context::default();
        for value in values {
            context.add("acs:SourceVpc", value);
        }
        asked(&policy, &context).layers[0].policies[0].statements[0].conditions[0].outcome.clone()
    };
    assert_eq!(of(&["vpc-1"]), Ok(Met::ByValues));
    assert_eq!(of(&["vpc-1", "vpc-2"]), Err(Unmet::Several));
    assert_eq!(of(&["vpc-2"]), Err(Unmet::Differs));
}
