//! What goes wrong with a vault, in the words of its user.

use std::{io, path::PathBuf};

use crossvault_core::{explain::Explain, vault::Epoch};
use rustic_core::RusticError;

use super::{key::KeyError, snapshot::SnapshotName};
use crate::files::entry::Refused;

/// Why a transfer was stopped by somebody who may do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Its owner halted it.
    Halted,
    /// Its job was canceled.
    Canceled,
    /// A later step of its job has taken over.
    FencedOut,
    /// A prune began a new epoch of the vault.
    Outdated {
        /// The epoch under which the transfer began.
        began: Epoch,
        /// The vault's epoch now.
        now: Epoch,
    },
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Halted => f.write_str("it was halted"),
            Self::Canceled => f.write_str("its job was canceled"),
            Self::FencedOut => f.write_str("a later step of its job has taken over"),
            Self::Outdated { began, now } => {
                write!(f, "it began under epoch {began} of the vault, which is at {now} now")
            }
        }
    }
}

/// Why something can't be done with a vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no vault.
    #[error("there is no vault in `{}`", path.display())]
    NotFound {
        /// The vault's folder.
        path: PathBuf,
    },
    /// The folder holds something else, or a vault without its `config`.
    #[error("`{}` is not empty and holds no complete vault: {detail}", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The key does not open it.
    #[error("the key does not open the vault in `{}`", path.display())]
    WrongKey {
        /// The vault's folder.
        path: PathBuf,
    },
    /// The key's store has no key to offer.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A part of the vault is missing or does not say what it should.
    #[error("the vault is damaged: {what} in `{}`", path.display())]
    Corrupt {
        /// What is damaged, such as ``pack `12ab34cd` is missing``.
        what: String,
        /// The damaged file, or the vault's folder when it isn't known.
        path: PathBuf,
        /// The cause in the library's words.
        detail: String,
    },
    /// No space is left where the vault lies.
    #[error("no space is left for the vault in `{}`", path.display())]
    Full {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// No space is left in the target of a restore.
    #[error("no space is left in the target for `{}`", path.display())]
    TargetFull {
        /// What did not fit.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("`{}` can't be used: {detail}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        detail: String,
    },
    /// The vault has no such snapshot.
    #[error("the vault holds no snapshot `{0}`")]
    NoSnapshot(SnapshotName),
    /// The snapshot has no such file or folder.
    #[error("the snapshot holds no `{}`", path.display())]
    NoEntry {
        /// What was looked for.
        path: PathBuf,
    },
    /// The source or target may not be touched any more.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody stopped the transfer.
    #[error("the transfer was stopped: {0}")]
    Stopped(Stop),
    /// More files failed than the order allows.
    #[error("more than {limit} files failed, first `{}`: {reason}", path.display())]
    TooManyFailures {
        /// How many may.
        limit: u64,
        /// The first of them.
        path: PathBuf,
        /// Why it failed.
        reason: String,
    },
    /// Not one file could be read.
    #[error("nothing could be read, first `{}`: {reason}", path.display())]
    NothingRead {
        /// The first that failed; empty for the root.
        path: PathBuf,
        /// The stable code of its reason.
        code: String,
        /// Why it failed.
        reason: String,
    },
    /// A source or target broke its own rules; only its transfer ends.
    #[error("the transfer ended by a programming mistake: {detail}")]
    Panicked {
        /// What the panic said.
        detail: String,
    },
    /// A rule of ours is broken: never the user's fault.
    #[error("a rule of Crossvault itself is broken: {detail}")]
    Illegal {
        /// Which.
        detail: String,
    },
    /// The library failed in a way that has no name here.
    #[error("the vault's engine failed: {detail}")]
    Engine {
        /// Its own words.
        detail: String,
    },
}

impl VaultError {
    /// Names an error of the file system at `path`.
    pub(super) fn io(path: &std::path::Path, error: &io::Error) -> Self {
        if is_full(error) {
            Self::Full { path: path.to_owned() }
        } else {
            Self::Io { path: path.to_owned(), detail: error.to_string() }
        }
    }

    /// Finds our own error in the library's, or names the damage that the library met.
    pub(super) fn engine(error: &RusticError, folder: &std::path::Path) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut forged = error.is_code("C001");
        while let Some(inner) = cause {
            if let Some(own) = inner.downcast_ref::<Self>() {
                return own.clone();
            }
            let library = inner
                .downcast_ref::<RusticError>()
                .or_else(|| inner.downcast_ref::<Box<RusticError>>().map(Box::as_ref));
            forged |= library.is_some_and(|library| library.is_code("C001"));
            cause = inner.source();
        }
        let detail = error.display_log();
        let says = |words: &[&str]| words.iter().any(|words| detail.contains(words));
        let what = if says(&["not found in index", "missing in index", "does not exist"]) {
            "it lacks a part that a snapshot needs"
        } else if forged || says(&["corrupted", "deserialize", "too short"]) {
            "a part is not what was written"
        } else {
            return Self::Engine { detail };
        };
        Self::Corrupt { what: what.to_owned(), path: folder.to_owned(), detail }
    }
}

impl Explain for VaultError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "VAULT_NOT_FOUND",
            Self::Occupied { .. } => "VAULT_OCCUPIED",
            Self::WrongKey { .. } => "VAULT_WRONG_KEY",
            Self::Key(key) => key.code(),
            Self::Corrupt { .. } => "VAULT_CORRUPT",
            Self::Full { .. } => "VAULT_FULL",
            Self::TargetFull { .. } => "TARGET_FULL",
            Self::Io { .. } => "VAULT_UNUSABLE",
            Self::NoSnapshot(_) => "VAULT_SNAPSHOT_MISSING",
            Self::NoEntry { .. } => "VAULT_ENTRY_MISSING",
            Self::Refused(refused) => refused.code(),
            Self::Stopped(_) => "TRANSFER_STOPPED",
            Self::TooManyFailures { .. } => "TRANSFER_TOO_MANY_FAILURES",
            Self::NothingRead { .. } => "TRANSFER_NOTHING_READ",
            Self::Panicked { .. } => "TRANSFER_PANICKED",
            Self::Illegal { .. } => "VAULT_ILLEGAL",
            Self::Engine { .. } => "VAULT_ENGINE",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::NotFound { path } => format!(
                "Mount what holds `{}`, or restore the vault's folder from a copy.",
                path.display()
            ),
            Self::Occupied { path, .. } => format!(
                "Choose an empty folder, or restore the file `config` of the vault in `{}` from a copy.",
                path.display()
            ),
            Self::WrongKey { path } => format!(
                "Give the key that the vault was made with. If it is that key, `{}` is damaged: restore it from a copy.",
                path.join("config").display()
            ),
            Self::Key(key) => key.remedy(),
            Self::Corrupt { path, .. } => format!(
                "Restore `{}` from a copy of the vault. Without one, move it away: the next backup adds again what its source still has, and `crossvault vaults check` names what is lost.",
                path.display()
            ),
            Self::Full { path } => format!(
                "Make room on the disk of `{}`, or prune the vault; then run the job again.",
                path.display()
            ),
            Self::TargetFull { .. } => {
                "Make room in the target; then run the restore again.".to_owned()
            }
            Self::Io { path, .. } => {
                format!(
                    "Check that `{}` can be read and written; then run it again.",
                    path.display()
                )
            }
            Self::NoSnapshot(_) => {
                "List the recovery points with `crossvault points`: the data of this one is gone."
                    .to_owned()
            }
            Self::NoEntry { .. } => {
                "Look into the recovery point with `crossvault points browse`.".to_owned()
            }
            Self::Refused(refused) => refused.remedy(),
            Self::Stopped(_) => "Run the job again if it is still wanted.".to_owned(),
            Self::TooManyFailures { .. } | Self::NothingRead { .. } => {
                "Mend what the first failure names; then run the job again.".to_owned()
            }
            Self::Panicked { .. } | Self::Illegal { .. } | Self::Engine { .. } => {
                "Report this as a mistake of Crossvault, with this message.".to_owned()
            }
        }
    }
}

/// Whether the disk or a quota has no space left.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The words of a panic that was caught.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}
