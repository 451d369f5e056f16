//! The multi-account world's identities: accounts, directory, roles, policies, sources.
//!
//! Plain data and pure functions. [`decide`] says what a person's command changes, or why it is
//! refused; [`World::absorb`] makes a change so. Whoever keeps a world writes the changes as rows
//! first and absorbs them afterwards; a world made from its rows equals the world in memory.
//! [`assume`] and [`check`] are the cloud's gate: they look at the world as it is at that moment.
//!
//! Sessions are not part of the world: they are values in the hands of those who called.

mod change;
mod check;
mod command;
mod decide;
mod entity;
mod event;
mod refusal;
mod session;
mod sts;
mod tree;
mod views;

use std::{collections::BTreeMap, sync::Arc};

use crossvault_core::ids::{AccountId, DataSource, RoleArn};
use serde::{Deserialize, Serialize};

pub use change::{Change, EntityKey};
pub use check::check;
pub use command::{Answer, Command, Deed};
pub use decide::{MAX_SESSION_S, decide};
pub use entity::{
    Account, ControlPolicy, CustomPolicy, Directory, Entity, Folder, Joined, Member, Role, RoleId,
    Source, VersionId,
};
pub use event::{Event, events};
pub use refusal::{Barrier, Refusal};
pub use session::{Principal, Session};
pub use sts::{Assume, assume};
pub use tree::{FULL_ACCESS, FULL_ACCESS_ID, Node};
pub use views::{
    administrators, control_policies, control_targets, members, membership, role, source, sources,
};

/// All identities and sources of all accounts.
///
/// Two worlds are equal when they hold the same entities, however they came to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entity>", into = "Vec<Entity>")]
pub struct World {
    /// Shared by copies until one of them changes: a world is copied far more often.
    entities: Arc<Entities>,
    version: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entities {
    accounts: BTreeMap<AccountId, Account>,
    /// By management account: an account makes at most one.
    directories: BTreeMap<AccountId, Directory>,
    /// By management account and id.
    folders: BTreeMap<(AccountId, String), Folder>,
    /// By member account: an account is in at most one directory.
    members: BTreeMap<AccountId, Member>,
    /// By management account and id.
    control_policies: BTreeMap<(AccountId, String), ControlPolicy>,
    /// By account and name in lower case: names are unique regardless of case.
    roles: BTreeMap<(AccountId, String), Role>,
    policies: BTreeMap<(AccountId, String), CustomPolicy>,
    sources: BTreeMap<DataSource, Source>,
}

impl World {
    /// Makes a change so. It is not judged here: [`decide`] did that.
    pub fn absorb(&mut self, change: &Change) {
        self.version = self.version.saturating_add(1);
        match change {
            Change::Put(entity) => self.put(entity.clone()),
            Change::Remove(key) => self.remove(key),
        }
    }

    /// How many changes this value has absorbed: as long as it stays, every answer stays.
    ///
    /// It begins anew with each value and is not part of what makes worlds equal.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every entity, in the order of the keys within each type.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        let entities = &self.entities;
        let accounts = entities.accounts.values().cloned().map(Entity::Account);
        let directories = entities.directories.values().cloned().map(Entity::Directory);
        let folders = entities.folders.values().cloned().map(Entity::Folder);
        let members = entities.members.values().cloned().map(Entity::Member);
        let control = entities.control_policies.values().cloned().map(Entity::ControlPolicy);
        let roles = entities.roles.values().cloned().map(Entity::Role);
        let policies = entities.policies.values().cloned().map(Entity::Policy);
        let sources = entities.sources.values().cloned().map(Entity::Source);
        let of_directories = directories.chain(folders).chain(members).chain(control);
        accounts.chain(of_directories).chain(roles).chain(policies).chain(sources)
    }

    /// One entity, as it is now.
    #[must_use]
    pub fn entity(&self, key: &EntityKey) -> Option<Entity> {
        let entities = &self.entities;
        match key {
            EntityKey::Account(id) => entities.accounts.get(id).cloned().map(Entity::Account),
            EntityKey::Directory(management) => {
                entities.directories.get(management).cloned().map(Entity::Directory)
            }
            EntityKey::Folder(management, id) => {
                let key = (management.clone(), id.clone());
                entities.folders.get(&key).cloned().map(Entity::Folder)
            }
            EntityKey::Member(account) => {
                entities.members.get(account).cloned().map(Entity::Member)
            }
            EntityKey::ControlPolicy(management, id) => {
                let key = (management.clone(), id.clone());
                entities.control_policies.get(&key).cloned().map(Entity::ControlPolicy)
            }
            EntityKey::Role(account, name) => {
                let key = (account.clone(), name.clone());
                entities.roles.get(&key).cloned().map(Entity::Role)
            }
            EntityKey::Policy(account, name) => {
                let key = (account.clone(), name.clone());
                entities.policies.get(&key).cloned().map(Entity::Policy)
            }
            EntityKey::Source(source) => entities.sources.get(source).cloned().map(Entity::Source),
        }
    }

    /// The account of that id.
    #[must_use]
    pub fn account(&self, account: &AccountId) -> Option<&Account> {
        self.entities.accounts.get(account)
    }

    /// All accounts, in the order of their ids.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.entities.accounts.values()
    }

    /// All directories, in the order of their management accounts.
    pub fn directories(&self) -> impl Iterator<Item = &Directory> {
        self.entities.directories.values()
    }

    /// The directory that an account manages or is a member of.
    #[must_use]
    pub fn directory_of(&self, account: &AccountId) -> Option<&Directory> {
        let directories = &self.entities.directories;
        match self.entities.members.get(account) {
            Some(member) => directories.get(&member.management),
            None => directories.get(account),
        }
    }

    /// The membership of an account, if it is a member of any directory.
    #[must_use]
    pub fn member(&self, account: &AccountId) -> Option<&Member> {
        self.entities.members.get(account)
    }

    /// The members of a directory, in the order of their ids.
    pub fn members_of(&self, directory: &Directory) -> impl Iterator<Item = &Member> {
        let management = directory.management.clone();
        self.entities.members.values().filter(move |member| member.management == management)
    }

    /// A folder of a directory; Root is none.
    #[must_use]
    pub fn folder(&self, directory: &Directory, id: &str) -> Option<&Folder> {
        self.entities.folders.get(&(directory.management.clone(), id.to_owned()))
    }

    /// The folders of a directory below Root, in the order of their ids.
    pub fn folders_of(&self, directory: &Directory) -> impl Iterator<Item = &Folder> {
        let management = directory.management.clone();
        self.entities.folders.values().filter(move |folder| folder.management == management)
    }

    /// A control policy that a directory's management account wrote.
    #[must_use]
    pub fn custom_control_policy(&self, directory: &Directory, id: &str) -> Option<&ControlPolicy> {
        self.entities.control_policies.get(&(directory.management.clone(), id.to_owned()))
    }

    /// The control policies that a directory's management account wrote, in the order of their ids.
    pub fn control_policies_of(
        &self,
        directory: &Directory,
    ) -> impl Iterator<Item = &ControlPolicy> {
        let management = directory.management.clone();
        let policies = self.entities.control_policies.values();
        policies.filter(move |policy| policy.management == management)
    }

    /// The role that an ARN names; names are compared without case.
    #[must_use]
    pub fn find_role(&self, role: &RoleArn) -> Option<&Role> {
        self.entities.roles.get(&role_key(role))
    }

    /// The roles of an account, in the order of their names.
    pub fn roles_of(&self, account: &AccountId) -> impl Iterator<Item = &Role> {
        let account = account.clone();
        self.entities.roles.values().filter(move |role| role.arn.account == account)
    }

    /// A custom policy of an account.
    #[must_use]
    pub fn custom_policy(&self, account: &AccountId, name: &str) -> Option<&CustomPolicy> {
        self.entities.policies.get(&(account.clone(), name.to_owned()))
    }

    /// The custom policies of an account, in the order of their names.
    pub fn custom_policies_of(&self, account: &AccountId) -> impl Iterator<Item = &CustomPolicy> {
        let account = account.clone();
        self.entities.policies.values().filter(move |policy| policy.account == account)
    }

    /// A source and where its data lies; no authority is asked, see [`source()`].
    #[must_use]
    pub fn find_source(&self, source: &DataSource) -> Option<&Source> {
        self.entities.sources.get(source)
    }

    /// All sources, in the order of their names.
    pub fn all_sources(&self) -> impl Iterator<Item = &Source> {
        self.entities.sources.values()
    }

    fn put(&mut self, entity: Entity) {
        let entities = Arc::make_mut(&mut self.entities);
        match entity {
            Entity::Account(account) => {
                entities.accounts.insert(account.id.clone(), account);
            }
            Entity::Directory(directory) => {
                entities.directories.insert(directory.management.clone(), directory);
            }
            Entity::Folder(folder) => {
                let key = (folder.management.clone(), folder.id.clone());
                entities.folders.insert(key, folder);
            }
            Entity::Member(member) => {
                entities.members.insert(member.account.clone(), member);
            }
            Entity::ControlPolicy(policy) => {
                let key = (policy.management.clone(), policy.id.clone());
                entities.control_policies.insert(key, policy);
            }
            Entity::Role(role) => {
                entities.roles.insert(role_key(&role.arn), role);
            }
            Entity::Policy(policy) => {
                let key = (policy.account.clone(), policy.name.clone());
                entities.policies.insert(key, policy);
            }
            Entity::Source(source) => {
                entities.sources.insert(source.id.clone(), source);
            }
        }
    }

    fn remove(&mut self, key: &EntityKey) {
        let entities = Arc::make_mut(&mut self.entities);
        match key {
            EntityKey::Account(account) => {
                entities.accounts.remove(account);
            }
            EntityKey::Directory(management) => {
                entities.directories.remove(management);
            }
            EntityKey::Folder(management, id) => {
                entities.folders.remove(&(management.clone(), id.clone()));
            }
            EntityKey::Member(account) => {
                entities.members.remove(account);
            }
            EntityKey::ControlPolicy(management, id) => {
                entities.control_policies.remove(&(management.clone(), id.clone()));
            }
            EntityKey::Role(account, name) => {
                entities.roles.remove(&(account.clone(), name.clone()));
            }
            EntityKey::Policy(account, name) => {
                entities.policies.remove(&(account.clone(), name.clone()));
            }
            EntityKey::Source(source) => {
                entities.sources.remove(source);
            }
        }
    }
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.entities == other.entities
    }
}

impl Eq for World {}

impl FromIterator<Entity> for World {
    fn from_iter<I: IntoIterator<Item = Entity>>(entities: I) -> Self {
        let mut world = Self::default();
        for entity in entities {
            world.put(entity);
        }
        world
    }
}

impl From<Vec<Entity>> for World {
    fn from(entities: Vec<Entity>) -> Self {
        entities.into_iter().collect()
    }
}

impl From<World> for Vec<Entity> {
    fn from(world: World) -> Self {
        world.entities().collect()
    }
}

fn role_key(role: &RoleArn) -> (AccountId, String) {
    (role.account.clone(), role.name.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
