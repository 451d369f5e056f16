//! What Crossvault answers.

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit,
    authorization::{Cause, Mend},
    backup_policy::{BackupPolicy, Binding},
    directory::Member,
    explain::Explain,
    grant::Grant,
    ids::{AccountId, DataSource, JobId, PointId},
    job::{Failure, Outcome, Progress, State, Trouble},
    offboarding::Plan,
    quantity::Bytes,
    schedule::slot,
    vault::{RecoveryPoint, Vault},
};
use serde::{Deserialize, Serialize};

use crate::{
    ports::{BrowsedEntry, FailedFile},
    records::{Job, JobWork, ReviewRow},
};

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
    /// How backup of an account is cancelled.
    Removal(Box<Plan>),
    /// What reviews found.
    Reviews(Vec<ReviewRow>),
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
    /// Whether the role's policies could be read; else only what was tried is known.
    pub is_readable: bool,
    /// What mends all that is missing, in the order in which it is to be done.
    pub mends: Vec<Mend>,
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

impl CauseView {
    /// A cause with its words.
    #[must_use]
    pub fn of(cause: &Cause) -> Self {
        Self { message: cause.to_string(), remedy: cause.remedy(), cause: cause.clone() }
    }
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
    pub point: Option<PointId>,
    /// Why it failed.
    pub failure: Option<Trouble>,
    /// All causes, the root first, where authority is what failed.
    pub causes: Vec<CauseView>,
    /// What a restore could not give to entries that it wrote otherwise, such as their owner.
    pub warnings: Vec<String>,
    /// Files that it could not move; only in the view of one job.
    pub failures: Vec<FailedFile>,
}

impl JobView {
    /// A job as people see it, without the names of the files that failed.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let (added, point) = made(job);
        let failure = job.work.failure();
        let causes = match failure {
            Some(Failure::Unauthorized(causes)) => causes.iter().map(CauseView::of).collect(),
            Some(Failure::Broken(_) | Failure::Exhausted { .. }) | None => Vec::new(),
        };
        Self {
            id: job.id.clone(),
            kind: job.work.kind().to_owned(),
            status: job.work.status().to_owned(),
            ended: job.work.is_ended(),
            account: job.account.clone(),
            source: job.work.source().cloned(),
            queued: job.queued,
            started: job.started,
            ended_at: job.ended,
            progress: Progress {
                expected: job.progress.expected.or(job.work.expected()),
                ..job.progress
            },
            added,
            point,
            warnings: warnings(job),
            failure: failure.map(|failure| Trouble {
                code: failure.root_code().to_owned(),
                ..Trouble::of(failure)
            }),
            causes,
            failures: Vec::new(),
        }
    }
}

/// What a restore could not give to entries that it wrote otherwise.
fn warnings(job: &Job) -> Vec<String> {
    match &job.work {
        JobWork::Restore(_, State::Ended(Outcome::Complete(sealed) | Outcome::Partial(sealed))) => {
            sealed.warnings.clone()
        }
        JobWork::Restore(..) | JobWork::Backup(..) | JobWork::Erase(..) | JobWork::Prune(..) => {
            Vec::new()
        }
    }
}

/// What a job added to its vault, and the point that it made or restores.
fn made(job: &Job) -> (Option<Bytes>, Option<PointId>) {
    match &job.work {
        JobWork::Backup(_, State::Ended(Outcome::Complete(sealed) | Outcome::Partial(sealed))) => {
            (Some(sealed.added), Some(PointId::of_job(&job.id)))
        }
        JobWork::Restore(restore, _) => (None, Some(restore.point.clone())),
        JobWork::Backup(..) | JobWork::Erase(..) | JobWork::Prune(..) => (None, None),
    }
}
