//! What people do in a run, and when.

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, DataSource},
    restore::Overwrite,
};
use crossvault_handlers::api;

use crate::{cloud::Size, world};

/// Something that somebody does at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Its number, unique in a scenario: what it asks of Crossvault is asked under the token
    /// `act-<number>`, so that what becomes of it has the same name however many others are left out.
    pub id: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub action: Action,
}

/// What somebody does. What has lost its subject is skipped, so every part of a script is one.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// An account's administrator does something in the cloud.
    Does(world::Command),
    /// A source comes into being, with this much in it.
    Opens {
        /// The source.
        source: DataSource,
        /// How much it holds.
        size: Size,
    },
    /// Users change what a source holds.
    Edits(DataSource),
    /// Somebody asks Crossvault; repeated with the same token until there is an answer.
    Asks {
        /// Who: the backup management account, or one that may not.
        caller: AccountId,
        /// For what.
        command: api::Command,
    },
    /// The management account restores the newest point of a source.
    Restores {
        /// The source whose point it is.
        of: DataSource,
        /// The source that is written into.
        to: DataSource,
        /// The folder below the target's root; empty for the root itself.
        into: String,
        /// What happens to files that are in the way.
        overwrite: Overwrite,
    },
    /// It cancels the newest job of a source.
    Cancels(DataSource),
    /// It deletes the oldest point of a source.
    Deletes(DataSource),
    /// Expired points go now, not only at the day's time.
    Retains,
    /// All grants are reviewed now, not only at the day's time.
    Reviews,
    /// Nothing; time passes until then.
    Waits,
}
