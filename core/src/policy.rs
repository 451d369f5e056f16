//! The RAM policy language: what a document says, and what it decides about a request.
//!
//! A document is parsed once ([`Policy::parse`]); a rule that it breaks is reported with its place.
//! [`evaluate()`] is one basic evaluation of one set of policies; how several sets (identity,
//! session, trust) combine is the business of whoever knows the request's parties.
//!
//! Source: RAM, "Policy structure and syntax" and "Policy evaluation process".

mod condition;
mod document;
mod evaluate;
mod json;
mod pattern;
pub mod system;

pub use condition::{Condition, Operator};
pub use document::{
    Actions, Effect, InvalidPolicy, Place, Policy, PolicyKind, PrincipalPattern, Resources, Rule,
    Statement, Warning,
};
pub use evaluate::{Context, Request, TrustedPrincipal, Verdict, evaluate, trusts};
pub use pattern::{ActionPattern, Case, ResourcePattern, glob_matches};
pub use system::{ServiceRole, system_policy, system_policy_names, trust_policy_for};
