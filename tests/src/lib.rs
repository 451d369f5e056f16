//! What tests of several kinds share.

pub mod memory_store;
pub mod platform;
pub mod sweep;
