//! Crossvault's simulated multi-account cloud.

pub mod world;
