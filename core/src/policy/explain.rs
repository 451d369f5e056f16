//! A decision as a tree: layers, policies, statements, and of each statement every element, whether
//! it speaks of the request and, where it does not, why.
//!
//! The tree is what the reference evaluator looks at, and its [`Ruling`] is what that decides.

mod element;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use self::element::{Difference, Element, Met, TestedCondition, Tried, Unmet};
use super::{
    document::{Effect, Policy, Statement},
    layers::{Layer, Ruling},
    request::{Context, Request, TrustedPrincipal},
    verdict::Verdict,
};
use crate::ids::AccountId;

/// A policy and the name by which people know it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The name.
    pub name: &'a str,
    /// What it says.
    pub policy: &'a Policy,
}

/// The policies of a layer, and what people call the layer.
#[derive(Clone, Debug)]
pub struct Level<'a> {
    /// Such as the folder that control policies are attached to.
    pub name: &'a str,
    /// Its policies.
    pub policies: Vec<Named<'a>>,
}

/// A request and the policies that bear on it; as [`Layers`](super::Layers), with names.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The levels of control policies, Root first.
    pub control: Vec<Level<'a>>,
    /// The policy that the session was cut down to.
    pub session: Option<Named<'a>>,
    /// What is attached to the identity.
    pub identity: Level<'a>,
    /// What is asked for.
    pub request: Request<'a>,
}

/// Why a request is decided as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What is decided.
    pub ruling: Ruling,
    /// Each layer, outermost first.
    pub layers: Vec<ExplainedLayer>,
}

/// Why a principal is let into a role, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedTrust {
    /// What is decided.
    pub verdict: Verdict,
    /// The role's trust policy.
    pub policy: ExplainedPolicy,
}

/// What a layer decides, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedLayer {
    /// Which.
    pub layer: Layer,
    /// Its name; empty where it has none of its own.
    pub name: String,
    /// What it decides by itself.
    pub verdict: Verdict,
    /// Whether the decision on the whole request rests on it.
    pub decides: bool,
    /// Its policies.
    pub policies: Vec<ExplainedPolicy>,
}

/// A policy, statement by statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedPolicy {
    /// Its name.
    pub name: String,
    /// Its statements, in the order of the document.
    pub statements: Vec<ExplainedStatement>,
}

/// A statement, element by element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedStatement {
    /// Its name (`Sid`), if it has one.
    pub sid: Option<String>,
    /// The line in which it begins, from 1.
    pub line: u32,
    /// What it does when it matches.
    pub effect: Effect,
    /// Whether all its elements and conditions are met.
    pub is_met: bool,
    /// Whether the decision on the whole request rests on it.
    pub decides: bool,
    /// Its actions, resources and principals.
    pub elements: Vec<Element>,
    /// Its conditions.
    pub conditions: Vec<TestedCondition>,
}

/// Explains what all layers decide together.
#[must_use]
pub fn explain(question: &Question<'_>) -> Explanation {
    let Question { control, session, identity, request } = question;
    let layer = |layer, name: &str, policies: &[Named<'_>]| {
        let of_statement = |policy: &Policy, s: &Statement| {
            let elements = element::of_request(s, request);
            explained(policy, s, elements, request.context)
        };
        let policies = policies.iter().map(|policy| explained_policy(*policy, of_statement));
        let policies: Vec<ExplainedPolicy> = policies.collect();
        let verdict = verdict(&policies);
        ExplainedLayer { layer, name: name.to_owned(), verdict, decides: false, policies }
    };
    let control = control.iter().enumerate();
    let mut layers: Vec<ExplainedLayer> = control
        .map(|(number, level)| layer(Layer::Control(number), level.name, &level.policies))
        .collect();
    layers.extend(session.as_ref().map(|session| layer(Layer::Session, "", &[*session])));
    layers.push(layer(Layer::Identity, identity.name, &identity.policies));
    let ruling = ruling(&layers);
    mark(&mut layers, ruling);
    Explanation { ruling, layers }
}

/// Explains whether a role's trust policy lets the principal assume the role of the account
/// `owner`.
#[must_use]
pub fn explain_trust(
    trust: Named<'_>,
    owner: &AccountId,
    principal: &TrustedPrincipal,
    context: &Context,
) -> ExplainedTrust {
    let mut policy = explained_policy(trust, |policy, statement| {
        let elements = element::of_trust(policy.dialect(), statement, owner, principal);
        explained(policy, statement, elements, context)
    });
    let verdict = verdict(std::slice::from_ref(&policy));
    if let Verdict::Allow { statement, .. } | Verdict::ExplicitDeny { statement, .. } = verdict
        && let Some(statement) = policy.statements.get_mut(statement)
    {
        statement.decides = true;
    }
    ExplainedTrust { verdict, policy }
}

fn explained_policy(
    Named { name, policy }: Named<'_>,
    of_statement: impl Fn(&Policy, &Statement) -> ExplainedStatement,
) -> ExplainedPolicy {
    let statements = policy.statements().iter().map(|statement| of_statement(policy, statement));
    ExplainedPolicy { name: name.to_owned(), statements: statements.collect() }
}

fn explained(
    policy: &Policy,
    statement: &Statement,
    elements: Vec<Element>,
    context: &Context,
) -> ExplainedStatement {
    let conditions = statement.conditions.iter();
    let conditions: Vec<TestedCondition> =
        conditions.map(|c| element::tested(policy.dialect(), c, context)).collect();
    ExplainedStatement {
        sid: statement.sid.clone(),
        line: statement.at.line,
        effect: statement.effect,
        is_met: elements.iter().all(|element| element.is_met)
            && conditions.iter().all(TestedCondition::is_met),
        decides: false,
        elements,
        conditions,
    }
}

/// What the policies of one layer decide.
fn verdict(policies: &[ExplainedPolicy]) -> Verdict {
    let find = |effect| {
        policies.iter().enumerate().find_map(|(number, policy)| {
            let mut statements = policy.statements.iter();
            let statement = statements.position(|s| s.effect == effect && s.is_met)?;
            Some((number, statement))
        })
    };
    if let Some((policy, statement)) = find(Effect::Deny) {
        Verdict::ExplicitDeny { policy, statement }
    } else if let Some((policy, statement)) = find(Effect::Allow) {
        Verdict::Allow { policy, statement }
    } else {
        Verdict::ImplicitDeny
    }
}

/// What the layers decide together.
fn ruling(layers: &[ExplainedLayer]) -> Ruling {
    let denies = layers.iter().find_map(|explained| match explained.verdict {
        Verdict::ExplicitDeny { policy, statement } => {
            Some(Ruling::ExplicitDeny { layer: explained.layer, policy, statement })
        }
        Verdict::Allow { .. } | Verdict::ImplicitDeny => None,
    });
    let silent = || {
        let mut layers = layers.iter();
        let layer = layers.find(|explained| explained.verdict == Verdict::ImplicitDeny)?.layer;
        Some(Ruling::ImplicitDeny { layer })
    };
    let allows = || match layers.last()?.verdict {
        Verdict::Allow { policy, statement } => Some(Ruling::Allow { policy, statement }),
        Verdict::ExplicitDeny { .. } | Verdict::ImplicitDeny => None,
    };
    denies
        .or_else(silent)
        .or_else(allows)
        .unwrap_or(Ruling::ImplicitDeny { layer: Layer::Identity })
}

/// Marks the layer and the statement that the ruling rests on.
fn mark(layers: &mut [ExplainedLayer], ruling: Ruling) {
    let (deciding, at) = match ruling {
        Ruling::Allow { policy, statement } => (Layer::Identity, Some((policy, statement))),
        Ruling::ExplicitDeny { layer, policy, statement } => (layer, Some((policy, statement))),
        Ruling::ImplicitDeny { layer } => (layer, None),
    };
    let Some(explained) = layers.iter_mut().find(|explained| explained.layer == deciding) else {
        return;
    };
    explained.decides = true;
    let statement = at.and_then(|(policy, statement)| {
        explained.policies.get_mut(policy)?.statements.get_mut(statement)
    });
    if let Some(statement) = statement {
        statement.decides = true;
    }
}
