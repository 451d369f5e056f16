//! What a job's transfer is to do, and whose authority it needs.

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::Subject,
    catalog::{Operation, Party, Verb, data_lies_with},
    ids::{AccountId, DataSource},
    job::{Checkpoint, State},
};

use super::Pace;
use crate::{
    enqueue::later,
    ports::{Order, TransferName, Work},
    records::{Job, JobWork},
};

/// The order to the platform, for one step.
pub(super) fn of(
    job: &Job,
    name: TransferName,
    pace: Pace,
    now: DateTime<Utc>,
    stop_at: DateTime<Utc>,
) -> Order {
    let (work, from, pauses) = match &job.work {
        JobWork::Backup(backup, state) => {
            let work = Work::BackUp {
                source: backup.source.clone(),
                vault: backup.vault.clone(),
                policy: backup.policy.clone(),
            };
            let (from, pauses) = place(state);
            (work, from, pauses)
        }
        JobWork::Restore(restore, state) => {
            let (from, pauses) = place(state);
            (Work::Restore(restore.clone()), from, pauses)
        }
        JobWork::Erase(erase, state) => {
            let (from, pauses) = place(state);
            (Work::Erase(erase.clone()), from, pauses)
        }
        JobWork::Prune(prune, state) => {
            let (from, pauses) = place(state);
            (Work::Prune(prune.clone()), from, pauses)
        }
    };
    // Steps double, so that listing the source again stays cheap beside reading it.
    let length = pace.step.checked_mul(2_i32.saturating_pow(pauses.min(16))).unwrap_or(pace.step);
    let pause_at = later(now, length).min(stop_at);
    Order { name, work, from, pause_at, epoch: job.epoch.unwrap_or_default() }
}

fn place<S>(state: &State<S>) -> (Checkpoint, u32) {
    match state {
        State::Running(running) => (running.at.clone(), running.pauses),
        State::Queued | State::Canceling | State::Ended(_) => (Checkpoint::default(), 0),
    }
}

/// What authority the job needs; none for upkeep of the management account's own vaults. What lies
/// with the resource account is erased by its leave, and outlives its source.
///
/// Source: Cloud Backup, "Cross-account backup", section "Quotas and limits": the snapshots of an
/// ECS instance are stored in the resource account.
pub(super) fn subject(job: &Job, management: AccountId) -> Option<Subject> {
    let of = |source: &DataSource, verb| Subject {
        management,
        account: source.account.clone(),
        region: source.region.clone(),
        operation: Operation { kind: source.kind, verb },
        source: Some(source.clone()),
    };
    match &job.work {
        JobWork::Backup(backup, _) => Some(of(&backup.source, Verb::BackUp)),
        JobWork::Restore(restore, _) => Some(of(&restore.to, Verb::Restore)),
        JobWork::Erase(erase, _) => match data_lies_with(erase.source.kind) {
            Party::Resource => Some(Subject { source: None, ..of(&erase.source, Verb::Erase) }),
            Party::Management => None,
        },
        JobWork::Prune(..) => None,
    }
}
