//! Extended attributes of an open file or folder, as far as they can be read.

use std::{
    ffi::{OsStr, OsString},
    os::{fd::AsFd, unix::ffi::OsStrExt},
};

use rustix::fs::{fgetxattr, flistxattr, flistxattr_query};

/// The kernel's limit for all names together, and for each value.
const LIMIT_BYTES: usize = 64 * 1024;

/// Reads all extended attributes, sorted by name.
///
/// Best effort: a file system without them has none, and one that may not be read is left out.
pub(super) fn read(open: impl AsFd) -> Vec<(OsString, Vec<u8>)> {
    // Most files have none, and then this is all that is asked.
    if matches!(flistxattr_query(open.as_fd()), Ok(0) | Err(_)) {
        return Vec::new();
    }
    let mut buffer = vec![0; LIMIT_BYTES];
    let listed = flistxattr(open.as_fd(), buffer.as_mut_slice()).unwrap_or(0);
    let names = buffer.get(..listed).unwrap_or_default().to_vec();

    let mut attributes: Vec<_> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .filter_map(|name| {
            let name = OsStr::from_bytes(name);
            let length = fgetxattr(open.as_fd(), name, buffer.as_mut_slice()).ok()?;
            Some((name.to_owned(), buffer.get(..length)?.to_vec()))
        })
        .collect();
    attributes.sort_unstable();
    attributes
}
