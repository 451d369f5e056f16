//! Why the world says no, in our codes and in the cloud's.

use std::fmt;

use crossvault_core::{
    authorization::DeniedBy,
    directory::DELEGATED_ADMINISTRATORS_MAX,
    explain::Explain,
    ids::{AccountId, DataSource, RoleArn},
    policy::InvalidPolicy,
};

use super::{Principal, Session};

/// Why a command or a call is refused, as a fact about the world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such account.
    #[error("account `{0}` does not exist")]
    AccountUnknown(AccountId),
    /// There is one already.
    #[error("account `{0}` exists already")]
    AccountExists(AccountId),
    /// A display name, a policy name or a session name is malformed.
    #[error("`{text}` is not {expected}")]
    NameInvalid {
        /// What was given.
        text: String,
        /// What would have been right.
        expected: &'static str,
        /// The cloud's name of the parameter.
        parameter: &'static str,
    },
    /// The account manages no directory, or is in none.
    #[error("account `{0}` manages no resource directory")]
    DirectoryUnknown(AccountId),
    /// The account is in a directory already.
    #[error("account `{account}` is in directory `{directory}` already")]
    InDirectory {
        /// The account.
        account: AccountId,
        /// The directory.
        directory: String,
    },
    /// The account is not a member of the directory.
    #[error("account `{account}` is not a member of directory `{directory}`")]
    NotMember {
        /// The account.
        account: AccountId,
        /// The directory.
        directory: String,
    },
    /// A delegated administrator cannot be removed.
    #[error("member `{0}` is a delegated administrator and cannot be removed")]
    MemberAdministers(AccountId),
    /// The member is a delegated administrator already.
    #[error("member `{0}` is a delegated administrator already")]
    AdministersAlready(AccountId),
    /// The member is no delegated administrator.
    #[error("member `{0}` is not a delegated administrator")]
    AdministersNot(AccountId),
    /// No more delegated administrators are possible.
    #[error("there are {DELEGATED_ADMINISTRATORS_MAX} delegated administrators already")]
    AdministratorsFull,
    /// There is no such role.
    #[error("role `{0}` does not exist")]
    RoleUnknown(RoleArn),
    /// There is one already; names are compared without case.
    #[error("role `{0}` exists already")]
    RoleExists(RoleArn),
    /// A role with policies cannot be deleted.
    #[error("role `{role}` has policies attached: {}", .policies.join(", "))]
    RoleHasPolicies {
        /// The role.
        role: RoleArn,
        /// What is attached.
        policies: Vec<String>,
    },
    /// The account may have no further role.
    #[error("account `{account}` has {limit} roles already")]
    RolesFull {
        /// The account.
        account: AccountId,
        /// The limit.
        limit: usize,
    },
    /// The role is service-linked, or named like one, and what was asked is not for such roles.
    #[error("role `{0}` is service-linked: only its service may assume it, and nobody may edit it")]
    RoleServiceLinked(RoleArn),
    /// The longest session of a role is out of bounds.
    #[error("a role's longest session is 3600 to 43200 seconds, not {0}")]
    MaxSessionInvalid(u32),
    /// A trust policy names a role that does not exist.
    #[error("the trust policy names role `{0}`, which does not exist")]
    TrustedRoleUnknown(RoleArn),
    /// There is no such policy.
    #[error("policy `{0}` does not exist")]
    PolicyUnknown(String),
    /// The name belongs to one of the cloud's policies.
    #[error("policy `{0}` is a system policy")]
    PolicyIsSystem(String),
    /// The policy is attached.
    #[error("policy `{policy}` is attached to role `{role}`")]
    PolicyAttached {
        /// The policy.
        policy: String,
        /// The role.
        role: RoleArn,
    },
    /// The policy is attached to the role that it was to be attached to.
    #[error("policy `{policy}` is attached to role `{role}` already")]
    PolicyAttachedAlready {
        /// The policy.
        policy: String,
        /// The role.
        role: RoleArn,
    },
    /// The policy is not attached.
    #[error("policy `{policy}` is not attached to role `{role}`")]
    PolicyNotAttached {
        /// The policy.
        policy: String,
        /// The role.
        role: RoleArn,
    },
    /// No further policy can be attached.
    #[error("role `{role}` has {limit} policies of that type attached already")]
    AttachedFull {
        /// The role.
        role: RoleArn,
        /// The limit.
        limit: usize,
    },
    /// The account may have no further custom policy.
    #[error("account `{account}` has {limit} custom policies already")]
    PoliciesFull {
        /// The account.
        account: AccountId,
        /// The limit.
        limit: usize,
    },
    /// A policy document breaks the language's rules.
    #[error("{0}")]
    PolicyInvalid(InvalidPolicy),
    /// A session policy breaks the language's rules.
    #[error("in the session policy, {0}")]
    SessionPolicyInvalid(InvalidPolicy),
    /// The session's length is out of bounds.
    #[error("the session may last 900 to {limit} seconds, not {asked}")]
    DurationInvalid {
        /// What was asked for, in seconds.
        asked: u32,
        /// The role's longest session, in seconds.
        limit: u32,
    },
    /// There is no such source.
    #[error("data source `{0}` does not exist")]
    SourceUnknown(DataSource),
    /// The thing belongs to another account.
    #[error("account `{by}` may not change what belongs to account `{owner}`")]
    NotOwner {
        /// Who asks.
        by: AccountId,
        /// Who may.
        owner: AccountId,
    },
    /// Root users assume no roles.
    #[error("the root user of account `{0}` may not assume roles")]
    RootAssumes(AccountId),
    /// The session is past its time.
    #[error("the session of {0} has expired")]
    Expired(Who),
    /// The session's role was deleted, or made anew since.
    #[error("role `{0}` was deleted, and its sessions with it")]
    RoleOfSessionDeleted(RoleArn),
    /// The call is not permitted.
    #[error("{who} may not `{action}` on `{resource}`: {barrier}")]
    Denied {
        /// Who asks.
        who: Who,
        /// For which action.
        action: String,
        /// On what.
        resource: String,
        /// What stands in the way.
        barrier: Barrier,
    },
}

/// What refuses a call, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barrier {
    /// The resource belongs to another account than the session.
    OtherAccount,
    /// A service calls as itself and not through a role.
    Service,
    /// The directory does not let the management account reach this account, or read.
    Directory,
    /// A statement of the session policy denies.
    SessionPolicyDenies,
    /// No statement of the session policy allows.
    SessionPolicySilent,
    /// A statement of a policy attached to the role denies.
    IdentityPolicyDenies,
    /// No statement of a policy attached to the role allows.
    IdentityPolicySilent,
    /// A statement of the trust policy denies.
    TrustPolicyDenies,
    /// No statement of the trust policy allows.
    TrustPolicySilent,
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherAccount => "it belongs to another account",
            Self::Service => "a service acts only through roles",
            Self::Directory => "the resource directory does not permit it",
            Self::SessionPolicyDenies => "the session policy denies it",
            Self::SessionPolicySilent => "the session policy does not allow it",
            Self::IdentityPolicyDenies => "an attached policy denies it",
            Self::IdentityPolicySilent => "no attached policy allows it",
            Self::TrustPolicyDenies => "the role's trust policy denies it",
            Self::TrustPolicySilent => "the role's trust policy does not allow it",
        })
    }
}

/// A caller, as a refusal names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who(String);

impl From<&Session> for Who {
    fn from(session: &Session) -> Self {
        Self(match session.principal() {
            Principal::Root(account) => format!("the root user of account `{account}`"),
            Principal::Service { name, acts_for } => {
                format!("service `{name}` for account `{acts_for}`")
            }
            Principal::Role { role, name, .. } => format!("`{role}/{name}`"),
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Refusal {
    /// Which policies refused the call, as the cloud's diagnosis of a denial would say.
    ///
    /// Source: RAM API, `DecodeDiagnosticMessage`.
    #[must_use]
    pub fn denied_by(&self) -> Option<DeniedBy> {
        let Self::Denied { barrier, .. } = self else { return None };
        match barrier {
            Barrier::OtherAccount | Barrier::Service | Barrier::Directory => None,
            Barrier::SessionPolicyDenies | Barrier::SessionPolicySilent => Some(DeniedBy::Session),
            Barrier::IdentityPolicyDenies | Barrier::IdentityPolicySilent => {
                Some(DeniedBy::Identity)
            }
            Barrier::TrustPolicyDenies | Barrier::TrustPolicySilent => Some(DeniedBy::Trust),
        }
    }

    /// The code that the cloud answers with. Where its documents name none, one in their manner.
    ///
    /// Source: RAM, STS and Resource Directory API, "Error codes".
    #[must_use]
    pub fn cloud_code(&self) -> &'static str {
        match self {
            Self::AccountUnknown(_) | Self::NotMember { .. } => "EntityNotExists.Account",
            Self::AccountExists(_) => "EntityAlreadyExists.Account",
            Self::NameInvalid { parameter, .. } => parameter,
            Self::DirectoryUnknown(_) => "EntityNotExists.ResourceDirectory",
            Self::InDirectory { .. } => "EntityAlreadyExists.ResourceDirectory",
            Self::MemberAdministers(_) => "DeleteConflict.Account.DelegatedAdministrator",
            Self::AdministersAlready(_) => "EntityAlreadyExists.DelegatedAdministrator",
            Self::AdministersNot(_) => "EntityNotExists.DelegatedAdministrator",
            Self::AdministratorsFull => "LimitExceeded.DelegatedAdministrators",
            Self::RoleUnknown(_) | Self::TrustedRoleUnknown(_) => "EntityNotExist.Role",
            Self::RoleExists(_) => "EntityAlreadyExists.Role",
            Self::RoleHasPolicies { .. } => "DeleteConflict.Role.Policy",
            Self::RolesFull { .. } => "LimitExceeded.Role",
            Self::MaxSessionInvalid(_) => "InvalidParameter.MaxSessionDuration",
            Self::PolicyUnknown(_) => "EntityNotExist.Policy",
            Self::PolicyIsSystem(_) => "EntityAlreadyExists.Policy",
            Self::PolicyAttached { .. } => "DeleteConflict.Policy.Role",
            Self::PolicyAttachedAlready { .. } => "EntityAlreadyExists.Role.Policy",
            Self::PolicyNotAttached { .. } => "EntityNotExist.Role.Policy",
            Self::AttachedFull { .. } => "LimitExceeded.Role.Policy",
            Self::PoliciesFull { .. } => "LimitExceeded.Policy",
            Self::PolicyInvalid(error) if error.code() == "POLICY_TOO_LONG" => {
                "InvalidParameter.PolicyDocument.Length"
            }
            Self::PolicyInvalid(_) => "MalformedPolicyDocument",
            Self::SessionPolicyInvalid(error) if error.code() == "POLICY_TOO_LONG" => {
                "InvalidParameter.PolicySize"
            }
            Self::SessionPolicyInvalid(_) => "InvalidParameter.PolicyGrammar",
            Self::DurationInvalid { .. } => "InvalidParameter.DurationSeconds",
            Self::SourceUnknown(_) => "InvalidResourceId.NotFound",
            Self::RoleServiceLinked(_)
            | Self::NotOwner { .. }
            | Self::RootAssumes(_)
            | Self::Denied { .. } => "NoPermission",
            Self::Expired(_) => "InvalidSecurityToken.Expired",
            Self::RoleOfSessionDeleted(_) => "InvalidAccessKeyId.NotFound",
        }
    }
}

impl Explain for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AccountUnknown(_) => "WORLD_ACCOUNT_UNKNOWN",
            Self::AccountExists(_) => "WORLD_ACCOUNT_EXISTS",
            Self::NameInvalid { .. } => "WORLD_NAME_INVALID",
            Self::DirectoryUnknown(_) => "WORLD_DIRECTORY_UNKNOWN",
            Self::InDirectory { .. } => "WORLD_IN_DIRECTORY",
            Self::NotMember { .. } => "WORLD_NOT_MEMBER",
            Self::MemberAdministers(_) => "WORLD_MEMBER_ADMINISTERS",
            Self::AdministersAlready(_) => "WORLD_ADMINISTERS_ALREADY",
            Self::AdministersNot(_) => "WORLD_ADMINISTERS_NOT",
            Self::AdministratorsFull => "WORLD_ADMINISTRATORS_FULL",
            Self::RoleUnknown(_) => "WORLD_ROLE_UNKNOWN",
            Self::RoleExists(_) => "WORLD_ROLE_EXISTS",
            Self::RoleHasPolicies { .. } => "WORLD_ROLE_HAS_POLICIES",
            Self::RolesFull { .. } => "WORLD_ROLES_FULL",
            Self::RoleServiceLinked(_) => "WORLD_ROLE_SERVICE_LINKED",
            Self::MaxSessionInvalid(_) => "WORLD_MAX_SESSION_INVALID",
            Self::TrustedRoleUnknown(_) => "WORLD_TRUSTED_ROLE_UNKNOWN",
            Self::PolicyUnknown(_) => "WORLD_POLICY_UNKNOWN",
            Self::PolicyIsSystem(_) => "WORLD_POLICY_IS_SYSTEM",
            Self::PolicyAttached { .. } => "WORLD_POLICY_ATTACHED",
            Self::PolicyAttachedAlready { .. } => "WORLD_POLICY_ATTACHED_ALREADY",
            Self::PolicyNotAttached { .. } => "WORLD_POLICY_NOT_ATTACHED",
            Self::AttachedFull { .. } => "WORLD_ATTACHED_FULL",
            Self::PoliciesFull { .. } => "WORLD_POLICIES_FULL",
            Self::PolicyInvalid(error) | Self::SessionPolicyInvalid(error) => error.code(),
            Self::DurationInvalid { .. } => "WORLD_DURATION_INVALID",
            Self::SourceUnknown(_) => "WORLD_SOURCE_UNKNOWN",
            Self::NotOwner { .. } => "WORLD_NOT_OWNER",
            Self::RootAssumes(_) => "WORLD_ROOT_ASSUMES",
            Self::Expired(_) => "WORLD_EXPIRED",
            Self::RoleOfSessionDeleted(_) => "WORLD_ROLE_OF_SESSION_DELETED",
            Self::Denied { .. } => "WORLD_DENIED",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::AccountUnknown(account) => format!("Create account `{account}` first."),
            Self::AccountExists(_) => "Choose another id, or go on with the one there is.".into(),
            Self::NameInvalid { expected, .. } => format!("Give {expected}."),
            Self::DirectoryUnknown(account) => {
                format!("Ask by the management account, or create a directory by `{account}`.")
            }
            Self::InDirectory { account, .. } => {
                format!("Remove `{account}` from its directory first.")
            }
            Self::NotMember { account, .. } => format!("Add `{account}` to the directory first."),
            Self::MemberAdministers(account) => {
                format!("Deregister `{account}` as delegated administrator first.")
            }
            Self::AdministersAlready(_)
            | Self::AdministersNot(_)
            | Self::PolicyAttachedAlready { .. } => "Nothing is to be done.".into(),
            Self::AdministratorsFull => "Deregister another one first.".into(),
            Self::RoleUnknown(role) => format!("Create `{role}` first, or correct its name."),
            Self::RoleExists(_) => "Choose another name, or change the role there is.".into(),
            Self::RoleHasPolicies { .. } => "Detach them first.".into(),
            Self::RolesFull { .. } => "Delete a role that is no longer used.".into(),
            Self::RoleServiceLinked(_) => {
                "Create and delete it as a service role; use a RAM role for all else.".into()
            }
            Self::MaxSessionInvalid(_) => "Give 3600 to 43200 seconds.".into(),
            Self::TrustedRoleUnknown(role) => {
                format!("Create `{role}` first; a service-linked one as a service role.")
            }
            Self::PolicyUnknown(_) => {
                "Name a system policy, such as `AliyunHBRRolePolicy`, or write the policy first."
                    .into()
            }
            Self::PolicyIsSystem(_) => {
                "Choose another name: system policies are the cloud's.".into()
            }
            Self::PolicyAttached { policy, role } => {
                format!("Detach `{policy}` from `{role}`, if that is meant.")
            }
            Self::PolicyNotAttached { policy, role } => {
                format!("Attach `{policy}` to `{role}`, if that is meant.")
            }
            Self::AttachedFull { .. } => "Join several policies into one.".into(),
            Self::PoliciesFull { .. } => "Delete a policy that is no longer used.".into(),
            Self::PolicyInvalid(error) | Self::SessionPolicyInvalid(error) => error.remedy(),
            Self::DurationInvalid { limit, .. } => format!("Ask for 900 to {limit} seconds."),
            Self::SourceUnknown(_) => "Create it first, or correct its name.".into(),
            Self::NotOwner { owner, .. } => format!("Do it by account `{owner}`."),
            Self::RootAssumes(_) => "Assume the role by a service or by another role.".into(),
            Self::Expired(_) => "Assume the role again.".into(),
            Self::RoleOfSessionDeleted(role) => {
                format!("Create `{role}` again, then assume it anew.")
            }
            Self::Denied { action, resource, barrier, .. } => match barrier {
                Barrier::OtherAccount => {
                    "Assume a role of the account that owns the resource.".into()
                }
                Barrier::Service => "Assume the service's role first.".into(),
                Barrier::Directory => {
                    "Make the account a member, and the asking account management account or \
                     delegated administrator."
                        .into()
                }
                Barrier::SessionPolicyDenies | Barrier::SessionPolicySilent => {
                    format!("Assume the role with a session policy that allows `{action}`.")
                }
                Barrier::IdentityPolicyDenies | Barrier::TrustPolicyDenies => {
                    format!("Remove the statement that denies `{action}`.")
                }
                Barrier::IdentityPolicySilent => {
                    format!("Attach a policy that allows `{action}` on `{resource}`.")
                }
                Barrier::TrustPolicySilent => {
                    format!("Name the caller in the trust policy of `{resource}`.")
                }
            },
        }
    }
}
