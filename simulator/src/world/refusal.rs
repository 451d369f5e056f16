//! Why the world says no, in our codes and in the cloud's.

mod barrier;
mod explain;

use std::fmt;

use crossvault_core::{
    authorization::DeniedBy,
    directory::DELEGATED_ADMINISTRATORS_MAX,
    ids::{AccountId, DataSource, RoleArn},
    policy::InvalidPolicy,
};

pub use self::barrier::Barrier;
use super::{Principal, Session, VersionId};

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
    /// There is no such folder.
    #[error("folder `{0}` does not exist in the directory")]
    FolderUnknown(String),
    /// The parent has a folder of that name.
    #[error("there is a folder `{0}` there already")]
    FolderExists(String),
    /// Folders lie in the folder.
    #[error("there are folders in folder `{0}`")]
    FolderHasFolders(String),
    /// Members lie in the folder.
    #[error("there are members in folder `{0}`")]
    FolderHasMembers(String),
    /// The directory may have no further folder.
    #[error("directory `{directory}` has {limit} folders already")]
    FoldersFull {
        /// The directory.
        directory: String,
        /// The limit.
        limit: usize,
    },
    /// The folder would lie too deep below Root.
    #[error("a folder lies at most {limit} levels below Root")]
    FolderTooDeep {
        /// The limit.
        limit: usize,
    },
    /// The directory has no such node.
    #[error("the directory has no folder and no member `{0}`")]
    NodeUnknown(String),
    /// Control policies are not evaluated, so none is attached.
    #[error("control policies are not enabled in directory `{directory}`")]
    ControlDisabled {
        /// The directory.
        directory: String,
    },
    /// There is no such control policy.
    #[error("control policy `{0}` does not exist")]
    ControlPolicyUnknown(String),
    /// The directory may have no further control policy.
    #[error("directory `{directory}` has {limit} control policies already")]
    ControlPoliciesFull {
        /// The directory.
        directory: String,
        /// The limit.
        limit: usize,
    },
    /// The control policy is attached.
    #[error("control policy `{policy}` is attached to `{node}`")]
    ControlPolicyAttached {
        /// The policy.
        policy: String,
        /// The node.
        node: String,
    },
    /// The control policy is attached to the node that it was to be attached to.
    #[error("control policy `{policy}` is attached to `{node}` already")]
    ControlPolicyAttachedAlready {
        /// The policy.
        policy: String,
        /// The node.
        node: String,
    },
    /// The control policy is not attached.
    #[error("control policy `{policy}` is not attached to `{node}`")]
    ControlPolicyNotAttached {
        /// The policy.
        policy: String,
        /// The node.
        node: String,
    },
    /// The node has no other control policy.
    #[error("`{policy}` is the last control policy of `{node}`, which must have one")]
    ControlPolicyLast {
        /// The policy.
        policy: String,
        /// The node.
        node: String,
    },
    /// No further control policy can be attached.
    #[error("`{node}` has {limit} custom control policies attached already")]
    ControlAttachedFull {
        /// The node.
        node: String,
        /// The limit.
        limit: usize,
    },
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
    /// The policy has no such version.
    #[error("policy `{policy}` has no version `{version}`")]
    PolicyVersionUnknown {
        /// The policy.
        policy: String,
        /// The version.
        version: VersionId,
    },
    /// The version is the one that counts.
    #[error("`{version}` is the default version of policy `{policy}` and cannot be deleted")]
    PolicyVersionDefault {
        /// The policy.
        policy: String,
        /// The version.
        version: VersionId,
    },
    /// The policy may have no further version.
    #[error("policy `{policy}` has {limit} versions already")]
    PolicyVersionsFull {
        /// The policy.
        policy: String,
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
        if let Self::Denied { barrier, .. } = self { barrier.policies() } else { None }
    }
}
