//! What a decision reads of a request: each thing once, and only when a rule asks for it.

use std::cell::OnceCell;

use super::literal::{Address, Instant};
use crate::policy::request::Context;

/// The condition keys that the policies name, by number.
#[derive(Debug, Default)]
pub(super) struct Keys {
    names: Vec<Box<str>>,
    /// How many colons separate the parts of a resource's name, at most.
    pub(super) colons: usize,
}

/// A condition key's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(usize);

impl Keys {
    pub(super) fn number(&mut self, name: &str) -> Key {
        let known = self.names.iter().position(|other| **other == *name);
        Key(known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len().saturating_sub(1)
        }))
    }
}

/// How many keys' values are kept: those that the policies name first.
const KEPT: usize = 4;

/// One request, as far as it was read.
pub(super) struct Facts<'a> {
    resource: &'a str,
    colons: OnceCell<[usize; COLONS]>,
    context: &'a Context,
    keys: &'a Keys,
    values: [OnceCell<Values<'a>>; KEPT],
}

impl<'a> Facts<'a> {
    pub(super) fn new(resource: &'a str, context: &'a Context, keys: &'a Keys) -> Self {
        let values = [const { OnceCell::new() }; KEPT];
        Self { resource, colons: OnceCell::new(), context, keys, values }
    }

    /// The resource's name.
    pub(super) fn resource(&self) -> &'a str {
        self.resource
    }

    /// A part of the resource's name, by number from 0, of which the last of `count` takes the
    /// rest, colons included.
    pub(super) fn part(&self, number: usize, count: usize) -> Option<&'a str> {
        let colons = self.colons.get_or_init(|| colons(self.resource, self.keys.colons));
        let from = match number.checked_sub(1) {
            Some(before) => colons.get(before)?.checked_add(1)?,
            None => 0,
        };
        let is_last = number.checked_add(1)? == count;
        let end = if is_last { self.resource.len() } else { *colons.get(number)? };
        self.resource.get(from..end)
    }

    /// Answers of the values of a key.
    pub(super) fn of<T>(&self, key: Key, answer: impl FnOnce(&Values<'a>) -> T) -> T {
        let read = || {
            let given = self.keys.names.get(key.0).map(|name| self.context.values(name));
            Values { given: given.unwrap_or_default(), ..Values::default() }
        };
        match self.values.get(key.0) {
            Some(kept) => answer(kept.get_or_init(read)),
            None => answer(&read()),
        }
    }
}

/// The values of one key; the first is read once, as the type that is asked for first.
#[derive(Default)]
pub(super) struct Values<'a> {
    given: &'a [String],
    first: OnceCell<Reading>,
}

#[derive(Clone, Copy)]
enum Reading {
    Date { loose: bool, date: Option<Instant> },
    Address(Option<Address>),
}

impl<'a> Values<'a> {
    /// They as texts.
    pub(super) fn texts(&self) -> &'a [String] {
        self.given
    }

    pub(super) fn date(&self, number: usize, text: &str, loose: bool) -> Option<Instant> {
        let read = || Instant::read(text, loose);
        if number > 0 {
            return read();
        }
        match *self.first.get_or_init(|| Reading::Date { loose, date: read() }) {
            Reading::Date { loose: was_loose, date } if was_loose == loose => date,
            Reading::Date { .. } | Reading::Address(_) => read(),
        }
    }

    pub(super) fn address(&self, number: usize, text: &str) -> Option<Address> {
        let read = || Address::read(text);
        if number > 0 {
            return read();
        }
        match *self.first.get_or_init(|| Reading::Address(read())) {
            Reading::Address(address) => address,
            Reading::Date { .. } => read(),
        }
    }
}

/// As many colons as may separate parts, in any language.
const COLONS: usize = 5;

/// Where the first colons of a text are, as many as are needed; a position past any text for those
/// that it lacks.
fn colons(text: &str, needed: usize) -> [usize; COLONS] {
    let mut found = [usize::MAX; COLONS];
    let mut places = found.iter_mut().take(needed);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
    for (word, start) in words.zip((0_usize..).step_by(8)) {
        let mut marks = marked(word);
        while marks != 0 {
            let Some(place) = places.next() else { return found };
            *place = start.saturating_add(marks.trailing_zeros() as usize / 8);
            marks &= marks.wrapping_sub(1);
        }
    }
    found
}

/// Marks the colons among eight bytes, each by its highest bit.
fn marked(word: u64) -> u64 {
    const REST: u64 = u64::from_le_bytes([0x7f; 8]);
    let differs = word ^ u64::from_le_bytes([b':'; 8]);
    // Any byte but zero has its highest bit, or gets it by this addition.
    !((differs & REST).wrapping_add(REST) | differs | REST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The parts are those that splitting makes.
        #[test]
        fn parts_are_as_split(name in "[a:é]{0,24}") {
            let (context, keys) = (Context::default(), Keys { colons: 5, ..Keys::default() });
            let facts = Facts::new(&name, &context, &keys);
            for count in [5, 6] {
                let split: Vec<&str> = name.splitn(count, ':').collect();
                let parts: Option<Vec<&str>> = (0..count).map(|n| facts.part(n, count)).collect();
                prop_assert_eq!(parts, (split.len() == count).then_some(split));
            }
        }
    }
}
