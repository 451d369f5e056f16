//! The tree of a directory: Root, folders, members, and the control policies attached to each.

use std::collections::BTreeSet;

use crossvault_core::{
    ids::AccountId,
    policy::{Policy, system_policy},
};

use super::{Directory, Entity, Folder, Member, World};

/// The name of the control policy that allows everything, of the cloud itself.
pub const FULL_ACCESS: &str = "FullAliyunAccess";

/// Its id.
///
/// Source: Resource Directory API, `ListControlPolicies`.
pub const FULL_ACCESS_ID: &str = "cp-FullAliyunAccess";

/// One node of a directory's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// The Root folder.
    Root(&'a Directory),
    /// A folder.
    Folder(&'a Folder),
    /// A member.
    Member(&'a Member),
}

impl<'a> Node<'a> {
    /// Its id: `r-…`, `fd-…` or an account id.
    #[must_use]
    pub fn id(self) -> &'a str {
        match self {
            Self::Root(directory) => &directory.root,
            Self::Folder(folder) => &folder.id,
            Self::Member(member) => member.account.as_str(),
        }
    }

    /// The ids of the control policies attached to it.
    #[must_use]
    pub fn attached(self) -> &'a BTreeSet<String> {
        match self {
            Self::Root(directory) => &directory.attached,
            Self::Folder(folder) => &folder.attached,
            Self::Member(member) => &member.attached,
        }
    }

    /// The same node with those policies attached in their place.
    pub(super) fn with_attached(self, attached: BTreeSet<String>) -> Entity {
        match self {
            Self::Root(directory) => Entity::Directory(Directory { attached, ..directory.clone() }),
            Self::Folder(folder) => Entity::Folder(Folder { attached, ..folder.clone() }),
            Self::Member(member) => Entity::Member(Member { attached, ..member.clone() }),
        }
    }
}

impl World {
    /// A node of a directory, by its id.
    #[must_use]
    pub fn node<'a>(&'a self, directory: &'a Directory, id: &str) -> Option<Node<'a>> {
        if id == directory.root {
            return Some(Node::Root(directory));
        }
        let member = || {
            let member = self.member(&id.parse().ok()?)?;
            (member.management == directory.management).then_some(Node::Member(member))
        };
        self.folder(directory, id).map(Node::Folder).or_else(member)
    }

    /// All nodes of a directory: Root, then folders and members in the order of their ids.
    pub fn nodes_of<'a>(&'a self, directory: &'a Directory) -> impl Iterator<Item = Node<'a>> {
        let folders = self.folders_of(directory).map(Node::Folder);
        let members = self.members_of(directory).map(Node::Member);
        [Node::Root(directory)].into_iter().chain(folders).chain(members)
    }

    /// The nodes on the way from Root down to a member; none for an account that is no member.
    #[must_use]
    pub fn way_to(&self, account: &AccountId) -> Vec<Node<'_>> {
        let way = || {
            let directory = self.directory_of(account)?;
            let ids = self.member(account)?.path.split('/').skip(1);
            Some(ids.filter_map(|id| self.node(directory, id)).collect())
        };
        way().unwrap_or_default()
    }

    /// The display name of a node.
    #[must_use]
    pub fn node_name<'a>(&'a self, node: Node<'a>) -> &'a str {
        match node {
            Node::Root(_) => "Root",
            Node::Folder(folder) => &folder.name,
            Node::Member(member) => {
                self.account(&member.account).map_or("", |account| account.name.as_str())
            }
        }
    }

    /// The name and the document of a control policy, the cloud's or the directory's own.
    #[must_use]
    pub fn control_policy(&self, directory: &Directory, id: &str) -> Option<(&str, &Policy)> {
        if id == FULL_ACCESS_ID {
            return Some((FULL_ACCESS, system_policy(FULL_ACCESS)?));
        }
        let policy = self.custom_control_policy(directory, id)?;
        Some((&policy.name, &policy.document))
    }

    /// The control policies attached to a node, by their names.
    pub(super) fn attached_to(
        &self,
        directory: &Directory,
        node: Node<'_>,
    ) -> Vec<(&str, &Policy)> {
        node.attached().iter().filter_map(|id| self.control_policy(directory, id)).collect()
    }
}
