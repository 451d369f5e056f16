//! Upkeep of a vault: the jobs that erase expired points and that give their space back.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{DataSource, PointId, VaultId},
    job::{self, Seal},
    quantity::Bytes,
};

/// How many points one erase job takes at most: its end fits one transaction.
pub const ERASE_POINTS_MAX: usize = 20;

/// Where an upkeep job stands.
pub type State = job::State<Sealed>;

/// Points of one source that go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erase {
    /// Their vault.
    pub vault: VaultId,
    /// The source that they were made of.
    pub source: DataSource,
    /// The points, at most [`ERASE_POINTS_MAX`].
    pub points: Vec<Erased>,
}

/// A point that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The point.
    pub point: PointId,
    /// When its content was read: part of its key.
    pub taken: chrono::DateTime<chrono::Utc>,
    /// How the vault names its data.
    pub snapshot: String,
}

/// A vault whose unused data goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prune {
    /// The vault.
    pub vault: VaultId,
}

/// What the platform says of finished upkeep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Points erased, or packs removed.
    pub removed: u64,
    /// Space given back.
    pub freed: Bytes,
}

impl Seal for Sealed {
    fn failed(&self) -> u64 {
        0
    }
}
