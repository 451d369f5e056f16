//! Wakes a job that has not been heard of: its message was lost, or its runner died.

use chrono::{DateTime, Utc};
use crossvault_core::ids::JobId;

use super::claim::{move_wake, store};
use crate::{
    enqueue::{WATCHDOG, later, send},
    ports::{Clock, Message, PortError, Store, Transaction},
    records::{Job, Key, read},
};

/// Sends the job its message again, and sets the watchdog anew. False when the due row is stale.
pub(crate) async fn wake<P: Clock + Store>(
    ports: &P,
    id: &JobId,
    at: DateTime<Utc>,
) -> Result<bool, PortError> {
    let Some((mut job, version)) = read::<Box<Job>>(ports, Key::job(id)).await? else {
        return Ok(false);
    };
    if job.wake != Some(at) {
        return Ok(false);
    }
    let now = ports.now();
    let mut transaction = Transaction::default();
    move_wake(&mut transaction, &mut job, later(now, WATCHDOG));
    let message = Message::TakeStep(job.id.clone());
    // The commit raises the revision.
    let revision = job.revision.saturating_add(1);
    send(&mut transaction, id.as_str(), revision, 0, message, &job.account, now, 0);
    store(ports, transaction, *job, version).await?;
    Ok(true)
}
