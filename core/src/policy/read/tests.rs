//! Documents that break one rule, and those that break none.

use super::*;
use crate::{
    explain::Explain,
    policy::{Place, Policy},
};

/// A statement, put into a document that is right around it.
#[track_caller]
fn check(kind: PolicyKind, statement: &str, code: &str, at: (u32, u32)) {
    let text = format!("{{\"Version\":\"1\",\"Statement\":[\n{statement}]}}");
    let error = Policy::parse(&text, kind).unwrap_err();
    assert_eq!((error.code(), error.at.line, error.at.column), (code, at.0, at.1), "{error}");
    assert!(!error.remedy().is_empty());
}

#[test]
fn a_broken_rule_is_named_with_its_place() {
    let permission = PolicyKind::Permission;
    check(permission, r#"{"Action":"*","Resource":"*"}"#, "POLICY_ELEMENT_MISSING", (2, 1));
    check(
        permission,
        r#"{"Effect":"allow","Action":"*","Resource":"*"}"#,
        "POLICY_EFFECT",
        (2, 11),
    );
    check(permission, r#"{"Effect":"Allow","Resource":"*"}"#, "POLICY_ELEMENT_MISSING", (2, 1));
    check(permission, r#"{"Effect":"Allow","Action":"*"}"#, "POLICY_ELEMENT_MISSING", (2, 1));
    check(
        permission,
        r#"{"Effect":"Deny","Action":"*","NotAction":"*","Resource":"*"}"#,
        "POLICY_ELEMENTS_EXCLUDE",
        (2, 31),
    );
    check(
        permission,
        r#"{"Effect":"Deny","Action":[],"Resource":"*"}"#,
        "POLICY_EMPTY_LIST",
        (2, 27),
    );
    check(
        permission,
        r#"{"Effect":"Deny","Action":["a:b","c"],"Resource":"*"}"#,
        "POLICY_ACTION",
        (2, 34),
    );
    check(
        permission,
        r#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::b"}"#,
        "POLICY_RESOURCE",
        (2, 42),
    );
    check(
        permission,
        r#"{"Effect":"Deny","Action":null,"Resource":"*"}"#,
        "POLICY_WRONG_TYPE",
        (2, 27),
    );
    check(
        permission,
        r#"{"Effect":"Deny","action":"*","Resource":"*"}"#,
        "POLICY_ELEMENT_UNKNOWN",
        (2, 18),
    );
    check(
        permission,
        r#"{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}"#,
        "POLICY_DUPLICATE_KEY",
        (2, 18),
    );
    check(permission, r#"{"Effect":"Deny",}"#, "POLICY_NOT_JSON", (2, 18));
}

#[test]
fn an_unknown_operator_or_value_is_refused_and_never_ignored() {
    let with = |condition: &str| {
        format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#)
    };
    let permission = PolicyKind::Permission;
    check(permission, &with(r#"{"Null":{"k":"true"}}"#), "POLICY_OPERATOR", (2, 60));
    check(permission, &with(r#"{"Bool":{"k":"yes"}}"#), "POLICY_CONDITION_VALUE", (2, 72));
    check(permission, &with(r#"{"Bool":{"k":[]}}"#), "POLICY_EMPTY_LIST", (2, 72));
    check(
        permission,
        &with(r#"{"Bool":{"k":"true","K":"false"}}"#),
        "POLICY_DUPLICATE_KEY",
        (2, 79),
    );
    check(permission, &with(r#"{"Bool":"true"}"#), "POLICY_WRONG_TYPE", (2, 67));
}

#[test]
fn resources_and_principals_stand_where_they_belong() {
    let root = r#""Principal":{"RAM":"acs:ram::1000000000000001:root"}"#;
    check(
        PolicyKind::Permission,
        &format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*",{root}}}"#),
        "POLICY_ELEMENT_MISPLACED",
        (2, 47),
    );
    check(
        PolicyKind::Trust,
        &format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*",{root}}}"#),
        "POLICY_ELEMENT_MISPLACED",
        (2, 32),
    );
    check(
        PolicyKind::Trust,
        r#"{"Effect":"Allow","Action":"*"}"#,
        "POLICY_ELEMENT_MISSING",
        (2, 1),
    );
    for wrong in [
        r#"{"RAM":"*"}"#,
        r#"{"RAM":"acs:ram::*:root"}"#,
        r#"{"RAM":"acs:ram::1000000000000001:role/*"}"#,
        r#"{"Service":"*"}"#,
        r#"{"Federated":"acs:ram::1000000000000001:root"}"#,
    ] {
        let text = format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Principal":{wrong}}}]}}"#
        );
        let error = Policy::parse(&text, PolicyKind::Trust).unwrap_err();
        assert_eq!(error.code(), "POLICY_PRINCIPAL", "{wrong}");
    }
}

#[test]
fn the_whole_must_be_one_document_of_version_1() {
    let check = |text: &str, code: &str| {
        let error = Policy::parse(text, PolicyKind::Permission).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
    };
    check("", "POLICY_NOT_JSON");
    check("[]", "POLICY_WRONG_TYPE");
    check(r#"{"Version":"2012-10-17","Statement":[]}"#, "POLICY_VERSION");
    check(r#"{"Version":1,"Statement":[]}"#, "POLICY_WRONG_TYPE");
    check(r#"{"Version":"1","Statement":[]}"#, "POLICY_EMPTY_LIST");
    check(r#"{"Version":"1"}"#, "POLICY_ELEMENT_MISSING");
    check(r#"{"Version":"1","Statement":{}}"#, "POLICY_WRONG_TYPE");
    check(r#"{"Version":"1","Statement":[],"Id":"x"}"#, "POLICY_ELEMENT_UNKNOWN");
}

#[test]
fn a_document_may_be_as_long_as_its_kind_and_no_longer() {
    for kind in [PolicyKind::Permission, PolicyKind::Session, PolicyKind::Control] {
        let body =
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let padding = Dialect::Ram.words().characters_max(kind).checked_sub(body.len()).unwrap();
        let longest = format!("{body}{}", " ".repeat(padding));
        assert!(Policy::parse(&longest, kind).is_ok());
        let error = Policy::parse(&format!("{longest} "), kind).unwrap_err();
        assert_eq!(error.code(), "POLICY_TOO_LONG");
    }
}

#[test]
fn a_scalar_equals_a_list_of_one_and_sid_is_ignored() {
    let parse = |text: &str| {
        let mut statements =
            Policy::parse(text, PolicyKind::Permission).unwrap().statements().to_vec();
        for statement in &mut statements {
            statement.at = Place { line: 1, column: 1 };
            statement.sid = None;
        }
        statements
    };
    assert_eq!(
        parse(
            r#"{"Version":"1","Statement":[{"Sid":"x","Effect":"Allow","Action":"a:b","Resource":"*",
                "Condition":{"Bool":{"acs:SecureTransport":true},"NumericEquals":{"k":7}}}]}"#
        ),
        parse(
            r#"{"Statement":[{"Condition":{"Bool":{"acs:securetransport":["true"]},"NumericEquals":{"K":"7"}},
                "Resource":["*"],"Action":["a:b"],"Effect":"Allow"}],"Version":"1"}"#
        )
    );
}

#[test]
fn not_resource_works_and_is_reported() {
    let text = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","NotResource":"acs:oss:*:*:b"}]}"#;
    let policy = Policy::parse(text, PolicyKind::Permission).unwrap();
    let codes: Vec<&str> = policy.warnings().iter().map(Explain::code).collect();
    assert_eq!(codes, ["POLICY_ALLOW_NOT_RESOURCE", "POLICY_NOT_RESOURCE_UNSUPPORTED"]);
    assert!(matches!(policy.statements().first().unwrap().resources, Resources::AllBut(_)));
}

#[test]
fn a_stored_policy_reads_back_with_its_text() {
    let text = crate::policy::trust_policy_for(&"1000000000000001".parse().unwrap());
    let policy = Policy::parse(&text, PolicyKind::Trust).unwrap();
    assert_eq!(policy.text(), text);
    let stored = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
}
