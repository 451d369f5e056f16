//! Bindings: policies attached to sources, paused, and taken off again.

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::{Decision, Subject, decide},
    backup_policy::{BackupPolicy, Binding},
    catalog::{Operation, Verb},
    ids::{BindingId, DataSource, PolicyId},
};

use super::{
    Answer, ApiError, BindingView, Refusal,
    change::{Asked, Change, Note},
    names::{self, unknown},
    rows,
};
use crate::{
    facts::{self, Visit},
    fan_out::{move_due, unbind as drop_binding},
    ports::{Clock, Directory, PortError, Sources, Store, Transaction, Version},
    records::{
        AFTER_ALL, AccountBinding, BindingRow, GrantRow, Key, MissedSlots, Partition,
        PolicyBinding, SlotRow, Sort, read, scan_all,
    },
};

/// How many bindings one transaction removes beside its other writes.
pub(super) const UNBOUND_MAX: usize = 16;

/// A binding as it was read.
pub(super) type Bound = (BindingRow, Version);

/// Attaches a policy to a source that Crossvault may back up now.
pub(super) async fn bind<P: Clock + Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    policy: &str,
    source: &DataSource,
) -> Result<Change, ApiError> {
    check_kind(ports, source)?;
    let (policy, seen) = names::policy(ports, policy).await?;
    let id = Binding::id(&policy.id, source);
    if ports.get(Key::binding(&id)).await?.is_some() {
        return Err(Refusal::BoundAlready.into());
    }
    policy.retention.check_for(source.kind).map_err(Refusal::from)?;
    let mut transaction = Transaction::default();
    transaction.check(Key::policy(&policy.id), seen);
    let grant = Key::grant(&source.region, &source.account);
    if let Some((row, seen)) = read::<GrantRow>(ports, grant).await? {
        // Written anew, so that a removal which looked for bindings before looks again.
        transaction.replace(row.into(), seen);
    }
    check_authority(ports, asked, source).await?;
    let now = ports.now();
    let from = decided(ports, &id).await?.map_or(now, |decided| decided.max(now));
    let unplaced = Binding {
        id: id.clone(),
        policy: policy.id.clone(),
        source: source.clone(),
        bound: now,
        paused: false,
        next: None,
        version: policy.version,
    };
    let next = policy.schedule.next_after(from);
    move_due(&mut transaction, &unplaced, next);
    let binding = Binding { next, ..unplaced };
    transaction.create(BindingRow(binding.clone()).into());
    let reference =
        PolicyBinding { policy: policy.id.clone(), binding: id.clone(), source: source.clone() };
    transaction.create(reference.into());
    transaction.create(AccountBinding { binding: id, source: source.clone() }.into());
    note(&mut transaction, asked, "binding.created", &binding, &in_words(&policy, source), now);
    Ok(Change { transaction, answer: Answer::Binding(view(binding, &policy)) })
}

/// Takes a policy off a source. Its recovery points stay, and what runs goes on.
///
/// Source: Cloud Backup, "Backup policies": unbinding ends the runs, and data stays.
pub(super) async fn unbind<P: Clock + Store>(
    ports: &P,
    asked: &Asked,
    policy: &str,
    source: &DataSource,
) -> Result<Change, ApiError> {
    let (policy, bound) = find(ports, policy, source).await?;
    let mut transaction = Transaction::default();
    take_off(&mut transaction, asked, &[bound], &in_words(&policy, source), ports.now());
    Ok(Change { transaction, answer: Answer::Done })
}

/// Skips a binding's slots, each with a record of it, or stops skipping them.
pub(super) async fn pause<P: Clock + Store>(
    ports: &P,
    asked: &Asked,
    policy: &str,
    source: &DataSource,
    paused: bool,
) -> Result<Change, ApiError> {
    let (policy, (BindingRow(binding), seen)) = find(ports, policy, source).await?;
    if binding.paused == paused {
        return Ok(Change::none(Answer::Binding(view(binding, &policy))));
    }
    let binding = Binding { paused, ..binding };
    let mut transaction = Transaction::default();
    transaction.replace(BindingRow(binding.clone()).into(), seen);
    let what = if paused { "binding.paused" } else { "binding.resumed" };
    note(&mut transaction, asked, what, &binding, &in_words(&policy, source), ports.now());
    Ok(Change { transaction, answer: Answer::Binding(view(binding, &policy)) })
}

/// Lists the bindings of one policy or of all, by the policies' names and the sources.
pub(super) async fn list(ports: &impl Store, policy: Option<&str>) -> Result<Answer, ApiError> {
    let policies = match policy {
        Some(policy) => vec![names::policy(ports, policy).await?.0],
        None => names::policies(ports).await?,
    };
    let mut views = Vec::new();
    for policy in policies {
        let bindings = of_policy(ports, &policy.id).await?;
        let mut bindings: Vec<Binding> =
            bindings.into_iter().map(|(BindingRow(binding), _)| binding).collect();
        bindings.sort_by(|one, other| one.source.cmp(&other.source));
        views.extend(bindings.into_iter().map(|binding| view(binding, &policy)));
    }
    Ok(Answer::Bindings(views))
}

/// The binding of this policy to this source.
///
/// # Errors
/// [`Refusal::Unknown`].
pub(super) async fn find(
    ports: &impl Store,
    policy: &str,
    source: &DataSource,
) -> Result<(BackupPolicy, Bound), ApiError> {
    let (policy, _) = names::policy(ports, policy).await?;
    match read::<BindingRow>(ports, Key::binding(&Binding::id(&policy.id, source))).await? {
        Some(bound) => Ok((policy, bound)),
        None => Err(unknown("binding", &in_words(&policy, source))),
    }
}

/// All bindings of a source, with their policies: there is at most one for each policy.
pub(super) async fn of_source(
    ports: &impl Store,
    source: &DataSource,
) -> Result<Vec<(BackupPolicy, Bound)>, PortError> {
    let policies = names::policies(ports).await?;
    let keys = policies.iter().map(|policy| Key::binding(&Binding::id(&policy.id, source)));
    let bindings = rows::many::<BindingRow>(ports, keys.collect()).await?;
    let with_policy = |bound: Bound| {
        let policy = policies.iter().find(|policy| policy.id == bound.0.0.policy)?;
        Some((policy.clone(), bound))
    };
    Ok(bindings.into_iter().filter_map(with_policy).collect())
}

/// All bindings of a policy.
pub(super) async fn of_policy(
    ports: &impl Store,
    policy: &PolicyId,
) -> Result<Vec<Bound>, PortError> {
    let (from, to) = (Sort::Binding("".into()), Sort::Binding(AFTER_ALL.into()));
    let partition = Partition::Policy(policy.clone());
    let references = scan_all::<PolicyBinding>(ports, partition, from, to).await?;
    let keys = references.iter().map(|(reference, _)| Key::binding(&reference.binding));
    rows::many(ports, keys.collect()).await
}

/// Adds the removal of up to [`UNBOUND_MAX`] bindings, each with its audit record.
pub(super) fn take_off(
    transaction: &mut Transaction,
    asked: &Asked,
    bindings: &[Bound],
    why: &str,
    now: DateTime<Utc>,
) {
    for (BindingRow(binding), seen) in bindings {
        drop_binding(transaction, binding, *seen);
        note(transaction, asked, "binding.removed", binding, why, now);
    }
}

/// Refuses a type of source that the platform doesn't back up.
pub(super) fn check_kind(ports: &impl Sources, source: &DataSource) -> Result<(), Refusal> {
    let (kind, supported) = (source.kind, ports.kinds());
    if supported.contains(&kind) {
        Ok(())
    } else {
        Err(Refusal::KindUnsupported { kind, supported: supported.to_vec() })
    }
}

/// Refuses a source that could not be backed up now: a mistyped one would fail at each slot.
async fn check_authority<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    source: &DataSource,
) -> Result<(), ApiError> {
    let subject = Subject {
        management: asked.management.clone(),
        account: source.account.clone(),
        region: source.region.clone(),
        operation: Operation { kind: source.kind, verb: Verb::BackUp },
        source: Some(source.clone()),
    };
    // Nothing is done but to look.
    let visit = Visit { session: &asked.session(), operations: &[subject.operation.look()] };
    let read = facts::of_subject(ports, &subject, visit).await?;
    match decide(&subject, &read.facts) {
        Decision::Allowed(_) => Ok(()),
        Decision::Denied(causes) => Err(Refusal::Unauthorized(causes).into()),
    }
}

/// The last slot that an earlier life of the binding decided: each slot has one outcome, also when
/// a clock has stepped back since.
async fn decided(ports: &impl Store, id: &BindingId) -> Result<Option<DateTime<Utc>>, PortError> {
    let partition = Partition::Binding(id.clone());
    let (from, to) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let slots: Vec<SlotRow> =
        rows::newest(ports, partition.clone(), Sort::Slot(from), Sort::Slot(to), 1).await?;
    let missed: Vec<MissedSlots> =
        rows::newest(ports, partition, Sort::Missed(from), Sort::Missed(to), 1).await?;
    let slots = slots.into_iter().map(|row| row.due);
    Ok(slots.chain(missed.into_iter().map(|row| row.missed.last)).max())
}

fn note(
    transaction: &mut Transaction,
    asked: &Asked,
    what: &'static str,
    binding: &Binding,
    why: &str,
    now: DateTime<Utc>,
) {
    let (subject, account) = (binding.id.as_str(), &binding.source.account);
    asked.note(transaction, now, Note { what, subject, account, why: why.to_owned() });
}

fn view(binding: Binding, policy: &BackupPolicy) -> BindingView {
    BindingView { binding, policy: policy.name.clone() }
}

fn in_words(policy: &BackupPolicy, source: &DataSource) -> String {
    format!("{} to {source}", policy.name)
}
