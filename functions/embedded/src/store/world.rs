//! The local world's entities, as text under keys of the world's own making.

use crossvault_handlers::ports::PortError;
use rusqlite::Connection;

use super::{SqliteStore, engine::Effect, error::Trouble};

/// One change of the stored world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldWrite {
    /// The entity becomes this.
    Put {
        /// Its key.
        key: String,
        /// What it is.
        body: String,
    },
    /// The entity goes.
    Remove {
        /// Its key.
        key: String,
    },
}

impl SqliteStore {
    /// Reads all entities of the world with their keys, in the order of the keys.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when the file is damaged.
    pub async fn world(&self) -> Result<Vec<(String, String)>, PortError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT key, body FROM world ORDER BY key")?;
            let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Changes the stored world: all or nothing, in the order of the writes.
    ///
    /// # Errors
    /// [`PortError::Full`], [`PortError::TimedOut`] when it may have been done.
    pub async fn write_world(&self, writes: Vec<WorldWrite>) -> Result<(), PortError> {
        let rows = u64::try_from(writes.len()).unwrap_or(u64::MAX);
        let effect = Effect { rows, wakes_outbox: false };
        self.write(effect, move |db, _| write(db, &writes)).await
    }
}

fn write(db: &Connection, writes: &[WorldWrite]) -> Result<(), Trouble> {
    for write in writes {
        match write {
            WorldWrite::Put { key, body } => {
                db.prepare_cached(
                    "INSERT INTO world (key, body) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET body = excluded.body",
                )?
                .execute([key, body])?;
            }
            WorldWrite::Remove { key } => {
                db.prepare_cached("DELETE FROM world WHERE key = ?1")?.execute([key])?;
            }
        }
    }
    Ok(())
}
