//! What a policy document says, read once and checked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    condition::{Condition, Operator},
    json::{self, Member, Node, Value},
    pattern::{ActionPattern, ResourcePattern},
};
use crate::{
    explain::Explain,
    ids::{AccountId, RoleArn},
};

/// What a policy is for; that decides its elements and its longest length.
///
/// Source: RAM, "Limits"; STS API, `AssumeRole`. The limit of trust policies is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Attached to an identity: what it may do.
    Permission,
    /// Given with `AssumeRole`: what of the role's permissions the session keeps.
    Session,
    /// Of a role: who may assume it.
    Trust,
    /// Of a directory: what its members' identities may do at most.
    Control,
}

impl PolicyKind {
    /// The most characters that a document may have.
    #[must_use]
    pub fn characters_max(self) -> usize {
        match self {
            Self::Permission => 6144,
            Self::Session => 2048,
            Self::Trust | Self::Control => 4096,
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Permission => "permission",
            Self::Session => "session",
            Self::Trust => "trust",
            Self::Control => "control",
        })
    }
}

/// A position in a document: line and column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A document that breaks a rule of the policy language, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy breaks a rule at {at}: {rule}")]
pub struct InvalidPolicy {
    /// Where the text that breaks it begins.
    pub at: Place,
    /// The rule.
    pub rule: Rule,
}

/// A rule of the policy language, as it was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The text is not JSON.
    #[error("not JSON, {0}")]
    NotJson(&'static str),
    /// Two members of an object share a name.
    #[error("`{0}` stands twice in one object")]
    DuplicateKey(String),
    /// The document is longer than its kind may be.
    #[error("{characters} characters, and a {kind} policy has at most {}", kind.characters_max())]
    TooLong {
        /// The document's length.
        characters: usize,
        /// The kind that sets the limit.
        kind: PolicyKind,
    },
    /// An element has a value of another type.
    #[error("`{element}` must be {expected}")]
    WrongType {
        /// The element.
        element: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A list has nothing in it.
    #[error("`{0}` is empty")]
    Empty(String),
    /// An element that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Two elements exclude each other.
    #[error("`{0}` and `{1}` stand in one statement")]
    Both(&'static str, &'static str),
    /// The language has no such element.
    #[error("there is no element `{0}`")]
    UnknownElement(String),
    /// The language has the element, but not in a policy of this kind.
    #[error("`{element}` does not belong into a {kind} policy")]
    Misplaced {
        /// The element.
        element: &'static str,
        /// The kind of the policy.
        kind: PolicyKind,
    },
    /// The version is another than `1`.
    #[error("`Version` is `{0}`, and the one version is `1`")]
    Version(String),
    /// The effect is neither of the two.
    #[error("`Effect` is `{0}`, and may be `Allow` or `Deny`")]
    Effect(String),
    /// A text that names no action.
    #[error("`{0}` is not an action")]
    Action(String),
    /// A text that names no resource.
    #[error("`{0}` is not a resource")]
    Resource(String),
    /// A text that names no principal.
    #[error("`{text}` is not a principal of the type `{element}`")]
    Principal {
        /// The type, such as `RAM`.
        element: String,
        /// The text.
        text: String,
    },
    /// A condition operator that RAM does not have.
    #[error("there is no condition operator `{0}`")]
    Operator(String),
    /// A value that is none of the operator's type.
    #[error("`{text}` is not {expected}, which `{operator}` compares with")]
    ConditionValue {
        /// The operator.
        operator: &'static str,
        /// The value.
        text: String,
        /// What would have been right.
        expected: &'static str,
    },
}

impl Explain for InvalidPolicy {
    fn code(&self) -> &'static str {
        match self.rule {
            Rule::NotJson(_) => "POLICY_NOT_JSON",
            Rule::DuplicateKey(_) => "POLICY_DUPLICATE_KEY",
            Rule::TooLong { .. } => "POLICY_TOO_LONG",
            Rule::WrongType { .. } => "POLICY_WRONG_TYPE",
            Rule::Empty(_) => "POLICY_EMPTY_LIST",
            Rule::Missing(_) => "POLICY_ELEMENT_MISSING",
            Rule::Both(..) => "POLICY_ELEMENTS_EXCLUDE",
            Rule::UnknownElement(_) => "POLICY_ELEMENT_UNKNOWN",
            Rule::Misplaced { .. } => "POLICY_ELEMENT_MISPLACED",
            Rule::Version(_) => "POLICY_VERSION",
            Rule::Effect(_) => "POLICY_EFFECT",
            Rule::Action(_) => "POLICY_ACTION",
            Rule::Resource(_) => "POLICY_RESOURCE",
            Rule::Principal { .. } => "POLICY_PRINCIPAL",
            Rule::Operator(_) => "POLICY_OPERATOR",
            Rule::ConditionValue { .. } => "POLICY_CONDITION_VALUE",
        }
    }

    fn remedy(&self) -> String {
        match &self.rule {
            Rule::NotJson(_) => "Correct the JSON at that place.".into(),
            Rule::DuplicateKey(name) => format!("Join the two `{name}` into one."),
            Rule::TooLong { .. } => "Shorten the policy, or split it into several.".into(),
            Rule::WrongType { element, expected } => format!("Give `{element}` {expected}."),
            Rule::Empty(element) => format!("Name at least one in `{element}`."),
            Rule::Missing(element) => format!("Add `{element}`."),
            Rule::Both(first, second) => format!("Keep either `{first}` or `{second}`."),
            Rule::UnknownElement(_) => "Remove it, or correct its spelling; case counts.".into(),
            Rule::Misplaced { element, .. } => format!("Remove `{element}`."),
            Rule::Version(_) => "Write `\"Version\": \"1\"`.".into(),
            Rule::Effect(_) => "Write `Allow` or `Deny`; case counts.".into(),
            Rule::Action(_) => "Write `*` or `<service>:<action>`, such as `oss:GetObject`.".into(),
            Rule::Resource(_) => {
                "Write `*` or `acs:<service>:<region>:<account>:<relative id>`.".into()
            }
            Rule::Principal { element, .. } => match element.as_str() {
                "RAM" => "Write `acs:ram::<account>:root`, `…:user/<name>` or `…:role/<name>`.",
                "Service" => "Write a service, such as `rd.hbr.aliyuncs.com`.",
                _ => "Write `acs:ram::<account>:saml-provider/<name>` or `…:oidc-provider/<name>`.",
            }
            .into(),
            Rule::Operator(_) => "Use an operator of RAM, such as `StringEquals`; RAM has no \
                                  `Null`, no `…IfExists` and no `ForAnyValue:`."
                .into(),
            Rule::ConditionValue { expected, .. } => format!("Write {expected}."),
        }
    }
}

/// What is worth knowing about a document that is valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The element is of an old grammar; the present documents do not have it.
    #[error("`NotResource` at {0} is no longer documented, and RAM may refuse it")]
    NotResource(Place),
}

impl Explain for Warning {
    fn code(&self) -> &'static str {
        match self {
            Self::NotResource(_) => "POLICY_NOT_RESOURCE_UNSUPPORTED",
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::NotResource(_) => {
                "Allow the resources by `Resource`, and deny the others in a statement of its own."
                    .into()
            }
        }
    }
}

/// A policy document, valid by construction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Policy {
    kind: PolicyKind,
    text: String,
    statements: Vec<Statement>,
    warnings: Vec<Warning>,
}

/// A policy as it is stored: its text is the truth.
#[derive(Serialize, Deserialize)]
struct Written {
    kind: PolicyKind,
    text: String,
}

impl TryFrom<Written> for Policy {
    type Error = InvalidPolicy;
    fn try_from(written: Written) -> Result<Self, InvalidPolicy> {
        Self::parse(&written.text, written.kind)
    }
}

impl From<Policy> for Written {
    fn from(policy: Policy) -> Self {
        Self { kind: policy.kind, text: policy.text }
    }
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it does when it matches.
    pub effect: Effect,
    /// The actions that it speaks of.
    pub actions: Actions,
    /// The resources that it speaks of.
    pub resources: Resources,
    /// Whom it trusts; empty but in trust policies.
    pub principals: Vec<PrincipalPattern>,
    /// What must be met, all of it, for the statement to match.
    pub conditions: Vec<Condition>,
    /// Where it begins.
    pub at: Place,
}

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allows, if nothing denies.
    Allow,
    /// Denies, whatever allows.
    Deny,
}

/// The actions that a statement speaks of; never an empty list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actions {
    /// `Action`: those that one of the patterns matches.
    Only(Vec<ActionPattern>),
    /// `NotAction`: those that none of the patterns matches.
    AllBut(Vec<ActionPattern>),
}

/// The resources that a statement speaks of; never an empty list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resources {
    /// `Resource`: those that one of the patterns matches.
    Only(Vec<ResourcePattern>),
    /// `NotResource`: those that none of the patterns matches.
    AllBut(Vec<ResourcePattern>),
    /// In a trust policy, which stands at its resource: the role itself.
    OfTrust,
}

/// Whom a trust policy names.
///
/// Source: RAM, "Edit the trust policy of a RAM role".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalPattern {
    /// `acs:ram::<account>:root`: each identity of the account but its root user.
    Account(AccountId),
    /// `acs:ram::<account>:user/<name>`.
    User {
        /// The user's account.
        account: AccountId,
        /// The user's name.
        name: String,
    },
    /// `acs:ram::<account>:role/<name>`: sessions of that role.
    Role(RoleArn),
    /// A service, such as `rd.hbr.aliyuncs.com` or `<account>@eventbridge.aliyuncs.com`.
    Service {
        /// The account that it acts for; `None` is the account of the role.
        account: Option<AccountId>,
        /// The service's name.
        name: String,
    },
    /// An identity provider, by its ARN.
    Federated(String),
}

impl Policy {
    /// Reads a document of that kind.
    ///
    /// # Errors
    /// [`InvalidPolicy`] with the first rule that the document breaks, and where.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, InvalidPolicy> {
        let characters = text.chars().count();
        if characters > kind.characters_max() {
            let rule = Rule::TooLong { characters, kind };
            return Err(InvalidPolicy { at: Place { line: 1, column: 1 }, rule });
        }
        let mut reader = Reader { kind, warnings: Vec::new() };
        let statements = reader.policy(&json::parse(text)?)?;
        Ok(Self { kind, text: text.to_owned(), statements, warnings: reader.warnings })
    }

    /// What the policy is for.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The document as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The statements, in the order of the document.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// What is worth knowing about the document although it is valid.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

struct Reader {
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
                Some(condition) => conditions(&condition.value)?,
                None => Vec::new(),
            },
            at: node.at,
        })
    }

    fn resources(&mut self, node: &Node, members: &[Member]) -> Result<Resources, InvalidPolicy> {
        let read = |member: &Member, element| {
            list(&member.value, element)?
                .into_iter()
                .map(|(at, text)| {
                    let rule = || Rule::Resource(text.clone());
                    ResourcePattern::parse(&text).ok_or_else(|| InvalidPolicy { at, rule: rule() })
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

    fn principals(
        &self,
        node: &Node,
        members: &[Member],
    ) -> Result<Vec<PrincipalPattern>, InvalidPolicy> {
        let found = match (member(members, "Principal"), self.kind) {
            (Some(found), PolicyKind::Trust) => found,
            (None, PolicyKind::Trust) => return Err(broken(node, Rule::Missing("Principal"))),
            (Some(found), _) => return Err(self.misplaced(found, "Principal")),
            (None, _) => return Ok(Vec::new()),
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
        Ok(principals)
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

fn conditions(node: &Node) -> Result<Vec<Condition>, InvalidPolicy> {
    let mut conditions = Vec::new();
    for block in object(node, "Condition")? {
        let operator = Operator::named(&block.name).ok_or_else(|| InvalidPolicy {
            at: block.at,
            rule: Rule::Operator(block.name.clone()),
        })?;
        for entry in object(&block.value, &block.name)? {
            let values = list(&entry.value, &entry.name)?;
            let texts: Vec<&str> = values.iter().map(|(_, text)| text.as_str()).collect();
            let condition = Condition::read(operator, &entry.name, &texts).map_err(|index| {
                let (at, text) = values.get(index).cloned().unwrap_or((entry.at, String::new()));
                let (operator, expected) = (operator.name(), operator.expected());
                InvalidPolicy { at, rule: Rule::ConditionValue { operator, text, expected } }
            })?;
            let repeated =
                |other: &Condition| other.operator() == operator && other.key() == condition.key();
            if conditions.iter().any(repeated) {
                let rule = Rule::DuplicateKey(entry.name.clone());
                return Err(InvalidPolicy { at: entry.at, rule });
            }
            conditions.push(condition);
        }
    }
    Ok(conditions)
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
            let padding = kind.characters_max().checked_sub(body.len()).unwrap();
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
