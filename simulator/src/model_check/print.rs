//! The print of a state: equal for states from which the same things can happen.
//!
//! Left out is what nothing ahead can tell apart: the stamps of rows (compared only with each other,
//! and by functions that run), sessions and transfers (they end with their functions), alerts that
//! were published (nobody reads them). Instants stay as they are: handlers go by the calendar, and
//! where no call takes time the same instants come again.

use chrono::{DateTime, Utc};
use crossvault_handlers::{ports::Stored, records::Key};
use serde::Serialize;

use crate::{
    cloud::{Cloud, Fact, Held, RowChange, Snapshot},
    run::{Violation, Watch},
};

/// The print of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Print(u128);

impl Print {
    /// The print of what can be written down.
    pub fn of(value: &impl Serialize) -> Self {
        let mut text = Vec::with_capacity(1024);
        if serde_json::to_writer(&mut text, value).is_err() {
            text.push(0);
        }
        Self::of_bytes(&text)
    }

    /// The print of what can only be shown.
    pub fn shown(value: &impl std::fmt::Debug) -> Self {
        Self::of_bytes(format!("{value:?}").as_bytes())
    }

    /// The print of two things in this order.
    pub fn then(self, other: Self) -> Self {
        let mut both = [0; 32];
        let halves = [self.0.to_le_bytes(), other.0.to_le_bytes()];
        both.iter_mut().zip(halves.as_flattened()).for_each(|(to, from)| *to = *from);
        Self::of_bytes(&both)
    }

    /// The print of a bag with one thing more.
    pub fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// The print of a bag with one thing less.
    fn without(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let mut print = [0; 16];
        blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut print);
        Self(u128::from_le_bytes(print))
    }
}

/// Keeps the prints of rows and of the world as they change, so that none is made twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Prints {
    rows: Print,
    world: Print,
    /// Which world the print is of.
    version: Option<u64>,
}

impl Prints {
    /// Of a cloud as it is.
    pub fn new(cloud: &Cloud) -> Self {
        let rows = cloud.rows.all().map(|(key, row)| of_row(key, row));
        Self { rows: rows.fold(Print::default(), Print::and), ..Self::default() }
    }

    /// The print of a cloud that was followed so far.
    pub fn of_cloud(&mut self, cloud: &Cloud) -> Print {
        let version = cloud.world.version();
        if self.version.replace(version) != Some(version) {
            self.world = Print::of(&cloud.world).then(Print::of(&cloud.wounds()));
        }
        self.rows.then(self.world).then(of_contents(cloud)).then(of_storage(cloud))
    }
}

impl Watch for Prints {
    fn fact(&mut self, _: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        if let Fact::Committed { changes, .. } = fact {
            for RowChange { key, before, after } in changes {
                let print = |row: &Option<_>| row.as_deref().map(|row| of_row(key, row));
                let rows = print(before).map_or(self.rows, |before| self.rows.without(before));
                self.rows = print(after).map_or(rows, |after| rows.and(after));
            }
        }
        Ok(())
    }
}

fn of_row(key: &Key, row: &Stored) -> Print {
    Print::shown(key).then(Print::of(&row.record))
}

fn of_contents(cloud: &Cloud) -> Print {
    let held = |Held { source, version, files }: &Held| Print::shown(&(source, version, files));
    cloud.contents.all().map(held).fold(Print::default(), Print::and)
}

fn of_storage(cloud: &Cloud) -> Print {
    let mut print = Print::default();
    for (vault, vaulted) in &cloud.storage.vaults {
        let blobs = Print::shown(&(vault, &vaulted.blobs));
        let of_snapshot = |snapshot: &Snapshot| blobs.then(Print::shown(snapshot));
        print =
            vaulted.snapshots.values().map(|of| of_snapshot(of)).fold(print.and(blobs), Print::and);
    }
    let restored = cloud.storage.restored.iter();
    restored.map(|of| Print::shown(&of)).fold(print, Print::and)
}
