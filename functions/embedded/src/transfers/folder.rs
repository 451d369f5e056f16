//! A folder as the vault sees it: the tree that a backup reads, the target that a restore writes.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use crossvault_core::explain::Explain;

use crate::{
    files::{
        entry::{Entry, EntryKind, Touch},
        read::{OpenFile, ReadError},
        walk::{Found, Walk, WalkFailure},
        write::{FileWriter, WriteError, Writer},
    },
    vault::{Item, Open, Target, TargetFile, Tree, TreeError, Trouble},
};

/// A folder that is backed up.
pub(super) struct FolderTree {
    /// The folder.
    pub(super) root: PathBuf,
    /// Asked before each touch.
    pub(super) touch: Arc<dyn Touch>,
}

impl Tree for FolderTree {
    type Entries = std::iter::Map<Walk, fn(Result<Found, WalkFailure>) -> Result<Item, TreeError>>;

    fn entries(&self) -> Result<Self::Entries, TreeError> {
        let walk = Walk::new(&self.root, Arc::clone(&self.touch))
            .map_err(|error| TreeError { path: PathBuf::new(), trouble: read_trouble(&error) })?;
        Ok(walk.map(item))
    }
}

fn item(found: Result<Found, WalkFailure>) -> Result<Item, TreeError> {
    let Found { entry, open } = found.map_err(|failure| TreeError {
        path: failure.path,
        trouble: read_trouble(&failure.error),
    })?;
    let open = open.map(|open| Box::new(FolderFile(open)) as Box<dyn Open>);
    Ok(Item { entry, open })
}

struct FolderFile(OpenFile);

impl Open for FolderFile {
    fn open(self: Box<Self>) -> Result<Box<dyn Read + Send>, Trouble> {
        let reader = self.0.open().map_err(|error| read_trouble(&error))?;
        Ok(Box::new(Translated(reader)))
    }
}

/// Gives errors in the vault's words.
struct Translated<R>(R);

impl<R: Read> Read for Translated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match ReadError::of(&error) {
            Some(known) => read_trouble(known).into(),
            None => error,
        })
    }
}

fn read_trouble(error: &ReadError) -> Trouble {
    match error {
        ReadError::Refused(refused) => Trouble::Refused(refused.clone()),
        ReadError::Shrunk { .. } | ReadError::Grown { .. } | ReadError::Changed => {
            Trouble::Changed(error.to_string())
        }
        ReadError::NotPermitted
        | ReadError::Vanished
        | ReadError::LinkInTheWay
        | ReadError::NotAFile
        | ReadError::NotAFolder
        | ReadError::Io { .. } => {
            Trouble::Failed { code: error.code(), message: error.to_string() }
        }
    }
}

/// A folder below the root of a source, into which a restore writes.
pub(super) struct FolderTarget {
    /// Writes below the source's root.
    pub(super) writer: Writer,
    /// The folder below the root, relative; empty for the root itself.
    pub(super) into: PathBuf,
}

impl FolderTarget {
    /// The entry at its place below the source's root.
    fn place(&self, entry: &Entry) -> Entry {
        Entry { path: self.into.join(&entry.path), ..entry.clone() }
    }
}

impl Target for FolderTarget {
    type File = FolderWriter;

    fn directory(&self, path: &Path) -> Result<(), Trouble> {
        self.writer.directory(&self.into.join(path)).map_err(write_trouble)
    }

    fn file(&self, entry: &Entry) -> Result<FolderWriter, Trouble> {
        self.writer.file(&self.place(entry)).map(FolderWriter).map_err(write_trouble)
    }

    fn symlink(&self, entry: &Entry) -> Result<(), Trouble> {
        self.writer.symlink(&self.place(entry)).map(drop).map_err(write_trouble)
    }

    fn hard_link(&self, entry: &Entry, existing: &Path) -> Result<(), Trouble> {
        let existing = self.into.join(existing);
        self.writer.hard_link(&self.place(entry), &existing).map(drop).map_err(write_trouble)
    }

    fn special(&self, entry: &Entry) -> Result<(), Trouble> {
        if entry.kind == EntryKind::Socket {
            // A socket means nothing without the program that listens.
            return Ok(());
        }
        self.writer.special(&self.place(entry)).map(drop).map_err(write_trouble)
    }

    fn finish_directory(&self, entry: &Entry) -> Result<(), Trouble> {
        self.writer.finish_directory(&self.place(entry)).map_err(write_trouble)
    }

    fn sync(&self) -> Result<(), Trouble> {
        self.writer.sync().map_err(write_trouble)
    }
}

/// A file below a source's root that is being written.
pub(super) struct FolderWriter(FileWriter);

impl TargetFile for FolderWriter {
    fn write_at(&mut self, offset: u64, content: &[u8]) -> Result<(), Trouble> {
        self.0.write_at(offset, content).map_err(write_trouble)
    }

    fn commit(self) -> Result<(), Trouble> {
        self.0.commit().map(drop).map_err(write_trouble)
    }
}

pub(super) fn write_trouble(error: WriteError) -> Trouble {
    let (code, message) = (error.code(), error.to_string());
    match error {
        WriteError::Refused(refused) => Trouble::Refused(refused),
        WriteError::Full { .. } => Trouble::Full,
        WriteError::InvalidPath { .. }
        | WriteError::LinkInTheWay { .. }
        | WriteError::FileInTheWay { .. }
        | WriteError::FolderInTheWay { .. }
        | WriteError::Exists { .. }
        | WriteError::ChangedMeanwhile { .. }
        | WriteError::ReadOnly { .. }
        | WriteError::Incomplete { .. }
        | WriteError::WrongKind { .. }
        | WriteError::Io { .. } => Trouble::Failed { code, message },
    }
}
