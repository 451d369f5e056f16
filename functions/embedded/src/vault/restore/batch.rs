//! Files that are restored together, by a few threads, in the order of the vault's packs.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use rustic_core::{DataId, Id};

use super::{
    super::{
        error::{VaultError, panic_text},
        target::{Target, TargetFile},
        tree::Trouble,
    },
    Restore,
};
use crate::files::entry::{Entry, EntryKind};

/// How much is put into an order before it is restored.
const FILES: usize = 4096;
const BYTES: u64 = 1 << 30;
const BLOBS: usize = 32_768;
/// How much of one file a thread takes on at a time.
const SEGMENT: u64 = 4 << 20;
/// More threads would only need more memory: a thread holds one blob of at most 8 MiB.
const THREADS_MAX: usize = 4;

/// Files and links that wait to be restored.
#[derive(Default)]
pub(super) struct Batch {
    files: Vec<(Entry, Vec<DataId>)>,
    links: Vec<Link>,
    blobs: usize,
    bytes: u64,
}

/// A further name of a file.
struct Link {
    entry: Entry,
    content: Vec<DataId>,
    existing: PathBuf,
}

/// A file that is being restored.
struct Work<F> {
    entry: Entry,
    blobs: Vec<Blob>,
    state: Mutex<State<F>>,
    /// Segments that are not done.
    left: AtomicUsize,
}

enum State<F> {
    Waiting,
    Open(F),
    /// In its place, or failed.
    Over,
}

/// A part of a file.
struct Blob {
    id: DataId,
    /// Where it goes in the file.
    offset: u64,
    length: u64,
    pack: Id,
    /// Where it lies in the pack.
    place: u32,
}

/// Consecutive blobs of a file, for one thread.
struct Segment {
    work: usize,
    from: usize,
    to: usize,
}

impl Batch {
    pub(super) fn add_file(&mut self, entry: Entry, content: Vec<DataId>) {
        if let EntryKind::File { size } = entry.kind {
            self.bytes = self.bytes.saturating_add(size);
        }
        self.blobs = self.blobs.saturating_add(content.len());
        self.files.push((entry, content));
    }

    pub(super) fn add_link(&mut self, entry: Entry, content: Vec<DataId>, existing: PathBuf) {
        self.blobs = self.blobs.saturating_add(content.len());
        self.links.push(Link { entry, content, existing });
    }

    pub(super) fn is_full(&self) -> bool {
        let files = self.files.len().saturating_add(self.links.len());
        files >= FILES || self.bytes >= BYTES || self.blobs >= BLOBS
    }

    /// Restores all of it.
    pub(super) fn write<T: Target>(self, restore: &Restore<'_, T>) {
        write_files(restore, self.files);
        // A link whose first name could not be restored is restored as a file of its own.
        let mut alone = vec![];
        for link in self.links {
            if restore.has_failed(&link.existing) {
                alone.push((link.entry, link.content));
            } else {
                restore.placed(&link.entry.path, || {
                    restore.target.hard_link(&link.entry, &link.existing)
                });
            }
        }
        write_files(restore, alone);
    }
}

fn write_files<T: Target>(restore: &Restore<'_, T>, files: Vec<(Entry, Vec<DataId>)>) {
    let mut works: Vec<Work<T::File>> = vec![];
    for (entry, content) in files {
        match restore.plan(&entry, &content) {
            Ok(blobs) => works.push(Work {
                entry,
                blobs,
                state: Mutex::new(State::Waiting),
                left: AtomicUsize::new(0),
            }),
            Err(trouble) => restore.fail(entry.path, &trouble),
        }
    }
    works.sort_by_key(|work| work.blobs.first().map(|blob| (blob.pack, blob.place)));

    let mut segments = vec![];
    for (number, work) in works.iter_mut().enumerate() {
        let before = segments.len();
        cut(number, &work.blobs, &mut segments);
        work.left = AtomicUsize::new(segments.len().saturating_sub(before));
    }
    // Taken in this order, so that hardly more files are open than there are threads.
    let next = AtomicUsize::new(0);
    let take = || {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while let Some(segment) = segments.get(next.fetch_add(1, SeqCst)) {
                if restore.control.is_stopping() {
                    break;
                }
                if let Some(work) = works.get(segment.work) {
                    restore.write_segment(work, segment);
                }
            }
        }))
        .inspect_err(|panic| {
            restore.control.close(VaultError::Panicked { detail: panic_text(&**panic) });
        });
    };
    let threads = thread::available_parallelism().map_or(2, NonZeroUsize::get);
    let threads = threads.clamp(2, THREADS_MAX).min(segments.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(take);
        }
        take();
    });
}

/// Cuts a file into segments; an empty file is one.
fn cut(work: usize, blobs: &[Blob], segments: &mut Vec<Segment>) {
    let (mut from, mut length) = (0, 0_u64);
    for (number, blob) in blobs.iter().enumerate() {
        length = length.saturating_add(blob.length);
        let to = number.saturating_add(1);
        if length >= SEGMENT || to == blobs.len() {
            segments.push(Segment { work, from, to });
            (from, length) = (to, 0);
        }
    }
    if blobs.is_empty() {
        segments.push(Segment { work, from: 0, to: 0 });
    }
}

impl<T: Target> Restore<'_, T> {
    fn has_failed(&self, path: &std::path::Path) -> bool {
        self.tally().failures.contains_key(path)
    }

    /// Looks up a file's blobs and compares their lengths with the file's.
    fn plan(&self, entry: &Entry, content: &[DataId]) -> Result<Vec<Blob>, Trouble> {
        let damaged = |message| Trouble::Failed { code: "FILE_DAMAGED_IN_VAULT", message };
        let mut blobs = Vec::with_capacity(content.len());
        let mut offset = 0_u64;
        for id in content {
            let place = self.content.place(id).ok_or_else(|| {
                damaged(format!("a part of it (blob `{id}`) is not in the vault's index"))
            })?;
            let length = place
                .length
                .ok_or_else(|| damaged(format!("blob `{id}` has an impossible length")))?;
            blobs.push(Blob { id: *id, offset, length, pack: place.pack, place: place.offset });
            offset = offset.saturating_add(length);
        }
        let EntryKind::File { size } = entry.kind else {
            return Err(damaged("it is no file".to_owned()));
        };
        if offset != size {
            return Err(damaged(format!("the vault has {offset} of its {size} bytes")));
        }
        Ok(blobs)
    }

    fn write_segment(&self, work: &Work<T::File>, segment: &Segment) {
        let blobs = work.blobs.get(segment.from..segment.to).unwrap_or_default();
        let written = self.open(work).and_then(|is_open| {
            if is_open {
                blobs.iter().try_for_each(|blob| self.write_blob(work, blob))
            } else {
                Ok(())
            }
        });
        let is_last = work.left.fetch_sub(1, SeqCst) == 1;
        let ended = match written {
            Ok(()) if !is_last => return,
            Ok(()) => match std::mem::replace(&mut *lock(&work.state), State::Over) {
                State::Open(file) if !self.control.is_stopping() => file.commit(),
                State::Open(_) | State::Waiting | State::Over => return,
            },
            Err(trouble) => {
                // Dropped without a commit, the file leaves nothing behind.
                match std::mem::replace(&mut *lock(&work.state), State::Over) {
                    State::Waiting | State::Open(_) => Err(trouble),
                    // Another segment has failed before and told so.
                    State::Over => return,
                }
            }
        };
        match ended {
            Ok(()) => {
                let EntryKind::File { size } = work.entry.kind else { return };
                self.count(size);
            }
            Err(trouble) => self.fail(work.entry.path.clone(), &trouble),
        }
    }

    /// Begins the file unless that was done; false when it is over.
    fn open(&self, work: &Work<T::File>) -> Result<bool, Trouble> {
        let mut state = lock(&work.state);
        match &*state {
            State::Waiting => {
                *state = State::Open(self.target.file(&work.entry)?);
                Ok(true)
            }
            State::Open(_) => Ok(true),
            State::Over => Ok(false),
        }
    }

    fn write_blob(&self, work: &Work<T::File>, blob: &Blob) -> Result<(), Trouble> {
        if self.control.is_stopping() {
            return Ok(());
        }
        let content = self.content.blob(blob.id).map_err(|error| {
            let message = format!("pack `{}` of the vault: {error}", blob.pack);
            Trouble::Failed { code: "FILE_DAMAGED_IN_VAULT", message }
        })?;
        if let State::Open(file) = &mut *lock(&work.state) {
            file.write_at(blob.offset, &content)?;
            self.control.add_bytes(blob.length);
        }
        Ok(())
    }
}

fn lock<F>(state: &Mutex<State<F>>) -> std::sync::MutexGuard<'_, State<F>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
