//! What a restore writes into.

use std::path::Path;

use super::tree::Trouble;
use crate::files::entry::Entry;

/// Where a restored tree goes. Used by several threads at once.
pub trait Target: Send + Sync {
    /// A file that is being written.
    type File: TargetFile;

    /// Makes a folder and all above it; those that are there are used as they are.
    ///
    /// # Errors
    /// Why it can't be made.
    fn directory(&self, path: &Path) -> Result<(), Trouble>;

    /// Begins a regular file, which appears when it is committed.
    ///
    /// # Errors
    /// Why it can't be made.
    fn file(&self, entry: &Entry) -> Result<Self::File, Trouble>;

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// Why it can't be made.
    fn symlink(&self, entry: &Entry) -> Result<(), Trouble>;

    /// Gives a file that was restored another name.
    ///
    /// # Errors
    /// Why it can't be made.
    fn hard_link(&self, entry: &Entry, existing: &Path) -> Result<(), Trouble>;

    /// Makes a pipe, socket or device; the target may leave it out if it has no use for it.
    ///
    /// # Errors
    /// Why it can't be made.
    fn special(&self, entry: &Entry) -> Result<(), Trouble>;

    /// Gives a folder its attributes, after all that it holds was written.
    ///
    /// # Errors
    /// Why they can't be given.
    fn finish_directory(&self, entry: &Entry) -> Result<(), Trouble>;

    /// Brings all that was written to the disk.
    ///
    /// # Errors
    /// Why that isn't sure.
    fn sync(&self) -> Result<(), Trouble>;
}

/// A file that is being written.
pub trait TargetFile: Send {
    /// Writes a part; parts come in any order, each byte once.
    ///
    /// # Errors
    /// Why it can't be written.
    fn write_at(&mut self, offset: u64, content: &[u8]) -> Result<(), Trouble>;

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Why it can't be put there.
    fn commit(self) -> Result<(), Trouble>;
}
