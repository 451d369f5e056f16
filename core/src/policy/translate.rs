//! A document of one language in the words of the other.
//!
//! The version becomes the present one of the language; a resource name gains or loses its
//! partition (`acs:oss:…` and `arn:aws:oss:…`; services keep their names); condition keys change
//! their prefix (`acs:SourceIp` and `aws:SourceIp`); identities are those of `RAM` or `AWS`. A plain
//! `${` stays plain. What the other language lacks stays as it is, and is refused when it is read:
//! AWS's operators and variables in RAM, say.

use serde_json::{Map, Value};

use super::dialect::Dialect;

/// Turns the words of a policy document, or a part of one, into those of the language; what is
/// in its words already stays.
#[must_use]
pub fn translate(document: &Value, to: Dialect) -> Value {
    let is_other = document
        .get("Version")
        .and_then(Value::as_str)
        .is_none_or(|version| !to.words().versions.contains(&version));
    if !is_other {
        return document.clone();
    }
    let Value::Object(members) = document else { return document.clone() };
    let mut translated = Map::new();
    for (name, value) in members {
        if !to.words().document.contains(&name.as_str()) && name == "Id" {
            continue;
        }
        let value = match (name.as_str(), value) {
            ("Statement", Value::Object(_)) => Value::from(vec![words(value, to)]),
            ("Statement", _) => words(value, to),
            (_, value) => value.clone(),
        };
        translated.insert(name.clone(), value);
    }
    if let Some(version) = to.words().versions.first() {
        translated.insert("Version".into(), Value::from(*version));
    }
    Value::Object(translated)
}

/// Turns all texts and names within a statement.
fn words(value: &Value, to: Dialect) -> Value {
    match value {
        Value::String(text) => Value::String(escaped(&name(text, to), to)),
        Value::Array(items) => items.iter().map(|item| words(item, to)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(member, value)| match member.as_str() {
                "Principal" | "NotPrincipal" => (member.clone(), principals(value, to)),
                other => (key(other, to), words(value, to)),
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Text that is no variable in RAM must not become one.
fn escaped(text: &str, to: Dialect) -> String {
    match to {
        Dialect::Ram => text.to_owned(),
        Dialect::Aws => text.replace("${", "${$}{"),
    }
}

/// A resource name or pattern in the words of the language; any other text as it is.
#[must_use]
pub fn name(text: &str, to: Dialect) -> String {
    let turned = match to {
        Dialect::Ram => text.strip_prefix("arn:aws:").map(|rest| format!("acs:{rest}")),
        Dialect::Aws => text.strip_prefix("acs:").map(|rest| format!("arn:aws:{rest}")),
    };
    turned.unwrap_or_else(|| text.to_owned())
}

/// A condition key in the words of the language; any other text as it is.
#[must_use]
pub fn key(text: &str, to: Dialect) -> String {
    let other = other_than(to);
    match text.strip_prefix(other.words().key_prefix) {
        Some(rest) => format!("{}{rest}", to.words().key_prefix),
        None => text.to_owned(),
    }
}

fn principals(value: &Value, to: Dialect) -> Value {
    match value {
        Value::String(text) => Value::String(identity(text, to)),
        Value::Array(items) => items.iter().map(|item| principals(item, to)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(kind, value)| {
                let is_identity = kind == other_than(to).words().identities;
                let kind = if is_identity { to.words().identities } else { kind };
                (kind.to_owned(), principals(value, to))
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The name of an identity in the words of the language; any other text as it is.
#[must_use]
pub fn identity(text: &str, to: Dialect) -> String {
    match text.strip_prefix(other_than(to).words().identity_prefix) {
        Some(rest) => format!("{}{rest}", to.words().identity_prefix),
        None => text.to_owned(),
    }
}

fn other_than(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::Ram => Dialect::Aws,
        Dialect::Aws => Dialect::Ram,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{Policy, PolicyKind};

    #[test]
    fn a_document_goes_there_and_back() {
        let ram = json!({"Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "oss:Get*", "Resource": ["acs:oss:*:*:b/x:y", "*"],
            "Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}, "StringLike": {
                "acs:PrincipalARN": "acs:ram:*:*:role/x", "oss:Prefix": "a"}}}]});
        let aws = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "oss:Get*", "Resource": ["arn:aws:oss:*:*:b/x:y", "*"],
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringLike": {
                "aws:PrincipalARN": "arn:aws:ram:*:*:role/x", "oss:Prefix": "a"}}}]});
        assert_eq!(translate(&ram, Dialect::Aws), aws);
        assert_eq!(translate(&aws, Dialect::Ram), ram);
        assert_eq!(translate(&aws, Dialect::Aws), aws);
    }

    #[test]
    fn identities_change_type_and_service() {
        let ram = json!({"Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"RAM": ["acs:ram::1000000000000001:role/x"], "Service": "a.b.com"}}]});
        let aws = translate(&ram, Dialect::Aws);
        assert_eq!(
            aws["Statement"][0]["Principal"]["AWS"][0],
            "arn:aws:iam::1000000000000001:role/x"
        );
        assert!(Policy::parse_in(Dialect::Aws, &aws.to_string(), PolicyKind::Trust).is_ok());
        assert_eq!(translate(&aws, Dialect::Ram), ram);
    }

    #[test]
    fn a_lone_statement_and_an_id_fit_into_ram() {
        let aws = json!({"Version": "2008-10-17", "Id": "x", "Statement": {
            "Effect": "Deny", "Action": "*", "Resource": "*"}});
        let ram = translate(&aws, Dialect::Ram).to_string();
        assert!(Policy::parse(&ram, PolicyKind::Permission).is_ok(), "{ram}");
    }

    #[test]
    fn plain_text_does_not_become_a_variable() {
        let ram = json!({"Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "*", "Resource": "acs:oss:*:*:${aws:username}"}]});
        let aws = translate(&ram, Dialect::Aws).to_string();
        let policy = Policy::parse_in(Dialect::Aws, &aws, PolicyKind::Permission).unwrap();
        let asks = |resource| {
            let request = crate::policy::Request::new("a:B", resource);
            crate::policy::evaluate(&[&policy], &request).is_allow()
        };
        assert!(asks("arn:aws:oss:::${aws:username}"));
    }
}
