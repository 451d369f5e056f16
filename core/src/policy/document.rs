//! What a policy document says, as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    condition::Condition,
    dialect::Dialect,
    invalid::{InvalidPolicy, Place},
    pattern::{ActionPattern, ResourcePattern},
    read,
    warning::Warning,
};
use crate::ids::{AccountId, RoleArn};

/// What a policy is for; that decides its elements and, by the language, its longest length.
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
    /// Of the cloud itself, attached to identities like a permission policy: the limits of
    /// customers' policies don't bind it.
    System,
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Permission => "permission",
            Self::Session => "session",
            Self::Trust => "trust",
            Self::Control => "control",
            Self::System => "system",
        })
    }
}

/// A policy document, valid by construction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Policy {
    dialect: Dialect,
    kind: PolicyKind,
    text: String,
    statements: Vec<Statement>,
    warnings: Vec<Warning>,
}

/// A policy as it is stored: its text is the truth.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "Dialect::is_ram")]
    dialect: Dialect,
    kind: PolicyKind,
    text: String,
}

impl TryFrom<Written> for Policy {
    type Error = InvalidPolicy;
    fn try_from(written: Written) -> Result<Self, InvalidPolicy> {
        Self::parse_in(written.dialect, &written.text, written.kind)
    }
}

impl From<Policy> for Written {
    fn from(policy: Policy) -> Self {
        Self { dialect: policy.dialect, kind: policy.kind, text: policy.text }
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
    /// Whom it speaks of.
    pub principals: Principals,
    /// What must be met, all of it, for the statement to match.
    pub conditions: Vec<Condition>,
    /// Its name (`Sid`), if it has one; it has no part in decisions.
    pub sid: Option<String>,
    /// Where it begins.
    pub at: Place,
}

impl Statement {
    /// Whether the circumstances of a request can make a difference to it: by a condition, or by a
    /// variable in a resource.
    fn minds_context(&self) -> bool {
        let has_variables = match &self.resources {
            Resources::Only(patterns) | Resources::AllBut(patterns) => {
                patterns.iter().any(ResourcePattern::has_variables)
            }
            Resources::OfTrust => false,
        };
        has_variables || !self.conditions.is_empty()
    }

    /// Whether both decide alike by their words, wherever they stand and whatever their names.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let Self { effect, actions, resources, principals, conditions, sid: _, at: _ } = self;
        *effect == other.effect
            && *actions == other.actions
            && *resources == other.resources
            && *principals == other.principals
            && *conditions == other.conditions
    }
}

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resources {
    /// `Resource`: those that one of the patterns matches.
    Only(Vec<ResourcePattern>),
    /// `NotResource`: those that none of the patterns matches.
    AllBut(Vec<ResourcePattern>),
    /// In a trust policy, which stands at its resource: the role itself.
    OfTrust,
}

/// Whom a statement speaks of; never an empty list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principals {
    /// Whoever the policy is attached to: the statement names nobody.
    OfIdentity,
    /// `Principal`: those that one of the patterns stands for.
    Only(Vec<PrincipalPattern>),
    /// `NotPrincipal`: those that none of the patterns stands for. RAM has no such element.
    AllBut(Vec<PrincipalPattern>),
}

/// One that a trust policy names.
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
    /// An identity provider, by its ARN; in AWS IAM also by its host.
    Federated(String),
    /// `*`: anybody at all. Not in RAM.
    Anyone,
    /// One whom no [`TrustedPrincipal`](super::TrustedPrincipal) can be, as it is written: a role
    /// or user with a path, a named session, an id that the cloud gave. Not in RAM.
    Other(String),
}

impl Principals {
    /// Those that the statement names, either way.
    #[must_use]
    pub fn named(&self) -> &[PrincipalPattern] {
        match self {
            Self::OfIdentity => &[],
            Self::Only(patterns) | Self::AllBut(patterns) => patterns,
        }
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "acs:ram::{account}:root"),
            Self::User { account, name } => write!(f, "acs:ram::{account}:user/{name}"),
            Self::Role(role) => write!(f, "{role}"),
            Self::Service { account: None, name } => f.write_str(name),
            Self::Service { account: Some(account), name } => write!(f, "{account}@{name}"),
            Self::Federated(provider) | Self::Other(provider) => f.write_str(provider),
            Self::Anyone => f.write_str("*"),
        }
    }
}

impl Policy {
    /// Reads a document of that kind in RAM's language.
    ///
    /// # Errors
    /// [`InvalidPolicy`] with the first rule that the document breaks, and where.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, InvalidPolicy> {
        Self::parse_in(Dialect::Ram, text, kind)
    }

    /// Reads a document of that kind in that language.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn parse_in(dialect: Dialect, text: &str, kind: PolicyKind) -> Result<Self, InvalidPolicy> {
        let (statements, warnings) = read::policy(dialect, text, kind)?;
        Ok(Self { dialect, kind, text: text.to_owned(), statements, warnings })
    }

    /// The language that it is written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
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

    /// Whether the circumstances of a request can make a difference to what it decides.
    #[must_use]
    pub fn minds_context(&self) -> bool {
        self.statements.iter().any(Statement::minds_context)
    }

    /// The policy with that statement alone; with none when it has no such statement.
    pub(crate) fn only(&self, number: usize) -> Self {
        let statements = self.statements.get(number).cloned().into_iter().collect();
        Self { statements, ..self.clone() }
    }

    /// What is worth knowing about the document although it is valid.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, statement: &str, expected: bool) {
        let version = if dialect.is_ram() { "1" } else { "2012-10-17" };
        let text = format!(
            r#"{{"Version":"{version}","Statement":[
                {{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}},
                {{"Effect":"Deny","Action":"s3:GetObject",{statement}}}]}}"#
        );
        let policy = Policy::parse_in(dialect, &text, PolicyKind::Permission).unwrap();
        assert_eq!(policy.minds_context(), expected, "{text}");
    }

    #[test]
    fn conditions_and_variables_mind_the_circumstances() {
        check(Dialect::Ram, r#""Resource":"*""#, false);
        let condition = r#""Condition":{"Bool":{"acs:SecureTransport":"false"}}"#;
        check(Dialect::Ram, &format!(r#""Resource":"*",{condition}"#), true);
        check(Dialect::Aws, r#""Resource":"arn:aws:s3:::b/home/*""#, false);
        for element in ["Resource", "NotResource"] {
            let variable = format!(r#""{element}":"arn:aws:s3:::b/${{aws:username}}""#);
            check(Dialect::Aws, &variable, true);
        }
    }
}
