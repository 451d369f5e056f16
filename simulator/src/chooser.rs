//! The one source of nondeterminism: every choice of a run is asked for here.

mod chance;
mod exhaustive;
mod only;
mod priority;
mod random;
mod recorder;
mod replay;
mod words;

pub use chance::Chance;
pub use exhaustive::Exhaustive;
pub use only::{Allowed, Only, UnknownFault};
pub use priority::Priority;
pub use random::{Random, Swarm};
pub use recorder::{Asked, Recorder};
pub use replay::{Deviations, Replay};
pub use words::{Choice, Deviation, Nameless, Names, Place, Unreadable};

use crate::cloud::mix;

/// What is decided. It names what is decided about and never counts draws, so that one deviation
/// less leaves every other choice as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is decided for: an invocation or a delivery, by its handler, its subject and which of
    /// that subject's it is.
    pub of: Name,
    /// Which of the invocation's calls, from 0; 0 where it is about no call.
    pub call: u32,
    /// The kind of decision.
    pub what: What,
}

/// The name of an invocation or a delivery, as a number that is the same in every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u64);

impl Name {
    /// The name of a subject's nth invocation of a handler, or of its nth delivery, from 1. By it
    /// files name what they are about in words: the rule never changes.
    #[must_use]
    pub fn of(kind: &str, subject: &str, nth: u32) -> Self {
        Self(mix(Self::of_subject(kind, subject) ^ u64::from(nth)))
    }

    /// What all names of one subject begin with.
    pub(crate) fn of_subject(kind: &str, subject: &str) -> u64 {
        // Each text with its length, so that no letter can change sides.
        [kind, subject].into_iter().fold(0, |hash, text| {
            let (words, rest) = text.as_bytes().as_chunks::<8>();
            let hash = words.iter().fold(hash, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
            let hash = rest.iter().fold(hash, |hash, byte| mix(hash ^ u64::from(*byte)));
            mix(hash ^ u64::try_from(text.len()).unwrap_or(u64::MAX))
        })
    }
}

/// A kind of decision, and so what its options mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// What happens to a call: a [`crate::fault::Fault`].
    Fault,
    /// What happens to a delivery: a [`crate::fault::Mishap`].
    Mishap,
    /// How wrong an invocation's clock is: a [`crate::fault::Skew`].
    Skew,
}

/// The options that are open, as a set of numbers below 64; 0, where nothing happens, always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options(u64);

impl Options {
    /// Only the boring one.
    pub const BORING: Self = Self(1);

    /// These options, and the boring one.
    #[must_use]
    pub fn of(options: impl IntoIterator<Item = u8>) -> Self {
        options.into_iter().fold(Self::BORING, Self::and)
    }

    /// One more option, below 64.
    #[must_use]
    pub fn and(self, option: u8) -> Self {
        Self(self.0 | 1_u64.checked_shl(option.into()).unwrap_or(1))
    }

    /// Whether an option is open.
    #[must_use]
    pub fn has(self, option: u8) -> bool {
        1_u64.checked_shl(option.into()).is_some_and(|bit| self.0 & bit != 0)
    }

    /// The options in both sets.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0 | 1)
    }

    /// Those that are not boring, in order.
    pub fn deviations(self) -> impl Iterator<Item = u8> {
        (1..64).filter(move |option| self.has(*option))
    }
}

/// Who decides.
pub trait Chooser {
    /// Decides: one of the options that are open, 0 for nothing out of the ordinary.
    fn choose(&mut self, key: Key, options: Options) -> u8;

    /// Whether it always decides for the boring option: then it need not be asked.
    fn is_boring(&self) -> bool {
        false
    }
}

impl<C: Chooser> Chooser for &mut C {
    fn choose(&mut self, key: Key, options: Options) -> u8 {
        (**self).choose(key, options)
    }
    fn is_boring(&self) -> bool {
        (**self).is_boring()
    }
}

/// Nothing ever happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boring;

impl Chooser for Boring {
    fn choose(&mut self, _: Key, _: Options) -> u8 {
        0
    }
    fn is_boring(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_differ_by_kind_subject_and_number() {
        let parts = [("job", "a", 1), ("job", "a", 2), ("joba", "", 1), ("", "joba", 1)];
        let more = [("job", "b", 1), ("api", "a", 1), ("job", "job-12345678", 1), ("", "", 1)];
        let of = |(kind, subject, nth)| Name::of(kind, subject, nth);
        let names: BTreeSet<Name> = parts.into_iter().chain(more).map(of).collect();
        assert_eq!(names.len(), 8);
    }

    /// Scenario files stay valid only as long as names do.
    #[test]
    fn a_name_stays_what_it_is() {
        assert_eq!(
            Name::of("job", "job-00000000000000000001", 2),
            Name(16_680_349_788_624_235_486)
        );
    }
}
