//! Who a call comes from, and until when.

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, RoleArn},
    policy::{Policy, ServiceRole, TrustedPrincipal},
};

use super::RoleId;

/// What a call is made with: credentials, as far as the world is concerned.
///
/// It is neither `Debug` nor `Serialize`, so that it reaches no log and no store. A session of a
/// role comes only from [`super::assume`].
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub(super) principal: Principal,
    pub(super) expires: Option<DateTime<Utc>>,
    pub(super) policy: Option<Policy>,
    pub(super) serves: Option<AccountId>,
}

/// Who a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An account's root user: has every permission in its own account and assumes no role.
    Root(AccountId),
    /// A service that acts for an account; it does nothing but assume roles.
    Service {
        /// Such as `rd.hbr.aliyuncs.com`.
        name: String,
        /// The account that it acts for.
        acts_for: AccountId,
    },
    /// Whoever assumed a role.
    Role {
        /// The role.
        role: RoleArn,
        /// The role's id when it was assumed.
        id: RoleId,
        /// The session's name.
        name: String,
    },
}

impl Session {
    /// The root user of an account.
    #[must_use]
    pub fn root(account: AccountId) -> Self {
        Self::of(Principal::Root(account))
    }

    /// A service that acts for an account.
    #[must_use]
    pub fn service(name: &str, account: AccountId) -> Self {
        Self::of(Principal::Service { name: name.to_owned(), acts_for: account })
    }

    /// The service of a service-linked role, about to enter that role in the account.
    #[must_use]
    pub fn service_of(role: ServiceRole, account: AccountId) -> Self {
        Self::service(role.service_principal(), account)
    }

    /// The same session, working for a backup management account that reaches others through the
    /// directory: then the directory must allow it at every call, as the service itself sees to.
    ///
    /// Source: Cloud Backup, "Cross-account backup"; domain facts, section 5, "How the directory
    /// way reaches the resource account".
    #[must_use]
    pub fn serving(self, management: AccountId) -> Self {
        Self { serves: Some(management), ..self }
    }

    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The account in which it acts.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match &self.principal {
            Principal::Root(account) | Principal::Service { acts_for: account, .. } => account,
            Principal::Role { role, .. } => &role.account,
        }
    }

    /// When it ends; none for those who hold no token.
    #[must_use]
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.expires
    }

    /// The policy that it is cut down to, if it is.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The account that it works for, where that one needs the directory's leave.
    #[must_use]
    pub fn serves(&self) -> Option<&AccountId> {
        self.serves.as_ref()
    }

    /// Who it is to a trust policy; a root user is nobody there.
    pub(super) fn trusted_as(&self) -> Option<TrustedPrincipal> {
        match &self.principal {
            Principal::Root(_) => None,
            Principal::Service { name, acts_for } => {
                Some(TrustedPrincipal::Service { name: name.clone(), acts_for: acts_for.clone() })
            }
            Principal::Role { role, .. } => Some(TrustedPrincipal::Role(role.clone())),
        }
    }

    fn of(principal: Principal) -> Self {
        Self { principal, expires: None, policy: None, serves: None }
    }
}
