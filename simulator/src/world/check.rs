//! May this session do this now?

use std::cell::LazyCell;

use chrono::{DateTime, SecondsFormat, Utc};
use crossvault_core::{
    ids::AccountId,
    policy::{self, Context, Policy, Request, ServiceRole, Verdict, system_policy},
};

use super::{Barrier, Principal, Refusal, Role, Session, World};

/// Checks one call against the world as it is now.
///
/// The resource's own account decides whether the session can reach it at all: only roles lead
/// into another account. Of the context, `acs:CurrentTime` and `acs:PrincipalARN` are added here.
///
/// # Errors
/// [`Refusal::Expired`], [`Refusal::RoleOfSessionDeleted`] or [`Refusal::Denied`].
///
/// Source: RAM, "Policy evaluation process".
pub fn check(
    world: &World,
    session: &Session,
    action: &str,
    resource: &str,
    context: &Context,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let role = live(world, session, now)?;
    let denied = |barrier| denied(session, action, resource, barrier);
    if owner(resource).is_some_and(|owner| owner != session.account().as_str()) {
        return Err(denied(Barrier::OtherAccount));
    }
    match (session.principal(), role) {
        // A root user has every permission in its own account.
        (Principal::Root(_), _) => Ok(()),
        (Principal::Service { .. }, _) | (Principal::Role { .. }, None) => {
            Err(denied(Barrier::Service))
        }
        (Principal::Role { .. }, Some(role)) => {
            permits(world, session, role, Asked { action, resource, context, now })
        }
    }
}

/// Checks that the session is within its time and its role still the one that was assumed, and
/// returns that role.
pub(super) fn live<'a>(
    world: &'a World,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<Option<&'a Role>, Refusal> {
    if session.expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::Expired(session.into()));
    }
    match session.principal() {
        Principal::Root(account) | Principal::Service { acts_for: account, .. } => {
            match world.account(account) {
                Some(_) => Ok(None),
                None => Err(Refusal::AccountUnknown(account.clone())),
            }
        }
        Principal::Role { role, id, .. } => match world.find_role(role) {
            Some(found) if found.id == *id => Ok(Some(found)),
            Some(_) | None => Err(Refusal::RoleOfSessionDeleted(role.clone())),
        },
    }
}

#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) context: &'a Context,
    pub(super) now: DateTime<Utc>,
}

/// Whether the caller's side allows it: control policies, session policy, attached policies.
pub(super) fn permits(
    world: &World,
    session: &Session,
    role: &Role,
    asked: Asked<'_>,
) -> Result<(), Refusal> {
    let Asked { action, resource, context, now } = asked;
    let denied = |barrier| Err(denied(session, action, resource, barrier));
    let with_caller = LazyCell::new(|| with_caller(context, role, now));
    let evaluate = |policies: &[&Policy]| {
        // Most policies mind no circumstances: then none are written down.
        let minds = policies.iter().any(|policy| policy.minds_context());
        let context = if minds { &*with_caller } else { context };
        policy::evaluate(policies, &Request::new(action, resource).within(context))
    };

    if !directory_permits(world, session, role) {
        return denied(Barrier::Directory);
    }

    let owner = owner(resource).and_then(|owner| owner.parse().ok());
    let owner = owner.as_ref().unwrap_or(session.account());
    if let Some(barrier) = control_barrier(world, role, owner, evaluate) {
        return denied(barrier);
    }
    if let Some(policy) = &session.policy {
        match evaluate(&[policy]) {
            Verdict::Allow { .. } => {}
            Verdict::ExplicitDeny { .. } => return denied(Barrier::SessionPolicyDenies),
            Verdict::ImplicitDeny => return denied(Barrier::SessionPolicySilent),
        }
    }
    match evaluate(&attached(world, role)) {
        Verdict::Allow { .. } => Ok(()),
        Verdict::ExplicitDeny { .. } => denied(Barrier::IdentityPolicyDenies),
        Verdict::ImplicitDeny => denied(Barrier::IdentityPolicySilent),
    }
}

/// The circumstances with what the cloud itself knows of a call: when, and by whom.
fn with_caller(context: &Context, role: &Role, now: DateTime<Utc>) -> Context {
    context
        .clone()
        .with("acs:CurrentTime", &now.to_rfc3339_opts(SecondsFormat::Secs, true))
        .with("acs:PrincipalARN", &role.arn.to_string().to_ascii_lowercase())
}

/// Whether the directory lets the account that the session works for reach this one. The service
/// itself sees to it; IAM alone would let it in.
pub(super) fn directory_permits(world: &World, session: &Session, role: &Role) -> bool {
    match (&session.serves, role.service_role) {
        (Some(management), Some(ServiceRole::HbrRd)) => {
            world.administers(management, &role.arn.account)
        }
        (Some(_), Some(ServiceRole::HbrCrossAccountBackup) | None) | (None, _) => true,
    }
}

/// The first level, from the account that owns the resource up to Root, whose control policies do
/// not allow the request.
///
/// Service-linked roles and the principals of the directory's management account are exempt; root
/// users and services, exempt as well, have no policies at all and don't come here.
///
/// Source: RAM, "Policy evaluation process"; Resource Management, "Overview of the Control Policy
/// feature".
fn control_barrier(
    world: &World,
    caller: &Role,
    owner: &AccountId,
    evaluate: impl Fn(&[&Policy]) -> Verdict,
) -> Option<Barrier> {
    let directory = world.directory_of(owner)?;
    let is_exempt = caller.service_role.is_some() || caller.arn.account == directory.management;
    if !directory.control_enabled || is_exempt {
        return None;
    }
    world.way_to(owner).into_iter().rev().find_map(|node| {
        let (names, policies): (Vec<&str>, Vec<&Policy>) =
            world.attached_to(directory, node).into_iter().unzip();
        let node = node.id().to_owned();
        match evaluate(&policies) {
            Verdict::Allow { .. } => None,
            Verdict::ExplicitDeny { policy, .. } => {
                let policy = names.get(policy).copied().unwrap_or_default().to_owned();
                Some(Barrier::ControlPolicyDenies { policy, node })
            }
            Verdict::ImplicitDeny => Some(Barrier::ControlPolicySilent { node }),
        }
    })
}

/// The documents attached to a role, in the order of their names.
fn attached<'a>(world: &'a World, role: &'a Role) -> Vec<&'a Policy> {
    let named = |name: &String| {
        system_policy(name)
            .or_else(|| world.custom_policy(&role.arn.account, name).map(|policy| &policy.document))
    };
    role.attached.iter().filter_map(named).collect()
}

pub(super) fn denied(session: &Session, action: &str, resource: &str, barrier: Barrier) -> Refusal {
    Refusal::Denied {
        who: session.into(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        barrier,
    }
}

impl World {
    /// Whether an account may manage a member of a directory for Cloud Backup: as its management
    /// account or as a delegated administrator.
    #[must_use]
    pub fn administers(&self, account: &AccountId, member: &AccountId) -> bool {
        let Some(member) = self.member(member) else { return false };
        let delegated = || {
            self.member(account).is_some_and(|administrator| {
                administrator.management == member.management
                    && administrator.administers_since.is_some()
            })
        };
        member.management == *account || delegated()
    }
}

/// The account that a resource name names; none where it leaves the account open.
///
/// An account id begins with a digit; `system` owns the cloud's policies, which all may read.
fn owner(resource: &str) -> Option<&str> {
    let owner = resource.split(':').nth(3)?;
    owner.starts_with(|c: char| c.is_ascii_digit()).then_some(owner)
}
