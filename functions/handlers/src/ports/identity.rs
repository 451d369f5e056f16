use std::future::Future;

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::RoleView,
    ids::{AccountId, RoleArn},
    policy::ServiceRole,
};

use super::PortError;

/// What a call to an account's resources is made with. It lives only in the memory of one step.
///
/// Neither `Debug` nor `Serialize` is asked for: it cannot reach a log or the store.
pub trait Credentials: Clone + Send + Sync {
    /// When they end.
    fn expires(&self) -> DateTime<Utc>;
}

/// Who Crossvault is, and whom it may become.
pub trait Identity: Sync {
    /// The platform's credentials.
    type Credentials: Credentials;

    /// The backup management account.
    fn management(&self) -> AccountId;

    /// The backup management account's own credentials.
    ///
    /// # Errors
    /// A passing failure.
    fn own(&self) -> impl Future<Output = Result<Self::Credentials, PortError>> + Send;

    /// Assumes a role.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when there is no such role, [`PortError::Denied`] when the caller
    /// or the role's trust policy does not let it.
    fn assume(
        &self,
        by: &Self::Credentials,
        assume: Assume,
    ) -> impl Future<Output = Result<Self::Credentials, PortError>> + Send;

    /// Reads a role with its trust and permission policies. The answer may be seconds old.
    ///
    /// # Errors
    /// [`PortError::NotFound`], or [`PortError::Denied`] when the caller may not read it.
    fn role(
        &self,
        by: &Self::Credentials,
        role: RoleArn,
    ) -> impl Future<Output = Result<RoleView, PortError>> + Send;

    /// The service-linked role of an account on this platform; none where the platform has none
    /// of this kind.
    fn service_role(&self, account: &AccountId, role: ServiceRole) -> Option<RoleArn>;

    /// Creates a service-linked role unless it is there already.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the caller may not create it.
    fn ensure_service_role(
        &self,
        by: &Self::Credentials,
        account: AccountId,
        role: ServiceRole,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// A wish to assume a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assume {
    /// The role.
    pub role: RoleArn,
    /// The session's name: the job or request that it serves.
    pub session: String,
    /// The policy, as JSON text, that the session is cut down to; none leaves it all that the role
    /// has.
    pub policy: Option<String>,
}
