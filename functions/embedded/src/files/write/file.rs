//! One regular file of a restore.

use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::Arc,
};

use rustix::{
    fs::{FileType, Mode, OFlags, ftruncate, openat},
    io::Errno,
};

use super::{
    Overwrite, Target, WriteError, Written, attributes,
    place::{Place, Put},
    temporary::Temporary,
};
use crate::files::{
    beneath,
    entry::{Entry, EntryKind},
    seen::Seen,
};

/// Zeros are left out in steps of so many bytes: the block of most file systems.
const BLOCK_BYTES: u64 = 4096;

/// How much of two files is compared at a time, in bytes.
const COMPARED_BYTES: usize = 64 * 1024;

/// Writes one file under a temporary name. Dropped without [`FileWriter::commit`], it leaves
/// nothing behind.
pub struct FileWriter {
    target: Arc<Target>,
    entry: Entry,
    place: Place,
    temporary: Temporary,
    file: File,
    size: u64,
    written: u64,
}

impl FileWriter {
    pub(super) fn start(target: Arc<Target>, entry: &Entry) -> Result<Self, WriteError> {
        let EntryKind::File { size } = entry.kind else {
            return Err(WriteError::wrong_kind(entry));
        };
        target.touch.touch()?;
        let place = Place::find(&target, &entry.path)?;
        // What cannot be equal is refused before anything is fetched for it.
        if let (Overwrite::Refuse, Some(before)) = (target.overwrite, &place.before)
            && (before.file_type != FileType::RegularFile || before.size != size)
        {
            return Err(WriteError::Exists { path: entry.path.clone() });
        }
        let (temporary, file) = Temporary::make(&target, &place, |folder, name| {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            openat(folder, name, flags, Mode::RUSR | Mode::WUSR)
        })?;
        ftruncate(&file, size).map_err(|errno| WriteError::from_errno(errno, &entry.path))?;
        let (entry, file) = (entry.clone(), File::from(file));
        Ok(Self { target, entry, place, temporary, file, size, written: 0 })
    }

    /// Writes `bytes` at `offset`, in any order but each byte only once. Blocks of zeros become
    /// holes.
    ///
    /// # Errors
    /// [`WriteError`], such as `Full`; `Incomplete` when the bytes do not fit the declared length.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), WriteError> {
        let length = bytes.len() as u64;
        self.written = self.written.saturating_add(length);
        if self.written > self.size || offset.saturating_add(length) > self.size {
            return Err(self.incomplete());
        }
        self.target.touch.touch()?;
        let (mut at, mut rest) = (offset, bytes);
        while let Some((run, behind)) = next_run(at, rest) {
            // INVARIANT: the file is new and each byte is written once, so zeros are there already.
            if !is_zero(run) {
                self.file
                    .write_all_at(run, at)
                    .map_err(|source| WriteError::from_io(source, &self.entry.path))?;
            }
            at = at.saturating_add(run.len() as u64);
            rest = behind;
        }
        Ok(())
    }

    /// Gives the file its attributes and puts it in its place.
    ///
    /// Not synced: [`Writer::sync`](super::Writer::sync) does that for all files at once.
    ///
    /// # Errors
    /// [`WriteError`]: `Incomplete` unless all bytes were written; `Exists` or `ChangedMeanwhile`
    /// when the place is taken, and then what is there stays as it is.
    pub fn commit(self) -> Result<Written, WriteError> {
        if self.written != self.size {
            return Err(self.incomplete());
        }
        self.target.touch.touch()?;
        let file = OwnedFd::from(self.file);
        attributes::set_open(&self.target, &file, &self.entry);
        match self.place.put(&self.target, self.temporary)? {
            Put::InPlace => Ok(Written::New),
            Put::Taken => {
                let Some(existing) = existing_equal(&self.target, &self.place, file, self.size)?
                else {
                    return Err(WriteError::Exists { path: self.entry.path });
                };
                attributes::set_open(&self.target, &existing, &self.entry);
                Ok(Written::Same)
            }
        }
    }

    fn incomplete(&self) -> WriteError {
        WriteError::Incomplete {
            path: self.entry.path.clone(),
            size: self.size,
            written: self.written,
        }
    }
}

/// Opens what stands in the place if it is a regular file with the same content as `ours`.
fn existing_equal(
    target: &Target,
    place: &Place,
    ours: OwnedFd,
    size: u64,
) -> Result<Option<OwnedFd>, WriteError> {
    let fail = |errno| WriteError::from_errno(errno, &place.path);
    let theirs = match beneath::open_file(&place.folder, &place.name) {
        Ok(theirs) => theirs,
        // A link, a socket, or nothing any more: in no case the same.
        Err(Errno::LOOP | Errno::NXIO | Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(fail(errno)),
    };
    let seen = Seen::by_descriptor(&theirs).map_err(fail)?;
    if seen.file_type != FileType::RegularFile || seen.size != size {
        return Ok(None);
    }

    let (ours, theirs) = (File::from(ours), File::from(theirs));
    let mut at: u64 = 0;
    loop {
        target.touch.touch()?;
        let chunks = chunk(&ours, at).and_then(|chunk| Ok((chunk, self::chunk(&theirs, at)?)));
        let (ours, theirs_now) =
            chunks.map_err(|source| WriteError::from_io(source, &place.path))?;
        if ours != theirs_now {
            return Ok(None);
        }
        if ours.is_empty() {
            return Ok(Some(OwnedFd::from(theirs)));
        }
        at = at.saturating_add(ours.len() as u64);
    }
}

/// Reads from `at` until a chunk is full or the file ends.
fn chunk(file: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut chunk = vec![0; COMPARED_BYTES];
    let mut filled: usize = 0;
    while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    chunk.truncate(filled);
    Ok(chunk)
}

/// Cuts off the blocks at the beginning that are all zeros, or those that are not.
fn next_run(at: u64, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, mut rest) = next_block(at, bytes)?;
    let mut length = first.len();
    while let Some((block, behind)) = next_block(at.saturating_add(length as u64), rest)
        && is_zero(block) == is_zero(first)
    {
        length = length.saturating_add(block.len());
        rest = behind;
    }
    bytes.split_at_checked(length)
}

/// Cuts off what lies in the block of the file that holds `at`.
fn next_block(at: u64, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let left = BLOCK_BYTES.saturating_sub(at % BLOCK_BYTES);
    let length = usize::try_from(left).unwrap_or(bytes.len()).min(bytes.len());
    bytes.split_at_checked(length).filter(|(block, _)| !block.is_empty())
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
