//! What a folder holds, as data: the common words of the walker, the writer and the vault.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crossvault_core::{authorization::DeniedBy, explain::Explain};

/// A point in time of a file: seconds since the epoch and nanoseconds (0 to 999,999,999).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime {
    /// Seconds since 1970-01-01T00:00:00Z; negative before it.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanoseconds: u32,
}

/// One thing in a tree of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the tree's root; never absolute, never with `.` or `..`.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
    /// Its owner, rights and times.
    pub attributes: Attributes,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Directory,
    /// A regular file.
    File {
        /// Its length in bytes when it was listed.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// What the link says, unresolved.
        target: PathBuf,
    },
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A block device.
    BlockDevice {
        /// Its device number.
        device: u64,
    },
    /// A character device.
    CharacterDevice {
        /// Its device number.
        device: u64,
    },
}

/// Owner, rights, times and identity of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits with set-user-id, set-group-id and sticky: `0o7777` at most.
    pub mode: u32,
    /// Last change of the content.
    pub modified: FileTime,
    /// Last access.
    pub accessed: FileTime,
    /// Last change of the content or of these attributes.
    pub changed: FileTime,
    /// The owner's user id.
    pub user: u32,
    /// The owner's group id.
    pub group: u32,
    /// With `device`, what tells that two names are one file.
    pub inode: u64,
    /// The file system that holds it.
    pub device: u64,
    /// How many names the file has.
    pub links: u64,
    /// Extended attributes, by name.
    pub extended: Vec<(OsString, Vec<u8>)>,
}

/// A path as text: bytes that are no UTF-8 are escaped as `\xff`.
#[must_use]
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// Why a source or target may not be touched any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The cloud refuses the call; the facts will tell the cause.
    #[error("the cloud denies `{action}` on `{resource}`")]
    Denied {
        /// The action that was asked for, such as `ecs:RunCommand`.
        action: String,
        /// The resource it was asked for.
        resource: String,
        /// Which policies refused it, where the cloud says so.
        by: Option<DeniedBy>,
    },
    /// The credentials have expired: new ones may go on.
    #[error("the credentials have expired")]
    Expired,
    /// The source or target is no longer there.
    #[error("`{resource}` does not exist")]
    Gone {
        /// What was looked for.
        resource: String,
    },
    /// The transfer was halted by its owner.
    #[error("the transfer was halted")]
    Halted,
}

impl Explain for Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "TRANSFER_DENIED",
            Self::Expired => "TRANSFER_EXPIRED",
            Self::Gone { .. } => "TRANSFER_GONE",
            Self::Halted => "TRANSFER_STOPPED",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Denied { action, .. } => {
                format!("Allow `{action}` to the role that the grant names.")
            }
            Self::Expired => "Nothing: the job goes on with new credentials.".to_owned(),
            Self::Gone { resource } => {
                format!("Create `{resource}` again, or choose another source or target.")
            }
            Self::Halted => "Start the job again if it should go on.".to_owned(),
        }
    }
}

/// Asked before each touch of an account's resource: listing one folder, opening one file, each
/// read and each write of it.
pub trait Touch: Send + Sync + 'static {
    /// Whether the resource may be touched now.
    ///
    /// # Errors
    /// [`Refused`] when it may not; it is asked again at the next touch and never remembered.
    fn touch(&self) -> Result<(), Refused>;
}
