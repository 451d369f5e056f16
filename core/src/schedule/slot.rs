//! Slots: the due times of one binding, each with exactly one outcome.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Recurrence;
use crate::{explain::Explain, ids::JobId};

/// How old a slot may be when it is found and still run: the cloud does not make up for more.
///
/// Source: assumed, after the console, which shows no run for a time at which the service was down.
pub const GRACE: TimeDelta = TimeDelta::minutes(15);

/// How far the missed slots of a cron are counted: enough for a slot each minute over a week.
pub const COUNT_MAX: u64 = 10_080;

/// What is to be done with the slots of one binding at one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The slots that nobody looked at in time, as one record.
    pub missed: Option<Missed>,
    /// The slot that gets an outcome now.
    pub due: Option<DateTime<Utc>>,
    /// The first slot that is not decided yet; nothing when there is none any more.
    pub next: Option<DateTime<Utc>>,
}

/// A run of slots that were found too late: one record for a gap of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// The oldest of them.
    pub first: DateTime<Utc>,
    /// The newest of them; it may be the oldest too.
    pub last: DateTime<Utc>,
    /// How many they are.
    pub count: Count,
}

/// How many slots were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// So many and more: counting stopped there.
    AtLeast(u64),
}

/// What became of a slot that was found in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A job was created for it.
    Started(JobId),
    /// No job was created, for the reason recorded.
    Skipped(Skip),
}

/// Why a slot got no job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// The job of an earlier slot of the binding still runs.
    ///
    /// Source: Cloud Backup console: when the previous job of a plan still runs, the one that is
    /// due is skipped and the next cycle runs.
    PredecessorRuns(JobId),
    /// The binding is paused.
    Paused,
}

/// Decides the slots from `next`, the first that is not decided yet, up to and with `upto`.
///
/// Slots older than `grace` at `upto` are missed. Of those that are not, the newest is due; where
/// several are, the older ones are missed too: they would only run one after the other what one
/// run does, and the predecessor rule would skip them. The new `next` is computed from the slots
/// and never lies before the old one, so however the clock jumps, each slot is decided once.
///
/// Nothing due costs one comparison. A `next` that is no slot means the first slot after it.
#[must_use]
pub fn plan(
    recurrence: &Recurrence,
    next: DateTime<Utc>,
    upto: DateTime<Utc>,
    grace: TimeDelta,
) -> Plan {
    if upto < next {
        return Plan { missed: None, due: None, next: Some(next) };
    }
    let Some(first) = recurrence.first_from(next) else {
        return Plan { missed: None, due: None, next: None };
    };
    let newest = recurrence.last_until(upto).filter(|&newest| newest >= first);
    let Some(newest) = newest else {
        return Plan { missed: None, due: None, next: Some(first) };
    };
    let fresh_from = upto.checked_sub_signed(grace.max(TimeDelta::zero()));
    let is_fresh = fresh_from.is_none_or(|fresh_from| newest >= fresh_from);
    let missed = |last| {
        let count = match recurrence.count(first, last, COUNT_MAX) {
            Some(count) => Count::Exactly(count),
            None => Count::AtLeast(COUNT_MAX),
        };
        Missed { first, last, count }
    };
    let (missed, due) = if is_fresh {
        let before = newest
            .checked_sub_signed(TimeDelta::nanoseconds(1))
            .and_then(|before| recurrence.last_until(before))
            .filter(|&before| before >= first);
        (before.map(missed), Some(newest))
    } else {
        (Some(missed(newest)), None)
    };
    Plan { missed, due, next: recurrence.next_after(newest) }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::AtLeast(count) => write!(f, "at least {count}"),
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "missed the slot {}", self.first)
        } else {
            write!(f, "missed {} slots from {} to {}", self.count, self.first, self.last)
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(job) => write!(f, "started {job}"),
            Self::Skipped(skip) => write!(f, "skipped: {skip}"),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PredecessorRuns(job) => write!(f, "the previous backup {job} still runs"),
            Self::Paused => f.write_str("the binding is paused"),
        }
    }
}

impl Explain for Skip {
    fn code(&self) -> &'static str {
        match self {
            Self::PredecessorRuns(_) => "SLOT_PREDECESSOR_RUNS",
            Self::Paused => "SLOT_PAUSED",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::PredecessorRuns(job) => format!(
                "Nothing needs to be done: the next slot runs. If it happens often, `{job}` shows \
                 how long a backup takes: give the policy a longer interval."
            ),
            Self::Paused => "Resume the binding to back up again.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2025-{text}:00Z").parse().unwrap()
    }

    /// `missed` as (first, last, count).
    #[track_caller]
    fn check(
        schedule: &str,
        (next, upto): (&str, &str),
        missed: Option<(&str, &str, Count)>,
        due: Option<&str>,
        then: &str,
    ) {
        let recurrence = Recurrence::parse(schedule, Tz::UTC).unwrap();
        let missed =
            missed.map(|(first, last, count)| Missed { first: at(first), last: at(last), count });
        let expected = Plan { missed, due: due.map(at), next: Some(at(then)) };
        assert_eq!(plan(&recurrence, at(next), at(upto), GRACE), expected);
    }

    #[test]
    fn a_slot_found_in_time_is_due_and_an_older_one_is_missed() {
        let daily = "C|0|0 0 2 * * ?";
        let next = "01-02T02:00";
        check(daily, (next, "01-02T01:59"), None, None, next);
        check(daily, (next, "01-02T02:00"), None, Some(next), "01-03T02:00");
        check(daily, (next, "01-02T02:15"), None, Some(next), "01-03T02:00");
        let one = Some((next, next, Count::Exactly(1)));
        check(daily, (next, "01-02T02:16"), one, None, "01-03T02:00");
        let nine = Some((next, "01-10T02:00", Count::Exactly(9)));
        check(daily, (next, "01-11T02:10"), nine, Some("01-11T02:00"), "01-12T02:00");
        check(daily, (next, "01-10T09:00"), nine, None, "01-11T02:00");
    }

    #[test]
    fn of_several_slots_in_time_the_newest_is_due() {
        let five = "I|0|PT5M";
        let missed = Some(("01-02T02:00", "01-02T02:05", Count::Exactly(2)));
        check(five, ("01-02T02:00", "01-02T02:12"), missed, Some("01-02T02:10"), "01-02T02:15");
    }

    #[test]
    fn a_long_gap_is_one_record() {
        let minutes = Some(("01-01T00:00", "12-31T00:00", Count::Exactly(524_161)));
        check(
            "I|0|PT1M",
            ("01-01T00:00", "12-31T00:00"),
            minutes.map(|(first, _, _)| (first, "12-30T23:59", Count::Exactly(524_160))),
            Some("12-31T00:00"),
            "12-31T00:01",
        );
        let counted = Some(("01-01T00:00", "12-30T23:59", Count::AtLeast(COUNT_MAX)));
        let due = Some("12-31T00:00");
        check("C|0|0 * * * * ?", ("01-01T00:00", "12-31T00:00"), counted, due, "12-31T00:01");
        let week = Some(("01-01T00:01", "01-08T00:00", Count::Exactly(COUNT_MAX)));
        let due = Some("01-08T00:01");
        check("C|0|0 * * * * ?", ("01-01T00:01", "01-08T00:01"), week, due, "01-08T00:02");
        let more = Some(("01-01T00:01", "01-08T00:01", Count::AtLeast(COUNT_MAX)));
        let due = Some("01-08T00:02");
        check("C|0|0 * * * * ?", ("01-01T00:01", "01-08T00:02"), more, due, "01-08T00:03");
    }

    #[test]
    fn the_last_slot_of_all_leaves_nothing() {
        let once = Recurrence::parse("C|0|0 0 2 1 1 ? 2025", Tz::UTC).unwrap();
        let slot = at("01-01T02:00");
        let expected = Plan { missed: None, due: Some(slot), next: None };
        assert_eq!(plan(&once, slot, slot, GRACE), expected);
        let later = at("01-01T02:01");
        let none = Plan { missed: None, due: None, next: None };
        assert_eq!(plan(&once, later, later, GRACE), none);
    }

    #[test]
    fn an_outcome_says_what_it_is_and_reads_back() {
        let job = JobId::derive(&["job"]);
        for (outcome, words) in [
            (Outcome::Started(job.clone()), format!("started {job}")),
            (
                Outcome::Skipped(Skip::PredecessorRuns(job.clone())),
                format!("skipped: the previous backup {job} still runs"),
            ),
            (Outcome::Skipped(Skip::Paused), "skipped: the binding is paused".to_owned()),
        ] {
            assert_eq!(outcome.to_string(), words);
            let stored = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<Outcome>(&stored).unwrap(), outcome);
        }
    }
}
