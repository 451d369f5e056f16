//! Finding damage before somebody needs the data.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rustic_core::{
    BlobId, DataId, FileType, Id, TreeId,
    repofile::{BlobType, IndexFile, NodeType, SnapshotFile, SnapshotId},
};

use super::{
    backend::Backend, content::Content, error::VaultError, node, repository::Vault,
    snapshot::SnapshotName,
};

/// How many files are named for one damage.
const NAMED: usize = 100;

/// One thing that is wrong with a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The damaged or missing file of the vault; its folder when no single file is to blame.
    pub path: PathBuf,
    /// What is wrong, such as ``pack `12ab34cd` is missing``.
    pub what: String,
    /// Backed-up files and folders that can't be restored for it, each with one snapshot that has
    /// it; at most 100.
    pub files: Vec<(SnapshotName, PathBuf)>,
    /// How many there are: each content counts once a folder that has it.
    pub files_in_all: u64,
}

/// What is known to be damaged, while the check goes on.
struct Check<'a> {
    vault: &'a Vault,
    content: Content<'a>,
    /// What is wrong with which file of the vault.
    found: BTreeMap<PathBuf, Damage>,
    /// Packs that can't be trusted, and what of them can be read all the same.
    suspects: BTreeMap<Id, BTreeSet<BlobId>>,
}

impl Vault {
    /// Looks for damage: whether each snapshot finds all its parts, and with `read_data` whether
    /// each pack still says what was written. Empty when all is well. Packs that no index names are
    /// no damage.
    ///
    /// # Errors
    /// [`VaultError::Io`] when the folder can't be listed; damage is no error here.
    pub fn check(&self, read_data: bool) -> Result<Vec<Damage>, VaultError> {
        let _lease = self.leases.share();
        let looking = self.repository(Backend::reading(&self.folder))?;
        let mut damages = vec![];
        // An index file that can't be read fails all that follows: it is told alone.
        for (id, _) in self.folder.list(FileType::Index)? {
            if let Err(error) = looking.get_file::<IndexFile>(&id.into()) {
                damages.push(self.damaged(FileType::Index, id, "index", &self.engine(&error)));
            }
        }
        if !damages.is_empty() {
            return Ok(damages);
        }
        let survey = self.survey(&looking)?;
        let mut snapshots = vec![];
        for (id, _) in self.folder.list(FileType::Snapshot)? {
            match looking.get_file::<SnapshotFile>(&id.into()) {
                Ok(file) => snapshots.push((SnapshotId::from(id), file)),
                // One that was forgotten since it was listed is no damage.
                Err(_) if !self.folder.path(FileType::Snapshot, &id).exists() => {}
                Err(error) => damages.push(self.damaged(
                    FileType::Snapshot,
                    id,
                    "snapshot",
                    &self.engine(&error),
                )),
            }
        }
        let (sound, flipped): (Vec<_>, Vec<_>) =
            survey.whole.into_iter().partition(|(id, _)| !read_data || self.is_whole(id));
        let suspects = [
            (survey.missing, "is missing"),
            (survey.cut, "has not the length it was written with"),
            (flipped, "is not what was written"),
        ];
        let unsound = suspects.iter().flat_map(|(packs, _)| packs).copied().collect();
        let mut check = Check {
            vault: self,
            content: self.content_of(sound, unsound)?,
            found: BTreeMap::new(),
            suspects: BTreeMap::new(),
        };
        for (packs, how) in suspects {
            for (id, _) in packs {
                check.suspect(id, how);
            }
        }
        check.find_readable()?;
        let mut seen = BTreeSet::new();
        snapshots.sort_by_key(|(_, file)| std::cmp::Reverse(file.time.timestamp()));
        for (id, file) in snapshots {
            check.walk(SnapshotName(*id), file.tree, &mut seen);
        }
        damages.extend(check.found.into_values());
        Ok(damages)
    }

    /// Whether a pack says what was written: its name is its hash.
    fn is_whole(&self, id: &Id) -> bool {
        self.folder.read(FileType::Pack, id).is_ok_and(|content| {
            let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
            id.blob_matches_reader(length, &mut &*content)
        })
    }

    fn damaged(&self, kind: FileType, id: Id, word: &str, error: &VaultError) -> Damage {
        Damage {
            path: self.folder.path(kind, &id),
            what: format!("{word} `{id}` can't be read: {error}"),
            files: vec![],
            files_in_all: 0,
        }
    }
}

impl Check<'_> {
    /// Notes a pack that is not what it should be.
    fn suspect(&mut self, id: Id, how: &str) {
        let path = self.vault.folder.path(FileType::Pack, &id);
        let what = format!("pack `{id}` {how}");
        self.suspects.insert(id, BTreeSet::new());
        let damage = Damage { path: path.clone(), what, files: vec![], files_in_all: 0 };
        self.found.insert(path, damage);
    }

    /// Finds out which blobs of the suspect packs can be read all the same.
    fn find_readable(&mut self) -> Result<(), VaultError> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        let looking = self.vault.repository(Backend::reading(&self.vault.folder))?;
        let files = looking.stream_files::<IndexFile>();
        for file in files.map_err(|error| self.vault.engine(&error))? {
            let (_, file) = file.map_err(|error| self.vault.engine(&error))?;
            for pack in file.packs {
                let Some(readable) = self.suspects.get_mut(&*pack.id) else { continue };
                for blob in pack.blobs {
                    let read = match blob.tpe {
                        BlobType::Data => self.content.blob(blob.id.into()).is_ok(),
                        BlobType::Tree => self.content.tree(blob.id.into()).is_ok(),
                    };
                    if read {
                        readable.insert(blob.id);
                    }
                }
            }
        }
        Ok(())
    }

    /// Walks a snapshot's folders that no other snapshot had, and names what lacks a part.
    fn walk(&mut self, snapshot: SnapshotName, root: TreeId, seen: &mut BTreeSet<TreeId>) {
        let mut folders = vec![(PathBuf::new(), root)];
        while let Some((path, id)) = folders.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Ok(tree) = self.content.tree(id) else {
                let pack = self.content.place(&id).map(|place| place.pack);
                self.blame(pack, snapshot, &path);
                continue;
            };
            for node in tree.nodes {
                let path = match node::safe_name(&node) {
                    Ok(name) => path.join(name),
                    Err(trouble) => {
                        let what = format!("a snapshot holds a harmful name: {trouble}");
                        self.note(self.vault.folder().join("snapshots"), what, snapshot, &path);
                        continue;
                    }
                };
                match (&node.node_type, node.subtree) {
                    (NodeType::Dir, Some(tree)) => folders.push((path, tree)),
                    (NodeType::Dir, None) => self.blame(None, snapshot, &path),
                    (NodeType::File, _) => {
                        for blob in node.content.iter().flatten() {
                            self.check_blob(*blob, snapshot, &path);
                        }
                    }
                    (
                        NodeType::Symlink { .. }
                        | NodeType::Dev { .. }
                        | NodeType::Chardev { .. }
                        | NodeType::Fifo
                        | NodeType::Socket,
                        _,
                    ) => {}
                }
            }
        }
    }

    fn check_blob(&mut self, id: DataId, snapshot: SnapshotName, path: &Path) {
        let place = self.content.place(&id);
        if place.is_some_and(|place| place.is_sound) {
            return;
        }
        let readable = place.and_then(|place| self.suspects.get(&place.pack));
        if !readable.is_some_and(|readable| readable.contains(&id.into())) {
            self.blame(place.map(|place| place.pack), snapshot, path);
        }
    }

    /// Names a backed-up file or folder that can't be restored, and the pack that is to blame.
    fn blame(&mut self, pack: Option<Id>, snapshot: SnapshotName, path: &Path) {
        if let Some(pack) = pack {
            let place = self.vault.folder.path(FileType::Pack, &pack);
            self.note(place, format!("pack `{pack}` is damaged"), snapshot, path);
        } else {
            let what = "the index lacks a part that a snapshot needs".to_owned();
            self.note(self.vault.folder().join("index"), what, snapshot, path);
        }
    }

    fn note(&mut self, place: PathBuf, what: String, snapshot: SnapshotName, path: &Path) {
        let damage = self.found.entry(place.clone()).or_insert_with(|| Damage {
            path: place,
            what,
            files: vec![],
            files_in_all: 0,
        });
        if damage.files.last().is_some_and(|last| *last == (snapshot, path.to_owned())) {
            return;
        }
        damage.files_in_all = damage.files_in_all.saturating_add(1);
        if damage.files.len() < NAMED {
            damage.files.push((snapshot, path.to_owned()));
        }
    }
}
