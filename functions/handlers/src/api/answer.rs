//! What Crossvault answers.

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit,
    authorization::Cause,
    backup_policy::{BackupPolicy, Binding},
    directory::Member,
    grant::Grant,
    ids::{AccountId, DataSource, JobId},
    job::{Progress, Trouble},
    quantity::Bytes,
    schedule::slot,
    vault::{RecoveryPoint, Vault},
};
use serde::{Deserialize, Serialize};

use crate::ports::{BrowsedEntry, FailedFile};

/// An answer, of one form for each command that gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "kebab-case")]
pub enum Answer {
    /// It is done.
    Done,
    /// An account that was added.
    Account(Grant),
    /// The accounts that are added.
    Accounts(Vec<Grant>),
    /// Members of the directory, with whether each is added already in some region.
    Members(Vec<MemberView>),
    /// The result of a check.
    Check(Check),
    /// Sources of an account.
    Sources(Vec<DataSource>),
    /// A vault that was made.
    Vault(Vault),
    /// The vaults.
    Vaults(Vec<VaultView>),
    /// A policy that was made or changed.
    Policy(BackupPolicy),
    /// The policies.
    Policies(Vec<BackupPolicy>),
    /// A binding that was made or changed.
    Binding(BindingView),
    /// The bindings.
    Bindings(Vec<BindingView>),
    /// A job that was made or asked to stop: ask for it again to see how it goes.
    JobStarted(JobId),
    /// A job.
    Job(Box<JobView>),
    /// Jobs, newest first.
    Jobs(Vec<JobView>),
    /// Recovery points, newest first.
    Points(Vec<RecoveryPoint>),
    /// One folder of a recovery point.
    Entries(Vec<BrowsedEntry>),
    /// What was changed, newest first.
    Audit(Vec<audit::Record>),
    /// What slots became, newest first.
    Slots(Vec<SlotView>),
}

/// A member of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// The member.
    pub member: Member,
    /// Whether it is added in some region.
    pub added: bool,
}

/// The result of "Check Permissions".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The account that was checked.
    pub account: AccountId,
    /// Each operation that was asked about.
    pub operations: Vec<CheckedOperation>,
    /// The trust policy to paste, when that is what is wrong.
    pub trust_policy: Option<String>,
}

impl Check {
    /// Whether every operation is authorized.
    #[must_use]
    pub fn is_authorized(&self) -> bool {
        self.operations.iter().all(|operation| operation.causes.is_empty())
    }
}

/// Whether one operation is authorized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedOperation {
    /// The operation, such as `back up ecs-files`.
    pub operation: String,
    /// Why not, the root first; empty when it is.
    pub causes: Vec<CauseView>,
}

/// A cause with its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseView {
    /// The cause.
    pub cause: Cause,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A vault with what lies in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultView {
    /// The vault.
    pub vault: Vault,
    /// Its recovery points.
    pub points: u64,
    /// The content of all of them, as if nothing were stored once for several.
    pub bytes: Bytes,
    /// What they added when they were made.
    pub added: Bytes,
    /// The accounts whose points lie in it.
    pub accounts: Vec<AccountId>,
}

/// A binding with its policy's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingView {
    /// The binding.
    pub binding: Binding,
    /// Its policy's name.
    pub policy: String,
}

/// What a slot became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotView {
    /// One slot.
    Slot {
        /// When it was due.
        due: DateTime<Utc>,
        /// What it became.
        outcome: slot::Outcome,
    },
    /// Slots that passed while nothing ran.
    Missed(slot::Missed),
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// `backup`, `restore`, `erase` or `prune`.
    pub kind: String,
    /// Its status in the cloud's words, such as `PARTIAL_COMPLETE`.
    pub status: String,
    /// Whether it is over.
    pub ended: bool,
    /// The account whose resources it touches.
    pub account: AccountId,
    /// The source that it reads or writes.
    pub source: Option<DataSource>,
    /// When it was made.
    pub queued: DateTime<Utc>,
    /// When its first step began.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How far it is.
    pub progress: Progress,
    /// What it added to the vault, for a backup that is complete.
    pub added: Option<Bytes>,
    /// The recovery point that it made or restores.
    pub point: Option<crossvault_core::ids::PointId>,
    /// Why it failed.
    pub failure: Option<Trouble>,
    /// All causes, the root first, where authority is what failed.
    pub causes: Vec<CauseView>,
    /// Files that it could not move; only in the view of one job.
    pub failures: Vec<FailedFile>,
}
