//! A snapshot becomes a tree of files.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    backend::Backend,
    content::Content,
    control::{Control, FAILURES_KEPT},
    error::{Stop, VaultError, panic_text},
    repository::Vault,
    snapshot::SnapshotName,
    target::Target,
    tree::{FailedFile, Trouble},
};
use crate::files::entry::{Entry, EntryKind, Refused};

mod batch;
mod descent;

use batch::Batch;
use descent::{Descent, Step};

/// What a restore is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreOrder {
    /// What is restored.
    pub snapshot: SnapshotName,
    /// Only this file or folder of it; none for all. It keeps its path in the target, and the
    /// folders above it are made, but not given their attributes.
    pub only: Option<PathBuf>,
    /// Where an earlier step paused: all up to there is in place.
    pub after: Option<PathBuf>,
    /// How many entries may fail; more end the restore. `u64::MAX` for any.
    pub failures_max: u64,
}

/// How a restore's step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreEnd {
    /// Files, folders, links and others that are in place; of this step alone.
    pub files: u64,
    /// Content that was written, in bytes.
    pub bytes: u64,
    /// How many failed.
    pub failed: u64,
    /// Their names and reasons, at most 10,000.
    pub failures: Vec<FailedFile>,
    /// Where the next step goes on, when this one paused.
    pub paused: Option<PathBuf>,
}

/// A restore that runs, as all its threads see it.
struct Restore<'a, T> {
    content: Content<'a>,
    target: &'a T,
    control: &'a Control,
    failures_max: u64,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    files: u64,
    bytes: u64,
    failed: u64,
    failures: BTreeMap<PathBuf, FailedFile>,
}

impl Vault {
    /// Writes a snapshot into `target`. Each byte is checked against the snapshot's own hashes.
    /// Entries that can't be restored are named, and the others go on; damage of one pack fails
    /// the files that need it. Blocks until it has ended.
    ///
    /// # Errors
    /// [`VaultError::NoSnapshot`], [`VaultError::NoEntry`]; [`VaultError::Refused`] when the target
    /// refuses a touch; [`VaultError::Full`] when it has no space; [`VaultError::Stopped`];
    /// [`VaultError::TooManyFailures`]; [`VaultError::Corrupt`] when the snapshot itself or its root
    /// folder can't be read.
    pub fn restore<T: Target>(
        &self,
        order: &RestoreOrder,
        target: &T,
        control: &Arc<Control>,
    ) -> Result<RestoreEnd, VaultError> {
        let Some(_lease) = self.leases.share_unless(|| control.is_stopping()) else {
            return Err(control.cause().unwrap_or(VaultError::Stopped(Stop::Halted)));
        };
        let repository = self.repository(Backend::reading(&self.folder))?;
        let file = self.snapshot(&repository, order.snapshot)?;
        let restore = Restore {
            content: self.content()?,
            target,
            control,
            failures_max: order.failures_max,
            tally: Mutex::default(),
        };
        let only = order.only.as_deref().map(steps).transpose()?.unwrap_or_default();
        let descent = Descent::new(&restore, file.tree, only)?;
        let run = catch_unwind(AssertUnwindSafe(|| restore.run(descent, order)));
        let paused =
            run.unwrap_or_else(|panic| Err(VaultError::Panicked { detail: panic_text(&*panic) }))?;
        if let Some(cause) = control.cause() {
            return Err(cause);
        }
        let tally = restore.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(RestoreEnd {
            files: tally.files,
            bytes: tally.bytes,
            failed: tally.failed,
            failures: tally.failures.into_values().collect(),
            paused,
        })
    }
}

impl<T: Target> Restore<'_, T> {
    /// Restores all that the descent finds. Returns where it paused.
    fn run(
        &self,
        mut descent: Descent,
        order: &RestoreOrder,
    ) -> Result<Option<PathBuf>, VaultError> {
        let mut folders: Vec<Entry> = vec![];
        let mut batch = Batch::default();
        // The first name of each file that has several.
        let mut first_names = BTreeMap::new();
        let mut last = PathBuf::new();
        let mut found = false;
        while !self.control.is_stopping() {
            let Some(step) = descent.next(self) else { break };
            let (entry, content) = match step {
                Step::Above(path) => {
                    self.place(&path, || self.target.directory(&path));
                    continue;
                }
                Step::Failed { path, trouble } => {
                    found = true;
                    self.fail(path, &trouble);
                    continue;
                }
                Step::Entry { entry, content } => (entry, content),
            };
            found = true;
            let is_done = order.after.as_deref().is_some_and(|after| entry.path <= *after);
            last.clone_from(&entry.path);
            match entry.kind {
                EntryKind::Directory => {
                    let made =
                        is_done || self.place(&entry.path, || self.target.directory(&entry.path));
                    if made {
                        folders.push(entry);
                    } else {
                        descent.skip_folder();
                    }
                }
                EntryKind::File { .. } => {
                    let identity = (entry.attributes.device, entry.attributes.inode);
                    let has_names = entry.attributes.links > 1 && identity.1 != 0;
                    let first = first_names.get(&identity).filter(|_| has_names);
                    match first {
                        Some((path, same)) if *same == content && !is_done => {
                            batch.add_link(entry, content, PathBuf::clone(path));
                        }
                        Some(_) if is_done => {}
                        Some(_) | None => {
                            if has_names && first.is_none() {
                                let named = (entry.path.clone(), content.clone());
                                first_names.insert(identity, named);
                            }
                            if !is_done {
                                batch.add_file(entry, content);
                            }
                        }
                    }
                }
                EntryKind::Symlink { .. } if !is_done => {
                    self.placed(&entry.path, || self.target.symlink(&entry));
                }
                EntryKind::Fifo
                | EntryKind::Socket
                | EntryKind::BlockDevice { .. }
                | EntryKind::CharacterDevice { .. }
                    if !is_done =>
                {
                    self.placed(&entry.path, || self.target.special(&entry));
                }
                EntryKind::Symlink { .. }
                | EntryKind::Fifo
                | EntryKind::Socket
                | EntryKind::BlockDevice { .. }
                | EntryKind::CharacterDevice { .. } => {}
            }
            if batch.is_full() {
                std::mem::take(&mut batch).write(self);
            }
            if self.control.is_pausing() {
                std::mem::take(&mut batch).write(self);
                self.place(&last, || self.target.sync());
                return Ok(Some(last));
            }
        }
        if let Some(only) = order.only.as_ref().filter(|_| !found && !self.control.is_stopping()) {
            return Err(VaultError::NoEntry { path: only.clone() });
        }
        batch.write(self);
        // Children come after their folders, so backwards is deepest first.
        for folder in folders.iter().rev() {
            self.placed(&folder.path, || self.target.finish_directory(folder));
        }
        self.place(Path::new(""), || self.target.sync());
        Ok(None)
    }

    /// Does something to the target unless the restore ends; notes if it fails.
    fn place(&self, path: &Path, work: impl FnOnce() -> Result<(), Trouble>) -> bool {
        if self.control.is_stopping() {
            return false;
        }
        match work() {
            Ok(()) => true,
            Err(trouble) => {
                self.fail(path.to_owned(), &trouble);
                false
            }
        }
    }

    /// The same, and counts what is in place then.
    fn placed(&self, path: &Path, work: impl FnOnce() -> Result<(), Trouble>) {
        if self.place(path, work) {
            self.count(0);
        }
    }

    /// Counts an entry that is in place.
    fn count(&self, bytes: u64) {
        let mut tally = self.tally();
        tally.files = tally.files.saturating_add(1);
        tally.bytes = tally.bytes.saturating_add(bytes);
        self.control.add_file();
    }

    fn fail(&self, path: PathBuf, trouble: &Trouble) {
        match trouble {
            Trouble::Refused(Refused::Halted) => {
                return self.control.close(VaultError::Stopped(Stop::Halted));
            }
            Trouble::Refused(refused) => return self.control.close(refused.clone().into()),
            Trouble::Full => return self.control.close(VaultError::TargetFull { path }),
            Trouble::Changed(_) | Trouble::Failed { .. } => {}
        }
        let failure = FailedFile::new(path, trouble);
        self.control.add_failure(&failure);
        let mut tally = self.tally();
        tally.failed = tally.failed.saturating_add(1);
        if tally.failed > self.failures_max {
            let first = tally.failures.values().next().unwrap_or(&failure);
            self.control.close(VaultError::TooManyFailures {
                limit: self.failures_max,
                path: first.path.clone(),
                reason: first.reason.clone(),
            });
        }
        if tally.failures.len() < FAILURES_KEPT {
            tally.failures.insert(failure.path.clone(), failure);
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A path as the names on its way.
pub(super) fn steps(path: &Path) -> Result<Vec<std::ffi::OsString>, VaultError> {
    path.components()
        .map(|step| match step {
            Component::Normal(name) => Ok(name.to_owned()),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => Err(VaultError::NoEntry { path: path.to_owned() }),
        })
        .collect()
}
