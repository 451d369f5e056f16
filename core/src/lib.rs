//! Crossvault's decisions: every one a function from facts to an answer that explains itself.
//!
//! Nothing here awaits, reads a clock, draws a random number or touches the outside: an instant is
//! an argument called `now`, and whatever a decision must know is a fact that the caller read.

pub mod access;
pub mod alert;
pub mod audit;
pub mod authorization;
pub mod backup;
pub mod backup_policy;
pub mod catalog;
pub mod directory;
pub mod explain;
pub mod grant;
pub mod ids;
pub mod job;
pub mod offboarding;
pub mod policy;
pub mod quantity;
pub mod restore;
pub mod review;
pub mod schedule;
pub mod trail;
pub mod upkeep;
pub mod vault;
