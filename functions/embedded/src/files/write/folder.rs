//! The target's folders, reached from its root without following a link.

use std::{
    ffi::OsStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, mkdirat, openat2},
    io::Errno,
};

use super::{Target, WriteError};
use crate::files::beneath;

/// What is done about a folder that is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Make,
    Fail,
}

/// Opens the target folder itself.
pub(super) fn open_target(target: &Path) -> Result<OwnedFd, WriteError> {
    beneath::open_root(target).map_err(|errno| WriteError::from_errno(errno, target))
}

impl Target {
    /// Opens the folder `path`, made with all above it where missing.
    pub(super) fn make_folder(&self, path: &Path) -> Result<OwnedFd, WriteError> {
        self.reach(path, &components(path)?, Missing::Make)
    }

    /// Opens the folder `path`.
    pub(super) fn open_folder(&self, path: &Path) -> Result<OwnedFd, WriteError> {
        self.reach(path, &components(path)?, Missing::Fail)
    }

    /// Opens the folder in which `path` lies, and tells its name therein.
    pub(super) fn parent_of<'p>(&self, path: &'p Path) -> Result<(OwnedFd, &'p OsStr), WriteError> {
        self.parent(path, Missing::Fail)
    }

    /// As [`Target::parent_of`]; makes the folders that are missing.
    pub(super) fn make_parent_of<'p>(
        &self,
        path: &'p Path,
    ) -> Result<(OwnedFd, &'p OsStr), WriteError> {
        self.parent(path, Missing::Make)
    }

    fn parent<'p>(
        &self,
        path: &'p Path,
        missing: Missing,
    ) -> Result<(OwnedFd, &'p OsStr), WriteError> {
        let names = components(path)?;
        let Some((name, above)) = names.split_last() else { return Err(invalid(path)) };
        Ok((self.reach(path.parent().unwrap_or(path), above, missing)?, name))
    }

    fn reach(
        &self,
        path: &Path,
        names: &[&OsStr],
        missing: Missing,
    ) -> Result<OwnedFd, WriteError> {
        if names.is_empty() {
            return self.root.try_clone().map_err(|source| WriteError::from_io(source, path));
        }
        // One call for the whole way, which nearly always works.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.root, path, flags, Mode::empty(), resolve) {
            Ok(folder) => Ok(folder),
            // Otherwise step by step, which makes what is missing and tells what is in the way.
            Err(_) => self.step_down(names, missing),
        }
    }

    fn step_down(&self, names: &[&OsStr], missing: Missing) -> Result<OwnedFd, WriteError> {
        let mut way = PathBuf::new();
        let mut folder: Option<OwnedFd> = None;
        for name in names {
            way.push(name);
            let parent = folder.as_ref().unwrap_or(&self.root);
            let next = match beneath::open_folder(parent, name) {
                Err(Errno::NOENT) if missing == Missing::Make => {
                    match mkdirat(parent, *name, Mode::RWXU) {
                        // Another thread was faster; whatever it made is looked at now.
                        Ok(()) | Err(Errno::EXIST) => beneath::open_folder(parent, name),
                        Err(errno) => Err(errno),
                    }
                }
                opened => opened,
            };
            folder = Some(next.map_err(|errno| WriteError::from_errno(errno, &way))?);
        }
        folder.ok_or_else(|| invalid(&way))
    }
}

/// Takes a path apart. Each part must be a plain name: the path is text from a backup, and whoever
/// wrote the backup may have meant harm.
fn components(path: &Path) -> Result<Vec<&OsStr>, WriteError> {
    let names = path.as_os_str().as_bytes().split(|byte| *byte == b'/');
    names
        .map(|name| match name {
            b"" | b"." | b".." => Err(invalid(path)),
            name if name.contains(&0) => Err(invalid(path)),
            name => Ok(OsStr::from_bytes(name)),
        })
        .collect()
}

fn invalid(path: &Path) -> WriteError {
    WriteError::InvalidPath { path: path.to_owned() }
}
