//! The rows in SQLite: one thread owns the connection, and everybody else sends it work.
//!
//! The thread takes all transactions that wait, runs each in a savepoint, commits them together
//! and only then answers: one sync to disk serves many (group commit). Reads run before the
//! writes that wait with them, so they never see what is not committed.
//!
//! Rows of handlers and entities of the local world lie in different tables: to handlers the
//! world is a cloud, changed in transactions of its own.

mod alerts;
mod engine;
mod error;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod world;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
};

use crossvault_handlers::{
    ports::{PortError, Range, Store, Stored, Transaction, Version},
    records::{
        Key,
        codec::{self, Place},
    },
};
use rusqlite::Connection;
use tokio::sync::watch;

pub use alerts::StoredAlert;
pub use world::WorldWrite;

use self::{
    engine::{Answer, Counters, Effect, Engine, Request, errand},
    error::Trouble,
    rows::Raw,
};
use crate::home::HomeError;

/// How many keys [`Store::get_many`] takes.
///
/// Source: DynamoDB, `BatchGetItem`: at most 100 items.
const KEYS_MAX: usize = 100;

/// Durable rows, the local world and alerts in one SQLite file.
///
/// Dropping it carries out what was sent and ends its thread. A future that is dropped does not
/// take its transaction back.
pub struct SqliteStore {
    file: Arc<Path>,
    requests: mpsc::Sender<Request>,
    counters: Arc<Counters>,
    effects: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Commits to disk; each may hold many transactions.
    pub commits: u64,
    /// Transactions that were kept.
    pub transactions: u64,
    /// Rows that those put or removed.
    pub rows_written: u64,
}

impl SqliteStore {
    /// Makes a new file and opens it.
    ///
    /// # Errors
    /// [`HomeError::Io`], also when the file exists; [`HomeError::Full`].
    pub fn create(file: &Path) -> Result<Self, HomeError> {
        schema::create(file)?;
        Self::open(file)
    }

    /// Opens a file that exists, checks all of it, and brings an older one to the present schema.
    ///
    /// # Errors
    /// [`HomeError::StateDamaged`], in which case the file stays as it is; [`HomeError::Newer`],
    /// [`HomeError::Io`], [`HomeError::Full`].
    pub fn open(file: &Path) -> Result<Self, HomeError> {
        let (connection, stamp) = schema::open(file)?;
        let file: Arc<Path> = file.into();
        let (requests, receiver) = mpsc::channel();
        let (notice, effects) = watch::channel(0);
        let counters = Arc::new(Counters::default());
        let engine =
            Engine::new(connection, Arc::clone(&file), stamp, Arc::clone(&counters), notice);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || engine.run(&receiver))
            .map_err(|error| HomeError::io(&file, &error))?;
        Ok(Self { file, requests, counters, effects, thread: Some(thread) })
    }

    /// Carries out what was sent, closes the file and ends the thread.
    pub fn close(self) {
        drop(self);
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.file.to_path_buf()
    }

    /// A receiver whose value changes after each commit that put rows of the outbox.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.effects.clone()
    }

    /// What was done since it was opened.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let Counters { commits, transactions, rows_written } = &*self.counters;
        Statistics {
            commits: commits.load(Ordering::Relaxed),
            transactions: transactions.load(Ordering::Relaxed),
            rows_written: rows_written.load(Ordering::Relaxed),
        }
    }

    /// Writes a copy of the whole state, as of now, into a file that does not exist yet.
    ///
    /// # Errors
    /// [`PortError::Full`], [`PortError::Failed`] when the file exists or can't be written.
    pub async fn copy_to(&self, copy: &Path) -> Result<(), PortError> {
        let copy = copy.to_string_lossy().into_owned();
        self.read(move |db| {
            db.execute("VACUUM INTO ?1", [copy])?;
            Ok(())
        })
        .await
    }

    /// Lets the thread read, in one consistent state.
    async fn read<T, W>(&self, work: W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        let (task, answer) = errand(Effect::default(), move |db, _| work(db));
        self.ask(Request::Read(task), answer).await
    }

    /// Lets the thread write, in a transaction of its own with its own stamp.
    async fn write<T, W>(&self, effect: Effect, work: W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection, i64) -> Result<T, Trouble> + Send + 'static,
    {
        let (task, answer) = errand(effect, work);
        self.ask(Request::Write(task), answer).await
    }

    async fn ask<T>(&self, request: Request, answer: Answer<T>) -> Result<T, PortError> {
        // The thread ends only with this value; should it be gone, nobody knows what was done.
        self.requests.send(request).map_err(|_| PortError::TimedOut)?;
        answer.await.map_err(|_| PortError::TimedOut)?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        let place = Place::from(&key);
        let (place, found) = self
            .read(move |db| {
                let found = rows::get(db, &place)?;
                Ok((place, found))
            })
            .await?;
        found.map(|raw| stored(&place, &raw)).transpose()
    }

    async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Option<Stored>>, PortError> {
        if keys.len() > KEYS_MAX {
            return Err(PortError::Invalid(format!("{} keys; {KEYS_MAX} is most", keys.len())));
        }
        let places: Vec<Place> = keys.iter().map(Place::from).collect();
        let found = self
            .read(move |db| {
                let read = |place| rows::get(db, &place).map(|raw| (place, raw));
                Ok(places.into_iter().map(read).collect::<Result<Vec<_>, _>>()?)
            })
            .await?;
        found
            .into_iter()
            .map(|(place, raw)| raw.map(|raw| stored(&place, &raw)).transpose())
            .collect()
    }

    async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        let partition = codec::partition_text(&range.partition);
        let (from, to) = (codec::sort_text(&range.from), codec::sort_text(&range.to));
        let Range { reverse, limit, .. } = range;
        let found =
            self.read(move |db| rows::range(db, &partition, &from, &to, reverse, limit)).await?;
        found.iter().map(|(place, raw)| stored(place, raw)).collect()
    }

    async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        let writes = codec::write_down(&transaction)?;
        let stamp = self
            .write(rows::effect(&writes), move |db, stamp| rows::commit(db, stamp, &writes))
            .await?;
        Ok(Version(stamp.unsigned_abs().into()))
    }
}

fn stored(place: &Place, raw: &Raw) -> Result<Stored, PortError> {
    let record = codec::decode_at(place, &raw.body)?;
    Ok(Stored { record, version: Version(raw.version.unsigned_abs().into()) })
}
