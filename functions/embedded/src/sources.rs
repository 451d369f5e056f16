//! The sources of the local world: folders that belong to an account and a region.

use crossvault_core::{
    authorization::SourceView,
    ids::{AccountId, DataSource, Region, SourceKind},
};
use crossvault_handlers::ports::{Clock, Page, PortError, Sources};
use crossvault_simulator::{refusal::port_error, world};

use crate::{identity::LocalCredentials, platform::Embedded};

impl Sources for Embedded {
    fn kinds(&self) -> &[SourceKind] {
        &[SourceKind::EcsFiles, SourceKind::Nas]
    }

    async fn list(
        &self,
        by: &LocalCredentials,
        account: AccountId,
        region: Region,
        kind: SourceKind,
        page: Page,
    ) -> Result<Vec<DataSource>, PortError> {
        let (session, now) = (by.session(), self.now());
        let sources = self
            .world()
            .read(|world| world::sources(world, &session, &account, &region, kind, now))
            .map_err(|refusal| port_error(&refusal))?;
        let is_after = |source: &DataSource| {
            page.after.as_ref().is_none_or(|after| source.id.as_str() > after.as_str())
        };
        Ok(sources.into_iter().filter(is_after).take(page.limit).collect())
    }

    /// A source whose folder is gone is gone, like an instance that was released.
    async fn describe(
        &self,
        by: &LocalCredentials,
        source: DataSource,
    ) -> Result<SourceView, PortError> {
        let (session, now) = (by.session(), self.now());
        let view = self
            .world()
            .read(|world| world::source(world, &session, &source, now))
            .map_err(|refusal| port_error(&refusal))?;
        let has_folder = self.world().location(&source).is_some_and(|folder| folder.is_dir());
        Ok(if has_folder { view } else { SourceView::Absent })
    }

    /// Folders are read and written by this process itself.
    async fn clients(
        &self,
        _by: &LocalCredentials,
        _account: AccountId,
        _region: Region,
    ) -> Result<Option<Vec<DataSource>>, PortError> {
        Ok(None)
    }
}
