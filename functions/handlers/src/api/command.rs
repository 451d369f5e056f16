//! What a person or a program asks for.

use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, JobId, PointId, Region, SourceKind},
    offboarding::RunningJobs,
    restore::Overwrite,
};
use serde::{Deserialize, Serialize};

/// A request to Crossvault. CLI and HTTP send the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Add a resource account for backup in one region.
    AddAccount {
        /// The account.
        account: AccountId,
        /// The region of its resources.
        region: Region,
        /// How it grants.
        method: Method,
        /// A name that people know it by; may be empty.
        alias: String,
        /// Agreement to create the service-linked role in the management account, which the way by
        /// RAM role needs the first time.
        consent: bool,
    },
    /// Check a grant, or one that is about to be added: the cloud's "Check Permissions".
    CheckAccount {
        /// The account.
        account: AccountId,
        /// The region of its resources.
        region: Region,
        /// How it grants; none takes what was added.
        method: Option<Method>,
        /// Only what backing up this source needs, and that it is there; none checks all types.
        #[serde(default)]
        source: Option<DataSource>,
    },
    /// List the accounts that are added.
    ListAccounts {
        /// Only in this region; none lists all.
        region: Option<Region>,
        /// Only those whose id or alias holds this text.
        search: Option<String>,
    },
    /// List the members of the resource directory that could be added.
    SearchMembers {
        /// Only those whose id or name holds this text.
        search: String,
    },
    /// Show the steps by which backup of an account is cancelled, how each stands, what stays and
    /// what goes on costing.
    PlanRemoval {
        /// The account.
        account: AccountId,
        /// The region.
        region: Region,
    },
    /// Cancel backup of an account, as far as it can be done now: asked again, it goes on. The
    /// account's recovery points stay.
    RemoveAccount {
        /// The account.
        account: AccountId,
        /// The region.
        region: Region,
        /// What becomes of jobs that run there.
        #[serde(default)]
        jobs: RunningJobs,
    },
    /// List what reviews found about the grants.
    ListReviews {
        /// Only about this account; none lists all.
        account: Option<AccountId>,
        /// Whether they are reviewed first, instead of telling what the last review found.
        now: bool,
    },
    /// List the sources of an account.
    ListSources {
        /// The account.
        account: AccountId,
        /// The region.
        region: Region,
        /// Only of this type; none lists all types.
        kind: Option<SourceKind>,
    },
    /// Make a vault.
    CreateVault {
        /// Its name.
        name: String,
        /// Where it lies.
        region: Region,
    },
    /// List the vaults.
    ListVaults,
    /// Give back the space that no recovery point needs.
    PruneVault {
        /// The vault's name or id.
        vault: String,
    },
    /// Record that a vault is opened to a further password: whoever has it reads all of the vault
    /// without Crossvault. The platform adds the password once this is answered.
    ExportKey {
        /// The vault's name or id.
        vault: String,
    },
    /// Make a policy.
    CreatePolicy(PolicySpec),
    /// Change a policy; what is left out stays.
    UpdatePolicy {
        /// The policy's name or id.
        policy: String,
        /// A new schedule.
        schedule: Option<String>,
        /// A new time zone.
        zone: Option<String>,
        /// New retention rules.
        retention: Option<RetentionSpec>,
    },
    /// List the policies.
    ListPolicies,
    /// Delete a policy: it is unbound from all its sources first. Recovery points stay.
    DeletePolicy {
        /// The policy's name or id.
        policy: String,
    },
    /// Attach a policy to a source.
    Bind {
        /// The policy's name or id.
        policy: String,
        /// The source.
        source: DataSource,
    },
    /// Take a policy off a source. Recovery points stay.
    Unbind {
        /// The policy's name or id.
        policy: String,
        /// The source.
        source: DataSource,
    },
    /// Skip a binding's slots, or stop skipping them.
    PauseBinding {
        /// The policy's name or id.
        policy: String,
        /// The source.
        source: DataSource,
        /// Whether its slots are skipped from now on.
        paused: bool,
    },
    /// List the bindings.
    ListBindings {
        /// Only of this policy; none lists all.
        policy: Option<String>,
    },
    /// Back up a source now.
    BackUp {
        /// The source.
        source: DataSource,
        /// The policy (name or id) for whose binding it runs.
        policy: Option<String>,
        /// The vault (name or id) when no policy is given.
        vault: Option<String>,
    },
    /// List jobs, newest first.
    ListJobs {
        /// Only of this account; none lists all.
        account: Option<AccountId>,
        /// At most so many, 1 to 99.
        limit: usize,
    },
    /// Show one job with the files that it could not move.
    ShowJob {
        /// The job.
        job: JobId,
    },
    /// Ask a job to stop.
    CancelJob {
        /// The job.
        job: JobId,
    },
    /// List recovery points, newest first.
    ListPoints {
        /// Only of this source.
        source: Option<DataSource>,
        /// Only of sources of this account.
        account: Option<AccountId>,
        /// Only in this vault (name or id).
        vault: Option<String>,
    },
    /// List one folder of a recovery point.
    BrowsePoint {
        /// The point.
        point: PointId,
        /// The folder, relative; empty for the root.
        path: String,
    },
    /// Delete a recovery point before its time.
    DeletePoint {
        /// The point.
        point: PointId,
    },
    /// Write a recovery point's content into a source.
    Restore {
        /// The point.
        point: PointId,
        /// The source that is written into.
        to: DataSource,
        /// The folder below the target's root; empty for the root itself.
        into: String,
        /// Only this path of the point.
        only: Option<String>,
        /// What happens to files that are in the way.
        overwrite: Overwrite,
    },
    /// List what was changed, newest first.
    ListAudit {
        /// Only what concerns this account.
        account: Option<AccountId>,
        /// At most so many, 1 to 1,000.
        limit: usize,
    },
    /// Show what a slot became: the decided slots of a binding, newest first.
    ListSlots {
        /// The policy's name or id.
        policy: String,
        /// The source.
        source: DataSource,
        /// At most so many, 1 to 99.
        limit: usize,
    },
}

impl Command {
    /// Whether it changes anything: then its token makes it happen at most once.
    #[must_use]
    pub fn is_change(&self) -> bool {
        match self {
            Self::AddAccount { .. }
            | Self::RemoveAccount { .. }
            | Self::CreateVault { .. }
            | Self::PruneVault { .. }
            | Self::ExportKey { .. }
            | Self::CreatePolicy(_)
            | Self::UpdatePolicy { .. }
            | Self::DeletePolicy { .. }
            | Self::Bind { .. }
            | Self::Unbind { .. }
            | Self::PauseBinding { .. }
            | Self::BackUp { .. }
            | Self::CancelJob { .. }
            | Self::DeletePoint { .. }
            | Self::Restore { .. } => true,
            Self::CheckAccount { .. }
            | Self::ListAccounts { .. }
            | Self::SearchMembers { .. }
            | Self::PlanRemoval { .. }
            | Self::ListReviews { .. }
            | Self::ListSources { .. }
            | Self::ListVaults
            | Self::ListPolicies
            | Self::ListBindings { .. }
            | Self::ListJobs { .. }
            | Self::ShowJob { .. }
            | Self::ListPoints { .. }
            | Self::BrowsePoint { .. }
            | Self::ListAudit { .. }
            | Self::ListSlots { .. } => false,
        }
    }
}

/// A policy as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySpec {
    /// Its name.
    pub name: String,
    /// The vault's name or id.
    pub vault: String,
    /// `I|<unix seconds>|<ISO 8601 interval>` or `C|<unix seconds>|<cron>`.
    pub schedule: String,
    /// The time zone of the schedule and the retention rules, such as `Asia/Shanghai`.
    pub zone: String,
    /// How long points are kept.
    pub retention: RetentionSpec,
}

/// Retention rules as people write them, in days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionSpec {
    /// Days that every point is kept; none keeps it for ever.
    pub days: Option<u32>,
    /// Days that the first point of each day is kept.
    pub daily: Option<u32>,
    /// Days that the first point of each week is kept.
    pub weekly: Option<u32>,
    /// Days that the first point of each month is kept.
    pub monthly: Option<u32>,
    /// Days that the first point of each year is kept.
    pub yearly: Option<u32>,
    /// Whether the newest point is never removed.
    pub keep_latest: bool,
}
