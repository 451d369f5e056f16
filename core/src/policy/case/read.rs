//! Reads a case from its line.

use serde_json::Value as Json;

use super::{Case, Decision, Fault, InvalidCase};
use crate::policy::{
    dialect::Dialect,
    json::{self, Member, Node, Value},
};

/// What is wrong, and with which field.
type Wrong = (String, Fault);

pub(super) fn case(text: &str, line: usize) -> Result<Case, InvalidCase> {
    let read = || {
        let node = json::parse(text).map_err(|broken| {
            let error = broken.within(Dialect::Ram, text);
            ("case".to_owned(), Fault::NotJson { rule: error.rule, column: error.at.column })
        })?;
        whole(&node, line)
    };
    read().map_err(|(field, fault)| InvalidCase { line, field, fault })
}

fn whole(node: &Node<'_>, line: usize) -> Result<Case, Wrong> {
    let case = Fields::of(node, "", &["id", "source", "policies", "request", "expected"])?;
    let policies = case.object("policies", &["identity", "session", "control"])?;
    let request = case.object("request", &["principal", "action", "resource", "context"])?;
    if let Some(principal) = request.find("principal") {
        text(principal, "request.principal")?;
    }
    let expected = case.text("expected")?;
    let expected = Decision::ALL
        .into_iter()
        .find(|decision| decision.name() == expected)
        .ok_or_else(|| wrong("expected", "`Allow`, `ExplicitDeny` or `ImplicitDeny`"))?;
    Ok(Case {
        id: case.text("id")?.to_owned(),
        source: match case.find("source") {
            Some(source) => text(source, "source")?.to_owned(),
            None => String::new(),
        },
        expected,
        line,
        identity: documents(policies.required("identity")?, "policies.identity")?,
        session: match policies.find("session") {
            None | Some(Node { value: Value::Null, .. }) => None,
            Some(session) => Some(document(session, "policies.session")?),
        },
        control: match policies.find("control") {
            None | Some(Node { value: Value::Null, .. }) => Vec::new(),
            Some(control) => levels(control)?,
        },
        action: request.text("action")?.to_owned(),
        resource: request.text("resource")?.to_owned(),
        context: match request.find("context") {
            None | Some(Node { value: Value::Null, .. }) => Vec::new(),
            Some(context) => values(context)?,
        },
    })
}

/// The members of an object, with the path that leads to it.
struct Fields<'n, 'a> {
    path: String,
    members: &'n [Member<'a>],
}

impl<'n, 'a> Fields<'n, 'a> {
    fn of(node: &'n Node<'a>, path: &str, known: &[&str]) -> Result<Self, Wrong> {
        let named = if path.is_empty() { "case" } else { path };
        let Value::Object(members) = &node.value else { return Err(wrong(named, "an object")) };
        let fields = Self { path: path.to_owned(), members };
        match members.iter().find(|member| !known.contains(&member.name.as_ref())) {
            Some(member) => Err((fields.field(&member.name), Fault::Unknown)),
            None => Ok(fields),
        }
    }

    fn field(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn find(&self, name: &str) -> Option<&'n Node<'a>> {
        let mut members = self.members.iter();
        members.find(|member| member.name == name).map(|member| &member.value)
    }

    fn required(&self, name: &str) -> Result<&'n Node<'a>, Wrong> {
        self.find(name).ok_or_else(|| (self.field(name), Fault::Missing))
    }

    fn object(&self, name: &str, known: &[&str]) -> Result<Self, Wrong> {
        Fields::of(self.required(name)?, &self.field(name), known)
    }

    fn text(&self, name: &str) -> Result<&'n str, Wrong> {
        text(self.required(name)?, &self.field(name))
    }
}

fn text<'n>(node: &'n Node<'_>, field: &str) -> Result<&'n str, Wrong> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            Err(wrong(field, "a text in double quotes"))
        }
    }
}

fn levels(node: &Node<'_>) -> Result<Vec<Vec<Json>>, Wrong> {
    let Value::List(levels) = &node.value else {
        return Err(wrong("policies.control", "a list with the policies of each level"));
    };
    let level = |(number, level): (usize, &Node<'_>)| {
        documents(level, &format!("policies.control[{number}]"))
    };
    levels.iter().enumerate().map(level).collect()
}

/// A list of policies, or one.
fn documents(node: &Node<'_>, field: &str) -> Result<Vec<Json>, Wrong> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(number, item)| document(item, &format!("{field}[{number}]")))
            .collect(),
        Value::Object(_) => Ok(vec![document(node, field)?]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            Err(wrong(field, "a policy or a list of policies"))
        }
    }
}

fn document(node: &Node<'_>, field: &str) -> Result<Json, Wrong> {
    match &node.value {
        Value::Object(_) => json(node, field),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Err(wrong(field, "a policy"))
        }
    }
}

/// The same value for `serde_json`.
fn json(node: &Node<'_>, field: &str) -> Result<Json, Wrong> {
    Ok(match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(text) => Json::Number(
            text.parse().map_err(|_| wrong(field, "a policy whose numbers can be held"))?,
        ),
        Value::Text(text) => Json::String(text.to_string()),
        Value::List(items) => {
            items.iter().map(|item| json(item, field)).collect::<Result<_, _>>()?
        }
        Value::Object(members) => members
            .iter()
            .map(|member| Ok((member.name.to_string(), json(&member.value, field)?)))
            .collect::<Result<_, Wrong>>()?,
    })
}

/// Each key of the context with each of its values.
fn values(node: &Node<'_>) -> Result<Vec<(String, String)>, Wrong> {
    let Value::Object(members) = &node.value else {
        return Err(wrong("request.context", "an object"));
    };
    let mut values = Vec::new();
    for member in members {
        let items = match &member.value.value {
            Value::List(items) => items.as_slice(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                std::slice::from_ref(&member.value)
            }
        };
        for item in items {
            let value = match &item.value {
                Value::Text(text) => text.to_string(),
                Value::Number(text) => (*text).to_owned(),
                Value::Bool(value) => value.to_string(),
                Value::Null | Value::List(_) | Value::Object(_) => {
                    let field = format!("request.context.{}", member.name);
                    return Err(wrong(&field, "a text or a list of texts"));
                }
            };
            values.push((member.name.to_string(), value));
        }
    }
    Ok(values)
}

fn wrong(field: &str, expected: &'static str) -> Wrong {
    (field.to_owned(), Fault::WrongType(expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explain::Explain, policy::Ruling};

    const POLICY: &str =
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#;
    const REQUEST: &str = r#"{"action":"oss:GetObject","resource":"acs:oss:cn:1:b/x"}"#;

    fn line(policies: &str, request: &str, expected: &str) -> String {
        format!(r#"{{"id":"x","policies":{policies},"request":{request},"expected":"{expected}"}}"#)
    }

    #[test]
    fn a_policy_stands_alone_or_in_a_list_and_in_either_language() {
        let aws = POLICY.replace("\"1\"", "\"2012-10-17\"");
        for identity in [POLICY, &aws, &format!("[{POLICY},{aws}]")] {
            for request in [REQUEST, &REQUEST.replace("acs:", "arn:aws:")] {
                let policies = format!(r#"{{"identity":{identity},"control":[{POLICY},[{aws}]]}}"#);
                let case = Case::parse(&line(&policies, request, "Allow")).unwrap();
                for dialect in [Dialect::Ram, Dialect::Aws] {
                    let outcome = case.run(dialect).unwrap();
                    assert!(outcome.is_expected());
                    assert_eq!(outcome.found, Ruling::Allow { policy: 0, statement: 0 });
                }
            }
        }
    }

    #[test]
    fn what_differs_is_told() {
        let policies = r#"{"identity":[],"session":null,"control":[]}"#;
        let outcome = Case::parse(&line(policies, REQUEST, "Allow")).unwrap().run(Dialect::Ram);
        let outcome = outcome.unwrap();
        assert!(!outcome.is_expected());
        assert_eq!(outcome.decision(), Decision::ImplicitDeny);
    }

    #[test]
    fn a_context_value_is_a_text_or_several() {
        let request = REQUEST.replace('}', r#","context":{"k":["a",1,true],"acs:l":false}}"#);
        let case = Case::parse(&line(r#"{"identity":[]}"#, &request, "ImplicitDeny")).unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = [pair("k", "a"), pair("k", "1"), pair("k", "true"), pair("acs:l", "false")];
        assert_eq!(case.context, expected);
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let error = Case::parse(line).unwrap_err();
        assert_eq!(format!("{error} ({})", error.code()), expected);
        assert!(!error.remedy().is_empty());
    }

    #[test]
    fn a_wrong_field_is_named() {
        let policies = r#"{"identity":[]}"#;
        check(
            "{",
            "line 1, `case`: not JSON, a name in double quotes was expected, in column 2 (CASE_NOT_JSON)",
        );
        check("[]", "line 1, `case`: must be an object (CASE_WRONG_TYPE)");
        check("{}", "line 1, `policies`: missing (CASE_FIELD_MISSING)");
        check(
            &line(policies, REQUEST, "allow"),
            "line 1, `expected`: must be `Allow`, `ExplicitDeny` or `ImplicitDeny` (CASE_WRONG_TYPE)",
        );
        check(
            &line(r#"{"identity":[],"trust":1}"#, REQUEST, "Allow"),
            "line 1, `policies.trust`: no such field (CASE_FIELD_UNKNOWN)",
        );
        check(
            &line(r#"{"identity":[1]}"#, REQUEST, "Allow"),
            "line 1, `policies.identity[0]`: must be a policy (CASE_WRONG_TYPE)",
        );
        check(
            &line(policies, r#"{"action":"a:B"}"#, "Allow"),
            "line 1, `request.resource`: missing (CASE_FIELD_MISSING)",
        );
        let context = REQUEST.replace('}', r#","context":{"k":null}}"#);
        check(
            &line(policies, &context, "Allow"),
            "line 1, `request.context.k`: must be a text or a list of texts (CASE_WRONG_TYPE)",
        );
    }

    #[test]
    fn a_policy_that_breaks_a_rule_is_named_with_its_line() {
        let good = line(r#"{"identity":[]}"#, REQUEST, "ImplicitDeny");
        let bad = POLICY.replace("Allow", "allow");
        let bad = line(
            &format!(r#"{{"identity":[],"control":[[],[{POLICY},{bad}]]}}"#),
            REQUEST,
            "Allow",
        );
        let text = format!("{good}\n\n{bad}\n");
        let cases: Vec<Case> = Case::parse_lines(&text).collect::<Result<_, _>>().unwrap();
        let error = cases[1].run(Dialect::Ram).unwrap_err();
        assert_eq!((error.line, error.field.as_str()), (3, "policies.control[1][1]"));
        assert_eq!(error.code(), "POLICY_EFFECT");
    }
}
