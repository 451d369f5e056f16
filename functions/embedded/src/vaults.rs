//! Vaults on this machine: a folder and a key for each.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use chrono::DateTime;
use crossvault_core::{ids::VaultId, quantity::Bytes, vault::Vault};
use crossvault_handlers::ports::{BrowsedEntry, Page, PortError, SealedIn, Vaults};

use crate::{
    files::entry::{Entry, EntryKind, path_text},
    identity::LocalCredentials,
    platform::Embedded,
    transfers::port_error,
    vault::{SnapshotName, VaultError},
};

impl Vaults for Embedded {
    async fn create(&self, _by: &LocalCredentials, vault: Vault) -> Result<(), PortError> {
        self.blocking(move |platform| platform.make_vault(&vault.id)).await
    }

    async fn sealed(
        &self,
        _by: &LocalCredentials,
        vault: VaultId,
        page: Page,
    ) -> Result<Vec<SealedIn>, PortError> {
        let all = self.blocking(move |platform| platform.vault(&vault)?.sealed()).await?;
        let mut all: Vec<SealedIn> = all
            .into_iter()
            .map(|one| SealedIn {
                job: one.job,
                snapshot: one.snapshot.to_string(),
                partial: one.partial,
            })
            .collect();
        all.sort_by(|one, other| one.snapshot.cmp(&other.snapshot));
        let is_after =
            |one: &SealedIn| page.after.as_ref().is_none_or(|after| one.snapshot > *after);
        Ok(all.into_iter().filter(is_after).take(page.limit).collect())
    }

    async fn browse(
        &self,
        _by: &LocalCredentials,
        vault: VaultId,
        snapshot: String,
        path: String,
        page: Page,
    ) -> Result<Vec<BrowsedEntry>, PortError> {
        let name: SnapshotName =
            snapshot.parse().map_err(|_| PortError::NotFound(snapshot.clone()))?;
        let listed = self
            .blocking(move |platform| {
                let vault = platform.vault(&vault)?;
                let after = page.after.as_ref().map(OsStr::new);
                vault.browse(name)?.list(Path::new(&path), after, page.limit)
            })
            .await?;
        Ok(listed.entries.iter().map(browsed).collect())
    }

    async fn discard(
        &self,
        _by: &LocalCredentials,
        vault: VaultId,
        snapshots: Vec<String>,
    ) -> Result<(), PortError> {
        let names: Vec<SnapshotName> =
            snapshots.iter().filter_map(|name| name.parse().ok()).collect();
        self.blocking(move |platform| platform.vault(&vault)?.forget(&names)).await
    }
}

impl Embedded {
    /// Runs what blocks beside the handlers.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, PortError> {
        let platform = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&platform)).await;
        done.map_err(|_| PortError::TimedOut)?.map_err(|error| {
            if let VaultError::NotFound { path } | VaultError::NoEntry { path } = &error {
                return PortError::NotFound(path.display().to_string());
            }
            port_error(&error)
        })
    }
}

fn browsed(entry: &Entry) -> BrowsedEntry {
    let (kind, size) = match &entry.kind {
        EntryKind::Directory => ("folder", 0),
        EntryKind::File { size } => ("file", *size),
        EntryKind::Symlink { .. } => ("link", 0),
        EntryKind::Fifo
        | EntryKind::Socket
        | EntryKind::BlockDevice { .. }
        | EntryKind::CharacterDevice { .. } => ("special", 0),
    };
    let modified = entry.attributes.modified;
    let name = entry.path.file_name().map(PathBuf::from).unwrap_or_default();
    BrowsedEntry {
        name: path_text(&name),
        kind: kind.to_owned(),
        size: Bytes(size),
        modified: DateTime::from_timestamp(modified.seconds, modified.nanoseconds),
    }
}
