//! Why a source could not be read as it was listed.

use std::io;

use crossvault_core::explain::Explain;
use rustix::io::Errno;

use crate::files::{beneath, entry::Refused};

/// Why a file or folder could not be read. Whoever reports it adds the path.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The resource may not be touched.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The process has not the rights to read it.
    #[error("its rights do not allow to read it")]
    NotPermitted,
    /// It was listed and is gone.
    #[error("it was removed while it was read")]
    Vanished,
    /// A link stands where a file or folder was expected.
    #[error("a symbolic link stands in its place, and links are not followed")]
    LinkInTheWay,
    /// Something else stands where a regular file was listed.
    #[error("something other than a regular file stands in its place")]
    NotAFile,
    /// Something else stands where a folder was expected.
    #[error("something other than a folder stands in its place")]
    NotAFolder,
    /// It ended before its declared end.
    #[error("it shrank while it was read: {declared} bytes were listed, {read} were there")]
    Shrunk {
        /// Its length in bytes when it was listed.
        declared: u64,
        /// How many bytes could be read.
        read: u64,
    },
    /// It goes on after its declared end.
    #[error("it grew while it was read: {declared} bytes were listed, and more were there")]
    Grown {
        /// Its length in bytes when it was listed.
        declared: u64,
    },
    /// It is another file than the one listed, or was written or altered since.
    #[error("it changed while it was read")]
    Changed,
    /// The file system failed.
    #[error("the file system says: {source}")]
    Io {
        /// What it said.
        source: io::Error,
    },
}

impl ReadError {
    /// Finds the error that a [`FileReader`](super::FileReader) put into an [`io::Error`].
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl From<Errno> for ReadError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ACCESS | Errno::PERM => Self::NotPermitted,
            Errno::LOOP => Self::LinkInTheWay,
            Errno::NOTDIR => Self::NotAFolder,
            _ if beneath::is_absent(errno) => Self::Vanished,
            _ => Self::Io { source: beneath::source(errno) },
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        Self::other(error)
    }
}

impl Explain for ReadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::NotPermitted => "SOURCE_NOT_PERMITTED",
            Self::Vanished => "SOURCE_VANISHED",
            Self::LinkInTheWay => "SOURCE_LINK_IN_THE_WAY",
            Self::NotAFile => "SOURCE_NOT_A_FILE",
            Self::NotAFolder => "SOURCE_NOT_A_FOLDER",
            Self::Shrunk { .. } => "SOURCE_SHRUNK",
            Self::Grown { .. } => "SOURCE_GROWN",
            Self::Changed => "SOURCE_CHANGED",
            Self::Io { .. } => "SOURCE_UNREADABLE",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Refused(refused) => refused.remedy(),
            Self::NotPermitted => {
                "Run the backup as a user who may read it, or exclude it.".to_owned()
            }
            Self::Vanished | Self::NotAFile => {
                "Nothing, if it is short-lived; otherwise back up again when it is at rest."
                    .to_owned()
            }
            Self::LinkInTheWay => {
                "Name the folder that the link leads to, or put the folder back in its place."
                    .to_owned()
            }
            Self::NotAFolder => "Name a folder as the source.".to_owned(),
            Self::Shrunk { .. } | Self::Grown { .. } | Self::Changed => {
                "Back up again while nothing writes to it, or back up a snapshot of the disk."
                    .to_owned()
            }
            Self::Io { .. } => {
                "Check the disk and the mount of the source, then back up again.".to_owned()
            }
        }
    }
}
