//! When backups are due: the cloud's two forms of a schedule, and the instants that they mean.

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{cron::Cron, interval};
use crate::explain::Explain;

/// The last instant that a schedule may start at: the end of the year 9999.
const START_MAX_S: i64 = 253_402_300_799;

/// A schedule: `I|<start>|<ISO 8601 interval>` or `C|<start>|<cron>`, and the zone of its clocks.
///
/// `start` is in UNIX seconds; nothing runs before it. An interval is exact seconds from `start`
/// on, so `P1D` is 24 hours whatever the clocks do. A cron is Quartz-like with seconds first and
/// 1 = Sunday; it runs by the wall clock of the zone: a local time that does not exist runs at the
/// first instant after the gap, one that exists twice runs the first time, and several local times
/// that mean one instant are one slot.
///
/// Prints as it was given.
///
/// Source: Cloud Backup, API `CreatePolicyV2`, parameter `Schedule`; the zone is Crossvault's own,
/// because the cloud does not state which one its cron means.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Recurrence {
    text: Arc<str>,
    zone: Tz,
    start: DateTime<Utc>,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Interval { seconds: i64 },
    Cron(Cron),
}

/// How a recurrence is stored.
#[derive(Serialize, Deserialize)]
struct Written {
    text: String,
    zone: Tz,
}

impl Recurrence {
    /// Reads a schedule in one of the cloud's two forms.
    ///
    /// # Errors
    /// [`InvalidRecurrence`] when a part is not understood, an interval is below
    /// [`INTERVAL_MIN_S`](super::INTERVAL_MIN_S), or a cron never runs (30 February).
    pub fn parse(text: &str, zone: Tz) -> Result<Self, InvalidRecurrence> {
        let form = || InvalidRecurrence::Form { text: text.chars().take(200).collect() };
        if text.len() > 1_000 {
            return Err(form());
        }
        let mut parts = text.split('|');
        let (Some(kind), Some(start), Some(rule), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(form());
        };
        let rule = match kind {
            "I" => Rule::Interval { seconds: interval::seconds(rule)? },
            "C" => Rule::Cron(Cron::parse(rule)?),
            _ => return Err(form()),
        };
        let recurrence = Self { text: text.into(), zone, start: start_instant(start)?, rule };
        match recurrence.first_from(recurrence.start) {
            Some(_) => Ok(recurrence),
            None => Err(InvalidRecurrence::NeverRuns { text: text.to_owned() }),
        }
    }

    /// The schedule as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The zone on whose clocks a cron runs.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The instant before which nothing runs.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first slot after an instant; nothing when there is none any more.
    #[must_use]
    pub fn next_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if instant < self.start {
            return self.first_from(self.start);
        }
        match &self.rule {
            Rule::Interval { seconds } => {
                // Slots are whole seconds, so the second that the instant lies in decides.
                let since_s = instant.timestamp().checked_sub(self.start.timestamp())?;
                let run = since_s.checked_div(*seconds)?.checked_add(1)?;
                let offset_s = run.checked_mul(*seconds)?;
                DateTime::from_timestamp(self.start.timestamp().checked_add(offset_s)?, 0)
            }
            Rule::Cron(cron) => cron.next_after(instant, self.zone),
        }
    }

    /// The first slot at or after an instant.
    #[must_use]
    pub fn first_from(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let from = instant.max(self.start);
        match &self.rule {
            Rule::Interval { .. } if from == self.start => Some(self.start),
            Rule::Interval { .. } => self.next_after(from.checked_sub_signed(NANOSECOND)?),
            Rule::Cron(cron) => cron.next_after(from.checked_sub_signed(NANOSECOND)?, self.zone),
        }
    }

    /// The last slot at or before an instant; nothing when none was due yet.
    #[must_use]
    pub fn last_until(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let since_s = instant.timestamp().checked_sub(self.start.timestamp())?;
        if since_s < 0 {
            return None;
        }
        match &self.rule {
            Rule::Interval { seconds } => {
                let offset_s = since_s.checked_sub(since_s.checked_rem(*seconds)?)?;
                DateTime::from_timestamp(self.start.timestamp().checked_add(offset_s)?, 0)
            }
            Rule::Cron(cron) => {
                cron.last_until(instant, self.zone).filter(|&slot| slot >= self.start)
            }
        }
    }

    /// How many slots lie between two slots, both included: the number, or nothing when there are
    /// more than `most` and counting would have to look at each.
    pub(super) fn count(
        &self,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
        most: u64,
    ) -> Option<u64> {
        if let Rule::Interval { seconds } = &self.rule {
            let span_s = last.timestamp().checked_sub(first.timestamp())?;
            return u64::try_from(span_s.checked_div(*seconds)?.checked_add(1)?).ok();
        }
        let mut count = 1_u64;
        let mut slot = first;
        while slot < last {
            if count >= most {
                return None;
            }
            slot = self.next_after(slot)?;
            count = count.checked_add(1)?;
        }
        Some(count)
    }

    /// The schedule as a sentence, such as `every day at 02:00:00 (Asia/Shanghai)`.
    ///
    /// A cron that words would not make clearer stays a cron.
    #[must_use]
    pub fn describe(&self) -> String {
        let zone = self.zone.name();
        match &self.rule {
            Rule::Interval { seconds } => {
                let start = self.start.with_timezone(&self.zone).format("%Y-%m-%d %H:%M:%S");
                format!("every {} from {start} ({zone})", in_words(*seconds))
            }
            Rule::Cron(cron) => match cron.describe() {
                Some(words) => format!("{words} ({zone})"),
                None => format!("{} ({zone})", self.text),
            },
        }
    }
}

const NANOSECOND: TimeDelta = TimeDelta::nanoseconds(1);

impl PartialEq for Recurrence {
    fn eq(&self, other: &Self) -> bool {
        // Text and zone decide all else.
        (&self.text, self.zone) == (&other.text, other.zone)
    }
}

impl Eq for Recurrence {}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<Written> for Recurrence {
    type Error = InvalidRecurrence;
    fn try_from(written: Written) -> Result<Self, InvalidRecurrence> {
        Self::parse(&written.text, written.zone)
    }
}

impl From<Recurrence> for Written {
    fn from(recurrence: Recurrence) -> Self {
        Self { text: recurrence.text.as_ref().to_owned(), zone: recurrence.zone }
    }
}

/// Why a text is no schedule: which part, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecurrence {
    /// Not three parts of which the first is `I` or `C`.
    #[error("the schedule `{text}` is neither `I|<start>|<interval>` nor `C|<start>|<cron>`")]
    Form {
        /// The whole schedule, cut to 200 characters.
        text: String,
    },
    /// The second part is no instant.
    #[error("the start `{text}` is not a UNIX time in seconds from 0 to {START_MAX_S}")]
    Start {
        /// The second part.
        text: String,
    },
    /// The third part of an `I` is no ISO 8601 interval.
    #[error(
        "the interval `{text}` is not an ISO 8601 interval of weeks, days, hours, minutes and seconds"
    )]
    Interval {
        /// The third part.
        text: String,
    },
    /// An interval with years or months, which differ in length.
    #[error("the interval `{text}` has years or months, which are no fixed number of seconds")]
    CalendarInterval {
        /// The third part.
        text: String,
    },
    /// An interval that is zero, or too short to run each time.
    #[error("the interval `{text}` is shorter than {} seconds", interval::INTERVAL_MIN_S)]
    ShortInterval {
        /// The third part.
        text: String,
    },
    /// The third part of a `C` does not have six or seven fields.
    #[error("the cron `{text}` does not have six fields, or seven with the year")]
    CronFields {
        /// The third part.
        text: String,
    },
    /// A field of the cron that is not understood.
    #[error("the {field} `{text}` of the cron is not {expected}")]
    CronField {
        /// Which field.
        field: &'static str,
        /// What stands there.
        text: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// Both days are restricted, or both left open by `?`.
    #[error(
        "the day of month `{day}` and the day of week `{weekday}` of the cron do not go together"
    )]
    CronDays {
        /// The day of month.
        day: String,
        /// The day of week.
        weekday: String,
    },
    /// A cron whose time never comes.
    #[error("the schedule `{text}` never runs")]
    NeverRuns {
        /// The whole schedule.
        text: String,
    },
}

impl Explain for InvalidRecurrence {
    fn code(&self) -> &'static str {
        match self {
            Self::Form { .. } => "RECURRENCE_FORM_INVALID",
            Self::Start { .. } => "RECURRENCE_START_INVALID",
            Self::Interval { .. } => "RECURRENCE_INTERVAL_INVALID",
            Self::CalendarInterval { .. } => "RECURRENCE_INTERVAL_CALENDAR",
            Self::ShortInterval { .. } => "RECURRENCE_INTERVAL_SHORT",
            Self::CronFields { .. } => "RECURRENCE_CRON_INVALID",
            Self::CronField { .. } => "RECURRENCE_CRON_FIELD_INVALID",
            Self::CronDays { .. } => "RECURRENCE_CRON_DAYS",
            Self::NeverRuns { .. } => "RECURRENCE_NEVER_RUNS",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Form { .. } => {
                "Give a schedule such as `I|1631685600|P1D` or `C|1631685600|0 0 2 ? * 3,5,7`."
            }
            Self::Start { .. } => {
                "Give the start as seconds since 1970-01-01 00:00:00 UTC, such as `1631685600`."
            }
            Self::Interval { .. } => "Give an interval such as `P1D`, `PT1H` or `P1W`.",
            Self::CalendarInterval { .. } => {
                "Use a cron for months and years, such as `C|1631685600|0 0 2 1 * ?`."
            }
            Self::ShortInterval { .. } => "Give at least `PT1M`.",
            Self::CronFields { .. } => {
                "Give second, minute, hour, day of month, month and day of week (1 = Sunday), \
                 such as `0 0 2 ? * 3,5,7`."
            }
            Self::CronField { .. } => "Correct this field of the cron.",
            Self::CronDays { .. } => "Give one of both days and write `?` for the other.",
            Self::NeverRuns { .. } => {
                "Give a day that exists in the months and years given, at or after the start."
            }
        }
        .to_owned()
    }
}

fn start_instant(text: &str) -> Result<DateTime<Utc>, InvalidRecurrence> {
    let is_digits = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = if is_digits { text.parse::<i64>().ok() } else { None };
    seconds
        .filter(|&seconds| seconds <= START_MAX_S)
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| InvalidRecurrence::Start { text: text.to_owned() })
}

/// In the largest unit that divides it; one day as 24 hours, which is what it is.
fn in_words(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    if seconds == 86_400 {
        return "24 hours".to_owned();
    }
    for (unit_s, unit) in UNITS {
        if seconds.checked_rem(unit_s) == Some(0) {
            return match seconds.div_euclid(unit_s) {
                1 => unit.to_owned(),
                count => format!("{count} {unit}s"),
            };
        }
    }
    format!("{seconds} seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Tz = Tz::Asia__Shanghai;

    #[track_caller]
    fn check(text: &str, zone: Tz, expected: &str) {
        assert_eq!(Recurrence::parse(text, zone).unwrap().describe(), expected);
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        let error = Recurrence::parse(text, SHANGHAI).unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_run_of_an_interval_is_its_start() {
        let daily = Recurrence::parse("I|1631685600|P1D", SHANGHAI).unwrap();
        let start = at("2021-09-15T06:00:00Z");
        assert_eq!(daily.first_from(DateTime::UNIX_EPOCH), Some(start));
        assert_eq!(daily.next_after(at("2021-09-15T05:59:59.999Z")), Some(start));
        assert_eq!(daily.next_after(start), Some(at("2021-09-16T06:00:00Z")));
        assert_eq!(
            daily.next_after(at("2021-09-16T05:59:59.5Z")),
            Some(at("2021-09-16T06:00:00Z"))
        );
        assert_eq!(
            daily.next_after(at("2021-09-16T06:00:00.5Z")),
            Some(at("2021-09-17T06:00:00Z"))
        );
        assert_eq!(daily.first_from(at("2021-09-16T06:00:00Z")), Some(at("2021-09-16T06:00:00Z")));
        assert_eq!(daily.last_until(at("2021-09-15T05:59:59Z")), None);
        assert_eq!(daily.last_until(at("2021-09-16T05:59:59Z")), Some(start));
        let hourly = Recurrence::parse("I|1631685600|PT1H", SHANGHAI).unwrap();
        assert_eq!(hourly.next_after(start), Some(at("2021-09-15T07:00:00Z")));
    }

    #[test]
    fn a_cron_runs_in_its_zone_and_not_before_its_start() {
        let text = "C|1631685600|0 0 2 ? * 3,5,7";
        let recurrence = Recurrence::parse(text, SHANGHAI).unwrap();
        // Thursday, 02:00 in Shanghai.
        assert_eq!(recurrence.next_after(DateTime::UNIX_EPOCH), Some(at("2021-09-15T18:00:00Z")));
        let on_start = Recurrence::parse("C|1631685600|0 0 14 * * ?", SHANGHAI).unwrap();
        assert_eq!(on_start.next_after(DateTime::UNIX_EPOCH), Some(on_start.start()));
        assert_eq!(on_start.last_until(at("2021-09-15T05:59:59Z")), None);
    }

    #[test]
    fn a_schedule_reads_well() {
        check(
            "I|1631685600|P1D",
            SHANGHAI,
            "every 24 hours from 2021-09-15 14:00:00 (Asia/Shanghai)",
        );
        check("I|0|PT1H", Tz::UTC, "every hour from 1970-01-01 00:00:00 (UTC)");
        check("I|0|P2W", Tz::UTC, "every 14 days from 1970-01-01 00:00:00 (UTC)");
        check("I|0|PT90M", Tz::UTC, "every 90 minutes from 1970-01-01 00:00:00 (UTC)");
        check("I|0|PT61S", Tz::UTC, "every 61 seconds from 1970-01-01 00:00:00 (UTC)");
        check("C|0|0 0 2 * * ?", SHANGHAI, "every day at 02:00:00 (Asia/Shanghai)");
        check(
            "C|0|0 0 2 ? * 3,5,7",
            SHANGHAI,
            "every Tuesday, Thursday and Saturday at 02:00:00 (Asia/Shanghai)",
        );
        check("C|0|0 5 2 1,15 * ?", Tz::UTC, "every month on day 1 and 15 at 02:05:00 (UTC)");
        check("C|0|0 0 2 L * ?", Tz::UTC, "C|0|0 0 2 L * ? (UTC)");
        check("C|0|0 0 2 * 1 ?", Tz::UTC, "C|0|0 0 2 * 1 ? (UTC)");
        check("C|0|0 0/5 2 * * ?", Tz::UTC, "C|0|0 0/5 2 * * ? (UTC)");
    }

    #[test]
    fn an_error_names_the_part_and_what_stands_there() {
        let form = "is neither `I|<start>|<interval>` nor `C|<start>|<cron>`";
        for text in ["", "I|0", "I|0|P1D|", "X|0|P1D", "i|0|P1D"] {
            refused(text, &format!("the schedule `{text}` {form}"));
        }
        for start in ["", "-1", "+1", "1.5", " 1", "253402300800", "9999999999999"] {
            refused(
                &format!("I|{start}|P1D"),
                &format!(
                    "the start `{start}` is not a UNIX time in seconds from 0 to 253402300799"
                ),
            );
        }
        refused(
            "I|0|P1M",
            "the interval `P1M` has years or months, which are no fixed number of seconds",
        );
        refused("I|0|PT0S", "the interval `PT0S` is shorter than 60 seconds");
        refused(
            "C|0|0 0 25 * * ?",
            "the hour `25` of the cron is not made of numbers from 0 to 23, such as `2`, `8,20`, \
             `9-17`, `0/6`, `*`",
        );
        refused(
            "C|4000000000|0 0 2 1 1 ? 2030",
            "the schedule `C|4000000000|0 0 2 1 1 ? 2030` never runs",
        );
    }

    #[test]
    fn what_is_stored_is_checked_when_it_is_read() {
        let stored = r#"{"text":"C|0|0 0 2 * * ?","zone":"Asia/Shanghai"}"#;
        let recurrence: Recurrence = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&recurrence).unwrap(), stored);
        let wrong = r#"{"text":"C|0|0 0 2 30 2 ?","zone":"Asia/Shanghai"}"#;
        assert!(serde_json::from_str::<Recurrence>(wrong).is_err());
    }
}
