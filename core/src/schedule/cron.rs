//! Quartz-like cron on a zone's wall clock.
//!
//! `croner` searches; what it is given is checked and spelled out here first, because it reads
//! some mistakes as something else (`JANFEB` as 12, a weekday `L` as never, an empty list item as
//! nothing). It sees local times only: the way to instants, and so what happens when clocks are
//! put forward or back, is decided here.

use std::sync::Arc;

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use croner::parser::{CronParser, Seconds, Year};

use super::InvalidRecurrence;

/// After this year nothing is searched: `croner` ends at 5000, and no backup is planned that far.
const YEAR_LAST: i32 = 4_990;

/// How many local times may map to the wrong side of an instant before a search gives up.
///
/// The longest change of a clock in a zone's history is a day, and slots of one cron are at least
/// a minute apart, so 1,440 would do.
const LOCAL_TRIES: usize = 3_000;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const WEEKDAYS_LONG: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A cron whose fields were all understood.
#[derive(Clone, Debug)]
pub(super) struct Cron(Arc<croner::Cron>);

impl Cron {
    /// Reads `second minute hour day-of-month month day-of-week [year]`.
    ///
    /// Names of months and weekdays, lists, ranges (also over the end: `FRI-MON`), steps, `?` for
    /// one of both days, and standing alone: `L`, `LW`, `15W` as day of the month, `6L`, `6#3` as
    /// day of the week. Stricter than Quartz in one thing: the second is one number.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRecurrence> {
        let fields = || InvalidRecurrence::CronFields { text: text.to_owned() };
        let mut parts = text.split_ascii_whitespace();
        let mut part = || parts.next().ok_or_else(fields);
        let (second, minute, hour) = (part()?, part()?, part()?);
        let (day, month, weekday) = (part()?, part()?, part()?);
        let year = parts.next().unwrap_or("*");
        if parts.next().is_some() {
            return Err(fields());
        }
        let is_open = |day: &str| matches!(day, "?" | "*");
        if !is_open(day) && !is_open(weekday) || day == "?" && weekday == "?" {
            return Err(InvalidRecurrence::CronDays {
                day: day.to_owned(),
                weekday: weekday.to_owned(),
            });
        }
        let pattern = [
            Field::SECOND.check(second)?,
            Field::MINUTE.check(minute)?,
            Field::HOUR.check(hour)?,
            Field::DAY.check(day)?,
            Field::MONTH.check(month)?,
            Field::WEEKDAY.check(weekday)?,
            Field::YEAR.check(year)?,
        ];
        CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .build()
            .parse(&pattern.join(" "))
            .map(|cron| Self(Arc::new(cron)))
            // Not reached: each field was spelled out as plain numbers or a known form.
            .map_err(|_| fields())
    }

    /// The first slot after an instant.
    pub(super) fn next_after(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let mut local = local_time(after, zone)?;
        // More than one turn only in the hour that a clock runs through for the second time:
        // its local times have had their instant already.
        for _ in 0..LOCAL_TRIES {
            local = self.0.find_next_occurrence(&local, false).ok()?;
            if let Some(at) = instant(local, zone).filter(|&at| at > after) {
                return Some(at);
            }
        }
        None
    }

    /// The last slot at or before an instant.
    pub(super) fn last_until(&self, upto: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let mut local = local_time(upto, zone)?;
        // In a repeated hour all its local times had their instant in the first pass.
        if let MappedLocalTime::Ambiguous(one, other) = zone.from_local_datetime(&local) {
            let repeated = one.signed_duration_since(other).abs();
            local = local.checked_add_signed(repeated)?;
        }
        let mut is_inclusive = true;
        for _ in 0..LOCAL_TRIES {
            local = self.0.find_previous_occurrence(&local, is_inclusive).ok()?;
            is_inclusive = false;
            if let Some(at) = instant(local, zone).filter(|&at| at <= upto) {
                return Some(at);
            }
        }
        None
    }

    /// Says it in words, where that is shorter than the cron: one time of day, and days of the
    /// week or of the month.
    pub(super) fn describe(&self) -> Option<String> {
        let pattern = &self.0.pattern;
        let one = |values: Vec<u16>| match values.as_slice() {
            [value] => Some(*value),
            _ => None,
        };
        let hour = one(pattern.hours.values())?;
        let minute = one(pattern.minutes.values())?;
        let second = one(pattern.seconds.values())?;
        let days = pattern.days.values();
        let weekdays = pattern.days_of_week.values();
        let is_plain = pattern.months.from_wildcard
            && pattern.years.from_wildcard
            && !pattern.days.has_modifiers()
            && !pattern.days_of_week.has_modifiers();
        let on = match (pattern.days.from_wildcard, pattern.days_of_week.from_wildcard) {
            _ if !is_plain => return None,
            (true, true) => "every day".to_owned(),
            (true, false) => {
                let names = WEEKDAYS_LONG.iter().zip(0_u16..);
                format!(
                    "every {}",
                    listed(names.filter(|(_, n)| weekdays.contains(n)).map(|(name, _)| *name))
                )
            }
            (false, _) => format!("every month on day {}", listed(days.iter())),
        };
        Some(format!("{on} at {hour:02}:{minute:02}:{second:02}"))
    }
}

/// What one field of a cron may hold.
struct Field {
    name: &'static str,
    expected: &'static str,
    min: u16,
    max: u16,
    names: &'static [&'static str],
}

impl Field {
    const SECOND: Self = Self {
        name: "second",
        expected: "one number from 0 to 59 (runs are at least a minute apart)",
        min: 0,
        max: 59,
        names: &[],
    };
    const MINUTE: Self = Self {
        name: "minute",
        expected: "made of numbers from 0 to 59, such as `0`, `0,30`, `10-20`, `0/15`, `*`",
        min: 0,
        max: 59,
        names: &[],
    };
    const HOUR: Self = Self {
        name: "hour",
        expected: "made of numbers from 0 to 23, such as `2`, `8,20`, `9-17`, `0/6`, `*`",
        min: 0,
        max: 23,
        names: &[],
    };
    const DAY: Self = Self {
        name: "day of month",
        expected: "made of numbers from 1 to 31, such as `1`, `1,15`, `1-7`, `1/10`, \
                   or one of `*`, `?`, `L`, `LW`, `15W` alone",
        min: 1,
        max: 31,
        names: &[],
    };
    const MONTH: Self = Self {
        name: "month",
        expected: "made of numbers from 1 to 12 or names, such as `1`, `JAN,JUL`, `1/3`, `*`",
        min: 1,
        max: 12,
        names: &MONTHS,
    };
    const WEEKDAY: Self = Self {
        name: "day of week",
        expected: "made of numbers from 1 (Sunday) to 7 or names, such as `2`, `3,5,7`, `MON-FRI`, \
                   or one of `*`, `?`, `6L`, `6#3` alone",
        min: 1,
        max: 7,
        names: &WEEKDAYS,
    };
    const YEAR: Self = Self {
        name: "year",
        expected: "made of numbers from 1970 to 2099, such as `2030`, `2030-2032`, `*`",
        min: 1_970,
        max: 2_099,
        names: &[],
    };

    /// Spells the field out for the search: `*`, plain numbers, or a form that stands alone.
    fn check(&self, text: &str) -> Result<String, InvalidRecurrence> {
        let upper = text.to_ascii_uppercase();
        let spelled = match text {
            "*" => Some(upper),
            "?" if self.is_day() => Some("*".to_owned()),
            _ => self.alone(&upper).or_else(|| self.list(&upper)),
        };
        let is_one = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        spelled.filter(|text| self.name != Self::SECOND.name || is_one(text)).ok_or_else(|| {
            InvalidRecurrence::CronField {
                field: self.name,
                text: text.to_owned(),
                expected: self.expected,
            }
        })
    }

    fn is_day(&self) -> bool {
        self.name == Self::DAY.name || self.name == Self::WEEKDAY.name
    }

    /// The forms whose days depend on the month.
    fn alone(&self, text: &str) -> Option<String> {
        if self.name == Self::DAY.name {
            let is_known = matches!(text, "L" | "LW")
                || text.strip_suffix('W').is_some_and(|day| self.value(day).is_some());
            return is_known.then(|| text.to_owned());
        }
        if self.name != Self::WEEKDAY.name {
            return None;
        }
        if let Some(day) = text.strip_suffix('L') {
            return self.value(day).map(|day| format!("{day}L"));
        }
        let (day, nth) = text.split_once('#')?;
        let nth = number(nth).filter(|nth| (1..=5).contains(nth))?;
        self.value(day).map(|day| format!("{day}#{nth}"))
    }

    fn list(&self, text: &str) -> Option<String> {
        let mut values = Vec::new();
        for item in text.split(',') {
            values.extend(self.item(item)?);
        }
        values.sort_unstable();
        values.dedup();
        Some(values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }

    /// The values of `n`, `n-m`, and of `*`, `n` or `n-m` followed by `/step`.
    fn item(&self, text: &str) -> Option<Vec<u16>> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => {
                (range, Some(number(step).filter(|step| (1..=self.max).contains(step))?))
            }
            None => (text, None),
        };
        let (from, to) = if range == "*" {
            step?;
            (self.min, self.max)
        } else if let Some((from, to)) = range.split_once('-') {
            (self.value(from)?, self.value(to)?)
        } else {
            let from = self.value(range)?;
            (from, if step.is_some() { self.max } else { from })
        };
        let step = usize::from(step.unwrap_or(1));
        Some(if from <= to {
            (from..=to).step_by(step).collect()
        } else if self.name == Self::YEAR.name {
            return None;
        } else {
            (from..=self.max).chain(self.min..=to).step_by(step).collect()
        })
    }

    fn value(&self, text: &str) -> Option<u16> {
        self.names
            .iter()
            .zip(self.min..)
            .find_map(|(name, value)| (*name == text).then_some(value))
            .or_else(|| number(text).filter(|value| (self.min..=self.max).contains(value)))
    }
}

fn number(text: &str) -> Option<u16> {
    let is_digits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

/// What the zone's clocks show at an instant, or nothing where no search goes.
fn local_time(at: DateTime<Utc>, zone: Tz) -> Option<NaiveDateTime> {
    (1_900..=YEAR_LAST).contains(&at.year()).then(|| at.with_timezone(&zone).naive_local())
}

/// The instant of a local time: the first of two, and the end of the gap that it lies in.
fn instant(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) => Some(at.to_utc()),
        MappedLocalTime::Ambiguous(one, other) => Some(one.min(other).to_utc()),
        MappedLocalTime::None => {
            // The gap begins on the clock that ran until then: read there, it is the instant at
            // which the clocks are put forward.
            let (begin, offset) = GapInfo::new(&local, &zone)?.begin?;
            begin.checked_sub_offset(offset.fix()).map(|at| at.and_utc())
        }
    }
}

fn listed(items: impl Iterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::*;
    use crate::{explain::Explain, schedule::Recurrence};

    /// The first slots from a local day on, as `month-day hour:minute` of the zone's clocks.
    #[track_caller]
    fn check(cron: &str, zone: Tz, from: &str, expected: &[&str]) {
        let recurrence = Recurrence::parse(&format!("C|0|{cron}"), zone).unwrap();
        let day: chrono::NaiveDate = from.parse().unwrap();
        let midnight = instant(day.and_time(NaiveTime::MIN), zone).unwrap();
        let mut slot = recurrence.first_from(midnight);
        for &expected in expected {
            let at = slot.unwrap();
            assert_eq!(at.with_timezone(&zone).format("%m-%d %H:%M %Z").to_string(), expected);
            assert_eq!(recurrence.last_until(at), Some(at), "the way back from {at}");
            slot = recurrence.next_after(at);
        }
    }

    #[test]
    fn the_documents_example_runs_on_tuesday_thursday_and_saturday() {
        let cron = "0 0 2 ? * 3,5,7";
        check(cron, Tz::UTC, "2021-09-13", &["09-14 02:00 UTC", "09-16 02:00 UTC"]);
        check(cron, Tz::UTC, "2021-09-17", &["09-18 02:00 UTC", "09-21 02:00 UTC"]);
    }

    #[test]
    fn every_form_of_a_field_is_understood() {
        let utc = |cron, from, expected| check(cron, Tz::UTC, from, expected);
        utc("0 0 2 ? * TUE", "2025-01-01", &["01-07 02:00 UTC", "01-14 02:00 UTC"]);
        utc("0 0 2 ? * fri-Mon", "2025-01-01", &["01-03 02:00 UTC", "01-04 02:00 UTC"]);
        utc("0 0/20 22-1 * * ?", "2025-01-01", &["01-01 00:00 UTC", "01-01 00:20 UTC"]);
        utc("0 5 0/12 * * ?", "2025-01-01", &["01-01 00:05 UTC", "01-01 12:05 UTC"]);
        utc("0 5 */12 * * *", "2025-01-01", &["01-01 00:05 UTC", "01-01 12:05 UTC"]);
        utc("0 0 2 L * ?", "2024-02-01", &["02-29 02:00 UTC", "03-31 02:00 UTC"]);
        utc("0 0 2 LW * ?", "2025-05-01", &["05-30 02:00 UTC", "06-30 02:00 UTC"]);
        utc("0 0 2 15W * ?", "2025-02-01", &["02-14 02:00 UTC", "03-14 02:00 UTC"]);
        utc("0 0 2 ? * 6L", "2025-01-01", &["01-31 02:00 UTC", "02-28 02:00 UTC"]);
        utc("0 0 2 ? * FRI#3", "2025-01-01", &["01-17 02:00 UTC", "02-21 02:00 UTC"]);
        utc("0 0 2 ? FEB MON#5", "2025-01-01", &["02-29 02:00 UTC"]);
        utc("0 0 2 1 JAN,JUL ?", "2025-01-02", &["07-01 02:00 UTC", "01-01 02:00 UTC"]);
        utc("0 0 2 1 1/6 ? 2026-2027", "2025-01-02", &["01-01 02:00 UTC", "07-01 02:00 UTC"]);
        utc("30 0 2 1,31 * ?", "2025-04-02", &["05-01 02:00 UTC", "05-31 02:00 UTC"]);
    }

    #[test]
    fn a_time_that_does_not_exist_runs_at_the_end_of_the_gap() {
        let berlin = Tz::Europe__Berlin;
        check(
            "0 30 2 * * ?",
            berlin,
            "2025-03-29",
            &["03-29 02:30 CET", "03-30 03:00 CEST", "03-31 02:30 CEST"],
        );
        // 02:00, 02:30 and 03:00 mean one instant, so they are one slot.
        check(
            "0 0/30 1-3 * * ?",
            berlin,
            "2025-03-30",
            &[
                "03-30 01:00 CET",
                "03-30 01:30 CET",
                "03-30 03:00 CEST",
                "03-30 03:30 CEST",
                "03-31 01:00 CEST",
            ],
        );
        // Half an hour on Lord Howe Island, a whole day on Samoa, midnight itself in Beirut.
        check(
            "0 15 2 * * ?",
            Tz::Australia__Lord_Howe,
            "2025-10-05",
            &["10-05 02:30 +11", "10-06 02:15 +11"],
        );
        check(
            "0 0 9 * * ?",
            Tz::Pacific__Apia,
            "2011-12-29",
            &["12-29 09:00 -10", "12-31 00:00 +14", "12-31 09:00 +14"],
        );
        check("0 0 0 * * ?", Tz::Asia__Beirut, "2025-03-30", &["03-30 01:00 EEST"]);
    }

    #[test]
    fn a_time_that_exists_twice_runs_the_first_time() {
        check(
            "0 30 2 * * ?",
            Tz::Europe__Berlin,
            "2025-10-26",
            &["10-26 02:30 CEST", "10-27 02:30 CET"],
        );
        check(
            "0 0/30 1-3 * * ?",
            Tz::America__New_York,
            "2025-11-02",
            &["11-02 01:00 EDT", "11-02 01:30 EDT", "11-02 02:00 EST"],
        );
    }

    #[test]
    fn inside_the_second_pass_both_ways_lead_out_of_it() {
        let zone = Tz::Europe__Berlin;
        let recurrence = Recurrence::parse("C|0|0 0/15 * * * ?", zone).unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        // 01:20 UTC is 02:20 for the second time.
        let inside = at("2025-10-26T01:20:00Z");
        assert_eq!(recurrence.next_after(inside), Some(at("2025-10-26T02:00:00Z")));
        assert_eq!(recurrence.last_until(inside), Some(at("2025-10-26T00:45:00Z")));
    }

    #[track_caller]
    fn refused(cron: &str, code: &str) {
        let result = Recurrence::parse(&format!("C|0|{cron}"), Tz::UTC);
        assert_eq!(result.map_err(|e| e.code()), Err(code), "{cron}");
    }

    #[test]
    fn what_croner_would_misread_is_refused() {
        for cron in [
            "* 0 2 ? * *",
            "0,30 0 2 ? * *",
            "60 0 2 ? * *",
            "L 0 2 ? * *",
            "? 0 2 ? * *",
            "0 60 2 ? * *",
            "0 0 24 ? * *",
            "0 -5 2 ? * *",
            "0 5- 2 ? * *",
            "0 /5 2 ? * *",
            "0 */0 2 ? * *",
            "0 */60 2 ? * *",
            "0 1/2/3 2 ? * *",
            "0 1-2-3 2 ? * *",
            "0 0 2 , * ?",
            "0 0 2 1, * ?",
            "0 0 2 JAN * ?",
            "0 0 2 0 * ?",
            "0 0 2 32 * ?",
            "0 0 2 L-3 * ?",
            "0 0 2 L,1 * ?",
            "0 0 2 1,? * *",
            "0 0 2 W * ?",
            "0 0 2 32W * ?",
            "0 0 2 ? JANFEB *",
            "0 0 2 ? 13 *",
            "0 0 2 ? JANUARY *",
            "0 0 2 ? ? *",
            "0 0 2 ? * L",
            "0 0 2 ? * 0",
            "0 0 2 ? * 8",
            "0 0 2 ? * +3",
            "0 0 2 ? * 3#0",
            "0 0 2 ? * 3#6",
            "0 0 2 ? * #2",
            "0 0 2 ? * 2-3#2",
            "0 0 2 ? * 8L",
            "0 0 2 ? * * 1969",
            "0 0 2 ? * * 2030-2029",
            "0 0 2 ? * * ?",
            "0 ٣ 2 ? * *",
        ] {
            refused(cron, "RECURRENCE_CRON_FIELD_INVALID");
        }
        for cron in ["", "@daily", "0 2 * * *", "0 0 2 ? * * 2030 1"] {
            refused(cron, "RECURRENCE_CRON_INVALID");
        }
        for cron in ["0 0 2 1 * 3", "0 0 2 ? * ?", "0 0 2 1-31 * 1-7"] {
            refused(cron, "RECURRENCE_CRON_DAYS");
        }
        for cron in ["0 0 2 30 2 ?", "0 0 2 31 4,6 ?", "0 0 2 29 2 ? 2099", "0 0 2 30W FEB ?"] {
            refused(cron, "RECURRENCE_NEVER_RUNS");
        }
    }
}
