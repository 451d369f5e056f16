//! Crossvault's simulated multi-account cloud, and the runs of the handlers in it.
//!
//! The handlers run unchanged. Each call of a port is a [`call::Request`] that the one who owns the
//! [`cloud::Cloud`] carries out: time, order, faults and crashes are chosen there and nowhere else,
//! by a [`chooser::Chooser`], so that a run is its script and its choices.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "who looks on looks for the few calls, facts and rows that it is about"
)]

pub mod call;
pub mod chooser;
pub mod cloud;
pub mod coverage;
pub mod determinism;
pub mod exhaust;
pub mod fault;
pub mod generate;
pub mod model;
pub mod model_check;
pub mod oracle;
#[cfg(feature = "planted")]
pub mod planted;
pub mod ports;
pub mod refusal;
pub mod run;
pub mod scenario;
pub mod script;
pub mod shrink;
pub mod state;
pub mod story;
pub mod sweep;
pub mod timeline;
pub mod trace;
pub mod world;
