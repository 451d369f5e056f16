//! Cancelling cross-account backup of one account in one region, step by step.
//!
//! [`transition`] leads through the steps that are the backup management account's, in the order
//! in which nothing is lost: no new jobs, then no running ones, then no clients, and only then no
//! grant. [`plan`] shows all steps, those of the resource account among them. Neither is stored:
//! both start from what is so now. So cancelling stops and goes on anywhere, nothing can claim a
//! step that was not seen to be done, and an account that is added again starts afresh.
//!
//! Recovery points are no part of it: they stay, and stay restorable.
//!
//! Source: Cloud Backup, "Cross-account backup", "How to cancel cross-account backup".

mod cost;
mod machine;
mod plan;

pub use cost::{Cost, Item};
pub use machine::{Effect, Event, Illegal, Outcome, RunningJobs, State, transition};
pub use plan::{Facts, Plan, Points, Presence, Restorable, RoleFacts, Step, StepState, Task, plan};

#[cfg(test)]
mod tests;
