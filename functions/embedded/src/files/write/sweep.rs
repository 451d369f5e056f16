//! What earlier processes of a job left in its target.

use std::{ffi::OsStr, sync::Arc};

use rustix::{
    fs::{AtFlags, unlinkat},
    io::Errno,
};

use super::{Target, WriteError};
use crate::files::{
    beneath,
    entry::EntryKind,
    read::ReadError,
    walk::{Walk, WalkFailure},
};

/// Removes the temporary files of the target's job under lower fences; returns how many.
pub(super) fn sweep(target: &Target) -> Result<u64, WriteError> {
    let mut removed: u64 = 0;
    // Opened anew: a copy of the descriptor would share its position in the listing.
    let root = beneath::open_folder(&target.root, OsStr::new("."))
        .map_err(|errno| WriteError::from_errno(errno, &target.path))?;
    let walk = match Walk::of_names(root, Arc::clone(&target.touch)) {
        Err(ReadError::Refused(refused)) => return Err(refused.into()),
        // The target itself cannot be listed: like any other folder, passed over.
        Err(_) => return Ok(0),
        Ok(walk) => walk,
    };
    for found in walk {
        let entry = match found {
            Err(WalkFailure { error: ReadError::Refused(refused), .. }) => {
                return Err(refused.into());
            }
            Err(_) => continue,
            Ok(found) => found.entry,
        };
        let is_left_over = entry.path.file_name().is_some_and(|name| target.mark.supersedes(name));
        if !is_left_over || entry.kind == EntryKind::Directory {
            continue;
        }
        target.touch.touch()?;
        let (folder, name) = target.parent_of(&entry.path)?;
        match unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) => removed = removed.saturating_add(1),
            // Its process is still alive and was faster.
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(WriteError::from_errno(errno, &entry.path)),
        }
    }
    Ok(removed)
}
