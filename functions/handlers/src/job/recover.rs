//! After a start of a platform on which no step can be alive.

use chrono::{DateTime, Utc};

use super::claim::{move_wake, store};
use crate::{
    enqueue::DUE_SHARD,
    ports::{Clock, PortError, Store, Transaction},
    records::{AFTER_ALL, Due, Job, Key, Partition, Sort, Wake, read, scan},
};

/// Lets every live job go on at once: its lease is over, and it is due now. What a dead process
/// held goes on, and what waited for a message that died with it. Returns how many.
///
/// Only for a platform that runs as one process and has just started: elsewhere a lease may be
/// alive, and waiting for its end is what keeps two steps apart.
///
/// # Errors
/// A failure of the store.
pub async fn recover<P: Clock + Store>(ports: &P) -> Result<u32, PortError> {
    let now = ports.now();
    let mut freed = 0_u32;
    let mut from = Sort::At(DateTime::<Utc>::MIN_UTC, "".into());
    loop {
        let to = Sort::At(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into());
        let page = scan::<Due>(ports, Partition::Due(DUE_SHARD), from, to, 100).await?;
        for (due, _) in &page {
            if let Wake::Job(id) = &due.wake {
                let Some((mut job, version)) = read::<Box<Job>>(ports, Key::job(id)).await? else {
                    continue;
                };
                job.lease_until = None;
                let mut transaction = Transaction::default();
                move_wake(&mut transaction, &mut job, now);
                store(ports, transaction, *job, version).await?;
                freed = freed.saturating_add(1);
            }
        }
        let Some((last, _)) = page.last() else { return Ok(freed) };
        if page.len() < 100 {
            return Ok(freed);
        }
        from = Sort::At(last.at, format!("{}\0", last.wake.id()).into());
    }
}
