//! A folder's content, one entry after the other.

use std::{
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    vec,
};

use rustix::fs::FileType;

use super::{
    beneath,
    entry::{Entry, Touch},
    extended,
    read::{OpenFile, ReadError},
    seen::Seen,
};

/// How many folders of the way down are held open at most; those above are opened again when the
/// walk comes back to them.
const OPEN_FOLDERS_MAX: usize = 128;

/// Walks what lies in a folder: depth first, parents before children, siblings by the bytes of
/// their names. The folder itself is not among the entries.
///
/// Sorted by path components, the order in which restic keeps its trees. Links are named, not
/// followed. Other file systems mounted in the folder are walked like folders. Memory is bounded by
/// the names in the folders on the way down; at most 128 of these folders are held open, and those that
/// unopened files still hold.
pub struct Walk {
    root: Arc<OwnedFd>,
    touch: Arc<dyn Touch>,
    /// The way down to where we are, the root first.
    levels: Vec<Level>,
    /// Said after the folder it belongs to.
    postponed: Option<WalkFailure>,
    opens: Opens,
}

/// One entry of a walk.
#[derive(Debug)]
pub struct Found {
    /// What it is.
    pub entry: Entry,
    /// The way to its content; of regular files only.
    pub open: Option<OpenFile>,
}

/// Something that a walk could not read. The walk goes on with what comes next.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {error}", path.display())]
pub struct WalkFailure {
    /// Relative to the walk's root; empty for the root itself.
    pub path: PathBuf,
    /// Why.
    pub error: ReadError,
}

/// What a walk opens on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// Folders, and each file for a moment: whether it can be read, and its extended attributes.
    FoldersAndFiles,
    /// Folders only.
    Folders,
}

struct Level {
    path: PathBuf,
    seen: Seen,
    /// Absent while too many others are open.
    folder: Option<Arc<OwnedFd>>,
    names: vec::IntoIter<OsString>,
}

impl Walk {
    /// Starts a walk of the folder `root`, which may lie behind links but may not be one.
    ///
    /// `touch` is asked before a folder is listed, before a file is opened, and before each read.
    ///
    /// # Errors
    /// [`ReadError`] when the folder cannot be opened or listed.
    pub fn new(root: &Path, touch: Arc<dyn Touch>) -> Result<Self, ReadError> {
        touch.touch()?;
        Self::start(beneath::open_root(root)?, touch, Opens::FoldersAndFiles)
    }

    /// Starts a walk that opens no files and reads no extended attributes.
    pub(super) fn of_names(root: OwnedFd, touch: Arc<dyn Touch>) -> Result<Self, ReadError> {
        touch.touch()?;
        Self::start(root, touch, Opens::Folders)
    }

    fn start(root: OwnedFd, touch: Arc<dyn Touch>, opens: Opens) -> Result<Self, ReadError> {
        let root = Arc::new(root);
        let mut walk =
            Self { root: Arc::clone(&root), touch, levels: Vec::new(), postponed: None, opens };
        let seen = Seen::by_descriptor(&root)?;
        walk.enter(root, seen, PathBuf::new())?;
        Ok(walk)
    }

    #[cfg(test)]
    pub(super) fn open_folders(&self) -> usize {
        self.levels.iter().filter(|level| level.folder.is_some()).count()
    }

    /// Looks at `name` in the innermost folder, and makes it the innermost if it is one itself.
    fn visit(&mut self, name: &OsStr, path: PathBuf) -> Result<Found, ReadError> {
        let parent = self.innermost()?;
        let seen = Seen::by_name(&parent, name)?;
        match seen.file_type {
            FileType::Directory => self.visit_folder(&parent, name, path),
            FileType::RegularFile => self.visit_file(parent, name, path, seen),
            // Opening one of these may block, or make a device do something.
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::BlockDevice
            | FileType::CharacterDevice
            | FileType::Unknown => {
                Ok(Found { entry: seen.into_entry(&parent, name, path)?, open: None })
            }
        }
    }

    fn visit_folder(
        &mut self,
        parent: &OwnedFd,
        name: &OsStr,
        path: PathBuf,
    ) -> Result<Found, ReadError> {
        self.touch.touch()?;
        let folder = Arc::new(beneath::open_folder(parent, name)?);
        let seen = Seen::by_descriptor(&folder)?;
        let mut entry = seen.clone().into_entry(parent, name, path.clone())?;
        if self.opens == Opens::FoldersAndFiles {
            entry.attributes.extended = extended::read(&folder);
        }
        self.enter(folder, seen, path)?;
        Ok(Found { entry, open: None })
    }

    fn visit_file(
        &self,
        parent: Arc<OwnedFd>,
        name: &OsStr,
        path: PathBuf,
        mut seen: Seen,
    ) -> Result<Found, ReadError> {
        let mut extended = Vec::new();
        if self.opens == Opens::FoldersAndFiles {
            self.touch.touch()?;
            let file = beneath::open_file(&parent, name)?;
            // What was opened counts, not what stood there a moment before.
            seen = Seen::by_descriptor(&file)?;
            if seen.file_type != FileType::RegularFile {
                return Err(ReadError::NotAFile);
            }
            extended = extended::read(&file);
        }
        let version = seen.version();
        let mut entry = seen.into_entry(&parent, name, path)?;
        entry.attributes.extended = extended;
        let open = OpenFile::new(parent, name.to_owned(), version, Arc::clone(&self.touch));
        Ok(Found { entry, open: Some(open) })
    }

    /// Lists a folder and goes into it.
    ///
    /// A folder of which nothing could be listed must not look empty: it is a failure. If the
    /// listing breaks off later, the folder is entered, and the failure said after it.
    fn enter(&mut self, folder: Arc<OwnedFd>, seen: Seen, path: PathBuf) -> Result<(), ReadError> {
        let (names, broken) = beneath::names(&folder);
        if let Some(errno) = broken {
            if names.is_empty() {
                return Err(errno.into());
            }
            self.postponed = Some(WalkFailure { path: path.clone(), error: errno.into() });
        }
        self.levels.push(Level { path, seen, folder: Some(folder), names: names.into_iter() });

        let too_far_up = self.levels.len().checked_sub(OPEN_FOLDERS_MAX.saturating_add(1));
        if let Some(level) = too_far_up.and_then(|index| self.levels.get_mut(index)) {
            level.folder = None;
        }
        Ok(())
    }

    /// The innermost folder, opened again from the root if it was closed.
    fn innermost(&mut self) -> Result<Arc<OwnedFd>, ReadError> {
        let Some(level) = self.levels.last_mut() else { return Err(ReadError::Vanished) };
        if let Some(folder) = &level.folder {
            return Ok(Arc::clone(folder));
        }
        let mut folder = Arc::clone(&self.root);
        for name in &level.path {
            folder = Arc::new(beneath::open_folder(&folder, name)?);
        }
        if !Seen::by_descriptor(&folder)?.is_same_thing(&level.seen) {
            return Err(ReadError::Changed);
        }
        level.folder = Some(Arc::clone(&folder));
        Ok(folder)
    }
}

impl Iterator for Walk {
    type Item = Result<Found, WalkFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.postponed.take() {
            return Some(Err(failure));
        }
        loop {
            let level = self.levels.last_mut()?;
            if let Some(name) = level.names.next() {
                let path = level.path.join(&name);
                let found = self.visit(&name, path.clone());
                return Some(found.map_err(|error| WalkFailure { path, error }));
            }
            self.levels.pop();
        }
    }
}
