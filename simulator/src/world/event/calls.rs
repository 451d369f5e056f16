//! Which operations of the cloud a deed is, with their parameters.

use crossvault_core::{
    directory::TRUSTED_SERVICE,
    ids::{AccountId, DataSource, RoleName, SourceKind},
    policy::system_policy,
};
use serde_json::{Value, json};

use super::super::{Change, Command, Deed, Entity, Joined, World};

/// Where services without regions report from.
///
/// Source: assumed.
const GLOBAL: &str = "cn-hangzhou";

/// One call of an operation.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) service: Service,
    pub(super) region: String,
    /// The account whose resource is touched.
    pub(super) recipient: AccountId,
    pub(super) parameters: Value,
    pub(super) answer: Option<Value>,
    pub(super) caller: Caller,
}

/// Whose operation it is.
#[derive(Clone, Copy)]
pub(super) enum Service {
    Ram,
    Directory,
    Ecs,
    Nas,
    Oss,
    Tablestore,
}

/// Who called.
pub(super) enum Caller {
    /// An account's root user.
    Root(AccountId),
    /// The directory, through its own service-linked role in a member.
    Directory(AccountId),
}

impl Service {
    /// As events name it; the spelling differs from service to service.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ram => "Ram",
            Self::Directory => "ResourceDirectoryMaster",
            Self::Ecs => "Ecs",
            Self::Nas => "Nas",
            Self::Oss => "Oss",
            Self::Tablestore => "Ots",
        }
    }

    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::Ram => "ram.aliyuncs.com",
            Self::Directory => "resourcedirectory.aliyuncs.com",
            Self::Ecs => "ecs.aliyuncs.com",
            Self::Nas => "nas.aliyuncs.com",
            Self::Oss => "oss.aliyuncs.com",
            Self::Tablestore => "ots.aliyuncs.com",
        }
    }

    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Ram => "2015-05-01",
            Self::Directory => "2022-04-19",
            Self::Ecs => "2014-05-26",
            Self::Nas => "2017-06-26",
            Self::Oss => "2019-05-17",
            Self::Tablestore => "2020-12-09",
        }
    }
}

impl Caller {
    pub(super) fn identity(&self) -> Value {
        match self {
            Self::Root(account) => json!({
                "type": "root-account", "accountId": account, "principalId": account,
                "userName": "root",
            }),
            Self::Directory(account) => json!({
                "type": "assumed-role", "accountId": account, "principalId": account,
                "userName": "aliyunserviceroleforresourcedirectory:resourcedirectory",
            }),
        }
    }
}

/// The operations that a deed is.
pub(super) fn calls(before: &World, command: &Command, changes: &[Change]) -> Vec<Call> {
    let Command { by, deed } = command;
    let ram = |operation, parameters| Call::of(Service::Ram, operation, by, parameters);
    let directory = |operation, parameters| Call::of(Service::Directory, operation, by, parameters);
    let call = match deed {
        // An account is opened at the counter, and data comes into a source unseen.
        Deed::CreateAccount { .. } | Deed::RenameAccount { .. } | Deed::PutSource { .. } => {
            return Vec::new();
        }
        Deed::CreateDirectory => directory("EnableResourceDirectory", json!({})),
        Deed::AddMember { account, joined } => return added(before, by, account, *joined),
        Deed::RemoveMember { account } => {
            directory("RemoveCloudAccount", json!({ "AccountId": account }))
        }
        Deed::CreateFolder { parent, name } => {
            let parameters = json!({ "ParentFolderId": parent, "FolderName": name });
            directory("CreateFolder", parameters).answered(changes)
        }
        Deed::DeleteFolder { folder } => directory("DeleteFolder", json!({ "FolderId": folder })),
        Deed::MoveMember { account, folder } => {
            directory("MoveAccount", json!({ "AccountId": account, "DestinationFolderId": folder }))
        }
        Deed::RegisterAdministrator { account } => {
            directory("RegisterDelegatedAdministrator", office(account))
        }
        Deed::DeregisterAdministrator { account } => {
            directory("DeregisterDelegatedAdministrator", office(account))
        }
        Deed::EnableControlPolicy => directory("EnableControlPolicy", json!({})),
        Deed::DisableControlPolicy => directory("DisableControlPolicy", json!({})),
        Deed::PutControlPolicy { name, document } => {
            return vec![put_control(before, by, name, document, changes)];
        }
        Deed::DeleteControlPolicy { policy } => {
            directory("DeleteControlPolicy", json!({ "PolicyId": policy }))
        }
        Deed::AttachControlPolicy { policy, target } => {
            directory("AttachControlPolicy", json!({ "PolicyId": policy, "TargetId": target }))
        }
        Deed::DetachControlPolicy { policy, target } => {
            directory("DetachControlPolicy", json!({ "PolicyId": policy, "TargetId": target }))
        }
        Deed::CreateRole { name, trust, max_session_s } => ram(
            "CreateRole",
            json!({
                "RoleName": name, "AssumeRolePolicyDocument": trust,
                "MaxSessionDuration": max_session_s,
            }),
        ),
        Deed::DeleteRole { name } => ram("DeleteRole", json!({ "RoleName": name })),
        Deed::UpdateTrust { name, trust } => {
            ram("UpdateRole", json!({ "RoleName": name, "NewAssumeRolePolicyDocument": trust }))
        }
        Deed::AttachPolicy { role, policy } => ram("AttachPolicyToRole", attachment(role, policy)),
        Deed::DetachPolicy { role, policy } => {
            ram("DetachPolicyFromRole", attachment(role, policy))
        }
        Deed::PutPolicy { name, document } if before.custom_policy(by, name).is_none() => {
            ram("CreatePolicy", json!({ "PolicyName": name, "PolicyDocument": document }))
        }
        Deed::PutPolicy { name, document } => ram(
            "CreatePolicyVersion",
            json!({
                "PolicyName": name, "PolicyDocument": document, "SetAsDefault": true,
                "RotateStrategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded",
            }),
        )
        .answered(changes),
        Deed::PutPolicyVersion { name, document, set_as_default } => ram(
            "CreatePolicyVersion",
            json!({
                "PolicyName": name, "PolicyDocument": document, "SetAsDefault": set_as_default,
            }),
        )
        .answered(changes),
        Deed::SetDefaultPolicyVersion { name, version } => {
            ram("SetDefaultPolicyVersion", json!({ "PolicyName": name, "VersionId": version }))
        }
        Deed::DeletePolicyVersion { name, version } => {
            ram("DeletePolicyVersion", json!({ "PolicyName": name, "VersionId": version }))
        }
        Deed::DeletePolicy { name } => ram("DeletePolicy", json!({ "PolicyName": name })),
        Deed::CreateServiceRole { account, role } => {
            let parameters = json!({ "ServiceName": role.service_principal() });
            let call = Call::of(Service::Ram, "CreateServiceLinkedRole", account, parameters);
            let caller = if by == account { Caller::Root } else { Caller::Directory };
            Call { caller: caller(account.clone()), ..call }
        }
        Deed::DeleteServiceRole { role } => {
            ram("DeleteServiceLinkedRole", json!({ "RoleName": role.role_name() }))
        }
        Deed::RemoveSource { source } => removed(source),
    };
    vec![call]
}

impl Call {
    /// A call by an account's root user that touches the account's own resource. A parameter that
    /// is null was not given.
    fn of(
        service: Service,
        operation: &'static str,
        account: &AccountId,
        mut parameters: Value,
    ) -> Self {
        if let Some(given) = parameters.as_object_mut() {
            given.retain(|_, value| !value.is_null());
        }
        Self {
            operation,
            service,
            region: GLOBAL.to_owned(),
            recipient: account.clone(),
            parameters,
            answer: None,
            caller: Caller::Root(account.clone()),
        }
    }

    /// The same call with what it made, by id.
    fn answered(self, changes: &[Change]) -> Self {
        let answer = changes.iter().find_map(|change| {
            let Change::Put(entity) = change else { return None };
            made(entity)
        });
        Self { answer, ..self }
    }
}

/// What an operation answers that made or wrote this.
fn made(entity: &Entity) -> Option<Value> {
    match entity {
        Entity::Folder(folder) => {
            Some(json!({ "Folder": { "FolderId": folder.id, "FolderName": folder.name } }))
        }
        Entity::ControlPolicy(policy) => {
            Some(json!({ "ControlPolicy": { "PolicyId": policy.id, "PolicyName": policy.name } }))
        }
        Entity::Policy(policy) => Some(json!({
            "PolicyVersion": {
                "VersionId": policy.newest, "IsDefaultVersion": policy.newest == policy.default,
            },
        })),
        Entity::Account(_)
        | Entity::Directory(_)
        | Entity::Member(_)
        | Entity::Role(_)
        | Entity::Source(_) => None,
    }
}

/// An invitation is the management account's, its acceptance the invited account's.
fn added(before: &World, by: &AccountId, account: &AccountId, joined: Joined) -> Vec<Call> {
    match joined {
        Joined::Invited => {
            let handshake = json!({ "HandshakeId": format!("h-{by}-{account}") });
            let entity = json!({ "TargetEntity": account, "TargetType": "Account" });
            let invite = "InviteAccountToResourceDirectory";
            vec![
                Call::of(Service::Directory, invite, by, entity),
                Call::of(Service::Directory, "AcceptHandshake", account, handshake),
            ]
        }
        Joined::Created => {
            let name = before.account(account).map(|account| &account.name);
            let parameters = json!({ "DisplayName": name });
            let answer = json!({ "Account": { "AccountId": account, "DisplayName": name } });
            let call = Call::of(Service::Directory, "CreateResourceAccount", by, parameters);
            vec![Call { answer: Some(answer), ..call }]
        }
    }
}

fn put_control(
    before: &World,
    by: &AccountId,
    name: &str,
    document: &str,
    changes: &[Change],
) -> Call {
    let written = before
        .directory_of(by)
        .and_then(|directory| before.control_policies_of(directory).find(|p| p.name == name));
    let (operation, parameters) = match written {
        Some(policy) => {
            ("UpdateControlPolicy", json!({ "PolicyId": policy.id, "NewPolicyDocument": document }))
        }
        None => (
            "CreateControlPolicy",
            json!({ "PolicyName": name, "PolicyDocument": document, "EffectScope": "RAM" }),
        ),
    };
    Call::of(Service::Directory, operation, by, parameters).answered(changes)
}

fn office(account: &AccountId) -> Value {
    json!({ "AccountId": account, "ServicePrincipal": TRUSTED_SERVICE })
}

fn attachment(role: &RoleName, policy: &str) -> Value {
    let kind = if system_policy(policy).is_some() { "System" } else { "Custom" };
    json!({ "PolicyType": kind, "PolicyName": policy, "RoleName": role })
}

/// What lies on an instance goes with the instance.
fn removed(source: &DataSource) -> Call {
    let (service, operation, parameter) = match source.kind {
        SourceKind::EcsInstance
        | SourceKind::EcsFiles
        | SourceKind::EcsDatabase
        | SourceKind::SapHana => (Service::Ecs, "DeleteInstance", "InstanceId"),
        SourceKind::Nas => (Service::Nas, "DeleteFileSystem", "FileSystemId"),
        SourceKind::Oss => (Service::Oss, "DeleteBucket", "bucketName"),
        SourceKind::Tablestore => (Service::Tablestore, "DeleteInstance", "InstanceName"),
    };
    let call = Call::of(service, operation, &source.account, json!({ parameter: source.id }));
    Call { region: source.region.to_string(), ..call }
}
