//! The instants of a schedule, expanded plainly.
//!
//! An interval is counted here from its text, by code that shares nothing with `core`'s. The
//! calendar's rules for a cron are `core`'s own table, which has tests of its own.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::schedule::Recurrence;

/// The first instant after another.
pub(super) fn after(schedule: &Recurrence, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Some((start, period)) = interval(schedule.as_str()) else {
        return schedule.next_after(instant);
    };
    if instant < start {
        return Some(start);
    }
    let mut at = start;
    // In great strides first: a schedule may have begun in 1970.
    for stride in [100_000_000_i32, 1_000_000, 10_000, 100, 1] {
        let by = period.checked_mul(stride)?;
        while let Some(further) = at.checked_add_signed(by).filter(|at| *at <= instant) {
            at = further;
        }
    }
    at.checked_add_signed(period)
}

/// Whether an instant is one of the schedule's.
pub(super) fn has(schedule: &Recurrence, instant: DateTime<Utc>) -> bool {
    let before = instant.checked_sub_signed(TimeDelta::nanoseconds(1));
    before.and_then(|before| after(schedule, before)) == Some(instant)
}

/// How many instants there are from one to another, both counted.
pub(super) fn count(schedule: &Recurrence, first: DateTime<Utc>, last: DateTime<Utc>) -> u64 {
    let mut count = u64::from(has(schedule, first));
    let mut at = first;
    while let Some(next) = after(schedule, at).filter(|next| *next <= last) {
        count = count.saturating_add(1);
        at = next;
    }
    count
}

/// The start and the period of `I|<start, seconds since 1970>|<period, ISO 8601>`.
fn interval(text: &str) -> Option<(DateTime<Utc>, TimeDelta)> {
    let (start, period) = text.strip_prefix("I|")?.split_once('|')?;
    let start = DateTime::from_timestamp(start.parse().ok()?, 0)?;
    let mut seconds = 0_i64;
    let mut number = 0_i64;
    let mut is_time = false;
    for letter in period.strip_prefix('P')?.chars() {
        let unit = match letter {
            'T' => {
                is_time = true;
                continue;
            }
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' if is_time => 60,
            'S' => 1,
            digit => {
                let digit = i64::from(digit.to_digit(10)?);
                number = number.checked_mul(10)?.checked_add(digit)?;
                continue;
            }
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    Some((start, TimeDelta::seconds(seconds))).filter(|_| seconds > 0)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    /// Both expansions agree on many intervals and instants.
    #[test]
    fn an_interval_is_the_same_for_both() {
        for text in ["I|0|PT5M", "I|1767225600|P1D", "I|1767225600|P1DT2H30M", "I|1767225601|PT1H"]
        {
            let schedule = Recurrence::parse(text, Tz::UTC).unwrap();
            assert!(interval(text).is_some(), "{text}");
            let mut at = DateTime::from_timestamp(1_767_200_000, 0).unwrap();
            for n in 0..200 {
                assert_eq!(after(&schedule, at), schedule.next_after(at), "{text} after {at}");
                at += TimeDelta::seconds(i64::from(n) * 37);
                assert_eq!(has(&schedule, at), schedule.first_from(at) == Some(at));
            }
        }
        let cron = Recurrence::parse("C|0|0 0 2 * * ?", Tz::UTC).unwrap();
        assert_eq!(interval(cron.as_str()), None);
        assert_eq!(count(&cron, cron.start(), cron.start() + TimeDelta::days(10)), 10);
    }
}
