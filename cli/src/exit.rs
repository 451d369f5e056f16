//! How the program ends.

use std::process::ExitCode;

use crossvault_embedded::socket::{Failure, Kind};
use crossvault_handlers::api::JobView;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// It was carried out and came to nothing.
    Failed,
    /// The command line is not understood.
    Usage,
    /// Authority or a rule stands against it.
    Refused,
    /// It was carried out in part.
    Partial,
    /// The home or its state can't be used.
    Home,
    /// The platform failed.
    Platform,
    /// Somebody stopped waiting.
    Interrupted,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::Partial,
        Self::Home,
        Self::Platform,
        Self::Interrupted,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Partial => 4,
            Self::Home => 5,
            Self::Platform => 6,
            Self::Interrupted => 130,
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or a job that ended COMPLETE",
            Self::Failed => {
                "a job that ended FAILED or CANCELED; a policy that fails its test or permits more"
            }
            Self::Usage => "the command line is not understood; nothing was done",
            Self::Refused => {
                "refused: authority is missing, or a rule stands against it; nothing was changed"
            }
            Self::Partial => {
                "a job that ended PARTIAL_COMPLETE: the files that could not be moved are named"
            }
            Self::Home => "the home can't be used: missing, in use, damaged, or of a newer version",
            Self::Platform => "the platform failed: disk full, vault damaged, no answer in time",
            Self::Interrupted => "Ctrl-C while waiting for a job; the job is not lost",
        }
    }

    /// The end that a failure brings.
    pub fn of_failure(failure: &Failure) -> Self {
        match failure.kind {
            Kind::Usage => Self::Usage,
            Kind::Refused => Self::Refused,
            Kind::Home => Self::Home,
            Kind::Platform => Self::Platform,
            Kind::Interrupted => Self::Interrupted,
        }
    }

    /// The end that an ended job brings to the command that waited for it.
    pub fn of_job(job: &JobView) -> Self {
        match job.status.as_str() {
            "COMPLETE" => Self::Done,
            "PARTIAL_COMPLETE" => Self::Partial,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of all exit codes.
pub fn table() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("  {:<3}  {}\n", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", lines.collect::<String>())
}

/// All exit codes for programs.
pub fn json() -> serde_json::Value {
    let all = Exit::ALL
        .iter()
        .map(|exit| serde_json::json!({ "code": exit.code(), "meaning": exit.meaning() }));
    serde_json::json!({ "answer": "exit-codes", "value": all.collect::<Vec<_>>() })
}
