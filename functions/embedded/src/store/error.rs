//! What SQLite's errors mean to those who asked.

use std::path::Path;

use crossvault_handlers::ports::PortError;
use rusqlite::{Error, ErrorCode};

use crate::home::HomeError;

/// Why work on the file did not end well.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may not be: the file is fine.
    Refused(PortError),
    /// SQLite failed.
    Sqlite(Error),
}

impl From<PortError> for Trouble {
    fn from(error: PortError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

enum Kind {
    Full,
    Damaged,
    Busy,
    Other,
}

fn kind(error: &Error) -> Kind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Kind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
        // None: SQLite was content and rusqlite was not; a value is not what the schema says.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => Kind::Damaged,
        Some(_) => Kind::Other,
    }
}

/// The error as a caller of the store sees it.
pub(super) fn port_error(file: &Path, error: &Error) -> PortError {
    let name = file.display();
    match kind(error) {
        Kind::Full => PortError::Full(format!("`{name}`")),
        Kind::Damaged => {
            PortError::Corrupt { what: format!("`{name}`"), detail: error.to_string() }
        }
        Kind::Busy => PortError::Throttled,
        Kind::Other => PortError::Failed {
            code: "STATE_IO".to_owned(),
            message: format!("`{name}` can't be read or written: {error}"),
            remedy: "Check the disk, then start Crossvault again.".to_owned(),
        },
    }
}

/// The error as somebody who opens a home sees it.
pub(super) fn home_error(file: &Path, error: &Error) -> HomeError {
    match kind(error) {
        Kind::Full => HomeError::Full { path: file.to_owned() },
        Kind::Damaged => damaged(file, error),
        Kind::Busy => HomeError::Io {
            path: file.to_owned(),
            detail: "another program has locked it".to_owned(),
        },
        Kind::Other => HomeError::Io { path: file.to_owned(), detail: error.to_string() },
    }
}

/// The state is not what was written.
pub(super) fn damaged(file: &Path, detail: &impl ToString) -> HomeError {
    HomeError::StateDamaged { file: file.to_owned(), detail: detail.to_string() }
}
