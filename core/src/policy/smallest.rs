//! The smallest policy that gives what is needed and not yet allowed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    dialect::Dialect,
    document::{Effect, Policy, PolicyKind},
    inclusion::{Inclusion, Witness, denied_by, permits_no_more},
};
use crate::catalog::Need;

/// Something that is needed and not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No statement allows all of it: a policy mends it.
    NotGranted(Need),
    /// A statement denies some of it: no further policy mends that.
    Denied {
        /// What is needed.
        need: Need,
        /// The policy that denies it, by number.
        policy: usize,
        /// Its statement, by number.
        statement: usize,
        /// A request that is needed and denied.
        witness: Witness,
    },
}

impl Missing {
    /// What is needed.
    #[must_use]
    pub fn need(&self) -> &Need {
        match self {
            Self::NotGranted(need) | Self::Denied { need, .. } => need,
        }
    }
}

/// What is missing, and the policies that give what can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mend {
    /// Each need that is not allowed, in order.
    pub missing: Vec<Missing>,
    /// The documents to attach beside the present policies: together they allow the needs that are
    /// not denied, and no more. None if there are none.
    pub documents: Vec<String>,
}

/// What of the needs the policies do not allow, and the smallest policy that gives it.
///
/// It grants whole needs, without wildcards in actions, and none that the others or the present
/// policies cover. A need that can't be proven to be allowed is taken to be missing.
#[must_use]
pub fn mend(needs: &[Need], policies: &[&Policy]) -> Mend {
    let mut missing = Vec::new();
    for need in needs.iter().collect::<BTreeSet<_>>() {
        let Some(wanted) = granting(std::iter::once(need)) else { continue };
        if !permits_no_more(&[&wanted], policies).is_yes() {
            missing.push(missing_one(need, &wanted, policies));
        }
    }
    let granted = missing.iter().filter_map(|missing| match missing {
        Missing::NotGranted(need) => Some(need),
        Missing::Denied { .. } => None,
    });
    let documents = documents(&without_covered(granted.collect(), policies));
    Mend { missing, documents }
}

fn missing_one(need: &Need, wanted: &Policy, policies: &[&Policy]) -> Missing {
    for (policy, document) in policies.iter().enumerate() {
        for (statement, one) in document.statements().iter().enumerate() {
            if one.effect == Effect::Deny
                && let Some(witness) = denied_by(wanted, document, one)
            {
                return Missing::Denied { need: need.clone(), policy, statement, witness };
            }
        }
    }
    Missing::NotGranted(need.clone())
}

/// The needs that the others and the policies do not cover.
fn without_covered<'a>(needs: Vec<&'a Need>, policies: &[&Policy]) -> Vec<&'a Need> {
    let mut kept = needs.clone();
    for need in needs {
        // Only the same action's other resources can cover it.
        let others = |other: &&&Need| other.action == need.action && **other != need;
        let others: Vec<&Need> = kept.iter().filter(others).copied().collect();
        let (Some(wanted), Some(covering)) =
            (granting(std::iter::once(need)), granting(others.into_iter()))
        else {
            continue;
        };
        let covering: Vec<&Policy> = policies.iter().copied().chain([&covering]).collect();
        if permits_no_more(&[&wanted], &covering) == Inclusion::Yes {
            kept.retain(|other| *other != need);
        }
    }
    kept
}

/// The needs as one policy; `None` if there are none, or one is none that a policy can name.
fn granting<'a>(needs: impl Iterator<Item = &'a Need>) -> Option<Policy> {
    let statements: Vec<Statement> =
        needs.map(|need| Statement::new([need.action], [need.resource.as_str()])).collect();
    Policy::parse(&Document::of(&statements), PolicyKind::System).ok()
}

/// Documents that allow exactly the needs, deterministic in order: one statement for the actions
/// of a service that concern the same resources, one document until it would be too long.
#[must_use]
pub fn documents(needs: &[&Need]) -> Vec<String> {
    let mut resources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for need in needs {
        resources.entry(need.action).or_default().insert(&need.resource);
    }
    // By service and the resources that its actions concern.
    let mut actions: BTreeMap<(&str, BTreeSet<&str>), Vec<&str>> = BTreeMap::new();
    for (action, resources) in resources {
        let service = action.split_once(':').map_or(action, |(service, _)| service);
        actions.entry((service, resources)).or_default().push(action);
    }
    let mut documents = Vec::new();
    let mut statements: Vec<Statement> = Vec::new();
    let mut waiting: Vec<Statement> = actions
        .into_iter()
        .rev()
        .map(|((_, resources), actions)| Statement::new(actions, resources))
        .collect();
    while let Some(next) = waiting.pop() {
        statements.push(next);
        let text = Document::of(&statements);
        if text.chars().count() <= characters_max() {
            continue;
        }
        let Some(last) = statements.pop() else { break };
        if statements.is_empty() {
            match last.halves() {
                Some([first, second]) => waiting.extend([second, first]),
                // One action on one resource is never longer than a document may be.
                None => documents.push(text),
            }
        } else {
            waiting.push(last);
            documents.push(Document::of(&std::mem::take(&mut statements)));
        }
    }
    if !statements.is_empty() {
        documents.push(Document::of(&statements));
    }
    documents
}

fn characters_max() -> usize {
    Dialect::Ram.words().characters_max(PolicyKind::Permission)
}

/// A document as it is written.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: &'static str,
    statement: &'a [Statement<'a>],
}

impl<'a> Document<'a> {
    fn of(statement: &'a [Statement<'a>]) -> String {
        // Texts and lists are always written.
        serde_json::to_string_pretty(&Self { version: "1", statement }).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    effect: &'static str,
    action: Vec<&'a str>,
    resource: Vec<&'a str>,
}

impl<'a> Statement<'a> {
    fn new(
        action: impl IntoIterator<Item = &'a str>,
        resource: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let (action, resource) = (action.into_iter().collect(), resource.into_iter().collect());
        Self { effect: "Allow", action, resource }
    }

    /// Two that allow the same together; `None` if it is one action on one resource.
    fn halves(&self) -> Option<[Self; 2]> {
        let all = |part: &[&'a str]| part.to_vec();
        if self.resource.len() > 1 {
            let (first, second) = self.resource.split_at(self.resource.len().div_ceil(2));
            return Some([first, second].map(|part| Self::new(all(&self.action), all(part))));
        }
        if self.action.len() > 1 {
            let (first, second) = self.action.split_at(self.action.len().div_ceil(2));
            return Some([first, second].map(|part| Self::new(all(part), all(&self.resource))));
        }
        None
    }
}

#[cfg(test)]
mod tests;
