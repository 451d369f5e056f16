//! A call of a port as data: what is asked, and what is answered.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    authorization::{RoleView, SourceView},
    catalog::{Party, data_lies_with},
    directory::{Administrators, ControlLevel, Member, Membership},
    ids::{AccountId, DataSource, EffectId, Region, RoleArn, SourceKind, VaultId},
    job::Progress,
    policy::ServiceRole,
    vault::Vault,
};
use crossvault_handlers::ports::{
    Assume, BrowsedEntry, FailedFile, Message, Order, Page, Range, SealedIn, Standing, Stored,
    Transaction, TransferName, Version, Work,
};
use crossvault_handlers::records::Key;

/// A session of the cloud, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

impl SessionId {
    /// The backup management account's own.
    pub const OWN: Self = Self(0);
}

/// What is asked of the cloud: one variant for each method of a port.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the port's method of that name with its arguments")]
pub enum Request {
    Get(Key),
    GetMany(Vec<Key>),
    Range(Range),
    Commit(Transaction),
    Send {
        message: Message,
        group: AccountId,
        delay_s: u32,
    },
    Publish {
        id: EffectId,
        alert: Alert,
    },
    Own,
    Assume {
        by: SessionId,
        assume: Assume,
    },
    Role {
        by: SessionId,
        role: RoleArn,
    },
    EnsureServiceRole {
        by: SessionId,
        account: AccountId,
        role: ServiceRole,
    },
    Membership {
        by: SessionId,
        account: AccountId,
    },
    Members {
        by: SessionId,
        search: String,
        page: Page,
    },
    Administrators {
        by: SessionId,
    },
    ControlPolicies {
        by: SessionId,
        account: AccountId,
    },
    ControlTargets {
        by: SessionId,
        policy: String,
    },
    List {
        by: SessionId,
        account: AccountId,
        region: Region,
        kind: SourceKind,
        page: Page,
    },
    Describe {
        by: SessionId,
        source: DataSource,
    },
    Clients {
        by: SessionId,
        account: AccountId,
        region: Region,
    },
    CreateVault {
        by: SessionId,
        vault: Vault,
    },
    Sealed {
        by: SessionId,
        vault: VaultId,
        page: Page,
    },
    Browse {
        by: SessionId,
        vault: VaultId,
        snapshot: String,
        path: String,
        page: Page,
    },
    Discard {
        by: SessionId,
        vault: VaultId,
        snapshots: Vec<String>,
    },
    /// One move of a transfer.
    Move {
        by: SessionId,
        order: Arc<Order>,
        mov: Move,
    },
    Halt {
        name: TransferName,
    },
}

/// One move of a transfer: each is a call of its own, checked and struck by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// Looks for what the job has sealed before; else goes on where this instance stands.
    Find,
    /// Lists what there is to move.
    Open,
    /// Moves the n-th file, point or blob.
    Item(u32),
    /// Stands at a checkpoint.
    Pause,
    /// All is in place.
    Seal,
}

/// What comes of a move.
#[derive(Clone, Debug)]
pub enum Moved {
    /// Goes on with this one, having come so far; failures since the last report.
    On {
        /// The next.
        next: Move,
        /// How far it has come.
        progress: Progress,
    },
    /// The transfer stands still.
    Stands(Standing),
}

/// What the cloud answers.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is what the methods of a port return")]
pub enum Response {
    Row(Option<Stored>),
    Rows(Vec<Option<Stored>>),
    Range(Vec<Stored>),
    Version(Version),
    Done,
    Session { id: SessionId, expires: DateTime<Utc> },
    Role(RoleView),
    Membership(Membership),
    Members(Vec<Member>),
    Administrators(Option<Administrators>),
    ControlPolicies(Vec<ControlLevel>),
    ControlTargets(Vec<String>),
    Sources(Vec<DataSource>),
    Source(SourceView),
    Clients(Option<Vec<DataSource>>),
    Sealed(Vec<SealedIn>),
    Entries(Vec<BrowsedEntry>),
    Moved(Moved, Vec<FailedFile>),
}

/// A method of a port. Its number is stable: traces and tables count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the port's method of that name")]
pub enum Method {
    Get,
    GetMany,
    Range,
    Commit,
    Send,
    Publish,
    Own,
    Assume,
    Role,
    EnsureServiceRole,
    Membership,
    Members,
    Administrators,
    ControlPolicies,
    ControlTargets,
    List,
    Describe,
    Clients,
    CreateVault,
    Sealed,
    Browse,
    Discard,
    Move,
    Halt,
}

impl Method {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 24] = [
        Self::Get,
        Self::GetMany,
        Self::Range,
        Self::Commit,
        Self::Send,
        Self::Publish,
        Self::Own,
        Self::Assume,
        Self::Role,
        Self::EnsureServiceRole,
        Self::Membership,
        Self::Members,
        Self::Administrators,
        Self::ControlPolicies,
        Self::ControlTargets,
        Self::List,
        Self::Describe,
        Self::Clients,
        Self::CreateVault,
        Self::Sealed,
        Self::Browse,
        Self::Discard,
        Self::Move,
        Self::Halt,
    ];

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetMany => "get-many",
            Self::Range => "range",
            Self::Commit => "commit",
            Self::Send => "send",
            Self::Publish => "publish",
            Self::Own => "own",
            Self::Assume => "assume",
            Self::Role => "role",
            Self::EnsureServiceRole => "ensure-service-role",
            Self::Membership => "membership",
            Self::Members => "members",
            Self::Administrators => "administrators",
            Self::ControlPolicies => "control-policies",
            Self::ControlTargets => "control-targets",
            Self::List => "list",
            Self::Describe => "describe",
            Self::Clients => "clients",
            Self::CreateVault => "create-vault",
            Self::Sealed => "sealed",
            Self::Browse => "browse",
            Self::Discard => "discard",
            Self::Move => "move",
            Self::Halt => "halt",
        }
    }

    /// Whether its calls change anything.
    #[must_use]
    pub fn has_effect(self) -> bool {
        match self {
            Self::Commit
            | Self::Send
            | Self::Publish
            | Self::EnsureServiceRole
            | Self::CreateVault
            | Self::Discard
            | Self::Move
            | Self::Halt => true,
            Self::Get
            | Self::GetMany
            | Self::Range
            | Self::Own
            | Self::Assume
            | Self::Role
            | Self::Membership
            | Self::Members
            | Self::Administrators
            | Self::ControlPolicies
            | Self::ControlTargets
            | Self::List
            | Self::Describe
            | Self::Clients
            | Self::Sealed
            | Self::Browse => false,
        }
    }

    /// Whether the cloud may answer by what was so a moment ago.
    #[must_use]
    pub fn may_be_stale(self) -> bool {
        match self {
            Self::Role
            | Self::Membership
            | Self::Members
            | Self::Administrators
            | Self::ControlPolicies
            | Self::ControlTargets
            | Self::List
            | Self::Describe => true,
            Self::Get
            | Self::GetMany
            | Self::Range
            | Self::Commit
            | Self::Send
            | Self::Publish
            | Self::Own
            | Self::Assume
            | Self::EnsureServiceRole
            | Self::Clients
            | Self::CreateVault
            | Self::Sealed
            | Self::Browse
            | Self::Discard
            | Self::Move
            | Self::Halt => false,
        }
    }
}

impl Request {
    /// The method that is called.
    #[must_use]
    pub fn method(&self) -> Method {
        match self {
            Self::Get(_) => Method::Get,
            Self::GetMany(_) => Method::GetMany,
            Self::Range(_) => Method::Range,
            Self::Commit(_) => Method::Commit,
            Self::Send { .. } => Method::Send,
            Self::Publish { .. } => Method::Publish,
            Self::Own => Method::Own,
            Self::Assume { .. } => Method::Assume,
            Self::Role { .. } => Method::Role,
            Self::EnsureServiceRole { .. } => Method::EnsureServiceRole,
            Self::Membership { .. } => Method::Membership,
            Self::Members { .. } => Method::Members,
            Self::Administrators { .. } => Method::Administrators,
            Self::ControlPolicies { .. } => Method::ControlPolicies,
            Self::ControlTargets { .. } => Method::ControlTargets,
            Self::List { .. } => Method::List,
            Self::Describe { .. } => Method::Describe,
            Self::Clients { .. } => Method::Clients,
            Self::CreateVault { .. } => Method::CreateVault,
            Self::Sealed { .. } => Method::Sealed,
            Self::Browse { .. } => Method::Browse,
            Self::Discard { .. } => Method::Discard,
            Self::Move { .. } => Method::Move,
            Self::Halt { .. } => Method::Halt,
        }
    }

    /// The session that it is made with; none for Crossvault's own engine.
    #[must_use]
    pub fn by(&self) -> Option<SessionId> {
        match self {
            Self::Assume { by, .. }
            | Self::Role { by, .. }
            | Self::EnsureServiceRole { by, .. }
            | Self::Membership { by, .. }
            | Self::Members { by, .. }
            | Self::Administrators { by }
            | Self::ControlPolicies { by, .. }
            | Self::ControlTargets { by, .. }
            | Self::List { by, .. }
            | Self::Describe { by, .. }
            | Self::Clients { by, .. }
            | Self::CreateVault { by, .. }
            | Self::Sealed { by, .. }
            | Self::Browse { by, .. }
            | Self::Discard { by, .. }
            | Self::Move { by, .. } => Some(*by),
            Self::Get(_)
            | Self::GetMany(_)
            | Self::Range(_)
            | Self::Commit(_)
            | Self::Send { .. }
            | Self::Publish { .. }
            | Self::Own
            | Self::Halt { .. } => None,
        }
    }

    /// The source that it touches or looks at.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others touch none")]
    pub fn source(&self) -> Option<&DataSource> {
        match self {
            Self::Describe { source, .. } => Some(source),
            Self::Move { order, .. } => match &order.work {
                Work::BackUp { source, .. } => Some(source),
                Work::Restore(restore) => Some(&restore.to),
                Work::Erase(erase) => {
                    let is_touched = data_lies_with(erase.source.kind) == Party::Resource;
                    Some(&erase.source).filter(|_| is_touched)
                }
                Work::Prune(_) => None,
            },
            _ => None,
        }
    }

    /// The resource account that it is about.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are about their source's, or none"
    )]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Assume { assume, .. } => Some(&assume.role.account),
            Self::Role { role, .. } => Some(&role.account),
            Self::EnsureServiceRole { account, .. }
            | Self::Membership { account, .. }
            | Self::ControlPolicies { account, .. }
            | Self::List { account, .. }
            | Self::Clients { account, .. } => Some(account),
            _ => self.source().map(|source| &source.account),
        }
    }

    /// Whether it moves data into a vault or into a source.
    #[must_use]
    pub fn moves_data(&self) -> bool {
        matches!(self, Self::Move { order, mov: Move::Item(_) | Move::Pause | Move::Seal, .. }
            if matches!(order.work, Work::BackUp { .. } | Work::Restore(_)))
    }

    /// Whether it reads data from a vault.
    #[must_use]
    pub fn reads_vault(&self) -> bool {
        matches!(self, Self::Move { order, mov: Move::Item(_), .. }
            if matches!(order.work, Work::Restore(_)))
    }
}
