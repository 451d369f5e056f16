use std::future::Future;

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup,
    ids::{DataSource, JobId, PolicyId, VaultId},
    job::{Checkpoint, Progress},
    restore::{self, Restore},
    upkeep::{self, Erase, Prune},
    vault::Epoch,
};
use serde::{Deserialize, Serialize};

use super::{Identity, PortError};

/// What moves data. To the handler a thread, an agent on a host and a snapshot that the cloud
/// makes are one thing, with a name, that moves or stands.
pub trait Transfers: Identity {
    /// Starts, continues, polls or adopts a transfer, and tells how it stands at the latest by
    /// `report_by`.
    ///
    /// It first looks for what the job has sealed already under the order's epoch, and returns
    /// that, whatever the fence. A higher fence halts lower ones of the same job. Each touch of a
    /// source is made with `by` and checked then.
    ///
    /// # Errors
    /// [`PortError::Denied`] and [`PortError::Expired`] when the credentials no longer permit the
    /// touch of a source: nothing is sealed then. [`PortError::Full`], [`PortError::Corrupt`] and
    /// [`PortError::Failed`] when it can't be done.
    fn advance(
        &self,
        order: Order,
        by: &Self::Credentials,
        report_by: DateTime<Utc>,
    ) -> impl Future<Output = Result<Standing, PortError>> + Send;

    /// Stops a transfer. Nothing is sealed after this returned.
    ///
    /// # Errors
    /// A passing failure.
    fn halt(&self, name: TransferName) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Removes what lower fences of the same job left half-written when their runner died; what is
    /// in place stays. Asked for when nobody will go on with the job. A platform that leaves
    /// nothing has nothing to do.
    ///
    /// # Errors
    /// As [`Transfers::advance`].
    fn clear(
        &self,
        _order: Order,
        _by: &Self::Credentials,
    ) -> impl Future<Output = Result<(), PortError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// One attempt of one job to move data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferName {
    /// The job.
    pub job: JobId,
    /// Counts up with each step of the job: a higher one outdoes the lower.
    pub fence: u32,
}

/// What a transfer is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub name: TransferName,
    /// The work.
    pub work: Work,
    /// Where to go on.
    pub from: Checkpoint,
    /// When to wind down to a checkpoint.
    pub pause_at: DateTime<Utc>,
    /// The vault's present epoch.
    pub epoch: Epoch,
}

/// The kinds of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Read a source into a vault.
    BackUp {
        /// The source.
        source: DataSource,
        /// The vault.
        vault: VaultId,
        /// The policy behind it, for the vault's own labels.
        policy: Option<PolicyId>,
    },
    /// Write a point's content into a source.
    Restore(Restore),
    /// Remove points' data.
    Erase(Erase),
    /// Give back what no point needs.
    Prune(Prune),
}

/// How a transfer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It goes on within this invocation: ask again.
    Moving {
        /// How far it is.
        progress: Progress,
        /// Files that failed since it was asked last.
        failures: Vec<FailedFile>,
    },
    /// Nothing runs; all up to the checkpoint is safe.
    Paused {
        /// Where to go on.
        at: Checkpoint,
        /// How far it is.
        progress: Progress,
        /// Files that failed since it was asked last.
        failures: Vec<FailedFile>,
    },
    /// All is in place, and is found again by the job's id.
    Sealed {
        /// What was made.
        sealed: Sealed,
        /// How far it came.
        progress: Progress,
        /// Files that failed since it was asked last.
        failures: Vec<FailedFile>,
    },
}

/// What a transfer made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sealed {
    /// The data of a recovery point.
    Backup(backup::Sealed),
    /// Restored content.
    Restore(restore::Sealed),
    /// Upkeep that is done.
    Upkeep(upkeep::Sealed),
}

/// A file that a transfer could not move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedFile {
    /// Its path below the source's root, as text: bytes that are no UTF-8 are escaped.
    pub path: String,
    /// The stable code of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
}
