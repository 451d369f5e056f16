//! Runs the functions in one process: workers, ticks, outbox and retention, on one thread, with a
//! thread for each transfer.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::ids::JobId;
use crossvault_handlers::{
    directory,
    enqueue::{DUE_SHARD, OUTBOX_SHARD},
    fan_out::fan_out,
    job::{self, Pace},
    outbox,
    ports::{Clock, Message, PortError},
    records::{Job, Key, read},
    retention, review, schedule,
};
use tokio::task::JoinSet;

use crate::{hearing, platform::Embedded};

/// How many jobs move at a time.
const WORKERS: usize = 4;

/// How this platform paces its steps.
pub const PACE: Pace = Pace { pulse: TimeDelta::seconds(2), step: TimeDelta::minutes(5), turns: 2 };

/// How often the due index is looked at.
const TICK: Duration = Duration::from_millis(500);

/// How often retention runs.
const RETENTION: Duration = Duration::from_hours(1);

/// How often it is asked whether the day's review is due.
const REVIEW: Duration = Duration::from_hours(1);

/// How often the outbox is swept without being woken.
const SWEEP: Duration = Duration::from_secs(5);

/// How often a job that somebody waits for is looked at: it costs a read of one row.
const LOOK: Duration = Duration::from_millis(20);

/// How soon a failed handler is tried again.
const AGAIN_S: u32 = 2;

/// The functions, running. Dropping it stops them: what they were at goes on after the next start.
pub struct Runtime {
    platform: Embedded,
    tasks: JoinSet<()>,
}

impl Runtime {
    /// Starts the functions. Jobs that a dead process held go on at once.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn start(platform: Embedded) -> Result<Self, PortError> {
        let freed = job::recover(&platform).await?;
        if freed > 0 {
            tracing::info!(freed, "jobs go on that were interrupted");
        }
        let mut tasks = JoinSet::new();
        for _ in 0..WORKERS {
            tasks.spawn(work(platform.clone()));
        }
        tasks.spawn(drain(platform.clone()));
        tasks.spawn(tick(platform.clone()));
        tasks.spawn(hearing::listen(platform.clone(), platform.world().events()));
        Ok(Self { platform, tasks })
    }

    /// Runs retention and the reviews now and then hourly, beside the functions.
    pub fn keep_house(&mut self) {
        self.tasks.spawn(retain(self.platform.clone()));
        self.tasks.spawn(review(self.platform.clone()));
    }

    /// Waits until a job has ended; `report` hears of it each time it was looked at.
    ///
    /// # Errors
    /// A failure of the store; [`PortError::NotFound`] when there is no such job.
    pub async fn wait(
        &self,
        id: &JobId,
        mut report: impl FnMut(&Job),
    ) -> Result<Box<Job>, PortError> {
        loop {
            let Some((job, _)) = read::<Box<Job>>(&self.platform, Key::job(id)).await? else {
                return Err(PortError::NotFound(id.to_string()));
            };
            report(&job);
            if job.work.is_ended() {
                return Ok(job);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops the functions. Jobs that run are at their last checkpoint.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.platform.halt_all();
    }
}

/// This platform ends no invocation.
pub(crate) fn no_limit() -> DateTime<Utc> {
    DateTime::<Utc>::MAX_UTC
}

async fn work(platform: Embedded) {
    loop {
        let message = platform.inner().queue.receive().await;
        match message {
            Message::TakeStep(id) => {
                if let Err(error) = job::step(&platform, &id, PACE, no_limit()).await {
                    // The job's watchdog brings it back.
                    tracing::warn!(job = %id, %error, "a step failed");
                }
            }
            Message::FanOut { policy, after } => {
                if let Err(error) = fan_out(&platform, &policy, after.as_ref()).await {
                    // A tick that meets a binding of the old version moves it too.
                    tracing::warn!(%policy, %error, "a fan-out failed");
                }
            }
            Message::RecheckAll { on, after, hint } => {
                let after = after.as_ref();
                if let Err(error) =
                    directory::recheck_all(&platform, &on, after, &hint, no_limit()).await
                {
                    // The daily review looks at every grant.
                    tracing::warn!(?on, %error, "grants were not looked at");
                }
            }
            Message::Recheck { account, region, hint } => {
                if let Err(error) = directory::recheck(&platform, &account, &region, &hint).await {
                    tracing::warn!(%account, %region, %error, "a grant was not looked at");
                }
            }
        }
    }
}

async fn drain(platform: Embedded) {
    let mut commits = platform.store().subscribe();
    loop {
        if let Err(error) = outbox::drain(&platform, OUTBOX_SHARD, no_limit()).await {
            tracing::warn!(%error, "the outbox failed");
            tokio::time::sleep(Duration::from_secs(AGAIN_S.into())).await;
        }
        // A commit that came while it was drained is seen here at once.
        let woken = tokio::time::timeout(SWEEP, commits.changed()).await;
        if matches!(woken, Ok(Err(_))) {
            // The store is closed.
            return;
        }
    }
}

async fn tick(platform: Embedded) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let at = platform.now();
        if let Err(error) = schedule::tick(&platform, DUE_SHARD, at, no_limit()).await {
            tracing::warn!(%error, "a tick failed");
        }
    }
}

async fn review(platform: Embedded) {
    let mut interval = tokio::time::interval(REVIEW);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match review::run(&platform, no_limit()).await {
            Ok(done) => tracing::info!(?done, "grants were reviewed"),
            Err(error) => tracing::warn!(%error, "a review failed"),
        }
    }
}

async fn retain(platform: Embedded) {
    let mut interval = tokio::time::interval(RETENTION);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match retention::run(&platform, no_limit()).await {
            Ok(retained) => tracing::info!(?retained, "retention ran"),
            Err(error) => tracing::warn!(%error, "retention failed"),
        }
    }
}
