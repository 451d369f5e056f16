//! Crossvault's ports on one machine: SQLite state, restic-format vaults, a local multi-account
//! world whose data is real.

pub mod files;
pub mod vault;
