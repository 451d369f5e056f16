//! The place of one entry: what stands there, and how something new gets there.

use std::{
    ffi::OsString,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{
    fs::{AtFlags, FileType, RenameFlags, linkat, renameat, renameat_with, unlinkat},
    io::Errno,
};

use super::{Overwrite, Target, WriteError, temporary::Temporary};
use crate::files::{beneath, entry::EntryKind, seen::Seen};

/// Where an entry is restored to, as it was when its restore began.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) folder: Arc<OwnedFd>,
    pub(super) name: OsString,
    /// What stands there.
    pub(super) before: Option<Seen>,
}

/// What became of the attempt to put something in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    InPlace,
    /// Something stands there that is not to be replaced.
    Taken,
}

impl Place {
    /// Finds the place of `path`, and makes the folders above it where missing.
    pub(super) fn find(target: &Target, path: &Path) -> Result<Self, WriteError> {
        let (folder, name) = target.make_parent_of(path)?;
        let before = match Seen::by_name(&folder, name) {
            Err(errno) if beneath::is_absent(errno) => None,
            Err(errno) => return Err(WriteError::from_errno(errno, path)),
            Ok(seen) if seen.file_type == FileType::Directory => {
                return Err(WriteError::FolderInTheWay { path: path.to_owned() });
            }
            Ok(seen) => Some(seen),
        };
        Ok(Self { path: path.to_owned(), folder: Arc::new(folder), name: name.to_owned(), before })
    }

    /// Gives what is under the temporary name its place.
    ///
    /// With [`Overwrite::Refuse`] a taken place stays as it is. With [`Overwrite::Replace`] it is
    /// replaced if it is still what it was when the restore of this entry began: two restores, of
    /// which one only believes to be alive, cannot overwrite one another's work.
    pub(super) fn put(&self, target: &Target, mut temporary: Temporary) -> Result<Put, WriteError> {
        self.check_folder(target)?;
        match (target.overwrite, &self.before) {
            (Overwrite::Refuse, _) => self.move_in(&mut temporary),
            (Overwrite::Replace, None) => match self.move_in(&mut temporary)? {
                Put::InPlace => Ok(Put::InPlace),
                Put::Taken => Err(self.changed()),
            },
            (Overwrite::Replace, Some(before)) => self.exchange(&mut temporary, before),
        }
    }

    /// Whether what stands there now is a link that says the same, or the same special file.
    pub(super) fn holds_kind(&self, kind: &EntryKind) -> bool {
        Seen::by_name(&self.folder, &self.name)
            .and_then(|seen| seen.into_entry(&self.folder, &self.name, PathBuf::new()))
            .is_ok_and(|entry| entry.kind == *kind)
    }

    /// The path must still lead to the folder that is held open: not to a link or another folder
    /// that took its place.
    fn check_folder(&self, target: &Target) -> Result<(), WriteError> {
        let (now, _) = target.parent_of(&self.path)?;
        let seen = |folder: &OwnedFd| Seen::by_descriptor(folder).map_err(|e| self.fail(e));
        if seen(&now)?.is_same_thing(&seen(&self.folder)?) { Ok(()) } else { Err(self.changed()) }
    }

    fn move_in(&self, temporary: &mut Temporary) -> Result<Put, WriteError> {
        match self.rename(temporary, RenameFlags::NOREPLACE) {
            Ok(()) => {
                temporary.release();
                Ok(Put::InPlace)
            }
            Err(Errno::EXIST) => Ok(Put::Taken),
            // A second name does not replace either, and older file systems know it. The
            // temporary name is removed when it is dropped.
            Err(errno) if beneath::is_unknown_call(errno) => {
                let folder = self.folder.as_fd();
                match linkat(folder, temporary.name(), folder, &self.name, AtFlags::empty()) {
                    Ok(()) => Ok(Put::InPlace),
                    Err(Errno::EXIST) => Ok(Put::Taken),
                    Err(errno) => Err(self.fail(errno)),
                }
            }
            Err(errno) => Err(self.fail(errno)),
        }
    }

    /// Exchanges both, and looks at what came out. A check before the rename alone would leave a
    /// moment in which another's work could get lost.
    fn exchange(&self, temporary: &mut Temporary, before: &Seen) -> Result<Put, WriteError> {
        match Seen::by_name(&self.folder, &self.name) {
            Ok(now) if is_unchanged(before, &now) => {}
            Ok(_) => return Err(self.changed()),
            Err(errno) => return Err(self.fail(errno)),
        }
        match self.rename(temporary, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(errno) if beneath::is_unknown_call(errno) => {
                renameat(&self.folder, temporary.name(), &self.folder, &self.name)
                    .map_err(|errno| self.fail(errno))?;
                temporary.release();
                return Ok(Put::InPlace);
            }
            Err(errno) => return Err(self.fail(errno)),
        }

        // From here on the temporary name stands for what was there before.
        temporary.release();
        let is_expected = Seen::by_name(&self.folder, temporary.name())
            .is_ok_and(|out| out.version().is_same_content(&before.version()));
        if is_expected {
            unlinkat(&self.folder, temporary.name(), AtFlags::empty())
                .map_err(|errno| self.fail(errno))?;
            return Ok(Put::InPlace);
        }
        self.rename(temporary, RenameFlags::EXCHANGE).map_err(|errno| self.fail(errno))?;
        temporary.reclaim();
        Err(self.changed())
    }

    fn rename(&self, temporary: &Temporary, flags: RenameFlags) -> Result<(), Errno> {
        renameat_with(&self.folder, temporary.name(), &self.folder, &self.name, flags)
    }

    fn changed(&self) -> WriteError {
        WriteError::ChangedMeanwhile { path: self.path.clone() }
    }

    fn fail(&self, errno: Errno) -> WriteError {
        // Ours was swept by a process with a higher fence, or theirs was removed.
        if beneath::is_absent(errno) {
            return self.changed();
        }
        WriteError::from_errno(errno, &self.path)
    }
}

/// Whether nobody touched it in between.
fn is_unchanged(before: &Seen, now: &Seen) -> bool {
    // Of a file with several names we may have replaced another one ourselves, which moves the
    // time of change of them all.
    if before.attributes.links > 1 {
        return now.version().is_same_content(&before.version());
    }
    now.version() == before.version()
}
