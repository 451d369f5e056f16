//! Texts near one another: patterns near a text, and values of each type near a value.

use std::net::Ipv4Addr;

use super::chance::Chance;
use crate::policy::Dialect;

/// The types of condition values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Date,
    Bool,
    Address,
    Name,
    Bytes,
}

/// The keys that requests may have, with the type of their values.
pub(super) fn keys(dialect: Dialect) -> &'static [(&'static str, Type)] {
    match dialect {
        Dialect::Ram => &[
            ("acs:SourceIp", Type::Address),
            ("acs:CurrentTime", Type::Date),
            ("acs:SecureTransport", Type::Bool),
            ("ecs:Age", Type::Number),
            ("oss:Prefix", Type::Text),
            ("acs:ResourceTag/env", Type::Text),
        ],
        Dialect::Aws => &[
            ("aws:SourceIp", Type::Address),
            ("aws:CurrentTime", Type::Date),
            ("aws:SecureTransport", Type::Bool),
            ("s3:max-keys", Type::Number),
            ("aws:username", Type::Text),
            ("s3:prefix", Type::Text),
            ("aws:PrincipalArn", Type::Name),
            ("x:bytes", Type::Bytes),
        ],
    }
}

/// Values that a request may have.
pub(super) fn pool(of: Type) -> &'static [&'static str] {
    match of {
        Type::Text => {
            &["prod", "PROD", "bob", "b*", "", "home/bob/x", "pröd", "a:b:c", "aab?", "ΑΣ", "ας"]
        }
        Type::Number => {
            &["7", "7.0", "07", "+7", "-7", "10", "0", "-0", "7.25", "9007199254740993", "1e1", ""]
        }
        Type::Date => &[
            "2026-11-23T12:00:00Z",
            "2026-11-23T20:00:00+08:00",
            "2026-11-23T12:00:00.5z",
            "2026-12-31T23:59:60Z",
            "2024-02-29T00:00:00Z",
            "2026-11-23",
            "1795435200",
        ],
        Type::Bool => &["true", "True", "false", "FALSE", "0", ""],
        Type::Address => &[
            "10.0.0.0",
            "10.0.0.255",
            "10.1.2.3",
            "192.168.1.17",
            "255.255.255.255",
            "0.0.0.0",
            "::ffff:10.0.0.1",
            "2001:db8::5",
            "::",
            "10.0.0",
            "",
        ],
        Type::Name => &[
            "arn:aws:iam::123456789012:role/Admin",
            "arn:aws:iam::123456789012:user/bob:x:y",
            "arn:aws:sts::123456789012:assumed-role/r/s",
            "bob",
        ],
        Type::Bytes => &["QUJD", "QQ==", "qujd", ""],
    }
}

/// A value near that one, as a policy may have it.
pub(super) fn near(of: Type, value: &str, chance: &mut Chance) -> String {
    match of {
        Type::Text | Type::Name => match chance.below(6) {
            0 => value.to_owned(),
            1 => value.to_uppercase(),
            2 => pattern(&value.to_lowercase(), chance),
            _ => pattern(value, chance),
        },
        Type::Number => number(value, chance),
        Type::Date => date(value, chance),
        Type::Bool => chance.one_of(&["true", "false", "TRUE", "False"]).to_owned(),
        Type::Address => network(value, chance),
        Type::Bytes => chance.one_of(pool(of)).to_owned(),
    }
}

fn number(value: &str, chance: &mut Chance) -> String {
    let whole = value.trim_start_matches('+').split('.').next().unwrap_or_default();
    let Ok(number) = whole.parse::<i64>() else { return "7".to_owned() };
    match chance.below(8) {
        0 => (number + 1).to_string(),
        1 => (number - 1).to_string(),
        2 => format!("{number}.0"),
        3 => format!("0{}", number.abs()),
        4 => (-number).to_string(),
        5 => "10".to_owned(),
        6 if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() => value.to_owned(),
        _ => number.to_string(),
    }
}

fn date(value: &str, chance: &mut Chance) -> String {
    let near = [
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:00:00Z",
        "2026-11-23T11:59:59Z",
        "2026-11-23T12:00:01Z",
        "2026-11-23T20:00:00+08:00",
        "2026-11-23T12:00:00+08:00",
        "2026-11-23T07:00:00-05:00",
        "2026-11-23T12:00:00.500Z",
        "2027-01-01T00:00:00Z",
        "2024-02-28T23:59:59Z",
        "2026-11-23T00:00:00Z",
    ];
    let is_exact = value.contains('T');
    if is_exact && chance.percent(30) { value.to_owned() } else { chance.one_of(&near).to_owned() }
}

fn network(value: &str, chance: &mut Chance) -> String {
    let v4 = value.strip_prefix("::ffff:").unwrap_or(value).parse::<Ipv4Addr>();
    let Ok(address) = v4 else {
        let near =
            ["2001:db8::/32", "2001:db8::4/127", "2001:db8::5", "::/0", "::/128", "0.0.0.0/0"];
        return chance.one_of(&near).to_owned();
    };
    let length =
        u32::try_from(chance.one_of(&[0_usize, 1, 7, 8, 15, 16, 23, 24, 30, 31, 32])).unwrap();
    let outside = |bit: u32| Ipv4Addr::from_bits(address.to_bits() ^ (1 << bit));
    match chance.below(6) {
        0 => address.to_string(),
        1 => outside(0).to_string(),
        // The last bit that counts differs.
        2 if length > 0 => format!("{}/{length}", outside(32 - length)),
        // The first bit that does not count differs.
        3 if length < 32 => format!("{}/{length}", outside(31 - length)),
        _ => format!("{address}/{length}"),
    }
}

/// A pattern near a text: it matches, or just not.
pub(super) fn pattern(text: &str, chance: &mut Chance) -> String {
    let mut pattern: Vec<char> = text.chars().collect();
    for _ in 0..chance.one_of(&[0, 1, 1, 1, 2, 3]) {
        blur(&mut pattern, chance);
    }
    if chance.percent(25) {
        spoil(&mut pattern, chance);
    }
    pattern.into_iter().collect()
}

/// Makes a pattern match what it matched and more.
fn blur(pattern: &mut Vec<char>, chance: &mut Chance) {
    let from = chance.below(pattern.len() + 1);
    let end = from + chance.below(pattern.len() - from + 1);
    match chance.below(8) {
        0 | 1 => drop(pattern.splice(from..end, ['*'])),
        2 => drop(pattern.splice(from.., ['*'])),
        3 => drop(pattern.splice(..end, ['*'])),
        4 => pattern.insert(from, '*'),
        5 => pattern[from..end].iter_mut().filter(|c| **c != '*').for_each(|c| *c = '?'),
        _ => pattern[from..].iter_mut().take(1).filter(|c| **c != '*').for_each(|c| *c = '?'),
    }
}

/// Changes a pattern a little, so that it may no longer match.
fn spoil(pattern: &mut Vec<char>, chance: &mut Chance) {
    let at = chance.below(pattern.len());
    match chance.below(6) {
        0 if !pattern.is_empty() => drop(pattern.remove(at)),
        1 => pattern.insert(at, '?'),
        2 => pattern.insert(at, chance.one_of(&['a', 'b', '/', 'é'])),
        3 => pattern.push('x'),
        4 => pattern.truncate(at),
        _ => {
            for char in pattern.iter_mut().skip(at) {
                let flipped = if char.is_lowercase() {
                    char.to_ascii_uppercase()
                } else {
                    char.to_ascii_lowercase()
                };
                if flipped != *char {
                    *char = flipped;
                    break;
                }
            }
        }
    }
}
