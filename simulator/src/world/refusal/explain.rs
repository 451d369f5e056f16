//! The codes of refusals, the cloud's and ours, and what to do.

use crossvault_core::explain::Explain;

use super::Refusal;

impl Refusal {
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
            Self::FolderUnknown(_) => "EntityNotExists.Folder",
            Self::FolderExists(_) => "InvalidParameter.Folder.Name.AlreadyUsed",
            Self::FolderHasFolders(_) => "DeleteConflict.Folder.SubFolder",
            Self::FolderHasMembers(_) => "DeleteConflict.Folder.Account",
            Self::FoldersFull { .. } => "QuotaExceeded.Folder.Count",
            Self::FolderTooDeep { .. } => "LimitExceeded.Folder.Depth",
            Self::NodeUnknown(_) => "EntityNotExists.Target",
            Self::ControlDisabled { .. } => "NotSupport.ControlPolicyNotEnabled",
            Self::ControlPolicyUnknown(_) => "EntityNotExists.ControlPolicy",
            Self::ControlPoliciesFull { .. } => "LimitExceeded.ControlPolicy",
            Self::ControlPolicyAttached { .. } => "DeleteConflict.ControlPolicy.Attachment",
            Self::ControlPolicyAttachedAlready { .. } => {
                "EntityAlreadyExists.ControlPolicyAttachment"
            }
            Self::ControlPolicyNotAttached { .. } => "EntityNotExists.ControlPolicyAttachment",
            Self::ControlPolicyLast { .. } => "NotSupport.DetachLastControlPolicy",
            Self::ControlAttachedFull { .. } => "LimitExceeded.ControlPolicyAttachment",
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
            Self::PolicyVersionUnknown { .. } => "EntityNotExist.Policy.Version",
            Self::PolicyVersionDefault { .. } => "DeleteConflict.Policy.Version.Default",
            Self::PolicyVersionsFull { .. } => "LimitExceeded.Policy.Version",
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
            Self::FolderUnknown(_) => "WORLD_FOLDER_UNKNOWN",
            Self::FolderExists(_) => "WORLD_FOLDER_EXISTS",
            Self::FolderHasFolders(_) => "WORLD_FOLDER_HAS_FOLDERS",
            Self::FolderHasMembers(_) => "WORLD_FOLDER_HAS_MEMBERS",
            Self::FoldersFull { .. } => "WORLD_FOLDERS_FULL",
            Self::FolderTooDeep { .. } => "WORLD_FOLDER_TOO_DEEP",
            Self::NodeUnknown(_) => "WORLD_NODE_UNKNOWN",
            Self::ControlDisabled { .. } => "WORLD_CONTROL_DISABLED",
            Self::ControlPolicyUnknown(_) => "WORLD_CONTROL_POLICY_UNKNOWN",
            Self::ControlPoliciesFull { .. } => "WORLD_CONTROL_POLICIES_FULL",
            Self::ControlPolicyAttached { .. } => "WORLD_CONTROL_POLICY_ATTACHED",
            Self::ControlPolicyAttachedAlready { .. } => "WORLD_CONTROL_ATTACHED_ALREADY",
            Self::ControlPolicyNotAttached { .. } => "WORLD_CONTROL_POLICY_NOT_ATTACHED",
            Self::ControlPolicyLast { .. } => "WORLD_CONTROL_POLICY_LAST",
            Self::ControlAttachedFull { .. } => "WORLD_CONTROL_ATTACHED_FULL",
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
            Self::PolicyVersionUnknown { .. } => "WORLD_POLICY_VERSION_UNKNOWN",
            Self::PolicyVersionDefault { .. } => "WORLD_POLICY_VERSION_DEFAULT",
            Self::PolicyVersionsFull { .. } => "WORLD_POLICY_VERSIONS_FULL",
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
            | Self::PolicyAttachedAlready { .. }
            | Self::ControlPolicyAttachedAlready { .. } => "Nothing is to be done.".into(),
            Self::AdministratorsFull => "Deregister another one first.".into(),
            Self::FolderUnknown(_) => "Name a folder by its id, or Root by `r-…`.".into(),
            Self::FolderExists(_) => "Choose another name, or another parent.".into(),
            Self::FolderHasFolders(_) => "Delete those first.".into(),
            Self::FolderHasMembers(_) => "Move them to another folder first.".into(),
            Self::FoldersFull { .. } => "Delete a folder in which nothing lies.".into(),
            Self::FolderTooDeep { .. } => "Choose a parent nearer to Root.".into(),
            Self::NodeUnknown(_) => "Name Root, a folder or a member by its id.".into(),
            Self::ControlDisabled { .. } => "Enable control policies first.".into(),
            Self::ControlPolicyUnknown(_) => "Write the policy first, or correct its id.".into(),
            Self::ControlPoliciesFull { .. } => "Delete one that is no longer used.".into(),
            Self::ControlPolicyAttached { policy, node } => {
                format!("Detach `{policy}` from `{node}` first.")
            }
            Self::ControlPolicyNotAttached { policy, node } => {
                format!("Attach `{policy}` to `{node}`, if that is meant.")
            }
            Self::ControlPolicyLast { node, .. } => {
                format!("Attach another to `{node}` first, such as `FullAliyunAccess`.")
            }
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
            Self::AttachedFull { .. } | Self::ControlAttachedFull { .. } => {
                "Join several policies into one.".into()
            }
            Self::PoliciesFull { .. } => "Delete a policy that is no longer used.".into(),
            Self::PolicyVersionUnknown { .. } => "Name a version that the policy has.".into(),
            Self::PolicyVersionDefault { .. } => "Let another version count first.".into(),
            Self::PolicyVersionsFull { .. } => "Delete a version that is no longer used.".into(),
            Self::PolicyInvalid(error) | Self::SessionPolicyInvalid(error) => error.remedy(),
            Self::DurationInvalid { limit, .. } => format!("Ask for 900 to {limit} seconds."),
            Self::SourceUnknown(_) => "Create it first, or correct its name.".into(),
            Self::NotOwner { owner, .. } => format!("Do it by account `{owner}`."),
            Self::RootAssumes(_) => "Assume the role by a service or by another role.".into(),
            Self::Expired(_) => "Assume the role again.".into(),
            Self::RoleOfSessionDeleted(role) => {
                format!("Create `{role}` again, then assume it anew.")
            }
            Self::Denied { action, resource, barrier, .. } => barrier.remedy(action, resource),
        }
    }
}
