//! The thread that owns the connection.

use std::{
    iter,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::Receiver,
    },
};

use crossvault_handlers::ports::PortError;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::error::{Trouble, port_error};

/// How many requests are taken at a time, and so how many transactions share a commit.
const GROUP_MAX: usize = 256;

/// What can be asked of the thread.
pub(super) enum Request {
    /// Something that changes nothing.
    Read(Box<dyn Task>),
    /// A transaction.
    Write(Box<dyn Task>),
    /// The end, after what was sent before.
    Stop,
}

/// A piece of work with somebody who waits for its answer.
pub(super) trait Task: Send {
    /// Does it, once.
    fn run(&mut self, db: &Connection, stamp: i64) -> Result<(), Trouble>;
    /// What it does when it is kept.
    fn effect(&self) -> Effect;
    /// Tells how it ended.
    fn answer(self: Box<Self>, end: Result<(), PortError>);
}

/// What a transaction does besides its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effect {
    /// Rows that it puts or removes.
    pub(super) rows: u64,
    /// Whether effects wait for the outbox afterwards.
    pub(super) wakes_outbox: bool,
}

/// A task made of a closure.
struct Errand<T, W> {
    effect: Effect,
    work: Option<W>,
    value: Option<T>,
    waiting: oneshot::Sender<Result<T, PortError>>,
}

/// Where the answer to a task arrives.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, PortError>>;

/// Makes a task of a closure.
pub(super) fn errand<T, W>(effect: Effect, work: W) -> (Box<dyn Task>, Answer<T>)
where
    T: Send + 'static,
    W: FnOnce(&Connection, i64) -> Result<T, Trouble> + Send + 'static,
{
    let (waiting, answer) = oneshot::channel();
    (Box::new(Errand { effect, work: Some(work), value: None, waiting }), answer)
}

impl<T, W> Task for Errand<T, W>
where
    T: Send,
    W: FnOnce(&Connection, i64) -> Result<T, Trouble> + Send,
{
    fn run(&mut self, db: &Connection, stamp: i64) -> Result<(), Trouble> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(db, stamp)?);
        }
        Ok(())
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn answer(self: Box<Self>, end: Result<(), PortError>) {
        let value = self.value;
        let end = end.and_then(|()| value.ok_or(PortError::TimedOut));
        // Nobody waits any more: what was done stays done.
        let _ = self.waiting.send(end);
    }
}

/// What was done, counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) transactions: AtomicU64,
    pub(super) rows_written: AtomicU64,
}

/// The connection with what its thread knows.
pub(super) struct Engine {
    db: Connection,
    file: Arc<Path>,
    /// The last stamp that was given out.
    stamp: i64,
    /// A commit failed in a way after which the disk's word can't be trusted.
    broken: Option<PortError>,
    counters: Arc<Counters>,
    outbox: watch::Sender<u64>,
}

impl Engine {
    pub(super) fn new(
        db: Connection,
        file: Arc<Path>,
        stamp: i64,
        counters: Arc<Counters>,
        outbox: watch::Sender<u64>,
    ) -> Self {
        Self { db, file, stamp, broken: None, counters, outbox }
    }

    /// Serves until it is told to stop, or nobody can ask any more.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let mut writes = Vec::new();
            let mut stops = false;
            let more = requests.try_iter().take(GROUP_MAX.saturating_sub(1));
            for request in iter::once(first).chain(more) {
                match request {
                    // At once: the writes taken with it have not returned to anybody yet.
                    Request::Read(task) => self.read(task),
                    Request::Write(task) => writes.push(task),
                    Request::Stop => stops = true,
                }
            }
            if !writes.is_empty() {
                self.write(writes);
            }
            if stops {
                return;
            }
        }
    }

    fn read(&self, mut task: Box<dyn Task>) {
        let end = task.run(&self.db, self.stamp).map_err(|trouble| self.refusal(trouble));
        task.answer(end);
    }

    fn write(&mut self, mut tasks: Vec<Box<dyn Task>>) {
        let mut ends = Vec::with_capacity(tasks.len());
        let committed = match &self.broken {
            Some(error) => Err(error.clone()),
            None => self.commit_together(&mut tasks, &mut ends),
        };
        if committed.is_ok() {
            self.count(&tasks, &ends);
        }
        // Tasks that were not reached share the group's fate.
        for (task, end) in tasks.into_iter().zip(ends.into_iter().chain(iter::repeat(Ok(())))) {
            task.answer(end.and_then(|()| committed.clone()));
        }
    }

    /// Runs the tasks in one transaction of SQLite; `ends` tells how each of them fared.
    fn commit_together(
        &mut self,
        tasks: &mut [Box<dyn Task>],
        ends: &mut Vec<Result<(), PortError>>,
    ) -> Result<(), PortError> {
        let before = self.stamp;
        let run = self.run_all(tasks, ends);
        let end = match run {
            Ok(()) => self.commit(),
            Err(error) => Err(port_error(&self.file, &error)),
        };
        if end.is_err() {
            self.stamp = before;
            if !self.db.is_autocommit() {
                // What this may fail with adds nothing to what is known.
                let _ = self.db.execute_batch("ROLLBACK");
            }
        }
        end
    }

    fn run_all(
        &mut self,
        tasks: &mut [Box<dyn Task>],
        ends: &mut Vec<Result<(), PortError>>,
    ) -> rusqlite::Result<()> {
        self.execute("BEGIN IMMEDIATE")?;
        let before = self.stamp;
        for task in tasks {
            ends.push(self.run_one(task.as_mut())?);
        }
        if self.stamp != before {
            let sql = "UPDATE meta SET value = ?1 WHERE key = 'stamp'";
            self.db.prepare_cached(sql)?.execute([self.stamp])?;
        }
        Ok(())
    }

    /// Runs one task in a savepoint. An error means that the whole group is lost.
    fn run_one(&mut self, task: &mut dyn Task) -> rusqlite::Result<Result<(), PortError>> {
        let Some(stamp) = self.stamp.checked_add(1) else {
            return Ok(Err(PortError::Invalid("there are no more stamps".to_owned())));
        };
        self.execute("SAVEPOINT one")?;
        let end = match task.run(&self.db, stamp) {
            Ok(()) => {
                self.stamp = stamp;
                Ok(())
            }
            // SQLite took everything back: there is no savepoint any more.
            Err(Trouble::Sqlite(error)) if self.db.is_autocommit() => return Err(error),
            Err(trouble) => {
                self.execute("ROLLBACK TO one")?;
                Err(self.refusal(trouble))
            }
        };
        self.execute("RELEASE one")?;
        Ok(end)
    }

    fn commit(&mut self) -> Result<(), PortError> {
        self.execute("COMMIT").map_err(|error| {
            let error = port_error(&self.file, &error);
            if matches!(error, PortError::Full(_) | PortError::Throttled) {
                return error;
            }
            // Whether it will be seen after a restart, nobody can tell; nor whether a further
            // sync would tell the truth. So nothing more is written before that restart.
            self.broken = Some(error);
            PortError::TimedOut
        })
    }

    fn count(&self, tasks: &[Box<dyn Task>], ends: &[Result<(), PortError>]) {
        let kept = || tasks.iter().zip(ends).filter(|(_, end)| end.is_ok()).map(|(task, _)| task);
        if kept().next().is_none() {
            return;
        }
        let Counters { commits, transactions, rows_written } = &*self.counters;
        commits.fetch_add(1, Ordering::Relaxed);
        for task in kept() {
            transactions.fetch_add(1, Ordering::Relaxed);
            rows_written.fetch_add(task.effect().rows, Ordering::Relaxed);
        }
        if kept().any(|task| task.effect().wakes_outbox) {
            self.outbox.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute(())?;
        Ok(())
    }

    fn refusal(&self, trouble: Trouble) -> PortError {
        match trouble {
            Trouble::Refused(error) => error,
            Trouble::Sqlite(error) => port_error(&self.file, &error),
        }
    }
}
