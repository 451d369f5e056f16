//! Why an entry could not be restored.

use std::{
    io,
    path::{Path, PathBuf},
};

use crossvault_core::explain::Explain;
use rustix::io::Errno;

use crate::files::{
    beneath,
    entry::{Entry, Refused},
};

/// Why an entry could not be restored. Paths are relative to the target.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The target may not be touched.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The path could lead out of the target, or its names do not fit the file system.
    #[error("`{}` cannot be a path in the target", path.display())]
    InvalidPath {
        /// As it was given.
        path: PathBuf,
    },
    /// A link stands where a folder is needed.
    #[error("`{}` is a symbolic link, and links in the target are not followed", path.display())]
    LinkInTheWay {
        /// The link.
        path: PathBuf,
    },
    /// Something that is no folder stands where a folder is needed.
    #[error("`{}` is in the way of a folder", path.display())]
    FileInTheWay {
        /// What stands there.
        path: PathBuf,
    },
    /// A folder stands where something else is restored to.
    #[error("the folder `{}` is in the way", path.display())]
    FolderInTheWay {
        /// The folder.
        path: PathBuf,
    },
    /// The place is taken by something different. It was left as it is.
    #[error("`{}` exists and is different", path.display())]
    Exists {
        /// What stands there.
        path: PathBuf,
    },
    /// Somebody else changed what stands in the place, or its folder. It was left as it is.
    #[error("`{}` was changed by somebody else while it was restored", path.display())]
    ChangedMeanwhile {
        /// The entry's place.
        path: PathBuf,
    },
    /// The file system or a quota is full.
    #[error("no space is left for `{}`", path.display())]
    Full {
        /// The entry that did not fit.
        path: PathBuf,
    },
    /// The target may not be written.
    #[error("the target does not allow to write `{}`", path.display())]
    ReadOnly {
        /// The entry that was to be written.
        path: PathBuf,
    },
    /// A file was committed before all its bytes were written, or was given too many: a mistake of
    /// ours.
    #[error("`{}` should have {size} bytes and was given {written}", path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// Its declared length in bytes.
        size: u64,
        /// How many bytes it was given.
        written: u64,
    },
    /// An entry was given to the method for another kind: a mistake of ours.
    #[error("`{}` is of another kind", path.display())]
    WrongKind {
        /// The entry.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("`{}`: the file system says: {source}", path.display())]
    Io {
        /// The entry that was to be written.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl WriteError {
    pub(super) fn from_errno(errno: Errno, path: &Path) -> Self {
        let path = path.to_owned();
        match errno {
            Errno::NOSPC | Errno::DQUOT => Self::Full { path },
            Errno::ROFS | Errno::ACCESS | Errno::PERM => Self::ReadOnly { path },
            Errno::LOOP => Self::LinkInTheWay { path },
            Errno::NOTDIR => Self::FileInTheWay { path },
            Errno::NAMETOOLONG => Self::InvalidPath { path },
            _ => Self::Io { path, source: beneath::source(errno) },
        }
    }

    pub(super) fn from_io(source: io::Error, path: &Path) -> Self {
        match Errno::from_io_error(&source) {
            Some(errno) => Self::from_errno(errno, path),
            None => Self::Io { path: path.to_owned(), source },
        }
    }

    pub(super) fn wrong_kind(entry: &Entry) -> Self {
        Self::WrongKind { path: entry.path.clone() }
    }
}

impl Explain for WriteError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::InvalidPath { .. } => "TARGET_INVALID_PATH",
            Self::LinkInTheWay { .. } => "TARGET_LINK_IN_THE_WAY",
            Self::FileInTheWay { .. } => "TARGET_FILE_IN_THE_WAY",
            Self::FolderInTheWay { .. } => "TARGET_FOLDER_IN_THE_WAY",
            Self::Exists { .. } => "TARGET_EXISTS",
            Self::ChangedMeanwhile { .. } => "TARGET_CHANGED_MEANWHILE",
            Self::Full { .. } => "TARGET_FULL",
            Self::ReadOnly { .. } => "TARGET_READ_ONLY",
            Self::Incomplete { .. } => "RESTORE_INCOMPLETE",
            Self::WrongKind { .. } => "RESTORE_WRONG_KIND",
            Self::Io { .. } => "TARGET_UNWRITABLE",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Refused(refused) => refused.remedy(),
            Self::InvalidPath { .. } => {
                "Restore the other entries without it, or to a file system that allows its names."
                    .to_owned()
            }
            Self::LinkInTheWay { .. } | Self::FileInTheWay { .. } | Self::FolderInTheWay { .. } => {
                "Move it away, or restore to an empty folder.".to_owned()
            }
            Self::Exists { .. } => {
                "Restore to an empty folder, or ask for files to be replaced.".to_owned()
            }
            Self::ChangedMeanwhile { .. } => {
                "Stop what writes to the target, then restore again.".to_owned()
            }
            Self::Full { .. } => "Make room or restore elsewhere, then restore again.".to_owned(),
            Self::ReadOnly { .. } => {
                "Run the restore as a user who may write there, or restore elsewhere.".to_owned()
            }
            Self::Incomplete { .. } | Self::WrongKind { .. } => {
                "This is a mistake of Crossvault; please report it.".to_owned()
            }
            Self::Io { .. } => {
                "Check the disk and the mount of the target, then restore again.".to_owned()
            }
        }
    }
}
