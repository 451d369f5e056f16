//! Quantities, instants and foreign text as people read them.

use chrono::{DateTime, TimeDelta, Utc};

/// An instant to the second, in UTC: the column's title says so.
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long something took.
pub fn duration(took: TimeDelta) -> String {
    let s = took.num_seconds().max(0);
    let tenths = took.subsec_millis().max(0).div_euclid(100);
    match s {
        0..60 => format!("{s}.{tenths} s"),
        60..3_600 => format!("{} min {} s", s.div_euclid(60), s.rem_euclid(60)),
        _ => format!("{} h {} min", s.div_euclid(3_600), s.rem_euclid(3_600).div_euclid(60)),
    }
}

/// A number with its thing: `1 file`, `2 files`.
pub fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{} {thing}s", grouped(number)) }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text of others, such as names of files, without what would command the terminal or turn its
/// direction.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(
            c,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if c.is_control() || turns {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(999, "file"), "999 files");
        assert_eq!(count(1_234_567, "file"), "1,234,567 files");
        assert_eq!(duration(TimeDelta::milliseconds(1_290)), "1.2 s");
        assert_eq!(duration(TimeDelta::seconds(61)), "1 min 1 s");
        assert_eq!(duration(TimeDelta::seconds(-5)), "0.0 s");
        assert_eq!(duration(TimeDelta::seconds(7_300)), "2 h 1 min");
    }

    #[test]
    fn names_of_files_do_not_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(printable("gnp\u{202e}.exe"), "gnp\\u{202e}.exe");
        assert_eq!(printable("Übung 中文"), "Übung 中文");
    }
}
