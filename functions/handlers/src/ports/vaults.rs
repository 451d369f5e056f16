use std::future::Future;

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{JobId, VaultId},
    quantity::Bytes,
    vault::Vault,
};
use serde::{Deserialize, Serialize};

use super::{Identity, Page, PortError};

/// The stores of backup data themselves, in the backup management account.
pub trait Vaults: Identity {
    /// Makes a vault's store and its key unless they are there already.
    ///
    /// # Errors
    /// [`PortError::Full`], [`PortError::Failed`] when it can't be made.
    fn create(
        &self,
        by: &Self::Credentials,
        vault: Vault,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// All data in a vault that bears a job's name, whether or not a point names it: for the sweep
    /// of what crashes left behind.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when the vault's store is missing; [`PortError::Corrupt`].
    fn sealed(
        &self,
        by: &Self::Credentials,
        vault: VaultId,
        page: Page,
    ) -> impl Future<Output = Result<Vec<SealedIn>, PortError>> + Send;

    /// The content of one folder of a point, in the order of the names.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when the point's data or the folder is missing;
    /// [`PortError::Corrupt`].
    fn browse(
        &self,
        by: &Self::Credentials,
        vault: VaultId,
        snapshot: String,
        path: String,
        page: Page,
    ) -> impl Future<Output = Result<Vec<BrowsedEntry>, PortError>> + Send;

    /// Removes sealed data by name; what is not there counts as removed.
    ///
    /// # Errors
    /// A passing failure.
    fn discard(
        &self,
        by: &Self::Credentials,
        vault: VaultId,
        snapshots: Vec<String>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Data in a vault that bears a job's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedIn {
    /// The job.
    pub job: JobId,
    /// How the vault names it.
    pub snapshot: String,
    /// Whether it is only a checkpoint.
    pub partial: bool,
}

/// One entry of a folder of a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowsedEntry {
    /// Its name, as text: bytes that are no UTF-8 are escaped.
    pub name: String,
    /// `file`, `folder`, `link` or `special`.
    pub kind: String,
    /// Its length.
    pub size: Bytes,
    /// When its content was changed last.
    pub modified: Option<DateTime<Utc>>,
}
