//! Control policies of a directory.
//!
//! Source: Resource Management, "Overview of the Control Policy feature" and "Limits".

use std::collections::BTreeSet;

use crossvault_core::{
    ids::AccountId,
    policy::{Policy, PolicyKind},
};

use super::{
    super::{
        Answer, Change, ControlPolicy, Directory, Entity, EntityKey, FULL_ACCESS, FULL_ACCESS_ID,
        Node, Refusal, World,
    },
    Decided, managed, nothing, policy_name, put as put_entity, remove,
};

const CONTROL_POLICIES_MAX: usize = 1500;

/// How many of a node's policies may be custom ones.
const ATTACHED_MAX: usize = 10;

/// What is attached to a new node of the directory.
pub(super) fn first_attached(directory: &Directory) -> BTreeSet<String> {
    directory.control_enabled.then(|| FULL_ACCESS_ID.to_owned()).into_iter().collect()
}

pub(super) fn enable(world: &World, by: &AccountId) -> Decided {
    switch(world, by, true)
}

pub(super) fn disable(world: &World, by: &AccountId) -> Decided {
    switch(world, by, false)
}

pub(super) fn put(world: &World, by: AccountId, name: String, document: &str) -> Decided {
    let directory = managed(world, &by)?;
    if name == FULL_ACCESS {
        return Err(Refusal::PolicyIsSystem(name));
    }
    let name = policy_name(name)?;
    let written = world.control_policies_of(directory).find(|policy| policy.name == name);
    let count = world.control_policies_of(directory).count();
    if written.is_none() && count >= CONTROL_POLICIES_MAX {
        let directory = directory.id.clone();
        return Err(Refusal::ControlPoliciesFull { directory, limit: CONTROL_POLICIES_MAX });
    }
    let document = Policy::parse(document, PolicyKind::Control).map_err(Refusal::PolicyInvalid)?;
    if let Some(written) = written {
        let policy = ControlPolicy { document, ..written.clone() };
        let is_same = policy == *written;
        let changes =
            if is_same { vec![] } else { vec![Change::Put(Entity::ControlPolicy(policy))] };
        return Ok((Answer::ControlPolicy(written.id.clone()), changes));
    }
    let mut directory = directory.clone();
    directory.made = directory.made.saturating_add(1);
    let id = format!("cp-{by}-{}", directory.made);
    let policy = ControlPolicy { management: by, id: id.clone(), name, document };
    let changes =
        vec![Change::Put(Entity::Directory(directory)), Change::Put(Entity::ControlPolicy(policy))];
    Ok((Answer::ControlPolicy(id), changes))
}

pub(super) fn delete(world: &World, by: AccountId, policy: String) -> Decided {
    let directory = managed(world, &by)?;
    known(world, directory, &policy)?;
    if policy == FULL_ACCESS_ID {
        return Err(Refusal::PolicyIsSystem(FULL_ACCESS.to_owned()));
    }
    if let Some(node) = world.nodes_of(directory).find(|node| node.attached().contains(&policy)) {
        return Err(Refusal::ControlPolicyAttached { policy, node: node.id().to_owned() });
    }
    Ok(remove(EntityKey::ControlPolicy(by, policy)))
}

pub(super) fn attach(world: &World, by: &AccountId, policy: String, target: String) -> Decided {
    let (node, mut attached) = target_of(world, by, &policy, target)?;
    if attached.contains(&policy) {
        let node = node.id().to_owned();
        return Err(Refusal::ControlPolicyAttachedAlready { policy, node });
    }
    let custom = attached.iter().filter(|id| *id != FULL_ACCESS_ID).count();
    if policy != FULL_ACCESS_ID && custom >= ATTACHED_MAX {
        let node = node.id().to_owned();
        return Err(Refusal::ControlAttachedFull { node, limit: ATTACHED_MAX });
    }
    attached.insert(policy);
    Ok(put_entity(node.with_attached(attached)))
}

pub(super) fn detach(world: &World, by: &AccountId, policy: String, target: String) -> Decided {
    let (node, mut attached) = target_of(world, by, &policy, target)?;
    if !attached.remove(&policy) {
        let node = node.id().to_owned();
        return Err(Refusal::ControlPolicyNotAttached { policy, node });
    }
    if attached.is_empty() {
        return Err(Refusal::ControlPolicyLast { policy, node: node.id().to_owned() });
    }
    Ok(put_entity(node.with_attached(attached)))
}

/// The real feature switches in the background; here it is done at once.
fn switch(world: &World, by: &AccountId, enabled: bool) -> Decided {
    let directory = managed(world, by)?;
    if directory.control_enabled == enabled {
        return Ok(nothing());
    }
    let switched = Directory { control_enabled: enabled, ..directory.clone() };
    let attached = first_attached(&switched);
    let below = world.nodes_of(directory).filter(|node| !matches!(node, Node::Root(_)));
    let mut changes: Vec<Change> =
        below.map(|node| Change::Put(node.with_attached(attached.clone()))).collect();
    changes.insert(0, Change::Put(Entity::Directory(Directory { attached, ..switched })));
    Ok((Answer::Done, changes))
}

/// The node that a policy is to be attached to or detached from, and what is attached there.
fn target_of<'a>(
    world: &'a World,
    by: &AccountId,
    policy: &str,
    target: String,
) -> Result<(Node<'a>, BTreeSet<String>), Refusal> {
    let directory = managed(world, by)?;
    if !directory.control_enabled {
        return Err(Refusal::ControlDisabled { directory: directory.id.clone() });
    }
    known(world, directory, policy)?;
    let node = world.node(directory, &target).ok_or(Refusal::NodeUnknown(target))?;
    Ok((node, node.attached().clone()))
}

fn known(world: &World, directory: &Directory, policy: &str) -> Result<(), Refusal> {
    match world.control_policy(directory, policy) {
        Some(_) => Ok(()),
        None => Err(Refusal::ControlPolicyUnknown(policy.to_owned())),
    }
}
