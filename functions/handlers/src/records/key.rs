//! Where a row lies: its partition, and its place in the partition's order.

use chrono::{DateTime, Datelike, Utc};
use crossvault_core::ids::{
    AccountId, BindingId, DataSource, JobId, PointId, PolicyId, Region, ShortText, Token, VaultId,
};

use serde::{Deserialize, Serialize};

use super::row::BusyOf;

/// A row's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Rows of one partition can be read in order.
    pub partition: Partition,
    /// The order.
    pub sort: Sort,
}

/// What a row belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// Everything of one account: its jobs, turns and grants.
    Account(AccountId),
    /// What was changed in one month, under the backup management account.
    Audit(AccountId, Month),
    /// One binding.
    Binding(BindingId),
    /// What is due, in one shard.
    Due(u16),
    /// Accounts added in one region.
    Grants(Region),
    /// One job.
    Job(JobId),
    /// Names that people gave, each once.
    Names,
    /// Effects that wait to be carried out, in one shard.
    Outbox(u16),
    /// One policy.
    Policy(PolicyId),
    /// Requests of one caller.
    Request(AccountId),
    /// The rounds of reviews.
    Reviews,
    /// One data source.
    Source(DataSource),
    /// What many grants depend on.
    Support(Support),
    /// One vault.
    Vault(VaultId),
}

/// A row's place within its partition. Ids stand as text, so that a bound needs no whole id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// An account.
    Account(ShortText),
    /// An instant, and what tells rows of one instant apart.
    At(DateTime<Utc>, ShortText),
    /// A binding; of an account's, its region and the binding.
    Binding(ShortText),
    /// What runs for a binding.
    Busy,
    /// A grant that depends on something: its account, its region.
    Dependent(ShortText, ShortText),
    /// The n-th page of a job's failed files.
    Failures(u32),
    /// An account that was taken off the list.
    Former(ShortText),
    /// The gate of a vault.
    Gate,
    /// A grant's region.
    Grant(ShortText),
    /// The row that the partition is named for.
    Head,
    /// A job by the time it was queued.
    Job(DateTime<Utc>, ShortText),
    /// When a binding's newest complete point was taken.
    Latest,
    /// A gap of slots, by its first.
    Missed(DateTime<Utc>),
    /// A name: of what, and the name.
    Name(NameOf, ShortText),
    /// A recovery point of a source: the source, the time, the point.
    Point(ShortText, DateTime<Utc>, ShortText),
    /// What a review found about an account.
    Review(ShortText),
    /// A slot by its due time.
    Slot(DateTime<Utc>),
    /// A request's token.
    Token(ShortText),
    /// One of an account's places for running jobs.
    Turn(u16),
    /// A job that uses a vault.
    Use(ShortText),
    /// A policy's version.
    Version(u32),
    /// A job that waits for a turn, by since when.
    Waiting(DateTime<Utc>, ShortText),
}

/// What a name is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameOf {
    /// A backup policy.
    Policy,
    /// A vault.
    Vault,
}

/// What the authority of many grants depends on: a change of it touches them all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Support {
    /// The directory, and the management account's office in it: grants by directory.
    Directory,
    /// The control policies of one folder of the directory, or of its Root: grants by RAM role of
    /// the members below.
    Node(ShortText),
    /// The management account's service-linked role: grants by RAM role.
    ServiceRole,
}

/// A calendar month in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year, 0 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
}

impl Month {
    /// The month of an instant.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        Self {
            year: u16::try_from(at.year()).unwrap_or(0),
            month: u8::try_from(at.month()).unwrap_or(1),
        }
    }

    /// The month before; none before the first of all.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        if self.month > 1 {
            Some(Self { year: self.year, month: self.month.saturating_sub(1) })
        } else {
            Some(Self { year: self.year.checked_sub(1)?, month: 12 })
        }
    }
}

/// A text that sorts after every id.
pub const AFTER_ALL: &str = "\u{7f}";

impl Key {
    fn new(partition: Partition, sort: Sort) -> Self {
        Self { partition, sort }
    }

    /// The n-th shard's due row at an instant, of a binding or a job.
    #[must_use]
    pub fn due(shard: u16, at: DateTime<Utc>, id: &str) -> Self {
        Self::new(Partition::Due(shard), Sort::At(at, id.into()))
    }

    /// A binding's head.
    #[must_use]
    pub fn binding(id: &BindingId) -> Self {
        Self::new(Partition::Binding(id.clone()), Sort::Head)
    }

    /// What runs for a binding or for a source.
    #[must_use]
    pub fn busy(of: &BusyOf) -> Self {
        let partition = match of {
            BusyOf::Binding(binding) => Partition::Binding(binding.clone()),
            BusyOf::Source(source) => Partition::Source(source.clone()),
        };
        Self::new(partition, Sort::Busy)
    }

    /// When a binding's newest complete point was taken.
    #[must_use]
    pub fn latest(binding: &BindingId) -> Self {
        Self::new(Partition::Binding(binding.clone()), Sort::Latest)
    }

    /// A slot's outcome.
    #[must_use]
    pub fn slot(binding: &BindingId, due: DateTime<Utc>) -> Self {
        Self::new(Partition::Binding(binding.clone()), Sort::Slot(due))
    }

    /// A gap of slots.
    #[must_use]
    pub fn missed(binding: &BindingId, first: DateTime<Utc>) -> Self {
        Self::new(Partition::Binding(binding.clone()), Sort::Missed(first))
    }

    /// A policy's head.
    #[must_use]
    pub fn policy(id: &PolicyId) -> Self {
        Self::new(Partition::Policy(id.clone()), Sort::Head)
    }

    /// A policy's version.
    #[must_use]
    pub fn policy_version(id: &PolicyId, version: u32) -> Self {
        Self::new(Partition::Policy(id.clone()), Sort::Version(version))
    }

    /// A policy's reference to a binding.
    #[must_use]
    pub fn policy_binding(policy: &PolicyId, binding: &BindingId) -> Self {
        Self::new(Partition::Policy(policy.clone()), Sort::Binding(binding.as_str().into()))
    }

    /// A job's head.
    #[must_use]
    pub fn job(id: &JobId) -> Self {
        Self::new(Partition::Job(id.clone()), Sort::Head)
    }

    /// A page of a job's failed files.
    #[must_use]
    pub fn failures(job: &JobId, page: u32) -> Self {
        Self::new(Partition::Job(job.clone()), Sort::Failures(page))
    }

    /// An account's reference to a job.
    #[must_use]
    pub fn job_ref(account: &AccountId, queued: DateTime<Utc>, job: &JobId) -> Self {
        Self::new(Partition::Account(account.clone()), Sort::Job(queued, job.as_str().into()))
    }

    /// One of an account's places for running jobs.
    #[must_use]
    pub fn turn(account: &AccountId, n: u16) -> Self {
        Self::new(Partition::Account(account.clone()), Sort::Turn(n))
    }

    /// A job that waits for one of them.
    #[must_use]
    pub fn waiting(account: &AccountId, since: DateTime<Utc>, job: &JobId) -> Self {
        Self::new(Partition::Account(account.clone()), Sort::Waiting(since, job.as_str().into()))
    }

    /// A grant.
    #[must_use]
    pub fn grant(region: &Region, account: &AccountId) -> Self {
        Self::new(Partition::Grants(region.clone()), Sort::Account(account.as_str().into()))
    }

    /// A grant that was taken off the list.
    #[must_use]
    pub fn former_grant(region: &Region, account: &AccountId) -> Self {
        Self::new(Partition::Grants(region.clone()), Sort::Former(account.as_str().into()))
    }

    /// An account's reference to a grant.
    #[must_use]
    pub fn grant_ref(account: &AccountId, region: &Region) -> Self {
        Self::new(Partition::Account(account.clone()), Sort::Grant(region.as_str().into()))
    }

    /// An account's reference to a binding of its source.
    #[must_use]
    pub fn account_binding(source: &DataSource, binding: &BindingId) -> Self {
        let partition = Partition::Account(source.account.clone());
        Self::new(partition, Sort::Binding(format!("{}!{binding}", source.region).into()))
    }

    /// A grant's dependence on something.
    #[must_use]
    pub fn dependent(on: &Support, account: &AccountId, region: &Region) -> Self {
        let sort = Sort::Dependent(account.as_str().into(), region.as_str().into());
        Self::new(Partition::Support(on.clone()), sort)
    }

    /// What the last review of a grant found.
    #[must_use]
    pub fn review(region: &Region, account: &AccountId) -> Self {
        Self::new(Partition::Grants(region.clone()), Sort::Review(account.as_str().into()))
    }

    /// How far the reviews have come.
    #[must_use]
    pub fn reviews() -> Self {
        Self::new(Partition::Reviews, Sort::Head)
    }

    /// A vault's head.
    #[must_use]
    pub fn vault(id: &VaultId) -> Self {
        Self::new(Partition::Vault(id.clone()), Sort::Head)
    }

    /// A vault's gate.
    #[must_use]
    pub fn gate(vault: &VaultId) -> Self {
        Self::new(Partition::Vault(vault.clone()), Sort::Gate)
    }

    /// A job that uses a vault.
    #[must_use]
    pub fn vault_use(vault: &VaultId, job: &JobId) -> Self {
        Self::new(Partition::Vault(vault.clone()), Sort::Use(job.as_str().into()))
    }

    /// A recovery point.
    #[must_use]
    pub fn point(vault: &VaultId, source: &DataSource, taken: DateTime<Utc>, id: &PointId) -> Self {
        let sort = Sort::Point(source.to_text(), taken, id.as_str().into());
        Self::new(Partition::Vault(vault.clone()), sort)
    }

    /// A source's reference to a recovery point.
    #[must_use]
    pub fn point_ref(source: &DataSource, taken: DateTime<Utc>, id: &PointId) -> Self {
        Self::new(Partition::Source(source.clone()), Sort::At(taken, id.as_str().into()))
    }

    /// A waiting effect.
    #[must_use]
    pub fn outbox(shard: u16, not_before: DateTime<Utc>, id: &str) -> Self {
        Self::new(Partition::Outbox(shard), Sort::At(not_before, id.into()))
    }

    /// An audit record.
    #[must_use]
    pub fn audit(management: &AccountId, at: DateTime<Utc>, id: &str) -> Self {
        Self::new(Partition::Audit(management.clone(), Month::of(at)), Sort::At(at, id.into()))
    }

    /// A request that was carried out.
    #[must_use]
    pub fn request(caller: &AccountId, token: &Token) -> Self {
        Self::new(Partition::Request(caller.clone()), Sort::Token(token.as_str().into()))
    }

    /// A name that is taken.
    #[must_use]
    pub fn name(of: NameOf, name: &str) -> Self {
        Self::new(Partition::Names, Sort::Name(of, name.into()))
    }
}
