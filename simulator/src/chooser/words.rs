//! Deviations in words: what a scenario file holds, so that a person reads what goes wrong and no
//! hash is ever written down.

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::{DateTime, Utc};

use super::{Deviations, Key, Name, What};
use crate::{
    cloud::Cloud,
    fault::{Fault, Mishap, Skew},
    run::{Event, Violation, Watch},
};

/// An invocation or a delivery, as a person points at it: `job job-12 2`, `stream 3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The handler's name; `delivery` or `stream` for a delivery.
    pub kind: String,
    /// What it is about; empty where there is only one thing.
    pub subject: String,
    /// Which of its subject's it is, from 1.
    pub nth: u32,
}

impl Place {
    /// The same as a number.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::of(&self.kind, &self.subject, self.nth)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, subject, nth } = self;
        if subject.is_empty() {
            write!(f, "{kind} {nth}")
        } else {
            write!(f, "{kind} {subject} {nth}")
        }
    }
}

impl FromStr for Place {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = || Unreadable::Place { text: text.to_owned() };
        let (kind, rest) = text.split_once(' ').ok_or_else(unreadable)?;
        let (subject, nth) = rest.rsplit_once(' ').unwrap_or(("", rest));
        let nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(unreadable)?;
        Ok(Self { kind: kind.to_owned(), subject: subject.to_owned(), nth })
    }
}

/// What is chosen in place of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// A call meets a fault.
    Fault {
        /// Which of the invocation's calls, from 0.
        call: u32,
        /// What happens to it.
        fault: Fault,
    },
    /// Something happens to the delivery.
    Mishap(Mishap),
    /// The invocation's clock is wrong.
    Skew(Skew),
}

/// One deviation in words: `job job-12 2, call 7: crash-after`, `delivery job-12 1: lost`,
/// `schedule 3, clock: behind`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deviation {
    /// Where.
    pub at: Place,
    /// What.
    pub choice: Choice,
}

/// Why a text is no deviation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing says what is chosen, or for which call.
    #[error(
        "`{text}` is no deviation; expected `<handler> <subject> <nth>, call <n>: <fault>`, \
         `<handler> <subject> <nth>, clock: <skew>` or `delivery <subject> <nth>: <mishap>`"
    )]
    Form {
        /// What was written.
        text: String,
    },
    /// What it is about can't be read.
    #[error("`{text}` names no invocation; expected `<handler> <subject> <nth>`, nth from 1")]
    Place {
        /// What was written.
        text: String,
    },
    /// Nothing of that name can be chosen there.
    #[error("`{name}` is none of: {}", known(*what))]
    Name {
        /// What was written.
        name: String,
        /// What is chosen there.
        what: What,
    },
}

/// A deviation whose place was not told of: another run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a deviation is about an invocation or a delivery that was not met")]
pub struct Nameless(pub Key);

impl Deviation {
    /// The decision that it is about.
    #[must_use]
    pub fn key(&self) -> Key {
        let (call, what) = match self.choice {
            Choice::Fault { call, .. } => (call, What::Fault),
            Choice::Mishap(_) => (0, What::Mishap),
            Choice::Skew(_) => (0, What::Skew),
        };
        Key { of: self.at.name(), call, what }
    }

    /// The option that is chosen.
    #[must_use]
    pub fn option(&self) -> u8 {
        match self.choice {
            Choice::Fault { fault, .. } => fault as u8,
            Choice::Mishap(mishap) => mishap as u8,
            Choice::Skew(skew) => skew as u8,
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.at;
        match self.choice {
            Choice::Fault { call, fault } => write!(f, "{at}, call {call}: {}", fault.name()),
            Choice::Mishap(mishap) => write!(f, "{at}: {}", mishap.name()),
            Choice::Skew(skew) => write!(f, "{at}, clock: {}", skew.name()),
        }
    }
}

impl FromStr for Deviation {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let form = || Unreadable::Form { text: text.to_owned() };
        let (place, name) = text.rsplit_once(": ").ok_or_else(form)?;
        if ["delivery ", "stream "].iter().any(|kind| place.starts_with(kind)) {
            let mishap = of(Mishap::ALL, Mishap::name, name, What::Mishap)?;
            return Ok(Self { at: place.parse()?, choice: Choice::Mishap(mishap) });
        }
        let (place, which) = place.rsplit_once(", ").ok_or_else(form)?;
        let choice = if which == "clock" {
            Choice::Skew(of(Skew::ALL, Skew::name, name, What::Skew)?)
        } else {
            let call = which.strip_prefix("call ").and_then(|call| call.parse().ok());
            let fault = of(Fault::ALL, Fault::name, name, What::Fault)?;
            Choice::Fault { call: call.ok_or_else(form)?, fault }
        };
        Ok(Self { at: place.parse()?, choice })
    }
}

fn of<T: Copy, const N: usize>(
    all: [T; N],
    name_of: fn(T) -> &'static str,
    name: &str,
    what: What,
) -> Result<T, Unreadable> {
    let found = all.into_iter().find(|one| name_of(*one) == name);
    found.ok_or_else(|| Unreadable::Name { name: name.to_owned(), what })
}

fn known(what: What) -> String {
    match what {
        What::Fault => Fault::ALL.map(Fault::name).join(", "),
        What::Mishap => Mishap::ALL.map(Mishap::name).join(", "),
        What::Skew => Skew::ALL.map(Skew::name).join(", "),
    }
}

impl FromIterator<Deviation> for Deviations {
    fn from_iter<I: IntoIterator<Item = Deviation>>(deviations: I) -> Self {
        let pairs = deviations.into_iter().map(|one| (one.key(), one.option()));
        Self(pairs.collect())
    }
}

/// A watcher that learns which place a name stands for.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<Name, Place>);

impl Names {
    /// The place of that name; none when it was not met.
    #[must_use]
    pub fn place(&self, name: Name) -> Option<&Place> {
        self.0.get(&name)
    }

    /// The deviations of a run in words, in the order of their places.
    ///
    /// # Errors
    /// [`Nameless`] when this watched another run.
    pub fn tell(&self, deviations: &Deviations) -> Result<Vec<Deviation>, Nameless> {
        let tell = |(key, option): (&Key, &u8)| {
            let at = self.place(key.of).ok_or(Nameless(*key))?.clone();
            let choice = match key.what {
                What::Fault => Choice::Fault { call: key.call, fault: Fault::of(*option) },
                What::Mishap => Choice::Mishap(Mishap::of(*option)),
                What::Skew => Choice::Skew(Skew::of(*option)),
            };
            Ok(Deviation { at, choice })
        };
        let mut told: Vec<Deviation> = deviations.0.iter().map(tell).collect::<Result<_, _>>()?;
        told.sort();
        Ok(told)
    }

    fn learn(&mut self, name: Name, kind: &str, subject: String, nth: u32) {
        self.0.insert(name, Place { kind: kind.to_owned(), subject, nth });
    }
}

impl Watch for Names {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Began { name, trigger, nth, .. } => {
                self.learn(*name, trigger.handler().name(), trigger.subject(), *nth);
            }
            Event::Struck { name, kind, trigger, nth, .. } => {
                self.learn(*name, kind, trigger.subject(), *nth);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, subject: &str, choice: Choice) {
        let deviation: Deviation = text.parse().unwrap();
        assert_eq!(deviation.to_string(), text);
        assert_eq!((deviation.at.subject.as_str(), deviation.choice), (subject, choice));
        assert_eq!(deviation.key().of, Name::of(&deviation.at.kind, subject, deviation.at.nth));
    }

    #[test]
    fn what_is_written_reads_back() {
        let crash = Choice::Fault { call: 7, fault: Fault::CrashAfter };
        check("job job-12 2, call 7: crash-after", "job-12", crash);
        check("outbox 3, clock: far-behind", "", Choice::Skew(Skew::FarBehind));
        check("stream 3: late", "", Choice::Mishap(Mishap::Late));
        let in_region = "1000000000000002 in cn-hangzhou";
        check(&format!("delivery {in_region} 1: lost"), in_region, Choice::Mishap(Mishap::Lost));
        // A subject may look like what follows it.
        check("delivery a: b, call 1: twice", "a: b, call", Choice::Mishap(Mishap::Twice));
    }

    #[track_caller]
    fn refused(text: &str, says: &str) {
        let error = text.parse::<Deviation>().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told() {
        refused("job job-12 2, call 7", "is no deviation; expected `<handler>");
        refused("job job-12 2: slow", "is no deviation");
        refused("job job-12 2, call x: slow", "is no deviation");
        refused("job job-12, call 7: slow", "`job job-12` names no invocation");
        refused("job job-12 0, call 7: slow", "names no invocation");
        refused("job job-12 2, call 7: lost", "`lost` is none of: slow, very-slow");
        refused("stream 2: slow", "`slow` is none of: twice, late, lost, again");
        refused("job x 2, clock: slow", "`slow` is none of: behind, ahead");
    }

    #[test]
    fn a_name_that_was_not_met_is_no_text() {
        let key = Key { of: Name(7), call: 1, what: What::Fault };
        let told = Names::default().tell(&Deviations([(key, 1)].into()));
        assert_eq!(told, Err(Nameless(key)));
    }
}
