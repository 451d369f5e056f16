//! When the process is killed.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::proofs::tree::Seed;

/// What the driver sees.
#[derive(PartialEq, Eq)]
pub enum Seen {
    /// A request of this kind is about to be sent.
    Asking(&'static str),
    /// A job of this kind runs.
    Running(String),
}

/// When the process is killed.
#[derive(Clone, Debug)]
pub enum Moment {
    /// So long after its start, whether it is ready or not.
    Starting(Duration),
    /// So long after everything was found in order.
    After(Duration),
    /// So long after something of this kind was first asked for.
    Asking(&'static str, Duration),
    /// So long after a job of this kind was first seen running.
    While(&'static str, Duration),
}

/// How long something to see is waited for.
const WAIT: Duration = Duration::from_secs(3);

impl Moment {
    /// Any moment.
    pub fn any(seed: &mut Seed) -> Self {
        let time = |limit: u64, seed: &mut Seed| Duration::from_micros(seed.below(limit * 1_000));
        match seed.below(10) {
            0 => Self::Starting(time(100, seed)),
            1..=3 => Self::After(time(1_500, seed)),
            4..=6 => {
                let kinds = ["backup", "restore", "erase", "erase", "prune", "vault"];
                Self::Asking(seed.pick(&kinds).unwrap(), time(15, seed))
            }
            _ => {
                let kinds = ["backup", "restore", "prune"];
                Self::While(seed.pick(&kinds).unwrap(), time(400, seed))
            }
        }
    }

    /// Waits for it.
    pub fn come(&self, seen: &mpsc::Receiver<Seen>) {
        match self {
            Self::Starting(time) | Self::After(time) => wait(*time, seen),
            Self::Asking(kind, time) => {
                see(&Seen::Asking(kind), seen);
                wait(*time, seen);
            }
            Self::While(kind, time) => {
                see(&Seen::Running((*kind).to_owned()), seen);
                wait(*time, seen);
            }
        }
    }
}

/// Waits until it is seen, but not for ever.
fn see(what: &Seen, seen: &mpsc::Receiver<Seen>) {
    let until = Instant::now() + WAIT;
    let left = || until.saturating_duration_since(Instant::now());
    while seen.recv_timeout(left()).is_ok_and(|one| one != *what) {}
}

/// Waits, whatever is seen meanwhile.
fn wait(time: Duration, seen: &mpsc::Receiver<Seen>) {
    let until = Instant::now() + time;
    while seen.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
}
