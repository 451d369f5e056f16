//! Roles: ordinary ones, and those linked to a service.

use std::collections::BTreeSet;

use crossvault_core::{
    ids::{AccountId, RoleArn, RoleName},
    policy::{Policy, PolicyKind, PrincipalPattern, ServiceRole, system_policy},
};

use super::{
    super::{Answer, Change, Entity, EntityKey, Refusal, Role, RoleId, World},
    Decided, account, put, remove,
};

/// The longest session of a role that says nothing else, in seconds; always so for service-linked
/// roles.
///
/// Source: RAM, "Specify the maximum session duration".
pub const MAX_SESSION_S: u32 = 3600;

/// Source: RAM, "Limits", for this and the next two.
const ROLES_MAX: usize = 1000;
const SYSTEM_POLICIES_ATTACHED_MAX: usize = 20;
const CUSTOM_POLICIES_ATTACHED_MAX: usize = 10;

pub(super) fn create(
    world: &World,
    arn: RoleArn,
    trust: &str,
    max_session_s: Option<u32>,
) -> Decided {
    account(world, &arn.account)?;
    if ServiceRole::of(&arn).is_some() {
        return Err(Refusal::RoleServiceLinked(arn));
    }
    if world.find_role(&arn).is_some() {
        return Err(Refusal::RoleExists(arn));
    }
    if world.roles_of(&arn.account).count() >= ROLES_MAX {
        return Err(Refusal::RolesFull { account: arn.account, limit: ROLES_MAX });
    }
    let max_session_s = max_session_s.unwrap_or(MAX_SESSION_S);
    if !(3600..=43200).contains(&max_session_s) {
        return Err(Refusal::MaxSessionInvalid(max_session_s));
    }
    let trust = read_trust(world, trust)?;
    make(world, arn, trust, max_session_s, None)
}

pub(super) fn delete(world: &World, by: AccountId, name: RoleName) -> Decided {
    let role = editable_role(world, by, name)?;
    if !role.attached.is_empty() {
        return Err(Refusal::RoleHasPolicies {
            role: role.arn.clone(),
            policies: role.attached.iter().cloned().collect(),
        });
    }
    Ok(remove(EntityKey::role(&role.arn)))
}

pub(super) fn update_trust(world: &World, by: AccountId, name: RoleName, trust: &str) -> Decided {
    let role = editable_role(world, by, name)?;
    let trust = read_trust(world, trust)?;
    Ok(put(Entity::Role(Role { trust, ..role.clone() })))
}

pub(super) fn attach(world: &World, by: AccountId, name: RoleName, policy: String) -> Decided {
    let mut role = editable_role(world, by, name)?.clone();
    let is_system = system_policy(&policy).is_some();
    if !is_system && world.custom_policy(&role.arn.account, &policy).is_none() {
        return Err(Refusal::PolicyUnknown(policy));
    }
    if role.attached.contains(&policy) {
        return Err(Refusal::PolicyAttachedAlready { policy, role: role.arn });
    }
    let limit = if is_system { SYSTEM_POLICIES_ATTACHED_MAX } else { CUSTOM_POLICIES_ATTACHED_MAX };
    let alike = role.attached.iter().filter(|name| system_policy(name).is_some() == is_system);
    if alike.count() >= limit {
        return Err(Refusal::AttachedFull { role: role.arn, limit });
    }
    role.attached.insert(policy);
    Ok(put(Entity::Role(role)))
}

pub(super) fn detach(world: &World, by: AccountId, name: RoleName, policy: String) -> Decided {
    let mut role = editable_role(world, by, name)?.clone();
    if !role.attached.remove(&policy) {
        return Err(Refusal::PolicyNotAttached { policy, role: role.arn });
    }
    Ok(put(Entity::Role(role)))
}

/// Service-linked roles are made even beyond the limit of roles.
///
/// Source: RAM, "Service-linked roles".
pub(super) fn create_service_role(
    world: &World,
    by: &AccountId,
    owner: &AccountId,
    role: ServiceRole,
) -> Decided {
    account(world, owner)?;
    // The directory's own service role makes those of trusted services in members.
    let through_directory = role == ServiceRole::HbrRd && world.administers(by, owner);
    if by != owner && !through_directory {
        return Err(Refusal::NotOwner { by: by.clone(), owner: owner.clone() });
    }
    let arn = role.arn(owner);
    if world.find_role(&arn).is_some() {
        return Err(Refusal::RoleExists(arn));
    }
    let trust =
        Policy::parse(role.trust_document(), PolicyKind::Trust).map_err(Refusal::PolicyInvalid)?;
    make(world, arn, trust, MAX_SESSION_S, Some(role))
}

/// It is deletable while backups rely on it: RAM asks these services for no leave.
///
/// Source: Cloud Backup, "Cross-account backup", cancelling it; assumed for the second role.
pub(super) fn delete_service_role(world: &World, by: &AccountId, role: ServiceRole) -> Decided {
    account(world, by)?;
    let arn = role.arn(by);
    match world.find_role(&arn) {
        Some(role) => Ok(remove(EntityKey::role(&role.arn))),
        None => Err(Refusal::RoleUnknown(arn)),
    }
}

/// Makes the role and counts it, so that no other role ever gets its id.
fn make(
    world: &World,
    arn: RoleArn,
    trust: Policy,
    max_session_s: u32,
    service_role: Option<ServiceRole>,
) -> Decided {
    let mut owner = account(world, &arn.account)?.clone();
    owner.roles_made = owner.roles_made.saturating_add(1);
    let role = Role {
        id: RoleId(format!("{}-{}", owner.id, owner.roles_made)),
        arn: arn.clone(),
        trust,
        max_session_s,
        attached: service_role.map_or_else(BTreeSet::new, |service_role| {
            BTreeSet::from([service_role.policy_name().to_owned()])
        }),
        service_role,
    };
    let changes = vec![Change::Put(Entity::Account(owner)), Change::Put(Entity::Role(role))];
    Ok((Answer::Role(arn), changes))
}

/// A role that a trust policy names must exist when the policy is saved.
///
/// Source: RAM, "Edit the trust policy of a RAM role".
fn read_trust(world: &World, text: &str) -> Result<Policy, Refusal> {
    let trust = Policy::parse(text, PolicyKind::Trust).map_err(Refusal::PolicyInvalid)?;
    for principal in trust.statements().iter().flat_map(|statement| statement.principals.named()) {
        if let PrincipalPattern::Role(role) = principal
            && world.find_role(role).is_none()
        {
            return Err(Refusal::TrustedRoleUnknown(role.clone()));
        }
    }
    Ok(trust)
}

fn editable_role(world: &World, account: AccountId, name: RoleName) -> Result<&Role, Refusal> {
    let arn = RoleArn { account, name };
    match world.find_role(&arn) {
        Some(role) if role.service_role.is_some() => Err(Refusal::RoleServiceLinked(arn)),
        Some(role) => Ok(role),
        None => Err(Refusal::RoleUnknown(arn)),
    }
}
