//! A restore's target: a tree written beneath a folder, and nowhere else.

use std::{
    ffi::OsStr,
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, linkat, mknodat, symlinkat, syncfs},
    process::geteuid,
};

use super::{
    beneath,
    entry::{Entry, EntryKind, Touch},
    seen::Seen,
};

mod attributes;
mod error;
mod file;
mod folder;
mod place;
mod sweep;
mod temporary;
mod warning;

pub use error::WriteError;
pub use file::FileWriter;
pub use warning::{Warning, Warnings};

use place::{Place, Put};
use temporary::Temporary;

/// How a restore writes.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// What happens to what is already there.
    pub overwrite: Overwrite,
    /// Whose temporary files these are.
    pub mark: Mark,
}

/// What happens to a file, link or special file that is already where one is restored to.
///
/// Folders are always kept and used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and the restore of this entry fails, unless both are equal.
    Refuse,
    /// It is replaced, if nobody changes it meanwhile.
    Replace,
}

/// Names the temporary files of one job under one fence: `.crossvault-<job>-<fence>-<n>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The job; up to 128 bytes that may stand in a file's name.
    pub job: String,
    /// Rises each time that another process takes the job over.
    pub fence: u64,
}

/// What became of a restored entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was put in its place.
    New,
    /// The same was already there; only its attributes were set.
    Same,
}

/// Writes entries beneath a target folder. Cheap to clone; may be used from several threads.
///
/// Never leaves the target: paths are taken apart, and links in the target are neither followed nor
/// written through. A file appears in its place whole or not at all. Attributes are restored as far
/// as the file system and our rights allow; what could not be is found in [`Writer::warnings`].
#[derive(Clone)]
pub struct Writer {
    target: Arc<Target>,
}

/// What all parts of a writer share.
struct Target {
    root: OwnedFd,
    path: PathBuf,
    overwrite: Overwrite,
    mark: Mark,
    touch: Arc<dyn Touch>,
    /// Only root may give files away and make devices.
    is_root: bool,
    next_temporary: AtomicU64,
    warnings: Mutex<Warnings>,
}

impl Writer {
    /// Opens the folder `target`, made if it is missing. It may lie behind links, but not be one.
    ///
    /// # Errors
    /// [`WriteError`] when it cannot be opened or made, or when the mark cannot stand in a name.
    pub fn new(
        target: &Path,
        options: WriteOptions,
        touch: Arc<dyn Touch>,
    ) -> Result<Self, WriteError> {
        touch.touch()?;
        if !options.mark.is_a_name() {
            return Err(WriteError::InvalidPath { path: PathBuf::from(options.mark.job) });
        }
        let root = match beneath::open_root(target) {
            Err(errno) if beneath::is_absent(errno) => fs::create_dir_all(target)
                .map_err(|source| WriteError::from_io(source, target))
                .and_then(|()| folder::open_target(target)),
            Ok(root) => Ok(root),
            Err(_) => folder::open_target(target),
        }?;
        Ok(Self {
            target: Arc::new(Target {
                root,
                path: target.to_owned(),
                overwrite: options.overwrite,
                mark: options.mark,
                touch,
                is_root: geteuid().is_root(),
                next_temporary: AtomicU64::new(0),
                warnings: Mutex::new(Warnings::default()),
            }),
        })
    }

    /// Makes the folder `path` and all above it, with mode 0700 until they are finished. Those that
    /// are there are used as they are.
    ///
    /// # Errors
    /// [`WriteError`], such as `LinkInTheWay` or `FileInTheWay` with the path that is meant.
    pub fn directory(&self, path: &Path) -> Result<(), WriteError> {
        self.target.touch.touch()?;
        self.target.make_folder(path).map(drop)
    }

    /// Starts a regular file. It appears in its place when the returned writer is committed.
    ///
    /// # Errors
    /// [`WriteError`]: `Exists` when the place is taken by something that cannot be equal.
    pub fn file(&self, entry: &Entry) -> Result<FileWriter, WriteError> {
        FileWriter::start(Arc::clone(&self.target), entry)
    }

    /// Restores a symbolic link, whatever it points to, with its owner and times.
    ///
    /// # Errors
    /// [`WriteError`]: `Exists` when something else is there than a link that says the same.
    pub fn symlink(&self, entry: &Entry) -> Result<Written, WriteError> {
        let EntryKind::Symlink { target: says } = &entry.kind else {
            return Err(WriteError::wrong_kind(entry));
        };
        self.make(entry, |folder, name| symlinkat(says, folder, name))
    }

    /// Gives the restored file `existing` another name: that of `entry`.
    ///
    /// # Errors
    /// [`WriteError`]: `Exists` when another file is there; `Io` when `existing` is missing.
    pub fn hard_link(&self, entry: &Entry, existing: &Path) -> Result<Written, WriteError> {
        let target = &self.target;
        target.touch.touch()?;
        let place = Place::find(target, &entry.path)?;
        let (from, from_name) = target.parent_of(existing)?;
        let ours = Seen::by_name(&from, from_name)
            .map_err(|errno| WriteError::from_errno(errno, existing))?;
        if place.before.as_ref().is_some_and(|before| before.is_same_thing(&ours)) {
            return Ok(Written::Same);
        }
        let (temporary, ()) = Temporary::make(target, &place, |folder, name| {
            linkat(&from, from_name, folder, name, AtFlags::empty())
        })?;
        match place.put(target, temporary)? {
            Put::InPlace => Ok(Written::New),
            Put::Taken => Err(WriteError::Exists { path: entry.path.clone() }),
        }
    }

    /// Restores a named pipe, or as root a device. Sockets, and devices for others, are skipped
    /// with a warning and give `None`: a socket without its process is of no use.
    ///
    /// # Errors
    /// [`WriteError`]: `Exists` when something else is there.
    pub fn special(&self, entry: &Entry) -> Result<Option<Written>, WriteError> {
        let (file_type, device) = match entry.kind {
            EntryKind::Fifo => (FileType::Fifo, 0),
            EntryKind::BlockDevice { device } if self.target.is_root => {
                (FileType::BlockDevice, device)
            }
            EntryKind::CharacterDevice { device } if self.target.is_root => {
                (FileType::CharacterDevice, device)
            }
            EntryKind::Socket
            | EntryKind::BlockDevice { .. }
            | EntryKind::CharacterDevice { .. } => {
                self.target.warn(&entry.path, Warning::SKIPPED, None);
                return Ok(None);
            }
            EntryKind::Directory | EntryKind::File { .. } | EntryKind::Symlink { .. } => {
                return Err(WriteError::wrong_kind(entry));
            }
        };
        self.make(entry, |folder, name| {
            mknodat(folder, name, file_type, Mode::RUSR | Mode::WUSR, device)
        })
        .map(Some)
    }

    /// Gives a folder its owner, rights, times and extended attributes: after its content, because
    /// each new name in it moves its times, and the deepest first.
    ///
    /// # Errors
    /// [`WriteError`] when the folder is not there or cannot be opened.
    pub fn finish_directory(&self, entry: &Entry) -> Result<(), WriteError> {
        if entry.kind != EntryKind::Directory {
            return Err(WriteError::wrong_kind(entry));
        }
        self.target.touch.touch()?;
        let folder = self.target.open_folder(&entry.path)?;
        attributes::set_open(&self.target, &folder, entry);
        Ok(())
    }

    /// Writes everything to the disk, once, at the end of a restore.
    ///
    /// Reaches the file system that holds the target, and not others mounted beneath it.
    ///
    /// # Errors
    /// [`WriteError::Full`] or [`WriteError::Io`] when something written before did not arrive.
    pub fn sync(&self) -> Result<(), WriteError> {
        syncfs(&self.target.root).map_err(|errno| WriteError::from_errno(errno, &self.target.path))
    }

    /// Removes the temporary files that earlier processes of this job left behind: those with the
    /// same job and a lower fence. Returns how many there were.
    ///
    /// Lists every folder of the target once, because a predecessor may have died in any of them;
    /// folders that cannot be listed are passed over. Called once, before a job is taken up again.
    ///
    /// # Errors
    /// [`WriteError`] when the target may not be touched any more, or a file cannot be removed.
    pub fn sweep(&self) -> Result<u64, WriteError> {
        sweep::sweep(&self.target)
    }

    /// What could not be restored so far, though the entries themselves were.
    #[must_use]
    pub fn warnings(&self) -> Warnings {
        self.target.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a link or special file, gives it its attributes, and puts it in its place.
    fn make(
        &self,
        entry: &Entry,
        make: impl Fn(&OwnedFd, &OsStr) -> Result<(), rustix::io::Errno>,
    ) -> Result<Written, WriteError> {
        let target = &self.target;
        target.touch.touch()?;
        let place = Place::find(target, &entry.path)?;
        let (temporary, ()) = Temporary::make(target, &place, make)?;
        attributes::set_named(target, &place.folder, temporary.name(), entry);
        match place.put(target, temporary)? {
            Put::InPlace => Ok(Written::New),
            Put::Taken if place.holds_kind(&entry.kind) => {
                attributes::set_named(target, &place.folder, &place.name, entry);
                Ok(Written::Same)
            }
            Put::Taken => Err(WriteError::Exists { path: entry.path.clone() }),
        }
    }
}

impl Target {
    fn warn(&self, path: &Path, what: &str, source: Option<rustix::io::Errno>) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).add(Warning {
            path: path.to_owned(),
            what: what.to_owned(),
            reason: source.map(|errno| beneath::source(errno).to_string()),
        });
    }
}

impl Mark {
    fn is_a_name(&self) -> bool {
        let job = self.job.as_bytes();
        (1..=128).contains(&job.len()) && !job.iter().any(|byte| matches!(byte, 0 | b'/'))
    }
}
