//! The values that conditions compare: how each type is written.

use std::{cmp::Ordering, net::IpAddr};

use chrono::{DateTime, Utc};

use super::dialect::{Dialect, Words};

/// Reads `true` or `false`, in any case.
pub(super) fn bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Reads an instant by RFC 3339, and where dates are loose also a day, one without seconds, and
/// seconds since 1970.
///
/// Source: RAM, "Basic elements of policies"; AWS IAM, "IAM JSON policy elements: Condition
/// operators", section "Date condition operators".
pub(super) fn date(dialect: Dialect, text: &str) -> Option<DateTime<Utc>> {
    let exact = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc());
    let Words { loose_dates: true, .. } = dialect.words() else { return exact(text) };
    let seconds = || DateTime::from_timestamp(text.parse().ok()?, 0);
    let day = || exact(&format!("{text}T00:00:00Z"));
    let minute = || {
        let (before, zone) = text.split_at_checked("2026-11-23T12:00".len())?;
        exact(&format!("{before}:00{zone}"))
    };
    exact(text).or_else(seconds).or_else(day).or_else(minute)
}

/// Whether a text is Base64, padded to groups of four.
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    text.len().is_multiple_of(4) && digits.bytes().all(is_digit)
}

/// A decimal number of any length, compared exactly: no exponent, an optional sign and fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Decimal {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size =
            |number: &Self| (number.whole.len(), number.whole.clone(), number.fraction.clone());
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An address block. IPv4 never matches IPv6, save that an IPv4 address mapped into IPv6 is read
/// as what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    /// How many leading bits count.
    length: u32,
}

impl Network {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => {
                if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                (address.parse().ok()?, Some(length.parse().ok()?))
            }
            None => (text.parse().ok()?, None),
        };
        let bits = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
        let length = length.unwrap_or(bits);
        (length <= bits).then_some(Self { address, length })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.length
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.length
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_loose_in_one_language_only() {
        let noon = DateTime::parse_from_rfc3339("2026-11-23T12:00:00Z").unwrap().to_utc();
        for exact in ["2026-11-23T12:00:00Z", "2026-11-23T20:00:00+08:00"] {
            assert_eq!(date(Dialect::Ram, exact), Some(noon), "{exact}");
            assert_eq!(date(Dialect::Aws, exact), Some(noon), "{exact}");
        }
        for loose in ["2026-11-23T12:00Z", "2026-11-23T20:00+08:00", "1795435200"] {
            assert_eq!(date(Dialect::Ram, loose), None, "{loose}");
            assert_eq!(date(Dialect::Aws, loose), Some(noon), "{loose}");
        }
        assert!(date(Dialect::Aws, "2026-11-23").unwrap() < noon);
        for wrong in ["", "2026-11-31", "2026-11-23T12:00", "99999999999999999", "1e3", "é"] {
            assert_eq!(date(Dialect::Aws, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base64_comes_in_groups_of_four() {
        for (text, expected) in [
            ("", true),
            ("QQ==", true),
            ("QUI=", true),
            ("QUJD", true),
            ("QQ", false),
            ("=", false),
        ] {
            assert_eq!(is_base64(text), expected, "{text}");
        }
        assert!(!is_base64("QU D"));
    }

    proptest! {
        /// Decimals order as integers do, where both can be written.
        #[test]
        fn decimals_order_as_integers(a in any::<i64>(), b in -20i64..20) {
            let read = |n: i64| Decimal::read(&n.to_string()).unwrap();
            prop_assert_eq!(read(a).cmp(&read(b)), a.cmp(&b));
            prop_assert_eq!(read(a).cmp(&read(a / 2)), a.cmp(&(a / 2)));
        }
    }
}
