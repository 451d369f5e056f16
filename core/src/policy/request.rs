//! What is asked of policies, by whom and in what circumstances.

use std::{collections::BTreeMap, fmt};

use crate::ids::{AccountId, RoleArn};

/// The circumstances of a request, by condition key; keys are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Adds one value of a key, beside those it has already.
    pub fn add(&mut self, key: &str, value: &str) {
        self.0.entry(key.to_lowercase()).or_default().push(value.to_owned());
    }

    /// The same context with one more value of a key.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.add(key, value);
        self
    }

    /// All keys in lower case with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// The values of a key in lower case; none if the request has no such key.
    #[must_use]
    pub fn values(&self, key_in_lower_case: &str) -> &[String] {
        self.0.get(key_in_lower_case).map_or(&[], Vec::as_slice)
    }
}

static NO_CONTEXT: Context = Context(BTreeMap::new());

/// What is asked for: one action on one resource.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Such as `ecs:CreateSnapshot`.
    pub action: &'a str,
    /// Such as `acs:ecs:cn-hangzhou:1000000000000012:disk/d-1`; `*` where the action has none.
    pub resource: &'a str,
    /// The circumstances.
    pub context: &'a Context,
}

impl<'a> Request<'a> {
    /// A request of which no circumstances are known: positive conditions are not met.
    #[must_use]
    pub fn new(action: &'a str, resource: &'a str) -> Self {
        Self { action, resource, context: &NO_CONTEXT }
    }

    /// The same request in those circumstances.
    #[must_use]
    pub fn within(self, context: &'a Context) -> Self {
        Self { context, ..self }
    }
}

/// Who asks a role's trust policy to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedPrincipal {
    /// A session of that role.
    Role(RoleArn),
    /// A user of an account; not the account's root user, who can assume no role.
    User {
        /// The user's account.
        account: AccountId,
        /// The user's name.
        name: String,
    },
    /// A service that acts for an account.
    Service {
        /// Such as `rd.hbr.aliyuncs.com`.
        name: String,
        /// The account that it acts for.
        acts_for: AccountId,
    },
    /// A user of an identity provider, by the provider's ARN.
    Federated(String),
}

impl fmt::Display for TrustedPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "{role}"),
            Self::User { account, name } => write!(f, "acs:ram::{account}:user/{name}"),
            Self::Service { name, acts_for } => write!(f, "{acts_for}@{name}"),
            Self::Federated(provider) => f.write_str(provider),
        }
    }
}
