//! Opening what lies beneath an open folder, without ever following a link.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, StatxFlags, openat, statx},
    io::Errno,
};

/// How many bytes of a listing are fetched at a time.
const LISTING_BYTES: usize = 32 * 1024;

/// Opens the folder `name` in `parent`.
///
/// # Errors
/// [`Errno::LOOP`] when a link stands there, [`Errno::NOTDIR`] when another thing does, and whatever
/// else the file system says.
pub(super) fn open_folder(parent: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(parent.as_fd(), name, flags, Mode::empty());
    match opened {
        // The kernel says the same of a link as of a file: we look which it is.
        Err(Errno::NOTDIR) if is_link(parent, name) => Err(Errno::LOOP),
        opened => opened,
    }
}

/// Opens the root of a tree. Links above it are its owner's choice; it may not be one itself.
///
/// # Errors
/// As [`open_folder`].
pub(super) fn open_root(root: &Path) -> Result<OwnedFd, Errno> {
    // A trailing slash would have the kernel follow the last link; the components have none.
    let plain = root.components().as_path();
    open_folder(CWD, plain.as_os_str())
}

/// Opens the regular file `name` in `parent` for reading, leaving its access time if it may.
///
/// Does not wait for a pipe that took the file's place; the caller asks what it really got.
///
/// # Errors
/// [`Errno::LOOP`] when a link stands there, and whatever else the file system says.
pub(super) fn open_file(parent: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(parent.as_fd(), name, flags | OFlags::NOATIME, Mode::empty()) {
        // Only a file's owner may ask for this.
        Err(Errno::PERM) => openat(parent.as_fd(), name, flags, Mode::empty()),
        opened => opened,
    }
}

/// Lists the names in an open folder, sorted by their bytes, once from its beginning.
///
/// A listing that breaks off gives what came before together with the reason.
pub(super) fn names(folder: impl AsFd) -> (Vec<OsString>, Option<Errno>) {
    let mut names = Vec::new();
    let mut broken = None;
    let mut buffer = Vec::with_capacity(LISTING_BYTES);
    let mut listing = RawDir::new(folder.as_fd(), buffer.spare_capacity_mut());
    while let Some(listed) = listing.next() {
        match listed {
            Ok(listed) => match listed.file_name().to_bytes() {
                b"." | b".." => {}
                name => names.push(OsStr::from_bytes(name).to_owned()),
            },
            Err(Errno::INTR) => {}
            Err(errno) => {
                broken = Some(errno);
                break;
            }
        }
    }
    names.sort_unstable();
    (names, broken)
}

/// Whether the reason is that the thing is not there (any more).
pub(super) fn is_absent(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::STALE)
}

/// Whether the kernel or the file system does not know the call that was tried.
pub(super) fn is_unknown_call(errno: Errno) -> bool {
    matches!(errno, Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP)
}

/// The reason as the standard library's error.
pub(super) fn source(errno: Errno) -> io::Error {
    io::Error::from(errno)
}

fn is_link(parent: impl AsFd, name: &OsStr) -> bool {
    statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|seen| FileType::from_raw_mode(seen.stx_mode.into()) == FileType::Symlink)
}
