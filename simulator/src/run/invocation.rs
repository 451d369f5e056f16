//! An invocation of a function: what triggers it, and the handler's future.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    explain::Explain,
    ids::{AccountId, Token},
};
use crossvault_handlers::{
    api, directory,
    enqueue::{DUE_SHARD, OUTBOX_SHARD},
    fan_out, job, outbox,
    ports::{Message, PortError},
    retention, review, schedule,
};

use crate::ports::Ports;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the handler of that name")]
pub enum Handler {
    Schedule,
    Job,
    Outbox,
    FanOut,
    Directory,
    Retention,
    Review,
    Api,
}

impl Handler {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Schedule,
        Self::Job,
        Self::Outbox,
        Self::FanOut,
        Self::Directory,
        Self::Retention,
        Self::Review,
        Self::Api,
    ];

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Job => "job",
            Self::Outbox => "outbox",
            Self::FanOut => "fan-out",
            Self::Directory => "directory",
            Self::Retention => "retention",
            Self::Review => "review",
            Self::Api => "api",
        }
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What triggers a function.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// The scheduler, each minute.
    Tick(DateTime<Utc>),
    /// The store's change stream, or the sweep.
    Drain,
    /// A message of the queue.
    Message(Message),
    /// An event of an audit trail.
    Hint(Arc<str>),
    /// The scheduler, each day.
    Retain,
    /// The scheduler, each day.
    Review,
    /// A person or a program.
    Ask {
        /// Who.
        caller: AccountId,
        /// Under which token.
        token: Token,
        /// What.
        command: Box<api::Command>,
    },
}

impl Trigger {
    /// The function that it triggers.
    #[must_use]
    pub fn handler(&self) -> Handler {
        match self {
            Self::Tick(_) => Handler::Schedule,
            Self::Drain => Handler::Outbox,
            Self::Message(Message::TakeStep(_)) => Handler::Job,
            Self::Message(Message::FanOut { .. }) => Handler::FanOut,
            Self::Message(Message::Recheck { .. } | Message::RecheckAll { .. }) | Self::Hint(_) => {
                Handler::Directory
            }
            Self::Retain => Handler::Retention,
            Self::Review => Handler::Review,
            Self::Ask { .. } => Handler::Api,
        }
    }

    /// What it is about: of one subject there are a first, a second, a third invocation.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Tick(_) | Self::Drain | Self::Retain | Self::Review => String::new(),
            Self::Message(message) => subject(message),
            Self::Hint(event) => hint(event),
            Self::Ask { token, .. } => token.to_string(),
        }
    }
}

/// What a message is about.
#[must_use]
pub fn subject(message: &Message) -> String {
    match message {
        Message::TakeStep(job) => job.to_string(),
        Message::FanOut { policy, after } => match after {
            Some(after) => format!("{policy} after {after}"),
            None => policy.to_string(),
        },
        Message::Recheck { account, region, .. } => format!("{account} in {region}"),
        Message::RecheckAll { on, .. } => format!("{on:?}"),
    }
}

/// An event's operation and account, as far as they can be read.
fn hint(event: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    text("subject").to_owned()
}

/// What an invocation came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It did what it is for; a word on how.
    Done(&'static str),
    /// A person has an answer.
    Answered(Box<Result<api::Answer, String>>),
    /// It failed and is triggered again.
    Failed {
        /// The error's code.
        code: String,
        /// What it says.
        message: String,
    },
}

/// How functions are paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The pace of steps.
    pub pace: job::Pace,
    /// How long an invocation may take.
    pub time: TimeDelta,
}

/// A handler at work.
pub type Work = Pin<Box<dyn Future<Output = Ending> + Send>>;

fn failed(error: &impl Explain) -> Ending {
    Ending::Failed { code: error.code().to_owned(), message: error.to_string() }
}

fn ended<T>(result: Result<T, PortError>) -> Ending {
    match result {
        Ok(_) => Ending::Done("done"),
        Err(error) => failed(&error),
    }
}

/// Calls the handler that the trigger is for.
#[must_use]
pub fn start(trigger: Trigger, ports: Ports, limits: Limits, now: DateTime<Utc>) -> Work {
    let stop_at = now.checked_add_signed(limits.time).unwrap_or(now);
    match trigger {
        Trigger::Tick(at) => {
            Box::pin(async move { ended(schedule::tick(&ports, DUE_SHARD, at, stop_at).await) })
        }
        Trigger::Drain => {
            Box::pin(async move { ended(outbox::drain(&ports, OUTBOX_SHARD, stop_at).await) })
        }
        Trigger::Message(message) => of_message(message, ports, limits, stop_at),
        Trigger::Hint(event) => Box::pin(async move {
            match directory::run(&ports, &event, stop_at).await {
                Ok(_) => Ending::Done("looked"),
                Err(directory::EventError::Invalid(_)) => Ending::Done("no event"),
                Err(directory::EventError::Port(error)) => failed(&error),
            }
        }),
        Trigger::Retain => Box::pin(async move { ended(retention::run(&ports, stop_at).await) }),
        Trigger::Review => Box::pin(async move { ended(review::run(&ports, stop_at).await) }),
        Trigger::Ask { caller, token, command } => Box::pin(async move {
            match api::handle(&ports, &caller, &token, *command).await {
                Ok(answer) => Ending::Answered(Box::new(Ok(answer))),
                Err(api::ApiError::Refused(refusal)) => {
                    Ending::Answered(Box::new(Err(refusal.code().to_owned())))
                }
                Err(api::ApiError::Port(error)) => failed(&error),
            }
        }),
    }
}

fn of_message(message: Message, ports: Ports, limits: Limits, stop_at: DateTime<Utc>) -> Work {
    match message {
        Message::TakeStep(job) => Box::pin(async move {
            match job::step(&ports, &job, limits.pace, stop_at).await {
                Ok(job::Done::Ended) => Ending::Done("ended"),
                Ok(job::Done::Rests) => Ending::Done("rests"),
                Ok(job::Done::Waits) => Ending::Done("waits"),
                Ok(job::Done::Stale) => Ending::Done("stale"),
                Err(error) => failed(&error),
            }
        }),
        Message::FanOut { policy, after } => {
            Box::pin(async move { ended(fan_out::fan_out(&ports, &policy, after.as_ref()).await) })
        }
        Message::RecheckAll { on, after, hint } => Box::pin(async move {
            ended(directory::recheck_all(&ports, &on, after.as_ref(), &hint, stop_at).await)
        }),
        Message::Recheck { account, region, hint } => {
            Box::pin(
                async move { ended(directory::recheck(&ports, &account, &region, &hint).await) },
            )
        }
    }
}
