//! Finds what is due, and gives each slot exactly one outcome. Trigger: every minute.

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit::Actor,
    backup::Backup,
    backup_policy::{BackupPolicy, Binding},
    ids::{BindingId, JobId},
    job::State,
    schedule::slot::{self, GRACE, Outcome, Plan, Skip},
};

use crate::{
    enqueue::{DUE_SHARD, enqueue},
    job,
    ports::{Clock, Directory, Expect, PortError, Store, Transaction, Version},
    records::{
        AFTER_ALL, BindingRow, Busy, BusyOf, Due, Job, JobWork, Key, MissedSlots, Partition,
        PolicyRow, PolicyVersion, SlotRow, Sort, Wake, read, scan,
    },
};

/// How many due rows are read at a time.
const PAGE: usize = 100;

/// What a tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Due rows that were looked at.
    pub seen: u64,
    /// Slots that got a job.
    pub started: u64,
    /// Slots that were skipped, with their reasons recorded.
    pub skipped: u64,
    /// Gaps that were recorded.
    pub missed: u64,
    /// Jobs that were woken.
    pub woken: u64,
}

/// Decides everything that is due in a shard. `at` is the trigger's scheduled time; what counts is
/// the earlier of it and now.
///
/// Authority is not asked here: the job is made, asks at its first step, and ends with its cause.
/// So every slot has an outcome even when the cloud's identity services are down. Two ticks at
/// once: one of them conflicts, and that is success; after a crash, what was not decided is still
/// due.
///
/// # Errors
/// A failure of the store.
pub async fn tick<P: Clock + Store + Directory>(
    ports: &P,
    shard: u16,
    at: DateTime<Utc>,
    stop_at: DateTime<Utc>,
) -> Result<Ticked, PortError> {
    let upto = at.min(ports.now());
    let mut ticked = Ticked::default();
    let mut damage = Ok(());
    let mut from = Sort::At(DateTime::<Utc>::MIN_UTC, "".into());
    loop {
        let to = Sort::At(upto, AFTER_ALL.into());
        let page = scan::<Due>(ports, Partition::Due(shard), from, to, PAGE).await?;
        for (due, seen) in &page {
            if ports.now() >= stop_at {
                return damage.map(|()| ticked);
            }
            ticked.seen = ticked.seen.saturating_add(1);
            match decide(ports, due, *seen, upto, &mut ticked).await {
                // Another tick, or the end of the job, came first.
                Ok(()) | Err(PortError::Conflict) => {}
                // One binding's damage keeps no other waiting; it is told in the end.
                Err(error @ PortError::Corrupt { .. }) => damage = Err(error),
                Err(error) => return Err(error),
            }
        }
        let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) else {
            return damage.map(|()| ticked);
        };
        from = Sort::At(last.at, format!("{}\0", last.wake.id()).into());
    }
}

async fn decide<P: Clock + Store + Directory>(
    ports: &P,
    due: &Due,
    seen: Version,
    upto: DateTime<Utc>,
    ticked: &mut Ticked,
) -> Result<(), PortError> {
    let is_live = match &due.wake {
        Wake::Binding(binding) => of_binding(ports, binding, due.at, upto, ticked).await?,
        Wake::Job(id) => {
            let is_live = job::wake(ports, id, due.at).await?;
            ticked.woken = ticked.woken.saturating_add(u64::from(is_live));
            is_live
        }
    };
    if !is_live {
        let mut transaction = Transaction::default();
        let key = Key::due(due.shard, due.at, due.wake.id());
        transaction.delete(key, Expect::Version(seen));
        ports.commit(transaction).await?;
    }
    Ok(())
}

/// Decides the slots of one binding. False when the due row is stale.
async fn of_binding<P: Clock + Store + Directory>(
    ports: &P,
    id: &BindingId,
    at: DateTime<Utc>,
    upto: DateTime<Utc>,
    ticked: &mut Ticked,
) -> Result<bool, PortError> {
    let Some((BindingRow(mut binding), version)) = read(ports, Key::binding(id)).await? else {
        return Ok(false);
    };
    if binding.next != Some(at) {
        return Ok(false);
    }
    let Some((PolicyRow(policy), _)) = read(ports, Key::policy(&binding.policy)).await? else {
        return Ok(false);
    };
    let mut transaction = Transaction::default();
    let plan = plan(ports, &policy, &mut binding, at, upto).await?;
    move_due(&mut transaction, &binding, at, plan.next);
    binding.next = plan.next;
    let mut counted = *ticked;
    if let Some(missed) = plan.missed {
        transaction.create(MissedSlots { binding: id.clone(), missed }.into());
        counted.missed = counted.missed.saturating_add(1);
    }
    if let Some(due) = plan.due {
        let outcome = of_slot(ports, &mut transaction, &policy, &binding, due).await?;
        match outcome {
            Outcome::Started(_) => counted.started = counted.started.saturating_add(1),
            Outcome::Skipped(_) => counted.skipped = counted.skipped.saturating_add(1),
        }
        transaction.create(SlotRow { binding: id.clone(), due, outcome }.into());
    }
    transaction.replace(BindingRow(binding).into(), version);
    ports.commit(transaction).await?;
    *ticked = counted;
    Ok(true)
}

/// Plans the slots by the version of the policy that holds for them.
///
/// A changed policy decides the slots after its change; those before are the old version's, also
/// when this comes late. Slots of the old version after the change are dropped without a record.
/// The binding follows as it does in [`crate::fan_out`], whichever comes first.
async fn plan<P: Store>(
    ports: &P,
    policy: &BackupPolicy,
    binding: &mut Binding,
    next: DateTime<Utc>,
    upto: DateTime<Utc>,
) -> Result<Plan, PortError> {
    if binding.version == policy.version {
        return Ok(slot::plan(&policy.schedule, next, upto, GRACE));
    }
    let old = version(ports, policy, binding.version).await?;
    let new = version(ports, policy, binding.version.saturating_add(1)).await?;
    let until = upto.min(new.since);
    let mut plan = slot::plan(&old.schedule, next, until, GRACE);
    binding.next = plan.next;
    if let Some(followed) = binding.follow(&old, &new) {
        plan.next = followed.next;
        *binding = followed;
    }
    Ok(plan)
}

async fn version<P: Store>(
    ports: &P,
    policy: &BackupPolicy,
    version: u32,
) -> Result<BackupPolicy, PortError> {
    if version == policy.version {
        return Ok(policy.clone());
    }
    let key = Key::policy_version(&policy.id, version);
    match read::<PolicyVersion>(ports, key).await? {
        Some((PolicyVersion(old), _)) => Ok(old),
        None => Err(PortError::Corrupt {
            what: format!("policy `{}`", policy.name),
            detail: format!("its version {version} is missing"),
        }),
    }
}

/// Moves the binding's row in the due index.
fn move_due(
    transaction: &mut Transaction,
    binding: &Binding,
    at: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
) {
    if next == Some(at) {
        return;
    }
    transaction.delete(Key::due(DUE_SHARD, at, binding.id.as_str()), Expect::Owned);
    if let Some(at) = next {
        let wake = Wake::Binding(binding.id.clone());
        transaction.put(Due { shard: DUE_SHARD, at, wake }.into());
    }
}

/// Decides one slot: a job, or a skip whose reason still holds when it is stored.
async fn of_slot<P: Clock + Store + Directory>(
    ports: &P,
    transaction: &mut Transaction,
    policy: &BackupPolicy,
    binding: &Binding,
    due: DateTime<Utc>,
) -> Result<Outcome, PortError> {
    if binding.paused {
        return Ok(Outcome::Skipped(Skip::Paused));
    }
    let busy_of = BusyOf::Binding(binding.id.clone());
    let key = Key::busy(&busy_of);
    if let Some((busy, seen)) = read::<Busy>(ports, key.clone()).await? {
        transaction.check(key, seen);
        return Ok(Outcome::Skipped(Skip::PredecessorRuns(busy.job)));
    }
    let job = JobId::derive(&["slot", binding.id.as_str(), &due.to_rfc3339()]);
    transaction.create(Busy { of: busy_of, job: job.clone() }.into());
    let backup = Backup {
        source: binding.source.clone(),
        vault: policy.vault.clone(),
        policy: Some(policy.id.clone()),
        binding: Some(binding.id.clone()),
        due: Some(due),
    };
    let work = JobWork::Backup(backup, State::Queued);
    let account = binding.source.account.clone();
    let new = Job::new(job.clone(), work, account, ports.now());
    let who = Actor::Handler { name: "schedule".to_owned() };
    let why = format!("slot {} of policy {}", due.to_rfc3339(), policy.name);
    enqueue(transaction, &ports.management(), new, who, why);
    Ok(Outcome::Started(job))
}
