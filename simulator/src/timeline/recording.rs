//! What is written down of a run: the page's data.

use serde::{Serialize, Serializer};

use super::Difference;

/// A run, written down. Times are milliseconds from the scenario's start on.
#[derive(Clone, Debug, Serialize)]
pub struct Recording {
    /// What the scenario is about.
    pub about: String,
    /// The scenario's file.
    pub file: String,
    /// The run's hash.
    pub hash: String,
    /// Crossvault's version.
    pub version: &'static str,
    /// When the scenario starts, in milliseconds since 1970.
    pub start: i64,
    /// How many calls were made after the stage was set.
    pub calls: u64,
    /// How many functions were started after it.
    pub functions: u32,
    /// The number of the first event after the stage was set.
    pub opens: usize,
    /// The accounts, the backup management account first.
    pub lanes: Vec<Lane>,
    /// The jobs in the order in which they were made.
    pub jobs: Vec<Bar>,
    /// The names of the kinds of events, by number.
    pub kinds: [&'static str; Kind::ALL.len()],
    /// All that is told, each once.
    pub texts: Vec<String>,
    /// All that ever changed, each once: `row/Job/…`, `identity/role/…`, `holds/…`.
    pub keys: Vec<String>,
    /// What happened, in order.
    pub events: Vec<Entry>,
    /// What was broken, if anything was.
    pub verdict: Option<Verdict>,
}

/// An account.
#[derive(Clone, Debug, Serialize)]
pub struct Lane {
    /// Its id.
    pub id: String,
    /// Its name in the scenario.
    pub name: String,
}

/// A job.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// Its id.
    pub id: String,
    /// What it is to do.
    pub name: String,
    /// `backup`, `restore`, `erase` or `prune`.
    pub kind: &'static str,
    /// Its account.
    pub lane: usize,
    /// When it was made.
    pub queued: i64,
    /// When its first step began.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
    /// How it stands in the end.
    pub status: &'static str,
    /// The code of why it failed.
    pub cause: Option<String>,
    /// What was done for it.
    pub steps: Vec<Step>,
}

/// One function that worked for a job.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// When it began.
    pub from: i64,
    /// When it was over; none when it still ran in the end.
    pub to: Option<i64>,
    /// How it ended: `rests`, `died`, `failed THROTTLED`.
    pub how: String,
    /// When it stood still: from and to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<(i64, i64)>,
}

/// What must not be.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What is broken.
    pub invariant: &'static str,
    /// Which rule of it.
    pub code: &'static str,
    /// The fact that breaks it.
    pub says: String,
}

/// An event. As JSON: time, kind, lane, job or -1, text, and what changed as pairs of key and
/// difference; all but time and differences are numbers of what the [`Recording`] lists.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: i64,
    /// Of what kind.
    pub kind: Kind,
    /// Which account it is about.
    pub lane: usize,
    /// Which job it is about.
    pub job: Option<usize>,
    /// What is told.
    pub text: usize,
    /// What changed.
    pub changes: Vec<(usize, Difference)>,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { at, kind, lane, job, text, changes } = self;
        let job = job.and_then(|job| i64::try_from(job).ok()).unwrap_or(-1);
        (at, *kind as u8, lane, job, text, changes).serialize(serializer)
    }
}

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Somebody does or asks something.
    People,
    /// A job is made or ends.
    Job,
    /// A job fails, and why.
    Cause,
    /// A call or a clock goes wrong.
    Fault,
    /// A delivery goes wrong.
    Mishap,
    /// People are told something.
    Alert,
    /// Something changes in the cloud.
    Cloud,
    /// Something changes in a source or a vault.
    Data,
    /// Rows are stored.
    Rows,
    /// A function begins or ends.
    Function,
    /// Faults stop.
    Healing,
    /// Something is broken.
    Violation,
}

impl Kind {
    /// All, by number.
    pub const ALL: [Self; 12] = [
        Self::People,
        Self::Job,
        Self::Cause,
        Self::Fault,
        Self::Mishap,
        Self::Alert,
        Self::Cloud,
        Self::Data,
        Self::Rows,
        Self::Function,
        Self::Healing,
        Self::Violation,
    ];

    /// Its name on the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Job => "job",
            Self::Cause => "cause",
            Self::Fault => "fault",
            Self::Mishap => "mishap",
            Self::Alert => "alert",
            Self::Cloud => "cloud",
            Self::Data => "data",
            Self::Rows => "rows",
            Self::Function => "function",
            Self::Healing => "healing",
            Self::Violation => "violation",
        }
    }
}
