//! Trees and targets in memory, which fail where a test wants them to.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::super::{Item, Open, Target, TargetFile, Tree, TreeError, Trouble};
use crate::files::entry::{Attributes, Entry, EntryKind, FileTime};

/// What a test does when something is touched; its error is what the touch meets.
pub(super) type OnTouch = Arc<dyn Fn() -> Result<(), Trouble> + Send + Sync>;

/// What is asked with the number of the thing, or the position in a file.
type OnStep = Arc<dyn Fn(usize) -> Result<(), Trouble> + Send + Sync>;
/// What is told the path that is written.
type OnWrite = Arc<dyn Fn(&Path) + Send + Sync>;
/// What was put in place.
type Placed = BTreeMap<PathBuf, (Entry, Vec<u8>)>;
/// The same, with the hash of the content instead: a test that fails prints it.
type Hashed = BTreeMap<PathBuf, (Entry, u64)>;

fn hashed<'a>(all: impl IntoIterator<Item = (&'a Entry, &'a Vec<u8>)>) -> Hashed {
    let entry = |(entry, content): (&Entry, &Vec<u8>)| {
        let mut hash = DefaultHasher::new();
        hash.write(content);
        (entry.path.clone(), (entry.clone(), hash.finish()))
    };
    all.into_iter().map(entry).collect()
}

/// One thing in a tree, or a failure in its place.
#[derive(Clone)]
pub(super) enum Thing {
    Entry(Entry, Content),
    Fails(PathBuf, Trouble),
}

/// How the content of a file reads.
#[derive(Clone)]
pub(super) struct Content {
    /// What is read.
    bytes: Vec<u8>,
    /// Asked when it is opened, and before each read with the position.
    open: OnTouch,
    read: OnStep,
}

#[derive(Clone)]
pub(super) struct MemoryTree {
    things: Arc<Vec<Thing>>,
    opened: Arc<AtomicUsize>,
    /// Asked before each thing is listed.
    list: OnStep,
}

pub(super) fn folder(path: &str) -> Thing {
    entry(path, EntryKind::Directory)
}

pub(super) fn entry(path: &str, kind: EntryKind) -> Thing {
    let at = FileTime { seconds: 1_600_000_000, nanoseconds: 5 };
    let links = u64::from(kind != EntryKind::Directory);
    let attributes = Attributes {
        mode: 0o751,
        modified: at,
        accessed: at,
        changed: at,
        inode: 7,
        links,
        ..Attributes::default()
    };
    let content = Content { bytes: vec![], open: Arc::new(|| Ok(())), read: Arc::new(|_| Ok(())) };
    Thing::Entry(Entry { path: path.into(), kind, attributes }, content)
}

pub(super) fn file(path: &str, bytes: Vec<u8>) -> Thing {
    let size = u64::try_from(bytes.len()).unwrap();
    entry(path, EntryKind::File { size }).with(|_, content| content.bytes = bytes)
}

impl Thing {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Entry, &mut Content)) -> Self {
        if let Self::Entry(entry, content) = &mut self {
            change(entry, content);
        }
        self
    }

    /// A file that is listed with another size than it has.
    pub(super) fn listed_with(self, listed: u64) -> Self {
        self.with(|entry, _| entry.kind = EntryKind::File { size: listed })
    }

    /// A file that asks this when it is opened.
    pub(super) fn on_open(
        self,
        open: impl Fn() -> Result<(), Trouble> + Send + Sync + 'static,
    ) -> Self {
        self.with(|_, content| content.open = Arc::new(open))
    }

    /// A file that asks this before each read.
    pub(super) fn on_read(
        self,
        read: impl Fn(usize) -> Result<(), Trouble> + Send + Sync + 'static,
    ) -> Self {
        self.with(|_, content| content.read = Arc::new(read))
    }
}

impl MemoryTree {
    pub(super) fn new(things: Vec<Thing>) -> Self {
        let list = Arc::new(|_| Ok(()));
        Self { things: Arc::new(things), opened: Arc::default(), list }
    }

    /// A tree that asks this before it lists the `n`th thing.
    pub(super) fn on_list(
        mut self,
        list: impl Fn(usize) -> Result<(), Trouble> + Send + Sync + 'static,
    ) -> Self {
        self.list = Arc::new(list);
        self
    }

    /// How many files were opened.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(SeqCst)
    }

    /// What should be restored of it, in the shape of [`MemoryTarget::content`].
    pub(super) fn content(&self) -> Hashed {
        hashed(self.files())
    }

    /// The entries with their contents.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Entry, &Vec<u8>)> {
        self.things.iter().filter_map(|thing| match thing {
            Thing::Entry(entry, content) => Some((entry, &content.bytes)),
            Thing::Fails(..) => None,
        })
    }
}

impl Tree for MemoryTree {
    type Entries = Box<dyn Iterator<Item = Result<Item, TreeError>> + Send>;

    fn entries(&self) -> Result<Self::Entries, TreeError> {
        let (things, opened, list) = (self.things.clone(), self.opened.clone(), self.list.clone());
        Ok(Box::new((0..things.len()).map(move |n| {
            let (entry, content) = match &things[n] {
                Thing::Entry(entry, content) => (entry.clone(), content.clone()),
                Thing::Fails(path, trouble) => {
                    return Err(TreeError { path: path.clone(), trouble: trouble.clone() });
                }
            };
            list(n).map_err(|trouble| TreeError { path: entry.path.clone(), trouble })?;
            let is_file = matches!(entry.kind, EntryKind::File { .. });
            let open = Opening { content, opened: opened.clone() };
            Ok(Item { entry, open: is_file.then(|| Box::new(open) as Box<dyn Open>) })
        })))
    }
}

struct Opening {
    content: Content,
    opened: Arc<AtomicUsize>,
}

impl Open for Opening {
    fn open(self: Box<Self>) -> Result<Box<dyn Read + Send>, Trouble> {
        self.opened.fetch_add(1, SeqCst);
        (self.content.open)()?;
        Ok(Box::new(Reading { content: self.content, at: 0 }))
    }
}

struct Reading {
    content: Content,
    at: usize,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.content.read)(self.at)?;
        let count = (&self.content.bytes[self.at..]).read(buffer)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// A target in memory, which refuses what a test wants it to.
#[derive(Default)]
pub(super) struct MemoryTarget {
    pub(super) placed: Arc<Mutex<Placed>>,
    /// Paths that can't be written.
    pub(super) refuses: BTreeMap<PathBuf, Trouble>,
    /// Called with the path of each entry.
    pub(super) on_write: Option<OnWrite>,
}

impl MemoryTarget {
    pub(super) fn content(&self) -> Hashed {
        hashed(self.placed.lock().unwrap().values().map(|(entry, content)| (entry, content)))
    }

    pub(super) fn bytes(&self, path: &str) -> Vec<u8> {
        self.placed.lock().unwrap()[Path::new(path)].1.clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.content().keys().map(|path| path.display().to_string()).collect()
    }

    fn place(&self, entry: &Entry, content: Vec<u8>) -> Result<(), Trouble> {
        self.ask(&entry.path)?;
        self.placed.lock().unwrap().insert(entry.path.clone(), (entry.clone(), content));
        Ok(())
    }

    fn ask(&self, path: &Path) -> Result<(), Trouble> {
        if let Some(on_write) = &self.on_write {
            on_write(path);
        }
        self.refuses.get(path).map_or(Ok(()), |trouble| Err(trouble.clone()))
    }
}

impl Target for MemoryTarget {
    type File = MemoryFile;

    fn directory(&self, path: &Path) -> Result<(), Trouble> {
        self.ask(path)
    }

    fn file(&self, entry: &Entry) -> Result<MemoryFile, Trouble> {
        self.ask(&entry.path)?;
        let EntryKind::File { size } = entry.kind else { panic!("no file") };
        let content = vec![0; usize::try_from(size).unwrap()];
        let (entry, placed) = (entry.clone(), self.placed.clone());
        Ok(MemoryFile { entry, content, written: BTreeMap::new(), placed })
    }

    fn symlink(&self, entry: &Entry) -> Result<(), Trouble> {
        self.place(entry, vec![])
    }

    fn hard_link(&self, entry: &Entry, existing: &Path) -> Result<(), Trouble> {
        let content = self.placed.lock().unwrap().get(existing).unwrap().1.clone();
        self.place(entry, content)
    }

    fn special(&self, entry: &Entry) -> Result<(), Trouble> {
        self.place(entry, vec![])
    }

    fn finish_directory(&self, entry: &Entry) -> Result<(), Trouble> {
        for child in self.placed.lock().unwrap().keys() {
            assert!(child.as_path() > entry.path.as_path() || !child.starts_with(&entry.path));
        }
        self.place(entry, vec![])
    }

    fn sync(&self) -> Result<(), Trouble> {
        Ok(())
    }
}

pub(super) struct MemoryFile {
    entry: Entry,
    content: Vec<u8>,
    /// The parts that were written, by their offset.
    written: BTreeMap<usize, usize>,
    placed: Arc<Mutex<Placed>>,
}

impl TargetFile for MemoryFile {
    fn write_at(&mut self, offset: u64, content: &[u8]) -> Result<(), Trouble> {
        let offset = usize::try_from(offset).unwrap();
        self.content[offset..][..content.len()].copy_from_slice(content);
        assert_eq!(self.written.insert(offset, content.len()), None, "each part once");
        Ok(())
    }

    fn commit(self) -> Result<(), Trouble> {
        let parts = self.written.iter().try_fold(0_usize, |end, (offset, length)| {
            (end == *offset).then(|| end.saturating_add(*length))
        });
        assert_eq!(parts, Some(self.content.len()), "all bytes, each once");
        self.placed.lock().unwrap().insert(self.entry.path.clone(), (self.entry, self.content));
        Ok(())
    }
}
