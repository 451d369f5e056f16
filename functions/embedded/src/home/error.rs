use std::{
    io,
    path::{Path, PathBuf},
};

use crossvault_core::explain::Explain;

use super::Holder;

/// Why a home can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// Its state can't be read.
    #[error("`{}` is damaged: {detail}", file.display())]
    StateDamaged {
        /// The file.
        file: PathBuf,
        /// How that was seen.
        detail: String,
    },
    /// A newer Crossvault wrote it.
    #[error("`{}` has format {found}; this Crossvault knows up to {known}", file.display())]
    Newer {
        /// The file that says so.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// Another process uses it.
    #[error("`{}` is in use by {holder}", dir.display())]
    Held {
        /// The home.
        dir: PathBuf,
        /// Who uses it.
        holder: Holder,
    },
    /// There is none.
    #[error("there is no home in `{}`", dir.display())]
    Missing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// There is one already.
    #[error("there is a home in `{}` already", dir.display())]
    Exists {
        /// The home.
        dir: PathBuf,
    },
    /// The folder holds things of somebody else.
    #[error("`{}` is no empty folder: it holds `{other}`", dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
        /// One of the things.
        other: String,
    },
    /// The system refused.
    #[error("`{}`: {detail}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// No space is left.
    #[error("no space is left for `{}`", path.display())]
    Full {
        /// The file or folder.
        path: PathBuf,
    },
}

impl HomeError {
    /// What the system said of a file or folder.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full { path }
        } else {
            Self::Io { path, detail: error.to_string() }
        }
    }
}

impl Explain for HomeError {
    fn code(&self) -> &'static str {
        match self {
            Self::StateDamaged { .. } => "STATE_DAMAGED",
            Self::Newer { .. } => "HOME_NEWER",
            Self::Held { .. } => "HOME_HELD",
            Self::Missing { .. } => "HOME_MISSING",
            Self::Exists { .. } => "HOME_EXISTS",
            Self::Occupied { .. } => "HOME_OCCUPIED",
            Self::Io { .. } => "IO",
            Self::Full { .. } => "FULL",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::StateDamaged { file, .. } => format!(
                "Move `{0}`, `{0}-wal` and `{0}-shm` away and put a copy in place of the first. The vaults and their keys are untouched.",
                file.display()
            ),
            Self::Newer { .. } => "Use the newest Crossvault that ever ran here.".to_owned(),
            Self::Held { holder, .. } => match holder.pid {
                Some(pid) => format!("Wait until process {pid} ends, or stop it."),
                None => "Wait until the other process ends, or stop it.".to_owned(),
            },
            Self::Missing { dir } => {
                format!("Make one with `crossvault --home {} init`.", dir.display())
            }
            Self::Exists { .. } => "Use it as it is, or choose another folder.".to_owned(),
            Self::Occupied { .. } => "Choose an empty folder, or one that is not there.".to_owned(),
            Self::Io { path, .. } => {
                format!("Check that `{}` can be read and written by you.", path.display())
            }
            Self::Full { path } => format!("Make space where `{}` lies.", path.display()),
        }
    }
}
