//! A request that came to nothing.

use std::fmt;

use crossvault_core::{access::NotPermitted, explain::Explain, ids::InvalidId};
use crossvault_handlers::{
    api::{ApiError, Refusal},
    directory::EventError,
    ports::PortError,
};
use crossvault_simulator::world;
use serde::{Deserialize, Serialize};

use crate::{home::HomeError, platform::OpenError, vault::VaultError, world::ChangeError};

/// Why a request came to nothing, as it is told to people and programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    /// Whose trouble it is.
    pub kind: Kind,
    /// The stable code.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Whose trouble a failure is: what a program does next depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The request itself is not understood.
    Usage,
    /// Authority or a rule stands against it: asking again changes nothing.
    Refused,
    /// The home or its state can't be used.
    Home,
    /// The platform failed: its disk, a vault, the way to it.
    Platform,
    /// Somebody stopped waiting: what was begun goes on or can be gone on with.
    Interrupted,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(
        kind: Kind,
        code: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { kind, code: code.to_owned(), message: message.into(), remedy: remedy.into() }
    }

    /// Takes down an error that explains itself.
    pub fn of(kind: Kind, error: &(impl Explain + ?Sized)) -> Self {
        Self::new(kind, error.code(), error.to_string(), error.remedy())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Home => "home",
            Self::Platform => "platform",
            Self::Interrupted => "interrupted",
        })
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        // The cloud's own no is a refusal too; all other trouble is the platform's.
        let is_trouble = matches!(&refusal, Refusal::Trouble(trouble)
            if !matches!(trouble.code.as_str(), "DENIED" | "NOT_FOUND"));
        let kind = if is_trouble { Kind::Platform } else { Kind::Refused };
        Self::new(kind, refusal.root_code(), refusal.to_string(), refusal.remedy())
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let kind = match &error {
            PortError::Denied { .. } | PortError::Quota { .. } | PortError::NotFound(_) => {
                Kind::Refused
            }
            PortError::Conflict
            | PortError::Expired
            | PortError::Throttled
            | PortError::TimedOut
            | PortError::Full(_)
            | PortError::Corrupt { .. }
            | PortError::Failed { .. }
            | PortError::Invalid(_) => Kind::Platform,
        };
        let remedy = match &error {
            PortError::Conflict
            | PortError::Expired
            | PortError::Throttled
            | PortError::TimedOut => {
                "Ask again; with the same `--token` nothing is done twice.".to_owned()
            }
            PortError::Denied { .. }
            | PortError::Quota { .. }
            | PortError::NotFound(_)
            | PortError::Full(_)
            | PortError::Corrupt { .. }
            | PortError::Failed { .. }
            | PortError::Invalid(_) => error.remedy(),
        };
        Self::new(kind, error.root_code(), error.to_string(), remedy)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused(refusal) => refusal.into(),
            ApiError::Port(error) => error.into(),
        }
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Invalid(error) => Self::of(Kind::Usage, &error),
            EventError::Port(error) => error.into(),
        }
    }
}

impl From<world::Refusal> for Failure {
    fn from(refusal: world::Refusal) -> Self {
        Self::of(Kind::Refused, &refusal)
    }
}

impl From<NotPermitted> for Failure {
    fn from(refusal: NotPermitted) -> Self {
        Self::of(Kind::Refused, &refusal)
    }
}

impl From<InvalidId> for Failure {
    fn from(refusal: InvalidId) -> Self {
        Self::of(Kind::Usage, &refusal)
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let kind = match &error {
            HomeError::Full { .. } => Kind::Platform,
            HomeError::StateDamaged { .. }
            | HomeError::Newer { .. }
            | HomeError::Held { .. }
            | HomeError::Missing { .. }
            | HomeError::Exists { .. }
            | HomeError::Occupied { .. }
            | HomeError::Io { .. } => Kind::Home,
        };
        Self::of(kind, &error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Home(error) => error.into(),
            OpenError::Port(error @ PortError::Corrupt { .. }) => {
                Self { kind: Kind::Home, ..error.into() }
            }
            OpenError::Port(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Port(error) => error.into(),
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::of(Kind::Platform, &error)
    }
}
