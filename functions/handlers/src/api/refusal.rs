//! Why a request is not carried out.

use crossvault_core::{
    access::NotPermitted,
    authorization::Causes,
    backup_policy::InvalidName,
    explain::Explain,
    ids::{AccountId, DataSource, InvalidId, JobId, Region, SourceKind},
    job::Trouble,
    restore,
    schedule::{InvalidRecurrence, retention::InvalidRules},
};

use crate::ports::PortError;

/// A request that was not carried out: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The source is of another account or region than the one that is asked about.
    #[error("`{source_id}` is not in the account and region that are asked about")]
    SourceElsewhere {
        /// The source.
        source_id: DataSource,
    },
    /// The caller may not ask for it.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    /// Authority in the cloud is broken or was never given.
    #[error("{0}")]
    Unauthorized(Causes),
    /// An id is none.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A name breaks the rules.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A schedule can't be read.
    #[error(transparent)]
    Recurrence(#[from] InvalidRecurrence),
    /// Retention rules contradict each other.
    #[error(transparent)]
    Rules(#[from] InvalidRules),
    /// A restore that may not be.
    #[error(transparent)]
    Restore(#[from] restore::Refused),
    /// A token that was used for another request.
    #[error("the token was used for another request")]
    TokenReused,
    /// A name that is taken.
    #[error("a {what} named `{name}` exists already")]
    NameTaken {
        /// `vault` or `policy`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something that is not there.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Under which name.
        name: String,
    },
    /// An account that was added before, in another way.
    #[error("account `{account}` is added in region `{region}` already")]
    AccountAdded {
        /// The account.
        account: AccountId,
        /// The region.
        region: Region,
    },
    /// The management account itself needs no grant.
    #[error("account `{account}` is the backup management account itself")]
    OwnAccount {
        /// The account.
        account: AccountId,
    },
    /// The user has to agree first.
    #[error(
        "adding an account by its RAM role creates the service-linked role `AliyunServiceRoleForHbrCrossAccountBackup` in the backup management account"
    )]
    ConsentNeeded,
    /// A backup of the source runs.
    #[error("job `{job}` backs up this source right now")]
    Busy {
        /// The job.
        job: JobId,
    },
    /// A binding that exists.
    #[error("the policy is bound to this source already")]
    BoundAlready,
    /// A point that a job reads.
    #[error("recovery point is in use by job `{job}`")]
    PointInUse {
        /// The job.
        job: JobId,
    },
    /// A type of source that this platform doesn't back up.
    #[error("sources of type {kind} can't be backed up on this platform")]
    KindUnsupported {
        /// The type.
        kind: SourceKind,
        /// The types that it backs up.
        supported: Vec<SourceKind>,
    },
    /// Neither a policy nor a vault was named.
    #[error("a backup needs a policy or a vault")]
    NoVault,
    /// A job that is over already.
    #[error("job `{job}` has ended already: {status}")]
    JobEnded {
        /// The job.
        job: JobId,
        /// Its status in the cloud's words.
        status: &'static str,
    },
    /// A number that is out of bounds.
    #[error("{what} must be {low} to {high}, not {given}")]
    OutOfBounds {
        /// What.
        what: &'static str,
        /// The least.
        low: u64,
        /// The most.
        high: u64,
        /// What was given.
        given: u64,
    },
    /// A time zone that nobody knows.
    #[error("`{0}` is not a time zone")]
    Zone(String),
    /// The platform could not do it.
    #[error("{0}")]
    Trouble(Trouble),
}

impl Refusal {
    /// What the platform could not do, in its own words.
    #[must_use]
    pub fn of(error: &PortError) -> Self {
        Self::Trouble(Trouble { code: error.root_code().to_owned(), ..Trouble::of(error) })
    }

    /// The code that people look up: the platform's own where there is one.
    #[must_use]
    pub fn root_code(&self) -> &str {
        match self {
            Self::Trouble(trouble) => &trouble.code,
            Self::NotPermitted(_)
            | Self::Unauthorized(_)
            | Self::Id(_)
            | Self::Name(_)
            | Self::Recurrence(_)
            | Self::Rules(_)
            | Self::Restore(_)
            | Self::TokenReused
            | Self::NameTaken { .. }
            | Self::Unknown { .. }
            | Self::AccountAdded { .. }
            | Self::OwnAccount { .. }
            | Self::SourceElsewhere { .. }
            | Self::ConsentNeeded
            | Self::Busy { .. }
            | Self::BoundAlready
            | Self::PointInUse { .. }
            | Self::KindUnsupported { .. }
            | Self::NoVault
            | Self::JobEnded { .. }
            | Self::OutOfBounds { .. }
            | Self::Zone(_) => self.code(),
        }
    }
}

impl Explain for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotPermitted(inner) => inner.code(),
            Self::Unauthorized(inner) => inner.code(),
            Self::Id(inner) => inner.code(),
            Self::Name(inner) => inner.code(),
            Self::Recurrence(inner) => inner.code(),
            Self::Rules(inner) => inner.code(),
            Self::Restore(inner) => inner.code(),
            Self::TokenReused => "TOKEN_REUSED",
            Self::NameTaken { .. } => "NAME_TAKEN",
            Self::Unknown { .. } => "UNKNOWN",
            Self::AccountAdded { .. } => "ACCOUNT_ADDED",
            Self::OwnAccount { .. } => "OWN_ACCOUNT",
            Self::SourceElsewhere { .. } => "SOURCE_ELSEWHERE",
            Self::ConsentNeeded => "CONSENT_NEEDED",
            Self::Busy { .. } => "SOURCE_BUSY",
            Self::BoundAlready => "BOUND_ALREADY",
            Self::PointInUse { .. } => "POINT_IN_USE",
            Self::KindUnsupported { .. } => "SOURCE_TYPE_UNSUPPORTED",
            Self::NoVault => "VAULT_NEEDED",
            Self::JobEnded { .. } => "JOB_ENDED",
            Self::OutOfBounds { .. } => "OUT_OF_BOUNDS",
            Self::Zone(_) => "ZONE_UNKNOWN",
            Self::Trouble(_) => "PLATFORM_TROUBLE",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::NotPermitted(inner) => inner.remedy(),
            Self::Unauthorized(inner) => inner.remedy(),
            Self::Id(inner) => inner.remedy(),
            Self::Name(inner) => inner.remedy(),
            Self::Recurrence(inner) => inner.remedy(),
            Self::Rules(inner) => inner.remedy(),
            Self::Restore(inner) => inner.remedy(),
            Self::TokenReused => "Use a fresh token for each request.".to_owned(),
            Self::NameTaken { what, .. } => format!("Choose another name for the {what}."),
            Self::Unknown { what, .. } => match *what {
                "vault" => "List the vaults with `crossvault vaults list`.".to_owned(),
                "policy" => "List the policies with `crossvault policies list`.".to_owned(),
                "job" => "List the jobs with `crossvault jobs list`.".to_owned(),
                "recovery point" => "List the points with `crossvault points list`.".to_owned(),
                "binding" => "List the bindings with `crossvault bindings list`.".to_owned(),
                "account" => "List the accounts with `crossvault accounts list`.".to_owned(),
                what => format!("Check the name of the {what}."),
            },
            Self::AccountAdded { .. } => {
                "Remove it first if it should be added in another way.".to_owned()
            }
            Self::OwnAccount { .. } => "Back up its sources without adding it.".to_owned(),
            Self::SourceElsewhere { source_id } => format!(
                "Ask about account `{}` in region `{}`.",
                source_id.account, source_id.region
            ),
            Self::ConsentNeeded => "Agree with `--consent`.".to_owned(),
            Self::Busy { job } => {
                format!("Wait for it, or stop it with `crossvault jobs cancel {job}`.")
            }
            Self::BoundAlready => "Nothing is left to do.".to_owned(),
            Self::PointInUse { job } => format!("Wait for job `{job}` to end."),
            Self::KindUnsupported { supported, .. } => {
                let supported: Vec<String> = supported.iter().map(ToString::to_string).collect();
                format!("Choose a source of type {}.", supported.join(", "))
            }
            Self::NoVault => "Name one with `--policy` or `--vault`.".to_owned(),
            Self::JobEnded { job, .. } => {
                format!("See how it ended with `crossvault jobs show {job}`.")
            }
            Self::OutOfBounds { low, high, .. } => format!("Give a number from {low} to {high}."),
            Self::Zone(_) => {
                "Give a name of the IANA database, such as `Asia/Shanghai` or `UTC`.".to_owned()
            }
            Self::Trouble(trouble) => trouble.remedy.clone(),
        }
    }
}

/// A request that did not come to an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// It is refused: asking again changes nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The world failed in passing: ask again with the same token.
    #[error(transparent)]
    Port(#[from] PortError),
}
