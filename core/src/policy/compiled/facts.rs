//! What a decision reads of a request: each thing once, and only when a rule asks for it.

use std::cell::OnceCell;

use super::literal::{Address, Instant};
use crate::policy::request::Context;

/// The condition keys that the policies name, by number.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Box<str>>);

/// A condition key's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(usize);

impl Keys {
    pub(super) fn number(&mut self, name: &str) -> Key {
        let known = self.0.iter().position(|other| **other == *name);
        Key(known.unwrap_or_else(|| {
            self.0.push(name.into());
            self.0.len().saturating_sub(1)
        }))
    }
}

/// How many keys' values are kept: those that the policies name first.
const KEPT: usize = 8;

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
        let colons = self.colons.get_or_init(|| colons(self.resource));
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
            let given = self.keys.0.get(key.0).map(|name| self.context.values(name));
            Values { given: given.unwrap_or_default(), ..Values::default() }
        };
        match self.values.get(key.0) {
            Some(kept) => answer(kept.get_or_init(read)),
            None => answer(&read()),
        }
    }
}

/// The values of one key; what the first of them is, is read once.
#[derive(Default)]
pub(super) struct Values<'a> {
    given: &'a [String],
    date: OnceCell<Option<Instant>>,
    loose_date: OnceCell<Option<Instant>>,
    address: OnceCell<Option<Address>>,
}

impl<'a> Values<'a> {
    /// They as texts.
    pub(super) fn texts(&self) -> &'a [String] {
        self.given
    }

    pub(super) fn date(&self, number: usize, text: &str, loose: bool) -> Option<Instant> {
        let kept = if loose { &self.loose_date } else { &self.date };
        once(kept, number, || Instant::read(text, loose))
    }

    pub(super) fn address(&self, number: usize, text: &str) -> Option<Address> {
        once(&self.address, number, || Address::read(text))
    }
}

fn once<T: Copy>(kept: &OnceCell<T>, number: usize, read: impl FnOnce() -> T) -> T {
    if number == 0 { *kept.get_or_init(read) } else { read() }
}

/// As many colons as may separate parts, in any language.
const COLONS: usize = 5;

/// Where the first colons of a text are; a position past any text for those that it lacks.
fn colons(text: &str) -> [usize; COLONS] {
    let mut found = [usize::MAX; COLONS];
    let mut places = found.iter_mut();
    for (at, byte) in text.bytes().enumerate() {
        if byte == b':' {
            let Some(place) = places.next() else { break };
            *place = at;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The parts are those that splitting makes.
        #[test]
        fn parts_are_as_split(name in "[a:é]{0,12}") {
            let (context, keys) = (Context::default(), Keys::default());
            let facts = Facts::new(&name, &context, &keys);
            for count in [5, 6] {
                let split: Vec<&str> = name.splitn(count, ':').collect();
                let parts: Option<Vec<&str>> = (0..count).map(|n| facts.part(n, count)).collect();
                prop_assert_eq!(parts, (split.len() == count).then_some(split));
            }
        }
    }
}
