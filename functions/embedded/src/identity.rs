//! Identities of the local world: whose credentials are whose, and what they may.

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::RoleView,
    ids::{AccountId, RoleArn},
    policy::ServiceRole,
};
use crossvault_handlers::ports::{Assume, Clock, Credentials, Identity, PortError};
use crossvault_simulator::{
    refusal::port_error,
    world::{self, Command, Deed, Refusal, Session},
};

use crate::{platform::Embedded, world::ChangeError};

/// How long an assumed role's credentials live.
const SESSION_S: u32 = 3600;

/// Credentials in the local world.
#[derive(Clone)]
pub struct LocalCredentials(Who);

#[derive(Clone)]
enum Who {
    /// The backup management account, and the service that acts for it.
    Own(AccountId),
    /// Whoever assumed a role.
    Session(Session),
}

impl LocalCredentials {
    /// The session with which the world is called.
    pub(crate) fn session(&self) -> Session {
        match &self.0 {
            Who::Own(account) => Session::root(account.clone()),
            Who::Session(session) => session.clone(),
        }
    }
}

impl Credentials for LocalCredentials {
    fn expires(&self) -> DateTime<Utc> {
        self.session().expires().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Identity for Embedded {
    type Credentials = LocalCredentials;

    fn management(&self) -> AccountId {
        self.settings().management.clone()
    }

    async fn own(&self) -> Result<LocalCredentials, PortError> {
        Ok(LocalCredentials(Who::Own(self.management())))
    }

    async fn assume(
        &self,
        by: &LocalCredentials,
        assume: Assume,
    ) -> Result<LocalCredentials, PortError> {
        let session = match &by.0 {
            Who::Session(session) => session.clone(),
            Who::Own(account) => enter(account, &assume.role)?,
        };
        let wish = world::Assume {
            role: &assume.role,
            session_name: &assume.session,
            duration_s: SESSION_S,
            session_policy: assume.policy.as_deref(),
        };
        let now = self.now();
        let session = self
            .world()
            .read(|world| world::assume(world, &session, &wish, now))
            .map_err(|refusal| port_error(&refusal))?;
        Ok(LocalCredentials(Who::Session(session)))
    }

    async fn role(&self, by: &LocalCredentials, role: RoleArn) -> Result<RoleView, PortError> {
        let (session, now) = (by.session(), self.now());
        self.world()
            .read(|world| world::role(world, &session, &role, now))
            .map_err(|refusal| port_error(&refusal))
    }

    fn service_role(&self, account: &AccountId, role: ServiceRole) -> Option<RoleArn> {
        Some(role.arn(account))
    }

    async fn ensure_service_role(
        &self,
        by: &LocalCredentials,
        account: AccountId,
        role: ServiceRole,
    ) -> Result<(), PortError> {
        let by = by.session().account().clone();
        let command = Command { by, deed: Deed::CreateServiceRole { account, role } };
        match self.world().change(self.store(), self.now(), command).await {
            Ok(_) | Err(ChangeError::Refused(Refusal::RoleExists(_))) => Ok(()),
            Err(ChangeError::Refused(refusal)) => Err(port_error(&refusal)),
            Err(ChangeError::Port(error)) => Err(error),
        }
    }
}

/// The service through which the management account enters a service-linked role; into other
/// roles it has no way of its own.
fn enter(management: &AccountId, role: &RoleArn) -> Result<Session, PortError> {
    match ServiceRole::of(role) {
        Some(ServiceRole::HbrRd) => {
            let service = Session::service_of(ServiceRole::HbrRd, role.account.clone());
            Ok(service.serving(management.clone()))
        }
        Some(ServiceRole::HbrCrossAccountBackup) if role.account == *management => {
            Ok(Session::service_of(ServiceRole::HbrCrossAccountBackup, management.clone()))
        }
        Some(ServiceRole::HbrCrossAccountBackup) | None => Err(PortError::Denied {
            action: "sts:AssumeRole".to_owned(),
            resource: role.to_string(),
            by: None,
        }),
    }
}
