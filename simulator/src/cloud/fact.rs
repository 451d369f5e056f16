//! What has happened in the cloud: the journal that oracles look at.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    catalog::Verb,
    ids::{AccountId, DataSource, EffectId, JobId, RoleArn, VaultId},
};
use crossvault_handlers::{
    ports::{Message, Order, PortError, Stored},
    records::Key,
};

use super::{File, Snapshot};
use crate::{
    call::{Move, SessionId},
    world::{Change, Command},
};

/// An invocation of a function: counted from 1 in each run; 0 is nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId(pub u32);

/// What one write of a commit changed.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// Where the row lies.
    pub key: Key,
    /// The row before.
    pub before: Option<Arc<Stored>>,
    /// The row now.
    pub after: Option<Arc<Stored>>,
}

/// Something that has happened. What was refused has not happened, but for [`Fact::Touched`].
#[derive(Clone, Debug)]
pub enum Fact {
    /// Rows were stored.
    Committed {
        /// By whom.
        by: InvocationId,
        /// What changed.
        changes: Vec<RowChange>,
    },
    /// A role was assumed.
    Assumed {
        /// By whom.
        by: InvocationId,
        /// The new session.
        session: SessionId,
        /// The role.
        role: RoleArn,
    },
    /// A resource account's source was touched, or would have been.
    Touched {
        /// By whom.
        by: InvocationId,
        /// With which session.
        session: SessionId,
        /// For what.
        verb: Verb,
        /// By which move.
        mov: Move,
        /// The source.
        source: DataSource,
        /// The transfer's order.
        order: Arc<Order>,
        /// When.
        at: DateTime<Utc>,
        /// What was refused; none when it was let through.
        refused: Option<PortError>,
    },
    /// A snapshot lies in a vault.
    Sealed {
        /// The vault.
        vault: VaultId,
        /// The snapshot.
        snapshot: Arc<Snapshot>,
    },
    /// A snapshot is gone from a vault.
    Erased {
        /// By whom.
        by: InvocationId,
        /// The vault.
        vault: VaultId,
        /// The snapshot.
        snapshot: Arc<Snapshot>,
        /// The job that erased it; none for the sweep.
        job: Option<JobId>,
    },
    /// A vault was pruned.
    Pruned {
        /// The vault.
        vault: VaultId,
        /// How many blobs went.
        removed: u64,
    },
    /// A file was written into a source by a restore.
    Written {
        /// The source's number.
        source: u32,
        /// The job.
        job: JobId,
        /// What was there.
        before: Option<File>,
        /// What is there now.
        after: File,
    },
    /// A restore has all in place.
    Restored {
        /// The job.
        job: JobId,
        /// Into which source, by number.
        source: u32,
    },
    /// Users changed what a source holds.
    Edited {
        /// The source's number.
        source: u32,
    },
    /// The world changed.
    Changed {
        /// How.
        changes: Vec<Change>,
        /// By which deed; none when the run healed or broke it.
        by: Option<Command>,
    },
    /// A message was taken by the queue.
    Sent {
        /// The message.
        message: Message,
        /// Whose work it is.
        group: AccountId,
        /// After how many seconds it comes.
        delay_s: u32,
    },
    /// An alert was published.
    Published {
        /// Its id.
        id: EffectId,
        /// What it says.
        alert: Box<Alert>,
    },
}
