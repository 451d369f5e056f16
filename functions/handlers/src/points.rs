//! Recovery points by their id alone.

use crossvault_core::{
    ids::{JobId, PointId},
    job::{Outcome, State},
};

use crate::{
    ports::{PortError, Store, Version},
    records::{Job, JobWork, Key, PointRow, read},
};

/// Finds a point through the job that made it: both ids have the same digits.
///
/// # Errors
/// A failure of the store.
pub async fn find(
    ports: &impl Store,
    point: &PointId,
) -> Result<Option<(Box<PointRow>, Version)>, PortError> {
    let Ok(job) = point.as_str().replacen("s-", "job-", 1).parse::<JobId>() else {
        return Ok(None);
    };
    let Some((job, _)) = read::<Box<Job>>(ports, Key::job(&job)).await? else { return Ok(None) };
    let JobWork::Backup(backup, state) = &job.work else { return Ok(None) };
    let State::Ended(Outcome::Complete(sealed) | Outcome::Partial(sealed)) = state else {
        return Ok(None);
    };
    read(ports, Key::point(&backup.vault, &backup.source, sealed.taken, point)).await
}
