//! What a policy says in vain: statements that decide nothing, each with what decides instead.

use super::{
    BUDGET,
    proof::{Goal, Outcome, Sided, search},
};
use crate::policy::document::{Effect, Policy, PolicyKind, Statement};

/// A statement of a policy that decides nothing, which is proven; statements by number from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// All that it allows is denied by these.
    Dead {
        /// The statement.
        statement: usize,
        /// Statements that deny all of it, none of which could be left out.
        denied_by: Vec<usize>,
    },
    /// The others decide the same without it.
    Redundant {
        /// The statement.
        statement: usize,
        /// Statements that allow, or deny, all that it does and is not denied anyway, none of
        /// which could be left out.
        covered_by: Vec<usize>,
    },
}

impl Finding {
    /// The statement that decides nothing.
    #[must_use]
    pub fn statement(&self) -> usize {
        match self {
            Self::Dead { statement, .. } | Self::Redundant { statement, .. } => *statement,
        }
    }
}

/// The statements that decide nothing, in the order of the document. Of two that say the same the
/// later one is reported, so all that are reported can be left out together.
///
/// A trust policy has no findings, and a statement of which it is not known has none.
#[must_use]
pub fn findings(policy: &Policy) -> Vec<Finding> {
    if policy.kind() == PolicyKind::Trust {
        return Vec::new();
    }
    let mut kept: Vec<usize> = (0..policy.statements().len()).collect();
    let mut findings = Vec::new();
    for number in kept.clone().into_iter().rev() {
        let others: Vec<usize> = kept.iter().copied().filter(|other| *other != number).collect();
        if let Some(finding) = finding(policy, number, &others) {
            findings.insert(0, finding);
            kept = others;
        }
    }
    findings
}

fn finding(policy: &Policy, number: usize, others: &[usize]) -> Option<Finding> {
    let effect = policy.statements().get(number)?.effect;
    let of = |effect: Effect| -> Vec<usize> {
        let has =
            |other: &&usize| policy.statements().get(**other).is_some_and(|s| s.effect == effect);
        others.iter().filter(has).copied().collect()
    };
    let (allows, denies) = (of(Effect::Allow), of(Effect::Deny));
    match effect {
        Effect::Allow => {
            if let Some(denied_by) =
                fewest(&denies, |denies| is_idle(policy, &[number], denies, &[]))
            {
                return Some(Finding::Dead { statement: number, denied_by });
            }
            let covered_by = fewest(&allows, |allows| is_idle(policy, &[number], &denies, allows))?;
            Some(Finding::Redundant { statement: number, covered_by })
        }
        // It only matters for what is allowed and not denied by others.
        Effect::Deny => {
            let covered_by =
                fewest(&denies, |denies| is_needless(policy, number, &allows, denies))?;
            Some(Finding::Redundant { statement: number, covered_by })
        }
    }
}

/// Whether all that the statements allow is denied or covered.
fn is_idle(policy: &Policy, allows: &[usize], denies: &[usize], covers: &[usize]) -> bool {
    nothing_beyond(policy, [allows, denies], [covers, &[]])
}

/// Whether all that it denies of what is allowed is denied anyway.
fn is_needless(policy: &Policy, number: usize, allows: &[usize], denies: &[usize]) -> bool {
    nothing_beyond(policy, [allows, denies], [allows, &[number]])
}

/// Whether what the first statements permit is permitted by the second.
fn nothing_beyond(policy: &Policy, first: [&[usize]; 2], second: [&[usize]; 2]) -> bool {
    let side = |numbers: [&[usize]; 2], is_second| {
        let statements = numbers.concat().into_iter().filter_map(|n| policy.statements().get(n));
        statements.map(|statement: &Statement| Sided { is_second, statement }).collect::<Vec<_>>()
    };
    let statements = [side(first, false), side(second, true)].concat();
    let outcome = search(policy.dialect(), &statements, Goal::Beyond, BUDGET, &|_| true);
    outcome == Outcome::None
}

/// The statements without those that the proof does not need; `None` if it fails with all.
fn fewest(all: &[usize], is_proof: impl Fn(&[usize]) -> bool) -> Option<Vec<usize>> {
    if !is_proof(all) {
        return None;
    }
    let mut needed = all.to_vec();
    for number in all {
        let fewer: Vec<usize> = needed.iter().copied().filter(|other| other != number).collect();
        if is_proof(&fewer) {
            needed = fewer;
        }
    }
    Some(needed)
}
