//! What oracles say of what comes of runs: nothing of honest ones, and what is wrong of others.

#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a panic, and seen")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks the rows that it is about")]

#[cfg(test)]
mod honest;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod story;
#[cfg(test)]
mod struck;
