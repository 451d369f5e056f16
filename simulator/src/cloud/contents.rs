//! What sources hold: for each file a seed and a length, from which every byte follows.
//!
//! So a terabyte costs 24 bytes, and each of its bytes can be checked.

use std::{collections::BTreeMap, sync::Arc};

use crossvault_core::ids::DataSource;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content {
    /// Where the bytes come from.
    pub seed: u64,
    /// How many there are.
    pub length: u64,
}

impl Content {
    /// The byte at an offset; none behind the end.
    #[must_use]
    pub fn byte(self, offset: u64) -> Option<u8> {
        let word = mix(self.seed ^ mix(offset >> 3));
        let of_word = usize::try_from(offset & 7).ok()?;
        word.to_le_bytes().get(of_word).copied().filter(|_| offset < self.length)
    }
}

/// A file of a source, an object, a row, a disk's block: whatever is moved in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File {
    /// Its name.
    pub name: u64,
    /// What it holds.
    pub content: Content,
}

/// What one source holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The source.
    pub source: DataSource,
    /// Counts up with each change.
    pub version: u32,
    /// Its files in the order of their names; none when the source is gone.
    pub files: Option<Arc<Vec<File>>>,
}

/// How much a new source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many files.
    pub files: u32,
    /// How long each is, in bytes.
    pub length: u64,
}

impl Default for Size {
    fn default() -> Self {
        Self { files: 3, length: 4096 }
    }
}

/// What all sources hold, by number.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    numbers: BTreeMap<DataSource, u32>,
    held: Vec<Held>,
    /// What the next source that is opened holds.
    pub size: Size,
}

impl Contents {
    /// The number of a source that was ever opened.
    #[must_use]
    pub fn number(&self, source: &DataSource) -> Option<u32> {
        self.numbers.get(source).copied()
    }

    /// What a source holds.
    #[must_use]
    pub fn held(&self, number: u32) -> Option<&Held> {
        self.held.get(usize::try_from(number).ok()?)
    }

    /// What a source holds, by its name.
    #[must_use]
    pub fn of(&self, source: &DataSource) -> Option<&Held> {
        self.held(self.number(source)?)
    }

    /// All sources that were ever opened.
    pub fn all(&self) -> impl Iterator<Item = &Held> {
        self.held.iter()
    }

    /// Fills a source that is new, or back.
    pub(super) fn open(&mut self, source: &DataSource) {
        let size = self.size;
        let seed = seed_of(source);
        let next = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(source.clone()).or_insert(next);
        if number == next {
            self.held.push(Held { source: source.clone(), version: 0, files: None });
        }
        let Some(held) = self.at(number).filter(|held| held.files.is_none()) else { return };
        held.version = held.version.saturating_add(1);
        let version = held.version;
        let file = |name| File { name, content: content(seed, name, version, size.length) };
        held.files = Some(Arc::new((0..u64::from(size.files)).map(file).collect()));
    }

    pub(super) fn close(&mut self, source: &DataSource) {
        if let Some(held) = self.number(source).and_then(|number| self.at(number)) {
            held.version = held.version.saturating_add(1);
            held.files = None;
        }
    }

    /// Changes about one file in eight and at least one; every fourth change adds a file, and every
    /// fifth takes one away. Returns the source's number; none when it holds nothing.
    pub(super) fn edit(&mut self, source: &DataSource) -> Option<u32> {
        let number = self.number(source)?;
        let seed = seed_of(source);
        let length = self.size.length;
        let held = self.at(number)?;
        let mut files = held.files.as_deref()?.clone();
        held.version = held.version.saturating_add(1);
        let version = held.version;
        let last = u64::try_from(files.len()).unwrap_or(u64::MAX).saturating_sub(1);
        let sure = pick(seed, version, last);
        for (n, file) in (0_u64..).zip(&mut files) {
            if n == sure || mix(seed ^ file.name ^ (u64::from(version) << 32)).is_multiple_of(8) {
                file.content = content(seed, file.name, version, file.content.length);
            }
        }
        if version.is_multiple_of(5) && files.len() > 1 {
            files.remove(usize::try_from(sure).unwrap_or(0));
        } else if version.is_multiple_of(4) {
            let name = files.last().map_or(0, |file| file.name.saturating_add(1));
            files.push(File { name, content: content(seed, name, version, length) });
        }
        held.files = Some(Arc::new(files));
        Some(number)
    }

    /// Puts one file, as a restore does.
    pub(super) fn put(&mut self, number: u32, file: File) {
        let Some(held) = self.at(number) else { return };
        let Some(files) = &mut held.files else { return };
        put(Arc::make_mut(files), file);
        held.version = held.version.saturating_add(1);
    }

    fn at(&mut self, number: u32) -> Option<&mut Held> {
        self.held.get_mut(usize::try_from(number).ok()?)
    }
}

/// Puts a file among others that are in the order of their names.
pub(crate) fn put(files: &mut Vec<File>, file: File) {
    if files.last().is_none_or(|last| last.name < file.name) {
        return files.push(file);
    }
    match files.binary_search_by_key(&file.name, |file| file.name) {
        Ok(place) => {
            if let Some(there) = files.get_mut(place) {
                *there = file;
            }
        }
        Err(place) => files.insert(place, file),
    }
}

fn content(seed: u64, name: u64, version: u32, length: u64) -> Content {
    Content { seed: mix(seed ^ mix(name) ^ mix(u64::from(version) << 20)), length }
}

fn pick(seed: u64, version: u32, last: u64) -> u64 {
    let drawn = mix(seed ^ u64::from(version));
    drawn.checked_rem(last.saturating_add(1)).unwrap_or(0)
}

fn seed_of(source: &DataSource) -> u64 {
    source.to_string().bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)))
}

/// A number that looks like chance and follows from another.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (`SplitMix64`).
#[must_use]
pub(crate) fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
