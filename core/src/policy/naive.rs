//! The reference evaluator: each rule as the documents state it, read anew at each request.
//!
//! It is the measure of the quick one, with which it shares no matching code, and what the
//! simulator's world decides by.
//!
//! Source: RAM, "Policy evaluation process".

mod condition;
#[cfg(test)]
mod corners;
mod glob;
mod pattern;
#[cfg(test)]
mod tests;

pub(super) use self::{
    condition::is_met,
    glob::glob_matches,
    pattern::{matches_action, matches_part, matches_resource, plain_symbols},
};
use super::{
    dialect::Dialect,
    document::{Actions, Effect, Policy, PrincipalPattern, Principals, Resources, Statement},
    layers::{Layer, Layers, Ruling},
    pattern::ActionPattern,
    request::{Context, Request, TrustedPrincipal},
    verdict::Verdict,
};
use crate::ids::AccountId;

/// Decides a request by one set of policies: a deny that matches, else an allow that matches, else
/// an implicit deny. The first deciding statement is named.
///
/// Statements of trust policies have no resource and never match here.
///
/// Source: RAM, "Policy evaluation process", section "Basic evaluation".
#[must_use]
pub fn evaluate(policies: &[&Policy], request: &Request<'_>) -> Verdict {
    basic(policies, |dialect, statement| speaks_of(dialect, statement, request))
}

/// Decides a request by all layers: an explicit deny anywhere, else the outermost layer that does
/// not allow, else the identity's statement that does.
///
/// Source: RAM, "Policy evaluation process".
#[must_use]
pub fn decide(layers: &Layers<'_>, request: &Request<'_>) -> Ruling {
    let verdicts: Vec<(Layer, Verdict)> =
        layers.iter().map(|(layer, policies)| (layer, evaluate(policies, request))).collect();
    for (layer, verdict) in &verdicts {
        if let Verdict::ExplicitDeny { policy, statement } = *verdict {
            return Ruling::ExplicitDeny { layer: *layer, policy, statement };
        }
    }
    for (layer, verdict) in &verdicts {
        match *verdict {
            Verdict::Allow { policy, statement } if *layer == Layer::Identity => {
                return Ruling::Allow { policy, statement };
            }
            Verdict::Allow { .. } => {}
            Verdict::ExplicitDeny { .. } | Verdict::ImplicitDeny => {
                return Ruling::ImplicitDeny { layer: *layer };
            }
        }
    }
    // The identity's layer is always there and always last.
    Ruling::ImplicitDeny { layer: Layer::Identity }
}

/// Decides whether a role's trust policy lets the principal assume the role of the account `owner`.
///
/// `…:root` stands for all users and role sessions of its account. In RAM a service without an
/// account in front acts for the role's own account; in AWS IAM it acts for whomever it may.
///
/// Source: RAM, "Edit the trust policy of a RAM role"; AWS IAM, "IAM JSON policy elements:
/// Principal" and "The confused deputy problem".
#[must_use]
pub fn trusts(
    trust: &Policy,
    owner: &AccountId,
    principal: &TrustedPrincipal,
    context: &Context,
) -> Verdict {
    basic(&[trust], |dialect, statement| {
        names_action(&statement.actions, action_of(dialect, principal))
            && names_principal(dialect, &statement.principals, owner, principal)
            && statement.conditions.iter().all(|condition| is_met(dialect, condition, context))
    })
}

fn basic(policies: &[&Policy], matches: impl Fn(Dialect, &Statement) -> bool) -> Verdict {
    let find = |effect: Effect| {
        policies.iter().enumerate().find_map(|(policy, document)| {
            let mut statements = document.statements().iter();
            let statement =
                statements.position(|s| s.effect == effect && matches(document.dialect(), s))?;
            Some((policy, statement))
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

fn speaks_of(dialect: Dialect, statement: &Statement, request: &Request<'_>) -> bool {
    let are_met = |condition| is_met(dialect, condition, request.context);
    names_resource(&statement.resources, request)
        && names_action(&statement.actions, request.action)
        && statement.conditions.iter().all(are_met)
}

/// A pattern that hangs on a variable which the request lacks names nothing; nobody knows what it
/// leaves out, so a `NotResource` with one names nothing either.
pub(super) fn names_resource(resources: &Resources, request: &Request<'_>) -> bool {
    let matches = |pattern| matches_resource(pattern, request.resource, request.context);
    match resources {
        Resources::Only(patterns) => patterns.iter().any(|pattern| matches(pattern) == Some(true)),
        Resources::AllBut(patterns) => {
            patterns.iter().all(|pattern| matches(pattern) == Some(false))
        }
        Resources::OfTrust => false,
    }
}

pub(super) fn names_action(actions: &Actions, action: &str) -> bool {
    let named =
        |patterns: &[ActionPattern]| patterns.iter().any(|pattern| matches_action(pattern, action));
    match actions {
        Actions::Only(patterns) => named(patterns),
        Actions::AllBut(patterns) => !named(patterns),
    }
}

/// What the principal calls to be let in.
pub(super) fn action_of(dialect: Dialect, principal: &TrustedPrincipal) -> &'static str {
    match (dialect, principal) {
        (Dialect::Aws, TrustedPrincipal::Federated(provider)) => {
            if provider.contains(":saml-provider/") {
                "sts:AssumeRoleWithSAML"
            } else {
                "sts:AssumeRoleWithWebIdentity"
            }
        }
        (
            Dialect::Ram | Dialect::Aws,
            TrustedPrincipal::Role(_)
            | TrustedPrincipal::User { .. }
            | TrustedPrincipal::Service { .. }
            | TrustedPrincipal::Federated(_),
        ) => "sts:AssumeRole",
    }
}

fn names_principal(
    dialect: Dialect,
    principals: &Principals,
    owner: &AccountId,
    principal: &TrustedPrincipal,
) -> bool {
    let named = |patterns: &[PrincipalPattern]| {
        patterns.iter().any(|pattern| stands_for(dialect, pattern, owner, principal))
    };
    match principals {
        Principals::OfIdentity => false,
        Principals::Only(patterns) => named(patterns),
        Principals::AllBut(patterns) => !named(patterns),
    }
}

pub(super) fn stands_for(
    dialect: Dialect,
    pattern: &PrincipalPattern,
    owner: &AccountId,
    principal: &TrustedPrincipal,
) -> bool {
    match (pattern, principal) {
        (PrincipalPattern::Anyone, _) => true,
        (PrincipalPattern::Account(account), TrustedPrincipal::Role(role)) => {
            *account == role.account
        }
        (PrincipalPattern::Account(account), TrustedPrincipal::User { account: theirs, .. }) => {
            account == theirs
        }
        (PrincipalPattern::Role(role), TrustedPrincipal::Role(theirs)) => role.is_same(theirs),
        (
            PrincipalPattern::User { account, name },
            TrustedPrincipal::User { account: their_account, name: their_name },
        ) => account == their_account && name.eq_ignore_ascii_case(their_name),
        (
            PrincipalPattern::Service { account, name },
            TrustedPrincipal::Service { name: their_name, acts_for },
        ) => {
            let acts_for_it = match (account, dialect) {
                (Some(account), _) => account == acts_for,
                (None, Dialect::Ram) => owner == acts_for,
                (None, Dialect::Aws) => true,
            };
            name == their_name && acts_for_it
        }
        (PrincipalPattern::Federated(provider), TrustedPrincipal::Federated(theirs)) => {
            provider == theirs
        }
        (
            PrincipalPattern::Account(_)
            | PrincipalPattern::Role(_)
            | PrincipalPattern::User { .. }
            | PrincipalPattern::Service { .. }
            | PrincipalPattern::Federated(_)
            | PrincipalPattern::Other(_),
            TrustedPrincipal::Role(_)
            | TrustedPrincipal::User { .. }
            | TrustedPrincipal::Service { .. }
            | TrustedPrincipal::Federated(_),
        ) => false,
    }
}
