//! What people do to the world.

use crossvault_core::{
    ids::{AccountId, DataSource, RoleArn, RoleName},
    policy::ServiceRole,
};
use serde::{Deserialize, Serialize};

use super::Joined;

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
    /// Writes a custom policy, or a new default version of one.
    PutPolicy {
        /// Its name.
        name: String,
        /// What it says, as JSON text.
        document: String,
    },
    /// Deletes a custom policy that is attached to no role.
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
    /// That role was made.
    Role(RoleArn),
}
