//! Crossvault's decisions: every one a function from facts to an answer that explains itself.
//!
//! Nothing here awaits, reads a clock, draws a random number or touches the outside: an instant is
//! an argument called `now`, and whatever a decision must know is a fact that the caller read.

pub mod explain;
pub mod ids;
pub mod quantity;
