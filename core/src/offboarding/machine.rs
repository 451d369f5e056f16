//! What is carried out, and in which order.

use serde::{Deserialize, Serialize};

use super::plan::Presence;
use crate::{
    explain::Explain,
    ids::{DataSource, JobId},
};

/// What becomes of jobs that run in the account.
///
/// The cloud's documents are silent on them. A backup that loses its grant fails, and a restore
/// leaves a half-written target: so they end first, unless somebody says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunningJobs {
    /// They end by themselves; the grant is deleted when they have.
    #[default]
    Finish,
    /// They are asked to stop; the grant is deleted when they have.
    Cancel,
    /// The grant is deleted at once, and they end with that as their cause: for an account that
    /// must be left now.
    Abandon,
}

/// Where the cancelling stands. It is looked for anew each time and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Policies are taken off the account's sources, so that no new job begins.
    Unbinding {
        /// What becomes of running jobs.
        jobs: RunningJobs,
    },
    /// Jobs end.
    Draining {
        /// What becomes of them.
        jobs: RunningJobs,
        /// Whether they were asked to stop.
        asked: bool,
    },
    /// Clients are uninstalled, while the way to them is open.
    Uninstalling,
    /// The account is taken off the list.
    Deleting,
    /// What is ours is done; the role is looked for.
    Leaving,
    /// Nothing is left that can be done now.
    Stopped(Outcome),
}

/// Why it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These jobs have not ended yet.
    Jobs(Vec<JobId>),
    /// Clients have to be uninstalled on these sources.
    Clients(Vec<DataSource>),
    /// The resource account has to delete its role, as far as it can be seen.
    Role(Presence),
    /// All is done.
    Over,
}

/// What was seen or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many policies are bound to sources of the account.
    Bound(u64),
    /// Some of them were taken off.
    Unbound,
    /// These jobs read or write sources of the account and have not ended.
    Running(Vec<JobId>),
    /// They were asked to stop.
    CancelAsked,
    /// Clients are installed on these sources; none where the platform works without clients.
    Installed(Vec<DataSource>),
    /// The account is off the list.
    Deleted,
    /// The role in the resource account was looked for. `None` when another region's grant still
    /// needs it.
    Role(Option<Presence>),
}

/// What must be done next; its result is the next event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Count the policies that are bound.
    CountBindings,
    /// Take some of them off.
    Unbind,
    /// Look for jobs that have not ended.
    FindJobs,
    /// Ask them to stop.
    Cancel(Vec<JobId>),
    /// Look for clients.
    FindClients,
    /// Take the account off the list.
    DeleteGrant,
    /// Look for the role.
    FindRole,
}

/// An event that cannot follow a state: a mistake of ours, never of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("backup that is being cancelled can't be {event} while {state}")]
pub struct Illegal {
    /// The state's name.
    pub state: &'static str,
    /// The event's name.
    pub event: &'static str,
}

impl Explain for Illegal {
    fn code(&self) -> &'static str {
        "ILLEGAL_OFFBOARDING"
    }
    fn remedy(&self) -> String {
        "This is a mistake in Crossvault: please report it.".to_owned()
    }
}

impl State {
    /// Where it begins, whatever was done before: with the account on the list, or off it.
    #[must_use]
    pub fn begin(is_listed: bool, jobs: RunningJobs) -> (Self, Option<Effect>) {
        if is_listed { (Self::Unbinding { jobs }, Some(Effect::CountBindings)) } else { leave() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Unbinding { .. } => "unbinding",
            Self::Draining { .. } => "draining",
            Self::Uninstalling => "uninstalling",
            Self::Deleting => "deleting",
            Self::Leaving => "leaving",
            Self::Stopped(_) => "stopped",
        }
    }
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Bound(_) => "bound",
            Self::Unbound => "unbound",
            Self::Running(_) => "running",
            Self::CancelAsked => "canceled",
            Self::Installed(_) => "installed",
            Self::Deleted => "deleted",
            Self::Role(_) => "left",
        }
    }
}

/// Moves the cancelling by one event. Total: each pair of state and event is decided here.
///
/// There is at most one effect, and its result is the only event that may follow. Nothing changes
/// a state that has stopped.
///
/// # Errors
/// [`Illegal`] when the event cannot follow the state: a mistake of ours, never of the user.
pub fn transition(state: State, event: Event) -> Result<(State, Option<Effect>), Illegal> {
    let illegal = Illegal { state: state.name(), event: event.name() };
    match state {
        State::Unbinding { jobs } => match event {
            Event::Bound(0) => Ok((State::Draining { jobs, asked: false }, Some(Effect::FindJobs))),
            Event::Bound(_) => Ok((state, Some(Effect::Unbind))),
            Event::Unbound => Ok((state, Some(Effect::CountBindings))),
            Event::Running(_)
            | Event::CancelAsked
            | Event::Installed(_)
            | Event::Deleted
            | Event::Role(_) => Err(illegal),
        },
        State::Draining { jobs, asked } => match event {
            Event::Running(live) => Ok(drain(jobs, asked, live)),
            Event::CancelAsked => {
                Ok((State::Draining { jobs, asked: true }, Some(Effect::FindJobs)))
            }
            Event::Bound(_)
            | Event::Unbound
            | Event::Installed(_)
            | Event::Deleted
            | Event::Role(_) => Err(illegal),
        },
        State::Uninstalling => match event {
            Event::Installed(clients) if clients.is_empty() => {
                Ok((State::Deleting, Some(Effect::DeleteGrant)))
            }
            Event::Installed(clients) => Ok(stop(Outcome::Clients(clients))),
            Event::Bound(_)
            | Event::Unbound
            | Event::Running(_)
            | Event::CancelAsked
            | Event::Deleted
            | Event::Role(_) => Err(illegal),
        },
        State::Deleting => match event {
            Event::Deleted => Ok(leave()),
            Event::Bound(_)
            | Event::Unbound
            | Event::Running(_)
            | Event::CancelAsked
            | Event::Installed(_)
            | Event::Role(_) => Err(illegal),
        },
        State::Leaving => match event {
            Event::Role(None | Some(Presence::Absent)) => Ok(stop(Outcome::Over)),
            Event::Role(Some(presence)) => Ok(stop(Outcome::Role(presence))),
            Event::Bound(_)
            | Event::Unbound
            | Event::Running(_)
            | Event::CancelAsked
            | Event::Installed(_)
            | Event::Deleted => Err(illegal),
        },
        State::Stopped(_) => Ok((state, None)),
    }
}

fn drain(jobs: RunningJobs, asked: bool, live: Vec<JobId>) -> (State, Option<Effect>) {
    let go_on = (State::Uninstalling, Some(Effect::FindClients));
    match jobs {
        _ if live.is_empty() => go_on,
        RunningJobs::Abandon => go_on,
        RunningJobs::Cancel if !asked => {
            (State::Draining { jobs, asked }, Some(Effect::Cancel(live)))
        }
        RunningJobs::Cancel | RunningJobs::Finish => stop(Outcome::Jobs(live)),
    }
}

fn leave() -> (State, Option<Effect>) {
    (State::Leaving, Some(Effect::FindRole))
}

fn stop(outcome: Outcome) -> (State, Option<Effect>) {
    (State::Stopped(outcome), None)
}
