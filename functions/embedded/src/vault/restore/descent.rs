//! The way through a snapshot's folders: parents before children, one folder in memory a level.

use std::{collections::BTreeSet, ffi::OsString, path::PathBuf, vec};

use rustic_core::{DataId, TreeId, repofile::Node};

use super::{
    super::{error::VaultError, node, tree::Trouble},
    Restore,
};
use crate::files::entry::{Entry, EntryKind};

/// A walk through a snapshot.
pub(super) struct Descent {
    levels: Vec<Level>,
    /// The names that lead to what is wanted; empty for all.
    only: Vec<OsString>,
    /// A folder that was named last and is entered next.
    next: Option<(PathBuf, TreeId)>,
}

struct Level {
    path: PathBuf,
    nodes: vec::IntoIter<Node>,
    names: BTreeSet<OsString>,
}

/// What a descent comes upon.
pub(super) enum Step {
    /// A folder on the way to what is wanted.
    Above(PathBuf),
    /// An entry, and of a file its content.
    Entry {
        /// What it is.
        entry: Entry,
        /// The blobs of a file, in their order.
        content: Vec<DataId>,
    },
    /// An entry that can't be restored.
    Failed {
        /// Which.
        path: PathBuf,
        /// Why.
        trouble: Trouble,
    },
}

impl Descent {
    pub(super) fn new<T>(
        restore: &Restore<'_, T>,
        root: TreeId,
        only: Vec<OsString>,
    ) -> Result<Self, VaultError> {
        let mut descent = Self { levels: vec![], only, next: None };
        descent.enter(restore, PathBuf::new(), root)?;
        Ok(descent)
    }

    /// Leaves out what the folder holds that was named last.
    pub(super) fn skip_folder(&mut self) {
        self.next = None;
    }

    pub(super) fn next<T>(&mut self, restore: &Restore<'_, T>) -> Option<Step> {
        if let Some((path, tree)) = self.next.take()
            && let Err(error) = self.enter(restore, path.clone(), tree)
        {
            let message = format!("the vault can't tell what the folder holds: {error}");
            let trouble = Trouble::Failed { code: "FILE_DAMAGED_IN_VAULT", message };
            return Some(Step::Failed { path, trouble });
        }
        loop {
            let depth = self.levels.len();
            let level = self.levels.last_mut()?;
            let Some(node) = level.nodes.next() else {
                self.levels.pop();
                continue;
            };
            let wanted = depth.checked_sub(1).and_then(|depth| self.only.get(depth));
            if wanted.is_some_and(|wanted| node.name() != wanted.as_os_str()) {
                continue;
            }
            let entry = match node::to_entry(&node, &level.path) {
                Ok(entry) => entry,
                Err(trouble) => {
                    // Shown below its folder, so that nobody takes it for a path.
                    let path = level.path.join(node.name.replace('/', "\\x2f"));
                    return Some(Step::Failed { path, trouble });
                }
            };
            if !entry.path.file_name().is_some_and(|name| level.names.insert(name.to_owned())) {
                let message = "the snapshot has this name twice in one folder".to_owned();
                let trouble = Trouble::Failed { code: "FILE_NAMED_TWICE", message };
                return Some(Step::Failed { path: entry.path, trouble });
            }
            let is_above = depth < self.only.len();
            if entry.kind == EntryKind::Directory {
                let Some(tree) = node.subtree else {
                    let message = "the vault does not say what the folder holds".to_owned();
                    let trouble = Trouble::Failed { code: "FILE_DAMAGED_IN_VAULT", message };
                    return Some(Step::Failed { path: entry.path, trouble });
                };
                self.next = Some((entry.path.clone(), tree));
            }
            if !is_above {
                return Some(Step::Entry { entry, content: node.content.unwrap_or_default() });
            }
            if entry.kind == EntryKind::Directory {
                return Some(Step::Above(entry.path));
            }
            // A file where the way to what is wanted leads through a folder.
        }
    }

    fn enter<T>(
        &mut self,
        restore: &Restore<'_, T>,
        path: PathBuf,
        tree: TreeId,
    ) -> Result<(), VaultError> {
        let nodes = restore.content.tree(tree)?.nodes.into_iter();
        self.levels.push(Level { path, nodes, names: BTreeSet::new() });
        Ok(())
    }
}
