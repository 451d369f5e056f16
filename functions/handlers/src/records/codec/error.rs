use crossvault_core::explain::Explain;

use crate::ports::PortError;

/// A row that can't be written down or read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// It is not what was written.
    #[error("{what} is damaged: {detail}")]
    Damaged {
        /// Which row.
        what: String,
        /// How that was seen.
        detail: String,
    },
    /// A newer Crossvault wrote it.
    #[error("{what} was written by a newer Crossvault (format {found}; this one knows {known})")]
    Newer {
        /// Which row.
        what: String,
        /// The row's format.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// It is larger than a store takes.
    #[error("{what} is {bytes} bytes long; the store takes {bytes_max}")]
    TooLarge {
        /// Which row, key or transaction.
        what: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The transaction breaks the store's rules.
    #[error("{0}")]
    Unlawful(String),
}

impl CodecError {
    pub(super) fn damaged(what: impl Into<String>, detail: &impl ToString) -> Self {
        Self::Damaged { what: what.into(), detail: detail.to_string() }
    }
}

impl Explain for CodecError {
    fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "ROW_DAMAGED",
            Self::Newer { .. } => "ROW_NEWER",
            Self::TooLarge { .. } => "ROW_TOO_LARGE",
            Self::Unlawful(_) => "TRANSACTION_UNLAWFUL",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Damaged { what, .. } => {
                format!("Restore {what} from a copy; what is not damaged stays usable.")
            }
            Self::Newer { .. } => "Use the newest Crossvault that ever ran here.".to_owned(),
            Self::TooLarge { .. } | Self::Unlawful(_) => {
                "This is a mistake in Crossvault: please report it.".to_owned()
            }
        }
    }
}

impl From<CodecError> for PortError {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Damaged { what, detail } => Self::Corrupt { what, detail },
            CodecError::Newer { .. } => Self::Failed {
                code: error.code().to_owned(),
                message: error.to_string(),
                remedy: error.remedy(),
            },
            CodecError::TooLarge { .. } | CodecError::Unlawful(_) => {
                Self::Invalid(error.to_string())
            }
        }
    }
}
