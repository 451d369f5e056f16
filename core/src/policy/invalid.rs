//! A document that breaks a rule of the policy language: the rule, its place, what to do.

use std::fmt;

use super::{
    dialect::{Dialect, Words},
    document::PolicyKind,
};
use crate::explain::Explain;

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
    /// The language that has the rule.
    pub dialect: Dialect,
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
    #[error("{characters} characters, and a {kind} policy has at most {characters_max}")]
    TooLong {
        /// The document's length.
        characters: usize,
        /// The kind that sets the limit.
        kind: PolicyKind,
        /// The limit.
        characters_max: usize,
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
    /// The language has no such version.
    #[error("there is no version `{0}`")]
    Version(String),
    /// Two statements share their name.
    #[error("two statements have the `Sid` `{0}`")]
    SidTwice(String),
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
    /// A policy variable that has no end or names no key.
    #[error("`{0}` holds a policy variable that names no key")]
    Variable(String),
    /// A condition operator that the language does not have.
    #[error("there is no condition operator `{0}`")]
    Operator(String),
    /// A value that is none of the operator's type.
    #[error("`{text}` is not {expected}, which `{operator}` compares with")]
    ConditionValue {
        /// The operator.
        operator: String,
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
            Rule::SidTwice(_) => "POLICY_SID_TWICE",
            Rule::Effect(_) => "POLICY_EFFECT",
            Rule::Action(_) => "POLICY_ACTION",
            Rule::Resource(_) => "POLICY_RESOURCE",
            Rule::Principal { .. } => "POLICY_PRINCIPAL",
            Rule::Variable(_) => "POLICY_VARIABLE",
            Rule::Operator(_) => "POLICY_OPERATOR",
            Rule::ConditionValue { .. } => "POLICY_CONDITION_VALUE",
        }
    }

    fn remedy(&self) -> String {
        let words = self.dialect.words();
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
            Rule::Version(_) => {
                let version = words.versions.first().unwrap_or(&"1");
                format!("Write `\"Version\": \"{version}\"`.")
            }
            Rule::SidTwice(_) => "Give each statement a name of its own, or none.".into(),
            Rule::Effect(_) => "Write `Allow` or `Deny`; case counts.".into(),
            Rule::Action(_) => "Write `*` or `<service>:<action>`, such as `oss:GetObject`.".into(),
            Rule::Resource(_) => format!("Write `*` or `{}`.", words.resource_form),
            Rule::Principal { element, .. } => principal_remedy(element, words),
            Rule::Variable(_) => {
                "Write `${key}` or `${key, 'default'}`; `${$}` stands for a plain `$`.".into()
            }
            Rule::Operator(_) if words.all_operators => {
                "Use an operator of the language, such as `StringEquals`; case counts.".into()
            }
            Rule::Operator(_) => "Use an operator of RAM, such as `StringEquals`; RAM has no \
                                  `Null`, no `…IfExists` and no `ForAnyValue:`."
                .into(),
            Rule::ConditionValue { expected, .. } => format!("Write {expected}."),
        }
    }
}

fn principal_remedy(element: &str, words: &Words) -> String {
    let prefix = words.identity_prefix;
    match element {
        "Service" => "Write a service, such as `rd.hbr.aliyuncs.com`.".into(),
        "Federated" => {
            format!("Write `{prefix}<account>:saml-provider/<name>` or `…:oidc-provider/<name>`.")
        }
        "CanonicalUser" => "Write the 64 digits of a canonical user id.".into(),
        _ => format!("Write `{prefix}<account>:root`, `…:user/<name>` or `…:role/<name>`."),
    }
}
