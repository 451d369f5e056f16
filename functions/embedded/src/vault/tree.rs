//! What a backup reads: a tree of files, wherever it lies.

use std::{
    io::{self, Read},
    path::PathBuf,
};

use crossvault_core::explain::Explain;

use super::error::is_full;
use crate::files::entry::{Entry, Refused, path_text};

/// A tree of files that can be backed up.
pub trait Tree: Send + Sync + 'static {
    /// Its entries: depth first, a folder before what it holds, siblings in the order of their
    /// names' bytes, the root itself left out.
    type Entries: Iterator<Item = Result<Item, TreeError>> + Send;

    /// Begins to list it; called once a pass.
    ///
    /// # Errors
    /// [`TreeError`] with an empty path when the root can't be listed.
    fn entries(&self) -> Result<Self::Entries, TreeError>;
}

/// One entry of a tree.
pub struct Item {
    /// What it is.
    pub entry: Entry,
    /// How its content is read: there for each regular file.
    pub open: Option<Box<dyn Open>>,
}

/// A file that was listed and may be read later, in another thread.
pub trait Open: Send {
    /// Opens it. The reader ends with an error that wraps [`Trouble`] when the file is no longer
    /// what was listed.
    ///
    /// # Errors
    /// Why it can't be opened.
    fn open(self: Box<Self>) -> Result<Box<dyn Read + Send>, Trouble>;
}

/// A part of a tree that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeError {
    /// Its path below the root; empty for the root.
    pub path: PathBuf,
    /// Why.
    pub trouble: Trouble,
}

/// Why a file or folder can't be read, or not be written back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The account refuses: the whole transfer ends.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It changed or went while it was read: it is looked at again at the end.
    #[error("{0}")]
    Changed(String),
    /// No space is left in a restore's target: the whole transfer ends.
    #[error("no space is left")]
    Full,
    /// Anything else: this file fails, the others go on.
    #[error("{message}")]
    Failed {
        /// The stable code of the reason.
        code: &'static str,
        /// The reason.
        message: String,
    },
}

impl Trouble {
    /// The stable code of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Full => "TARGET_FULL",
            Self::Changed(_) => "SOURCE_CHANGED",
            Self::Failed { code, .. } => code,
        }
    }

    /// Takes out of `error` the trouble that it wraps, or names it by its kind.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        if let Some(trouble) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return trouble.clone();
        }
        let code = if is_full(error) {
            return Self::Full;
        } else if error.kind() == io::ErrorKind::NotFound {
            "SOURCE_VANISHED"
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            "SOURCE_NOT_PERMITTED"
        } else {
            "SOURCE_UNREADABLE"
        };
        Self::Failed { code, message: error.to_string() }
    }
}

impl From<Trouble> for io::Error {
    fn from(trouble: Trouble) -> Self {
        Self::other(trouble)
    }
}

/// A file or folder that a transfer could not move, by its own path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedFile {
    /// Below the root; empty for the root.
    pub path: PathBuf,
    /// The stable code of the reason.
    pub code: String,
    /// The reason.
    pub reason: String,
}

impl FailedFile {
    pub(super) fn new(path: PathBuf, trouble: &Trouble) -> Self {
        Self { path, code: trouble.code().to_owned(), reason: trouble.to_string() }
    }

    /// Its path as text: bytes that are no UTF-8 are escaped.
    #[must_use]
    pub fn path_text(&self) -> String {
        path_text(&self.path)
    }
}
