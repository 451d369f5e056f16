//! The RAM policy language, and that of AWS IAM, which differs in a few words.
//!
//! A document is parsed once ([`Policy::parse`]); a rule that it breaks is reported with its place.
//! [`evaluate()`] is one basic evaluation of one set of policies, [`decide()`] that of several
//! layers above one another; whoever knows the request's parties says which policies bear on it.
//!
//! Source: RAM, "Policy structure and syntax" and "Policy evaluation process".

pub mod case;
mod compiled;
mod condition;
mod dialect;
mod document;
mod explain;
mod inclusion;
mod invalid;
mod json;
mod key;
mod layers;
mod literal;
mod naive;
mod operator;
mod pattern;
#[cfg(test)]
mod proof;
mod read;
mod request;
mod smallest;
pub mod system;
mod translate;
pub mod variable;
mod verdict;
mod vocabulary;
mod warning;

pub use compiled::{Compiled, CompiledLayers};
pub use condition::Condition;
pub use dialect::{Dialect, Words};
pub use document::{
    Actions, Effect, Policy, PolicyKind, PrincipalPattern, Principals, Resources, Statement,
};
pub use explain::{
    Difference, Element, ExplainedLayer, ExplainedPolicy, ExplainedStatement, ExplainedTrust,
    Explanation, Level, Met, Named, Question, TestedCondition, Tried, Unmet, explain,
    explain_trust,
};
pub use inclusion::{
    Comparison, Finding, Inclusion, Why, Witness, compare, disjoint, findings, permits_no_more,
};
pub use invalid::{InvalidPolicy, Place, Rule};
pub use layers::{Layer, Layers, Ruling};
pub use naive::{decide, evaluate, trusts};
pub use operator::{Operator, Order, Quantifier, Test};
pub use pattern::{ActionPattern, Case, ResourcePattern};
pub use request::{Context, Request, TrustedPrincipal};
pub use smallest::{Mend, Missing, documents, mend};
pub use system::{ServiceRole, system_policy, system_policy_names, trust_policy_for};
pub use verdict::Verdict;
pub use vocabulary::{ActionId, ActionSet, Vocabulary};
pub use warning::{Doubt, Warning};
