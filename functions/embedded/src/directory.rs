//! The resource directory of the local world.

use crossvault_core::{
    directory::{Administrators, ControlLevel, Member, Membership},
    ids::AccountId,
};
use crossvault_handlers::ports::{Clock, Directory, Page, PortError};
use crossvault_simulator::{refusal::port_error, world};

use crate::{identity::LocalCredentials, platform::Embedded};

impl Directory for Embedded {
    async fn membership(
        &self,
        by: &LocalCredentials,
        account: AccountId,
    ) -> Result<Membership, PortError> {
        let (session, now) = (by.session(), self.now());
        self.world()
            .read(|world| world::membership(world, &session, &account, now))
            .map_err(|refusal| port_error(&refusal))
    }

    async fn members(
        &self,
        by: &LocalCredentials,
        search: String,
        page: Page,
    ) -> Result<Vec<Member>, PortError> {
        let (session, now) = (by.session(), self.now());
        let members = self
            .world()
            .read(|world| world::members(world, &session, &search, now))
            .map_err(|refusal| port_error(&refusal))?;
        let is_after = |member: &Member| {
            page.after.as_ref().is_none_or(|after| member.account.as_str() > after.as_str())
        };
        Ok(members.into_iter().filter(is_after).take(page.limit).collect())
    }

    async fn administrators(
        &self,
        by: &LocalCredentials,
    ) -> Result<Option<Administrators>, PortError> {
        let (session, now) = (by.session(), self.now());
        self.world()
            .read(|world| world::administrators(world, &session, now))
            .map_err(|refusal| port_error(&refusal))
    }

    async fn control_policies(
        &self,
        by: &LocalCredentials,
        account: AccountId,
    ) -> Result<Vec<ControlLevel>, PortError> {
        let (session, now) = (by.session(), self.now());
        self.world()
            .read(|world| world::control_policies(world, &session, &account, now))
            .map_err(|refusal| port_error(&refusal))
    }

    async fn control_targets(
        &self,
        by: &LocalCredentials,
        policy: String,
    ) -> Result<Vec<String>, PortError> {
        let (session, now) = (by.session(), self.now());
        self.world()
            .read(|world| world::control_targets(world, &session, &policy, now))
            .map_err(|refusal| port_error(&refusal))
    }
}
