//! The names of actions that are known, each with a small dense number.
//!
//! What is known decides nothing, it is only quick: a set of known actions is a few words of bits,
//! and a policy is matched against each of them once, when it is compiled.

use std::{cmp::Ordering, fmt, ops::Range, sync::LazyLock};

use super::{
    document::{Actions, Policy},
    pattern::ActionPattern,
    system,
};
use crate::{
    catalog::{self, Operation, Verb},
    ids::SourceKind,
};

/// The number of a known action in its [`Vocabulary`].
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionId(u16);

impl ActionId {
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Names of actions, numbered in the order of their lower case, so that a literal prefix is a range.
pub struct Vocabulary {
    names: Vec<Box<str>>,
    /// A hash table with open addressing: a name's number and one, or zero.
    slots: Box<[Slot]>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    /// Further bits of the hash, which spare a look at most names that are not the one.
    tag: u16,
    number: u16,
}

/// Some of the actions of one vocabulary.
#[derive(Clone, PartialEq, Eq)]
pub struct ActionSet(Box<[u64]>);

static PRODUCT: LazyLock<Vocabulary> = LazyLock::new(|| {
    let policies = system::system_policy_names().filter_map(system::system_policy);
    let patterns = policies.flat_map(Policy::statements).flat_map(|statement| {
        let (Actions::Only(patterns) | Actions::AllBut(patterns)) = &statement.actions;
        patterns
    });
    let written = patterns.map(ActionPattern::as_str).filter(|text| !text.contains(['*', '?']));
    let operations =
        SourceKind::ALL.into_iter().flat_map(|kind| Verb::ALL.map(|verb| Operation { kind, verb }));
    let needed = operations.flat_map(catalog::actions).copied();
    Vocabulary::of(written.chain(needed).chain(SourceKind::ALL.map(catalog::touch)))
});

impl Vocabulary {
    /// The most names that one may have; further ones are left out, and so are merely slower.
    const NAMES_MAX: usize = 60_000;

    /// The actions of the system policies and of the catalog.
    #[must_use]
    pub fn product() -> &'static Self {
        &PRODUCT
    }

    /// A vocabulary of these names; spellings that differ in case only are one action.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_by(|a, b| folded_order(a, b));
        names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        names.truncate(Self::NAMES_MAX);
        let size = names.len().saturating_mul(4).next_power_of_two();
        let mut slots = vec![Slot::default(); size].into_boxed_slice();
        for (number, name) in (1..).zip(&names) {
            let hash = Hash::of(name.as_bytes());
            let free = hash.places(size).find(|at| slots.get(*at).is_some_and(|s| s.number == 0));
            if let Some(slot) = free.and_then(|at| slots.get_mut(at)) {
                *slot = Slot { tag: hash.tag(), number };
            }
        }
        Self { names: names.into_iter().map(Into::into).collect(), slots }
    }

    /// The number of that action; names are compared without case.
    #[must_use]
    pub fn id(&self, action: &str) -> Option<ActionId> {
        let hash = Hash::of(action.as_bytes());
        for at in hash.places(self.slots.len()) {
            let Slot { tag, number } = *self.slots.get(at)?;
            let id = ActionId(number.checked_sub(1)?);
            if tag == hash.tag() && self.name(id)?.eq_ignore_ascii_case(action) {
                return Some(id);
            }
        }
        None
    }

    /// The name of that number as it was given; none if the number is of another vocabulary.
    #[must_use]
    pub fn name(&self, id: ActionId) -> Option<&str> {
        self.names.get(id.index()).map(AsRef::as_ref)
    }

    /// How many actions are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no action is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// A set without any action.
    #[must_use]
    pub fn none(&self) -> ActionSet {
        ActionSet(vec![0; self.names.len().div_ceil(64)].into_boxed_slice())
    }

    /// The set of all actions.
    #[must_use]
    pub fn all(&self) -> ActionSet {
        let mut set = self.none();
        self.ids().for_each(|id| set.insert(id));
        set
    }

    /// The set of all actions but those.
    pub(super) fn all_but(&self, those: &ActionSet) -> ActionSet {
        let mut set = self.all();
        set.take_out(those);
        set
    }

    /// All numbers, in their order.
    pub fn ids(&self) -> impl Iterator<Item = ActionId> + use<> {
        numbers(0..self.names.len())
    }

    /// The set of these actions, or the first that is not known.
    ///
    /// # Errors
    /// The name of that action.
    pub fn set<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a str>,
    ) -> Result<ActionSet, &'a str> {
        let mut set = self.none();
        for action in actions {
            set.insert(self.id(action).ok_or(action)?);
        }
        Ok(set)
    }

    /// The names of a set's actions, in their order.
    pub fn names<'v>(&'v self, set: &'v ActionSet) -> impl Iterator<Item = &'v str> {
        set.iter().filter_map(|id| self.name(id))
    }

    /// Those actions whose name begins so, in any case, with their names.
    pub(super) fn starting_with(&self, head: &str) -> impl Iterator<Item = (ActionId, &str)> {
        let from = self.names.partition_point(|name| start_order(name, head).is_lt());
        let end = self.names.partition_point(|name| start_order(name, head).is_le());
        numbers(from..end)
            .zip(self.names.get(from..end).unwrap_or_default().iter().map(AsRef::as_ref))
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.names).finish()
    }
}

fn numbers(range: Range<usize>) -> impl Iterator<Item = ActionId> {
    range.filter_map(|number| u16::try_from(number).ok()).map(ActionId)
}

fn folded_order(a: &str, b: &str) -> Ordering {
    let folded =
        |text: &'_ str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    folded(a).cmp(&folded(b))
}

/// How the beginning of a name stands to a text of that length.
fn start_order(name: &str, head: &str) -> Ordering {
    let fold = |byte: u8| byte.to_ascii_lowercase();
    name.bytes().take(head.len()).map(fold).cmp(head.bytes().map(fold))
}

/// A hash of a name that does not depend on the case of its letters.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn of(name: &[u8]) -> Self {
        // An odd number without pattern: the golden ratio's fraction.
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        // Sets the bit by which upper and lower case differ. That it confuses other characters
        // too is harmless: names are compared in the end.
        const FOLD: u64 = 0x2020_2020_2020_2020;
        let take = |hash: u64, word: u64| (hash.rotate_left(23) ^ (word | FOLD)).wrapping_mul(MIX);
        let (words, _) = name.as_chunks::<8>();
        let whole = words
            .iter()
            .fold(name.len() as u64, |hash, word| take(hash, u64::from_le_bytes(*word)));
        // The last eight bytes hold what does not fill a word, a few of them a second time.
        let hash = match name.last_chunk::<8>() {
            Some(last) => take(whole, u64::from_le_bytes(*last)),
            None => name.iter().fold(whole, |hash, byte| take(hash, u64::from(*byte))),
        };
        Self(hash ^ (hash >> 32))
    }

    fn tag(self) -> u16 {
        let [.., high, low] = self.0.to_le_bytes();
        u16::from_le_bytes([high, low])
    }

    /// Where to look for it in a table of that size, a power of two.
    fn places(self, size: usize) -> impl Iterator<Item = usize> {
        let mask = size.wrapping_sub(1);
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        let first = u32::from_le_bytes([a, b, c, d]) as usize;
        (0..size).map(move |step| first.wrapping_add(step) & mask)
    }
}

impl ActionSet {
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// Adds an action of the same vocabulary.
    pub fn insert(&mut self, id: ActionId) {
        if let Some(word) = self.0.get_mut(id.index() / 64) {
            *word |= 1 << (id.index() % 64);
        }
    }

    /// Adds all actions of another set of the same vocabulary.
    pub(super) fn put_in(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Takes an action out.
    pub fn remove(&mut self, id: ActionId) {
        if let Some(word) = self.0.get_mut(id.index() / 64) {
            *word &= !(1 << (id.index() % 64));
        }
    }

    /// Takes out all actions of another set of the same vocabulary.
    pub fn take_out(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    /// Whether the action is in it.
    #[must_use]
    pub fn contains(&self, id: ActionId) -> bool {
        self.0.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many actions are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().fold(0, |sum, word| sum.saturating_add(word.count_ones() as usize))
    }

    /// Whether an action is in both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// The actions, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = ActionId> {
        self.0.iter().zip((0..).step_by(64)).flat_map(|(word, first)| Bits(*word, first))
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|id| id.0)).finish()
    }
}

/// The set bits of a word, as actions from that number on.
struct Bits(u64, u16);

impl Iterator for Bits {
    type Item = ActionId;
    fn next(&mut self) -> Option<ActionId> {
        let bit = u16::try_from(self.0.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
        self.0 &= self.0.wrapping_sub(1);
        self.1.checked_add(bit).map(ActionId)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_product_knows_what_its_policies_and_its_catalog_name() {
        let known = Vocabulary::product();
        for action in ["nas:DescribeFileSystems", "OTS:getrange", "sts:AssumeRole"] {
            assert!(known.id(action).is_some(), "{action}");
        }
        for action in ["", "nas:", "nas:DescribeFileSystem", "nas\u{1a}DescribeFileSystems", "é"] {
            assert_eq!(known.id(action), None, "{action}");
        }
        let names: Vec<_> = (0..known.len()).map(|n| known.names[n].to_lowercase()).collect();
        assert!(names.is_sorted() && names.len() > 99);
    }

    #[test]
    fn a_name_is_found_by_its_number_and_its_number_by_the_name() {
        let known = Vocabulary::product();
        for id in numbers(0..known.len()) {
            let name = known.name(id).unwrap();
            assert_eq!(known.id(&name.to_uppercase()), Some(id));
        }
        assert_eq!(known.name(ActionId(u16::MAX)), None);
    }

    proptest! {
        /// A literal prefix stands for the names that begin so.
        #[test]
        fn a_prefix_is_a_range(names in prop::collection::vec("[a-cA-C:]{0,5}", 0..40), head in "[a-cA-C:]{0,3}") {
            let known = Vocabulary::of(names.iter().map(String::as_str));
            let quick: Vec<&str> = known.starting_with(&head).map(|(_, name)| name).collect();
            let plain: Vec<&str> = known.names.iter().map(AsRef::as_ref)
                .filter(|name| name.to_lowercase().starts_with(&head.to_lowercase())).collect();
            prop_assert_eq!(quick, plain);
        }

        /// A set holds what was put in and not taken out.
        #[test]
        fn a_set_is_a_set(in_it in prop::collection::btree_set(0u16..200, 0..30), out in 0u16..200) {
            let names: Vec<String> = (0..200).map(|n| format!("a:{n:03}")).collect();
            let known = Vocabulary::of(names.iter().map(String::as_str));
            let mut set = known.none();
            for n in &in_it {
                set.insert(ActionId(*n));
            }
            prop_assert_eq!(set.len(), in_it.len());
            set.remove(ActionId(out));
            let expected: Vec<u16> = in_it.iter().copied().filter(|n| *n != out).collect();
            prop_assert_eq!(set.iter().map(|id| id.0).collect::<Vec<_>>(), expected);
            prop_assert!(!set.contains(ActionId(out)));
        }
    }
}
