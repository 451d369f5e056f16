//! What a restore could not give an entry that it wrote otherwise.

use std::{fmt, path::PathBuf};

/// How many warnings are kept word for word.
const KEPT_MAX: usize = 1000;

/// One thing that could not be restored with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The entry, relative to the target.
    pub path: PathBuf,
    /// What was not restored, such as "owner" or "extended attribute `user.origin`".
    pub what: String,
    /// What the file system said, if it was asked.
    pub reason: Option<String>,
}

/// The warnings of a restore: the first thousand, and how many there were in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// The first ones, in the order in which they arose.
    pub first: Vec<Warning>,
    /// How many there were, with those that were not kept.
    pub total: u64,
}

impl Warning {
    /// The whole entry was left out, because the target has no use or no right for it.
    pub(super) const SKIPPED: &str = "this socket or device";
    pub(super) const OWNER: &str = "owner";
    pub(super) const SET_ID: &str = "set-user-id and set-group-id, because the owner is another";
    pub(super) const MODE: &str = "mode";
    pub(super) const TIMES: &str = "times";
}

impl Warnings {
    pub(super) fn add(&mut self, warning: Warning) {
        self.total = self.total.saturating_add(1);
        if self.first.len() < KEPT_MAX {
            self.first.push(warning);
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: not restored: {}", self.path.display(), self.what)?;
        match &self.reason {
            Some(reason) => write!(formatter, " ({reason})"),
            None => Ok(()),
        }
    }
}
