//! What the file system says of one thing at one moment.

use std::{
    ffi::{OsStr, OsString},
    os::{fd::AsFd, unix::ffi::OsStringExt},
    path::PathBuf,
};

use rustix::{
    fs::{AtFlags, FileType, Statx, StatxFlags, StatxTimestamp, makedev, readlinkat, statx},
    io::Errno,
};

use super::entry::{Attributes, Entry, EntryKind, FileTime};

/// One thing as it was at one moment.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) file_type: FileType,
    /// In bytes; of regular files only.
    pub(super) size: u64,
    /// What a device file stands for.
    pub(super) stands_for: u64,
    /// Without extended attributes.
    pub(super) attributes: Attributes,
}

/// What tells one state of a file from the next: identity, length and both times of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: FileTime,
    changed: FileTime,
}

impl Seen {
    /// Looks at the thing called `name` in `folder`; at a link itself, not at its target.
    pub(super) fn by_name(folder: impl AsFd, name: &OsStr) -> Result<Self, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        Ok(Self::new(&statx(folder, name, flags, StatxFlags::BASIC_STATS)?))
    }

    /// Looks at an open thing.
    pub(super) fn by_descriptor(open: impl AsFd) -> Result<Self, Errno> {
        Ok(Self::new(&statx(open, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)?))
    }

    pub(super) fn version(&self) -> Version {
        Version::new(self.size, &self.attributes)
    }

    /// Whether both are the same thing, however it changed in between.
    pub(super) fn is_same_thing(&self, other: &Self) -> bool {
        self.attributes.inode == other.attributes.inode
            && self.attributes.device == other.attributes.device
    }

    /// Turns what was seen into an entry. Only a link is asked for more: what it says.
    pub(super) fn into_entry(
        self,
        folder: impl AsFd,
        name: &OsStr,
        path: PathBuf,
    ) -> Result<Entry, Errno> {
        let kind = match self.file_type {
            FileType::Directory => EntryKind::Directory,
            FileType::RegularFile => EntryKind::File { size: self.size },
            FileType::Symlink => {
                let target = readlinkat(folder, name, Vec::new())?.into_bytes();
                EntryKind::Symlink { target: PathBuf::from(OsString::from_vec(target)) }
            }
            FileType::Fifo => EntryKind::Fifo,
            FileType::Socket => EntryKind::Socket,
            FileType::BlockDevice => EntryKind::BlockDevice { device: self.stands_for },
            FileType::CharacterDevice => EntryKind::CharacterDevice { device: self.stands_for },
            FileType::Unknown => return Err(Errno::OPNOTSUPP),
        };
        Ok(Entry { path, kind, attributes: self.attributes })
    }

    // `statx` and not `fstatat`: its fields have the same widths on every machine.
    fn new(raw: &Statx) -> Self {
        let mode = u32::from(raw.stx_mode);
        let file_type = FileType::from_raw_mode(mode);
        Self {
            file_type,
            size: if file_type == FileType::RegularFile { raw.stx_size } else { 0 },
            stands_for: makedev(raw.stx_rdev_major, raw.stx_rdev_minor),
            attributes: Attributes {
                mode: mode & 0o7777,
                modified: time(raw.stx_mtime),
                accessed: time(raw.stx_atime),
                changed: time(raw.stx_ctime),
                user: raw.stx_uid,
                group: raw.stx_gid,
                inode: raw.stx_ino,
                device: makedev(raw.stx_dev_major, raw.stx_dev_minor),
                links: raw.stx_nlink.into(),
                extended: Vec::new(),
            },
        }
    }
}

impl Version {
    pub(super) fn new(size: u64, attributes: &Attributes) -> Self {
        Self {
            device: attributes.device,
            inode: attributes.inode,
            size,
            modified: attributes.modified,
            changed: attributes.changed,
        }
    }

    /// Whether both are the same content, even if a rename moved the time of change in between.
    pub(super) fn is_same_content(&self, other: &Self) -> bool {
        Self { changed: FileTime::default(), ..*self }
            == Self { changed: FileTime::default(), ..*other }
    }
}

fn time(raw: StatxTimestamp) -> FileTime {
    FileTime { seconds: raw.tv_sec, nanoseconds: raw.tv_nsec }
}
