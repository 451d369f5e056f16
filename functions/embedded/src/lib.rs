//! Crossvault's ports on one machine: SQLite state, restic-format vaults, a local multi-account
//! world whose data is real.
//!
//! One type, [`Embedded`], implements all ports, one file a port. [`Runtime`] runs the functions
//! on it in one process.

pub mod files;
pub mod home;
pub mod platform;
pub mod runtime;
pub mod socket;
pub mod store;
pub mod vault;
pub mod world;

mod directory;
mod events;
mod hearing;
mod identity;
mod queue;
mod sources;
mod touch;
mod transfers;
mod vaults;

pub use hearing::hear;
pub use platform::{Embedded, OpenError, Settings};
pub use runtime::Runtime;
