//! What the tests share: a touch that obeys, folders made by hand, and a plain restore.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::TempDir;

use crate::files::{
    entry::{Attributes, Entry, EntryKind, Refused, Touch},
    walk::{Found, Walk},
    write::{Mark, Overwrite, WriteError, WriteOptions, Writer, Written},
};

/// Allows so many touches, then refuses each one.
pub(super) struct Allowance(AtomicU64);

impl Allowance {
    pub(super) fn unlimited() -> Arc<Self> {
        Self::of(u64::MAX / 2)
    }

    pub(super) fn of(touches: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(touches)))
    }

    /// From now on so many more.
    pub(super) fn set(&self, touches: u64) {
        self.0.store(touches, Ordering::SeqCst);
    }
}

impl Touch for Allowance {
    fn touch(&self) -> Result<(), Refused> {
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        taken.map(drop).map_err(|_| Refused::Expired)
    }
}

/// A folder `root` with an `outside` beside it, for those who try to lead us there.
pub(super) struct Ground {
    pub(super) root: PathBuf,
    pub(super) outside: PathBuf,
    _held: TempDir,
}

impl Ground {
    pub(super) fn new() -> Self {
        let held = tempfile::tempdir().unwrap();
        let (root, outside) = (held.path().join("root"), held.path().join("outside"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&outside).unwrap();
        Self { root, outside, _held: held }
    }

    pub(super) fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Moves `path` aside and puts a link to the outside in its place.
    pub(super) fn swap_for_link(&self, path: &str) {
        fs::rename(self.root.join(path), self.root.join(format!("{path}.moved"))).unwrap();
        symlink(&self.outside, self.root.join(path)).unwrap();
    }

    pub(super) fn walk(&self) -> Walk {
        Walk::new(&self.root, Allowance::unlimited()).unwrap()
    }

    pub(super) fn find(&self, path: &str) -> Found {
        self.walk().map(Result::unwrap).find(|found| found.entry.path == Path::new(path)).unwrap()
    }

    pub(super) fn writer(&self, overwrite: Overwrite, fence: u64) -> Writer {
        let mark = Mark { job: "job-7".to_owned(), fence };
        let options = WriteOptions { overwrite, mark };
        Writer::new(&self.root, options, Allowance::unlimited()).unwrap()
    }

    /// All names beneath the root, as text.
    pub(super) fn names(&self) -> Vec<String> {
        self.walk().map(|found| found.unwrap().entry.path.display().to_string()).collect()
    }

    /// Whether nothing was written outside.
    pub(super) fn outside_is_empty(&self) -> bool {
        fs::read_dir(&self.outside).unwrap().next().is_none()
    }
}

pub(super) fn file_entry(path: &str, size: usize) -> Entry {
    entry(path, EntryKind::File { size: size as u64 })
}

/// An entry as of a backup made by us.
pub(super) fn entry(path: &str, kind: EntryKind) -> Entry {
    let attributes = Attributes {
        mode: 0o644,
        user: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
        links: 1,
        ..Attributes::default()
    };
    Entry { path: path.into(), kind, attributes }
}

pub(super) fn write(writer: &Writer, path: &str, content: &str) -> Result<Written, WriteError> {
    let mut file = writer.file(&file_entry(path, content.len()))?;
    file.write_at(0, content.as_bytes())?;
    file.commit()
}

/// File systems stamp times with the tick of a coarse clock, so a change within one tick of the
/// listing moves nothing. This waits for the next tick by watching a file of its own.
pub(super) fn next_tick() {
    let watched = tempfile::NamedTempFile::new().unwrap();
    let before = watched.as_file().metadata().unwrap().modified().unwrap();
    while watched.as_file().metadata().unwrap().modified().unwrap() == before {
        watched.as_file().write_all(b".").unwrap();
    }
}

/// Restores everything that a walk finds, in pieces of `piece` bytes.
pub(super) fn restore(from: &Path, writer: &Writer, piece: usize) {
    let mut folders = Vec::new();
    let mut first_names: BTreeMap<_, PathBuf> = BTreeMap::new();
    for found in Walk::new(from, Allowance::unlimited()).unwrap() {
        let Found { entry, open } = found.unwrap();
        let identity = (entry.attributes.device, entry.attributes.inode);
        if entry.kind != EntryKind::Directory && entry.attributes.links > 1 {
            if let Some(existing) = first_names.get(&identity) {
                writer.hard_link(&entry, existing).unwrap();
                continue;
            }
            first_names.insert(identity, entry.path.clone());
        }
        match &entry.kind {
            EntryKind::Directory => {
                writer.directory(&entry.path).unwrap();
                folders.push(entry);
            }
            EntryKind::File { size } => {
                let mut content = Vec::new();
                open.unwrap().open().unwrap().read_to_end(&mut content).unwrap();
                assert_eq!(content.len() as u64, *size);
                let mut file = writer.file(&entry).unwrap();
                // Backwards, because a vault gives pieces in the order in which it stores them.
                let offsets = (0_u64..).step_by(piece);
                let pieces: Vec<_> = offsets.zip(content.chunks(piece)).collect();
                for (offset, bytes) in pieces.into_iter().rev() {
                    file.write_at(offset, bytes).unwrap();
                }
                file.commit().unwrap();
            }
            EntryKind::Symlink { .. } => drop(writer.symlink(&entry).unwrap()),
            EntryKind::Fifo
            | EntryKind::Socket
            | EntryKind::BlockDevice { .. }
            | EntryKind::CharacterDevice { .. } => drop(writer.special(&entry).unwrap()),
        }
    }
    for folder in folders.iter().rev() {
        writer.finish_directory(folder).unwrap();
    }
    writer.sync().unwrap();
}
