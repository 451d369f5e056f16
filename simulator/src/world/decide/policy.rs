//! Permission policies that accounts write themselves, and their versions.

use std::{collections::BTreeMap, mem};

use crossvault_core::{
    ids::AccountId,
    policy::{Policy, PolicyKind, system_policy},
};

use super::{
    super::{Answer, Change, CustomPolicy, Entity, EntityKey, Refusal, VersionId, World},
    Decided, account, nothing, policy_name, put as put_entity, remove,
};

/// Source: RAM, "Limits", for this and the next.
const CUSTOM_POLICIES_MAX: usize = 1500;
const VERSIONS_MAX: usize = 5;

pub(super) fn put(world: &World, by: AccountId, name: String, document: &str) -> Decided {
    account(world, &by)?;
    if system_policy(&name).is_some() {
        return Err(Refusal::PolicyIsSystem(name));
    }
    let name = policy_name(name)?;
    let written = world.custom_policy(&by, &name);
    if written.is_none() && world.custom_policies_of(&by).count() >= CUSTOM_POLICIES_MAX {
        return Err(Refusal::PoliciesFull { account: by, limit: CUSTOM_POLICIES_MAX });
    }
    let document = parse(document)?;
    let Some(written) = written else {
        return Ok(put_entity(Entity::Policy(CustomPolicy {
            account: by,
            name,
            document,
            default: VersionId::default(),
            others: BTreeMap::new(),
            newest: VersionId::default(),
        })));
    };
    if written.document == document {
        return Ok(nothing());
    }
    let mut policy = written.clone();
    if is_full(&policy) {
        // As RAM does when it is asked to rotate.
        policy.others.pop_first();
    }
    add_version(&mut policy, document);
    let newest = policy.newest;
    let_count(&mut policy, newest);
    Ok(put_entity(Entity::Policy(policy)))
}

pub(super) fn put_version(
    world: &World,
    by: &AccountId,
    name: String,
    document: &str,
    set_as_default: bool,
) -> Decided {
    let mut policy = own(world, by, name)?.clone();
    let document = parse(document)?;
    if is_full(&policy) {
        return Err(Refusal::PolicyVersionsFull { policy: policy.name, limit: VERSIONS_MAX });
    }
    add_version(&mut policy, document);
    let version = policy.newest;
    if set_as_default {
        let_count(&mut policy, version);
    }
    Ok((Answer::Version(version), vec![Change::Put(Entity::Policy(policy))]))
}

pub(super) fn set_default(
    world: &World,
    by: &AccountId,
    name: String,
    version: VersionId,
) -> Decided {
    let mut policy = own(world, by, name)?.clone();
    if policy.default == version {
        return Ok(nothing());
    }
    if !policy.others.contains_key(&version) {
        return Err(Refusal::PolicyVersionUnknown { policy: policy.name, version });
    }
    let_count(&mut policy, version);
    Ok(put_entity(Entity::Policy(policy)))
}

pub(super) fn delete_version(
    world: &World,
    by: &AccountId,
    name: String,
    version: VersionId,
) -> Decided {
    let mut policy = own(world, by, name)?.clone();
    if policy.default == version {
        return Err(Refusal::PolicyVersionDefault { policy: policy.name, version });
    }
    if policy.others.remove(&version).is_none() {
        return Err(Refusal::PolicyVersionUnknown { policy: policy.name, version });
    }
    Ok(put_entity(Entity::Policy(policy)))
}

pub(super) fn delete(world: &World, by: AccountId, name: String) -> Decided {
    let name = own(world, &by, name)?.name.clone();
    if let Some(role) = world.roles_of(&by).find(|role| role.attached.contains(&name)) {
        return Err(Refusal::PolicyAttached { policy: name, role: role.arn.clone() });
    }
    Ok(remove(EntityKey::Policy(by, name)))
}

/// A policy that the account wrote.
fn own<'a>(world: &'a World, by: &AccountId, name: String) -> Result<&'a CustomPolicy, Refusal> {
    account(world, by)?;
    if system_policy(&name).is_some() {
        return Err(Refusal::PolicyIsSystem(name));
    }
    world.custom_policy(by, &name).ok_or(Refusal::PolicyUnknown(name))
}

fn parse(document: &str) -> Result<Policy, Refusal> {
    Policy::parse(document, PolicyKind::Permission).map_err(Refusal::PolicyInvalid)
}

fn is_full(policy: &CustomPolicy) -> bool {
    policy.versions().len() >= VERSIONS_MAX
}

/// Adds a version that does not count yet.
fn add_version(policy: &mut CustomPolicy, document: Policy) {
    policy.newest = policy.newest.next();
    policy.others.insert(policy.newest, document);
}

/// Makes another version the default one; nothing when there is none of that id.
fn let_count(policy: &mut CustomPolicy, version: VersionId) {
    if let Some(document) = policy.others.remove(&version) {
        let before = mem::replace(&mut policy.document, document);
        policy.others.insert(policy.default, before);
        policy.default = version;
    }
}
