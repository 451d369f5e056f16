//! Bounded model checking of the handlers as they are: every state at rest of a small world.
//!
//! A state is the cloud between two functions, with what is planned: messages, ticks, the stream,
//! acts not yet done, faults left. From each, one planned thing happens next, in every order: of what
//! is due at one instant any comes first, and an act comes at any moment. Then the function it
//! triggers runs to its end, once for each set of faults that it can meet within the bound, by
//! running it again from the state. States that are [alike](print) are visited once.
//!
//! No call takes time here, so that instants are few and come again; only order is searched.
//!
//! A function may freeze at one of its calls while others run, and go on at any later moment: so two
//! functions overlap, with one switch back and forth. A function can't be copied, so such a state is
//! kept as the way to it from the last state without one.
//!
//! What must hold is asked of all oracles at each step. Where everything has come to rest, faults
//! stop, the day's upkeep runs, and everything must hold; and from every state the way without
//! further faults must lead there.

mod ahead;
mod print;
mod report;
mod search;
mod world;

pub use report::{Broken, ModelReport};
pub use search::check;

use chrono::{DateTime, Utc};

use crate::scenario::Scenario;

/// A world to be searched, and how far.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name.
    pub name: &'static str,
    /// How it is set up, and what people may do at any moment.
    pub scenario: Scenario,
    /// How many faults strike on a way, at most.
    pub faults: usize,
    /// Which faults, as [`crate::chooser::Allowed`] reads them.
    pub strikes: &'static str,
    /// Up to when things happen.
    pub until: DateTime<Utc>,
    /// How many states are visited before it is given up.
    pub states_max: usize,
}
