//! Published alerts: each once, by its id.

use chrono::{DateTime, Utc};
use crossvault_handlers::{ports::PortError, records::codec::time_text};

use super::{SqliteStore, engine::Effect};

/// An alert as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// The event's id.
    pub id: String,
    /// When it was decided, in UTC.
    pub at: String,
    /// The event, as JSON.
    pub body: String,
}

impl SqliteStore {
    /// Keeps an alert; returns whether it is new. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`PortError::Full`], [`PortError::TimedOut`] when it may have been done.
    pub async fn add_alert(
        &self,
        id: String,
        at: DateTime<Utc>,
        body: String,
    ) -> Result<bool, PortError> {
        let effect = Effect { rows: 1, wakes_outbox: false };
        self.write(effect, move |db, _| {
            let sql = "INSERT INTO alerts (id, at, body) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO NOTHING";
            Ok(db.prepare_cached(sql)?.execute([id, time_text(at), body])? > 0)
        })
        .await
    }

    /// Lists the newest alerts, newest first.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when the file is damaged.
    pub async fn alerts(&self, limit: usize) -> Result<Vec<StoredAlert>, PortError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |db| {
            let sql = "SELECT id, at, body FROM alerts ORDER BY at DESC, id DESC LIMIT ?1";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([limit], |row| {
                Ok(StoredAlert { id: row.get(0)?, at: row.get(1)?, body: row.get(2)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
