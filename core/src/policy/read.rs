//! Reads a document: JSON with places into a policy, or the first rule that it breaks.

use super::{
    condition::Condition,
    dialect::Dialect,
    document::{Actions, Effect, PolicyKind, PrincipalPattern, Principals, Resources, Statement},
    invalid::{InvalidPolicy, Place, Rule},
    json::{self, Member, Node, Value},
    operator::Operator,
    pattern::{ActionPattern, ResourcePattern},
    warning::Warning,
};
use crate::ids::{AccountId, RoleArn};

/// Reads the statements of a document, and what is worth knowing of them.
pub(super) fn policy(
    dialect: Dialect,
    text: &str,
    kind: PolicyKind,
) -> Result<(Vec<Statement>, Vec<Warning>), InvalidPolicy> {
    let characters = text.chars().count();
    let characters_max = dialect.words().characters_max(kind);
    if characters > characters_max {
        let rule = Rule::TooLong { characters, kind, characters_max };
        return Err(InvalidPolicy { at: Place { line: 1, column: 1 }, rule });
    }
    let mut reader = Reader { dialect, kind, warnings: Vec::new() };
    let statements = reader.policy(&json::parse(text)?)?;
    Ok((statements, reader.warnings))
}

struct Reader {
    dialect: Dialect,
    kind: PolicyKind,
    warnings: Vec<Warning>,
}

impl Reader {
    fn policy(&mut self, node: &Node) -> Result<Vec<Statement>, InvalidPolicy> {
        let members = object(node, "the policy")?;
        only(members, &["Version", "Statement"])?;
        let version = required(node, members, "Version")?;
        match text(version, "Version")? {
            "1" => {}
            other => return Err(broken(version, Rule::Version(other.to_owned()))),
        }
        let statements = required(node, members, "Statement")?;
        let Value::List(items) = &statements.value else {
            return Err(wrong_type(statements, "Statement", "a list of statements"));
        };
        if items.is_empty() {
            return Err(broken(statements, Rule::Empty("Statement".into())));
        }
        items.iter().map(|item| self.statement(item)).collect()
    }

    fn statement(&mut self, node: &Node) -> Result<Statement, InvalidPolicy> {
        let members = object(node, "a statement")?;
        only(
            members,
            &[
                "Effect",
                "Action",
                "NotAction",
                "Resource",
                "NotResource",
                "Principal",
                "Condition",
                "Sid",
            ],
        )?;
        let effect = required(node, members, "Effect")?;
        let effect = match text(effect, "Effect")? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            other => return Err(broken(effect, Rule::Effect(other.to_owned()))),
        };
        Ok(Statement {
            effect,
            actions: actions(node, members)?,
            resources: self.resources(node, members)?,
            principals: self.principals(node, members)?,
            conditions: match member(members, "Condition") {
                Some(condition) => self.conditions(&condition.value)?,
                None => Vec::new(),
            },
            sid: match member(members, "Sid") {
                Some(sid) => Some(text(&sid.value, "Sid")?.to_owned()),
                None => None,
            },
            at: node.at,
        })
    }

    fn resources(&mut self, node: &Node, members: &[Member]) -> Result<Resources, InvalidPolicy> {
        let dialect = self.dialect;
        let read = |member: &Member, element| {
            list(&member.value, element)?
                .into_iter()
                .map(|(at, text)| {
                    let rule = || Rule::Resource(text.clone());
                    ResourcePattern::parse(dialect, &text)
                        .ok_or_else(|| InvalidPolicy { at, rule: rule() })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        match (member(members, "Resource"), member(members, "NotResource")) {
            (Some(found), _) | (None, Some(found)) if self.kind == PolicyKind::Trust => {
                Err(self.misplaced(found, "Resource"))
            }
            (None, None) if self.kind == PolicyKind::Trust => Ok(Resources::OfTrust),
            (None, None) => Err(broken(node, Rule::Missing("Resource"))),
            (Some(_), Some(second)) => {
                Err(InvalidPolicy { at: second.at, rule: Rule::Both("Resource", "NotResource") })
            }
            (Some(found), None) => Ok(Resources::Only(read(found, "Resource")?)),
            (None, Some(found)) => {
                self.warnings.push(Warning::NotResource(found.at));
                Ok(Resources::AllBut(read(found, "NotResource")?))
            }
        }
    }

    fn principals(&self, node: &Node, members: &[Member]) -> Result<Principals, InvalidPolicy> {
        let found = match (member(members, "Principal"), self.kind) {
            (Some(found), PolicyKind::Trust) => found,
            (None, PolicyKind::Trust) => return Err(broken(node, Rule::Missing("Principal"))),
            (Some(found), _) => return Err(self.misplaced(found, "Principal")),
            (None, _) => return Ok(Principals::OfIdentity),
        };
        let types = object(&found.value, "Principal")?;
        only(types, &["RAM", "Service", "Federated"])?;
        let mut principals = Vec::new();
        for one_type in types {
            for (at, text) in list(&one_type.value, &one_type.name)? {
                let element = one_type.name.clone();
                principals.push(
                    principal(&element, &text)
                        .ok_or(InvalidPolicy { at, rule: Rule::Principal { element, text } })?,
                );
            }
        }
        if principals.is_empty() {
            return Err(broken(&found.value, Rule::Empty("Principal".into())));
        }
        Ok(Principals::Only(principals))
    }

    fn conditions(&self, node: &Node) -> Result<Vec<Condition>, InvalidPolicy> {
        let mut conditions = Vec::new();
        for block in object(node, "Condition")? {
            let operator = Operator::named(self.dialect, &block.name).ok_or_else(|| {
                InvalidPolicy { at: block.at, rule: Rule::Operator(block.name.clone()) }
            })?;
            for entry in object(&block.value, &block.name)? {
                let values = list(&entry.value, &entry.name)?;
                let key = entry.name.to_lowercase();
                let repeated = |other: &Condition| other.operator == operator && other.key == key;
                if conditions.iter().any(repeated) {
                    let rule = Rule::DuplicateKey(entry.name.clone());
                    return Err(InvalidPolicy { at: entry.at, rule });
                }
                if let Some((at, text)) =
                    values.iter().find(|(_, text)| !operator.takes(self.dialect, text))
                {
                    let (operator, expected) = (operator.to_string(), operator.expected());
                    let text = text.clone();
                    let rule = Rule::ConditionValue { operator, text, expected };
                    return Err(InvalidPolicy { at: *at, rule });
                }
                let values = values.into_iter().map(|(_, text)| text).collect();
                conditions.push(Condition { operator, key, values, has_variables: false });
            }
        }
        Ok(conditions)
    }

    fn misplaced(&self, member: &Member, element: &'static str) -> InvalidPolicy {
        InvalidPolicy { at: member.at, rule: Rule::Misplaced { element, kind: self.kind } }
    }
}

fn actions(node: &Node, members: &[Member]) -> Result<Actions, InvalidPolicy> {
    let read = |member: &Member, element| {
        list(&member.value, element)?
            .into_iter()
            .map(|(at, text)| {
                ActionPattern::parse(&text).ok_or(InvalidPolicy { at, rule: Rule::Action(text) })
            })
            .collect::<Result<Vec<_>, _>>()
    };
    match (member(members, "Action"), member(members, "NotAction")) {
        (Some(_), Some(second)) => {
            Err(InvalidPolicy { at: second.at, rule: Rule::Both("Action", "NotAction") })
        }
        (Some(found), None) => Ok(Actions::Only(read(found, "Action")?)),
        (None, Some(found)) => Ok(Actions::AllBut(read(found, "NotAction")?)),
        (None, None) => Err(broken(node, Rule::Missing("Action"))),
    }
}

fn principal(element: &str, text: &str) -> Option<PrincipalPattern> {
    match element {
        "RAM" => {
            if let Ok(role) = text.parse::<RoleArn>() {
                return Some(PrincipalPattern::Role(role));
            }
            let (account, name) = text.strip_prefix("acs:ram::")?.split_once(':')?;
            let account = account.parse().ok()?;
            match name.strip_prefix("user/") {
                Some(name) => {
                    is_name(name).then(|| PrincipalPattern::User { account, name: name.to_owned() })
                }
                None => (name == "root").then_some(PrincipalPattern::Account(account)),
            }
        }
        "Service" => {
            let (account, name) = match text.split_once('@') {
                Some((account, name)) => (Some(account.parse().ok()?), name),
                None => (None, text),
            };
            let valid = name.contains('.') && is_name(name);
            valid.then(|| PrincipalPattern::Service { account, name: name.to_owned() })
        }
        _ => {
            let (account, provider) = text.strip_prefix("acs:ram::")?.split_once(':')?;
            account.parse::<AccountId>().ok()?;
            let name = provider
                .strip_prefix("saml-provider/")
                .or_else(|| provider.strip_prefix("oidc-provider/"))?;
            is_name(name).then(|| PrincipalPattern::Federated(text.to_owned()))
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
}

fn member<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name == name)
}

fn required<'a>(
    node: &Node,
    members: &'a [Member],
    name: &'static str,
) -> Result<&'a Node, InvalidPolicy> {
    member(members, name)
        .map(|member| &member.value)
        .ok_or_else(|| broken(node, Rule::Missing(name)))
}

fn only(members: &[Member], known: &[&str]) -> Result<(), InvalidPolicy> {
    match members.iter().find(|member| !known.contains(&member.name.as_str())) {
        Some(member) => {
            let rule = Rule::UnknownElement(member.name.clone());
            Err(InvalidPolicy { at: member.at, rule })
        }
        None => Ok(()),
    }
}

fn object<'a>(node: &'a Node, element: &str) -> Result<&'a [Member], InvalidPolicy> {
    match &node.value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Err(wrong_type(node, element, "an object"))
        }
    }
}

fn text<'a>(node: &'a Node, element: &str) -> Result<&'a str, InvalidPolicy> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            Err(wrong_type(node, element, "a text in double quotes"))
        }
    }
}

/// Reads one value or a list of them; a bare number or boolean counts as its text.
fn list(node: &Node, element: &str) -> Result<Vec<(Place, String)>, InvalidPolicy> {
    let one = |node: &Node| match &node.value {
        Value::Text(text) | Value::Number(text) => Ok((node.at, text.clone())),
        Value::Bool(bool) => Ok((node.at, bool.to_string())),
        Value::Null | Value::List(_) | Value::Object(_) => {
            Err(wrong_type(node, element, "a text or a list of texts"))
        }
    };
    match &node.value {
        Value::List(items) if items.is_empty() => Err(broken(node, Rule::Empty(element.into()))),
        Value::List(items) => items.iter().map(one).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            Ok(vec![one(node)?])
        }
    }
}

fn broken(node: &Node, rule: Rule) -> InvalidPolicy {
    InvalidPolicy { at: node.at, rule }
}

fn wrong_type(node: &Node, element: &str, expected: &'static str) -> InvalidPolicy {
    broken(node, Rule::WrongType { element: element.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explain::Explain, policy::Policy};

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
            let padding =
                Dialect::Ram.words().characters_max(kind).checked_sub(body.len()).unwrap();
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
        assert!(matches!(policy.warnings(), [Warning::NotResource(_)]));
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
}
