//! Schedules and retention as people type them.

use std::{
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use chrono::DateTime;
use clap::{ArgGroup, Args};
use crossvault_core::schedule::retention::{Retention, Rules};
use crossvault_handlers::api::RetentionSpec;

use crate::source::Wrong;

/// When a policy's slots are, in one of four ways.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("when").args(["every", "daily", "cron", "schedule"]).multiple(false))]
pub struct When {
    /// A slot every so often, from the start on: 15m, 1h, 1d, 1w
    #[arg(long, value_name = "INTERVAL", help_heading = "Schedule")]
    every: Option<Every>,

    /// A slot each day at this time, by the clocks of the zone: 02:00
    #[arg(long, value_name = "HH:MM", help_heading = "Schedule")]
    daily: Option<TimeOfDay>,

    /// Slots by a cron of second, minute, hour, day of month, month, day of week (1 = Sunday):
    /// '0 0 2 ? * 3,5,7'
    #[arg(long, value_name = "CRON", help_heading = "Schedule")]
    cron: Option<String>,

    /// A schedule as the cloud writes it: 'I|<unix seconds>|<ISO 8601 interval>' or
    /// 'C|<unix seconds>|<cron>'
    #[arg(long, value_name = "TEXT", conflicts_with = "start", help_heading = "Schedule")]
    schedule: Option<String>,

    /// Nothing runs before it: now, a UNIX time in seconds, or a time such as
    /// 2026-01-31T02:00:00Z
    #[arg(long, value_name = "TIME", default_value = "now", help_heading = "Schedule")]
    start: Start,
}

impl When {
    /// The schedule in one of the cloud's two forms; none when nothing was said.
    pub fn text(&self) -> Option<String> {
        let start = self.start.unix_s();
        if let Some(Every(interval)) = &self.every {
            return Some(format!("I|{start}|{interval}"));
        }
        if let Some(TimeOfDay { hour, minute }) = &self.daily {
            return Some(format!("C|{start}|0 {minute} {hour} * * ?"));
        }
        if let Some(cron) = &self.cron {
            return Some(format!("C|{start}|{cron}"));
        }
        self.schedule.clone()
    }
}

/// An ISO 8601 interval.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Every(String);

impl FromStr for Every {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                "INTERVAL_INVALID",
                format!("`{text}` is not an interval"),
                "Give a number and a unit, such as `15m`, `1h`, `1d` or `1w`, or an ISO 8601 interval such as `PT90M`.",
            )
        };
        if text.starts_with('P') {
            // What is right of it is said where the schedule is read.
            return Ok(Self(text.to_owned()));
        }
        let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let is_number =
            (1..=6).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        match text.strip_prefix(number).filter(|_| is_number) {
            Some("m") => Ok(Self(format!("PT{number}M"))),
            Some("h") => Ok(Self(format!("PT{number}H"))),
            Some("d") => Ok(Self(format!("P{number}D"))),
            Some("w") => Ok(Self(format!("P{number}W"))),
            Some(_) | None => Err(wrong()),
        }
    }
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl FromStr for TimeOfDay {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        let number = |digits: &str, below: u8| {
            let is_number =
                (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u8>().ok().filter(|number| is_number && *number < below)
        };
        let time = text.split_once(':').and_then(|(hour, minute)| {
            Some(Self { hour: number(hour, 24)?, minute: number(minute, 60)? })
        });
        time.ok_or_else(|| {
            Wrong::new(
                "TIME_OF_DAY_INVALID",
                format!("`{text}` is not a time of day"),
                "Give hours and minutes, such as `02:00` or `23:30`.",
            )
        })
    }
}

/// When a schedule starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Now,
    At { unix_s: u64 },
}

impl Start {
    fn unix_s(self) -> u64 {
        match self {
            Self::Now => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
            }
            Self::At { unix_s } => unix_s,
        }
    }
}

impl FromStr for Start {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text == "now" {
            return Ok(Self::Now);
        }
        let seconds = text.parse::<u64>().ok().or_else(|| {
            let at = DateTime::parse_from_rfc3339(text).ok()?;
            u64::try_from(at.timestamp()).ok()
        });
        seconds.map(|unix_s| Self::At { unix_s }).ok_or_else(|| {
            Wrong::new(
                "START_INVALID",
                format!("`{text}` is not a time to start at"),
                "Give `now`, a UNIX time in seconds, or a time such as `2026-01-31T02:00:00Z`.",
            )
        })
    }
}

/// How long points are kept.
#[derive(Args, Clone, Debug)]
pub struct Keep {
    /// Keep every recovery point so long, from when it was taken: 30d, 4w, 1y, forever; a policy that
    /// does not say it keeps them forever
    #[arg(long = "keep", value_name = "TIME", help_heading = "Retention")]
    each: Option<KeepTime>,

    /// Keep the first point of each day longer; none for no longer
    #[arg(id = "keep_daily", long = "keep-daily", value_name = "TIME", help_heading = "Retention")]
    daily: Option<LongerTime>,

    /// Keep the first point of each week longer; none for no longer
    #[arg(
        id = "keep_weekly",
        long = "keep-weekly",
        value_name = "TIME",
        help_heading = "Retention"
    )]
    weekly: Option<LongerTime>,

    /// Keep the first point of each month longer; none for no longer
    #[arg(
        id = "keep_monthly",
        long = "keep-monthly",
        value_name = "TIME",
        help_heading = "Retention"
    )]
    monthly: Option<LongerTime>,

    /// Keep the first point of each year longer; none for no longer
    #[arg(
        id = "keep_yearly",
        long = "keep-yearly",
        value_name = "TIME",
        help_heading = "Retention"
    )]
    yearly: Option<LongerTime>,

    /// Never remove the newest recovery point of a source
    #[arg(
        long = "keep-latest",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Retention"
    )]
    latest: Option<bool>,
}

impl Keep {
    /// The rules with what was said put over `before`; none when nothing was said.
    pub fn over(&self, before: &RetentionSpec) -> Option<RetentionSpec> {
        let Self { each, daily, weekly, monthly, yearly, latest } = self;
        let longer = [daily, weekly, monthly, yearly];
        if each.is_none() && latest.is_none() && longer.iter().all(|time| time.is_none()) {
            return None;
        }
        let over = |said: &Option<LongerTime>, before| said.map_or(before, |LongerTime(days)| days);
        Some(RetentionSpec {
            days: each.map_or(before.days, |KeepTime(days)| days),
            daily: over(daily, before.daily),
            weekly: over(weekly, before.weekly),
            monthly: over(monthly, before.monthly),
            yearly: over(yearly, before.yearly),
            keep_latest: latest.unwrap_or(before.keep_latest),
        })
    }
}

/// Rules as they would be typed.
pub fn spec_of(rules: &Rules) -> RetentionSpec {
    use crossvault_core::schedule::retention::Period;
    let longer =
        |period| rules.special().iter().find(|rule| rule.period == period).map(|rule| rule.days);
    RetentionSpec {
        days: match rules.retention() {
            Retention::Days(days) => Some(days),
            Retention::Forever => None,
        },
        daily: longer(Period::Daily),
        weekly: longer(Period::Weekly),
        monthly: longer(Period::Monthly),
        yearly: longer(Period::Yearly),
        keep_latest: rules.keep_latest(),
    }
}

/// Rules in words.
pub fn retention_text(rules: &Rules) -> String {
    let RetentionSpec { days, daily, weekly, monthly, yearly, keep_latest } = spec_of(rules);
    let longer = [("daily", daily), ("weekly", weekly), ("monthly", monthly), ("yearly", yearly)];
    let mut parts = vec![days.map_or_else(|| "forever".to_owned(), |days| format!("{days}d"))];
    parts.extend(longer.iter().filter_map(|(word, days)| Some(format!("{word} {}d", (*days)?))));
    if keep_latest {
        parts.push("latest kept".to_owned());
    }
    parts.join(", ")
}

/// A time that points are kept, in days; none is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeepTime(Option<u32>);

impl FromStr for KeepTime {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text == "forever" { Ok(Self(None)) } else { days(text).map(|days| Self(Some(days))) }
    }
}

/// A time that the first point of a period is kept, in days; none is no longer than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LongerTime(Option<u32>);

impl FromStr for LongerTime {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text == "none" { Ok(Self(None)) } else { days(text).map(|days| Self(Some(days))) }
    }
}

fn days(text: &str) -> Result<u32, Wrong> {
    let (digits, days_each) = match text.strip_suffix(['d', 'w', 'y']) {
        Some(digits) if text.ends_with('w') => (digits, 7),
        Some(digits) if text.ends_with('y') => (digits, 365),
        Some(digits) => (digits, 1),
        None => (text, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number = if is_number { digits.parse::<u32>().ok() } else { None };
    number.and_then(|number| number.checked_mul(days_each)).ok_or_else(|| {
        Wrong::new(
            "KEEP_TIME_INVALID",
            format!("`{text}` is not a time to keep points"),
            "Give days, weeks or years of 365 days, such as `30d`, `4w` or `1y`.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn every(text: &str, expected: Option<&str>) {
        assert_eq!(text.parse::<Every>().ok().map(|Every(text)| text).as_deref(), expected);
    }

    #[test]
    fn intervals_become_the_clouds() {
        every("15m", Some("PT15M"));
        every("1h", Some("PT1H"));
        every("1d", Some("P1D"));
        every("2w", Some("P2W"));
        every("PT90M", Some("PT90M"));
        for wrong in ["", "h", "1", "1 h", "-1h", "1s", "1µ", "1234567h", "1.5h"] {
            every(wrong, None);
        }
    }

    #[test]
    fn a_time_of_day_is_read() {
        assert_eq!("02:05".parse(), Ok(TimeOfDay { hour: 2, minute: 5 }));
        assert_eq!("2:00".parse(), Ok(TimeOfDay { hour: 2, minute: 0 }));
        for wrong in ["24:00", "12:60", "12", "12:", "-1:00", "+1:00", "012:00", "12:00:00"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_start_is_now_or_an_instant() {
        assert_eq!("now".parse(), Ok(Start::Now));
        assert_eq!("1631685600".parse(), Ok(Start::At { unix_s: 1_631_685_600 }));
        assert_eq!("1970-01-01T01:00:00+01:00".parse(), Ok(Start::At { unix_s: 0 }));
        for wrong in ["", "-1", "tomorrow", "1969-12-31T00:00:00Z", "2026-01-31"] {
            assert!(wrong.parse::<Start>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_to_keep_are_days() {
        assert_eq!("30".parse(), Ok(KeepTime(Some(30))));
        assert_eq!("30d".parse(), Ok(KeepTime(Some(30))));
        assert_eq!("4w".parse(), Ok(KeepTime(Some(28))));
        assert_eq!("2y".parse(), Ok(KeepTime(Some(730))));
        assert_eq!("forever".parse(), Ok(KeepTime(None)));
        assert_eq!("none".parse(), Ok(LongerTime(None)));
        for wrong in ["", "d", "-1d", "1m", "none", "99999999y", "1 d"] {
            assert!(wrong.parse::<KeepTime>().is_err(), "{wrong}");
        }
    }
}
