//! A part of the faults, for another chooser to choose from: what a user allows.

use std::str::FromStr;

use super::{Chooser, Key, Options, What};
use crate::fault::{Fault, Mishap, Skew};

/// What may go wrong; by default everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    faults: Options,
    mishaps: Options,
    skews: Options,
}

impl Allowed {
    /// Nothing may.
    pub const NOTHING: Self =
        Self { faults: Options::BORING, mishaps: Options::BORING, skews: Options::BORING };

    /// What may be chosen in decisions of that kind.
    #[must_use]
    pub fn of(self, what: What) -> Options {
        match what {
            What::Fault => self.faults,
            What::Mishap => self.mishaps,
            What::Skew => self.skews,
        }
    }

    /// All names, in the order of their numbers.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let faults = Fault::ALL.into_iter().map(Fault::name);
        let mishaps = Mishap::ALL.into_iter().map(Mishap::name);
        faults.chain(mishaps).chain(Skew::ALL.into_iter().map(Skew::name))
    }

    fn and(mut self, name: &str) -> Option<Self> {
        if let Some(fault) = Fault::ALL.into_iter().find(|fault| fault.name() == name) {
            self.faults = self.faults.and(fault as u8);
        } else if let Some(mishap) = Mishap::ALL.into_iter().find(|mishap| mishap.name() == name) {
            self.mishaps = self.mishaps.and(mishap as u8);
        } else {
            let skew = Skew::ALL.into_iter().find(|skew| skew.name() == name)?;
            self.skews = self.skews.and(skew as u8);
        }
        Some(self)
    }
}

impl Default for Allowed {
    fn default() -> Self {
        Self {
            faults: Options::of(Fault::ALL.map(|fault| fault as u8)),
            mishaps: Mishap::options(),
            skews: Skew::options(),
        }
    }
}

/// A name that nothing has which can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing that can go wrong is called `{name}`; known: {}", known())]
pub struct UnknownFault {
    /// What was written.
    pub name: String,
}

fn known() -> String {
    Allowed::names().collect::<Vec<_>>().join(", ")
}

/// Names with commas between them, such as `crash-before,lost`; an empty text allows nothing.
impl FromStr for Allowed {
    type Err = UnknownFault;
    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let mut names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.try_fold(Self::NOTHING, |allowed, name| {
            allowed.and(name).ok_or_else(|| UnknownFault { name: name.to_owned() })
        })
    }
}

/// Lets another chooser decide, among what is allowed.
#[derive(Clone, Debug)]
pub struct Only<C> {
    allowed: Allowed,
    chooser: C,
}

impl<C> Only<C> {
    /// A part of what the chooser has.
    pub fn new(allowed: Allowed, chooser: C) -> Self {
        Self { allowed, chooser }
    }

    /// The other chooser.
    pub fn into_inner(self) -> C {
        self.chooser
    }
}

impl<C: Chooser> Chooser for Only<C> {
    fn choose(&mut self, key: Key, options: Options) -> u8 {
        let open = options.within(self.allowed.of(key.what));
        let chosen = self.chooser.choose(key, open);
        if open.has(chosen) { chosen } else { 0 }
    }

    fn is_boring(&self) -> bool {
        self.chooser.is_boring()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chooser::{Deviations, Name, Replay};

    #[test]
    fn no_two_things_that_go_wrong_share_a_name() {
        let names: BTreeSet<_> = Allowed::names().collect();
        assert_eq!(names.len(), Allowed::names().count());
        assert!(!names.contains("none"));
    }

    #[test]
    fn all_names_together_allow_everything() {
        let all = Allowed::names().collect::<Vec<_>>().join(", ");
        assert_eq!(all.parse(), Ok(Allowed::default()));
        assert_eq!("".parse(), Ok(Allowed::NOTHING));
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_are_known() {
        let error = "lost,crash".parse::<Allowed>().unwrap_err().to_string();
        assert!(error.starts_with("nothing that can go wrong is called `crash`; known: slow, "));
        assert!(error.ends_with("far-behind, far-ahead"));
    }

    #[test]
    fn what_is_not_allowed_is_not_chosen_even_by_a_replay() {
        let key = Key { of: Name(1), call: 0, what: What::Fault };
        let made = Deviations([(key, Fault::CrashAfter as u8)].into());
        let choose = |allowed: &str| {
            let mut only = Only::new(allowed.parse().unwrap(), Replay(made.clone()));
            only.choose(key, Allowed::default().of(What::Fault))
        };
        assert_eq!(choose("crash-before,lost"), 0);
        assert_eq!(choose("crash-after"), Fault::CrashAfter as u8);
    }
}
