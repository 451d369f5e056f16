//! ISO 8601 intervals, as seconds.

use super::InvalidRecurrence;

/// The shortest interval: the schedule is looked at once a minute, and of several slots found at
/// one look only the newest runs, so a shorter interval would promise runs that never happen.
pub const INTERVAL_MIN_S: i64 = 60;

/// Reads an ISO 8601 interval such as `P1D`, `PT2H` or `P1W` as exact seconds: a day is 24 hours.
///
/// Whole numbers only, each unit at most once, in the order weeks, days, hours, minutes, seconds.
pub(super) fn seconds(text: &str) -> Result<i64, InvalidRecurrence> {
    let invalid = || InvalidRecurrence::Interval { text: text.to_owned() };
    let body = text.strip_prefix('P').ok_or_else(invalid)?;
    let (date, time) = match body.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return Err(invalid()),
        None if body.is_empty() => return Err(invalid()),
        None => (body, ""),
    };
    if date.contains(['Y', 'M']) {
        return Err(InvalidRecurrence::CalendarInterval { text: text.to_owned() });
    }
    let total = sum(date, &[('W', 604_800), ('D', 86_400)])
        .zip(sum(time, &[('H', 3_600), ('M', 60), ('S', 1)]))
        .and_then(|(date_s, time_s)| date_s.checked_add(time_s))
        .ok_or_else(invalid)?;
    if total < INTERVAL_MIN_S {
        return Err(InvalidRecurrence::ShortInterval { text: text.to_owned() });
    }
    Ok(total)
}

/// Adds up numbers that are each followed by a unit; every unit lies after those before it.
fn sum(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for &(unit, unit_s) in units {
        let Some((digits, rest)) = text.split_once(unit) else { continue };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit_s)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: i64) {
        assert_eq!(seconds(text), Ok(expected));
    }

    #[track_caller]
    fn refused(text: &str, code: &str) {
        use crate::explain::Explain;
        assert_eq!(seconds(text).map_err(|e| e.code()), Err(code), "{text}");
    }

    #[test]
    fn intervals_are_exact_seconds() {
        check("P1D", 86_400);
        check("PT1H", 3_600);
        check("PT2H", 7_200);
        check("P1W", 604_800);
        check("P1W1DT1H1M1S", 694_861);
        check("PT60S", 60);
        check("PT90M", 5_400);
        check("P01D", 86_400);
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        let digits = format!("P{}D", "9".repeat(30));
        for text in [
            "", "P", "PT", "P1", "1D", "P1H", "PT1D", "P1DT", "P1D1W", "P1D1D", "P-1D", "P1.5D",
            "P+1D", " P1D", "P1D ", "p1d", "PD", "P1٣D", "PT1S1M", &digits,
        ] {
            refused(text, "RECURRENCE_INTERVAL_INVALID");
        }
        for text in ["P1Y", "P1M", "P1Y2M3DT4H"] {
            refused(text, "RECURRENCE_INTERVAL_CALENDAR");
        }
        for text in ["PT0S", "P0D", "PT59S"] {
            refused(text, "RECURRENCE_INTERVAL_SHORT");
        }
    }
}
