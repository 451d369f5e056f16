use std::future::Future;

use crossvault_core::{
    authorization::SourceView,
    ids::{AccountId, DataSource, Region, SourceKind},
};

use super::{Identity, Page, PortError};

/// The resources of an account.
pub trait Sources: Identity {
    /// The types of source that this platform backs up. The others are known to the catalog, can be
    /// listed and checked by their permissions, and are refused for backups.
    fn kinds(&self) -> &[SourceKind];

    /// The sources of one type in one region of one account, in the order of their ids.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the credentials do not permit it.
    fn list(
        &self,
        by: &Self::Credentials,
        account: AccountId,
        region: Region,
        kind: SourceKind,
        page: Page,
    ) -> impl Future<Output = Result<Vec<DataSource>, PortError>> + Send;

    /// What the cloud says of one source.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the credentials do not permit it.
    fn describe(
        &self,
        by: &Self::Credentials,
        source: DataSource,
    ) -> impl Future<Output = Result<SourceView, PortError>> + Send;

    /// The sources in one region of one account on which a client of Cloud Backup is installed,
    /// as Cloud Backup itself knows it; none where the platform works without clients.
    ///
    /// # Errors
    /// A passing failure.
    fn clients(
        &self,
        by: &Self::Credentials,
        account: AccountId,
        region: Region,
    ) -> impl Future<Output = Result<Option<Vec<DataSource>>, PortError>> + Send;
}
