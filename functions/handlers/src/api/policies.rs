//! Backup policies: made, changed, listed, deleted.

use chrono_tz::Tz;
use crossvault_core::{
    backup_policy::{BackupPolicy, check_name},
    ids::PolicyId,
    schedule::{
        Recurrence,
        retention::{InvalidRules, Period, Retention, Rules, SpecialRule},
    },
};

use super::{
    Answer, ApiError, PolicySpec, Refusal, RetentionSpec,
    bindings::{UNBOUND_MAX, of_policy, take_off},
    change::{Asked, Change, Note},
    names,
};
use crate::{
    fan_out,
    ports::{Clock, Directory, Expect, Store, Transaction},
    records::{Key, NameOf, NameRef, PolicyRow, PolicyVersion},
};

/// Makes a policy.
pub(super) async fn create<P: Clock + Store>(
    ports: &P,
    asked: &Asked,
    spec: &PolicySpec,
) -> Result<Change, ApiError> {
    check_name(&spec.name).map_err(Refusal::from)?;
    names::check_free(ports, NameOf::Policy, &spec.name).await?;
    let vault = names::vault(ports, &spec.vault).await?;
    let id = PolicyId::derive(&asked.parts());
    if ports.get(Key::policy_version(&id, 1)).await?.is_some() {
        // Of a request that is forgotten.
        return Err(Refusal::TokenReused.into());
    }
    let now = ports.now();
    let policy = BackupPolicy {
        id: id.clone(),
        name: spec.name.clone(),
        vault: vault.id,
        schedule: recurrence(&spec.schedule, zone(&spec.zone)?)?,
        retention: rules(&spec.retention).map_err(Refusal::from)?,
        version: 1,
        since: now,
    };
    let mut transaction = Transaction::default();
    transaction.create(NameRef::Policy { name: spec.name.clone(), id: id.clone() }.into());
    transaction.create(PolicyRow(policy.clone()).into());
    transaction.create(PolicyVersion(policy.clone()).into());
    let why = format!("`{}` {}", policy.name, policy.schedule);
    let note =
        Note { what: "policy.created", subject: id.as_str(), account: &asked.management, why };
    asked.note(&mut transaction, now, note);
    Ok(Change { transaction, answer: Answer::Policy(policy) })
}

/// Changes a policy from now on; what is left out stays. Slots until now are the old version's;
/// points that exist keep their expiry.
///
/// Source: Cloud Backup, "Backup policies": a changed policy takes effect at the next run.
pub(super) async fn update<P: Clock + Store + Directory>(
    ports: &P,
    asked: &Asked,
    policy: &str,
    schedule: Option<&str>,
    new_zone: Option<&str>,
    retention: Option<&RetentionSpec>,
) -> Result<Change, ApiError> {
    let (old, seen) = names::policy(ports, policy).await?;
    let zone = match new_zone {
        Some(name) => zone(name)?,
        None => old.schedule.zone(),
    };
    let schedule = recurrence(schedule.unwrap_or(old.schedule.as_str()), zone)?;
    let retention = match retention {
        Some(spec) => rules(spec).map_err(Refusal::from)?,
        None => old.retention.clone(),
    };
    if schedule == old.schedule && retention == old.retention {
        return Ok(Change::none(Answer::Policy(old)));
    }
    for (binding, _) in of_policy(ports, &old.id).await? {
        retention.check_for(binding.0.source.kind).map_err(Refusal::from)?;
    }
    let now = ports.now();
    let new = BackupPolicy {
        schedule,
        retention,
        version: old.version.saturating_add(1),
        // A clock may have stepped back; versions follow one another all the same.
        since: now.max(old.since),
        ..old
    };
    let mut transaction = Transaction::default();
    transaction.replace(PolicyRow(new.clone()).into(), seen);
    transaction.create(PolicyVersion(new.clone()).into());
    fan_out::tell(&mut transaction, ports, &new.id, None, new.version);
    let why = format!("`{}` version {}: {}", new.name, new.version, new.schedule);
    let note =
        Note { what: "policy.changed", subject: new.id.as_str(), account: &asked.management, why };
    asked.note(&mut transaction, now, note);
    Ok(Change { transaction, answer: Answer::Policy(new) })
}

/// Lists the policies by their names.
pub(super) async fn list(ports: &impl Store) -> Result<Answer, ApiError> {
    Ok(Answer::Policies(names::policies(ports).await?))
}

/// Deletes a policy. It is gone at once; as many of its bindings go with it as one transaction
/// holds, and a message removes the rest, among them one that was made at this very moment.
///
/// Source: SDK `DeletePolicyV2`: deleting a policy unbinds all its sources.
pub(super) async fn delete<P: Clock + Store + Directory>(
    ports: &P,
    asked: &Asked,
    policy: &str,
) -> Result<Change, ApiError> {
    let (policy, seen) = names::policy(ports, policy).await?;
    let mut bindings = of_policy(ports, &policy.id).await?;
    let unbound = bindings.len();
    bindings.truncate(UNBOUND_MAX);
    let now = ports.now();
    let mut transaction = Transaction::default();
    take_off(&mut transaction, asked, &bindings, &format!("policy {} is deleted", policy.id), now);
    transaction.delete(Key::policy(&policy.id), Expect::Version(seen));
    transaction.delete(Key::name(NameOf::Policy, &policy.name), Expect::Owned);
    fan_out::tell(&mut transaction, ports, &policy.id, None, policy.version.saturating_add(1));
    let subject = policy.id.as_str();
    let why = format!("`{}`, {unbound} sources unbound", policy.name);
    let note = Note { what: "policy.deleted", subject, account: &asked.management, why };
    asked.note(&mut transaction, now, note);
    Ok(Change { transaction, answer: Answer::Done })
}

fn zone(name: &str) -> Result<Tz, Refusal> {
    name.parse().map_err(|_| Refusal::Zone(name.chars().take(100).collect()))
}

fn recurrence(text: &str, zone: Tz) -> Result<Recurrence, Refusal> {
    Recurrence::parse(text, zone).map_err(Refusal::from)
}

fn rules(spec: &RetentionSpec) -> Result<Rules, InvalidRules> {
    let RetentionSpec { days, daily, weekly, monthly, yearly, keep_latest } = spec;
    let special = [
        (Period::Daily, daily),
        (Period::Weekly, weekly),
        (Period::Monthly, monthly),
        (Period::Yearly, yearly),
    ];
    let special = special
        .into_iter()
        .filter_map(|(period, days)| Some(SpecialRule { period, days: (*days)? }));
    let retention = days.map_or(Retention::Forever, Retention::Days);
    Rules::new(retention, special.collect(), *keep_latest)
}
