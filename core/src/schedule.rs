//! When backups run, which of their times were missed, and how long what they made is kept.
//!
//! A [`Recurrence`] says when a binding's backups are due. Each due time is a slot, and
//! [`plan`](slot::plan) gives each slot exactly one outcome. What a backup made gets its
//! expiry once, at its commit ([`retention::expiry`]); [`retention::plan`] says what goes now.

mod cron;
mod interval;
mod recurrence;
pub mod retention;
mod rules;
pub mod slot;

pub use interval::INTERVAL_MIN_S;
pub use recurrence::{InvalidRecurrence, Recurrence};
