//! The handlers under a platform that fails in every way that a platform may.

#[cfg(test)]
mod concurrent;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod outbox;
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
