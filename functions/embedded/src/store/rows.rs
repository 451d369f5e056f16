//! Rows as handlers know them.

use crossvault_handlers::{
    ports::{Expect, PortError, Version},
    records::codec::{Change, Place, WrittenRow},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{engine::Effect, error::Trouble};

/// A row as it lies in the file.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) version: i64,
    pub(super) body: String,
}

/// Reads one row.
pub(super) fn get(db: &Connection, place: &Place) -> rusqlite::Result<Option<Raw>> {
    db.prepare_cached("SELECT version, body FROM rows WHERE partition = ?1 AND sort = ?2")?
        .query_row([&place.partition, &place.sort], |row| {
            Ok(Raw { version: row.get(0)?, body: row.get(1)? })
        })
        .optional()
}

/// Reads rows between two places, both included.
pub(super) fn range(
    db: &Connection,
    partition: &str,
    from: &str,
    to: &str,
    reverse: bool,
    limit: usize,
) -> Result<Vec<(Place, Raw)>, Trouble> {
    let sql = if reverse {
        "SELECT sort, version, body FROM rows
         WHERE partition = ?1 AND sort BETWEEN ?2 AND ?3 ORDER BY sort DESC LIMIT ?4"
    } else {
        "SELECT sort, version, body FROM rows
         WHERE partition = ?1 AND sort BETWEEN ?2 AND ?3 ORDER BY sort LIMIT ?4"
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![partition, from, to, limit], |row| {
        let place = Place { partition: partition.to_owned(), sort: row.get(0)? };
        Ok((place, Raw { version: row.get(1)?, body: row.get(2)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes all or nothing, within the savepoint that the caller holds.
pub(super) fn commit(db: &Connection, stamp: i64, writes: &[WrittenRow]) -> Result<i64, Trouble> {
    for write in writes {
        if !holds(db, write)? {
            return Err(PortError::Conflict.into());
        }
    }
    for WrittenRow { place, change, .. } in writes {
        match change {
            Change::Put { body, .. } => {
                db.prepare_cached(
                    "INSERT INTO rows (partition, sort, version, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
                )?
                .execute(params![place.partition, place.sort, stamp, body])?;
            }
            Change::Delete => {
                db.prepare_cached("DELETE FROM rows WHERE partition = ?1 AND sort = ?2")?
                    .execute([&place.partition, &place.sort])?;
            }
            Change::Check => {}
        }
    }
    Ok(stamp)
}

/// What a transaction does besides its rows.
pub(super) fn effect(writes: &[WrittenRow]) -> Effect {
    let rows = writes.iter().filter(|write| !matches!(write.change, Change::Check)).count();
    let is_outbox =
        |write: &WrittenRow| matches!(write.change, Change::Put { is_outbox: true, .. });
    Effect {
        rows: u64::try_from(rows).unwrap_or(u64::MAX),
        wakes_outbox: writes.iter().any(is_outbox),
    }
}

fn holds(db: &Connection, write: &WrittenRow) -> rusqlite::Result<bool> {
    let expected = match write.expect {
        Expect::Owned => return Ok(true),
        Expect::Absent => None,
        Expect::Version(Version(version)) => Some(version),
    };
    let found = db
        .prepare_cached("SELECT version FROM rows WHERE partition = ?1 AND sort = ?2")?
        .query_row([&write.place.partition, &write.place.sort], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(found.map(|version| u128::from(version.unsigned_abs())) == expected)
}
