use crossvault_core::{authorization::DeniedBy, explain::Explain};

/// What went wrong in a call to the world. The kind says what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Not done, or by our own earlier attempt: read again and decide again.
    #[error("another change came first")]
    Conflict,
    /// Not done: what was named does not exist.
    #[error("`{0}` does not exist")]
    NotFound(String),
    /// Not done: the cloud does not permit it.
    #[error("the cloud denies `{action}` on `{resource}`")]
    Denied {
        /// The action that was asked for.
        action: String,
        /// The resource that it was asked for.
        resource: String,
        /// Which policies refused it, where the cloud says so.
        by: Option<DeniedBy>,
    },
    /// Not done: a quota is used up, and waiting does not free it.
    #[error("the cloud's quota on {quota} is used up{}", limit.map_or(String::new(), |n| format!(": {n}")))]
    Quota {
        /// What is limited, in the cloud's words.
        quota: String,
        /// How much there may be, as far as the cloud says.
        limit: Option<u64>,
    },
    /// Not done: the credentials are past their time. New ones may be had.
    #[error("the credentials have expired")]
    Expired,
    /// Not done: too many calls.
    #[error("the cloud asks to slow down")]
    Throttled,
    /// It may have been done or not.
    #[error("no answer came in time")]
    TimedOut,
    /// Not done: no space is left.
    #[error("no space is left at {0}")]
    Full(String),
    /// What was read is damaged.
    #[error("{what} is damaged: {detail}")]
    Corrupt {
        /// What.
        what: String,
        /// How that was seen.
        detail: String,
    },
    /// Not done, and trying again does not mend it: the platform says what does.
    #[error("{message}")]
    Failed {
        /// The platform's stable code.
        code: String,
        /// What is so.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// Not done: a mistake of ours.
    #[error("invalid call: {0}")]
    Invalid(String),
}

impl Explain for PortError {
    fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "CONFLICT",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Denied { .. } => "DENIED",
            Self::Quota { .. } => "QUOTA",
            Self::Expired => "EXPIRED",
            Self::Throttled => "THROTTLED",
            Self::TimedOut => "TIMED_OUT",
            Self::Full(_) => "FULL",
            Self::Corrupt { .. } => "CORRUPT",
            Self::Failed { .. } => "FAILED",
            Self::Invalid(_) => "INVALID",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Conflict | Self::Expired | Self::Throttled | Self::TimedOut => {
                "It is tried again by itself.".to_owned()
            }
            Self::NotFound(what) => format!("Check that `{what}` exists."),
            Self::Denied { action, resource, .. } => {
                format!("Grant `{action}` on `{resource}`, or ask `crossvault accounts check`.")
            }
            Self::Quota { quota, .. } => {
                format!("Ask the cloud to raise the quota on {quota}, or free some of it.")
            }
            Self::Full(place) => format!("Make space at {place}, then run the job again."),
            Self::Corrupt { what, .. } => {
                format!("Restore {what} from a copy; what is not damaged stays usable.")
            }
            Self::Failed { remedy, .. } => remedy.clone(),
            Self::Invalid(_) => "This is a mistake in Crossvault: please report it.".to_owned(),
        }
    }
}

impl PortError {
    /// The code that people look up: the platform's own where there is one.
    #[must_use]
    pub fn root_code(&self) -> &str {
        match self {
            Self::Failed { code, .. } => code,
            Self::Conflict
            | Self::NotFound(_)
            | Self::Denied { .. }
            | Self::Quota { .. }
            | Self::Expired
            | Self::Throttled
            | Self::TimedOut
            | Self::Full(_)
            | Self::Corrupt { .. }
            | Self::Invalid(_) => self.code(),
        }
    }
}
