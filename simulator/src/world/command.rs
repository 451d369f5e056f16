//! What people do to the world.

use crossvault_core::{
    ids::{AccountId, DataSource, RoleArn, RoleName},
    policy::ServiceRole,
};
use serde::{Deserialize, Serialize};

use super::{Joined, VersionId};

/// A deed and who does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The account whose administrator does it.
    pub by: AccountId,
    /// What is done.
    pub deed: Deed,
}

/// What an administrator does, in the administrator's own account where no other is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Opens the account.
    CreateAccount {
        /// Its display name.
        name: String,
    },
    /// Gives the account another display name.
    RenameAccount {
        /// The new display name.
        name: String,
    },
    /// Makes a resource directory, with the account as its management account.
    CreateDirectory,
    /// Takes an account into the directory.
    AddMember {
        /// The account, in no directory so far.
        account: AccountId,
        /// How it joins.
        joined: Joined,
    },
    /// Removes a member from the directory. Its roles stay, service-linked ones too.
    RemoveMember {
        /// The member.
        account: AccountId,
    },
    /// Makes a folder in the directory.
    CreateFolder {
        /// The folder that it lies in; none for Root.
        parent: Option<String>,
        /// Its name: 1 to 24 letters, digits, `_`, `.`, `-`.
        name: String,
    },
    /// Deletes a folder in which nothing lies.
    DeleteFolder {
        /// The folder's id.
        folder: String,
    },
    /// Moves a member into a folder. It stays a member.
    MoveMember {
        /// The member.
        account: AccountId,
        /// The id of the folder, or of Root.
        folder: String,
    },
    /// Has control policies evaluated: `FullAliyunAccess` is attached to every node.
    EnableControlPolicy,
    /// Ends that: all control policies are detached, none is deleted.
    DisableControlPolicy,
    /// Writes a control policy, or writes one anew.
    PutControlPolicy {
        /// Its name.
        name: String,
        /// What it says, as JSON text.
        document: String,
    },
    /// Deletes a control policy that is attached to no node.
    DeleteControlPolicy {
        /// The policy's id.
        policy: String,
    },
    /// Attaches a control policy to a node. It counts at once.
    AttachControlPolicy {
        /// The policy's id.
        policy: String,
        /// The id of Root, a folder or a member.
        target: String,
    },
    /// Detaches a control policy from a node, which must keep another.
    DetachControlPolicy {
        /// The policy's id.
        policy: String,
        /// The id of Root, a folder or a member.
        target: String,
    },
    /// Makes a member a delegated administrator of Cloud Backup.
    RegisterAdministrator {
        /// The member.
        account: AccountId,
    },
    /// Ends that.
    DeregisterAdministrator {
        /// The member.
        account: AccountId,
    },
    /// Makes a RAM role.
    CreateRole {
        /// Its name.
        name: RoleName,
        /// Its trust policy, as JSON text.
        trust: String,
        /// The longest session in seconds, 3,600 to 43,200; none is 3,600.
        max_session_s: Option<u32>,
    },
    /// Deletes a RAM role to which no policy is attached. Its sessions end at once.
    DeleteRole {
        /// The role.
        name: RoleName,
    },
    /// Replaces a role's trust policy. Sessions that live go on.
    UpdateTrust {
        /// The role.
        name: RoleName,
        /// The new trust policy, as JSON text.
        trust: String,
    },
    /// Attaches a policy to a role.
    AttachPolicy {
        /// The role.
        role: RoleName,
        /// The name of a system policy or of a custom one of the account.
        policy: String,
    },
    /// Detaches a policy from a role.
    DetachPolicy {
        /// The role.
        role: RoleName,
        /// The policy's name.
        policy: String,
    },
    /// Writes a custom policy, or a new default version of one: in the place of the oldest other
    /// version, if there are as many as there may be.
    PutPolicy {
        /// Its name.
        name: String,
        /// What it says, as JSON text.
        document: String,
    },
    /// Writes a further version of a custom policy.
    PutPolicyVersion {
        /// Its name.
        name: String,
        /// What the version says, as JSON text.
        document: String,
        /// Whether it is the one that counts from now on.
        set_as_default: bool,
    },
    /// Lets another version of a custom policy count.
    SetDefaultPolicyVersion {
        /// Its name.
        name: String,
        /// The version.
        version: VersionId,
    },
    /// Deletes a version of a custom policy that is not the default one.
    DeletePolicyVersion {
        /// Its name.
        name: String,
        /// The version.
        version: VersionId,
    },
    /// Deletes a custom policy that is attached to no role, with all its versions.
    DeletePolicy {
        /// Its name.
        name: String,
    },
    /// Makes a service-linked role. The management account and delegated administrators of a
    /// directory may have `HbrRd` made in its members.
    CreateServiceRole {
        /// Where.
        account: AccountId,
        /// Which.
        role: ServiceRole,
    },
    /// Deletes a service-linked role of the account.
    DeleteServiceRole {
        /// Which.
        role: ServiceRole,
    },
    /// Puts a data source of the account, or changes it.
    PutSource {
        /// The source.
        source: DataSource,
        /// Its display name.
        name: String,
        /// Where its data lies.
        location: String,
        /// Whether it runs.
        running: bool,
    },
    /// Removes a data source of the account.
    RemoveSource {
        /// The source.
        source: DataSource,
    },
}

/// What a deed brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done; there is nothing to say.
    Done,
    /// A directory of that id was made.
    Directory(String),
    /// A folder of that id was made.
    Folder(String),
    /// A control policy of that id was made or written anew.
    ControlPolicy(String),
    /// That role was made.
    Role(RoleArn),
    /// That version of a policy was made.
    Version(VersionId),
}
