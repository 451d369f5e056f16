//! The file: how it is made, checked, and brought from an older schema to the present one.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::error::{damaged, home_error};
use crate::home::HomeError;

/// Marks the file as Crossvault's: `CrVt`, as `file` and SQLite show it.
const APPLICATION: i64 = 0x4372_5674;

/// How to come from each schema to the next; the first step makes a new file.
const STEPS: &[&str] = &["
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('stamp', 0);
    CREATE TABLE rows (
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (partition, sort)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE world (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE alerts (id TEXT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE INDEX alerts_by_time ON alerts (at, id);
"];

/// How many statements stay prepared: more than there are.
const STATEMENTS: usize = 32;

/// How long another program may hold the file before we give up: somebody looks inside.
const BUSY: Duration = Duration::from_secs(5);

/// Makes a file that does not exist yet, for its owner alone.
pub(super) fn create(file: &Path) -> Result<(), HomeError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(|error| HomeError::io(file, &error))?;
    let db = connect(file)?;
    mark(&db)
        .and_then(|()| db.close().map_err(|(_, error)| error))
        .map_err(|error| home_error(file, &error))
}

/// Opens a file that exists; returns the last stamp that was given out too.
pub(super) fn open(file: &Path) -> Result<(Connection, i64), HomeError> {
    // SQLite would make a file that is not there.
    file.metadata().map_err(|error| HomeError::io(file, &error))?;
    let mut db = connect(file)?;
    check(&db, file)?;
    prepare(&mut db)
        .and_then(|stamp| {
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
            Ok((db, stamp))
        })
        .map_err(|error| home_error(file, &error))
}

fn connect(file: &Path) -> Result<Connection, HomeError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags)
        .and_then(|db| {
            db.busy_timeout(BUSY)?;
            db.set_prepared_statement_cache_capacity(STATEMENTS);
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            // A file that turns out to be damaged stays as it is, its log beside it.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            db.pragma_update(None, "trusted_schema", false)?;
            db.pragma_update(None, "cell_size_check", true)?;
            Ok(db)
        })
        .map_err(|error| home_error(file, &error))
}

fn mark(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "application_id", APPLICATION)
}

/// Reads all of the file before anything is written to it.
fn check(db: &Connection, file: &Path) -> Result<(), HomeError> {
    let number = |name: &str| -> Result<i64, HomeError> {
        db.pragma_query_value(None, name, |row| row.get(0))
            .map_err(|error| home_error(file, &error))
    };
    if number("application_id")? != APPLICATION {
        return Err(damaged(file, &"it is not Crossvault's"));
    }
    let (found, known) = (number("user_version")?, schema_known());
    if found > known {
        return Err(HomeError::Newer { file: file.to_owned(), found, known });
    }
    let verdict: String = db
        .query_row("PRAGMA quick_check(1)", (), |row| row.get(0))
        .map_err(|error| home_error(file, &error))?;
    if verdict == "ok" { Ok(()) } else { Err(damaged(file, &verdict)) }
}

fn prepare(db: &mut Connection) -> rusqlite::Result<i64> {
    // A commit is on disk before it returns; readers in other programs stand in nobody's way.
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "journal_size_limit", 16_777_216)?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = usize::try_from(found).ok().and_then(|found| STEPS.get(found..));
    let missing = missing.unwrap_or_default();
    if !missing.is_empty() {
        // One transaction: after a crash it is the old schema or the present one.
        let migration = db.transaction()?;
        for step in missing {
            migration.execute_batch(step)?;
        }
        migration.pragma_update(None, "user_version", schema_known())?;
        migration.commit()?;
    }
    db.query_row("SELECT value FROM meta WHERE key = 'stamp'", (), |row| row.get(0))
}

fn schema_known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}
