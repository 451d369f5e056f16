//! Two trees, compared byte for byte: whether a restore gave back what was backed up.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    io::{self, Read},
    iter::Peekable,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    entry::{Attributes, Entry, EntryKind, FileTime, Refused, Touch},
    read::{FileReader, ReadError},
    walk::{Found, Walk, WalkFailure},
};

/// A comparison ends when it has found so many differences.
const DIFFERENCES_MAX: usize = 1000;

/// How much of two files is compared at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// What is compared besides names, kinds, contents, modes, link targets and hard links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// Users and groups. Only root can restore them.
    pub owners: bool,
    /// Times of the last change of content, to the nanosecond.
    pub times: bool,
    /// Extended attributes.
    pub extended: bool,
}

/// In what one path differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Relative to both roots.
    pub path: PathBuf,
    /// In what.
    pub what: What,
}

/// In what two entries of the same path differ. The first tree's value stands first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is only in the first tree.
    Missing,
    /// It is only in the second tree.
    Added,
    /// The kind, a link's target or a device's number.
    Kind(EntryKind, EntryKind),
    /// The length, in bytes.
    Size(u64, u64),
    /// The content; equal before this chunk's offset in bytes.
    Content(u64),
    /// The permission bits.
    Mode(u32, u32),
    /// User and group.
    Owner((u32, u32), (u32, u32)),
    /// When the content was last changed.
    Modified(FileTime, FileTime),
    /// The extended attributes with these names.
    Extended(Vec<OsString>),
    /// The first path that is the same file, by hard links.
    HardLink(PathBuf, PathBuf),
}

impl Default for CompareOptions {
    /// Compares everything.
    fn default() -> Self {
        Self { owners: true, times: true, extended: true }
    }
}

/// Compares what lies in the folders `first` and `second`, without following links.
///
/// Differences come in the order of a walk, a thousand at most. Times of access are not compared,
/// since reading moves them. Memory is bounded by a walk's, and the paths of hard-linked files.
///
/// # Errors
/// When something cannot be read or changes meanwhile, with its path: then nothing can be said.
pub fn compare(
    first: &Path,
    second: &Path,
    options: CompareOptions,
) -> io::Result<Vec<Difference>> {
    let mut first = Side::new(first)?;
    let mut second = Side::new(second)?;
    let mut differences = Differences(Vec::new());
    while differences.0.len() < DIFFERENCES_MAX {
        let (ours, theirs) = match order(first.peek()?, second.peek()?) {
            None => break,
            Some(Ordering::Less) => (first.next()?, None),
            Some(Ordering::Greater) => (None, second.next()?),
            Some(Ordering::Equal) => (first.next()?, second.next()?),
        };
        match (ours, theirs) {
            (Some(ours), None) => differences.add(&ours.entry, What::Missing),
            (None, Some(theirs)) => differences.add(&theirs.entry, What::Added),
            (Some(ours), Some(theirs)) => {
                let links = (first.first_name(&ours.entry), second.first_name(&theirs.entry));
                if links.0 != links.1 {
                    differences.add(&ours.entry, What::HardLink(links.0, links.1));
                }
                differences.compare(ours, theirs, options)?;
            }
            (None, None) => break,
        }
    }
    Ok(differences.0)
}

struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, entry: &Entry, what: What) {
        self.0.push(Difference { path: entry.path.clone(), what });
    }

    fn compare(&mut self, ours: Found, theirs: Found, options: CompareOptions) -> io::Result<()> {
        let entry = &ours.entry;
        let (a, b) = (&ours.entry.attributes, &theirs.entry.attributes);
        if a.mode != b.mode {
            self.add(entry, What::Mode(a.mode, b.mode));
        }
        if options.owners && (a.user, a.group) != (b.user, b.group) {
            self.add(entry, What::Owner((a.user, a.group), (b.user, b.group)));
        }
        if options.times && a.modified != b.modified {
            self.add(entry, What::Modified(a.modified, b.modified));
        }
        if options.extended && a.extended != b.extended {
            self.add(entry, What::Extended(differing_names(a, b)));
        }
        match (&ours.entry.kind, &theirs.entry.kind) {
            (EntryKind::File { size: a }, EntryKind::File { size: b }) if a != b => {
                self.add(entry, What::Size(*a, *b));
            }
            (a, b) if a != b => self.add(entry, What::Kind(a.clone(), b.clone())),
            _ => {
                if let (Some(a), Some(b)) = (ours.open, theirs.open) {
                    let named = |error| named(&entry.path, error);
                    let (a, b) = (a.open().map_err(named)?, b.open().map_err(named)?);
                    let offset = first_difference(a, b)
                        .map_err(|error| io::Error::other(Unreadable::new(entry, error)))?;
                    if let Some(offset) = offset {
                        self.add(entry, What::Content(offset));
                    }
                }
            }
        }
        Ok(())
    }
}

/// One of both trees.
struct Side {
    walk: Peekable<Walk>,
    /// The first path of each file that has several.
    first_names: BTreeMap<(u64, u64), PathBuf>,
}

impl Side {
    fn new(root: &Path) -> io::Result<Self> {
        let walk = Walk::new(root, Arc::new(Unguarded)).map_err(|error| named(root, error))?;
        Ok(Self { walk: walk.peekable(), first_names: BTreeMap::new() })
    }

    fn peek(&mut self) -> io::Result<Option<&Path>> {
        if let Some(Err(failure)) = self.walk.next_if(Result::is_err) {
            return Err(io::Error::other(failure));
        }
        Ok(self.walk.peek().and_then(|found| found.as_ref().ok()).map(|f| f.entry.path.as_path()))
    }

    fn next(&mut self) -> io::Result<Option<Found>> {
        self.walk.next().transpose().map_err(io::Error::other)
    }

    fn first_name(&mut self, entry: &Entry) -> PathBuf {
        let attributes = &entry.attributes;
        if entry.kind == EntryKind::Directory || attributes.links < 2 {
            return entry.path.clone();
        }
        let file = (attributes.device, attributes.inode);
        self.first_names.entry(file).or_insert_with(|| entry.path.clone()).clone()
    }
}

/// Reading one's own files to compare them needs nobody's leave.
struct Unguarded;

impl Touch for Unguarded {
    fn touch(&self) -> Result<(), Refused> {
        Ok(())
    }
}

/// A file that could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {source}", path.display())]
struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

impl Unreadable {
    fn new(entry: &Entry, source: io::Error) -> Self {
        Self { path: entry.path.clone(), source }
    }
}

fn named(path: &Path, error: ReadError) -> io::Error {
    io::Error::other(WalkFailure { path: path.to_owned(), error })
}

/// Which of both comes first; `None` when both have ended.
fn order(first: Option<&Path>, second: Option<&Path>) -> Option<Ordering> {
    match (first, second) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(first), Some(second)) => Some(first.cmp(second)),
    }
}

fn differing_names(a: &Attributes, b: &Attributes) -> Vec<OsString> {
    let mut names: Vec<OsString> = Vec::new();
    for (these, those) in [(a, b), (b, a)] {
        let differing = these.extended.iter().filter(|each| !those.extended.contains(each));
        names.extend(differing.map(|(name, _)| name.clone()));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Finds the chunk in which two files of equal length differ first.
fn first_difference(mut a: FileReader, mut b: FileReader) -> io::Result<Option<u64>> {
    let mut offset: u64 = 0;
    loop {
        let chunk = chunk(&mut a)?;
        if chunk != self::chunk(&mut b)? {
            return Ok(Some(offset));
        }
        if chunk.is_empty() {
            return Ok(None);
        }
        offset = offset.saturating_add(chunk.len() as u64);
    }
}

fn chunk(reader: &mut FileReader) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    reader.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: {}", self.path.display(), self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(formatter, "is missing"),
            Self::Added => write!(formatter, "was added"),
            Self::Kind(a, b) => write!(formatter, "was {}, is {}", kind(a), kind(b)),
            Self::Size(a, b) => write!(formatter, "had {a} bytes, has {b}"),
            Self::Content(offset) => write!(formatter, "content differs after byte {offset}"),
            Self::Mode(a, b) => write!(formatter, "had mode {a:04o}, has {b:04o}"),
            Self::Owner(a, b) => {
                write!(formatter, "belonged to {}:{}, belongs to {}:{}", a.0, a.1, b.0, b.1)
            }
            Self::Modified(a, b) => write!(
                formatter,
                "was changed at {}.{:09} s, now at {}.{:09} s",
                a.seconds, a.nanoseconds, b.seconds, b.nanoseconds
            ),
            Self::Extended(names) => {
                write!(formatter, "extended attributes differ:")?;
                names.iter().try_for_each(|name| write!(formatter, " `{}`", name.display()))
            }
            Self::HardLink(a, b) => {
                write!(formatter, "was one file with `{}`, is with `{}`", a.display(), b.display())
            }
        }
    }
}

fn kind(kind: &EntryKind) -> String {
    match kind {
        EntryKind::Directory => "a folder".to_owned(),
        EntryKind::File { .. } => "a file".to_owned(),
        EntryKind::Symlink { target } => format!("a link to `{}`", target.display()),
        EntryKind::Fifo => "a named pipe".to_owned(),
        EntryKind::Socket => "a socket".to_owned(),
        EntryKind::BlockDevice { device } => format!("block device {device}"),
        EntryKind::CharacterDevice { device } => format!("character device {device}"),
    }
}
