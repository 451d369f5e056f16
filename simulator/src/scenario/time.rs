//! Times relative to the start, as people write them: `+1h10m`, `-30s`.

use chrono::TimeDelta;

const UNITS: [(&str, i64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// What a time after or before the start is like.
pub(super) const EXPECTED: &str = "a time from the start on, such as `+1h10m` or `-30s`";
/// What a length of time is like.
pub(super) const LENGTH: &str = "a length of time, such as `1d`, `1h30m` or `10s`";

/// Reads a length of time: each unit at most once, the longer ones first.
pub(super) fn length(text: &str) -> Option<TimeDelta> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, ms) = units.by_ref().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*ms)?)?;
        rest = tail;
    }
    (!text.is_empty()).then(|| TimeDelta::try_milliseconds(sum)).flatten()
}

/// Reads a time from the start on.
pub(super) fn offset(text: &str) -> Option<TimeDelta> {
    if let Some(text) = text.strip_prefix('-') {
        return length(text)?.checked_mul(-1);
    }
    length(text.strip_prefix('+')?)
}

/// A length as it is read.
pub(super) fn words(length: TimeDelta) -> String {
    let mut left = length.num_milliseconds().saturating_abs();
    let mut text = String::new();
    for (name, ms) in UNITS {
        let count = left.checked_div(ms).unwrap_or(0);
        left = left.checked_rem(ms).unwrap_or(0);
        if count > 0 {
            text.extend([count.to_string().as_str(), name]);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A time from the start on as it is read.
pub(super) fn signed(offset: TimeDelta) -> String {
    let sign = if offset < TimeDelta::zero() { '-' } else { '+' };
    format!("{sign}{}", words(offset))
}

/// An ISO 8601 interval of so many seconds.
pub(super) fn iso(seconds: i64) -> String {
    for (ms, before, after) in [(86_400, "P", "D"), (3600, "PT", "H"), (60, "PT", "M")] {
        if seconds.checked_rem(ms) == Some(0) {
            return format!("{before}{}{after}", seconds.checked_div(ms).unwrap_or(0));
        }
    }
    format!("PT{seconds}S")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["+0s", "+1h10m", "-30s", "+2d3ms", "-1h1m1s"] {
            assert_eq!(signed(offset(text).unwrap()), text);
        }
        for text in ["", "+", "1h", "+1", "+h", "+1m1h", "+1m1m", "+1 h", "+1x", "--1s"] {
            assert_eq!(offset(text), None, "{text}");
        }
    }

    #[test]
    fn an_interval_is_in_its_longest_whole_unit() {
        assert_eq!([86_400, 3600, 5400, 61].map(iso), ["P1D", "PT1H", "PT90M", "PT61S"]);
    }
}
