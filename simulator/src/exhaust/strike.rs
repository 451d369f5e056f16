//! Where something is decided, and what is chosen there: the rows and columns of the matrix.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    chooser::What,
    fault::{Fault, Mishap, Skew},
    run::{Handler, Site},
};

/// Where something is decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A call of a port.
    Call(Site),
    /// A message or an event on its way to a function.
    Delivery(Handler),
    /// The start of a function.
    Start(Handler),
}

impl Place {
    /// What can be chosen there at all.
    #[must_use]
    pub fn strikes(&self) -> Vec<Strike> {
        match self {
            Self::Call(_) => Fault::ALL.into_iter().map(Strike::Fault).collect(),
            Self::Delivery(_) => Mishap::ALL.into_iter().map(Strike::Mishap).collect(),
            Self::Start(_) => Skew::ALL.into_iter().map(Strike::Skew).collect(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(site) => f.pad(&site.to_string()),
            Self::Delivery(handler) => f.pad(&format!("{handler}: delivery")),
            Self::Start(handler) => f.pad(&format!("{handler}: start")),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What strikes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the thing of that name")]
pub enum Strike {
    Fault(Fault),
    Mishap(Mishap),
    Skew(Skew),
}

impl Strike {
    /// What an option means.
    #[must_use]
    pub fn of(what: What, option: u8) -> Self {
        match what {
            What::Fault => Self::Fault(Fault::of(option)),
            What::Mishap => Self::Mishap(Mishap::of(option)),
            What::Skew => Self::Skew(Skew::of(option)),
        }
    }

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.name(),
            Self::Mishap(mishap) => mishap.name(),
            Self::Skew(skew) => skew.name(),
        }
    }

    /// Whether all must come out as without it.
    #[must_use]
    pub fn is_recoverable(self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_recoverable(),
            Self::Mishap(_) | Self::Skew(_) => true,
        }
    }
}

impl Serialize for Strike {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What strikes where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Struck {
    /// Where.
    pub at: Place,
    /// What.
    pub by: Strike,
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.by.name(), self.at)
    }
}
