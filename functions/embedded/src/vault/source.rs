//! What stands between a tree and the library: it counts, names what fails, and stops early.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Component, Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use rustic_core::{
    ErrorKind, ReadSource, ReadSourceEntry, ReadSourceOpen, RusticError, RusticResult,
};

use super::{
    control::{Control, FAILURES_KEPT},
    error::{Stop, VaultError, panic_text},
    node,
    tree::{FailedFile, Item, Open, Tree, TreeError, Trouble},
};
use crate::files::entry::{EntryKind, Refused};

/// Files from this size on are read in large pieces: the library asks for 4 KiB at a time.
const BUFFERED_FROM: u64 = 128 * 1024;
const BUFFER: usize = 256 * 1024;

/// One pass over a tree: what was listed, and what of it failed.
pub(super) struct Pass {
    control: Arc<Control>,
    failures_max: u64,
    /// Whether files that changed are tried again in a later pass.
    may_retry: bool,
    /// Whether an earlier pass has told of what is unchanged now.
    is_retry: bool,
    paused: AtomicBool,
    tally: Mutex<Tally>,
}

/// What a pass met.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Entries that were listed and did not fail.
    pub(super) entries: u64,
    /// Those of them that are no folders.
    pub(super) leaves: u64,
    /// Their content.
    pub(super) bytes: u64,
    /// What failed, by its path; at most 10,000.
    pub(super) failures: BTreeMap<PathBuf, FailedFile>,
    /// How many failed.
    pub(super) failed: u64,
    /// How many of them changed, so that a later pass may read them.
    pub(super) changed: u64,
}

impl Pass {
    pub(super) fn new(
        control: &Arc<Control>,
        failures_max: u64,
        may_retry: bool,
        is_retry: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            control: control.clone(),
            failures_max,
            may_retry,
            is_retry,
            paused: AtomicBool::new(false),
            tally: Mutex::default(),
        })
    }

    /// What it met so far.
    pub(super) fn tally(&self) -> Tally {
        self.lock().clone()
    }

    /// Whether it ended before the tree did, since it was asked to pause.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(SeqCst)
    }

    /// Takes note that something failed. `listed` is the size of a file that was counted.
    fn fail(&self, path: PathBuf, trouble: &Trouble, listed: Option<u64>) {
        match trouble {
            Trouble::Refused(Refused::Halted) => {
                return self.control.close(VaultError::Stopped(Stop::Halted));
            }
            Trouble::Refused(refused) => return self.control.close(refused.clone().into()),
            Trouble::Changed(_) | Trouble::Full | Trouble::Failed { .. } => {}
        }
        let failure = FailedFile::new(path, trouble);
        let again = self.may_retry && matches!(trouble, Trouble::Changed(_));
        if !again {
            self.control.add_failure(&failure);
        }
        let mut tally = self.lock();
        tally.changed = tally.changed.saturating_add(u64::from(again));
        tally.failed = tally.failed.saturating_add(1);
        if let Some(size) = listed {
            tally.entries = tally.entries.saturating_sub(1);
            tally.leaves = tally.leaves.saturating_sub(1);
            tally.bytes = tally.bytes.saturating_sub(size);
        }
        if tally.failed.saturating_sub(tally.changed) > self.failures_max {
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

    /// Calls into a tree; its panic ends the transfer, not the library's threads.
    fn call<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        catch_unwind(AssertUnwindSafe(work))
            .inspect_err(|panic| {
                self.control.close(VaultError::Panicked { detail: panic_text(&**panic) });
            })
            .ok()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tree as the library reads it, once.
pub(super) struct Source<T> {
    pub(super) tree: Arc<T>,
    pub(super) pass: Arc<Pass>,
}

impl<T: Tree> ReadSource for Source<T> {
    type Open = Counted;
    type Iter = Entries<T>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Entries<T> {
        let listed = self.pass.call(|| self.tree.entries());
        let inner = match listed {
            Some(Ok(inner)) => Some(inner),
            Some(Err(error)) => {
                close_unlisted(&self.pass.control, &error);
                None
            }
            None => None,
        };
        Entries { inner, previous: PathBuf::new(), pass: self.pass.clone() }
    }
}

/// The root can't be listed: there is nothing to back up.
fn close_unlisted(control: &Control, error: &TreeError) {
    control.close(match &error.trouble {
        Trouble::Refused(Refused::Halted) => VaultError::Stopped(Stop::Halted),
        Trouble::Refused(refused) => refused.clone().into(),
        trouble @ (Trouble::Changed(_) | Trouble::Full | Trouble::Failed { .. }) => {
            VaultError::NothingRead {
                path: error.path.clone(),
                code: trouble.code().to_owned(),
                reason: trouble.to_string(),
            }
        }
    });
}

/// The entries of a tree, as the library takes them.
pub(super) struct Entries<T: Tree> {
    inner: Option<T::Entries>,
    previous: PathBuf,
    pass: Arc<Pass>,
}

impl<T: Tree> Iterator for Entries<T> {
    type Item = RusticResult<ReadSourceEntry<Counted>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.pass.control.is_stopping() {
                return None;
            }
            let inner = self.inner.as_mut()?;
            // A panicking tree is not asked again.
            let Some(next) = self.pass.call(|| inner.next()) else {
                self.inner = None;
                return None;
            };
            let next = next?;
            if self.pass.control.is_pausing() {
                self.pass.paused.store(true, SeqCst);
                self.inner = None;
                return None;
            }
            match next {
                Err(error) if error.path.as_os_str().is_empty() => {
                    close_unlisted(&self.pass.control, &error);
                }
                Err(error) => self.pass.fail(error.path, &error.trouble, None),
                Ok(item) => {
                    if let Some(entry) = self.take(item) {
                        return Some(Ok(entry));
                    }
                }
            }
        }
    }
}

impl<T: Tree> Entries<T> {
    /// Counts an entry and makes the library's of it.
    fn take(&mut self, item: Item) -> Option<ReadSourceEntry<Counted>> {
        let Item { entry, open } = item;
        let is_below = entry.path.components().all(|step| matches!(step, Component::Normal(_)));
        // INVARIANT: the library looks for the parent's entry in this order, and would write a
        // folder twice that is left and entered again.
        let node = node::of_entry(&entry).filter(|_| is_below && entry.path > self.previous);
        let Some(node) = node else {
            let detail = format!(
                "the source lists `{}` after `{}`",
                entry.path.display(),
                self.previous.display()
            );
            self.pass.control.close(VaultError::Illegal { detail });
            return None;
        };
        self.previous.clone_from(&entry.path);

        let mut tally = self.pass.lock();
        tally.entries = tally.entries.saturating_add(1);
        if entry.kind != EntryKind::Directory {
            tally.leaves = tally.leaves.saturating_add(1);
        }
        let EntryKind::File { size } = entry.kind else {
            drop(tally);
            if !self.pass.is_retry {
                self.pass.control.add_file();
            }
            return Some(ReadSourceEntry { path: entry.path, node, open: None });
        };
        tally.bytes = tally.bytes.saturating_add(size);
        drop(tally);
        let Some(open) = open else {
            let trouble = Trouble::Failed {
                code: "SOURCE_UNREADABLE",
                message: "the file was listed without a way to read it".to_owned(),
            };
            self.pass.fail(entry.path, &trouble, Some(size));
            return None;
        };
        let path = entry.path.clone();
        let open = Counted { open: Some(open), path: entry.path, size, pass: self.pass.clone() };
        Some(ReadSourceEntry { path, node, open: Some(open) })
    }
}

/// A file that the library opens, or drops when it is unchanged.
pub(super) struct Counted {
    open: Option<Box<dyn Open>>,
    path: PathBuf,
    size: u64,
    pass: Arc<Pass>,
}

impl ReadSourceOpen for Counted {
    type Reader = CountedReader;

    fn open(mut self) -> RusticResult<CountedReader> {
        let path = std::mem::take(&mut self.path);
        let (size, pass) = (self.size, self.pass.clone());
        let Some(open) = self.open.take() else { return Err(ended(&path)) };
        if pass.control.is_stopping() {
            return Err(ended(&path));
        }
        match pass.call(|| open.open()) {
            Some(Ok(inner)) => {
                let inner: Box<dyn Read + Send> = if size >= BUFFERED_FROM {
                    Box::new(BufReader::with_capacity(BUFFER, inner))
                } else {
                    inner
                };
                let progress = Progress::Reading { done: 0 };
                Ok(CountedReader { inner: Some(inner), path, size, progress, pass })
            }
            Some(Err(trouble)) => {
                let error = RusticError::with_source(
                    ErrorKind::InputOutput,
                    "the file can't be opened",
                    trouble.clone(),
                );
                pass.fail(path, &trouble, Some(size));
                Err(error)
            }
            None => Err(ended(&path)),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Not opened: the library knows its content from the parent.
        if self.open.is_some() && !self.pass.is_retry {
            self.pass.control.add_bytes(self.size);
            self.pass.control.add_file();
        }
    }
}

fn ended(path: &Path) -> Box<RusticError> {
    RusticError::new(ErrorKind::InputOutput, "the transfer ends")
        .attach_context("path", path.display().to_string())
}

/// A file's content, which must be as long as it was listed.
pub(super) struct CountedReader {
    inner: Option<Box<dyn Read + Send>>,
    path: PathBuf,
    size: u64,
    progress: Progress,
    pass: Arc<Pass>,
}

enum Progress {
    Reading { done: u64 },
    Done,
    Failed,
}

impl Read for CountedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let done = match self.progress {
            Progress::Reading { done } => done,
            Progress::Done => return Ok(0),
            Progress::Failed => return Err(io::Error::other("the file has failed")),
        };
        if self.pass.control.is_stopping() {
            self.progress = Progress::Failed;
            return Err(io::Error::other("the transfer ends"));
        }
        let left = self.size.saturating_sub(done);
        let mut beyond = [0];
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = match buffer.get_mut(..wanted) {
            Some(part) if wanted > 0 => part,
            // All was read: whether there is more tells whether the file has grown.
            Some(_) if left == 0 => &mut beyond,
            Some(_) | None => return Ok(0),
        };
        let Some(inner) = self.inner.as_mut() else { return Ok(0) };
        match self.pass.call(|| fill(inner, buffer)) {
            None => {
                self.progress = Progress::Failed;
                self.inner = None;
                Err(io::Error::other("the source panicked"))
            }
            Some(Err(error)) => {
                let trouble = Trouble::of(&error);
                self.fail(&trouble);
                Err(error)
            }
            Some(Ok(0)) if left == 0 => {
                self.progress = Progress::Done;
                self.inner = None;
                self.pass.control.add_file();
                Ok(0)
            }
            Some(Ok(0)) => Err(self
                .fail(&Trouble::Changed(format!(
                    "it ended after {done} of the {} bytes it had",
                    self.size
                )))
                .into()),
            Some(Ok(_)) if left == 0 => Err(self
                .fail(&Trouble::Changed(format!(
                    "it is longer than the {} bytes it had",
                    self.size
                )))
                .into()),
            Some(Ok(count)) => {
                let count_u64 = u64::try_from(count).unwrap_or(u64::MAX);
                self.progress = Progress::Reading { done: done.saturating_add(count_u64) };
                self.pass.control.add_bytes(count_u64);
                Ok(count)
            }
        }
    }
}

/// Reads until the buffer is full or nothing is left.
///
/// The library's chunker makes its buffer as small as the smallest read that it ever got: after a
/// few short reads it would go on byte by byte.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl CountedReader {
    fn fail(&mut self, trouble: &Trouble) -> Trouble {
        self.progress = Progress::Failed;
        self.inner = None;
        self.pass.fail(self.path.clone(), trouble, Some(self.size));
        trouble.clone()
    }
}
