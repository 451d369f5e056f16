//! What every job goes through: queued, running in steps, ended once.
//!
//! Backup, restore and upkeep jobs share this one state machine; what each makes in the end is
//! the parameter `S`, and lies in [`crate::backup`], [`crate::restore`] and [`crate::upkeep`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{authorization::Causes, explain::Explain, quantity::Bytes};

/// How often a job may stumble in a row before it fails.
pub const STUMBLES_MAX: u32 = 8;

/// The pause after the first stumble; each further one in a row doubles it.
pub const BACK_OFF_FIRST_S: u32 = 10;

/// The longest pause after a stumble.
pub const BACK_OFF_MAX_S: u32 = 600;

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State<S> {
    /// Not begun: it waits for its account's turn or for its first step.
    Queued,
    /// Authorized at least once; it goes on from `at`.
    Running(Running),
    /// Asked to stop; the transfer may still move.
    Canceling,
    /// Over. Nothing changes it any more.
    Ended(Outcome<S>),
}

/// What is known of a job on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// All up to here is safe; a step that begins anew goes on from it.
    pub at: Checkpoint,
    /// How far it is.
    pub progress: Progress,
    /// How many steps ended at a checkpoint: steps grow longer with it.
    pub pauses: u32,
    /// Stumbles since the last progress.
    pub stumbles: u32,
    /// The fence under which it stumbled last: a stumble is counted once.
    pub stumbled: Option<u32>,
}

/// A place from which a transfer can go on, in the words of the platform that moves the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checkpoint(pub Option<String>);

/// How much a job has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Source bytes read, or target bytes written.
    pub bytes: Bytes,
    /// Files (objects, rows) that are done, failed ones not counted.
    pub files: u64,
    /// Files that failed.
    pub failed: u64,
    /// The bytes there will be in all, where the platform knows it.
    pub expected: Option<Bytes>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome<S> {
    /// All is there.
    Complete(S),
    /// Some files failed; they are named in the job's failures, and the rest is there.
    Partial(S),
    /// Nothing came of it.
    Failed(Failure),
    /// Somebody asked for it to stop.
    Canceled,
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Failure {
    /// Authority is broken.
    #[error("{0}")]
    Unauthorized(Causes),
    /// Something that trying again does not mend.
    #[error("{0}")]
    Broken(Trouble),
    /// It stumbled [`STUMBLES_MAX`] times in a row.
    #[error("gave up after {times} attempts: {last}")]
    Exhausted {
        /// How often it was tried.
        times: u32,
        /// What stood in the way the last time.
        last: Trouble,
    },
}

impl Explain for Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized(causes) => causes.code(),
            Self::Broken(_) => "BROKEN",
            Self::Exhausted { .. } => "EXHAUSTED",
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::Unauthorized(causes) => causes.remedy(),
            Self::Broken(trouble) => trouble.remedy.clone(),
            Self::Exhausted { last, .. } => last.remedy.clone(),
        }
    }
}

impl Failure {
    /// The code that people look up: the trouble's own where there is one.
    #[must_use]
    pub fn root_code(&self) -> &str {
        match self {
            Self::Unauthorized(causes) => causes.code(),
            Self::Broken(trouble) | Self::Exhausted { last: trouble, .. } => &trouble.code,
        }
    }
}

/// What stood in a job's way, as the platform told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The stable code.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Trouble {
    /// Takes down an error that explains itself.
    pub fn of(error: &(impl Explain + ?Sized)) -> Self {
        Self { code: error.code().to_owned(), message: error.to_string(), remedy: error.remedy() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a job makes in the end.
pub trait Seal {
    /// How many files failed and are missing from it.
    fn failed(&self) -> u64;
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<S> {
    /// A step asked for authority and has it.
    Authorized,
    /// A step asked for authority, or a call was denied, and the facts say why.
    Refused(Causes),
    /// The transfer moves.
    Moved(Progress),
    /// The transfer stands at a checkpoint, and a further step goes on from it.
    Paused {
        /// Where.
        at: Checkpoint,
        /// How far it is.
        progress: Progress,
    },
    /// A step ended without progress for a reason that may pass.
    Stumbled {
        /// The fence of the step: the same stumble told twice counts once.
        fence: u32,
        /// The reason.
        trouble: Trouble,
    },
    /// The transfer is complete, and all of it is in place.
    Sealed(S),
    /// What was sealed belongs to an epoch of the vault that is over: it begins again.
    Outdated,
    /// It can't be done.
    Broken(Trouble),
    /// Somebody wants it stopped.
    CancelAsked,
    /// The transfer was halted; nothing of it can be sealed any more.
    Halted,
}

/// What must follow, in the same transaction as the new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Take a further step, after a pause.
    TakeStep {
        /// Seconds to wait.
        delay_s: u32,
    },
    /// Free what the job holds, record what it made and tell of its end.
    Finish,
}

/// An event that cannot follow a state: a mistake of ours, never of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state} can't be {event}")]
pub struct Illegal {
    /// The state's name.
    pub state: &'static str,
    /// The event's name.
    pub event: &'static str,
}

impl Explain for Illegal {
    fn code(&self) -> &'static str {
        "ILLEGAL_TRANSITION"
    }
    fn remedy(&self) -> String {
        "This is a mistake in Crossvault: please report it with the job's id.".to_owned()
    }
}

impl<S> State<S> {
    /// The state's name in the cloud's words.
    ///
    /// Source: Cloud Backup API, statuses of backup and restore jobs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running(_) => "RUNNING",
            Self::Canceling => "CANCELING",
            Self::Ended(Outcome::Complete(_)) => "COMPLETE",
            Self::Ended(Outcome::Partial(_)) => "PARTIAL_COMPLETE",
            Self::Ended(Outcome::Failed(_)) => "FAILED",
            Self::Ended(Outcome::Canceled) => "CANCELED",
        }
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

impl<S> Event<S> {
    fn name(&self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::Refused(_) => "refused",
            Self::Moved(_) => "moved",
            Self::Paused { .. } => "paused",
            Self::Stumbled { .. } => "stumbled",
            Self::Sealed(_) => "sealed",
            Self::Outdated => "outdated",
            Self::Broken(_) => "broken",
            Self::CancelAsked => "canceled",
            Self::Halted => "halted",
        }
    }
}

/// Moves a job by one event. Total: each pair of state and event is decided here.
///
/// A repeated event changes nothing, because events are delivered at least once; and nothing
/// changes a job that has ended.
///
/// # Errors
/// [`Illegal`] when the event cannot follow the state: a mistake of ours, never of the user.
pub fn transition<S: Seal>(
    state: State<S>,
    event: Event<S>,
) -> Result<(State<S>, Vec<Effect>), Illegal> {
    let illegal = Illegal { state: state.name(), event: event.name() };
    match state {
        State::Queued => match event {
            Event::Authorized => Ok((State::Running(Running::default()), vec![])),
            Event::Refused(causes) => Ok(end(Outcome::Failed(Failure::Unauthorized(causes)))),
            Event::Stumbled { fence, trouble } => Ok(stumble(Running::default(), fence, trouble)),
            Event::Broken(trouble) => Ok(end(Outcome::Failed(Failure::Broken(trouble)))),
            Event::CancelAsked => Ok(end(Outcome::Canceled)),
            Event::Moved(_)
            | Event::Paused { .. }
            | Event::Sealed(_)
            | Event::Outdated
            | Event::Halted => Err(illegal),
        },
        State::Running(running) => Ok(run(running, event)),
        State::Canceling => match event {
            // What was complete before the wish to stop arrived stays complete.
            Event::Sealed(sealed) => Ok(end(seal(sealed))),
            Event::Halted | Event::Refused(_) | Event::Broken(_) | Event::Outdated => {
                Ok(end(Outcome::Canceled))
            }
            Event::Authorized
            | Event::Moved(_)
            | Event::Paused { .. }
            | Event::Stumbled { .. }
            | Event::CancelAsked => Ok((State::Canceling, vec![])),
        },
        State::Ended(_) => Ok((state, vec![])),
    }
}

fn run<S: Seal>(mut running: Running, event: Event<S>) -> (State<S>, Vec<Effect>) {
    match event {
        Event::Authorized => (State::Running(running), vec![]),
        Event::Moved(progress) => {
            advance(&mut running, progress);
            (State::Running(running), vec![])
        }
        Event::Paused { at, progress } => {
            if running.at == at {
                return (State::Running(running), vec![]);
            }
            advance(&mut running, progress);
            running.at = at;
            running.pauses = running.pauses.saturating_add(1);
            (State::Running(running), vec![Effect::TakeStep { delay_s: 0 }])
        }
        Event::Stumbled { fence, trouble } => stumble(running, fence, trouble),
        Event::Sealed(sealed) => end(seal(sealed)),
        Event::Outdated => {
            // The checkpoint stays: what it names is only a hint where to look for equal data.
            running.progress = Progress::default();
            (State::Running(running), vec![Effect::TakeStep { delay_s: 0 }])
        }
        Event::Refused(causes) => end(Outcome::Failed(Failure::Unauthorized(causes))),
        Event::Broken(trouble) => end(Outcome::Failed(Failure::Broken(trouble))),
        Event::CancelAsked => (State::Canceling, vec![Effect::TakeStep { delay_s: 0 }]),
        Event::Halted => end(Outcome::Canceled),
    }
}

/// Counts a stumble once, and gives up after [`STUMBLES_MAX`] in a row.
fn stumble<S>(mut running: Running, fence: u32, trouble: Trouble) -> (State<S>, Vec<Effect>) {
    if running.stumbled == Some(fence) {
        return (State::Running(running), vec![]);
    }
    running.stumbled = Some(fence);
    running.stumbles = running.stumbles.saturating_add(1);
    if running.stumbles >= STUMBLES_MAX {
        let times = running.stumbles;
        return end(Outcome::Failed(Failure::Exhausted { times, last: trouble }));
    }
    let delay_s = back_off_s(running.stumbles);
    (State::Running(running), vec![Effect::TakeStep { delay_s }])
}

fn advance(running: &mut Running, progress: Progress) {
    if progress.bytes > running.progress.bytes || progress.files > running.progress.files {
        running.stumbles = 0;
    }
    running.progress = progress;
}

fn seal<S: Seal>(sealed: S) -> Outcome<S> {
    if sealed.failed() == 0 { Outcome::Complete(sealed) } else { Outcome::Partial(sealed) }
}

fn end<S>(outcome: Outcome<S>) -> (State<S>, Vec<Effect>) {
    (State::Ended(outcome), vec![Effect::Finish])
}

/// The pause after so many stumbles in a row.
fn back_off_s(stumbles: u32) -> u32 {
    BACK_OFF_FIRST_S
        .saturating_mul(2_u32.saturating_pow(stumbles.saturating_sub(1)))
        .min(BACK_OFF_MAX_S)
}

#[cfg(test)]
mod tests;
