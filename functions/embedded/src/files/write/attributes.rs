//! Owner, rights, times and extended attributes of what was restored, as far as possible.

use std::{
    ffi::OsStr,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use rustix::{
    fs::{
        AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chmod, chownat, fchmod,
        fchown, fsetxattr, futimens, openat, utimensat,
    },
    io::Errno,
};

use super::{Target, Warning};
use crate::files::{
    entry::{Attributes, Entry, EntryKind, FileTime},
    seen::Seen,
};

/// Gives an open file or folder the entry's attributes.
///
/// In this order: a new owner clears set-user-id and capabilities; extended attributes need the
/// right to write, which the mode may take away; and each of them moves the times.
pub(super) fn set_open(target: &Target, open: &OwnedFd, entry: &Entry) {
    let wanted = &entry.attributes;
    if target.is_root {
        target.note(entry, Warning::OWNER, fchown(open, user(wanted), group(wanted)));
    }
    let has_owner = has_owner(Seen::by_descriptor(open), wanted);
    for (name, value) in &wanted.extended {
        // Capabilities are set-user-id by another name.
        let set = if name == "security.capability" && !has_owner {
            Err(Errno::PERM)
        } else {
            fsetxattr(open, name, value, XattrFlags::empty())
        };
        if set.is_err() {
            let what = format!("extended attribute `{}`", name.display());
            target.note(entry, &what, set);
        }
    }
    target.note(entry, Warning::MODE, fchmod(open, mode(target, entry, has_owner)));
    target.note(entry, Warning::TIMES, futimens(open, &times(wanted)));
}

/// Gives a link or special file the entry's attributes, without opening or following it.
pub(super) fn set_named(target: &Target, folder: &OwnedFd, name: &OsStr, entry: &Entry) {
    let wanted = &entry.attributes;
    let itself = AtFlags::SYMLINK_NOFOLLOW;
    if target.is_root {
        let given = chownat(folder, name, user(wanted), group(wanted), itself);
        target.note(entry, Warning::OWNER, given);
    }
    // Links have no rights of their own.
    if !matches!(entry.kind, EntryKind::Symlink { .. }) {
        let has_owner = has_owner(Seen::by_name(folder, name), wanted);
        let set = chmod_special(folder, name, mode(target, entry, has_owner));
        target.note(entry, Warning::MODE, set);
    }
    target.note(entry, Warning::TIMES, utimensat(folder, name, &times(wanted), itself));
}

impl Target {
    fn note(&self, entry: &Entry, what: &str, done: Result<(), Errno>) {
        if let Err(errno) = done {
            self.warn(&entry.path, what, Some(errno));
        }
    }
}

/// Changes the mode of what has this name now, be it even a link that was swapped in: the path
/// below `/proc` stands for the thing that was opened, and opening with `PATH` touches no device.
fn chmod_special(folder: impl AsFd, name: &OsStr, mode: Mode) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = openat(folder, name, flags, Mode::empty())?;
    chmod(format!("/proc/self/fd/{}", open.as_raw_fd()), mode)
}

fn has_owner(seen: Result<Seen, Errno>, wanted: &Attributes) -> bool {
    seen.is_ok_and(|seen| {
        seen.attributes.user == wanted.user && seen.attributes.group == wanted.group
    })
}

fn mode(target: &Target, entry: &Entry, has_owner: bool) -> Mode {
    let set_id = Mode::SUID | Mode::SGID;
    let mode = Mode::from_raw_mode(entry.attributes.mode & 0o7777);
    if has_owner || !mode.intersects(set_id) {
        return mode;
    }
    target.warn(&entry.path, Warning::SET_ID, None);
    mode.difference(set_id)
}

// The highest id means "leave it as it is" to the kernel, and nobody has it.
fn user(wanted: &Attributes) -> Option<Uid> {
    (wanted.user != u32::MAX).then(|| Uid::from_raw(wanted.user))
}

fn group(wanted: &Attributes) -> Option<Gid> {
    (wanted.group != u32::MAX).then(|| Gid::from_raw(wanted.group))
}

fn times(wanted: &Attributes) -> Timestamps {
    // Above lie the kernel's words for "now" and "leave it"; a backup must not say them.
    let time = |time: FileTime| Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanoseconds.min(999_999_999).into(),
    };
    Timestamps { last_access: time(wanted.accessed), last_modification: time(wanted.modified) }
}
