//! Choices that were made before: what deviates from the boring run.

use std::collections::BTreeMap;

use super::{Chooser, Key, Options};

/// What deviates from the boring run: all other choices are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deviations(pub BTreeMap<Key, u8>);

/// Makes the same choices again.
#[derive(Clone, Debug, Default)]
pub struct Replay(pub Deviations);

impl Chooser for Replay {
    fn choose(&mut self, key: Key, _: Options) -> u8 {
        self.0.0.get(&key).copied().unwrap_or(0)
    }
}
