//! Lets the bindings of a policy follow a change of it, page by page. Trigger: queue.
//!
//! It only hastens: a binding that a tick comes upon first follows there, and of a policy that is
//! gone no slot is decided. So a message may be lost, late or repeated.

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit::{self, Actor},
    backup_policy::{BackupPolicy, Binding},
    ids::{AuditId, BindingId, PolicyId},
};

use crate::{
    enqueue::{DUE_SHARD, record, send},
    ports::{Clock, Directory, Expect, Message, PortError, Store, Transaction, Version},
    records::{
        AFTER_ALL, BindingRow, Due, Key, Partition, PolicyBinding, PolicyRow, PolicyVersion, Sort,
        Wake, read, scan,
    },
};

/// How many bindings one message moves.
const PAGE: usize = 25;

/// How often a binding's move is decided again because another change came first.
const ATTEMPTS: u32 = 8;

/// What a message did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fanned {
    /// Bindings that follow the policy's present version now.
    pub moved: u64,
    /// Bindings that are gone with their policy.
    pub removed: u64,
}

/// Moves one page of a policy's bindings to its present version, each with its row in the due
/// index; removes them when the policy was deleted. A further page is a further message.
///
/// A binding that has an undecided slot of the version before is left to the tick, which decides
/// it first.
///
/// # Errors
/// A failure of the store, after which the message is delivered again.
pub async fn fan_out<P: Clock + Store + Directory>(
    ports: &P,
    policy: &PolicyId,
    after: Option<&BindingId>,
) -> Result<Fanned, PortError> {
    let mut fanned = Fanned::default();
    let head =
        read::<PolicyRow>(ports, Key::policy(policy)).await?.map(|(PolicyRow(head), _)| head);
    let from = after.map(|after| format!("{after}\0")).unwrap_or_default();
    let (from, to) = (Sort::Binding(from.into()), Sort::Binding(AFTER_ALL.into()));
    let page =
        scan::<PolicyBinding>(ports, Partition::Policy(policy.clone()), from, to, PAGE).await?;
    for (reference, _) in &page {
        if let Some(head) = &head {
            let moved = follow(ports, head, &reference.binding).await?;
            fanned.moved = fanned.moved.saturating_add(u64::from(moved));
        } else {
            orphan(ports, reference).await?;
            fanned.removed = fanned.removed.saturating_add(1);
        }
    }
    if let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) {
        let mut transaction = Transaction::default();
        let version = head.map_or(u32::MAX, |head| head.version);
        tell(&mut transaction, ports, policy, Some(&last.binding), version);
        ports.commit(transaction).await?;
    }
    Ok(fanned)
}

/// Adds the message that moves the bindings of a policy after one of them. `version` is the
/// policy's, so that each of its changes has a message of its own.
pub(crate) fn tell<P: Clock + Directory>(
    transaction: &mut Transaction,
    ports: &P,
    policy: &PolicyId,
    after: Option<&BindingId>,
    version: u32,
) {
    let subject = format!("{policy}/{}", after.map(ToString::to_string).unwrap_or_default());
    let message = Message::FanOut { policy: policy.clone(), after: after.cloned() };
    let (management, now) = (ports.management(), ports.now());
    send(transaction, &subject, version, 0, message, &management, now, 0);
}

/// Moves a binding's row in the due index together with the time that stands in its head.
pub(crate) fn move_due(
    transaction: &mut Transaction,
    before: &Binding,
    next: Option<DateTime<Utc>>,
) {
    if before.next == next {
        return;
    }
    if let Some(at) = before.next {
        transaction.delete(Key::due(DUE_SHARD, at, before.id.as_str()), Expect::Owned);
    }
    if let Some(at) = next {
        let wake = Wake::Binding(before.id.clone());
        transaction.put(Due { shard: DUE_SHARD, at, wake }.into());
    }
}

/// Removes a binding with all that refers to it. What it became stays: jobs, slots and points.
pub(crate) fn unbind(transaction: &mut Transaction, binding: &Binding, seen: Version) {
    move_due(transaction, binding, None);
    transaction.delete(Key::binding(&binding.id), Expect::Version(seen));
    let reference = Key::policy_binding(&binding.policy, &binding.id);
    transaction.delete(reference, Expect::Owned);
    let reference = Key::account_binding(&binding.source, &binding.id);
    transaction.delete(reference, Expect::Owned);
}

/// Moves one binding version by version. False when nothing is left to move.
async fn follow<P: Store>(
    ports: &P,
    head: &BackupPolicy,
    id: &BindingId,
) -> Result<bool, PortError> {
    for _ in 0..ATTEMPTS {
        let Some((BindingRow(binding), seen)) = read(ports, Key::binding(id)).await? else {
            return Ok(false);
        };
        let mut followed = binding.clone();
        while followed.version < head.version {
            let old = version(ports, head, followed.version).await?;
            let new = version(ports, head, followed.version.saturating_add(1)).await?;
            match followed.follow(&old, &new) {
                Some(next) => followed = next,
                None => break,
            }
        }
        if followed.version == binding.version {
            return Ok(false);
        }
        let mut transaction = Transaction::default();
        move_due(&mut transaction, &binding, followed.next);
        transaction.replace(BindingRow(followed).into(), seen);
        match ports.commit(transaction).await {
            Ok(_) => return Ok(true),
            Err(PortError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(PortError::Conflict)
}

async fn version(
    ports: &impl Store,
    head: &BackupPolicy,
    version: u32,
) -> Result<BackupPolicy, PortError> {
    if version == head.version {
        return Ok(head.clone());
    }
    match read(ports, Key::policy_version(&head.id, version)).await? {
        Some((PolicyVersion(policy), _)) => Ok(policy),
        None => Err(PortError::Corrupt {
            what: format!("policy `{}`", head.name),
            detail: format!("its version {version} is missing"),
        }),
    }
}

/// Removes a binding whose policy is gone.
async fn orphan<P: Clock + Store + Directory>(
    ports: &P,
    reference: &PolicyBinding,
) -> Result<(), PortError> {
    for _ in 0..ATTEMPTS {
        let mut transaction = Transaction::default();
        let key = Key::binding(&reference.binding);
        if let Some((BindingRow(binding), seen)) = read(ports, key).await? {
            unbind(&mut transaction, &binding, seen);
            let who = Actor::Handler { name: "fan_out".to_owned() };
            let why = format!("policy {} is deleted", binding.policy);
            note(&mut transaction, ports, &binding, who, why);
        } else {
            let key = Key::policy_binding(&reference.policy, &reference.binding);
            transaction.delete(key, Expect::Owned);
        }
        match ports.commit(transaction).await {
            Ok(_) => return Ok(()),
            Err(PortError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(PortError::Conflict)
}

fn note<P: Clock + Directory>(
    transaction: &mut Transaction,
    ports: &P,
    binding: &Binding,
    who: Actor,
    why: String,
) {
    let new = audit::Record {
        id: AuditId::derive(&["binding.removed", binding.id.as_str(), &binding.bound.to_rfc3339()]),
        at: ports.now(),
        who,
        what: "binding.removed".to_owned(),
        subject: binding.id.to_string(),
        account: binding.source.account.clone(),
        why,
    };
    record(transaction, &ports.management(), new);
}
