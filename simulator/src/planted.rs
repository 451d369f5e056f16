//! Mistakes that a handler could make, planted to see who finds them.
//!
//! A mistake of a handler is what the world sees of it. So it is not written into handlers: it sits
//! between a handler and its mailbox ([`crate::ports`]), where it edits what the handler asks, what it
//! is answered, or how often it is run. What no call shows, such as a wrong sum, is out of its reach;
//! mutants of `core` and `handlers` are for that.

mod accounts;
mod authority;
pub mod bugs;
mod desk;
mod edits;
mod jobs;
mod points;
mod slots;
mod told;

use std::{fmt, future::Future, pin::Pin};

use crossvault_core::ids::AccountId;
use crossvault_handlers::ports::Transaction;

pub use desk::Desk;
use desk::Memory;

use crate::{
    call::Request,
    ports::Answer,
    run::{Handler, Invariant, Trigger},
};

/// A mistake.
pub struct Mistake {
    /// Its number, by which files name it.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// What is wrong, in a sentence.
    pub story: &'static str,
    /// What it breaks.
    pub breaks: Invariant,
    /// Whose it is.
    of: &'static [Handler],
    way: Way,
}

/// Where a mistake sits.
enum Way {
    /// Something else is stored than what was decided.
    Stores(fn(&Desk, &mut Transaction)),
    /// An answer is taken for another.
    Hears(fn(&Desk, &Request, &mut Answer)),
    /// A call is made differently, often, or not at all.
    Calls(fn(Desk, Request) -> Answering),
    /// A message is deleted when it is received, and not when it is seen to.
    DeletesEarly,
    /// Who asks again does so under another token.
    AsksAnew,
}

/// An answer that is on its way.
type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

impl fmt::Debug for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.name)
    }
}

/// All mistakes, in the order of their numbers.
pub fn all() -> impl Iterator<Item = &'static Mistake> {
    let parts = [
        authority::MISTAKES,
        jobs::MISTAKES,
        slots::MISTAKES,
        points::MISTAKES,
        told::MISTAKES,
        accounts::MISTAKES,
    ];
    parts.into_iter().flatten()
}

/// The mistake of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Mistake> {
    all().find(|mistake| mistake.name == name)
}

/// A mistake in a run, with what its warm instances remember.
#[derive(Clone, Debug)]
pub struct Plant {
    mistake: &'static Mistake,
    memory: Memory,
}

impl Plant {
    /// Plants a mistake.
    #[must_use]
    pub fn new(mistake: &'static Mistake) -> Self {
        Self { mistake, memory: Memory::default() }
    }

    /// Where the calls of an invocation go, if the mistake is its.
    #[must_use]
    pub fn desk(&self, trigger: &Trigger, management: &AccountId) -> Option<Desk> {
        let is_its = self.mistake.of.contains(&trigger.handler());
        let desk = || Desk::new(self.mistake, self.memory.clone(), trigger, management.clone());
        is_its.then(desk)
    }
}

/// What comes again when a function has failed or died; none when it was deleted before.
#[must_use]
pub fn again(plant: Option<&Plant>, trigger: Trigger, attempt: u32) -> Option<Trigger> {
    let Some(plant) = plant.filter(|plant| plant.mistake.of.contains(&trigger.handler())) else {
        return Some(trigger);
    };
    match (&plant.mistake.way, trigger) {
        (Way::DeletesEarly, _) => None,
        (Way::AsksAnew, Trigger::Ask { caller, token, command }) => {
            let token = format!("{token}-{attempt}").parse().unwrap_or(token);
            Some(Trigger::Ask { caller, token, command })
        }
        (_, trigger) => Some(trigger),
    }
}
