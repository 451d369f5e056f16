//! The handlers under a platform that fails in every way that a platform may.

#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a panic, and seen")]
#![expect(clippy::similar_names, reason = "a stage has a state, and tests look at both")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks the rows that it is about")]

#[cfg(test)]
mod concurrent;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod hints;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod review;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod step;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod words;
