//! Marks recovery points as going, and makes the job that erases their data.

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit::Actor,
    ids::{AccountId, DataSource, JobId, VaultId},
    job::State,
    upkeep::{Erase, Erased},
    vault::PointState,
};

use crate::{
    enqueue::enqueue,
    ports::{Transaction, Version},
    records::{Job, JobWork, PointRow},
};

/// Adds the marks and the job for points of one source in one vault, at most
/// [`crossvault_core::upkeep::ERASE_POINTS_MAX`]. Returns the job's id.
///
/// The mark is made with the point's stamp: a restore that takes the point into use at the same
/// time conflicts, and one of the two decides again.
#[expect(clippy::too_many_arguments, reason = "each is one fact of the decision")]
pub fn erase(
    transaction: &mut Transaction,
    management: &AccountId,
    vault: &VaultId,
    source: &DataSource,
    points: Vec<(Box<PointRow>, Version)>,
    who: Actor,
    why: String,
    now: DateTime<Utc>,
) -> JobId {
    let mut parts = vec!["erase".to_owned(), now.to_rfc3339()];
    parts.extend(points.iter().map(|(row, _)| row.0.id.to_string()));
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let id = JobId::derive(&parts);
    let erased = points
        .iter()
        .map(|(row, _)| Erased {
            point: row.0.id.clone(),
            taken: row.0.taken,
            snapshot: row.0.snapshot.clone(),
        })
        .collect();
    for (mut row, seen) in points {
        row.0.state = PointState::Expiring { job: id.clone() };
        transaction.replace(row.into(), seen);
    }
    let work = Erase { vault: vault.clone(), source: source.clone(), points: erased };
    let work = JobWork::Erase(work, State::Queued);
    let job = Job::new(id.clone(), work, management.clone(), now);
    enqueue(transaction, management, job, who, why);
    id
}
