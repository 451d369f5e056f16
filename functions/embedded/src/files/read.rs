//! A file's content: all that was declared of it, or the reason why not.

use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    sync::Arc,
};

use rustix::fs::FileType;

use super::{
    beneath,
    entry::Touch,
    seen::{Seen, Version},
};

mod error;

pub use error::ReadError;

/// A regular file that a walk found, not opened yet. It holds its folder open meanwhile.
pub struct OpenFile {
    folder: Arc<OwnedFd>,
    name: OsString,
    declared: Version,
    touch: Arc<dyn Touch>,
}

/// Reads a file from its beginning to its declared end.
///
/// Gives exactly as many bytes as were declared, of a file that is at the end what it was when it
/// was listed. Otherwise the last read fails with a [`ReadError`] inside the [`io::Error`]
/// ([`ReadError::of`] finds it), and keeps failing. Holes are read as zeros.
pub struct FileReader {
    file: File,
    declared: Version,
    size: u64,
    position: u64,
    is_checked: bool,
    touch: Arc<dyn Touch>,
}

impl OpenFile {
    pub(super) fn new(
        folder: Arc<OwnedFd>,
        name: OsString,
        declared: Version,
        touch: Arc<dyn Touch>,
    ) -> Self {
        Self { folder, name, declared, touch }
    }

    /// Opens the file for reading.
    ///
    /// # Errors
    /// [`ReadError`] when it may not be touched, cannot be opened, or is not what was listed.
    pub fn open(self) -> Result<FileReader, ReadError> {
        self.touch.touch()?;
        let file = beneath::open_file(&self.folder, &self.name)?;
        let seen = Seen::by_descriptor(&file)?;
        if seen.file_type != FileType::RegularFile {
            return Err(ReadError::NotAFile);
        }
        if seen.version() != self.declared {
            return Err(ReadError::Changed);
        }
        Ok(FileReader {
            file: File::from(file),
            declared: self.declared,
            size: seen.size,
            position: 0,
            is_checked: false,
            touch: self.touch,
        })
    }
}

impl FileReader {
    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let left = usize::try_from(self.size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let mut read = 0;
        if wanted > 0 {
            read = self.read_once(buffer.get_mut(..wanted).unwrap_or_default())?;
            if read == 0 {
                return Err(ReadError::Shrunk { declared: self.size, read: self.position });
            }
            self.position = self.position.saturating_add(read as u64);
        }
        // Before the last bytes are handed out, so that nobody has to ask once more to be told.
        if self.position >= self.size && !self.is_checked {
            self.check_end()?;
            self.is_checked = true;
        }
        Ok(read)
    }

    fn check_end(&mut self) -> Result<(), ReadError> {
        if self.read_once(&mut [0])? > 0 {
            return Err(ReadError::Grown { declared: self.size });
        }
        if Seen::by_descriptor(&self.file)?.version() != self.declared {
            return Err(ReadError::Changed);
        }
        Ok(())
    }

    fn read_once(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.touch.touch()?;
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ReadError::Io { source }),
                Ok(read) => return Ok(read),
            }
        }
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer).map_err(io::Error::from)
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for FileReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FileReader")
            .field("size", &self.size)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
