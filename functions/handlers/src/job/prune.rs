//! A prune makes the vault its own before it removes anything.
//!
//! It closes the vault's gate, so that no further transfer begins; waits for those that live; and
//! raises the vault's epoch, so that data which a transfer began before can no longer become a
//! point. Only then does it remove.

use chrono::TimeDelta;
use crossvault_core::vault::Gate;

use super::claim::{Held, store};
use crate::{
    ports::{Clock, PortError, Store, Transaction},
    records::{AFTER_ALL, GateRow, Job, JobWork, Key, Partition, Sort, Use, read, read_all, scan},
};

/// How long a prune waits for transfers that live. After it they are outdated: they begin again
/// under the new epoch, and lose work but no data.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// Makes way for the job if it is a prune; false when it has to wait still.
pub(super) async fn make_way<P: Clock + Store>(
    ports: &P,
    held: &mut Held,
) -> Result<bool, PortError> {
    let JobWork::Prune(prune, _) = &held.job.work else { return Ok(true) };
    let vault = prune.vault.clone();
    let key = Key::gate(&vault);
    let Some((row, seen)) = read::<GateRow>(ports, key).await? else {
        // Without a gate there is no vault: the transfer will say so.
        return Ok(true);
    };
    let is_mine = row.gate.prune.as_ref() == Some(&held.job.id);
    if is_mine && held.job.epoch == Some(row.gate.epoch) {
        return Ok(true);
    }
    let mut gate = Gate { prune: Some(held.job.id.clone()), ..row.gate };
    let mut job = held.job.clone();
    let is_free = is_mine && (is_unused(ports, &job).await? || is_impatient(ports, &job));
    if is_free {
        gate.epoch = gate.epoch.next();
        job.epoch = Some(gate.epoch);
    }
    let mut transaction = Transaction::default();
    transaction.replace(GateRow { vault, gate }.into(), seen);
    *held = store(ports, transaction, job, held.version).await?;
    if is_free || is_mine {
        return Ok(is_free);
    }
    // The gate has just closed: whoever is inside may be seen now.
    Box::pin(make_way(ports, held)).await
}

/// Whether no transfer of the vault has a live lease.
async fn is_unused<P: Clock + Store>(ports: &P, prune: &Job) -> Result<bool, PortError> {
    let now = ports.now();
    let mut from = Sort::Use("".into());
    loop {
        let partition = Partition::Vault(prune.work.vault().clone());
        let page = scan::<Use>(ports, partition, from, Sort::Use(AFTER_ALL.into()), 100).await?;
        let Some((last, _)) = page.last() else { return Ok(true) };
        // The next place after an id is the id with the least character behind it.
        from = Sort::Use(format!("{}\0", last.job).into());
        let keys = page.iter().map(|(row, _)| Key::job(&row.job)).collect();
        let jobs = read_all::<Box<Job>>(ports, keys).await?;
        let lives = |job: &Job| {
            job.id != prune.id
                && !job.work.is_ended()
                && job.lease_until.is_some_and(|until| until > now)
        };
        if jobs.iter().any(|(job, _)| lives(job)) {
            return Ok(false);
        }
        if page.len() < 100 {
            return Ok(true);
        }
    }
}

fn is_impatient(ports: &impl Clock, prune: &Job) -> bool {
    let began = prune.started.unwrap_or(prune.queued);
    ports.now().signed_duration_since(began) > PATIENCE
}
