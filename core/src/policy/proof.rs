//! The proof that the quick evaluator says what the reference says.
//!
//! Cases are made by chance from a seed: first a request, then policies of near misses of it. Both
//! evaluators must name the same statement in each. That the cases are worth something is proven in
//! turn: mistakes are planted in what the reference is asked, and each must be found soon.
//!
//! A long run of the first law:
//! `CROSSVAULT_CASES=1000000 cargo test --release -p crossvault-core policy::proof::equal`

#![expect(clippy::arithmetic_side_effects, reason = "an overflow ends the test, as it should")]

mod case;
mod chance;
mod equal;
mod explained;
mod generate;
mod mistakes;
mod relations;
mod values;
