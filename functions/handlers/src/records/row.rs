//! The rows themselves.

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    audit,
    backup::{self, Backup},
    backup_policy::{BackupPolicy, Binding},
    grant::Grant,
    ids::{
        AccountId, BindingId, DataSource, EffectId, JobId, PointId, PolicyId, Region, Token,
        VaultId,
    },
    job::{Failure, Outcome, Progress, State},
    quantity::Bytes,
    restore::{self, Restore},
    schedule::slot,
    upkeep::{self, Erase, Prune},
    vault::{Epoch, Gate, RecoveryPoint, Vault},
};
use serde::{Deserialize, Serialize};

use super::{
    key::{Key, NameOf, Support},
    review::{ReviewRound, ReviewRow},
};
use crate::ports::{FailedFile, Message};

/// A row type that can be read by name.
pub trait Row: TryFrom<Record> + Into<Record> {
    /// The name of the type, for messages.
    const NAME: &'static str;
}

/// Defines the enum of all rows with the ways in and out of it.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident($row:ty)),+ $(,)?) => {
        /// A row of the store.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "row")]
        pub enum Record {
            $($(#[$doc])* $name($row)),+
        }

        impl Record {
            /// The name of the row's type.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name)),+
                }
            }

            /// Where the row lies.
            #[must_use]
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$name(row) => row.key()),+
                }
            }
        }

        $(
            impl From<$row> for Record {
                fn from(row: $row) -> Self {
                    Self::$name(row)
                }
            }

            impl TryFrom<Record> for $row {
                type Error = Record;
                #[allow(
                    clippy::wildcard_enum_match_arm,
                    reason = "every other row is the wrong one, whichever are added"
                )]
                fn try_from(record: Record) -> Result<Self, Record> {
                    match record {
                        Record::$name(row) => Ok(row),
                        other => Err(other),
                    }
                }
            }

            impl Row for $row {
                const NAME: &'static str = stringify!($name);
            }
        )+
    };
}

records! {
    /// Something that is due at an instant.
    Due(Due),
    /// A policy attached to a source.
    Binding(BindingRow),
    /// A source is being backed up.
    Busy(Busy),
    /// When a binding's newest complete point was taken.
    Latest(Latest),
    /// What became of one slot.
    Slot(SlotRow),
    /// Slots that passed while nothing ran.
    MissedSlots(MissedSlots),
    /// A policy in its present version.
    Policy(PolicyRow),
    /// A policy in one of its versions.
    PolicyVersion(PolicyVersion),
    /// A policy's reference to a binding.
    PolicyBinding(PolicyBinding),
    /// An account's reference to a binding.
    AccountBinding(AccountBinding),
    /// A job.
    Job(Box<Job>),
    /// Files that a job could not move.
    Failures(Failures),
    /// An account's reference to a job.
    JobRef(JobRef),
    /// A place for a running job.
    Turn(Turn),
    /// A job that waits for a place.
    Waiting(Waiting),
    /// A resource account added in a region.
    Grant(GrantRow),
    /// A grant that was taken off the list.
    FormerGrant(FormerGrant),
    /// An account's reference to a grant.
    GrantRef(GrantRef),
    /// A grant's dependence on something.
    Dependent(Dependent),
    /// What the last review of a grant found.
    Review(ReviewRow),
    /// How far the reviews have come.
    ReviewRound(ReviewRound),
    /// A vault.
    Vault(VaultRow),
    /// What stands between transfers and prunes of a vault.
    Gate(GateRow),
    /// A job that uses a vault.
    Use(Use),
    /// A recovery point.
    Point(Box<PointRow>),
    /// A source's reference to a recovery point.
    PointRef(PointRef),
    /// An effect that waits to be carried out.
    Outbox(Outbox),
    /// What was changed.
    Audit(AuditRow),
    /// A request that was carried out, with its answer.
    Request(Request),
    /// A name that is taken.
    Name(NameRef),
}

/// Something that is due: the watchdog of a job, or the next slot of a binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The index's shard.
    pub shard: u16,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub wake: Wake,
}

/// What is woken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wake {
    /// A binding's slot is due.
    Binding(BindingId),
    /// A job has not been heard of.
    Job(JobId),
}

impl Wake {
    /// The id that stands in the key.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Binding(id) => id.as_str(),
            Self::Job(id) => id.as_str(),
        }
    }
}

impl Due {
    fn key(&self) -> Key {
        Key::due(self.shard, self.at, self.wake.id())
    }
}

/// A binding; its `next` stands in the due index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BindingRow(pub Binding);

impl BindingRow {
    fn key(&self) -> Key {
        Key::binding(&self.0.id)
    }
}

/// A backup job runs: the next one of the same binding is skipped, or refused when asked by hand.
///
/// Source: Cloud Backup, "Backup policies": a run that is due while the previous job of the same
/// plan still runs is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// What is busy.
    pub of: BusyOf,
    /// The job.
    pub job: JobId,
}

/// What at most one backup job runs for at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BusyOf {
    /// A binding.
    Binding(BindingId),
    /// A source that is backed up by hand, apart from its bindings.
    Source(DataSource),
}

impl BusyOf {
    /// What a backup job keeps busy.
    #[must_use]
    pub fn of(backup: &Backup) -> Self {
        match &backup.binding {
            Some(binding) => Self::Binding(binding.clone()),
            None => Self::Source(backup.source.clone()),
        }
    }
}

impl Busy {
    fn key(&self) -> Key {
        Key::busy(&self.of)
    }
}

/// When the newest complete point that a binding ever made was taken, deleted or not: it tells
/// which point is the first of its day, week, month or year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The binding.
    pub binding: BindingId,
    /// When.
    pub taken: DateTime<Utc>,
}

impl Latest {
    fn key(&self) -> Key {
        Key::latest(&self.binding)
    }
}

/// What became of one due time of one binding: exactly one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRow {
    /// The binding.
    pub binding: BindingId,
    /// The due time.
    pub due: DateTime<Utc>,
    /// What became of it.
    pub outcome: slot::Outcome,
}

impl SlotRow {
    fn key(&self) -> Key {
        Key::slot(&self.binding, self.due)
    }
}

/// Slots that passed while nothing ran; they are not made up for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedSlots {
    /// The binding.
    pub binding: BindingId,
    /// The gap.
    pub missed: slot::Missed,
}

impl MissedSlots {
    fn key(&self) -> Key {
        Key::missed(&self.binding, self.missed.first)
    }
}

/// A policy in its present version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyRow(pub BackupPolicy);

impl PolicyRow {
    fn key(&self) -> Key {
        Key::policy(&self.0.id)
    }
}

/// A policy in one of its versions: a late tick judges by the right one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyVersion(pub BackupPolicy);

impl PolicyVersion {
    fn key(&self) -> Key {
        Key::policy_version(&self.0.id, self.0.version)
    }
}

/// A policy's reference to a binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyBinding {
    /// The policy.
    pub policy: PolicyId,
    /// The binding.
    pub binding: BindingId,
    /// Its source.
    pub source: DataSource,
}

impl PolicyBinding {
    fn key(&self) -> Key {
        Key::policy_binding(&self.policy, &self.binding)
    }
}

/// An account's reference to a binding of one of its sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBinding {
    /// The binding.
    pub binding: BindingId,
    /// Its source, whose account it is.
    pub source: DataSource,
}

impl AccountBinding {
    fn key(&self) -> Key {
        Key::account_binding(&self.source, &self.binding)
    }
}

/// A job: what it is to do, how it stands, and who may move it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it is to do, and where it stands.
    pub work: JobWork,
    /// The account whose resources it touches and whose turns it takes.
    pub account: AccountId,
    /// When it was made.
    pub queued: DateTime<Utc>,
    /// When its first step began.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// Counts up with each claim: who holds a lower one is late.
    pub fence: u32,
    /// Until when the present step is taken to live; none between steps.
    pub lease_until: Option<DateTime<Utc>>,
    /// When the due index wakes it; none when it has ended.
    pub wake: Option<DateTime<Utc>>,
    /// The account's turn that it holds.
    pub turn: Option<u16>,
    /// Since when it waits for one; its row's key.
    pub waiting: Option<DateTime<Utc>>,
    /// The vault's epoch under which its data began.
    pub epoch: Option<Epoch>,
    /// Counts up with each commit: effects take their ids from it.
    pub revision: u32,
    /// How far it has come, also when it has ended.
    pub progress: Progress,
    /// Pages of failed files.
    pub failure_pages: u32,
    /// How many of them belong to the checkpoint: a step that goes on from it names the others
    /// anew.
    #[serde(default)]
    pub checkpoint_pages: u32,
}

/// What a job is to do, with the state of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobWork {
    /// A backup.
    Backup(Backup, backup::State),
    /// A restore.
    Restore(Restore, restore::State),
    /// Points that go.
    Erase(Erase, upkeep::State),
    /// Space that is given back.
    Prune(Prune, upkeep::State),
}

impl JobWork {
    /// The kind's name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Backup(..) => "backup",
            Self::Restore(..) => "restore",
            Self::Erase(..) => "erase",
            Self::Prune(..) => "prune",
        }
    }

    /// The state's name in the cloud's words.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Backup(_, state) => state.name(),
            Self::Restore(_, state) => state.name(),
            Self::Erase(_, state) | Self::Prune(_, state) => state.name(),
        }
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        match self {
            Self::Backup(_, state) => state.is_ended(),
            Self::Restore(_, state) => state.is_ended(),
            Self::Erase(_, state) | Self::Prune(_, state) => state.is_ended(),
        }
    }

    /// Whether somebody asked it to stop and it has not yet.
    #[must_use]
    pub fn is_canceling(&self) -> bool {
        match self {
            Self::Backup(_, state) => matches!(state, State::Canceling),
            Self::Restore(_, state) => matches!(state, State::Canceling),
            Self::Erase(_, state) | Self::Prune(_, state) => matches!(state, State::Canceling),
        }
    }

    /// Why it failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        fn of<S>(state: &State<S>) -> Option<&Failure> {
            match state {
                State::Ended(Outcome::Failed(failure)) => Some(failure),
                State::Ended(Outcome::Complete(_) | Outcome::Partial(_) | Outcome::Canceled)
                | State::Queued
                | State::Running(_)
                | State::Canceling => None,
            }
        }
        match self {
            Self::Backup(_, state) => of(state),
            Self::Restore(_, state) => of(state),
            Self::Erase(_, state) | Self::Prune(_, state) => of(state),
        }
    }

    /// The bytes that it will move in all, where that is known before.
    #[must_use]
    pub fn expected(&self) -> Option<Bytes> {
        match self {
            Self::Restore(restore, state) if restore.only.is_none() && !state.is_ended() => {
                Some(restore.bytes)
            }
            Self::Restore(..) | Self::Backup(..) | Self::Erase(..) | Self::Prune(..) => None,
        }
    }

    /// The vault that it works on.
    #[must_use]
    pub fn vault(&self) -> &VaultId {
        match self {
            Self::Backup(backup, _) => &backup.vault,
            Self::Restore(restore, _) => &restore.vault,
            Self::Erase(erase, _) => &erase.vault,
            Self::Prune(prune, _) => &prune.vault,
        }
    }

    /// The source that it reads or writes, or whose points it erases.
    #[must_use]
    pub fn source(&self) -> Option<&DataSource> {
        match self {
            Self::Backup(backup, _) => Some(&backup.source),
            Self::Restore(restore, _) => Some(&restore.to),
            Self::Erase(erase, _) => Some(&erase.source),
            Self::Prune(..) => None,
        }
    }
}

impl Job {
    /// A job that has not begun.
    #[must_use]
    pub fn new(id: JobId, work: JobWork, account: AccountId, queued: DateTime<Utc>) -> Self {
        Self {
            id,
            work,
            account,
            queued,
            started: None,
            ended: None,
            fence: 0,
            lease_until: None,
            wake: None,
            turn: None,
            waiting: None,
            epoch: None,
            revision: 0,
            progress: Progress::default(),
            failure_pages: 0,
            checkpoint_pages: 0,
        }
    }

    fn key(&self) -> Key {
        Key::job(&self.id)
    }
}

/// Files that a job could not move: one page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// The job.
    pub job: JobId,
    /// The page, from 0.
    pub page: u32,
    /// At most 100.
    pub files: Vec<FailedFile>,
}

impl Failures {
    fn key(&self) -> Key {
        Key::failures(&self.job, self.page)
    }
}

/// An account's reference to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// The account.
    pub account: AccountId,
    /// When the job was made.
    pub queued: DateTime<Utc>,
    /// The job.
    pub job: JobId,
}

impl JobRef {
    fn key(&self) -> Key {
        Key::job_ref(&self.account, self.queued, &self.job)
    }
}

/// One of an account's places for running jobs, held by a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The account.
    pub account: AccountId,
    /// The place.
    pub n: u16,
    /// The job that holds it.
    pub job: JobId,
}

impl Turn {
    fn key(&self) -> Key {
        Key::turn(&self.account, self.n)
    }
}

/// A job that waits for a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The account.
    pub account: AccountId,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The job.
    pub job: JobId,
}

impl Waiting {
    fn key(&self) -> Key {
        Key::waiting(&self.account, self.since, &self.job)
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantRow(pub Grant);

impl GrantRow {
    fn key(&self) -> Key {
        Key::grant(&self.0.region, &self.0.account)
    }
}

/// A grant that was taken off the list: by which role the account was reached is known until it is
/// added again. It says nothing of what was done since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerGrant {
    /// The grant as it was.
    pub grant: Grant,
    /// When it was taken off.
    pub removed: DateTime<Utc>,
}

impl FormerGrant {
    fn key(&self) -> Key {
        Key::former_grant(&self.grant.region, &self.grant.account)
    }
}

/// An account's reference to a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRef {
    /// The account.
    pub account: AccountId,
    /// The region in which it is added.
    pub region: Region,
}

impl GrantRef {
    fn key(&self) -> Key {
        Key::grant_ref(&self.account, &self.region)
    }
}

/// A grant that depends on something: a change of that touches it. Written with its standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependent {
    /// What it depends on.
    pub on: Support,
    /// The grant's account.
    pub account: AccountId,
    /// The grant's region.
    pub region: Region,
}

impl Dependent {
    fn key(&self) -> Key {
        Key::dependent(&self.on, &self.account, &self.region)
    }
}

/// A vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VaultRow(pub Vault);

impl VaultRow {
    fn key(&self) -> Key {
        Key::vault(&self.0.id)
    }
}

/// A vault's gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRow {
    /// The vault.
    pub vault: VaultId,
    /// The gate.
    pub gate: Gate,
}

impl GateRow {
    fn key(&self) -> Key {
        Key::gate(&self.vault)
    }
}

/// A job that uses a vault: a prune waits for those whose lease lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The vault.
    pub vault: VaultId,
    /// The job.
    pub job: JobId,
}

impl Use {
    fn key(&self) -> Key {
        Key::vault_use(&self.vault, &self.job)
    }
}

/// A recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PointRow(pub RecoveryPoint);

impl PointRow {
    fn key(&self) -> Key {
        Key::point(&self.0.vault, &self.0.source, self.0.taken, &self.0.id)
    }
}

/// A source's reference to a recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointRef {
    /// The source.
    pub source: DataSource,
    /// When its content was read.
    pub taken: DateTime<Utc>,
    /// The point.
    pub point: PointId,
    /// Its vault.
    pub vault: VaultId,
}

impl PointRef {
    fn key(&self) -> Key {
        Key::point_ref(&self.source, self.taken, &self.point)
    }
}

/// A recorded effect that waits to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Its id: the key under which it is carried out once.
    pub id: EffectId,
    /// The shard.
    pub shard: u16,
    /// Not before this instant.
    pub not_before: DateTime<Utc>,
    /// What is sent.
    pub send: Send,
    /// How often it was tried.
    pub attempts: u32,
    /// What stood in the way the last time.
    pub error: Option<String>,
}

/// What an effect sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Send {
    /// A message that names work.
    Message {
        /// The message.
        message: Message,
        /// The account whose work it is.
        group: AccountId,
    },
    /// News for people.
    Alert(Box<Alert>),
}

impl Outbox {
    fn key(&self) -> Key {
        Key::outbox(self.shard, self.not_before, self.id.as_str())
    }
}

/// What was changed; never changed itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The account under which it is kept.
    pub management: AccountId,
    /// The record.
    pub record: audit::Record,
}

impl AuditRow {
    fn key(&self) -> Key {
        Key::audit(&self.management, self.record.at, self.record.id.as_str())
    }
}

/// A request that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asked.
    pub caller: AccountId,
    /// Under which token.
    pub token: Token,
    /// A digest of what was asked for: a token is good for one request.
    pub digest: String,
    /// The answer, as JSON text.
    pub answer: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Request {
    fn key(&self) -> Key {
        Key::request(&self.caller, &self.token)
    }
}

/// A name that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameRef {
    /// By a policy.
    Policy {
        /// The name.
        name: String,
        /// The policy.
        id: PolicyId,
    },
    /// By a vault.
    Vault {
        /// The name.
        name: String,
        /// The vault.
        id: VaultId,
    },
}

impl NameRef {
    fn key(&self) -> Key {
        match self {
            Self::Policy { name, .. } => Key::name(NameOf::Policy, name),
            Self::Vault { name, .. } => Key::name(NameOf::Vault, name),
        }
    }
}
