//! What is worth knowing about a document although it is valid.

use super::invalid::Place;
use crate::explain::Explain;

/// What is worth knowing about a document that is valid, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{doubt} ({at})")]
pub struct Warning {
    /// Where what it is about begins.
    pub at: Place,
    /// What is worth knowing.
    pub doubt: Doubt,
}

/// Something that is valid and yet seldom meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The element is of an old grammar; the present documents do not have it.
    #[error("`NotResource` is no longer documented, and RAM may refuse it")]
    NotResource,
    /// The document names no version.
    #[error("no `Version`, which means `{0}`, in which `${{…}}` is plain text")]
    NoVersion(&'static str),
    /// Looks like a policy variable and is none by the document's version.
    #[error("the variable in `{0}` is plain text in this `Version`")]
    VariableIsText(String),
    /// No request is known to have such a key.
    #[error("`{0}` is not a known condition key")]
    KeyUnknown(String),
    /// The values of the key are of another type than the operator compares.
    #[error("the values of `{key}` are none that `{operator}` compares")]
    KeyType {
        /// The key.
        key: String,
        /// The operator.
        operator: String,
    },
    /// No request can match the statement.
    #[error("the statement never matches: {0}")]
    NeverMatches(String),
    /// Whatever the statement allows is denied.
    #[error("the statement allows nothing: the deny at {0} covers it")]
    Shadowed(Place),
    /// Allows also the actions that are yet to come.
    #[error("`Allow` with `NotAction` allows every other action, also those yet to come")]
    AllowNotAction,
    /// Allows also the resources that are yet to come.
    #[error("`Allow` with `NotResource` allows every other resource, also those yet to come")]
    AllowNotResource,
    /// Lets in also whom nobody thought of.
    #[error("`Allow` with `NotPrincipal` lets in everybody else")]
    AllowNotPrincipal,
    /// An allow that a request without the key meets.
    #[error("`ForAllValues` is also met by a request without `{0}`")]
    ForAllValues(String),
    /// AWS lets wildcards stand only after the type of resource.
    #[error("`{0}` has a wildcard in the type of resource")]
    WildcardInType(String),
}

impl Explain for Warning {
    fn code(&self) -> &'static str {
        self.doubt.code()
    }
    fn remedy(&self) -> String {
        self.doubt.remedy()
    }
}

impl Explain for Doubt {
    fn code(&self) -> &'static str {
        match self {
            Self::NotResource => "POLICY_NOT_RESOURCE_UNSUPPORTED",
            Self::NoVersion(_) => "POLICY_VERSION_ABSENT",
            Self::VariableIsText(_) => "POLICY_VARIABLE_IS_TEXT",
            Self::KeyUnknown(_) => "POLICY_KEY_UNKNOWN",
            Self::KeyType { .. } => "POLICY_KEY_TYPE",
            Self::NeverMatches(_) => "POLICY_NEVER_MATCHES",
            Self::Shadowed(_) => "POLICY_SHADOWED",
            Self::AllowNotAction => "POLICY_ALLOW_NOT_ACTION",
            Self::AllowNotResource => "POLICY_ALLOW_NOT_RESOURCE",
            Self::AllowNotPrincipal => "POLICY_ALLOW_NOT_PRINCIPAL",
            Self::ForAllValues(_) => "POLICY_FOR_ALL_VALUES",
            Self::WildcardInType(_) => "POLICY_WILDCARD_IN_TYPE",
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::NotResource => {
                "Allow the resources by `Resource`, and deny the others in a statement of its own."
            }
            Self::NoVersion(_) => "Name the version; `2012-10-17` is the present one.",
            Self::VariableIsText(_) => "Write `\"Version\": \"2012-10-17\"` to have it expanded.",
            Self::KeyUnknown(_) => "Check its spelling; an absent key meets negated operators.",
            Self::KeyType { .. } => "Use an operator of the key's type.",
            Self::NeverMatches(_) | Self::Shadowed(_) => "Correct the statement, or remove it.",
            Self::AllowNotAction => "Name the allowed actions in `Action`.",
            Self::AllowNotResource => "Name the allowed resources in `Resource`.",
            Self::AllowNotPrincipal => "Name those to let in, in `Principal`.",
            Self::ForAllValues(key) => {
                return format!("Add `\"Null\": {{\"{key}\": \"false\"}}`.");
            }
            Self::WildcardInType(_) => "Write the type out, up to its `/`.",
        }
        .into()
    }
}
