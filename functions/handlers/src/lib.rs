//! Crossvault's event handlers, and the ports through which they touch the world.
//!
//! A handler reads facts, asks `core`, stores the decision with its effects in one transaction,
//! and leaves sends to the outbox. It knows neither a cloud nor a runtime.

pub mod api;
mod authority;
pub mod directory;
pub mod enqueue;
pub mod erase;
pub mod facts;
pub mod fan_out;
pub mod job;
pub mod outbox;
pub mod points;
pub mod ports;
pub mod records;
pub mod retention;
pub mod review;
pub mod schedule;
mod standing;
