//! What is too much about a grant: permissions that no bound source needs, trust that is too wide,
//! regions without sources; and the smaller policy to attach instead, proven to be enough.

mod finding;
mod replacement;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    authorization::RoleView,
    catalog::Need,
    ids::{AccountId, Region},
    policy::{
        self, Actions, Effect, Inclusion, Policy, PolicyKind, PrincipalPattern, Principals,
        Witness, permits_no_more,
    },
};

pub use finding::{Finding, Severity};
pub use replacement::Replacement;

/// A grant through a RAM role, as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed<'a> {
    /// The role with its trust policy and attached policies.
    pub view: &'a RoleView,
    /// The backup management account.
    pub management: &'a AccountId,
    /// What the sources bound by the grant need.
    pub needs: &'a [Need],
    /// Each region in which the account is added, and how many sources are bound there.
    pub regions: &'a [(Region, usize)],
}

/// What a review says.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// What is too much, worst first.
    pub findings: Vec<Finding>,
    /// What to attach in place of the role's policies.
    pub replacement: Replacement,
}

/// Reviews a grant. Policies that don't parse give nothing, so nothing is said of them.
#[must_use]
pub fn review(grant: &Reviewed<'_>) -> Review {
    let read = |document: &str| Policy::parse(document, PolicyKind::System).ok();
    let attached = &grant.view.policies;
    let policies: Vec<(&str, Policy)> = attached
        .iter()
        .filter_map(|policy| Some((policy.name.as_str(), read(&policy.document)?)))
        .collect();
    let needed = needed(grant.needs);
    let needed: Vec<&Policy> = needed.iter().collect();
    let mut findings: Vec<Finding> = of_regions(grant.regions).collect();
    findings.extend(trust_too_wide(grant));
    for (name, policy) in &policies {
        findings.extend(over_broad(grant, name, policy, &needed));
        findings.extend(pass_role(name, policy));
        findings.extend(dead_statements(name, policy));
    }
    let policies: Vec<&Policy> = policies.iter().map(|(_, policy)| policy).collect();
    findings.extend(unused_permissions(grant.needs, &policies));
    findings.sort_by_key(Finding::severity);
    Review { findings, replacement: replacement::of(grant.needs, &needed, &policies) }
}

/// The needs as policies; none if nothing is needed.
fn needed(needs: &[Need]) -> Vec<Policy> {
    let documents = policy::documents(&needs.iter().collect::<Vec<_>>());
    let read = |text: &String| Policy::parse(text, PolicyKind::Permission).ok();
    documents.iter().filter_map(read).collect()
}

fn of_regions(regions: &[(Region, usize)]) -> impl Iterator<Item = Finding> {
    let is_unused = regions.iter().all(|(_, sources)| *sources == 0);
    let grant = is_unused.then_some(Finding::GrantUnused);
    // A grant that is not used at all is one finding.
    let idle = regions.iter().filter(move |(_, sources)| *sources == 0 && !is_unused);
    grant.into_iter().chain(idle.map(|(region, _)| Finding::RegionWithoutSources(region.clone())))
}

fn trust_too_wide(grant: &Reviewed<'_>) -> Option<Finding> {
    let trust = Policy::parse(&grant.view.trust, PolicyKind::Trust).ok()?;
    let allows = trust.statements().iter().filter(|statement| statement.effect == Effect::Allow);
    let wide = allows.flat_map(|statement| match &statement.principals {
        Principals::Only(patterns) => patterns.iter(),
        // All but some is never one, and an identity's policy trusts nobody.
        Principals::AllBut(_) | Principals::OfIdentity => [].iter(),
    });
    let mut wide = wide.filter(|pattern| {
        matches!(pattern, PrincipalPattern::Account(_) | PrincipalPattern::Anyone)
    });
    Some(Finding::TrustTooWide {
        role: grant.view.role.clone(),
        trusted: wide.next()?.to_string(),
        trust_policy: policy::trust_policy_for(grant.management),
    })
}

/// A policy that allows actions by wildcard, or all but some, and so more than is needed.
fn over_broad(
    grant: &Reviewed<'_>,
    name: &str,
    policy: &Policy,
    needed: &[&Policy],
) -> Option<Finding> {
    let allows = policy.statements().iter().filter(|statement| statement.effect == Effect::Allow);
    let broad: BTreeSet<String> = allows
        .flat_map(|statement| match &statement.actions {
            Actions::Only(patterns) => patterns
                .iter()
                .map(|pattern| pattern.as_str().to_owned())
                .filter(|text| text.contains(['*', '?']))
                .collect(),
            Actions::AllBut(_) => vec!["NotAction".to_owned()],
        })
        .collect();
    if broad.is_empty() {
        return None;
    }
    let telling = telling(&grant.view.role.account).find(|witness| {
        let permits =
            |policies: &[&Policy]| policy::evaluate(policies, &witness.request()).is_allow();
        permits(&[policy]) && !permits(needed)
    });
    let beyond = telling.or_else(|| match permits_no_more(&[policy], needed) {
        Inclusion::No(witness) => Some(witness),
        Inclusion::Yes | Inclusion::Unknown(_) => None,
    })?;
    Some(Finding::OverBroadPolicy {
        policy: name.to_owned(),
        actions: broad.into_iter().collect(),
        beyond,
    })
}

/// Requests that show at a glance what a broad policy can do.
fn telling(account: &AccountId) -> impl Iterator<Item = Witness> {
    [
        ("ram:CreateAccessKey", format!("acs:ram:*:{account}:user/anybody")),
        ("oss:DeleteBucket", format!("acs:oss:*:{account}:any-bucket")),
        ("ecs:DeleteInstance", format!("acs:ecs:*:{account}:instance/i-any")),
        ("ots:DeleteTable", format!("acs:ots:*:{account}:instance/any/table/any")),
        ("nas:DeleteFileSystem", format!("acs:nas:*:{account}:filesystem/any")),
    ]
    .into_iter()
    .map(|(action, resource)| Witness {
        action: action.to_owned(),
        resource,
        context: policy::Context::default(),
    })
}

/// A role may be given to any service where `acs:Service` is not asked for.
///
/// Source: Cloud Backup, "Service-linked roles": its own roles may pass a role to ECS only.
fn pass_role(name: &str, policy: &Policy) -> Option<Finding> {
    let probe = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:PassRole",
        "Resource":"*","Condition":{"StringNotLike":{"acs:Service":"*"}}}]}"#;
    let probe = Policy::parse(probe, PolicyKind::Permission).ok()?;
    match policy::disjoint(&[policy], &[&probe]) {
        Inclusion::No(_) => Some(Finding::PassRoleUnconditional { policy: name.to_owned() }),
        Inclusion::Yes | Inclusion::Unknown(_) => None,
    }
}

fn dead_statements(name: &str, policy: &Policy) -> Vec<Finding> {
    let place = |number: usize| policy.statements().get(number).map(|statement| statement.at);
    let dead = policy::findings(policy).into_iter().filter_map(|finding| {
        let (policy::Finding::Dead { denied_by: because, .. }
        | policy::Finding::Redundant { covered_by: because, .. }) = &finding;
        Some(Finding::DeadStatement {
            policy: name.to_owned(),
            at: place(finding.statement())?,
            because: because.iter().filter_map(|number| place(*number)).collect(),
        })
    });
    dead.collect()
}

/// Actions that are allowed by name and that nothing bound needs, one finding a service.
fn unused_permissions(needs: &[Need], policies: &[&Policy]) -> Vec<Finding> {
    // A grant without sources needs nothing, which is another finding.
    if needs.is_empty() {
        return Vec::new();
    }
    let needed: BTreeSet<String> =
        needs.iter().map(|need| need.action.to_ascii_lowercase()).collect();
    let mut unused: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let statements = policies.iter().flat_map(|policy| policy.statements());
    for statement in statements.filter(|statement| statement.effect == Effect::Allow) {
        let Actions::Only(patterns) = &statement.actions else { continue };
        for pattern in patterns {
            let action = pattern.as_str();
            let (false, Some((service, _))) = (action.contains(['*', '?']), action.split_once(':'))
            else {
                continue;
            };
            if !needed.contains(&action.to_ascii_lowercase()) {
                unused.entry(service.to_ascii_lowercase()).or_default().insert(action.to_owned());
            }
        }
    }
    let finding = |(service, actions): (String, BTreeSet<String>)| Finding::UnusedPermission {
        service,
        actions: actions.into_iter().collect(),
    };
    unused.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests;
