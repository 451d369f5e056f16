//! The values that conditions compare, read without making anything.

use std::{cmp::Ordering, net::IpAddr, ops::RangeInclusive};

/// A decimal number of any length: an optional sign, digits, and perhaps a point and digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<T> {
    negative: bool,
    /// Without leading zeros.
    whole: T,
    /// Without trailing zeros.
    fraction: T,
}

impl<'t> Decimal<&'t str> {
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let point = unsigned.find('.');
        let (whole, fraction) = match point {
            Some(at) => (unsigned.get(..at)?, unsigned.get(at..)?.strip_prefix('.')?),
            None => (unsigned, ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_there = !whole.is_empty() && (point.is_none() || !fraction.is_empty());
        if !(is_there && digits(whole) && digits(fraction)) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: text.starts_with('-') && !is_zero, whole, fraction })
    }

    pub(super) fn to_owned(self) -> Decimal<Box<str>> {
        let Self { negative, whole, fraction } = self;
        Decimal { negative, whole: whole.into(), fraction: fraction.into() }
    }
}

impl<T: AsRef<str>> Decimal<T> {
    pub(super) fn order(&self, other: &Decimal<impl AsRef<str>>) -> Ordering {
        let size = {
            let (whole, others) = (self.whole.as_ref(), other.whole.as_ref());
            let by_length = whole.len().cmp(&others.len());
            by_length
                .then_with(|| whole.cmp(others))
                .then_with(|| self.fraction.as_ref().cmp(other.fraction.as_ref()))
        };
        match (self.negative, other.negative) {
            (false, false) => size,
            (true, true) => size.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

/// The seconds since 1970 that a calendar of 262,143 years has.
const EPOCH_SECONDS: RangeInclusive<i64> = -8_334_601_228_800..=8_210_266_876_799;

/// An instant: seconds since 1970 and nanoseconds, of which a leap second has more than 10⁹.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant {
    seconds: i64,
    nanos: u32,
}

impl Instant {
    /// Reads an instant by RFC 3339; where dates are loose also a day, an instant without its
    /// seconds, and seconds since 1970.
    pub(super) fn read(text: &str, loose: bool) -> Option<Self> {
        if loose && let Ok(seconds) = text.parse() {
            return EPOCH_SECONDS.contains(&seconds).then_some(Self { seconds, nanos: 0 });
        }
        let mut rest = Rest(text);
        let year = rest.number(4)?;
        rest.one_of(&['-'])?;
        let month = rest.number(2)?;
        rest.one_of(&['-'])?;
        let day = rest.number(2)?;
        if loose && rest.0.is_empty() {
            let seconds = days(year, month, day)?.checked_mul(86_400)?;
            return Some(Self { seconds, nanos: 0 });
        }
        rest.one_of(&['T', 't', ' '])?;
        let hour = rest.number(2)?;
        rest.one_of(&[':'])?;
        let minute = rest.number(2)?;
        let second = match rest.one_of(&[':']) {
            Some(()) => rest.number(2)?,
            None if loose => 0,
            None => return None,
        };
        let fraction = rest.fraction()?;
        let offset_minutes = rest.offset_minutes()?;
        let is_time = hour < 24 && minute < 60 && second <= 60 && rest.0.is_empty();
        let days = is_time.then(|| days(year, month, day))??;
        let minutes =
            days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
        let minutes = minutes.checked_sub(offset_minutes)?;
        // A leap second is the 59th, prolonged.
        let leap = u32::from(second == 60);
        Some(Self {
            seconds: minutes.checked_mul(60)?.checked_add(second.min(59))?,
            nanos: leap.checked_mul(1_000_000_000)?.checked_add(fraction)?,
        })
    }
}

/// Days since 1970-01-01; none if the calendar has no such day.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last of its year.
    let year = year.checked_sub(i64::from(month <= 2))?;
    let month = month.checked_add(9)? % 12;
    let in_year = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?;
    let leap_days = year.div_euclid(4).checked_sub(year.div_euclid(100))?;
    let leap_days = leap_days.checked_add(year.div_euclid(400))?;
    year.checked_mul(365)?.checked_add(leap_days)?.checked_add(in_year)?.checked_sub(719_469)
}

/// What of a text is still to be read.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn take(&mut self, length: usize) -> Option<&'t str> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn one_of(&mut self, chars: &[char]) -> Option<()> {
        self.0 = self.0.strip_prefix(chars)?;
        Some(())
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        decimal(self.take(digits)?)
    }

    /// A fraction of a second, if there is one; what is less than a nanosecond is dropped.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix('.') else { return Some(0) };
        self.0 = rest.trim_start_matches(|char: char| char.is_ascii_digit());
        let digits = rest.strip_suffix(self.0)?;
        let digits = digits.get(..9).unwrap_or(digits);
        let missing = u32::try_from(9_usize.checked_sub(digits.len())?).ok()?;
        let scale = 10_i64.checked_pow(missing)?;
        u32::try_from(decimal(digits)?.checked_mul(scale)?).ok()
    }

    fn offset_minutes(&mut self) -> Option<i64> {
        if self.one_of(&['Z', 'z']).is_some() {
            return Some(0);
        }
        let is_west = self.one_of(&['+']).is_none();
        if is_west {
            // ISO 8601 prefers the true minus sign.
            self.one_of(&['-', '\u{2212}'])?;
        }
        let hours = self.number(2)?;
        self.one_of(&[':'])?;
        let minutes = self.number(2)?;
        let is_offset = hours < 24 && minutes < 60;
        let offset = is_offset.then(|| hours.checked_mul(60)?.checked_add(minutes))??;
        if is_west { offset.checked_neg() } else { Some(offset) }
    }
}

/// A number of nothing but digits, at least one.
fn decimal(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// An address: its bits and its family. An IPv4 address that is mapped into IPv6 is one of IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    is_v4: bool,
    bits: u128,
}

impl Address {
    pub(super) fn read(text: &str) -> Option<Self> {
        text.parse::<IpAddr>().ok().map(|address| Self::of(address.to_canonical()))
    }

    fn of(address: IpAddr) -> Self {
        match address {
            // At the top of the word, so that a prefix of one length is cut in one way.
            IpAddr::V4(address) => Self { is_v4: true, bits: u128::from(address.to_bits()) << 96 },
            IpAddr::V6(address) => Self { is_v4: false, bits: address.to_bits() },
        }
    }
}

/// A block of addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    is_v4: bool,
    bits: u128,
    mask: u128,
}

impl Network {
    /// Reads an address, alone or followed by `/` and the number of leading bits that count.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (address, length) = match text.find('/') {
            Some(slash) => (text.get(..slash)?, text.get(slash..)?.strip_prefix('/')),
            None => (text, None),
        };
        let Address { is_v4, bits } = Address::of(address.parse().ok()?);
        let longest = if is_v4 { 32 } else { 128 };
        let length = match length {
            // More digits only pad it with zeros.
            Some(digits) => decimal(digits)?,
            None => longest,
        };
        let length = u32::try_from(length).ok().filter(|_| length <= longest)?;
        let mask = u128::MAX.checked_shl(128_u32.checked_sub(length)?).unwrap_or(0);
        Some(Self { is_v4, bits: bits & mask, mask })
    }

    pub(super) fn contains(self, address: Address) -> bool {
        address.is_v4 == self.is_v4 && address.bits & self.mask == self.bits
    }
}

/// Reads `true` or `false`, in any case.
pub(super) fn bool(text: &str) -> Option<bool> {
    ["true", "false"].into_iter().find(|word| word.eq_ignore_ascii_case(text)).map(|w| w == "true")
}

/// Whether two texts are the same but for the case of letters of any language.
pub(super) fn is_same_folded(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::{dialect::Dialect, literal};

    /// What the plain reading is, in the same terms.
    fn plainly(dialect: Dialect, text: &str) -> Option<Instant> {
        let date = literal::date(dialect, text)?;
        Some(Instant { seconds: date.timestamp(), nanos: date.timestamp_subsec_nanos() })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// An instant is what a library's calendar says that it is.
        #[test]
        fn an_instant_is_read_as_it_is_read_plainly(
            date in (0..10_000_u32, 0..14_u32, 0..33_u32),
            time in (0..25_u32, 0..61_u32, 0..62_u32),
            fraction in "(\\.[0-9]{0,11})?",
            offset in "[Zz]|[+\\-−][0-2][0-9]:[0-6][0-9]|[+-][0-9]{4}|",
            change in any::<prop::sample::Index>(),
            by in prop::option::weighted(0.2, "[0-9TtZ :.é]{0,2}"),
        ) {
            let ((year, month, day), (hour, minute, second)) = (date, time);
            let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}");
            if let Some(by) = by {
                let mut chars: Vec<char> = text.chars().collect();
                let at = change.index(chars.len());
                chars.splice(at..=at, by.chars());
                text = chars.into_iter().collect();
            }
            prop_assert_eq!(Instant::read(&text, false), plainly(Dialect::Ram, &text), "{}", text);
            for text in [&text, &text.replacen(":00", "", 1), text.split('T').next().unwrap()] {
                prop_assert_eq!(Instant::read(text, true), plainly(Dialect::Aws, text), "{}", text);
            }
        }

        /// Decimals order as integers do, where both can be written.
        #[test]
        fn decimals_order_as_integers(a in -200..200_i32, b in -200..200_i32, zeros in 0..3_usize) {
            let written = |n: i32, zeros: usize| {
                let (sign, zeros) = (if n < 0 { "-" } else { "" }, "0".repeat(zeros));
                format!("{sign}{zeros}{}.{:02}{zeros}", n.abs() / 100, n.abs() % 100)
            };
            let (a_text, b_text) = (written(a, zeros), written(b, 0));
            let order = Decimal::read(&a_text).unwrap().order(&Decimal::read(&b_text).unwrap());
            prop_assert_eq!(order, a.cmp(&b));
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_counted() {
        let mut expected = days(1969, 12, 31).unwrap();
        assert_eq!(expected, -1);
        for year in 1970..2375 {
            for (month, day) in (1..=12).flat_map(|m| (1..=31).map(move |d| (m, d))) {
                if let Some(count) = days(year, month, day) {
                    expected += 1;
                    assert_eq!(count, expected, "{year}-{month}-{day}");
                }
            }
        }
    }

    #[test]
    fn seconds_since_1970_are_bounded_by_the_calendar() {
        for edge in [EPOCH_SECONDS.min().unwrap(), EPOCH_SECONDS.max().unwrap(), 0] {
            for text in [edge - 1, edge, edge + 1].map(|seconds| seconds.to_string()) {
                assert_eq!(Instant::read(&text, true), plainly(Dialect::Aws, &text), "{text}");
            }
        }
        assert_eq!(Instant::read("+5", true), plainly(Dialect::Aws, "+5"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "-", "+", ".", ".5", "1.", "1e1", "1.2.3", "--1", "+-1", " 1", "NaN", "٣"]
        {
            assert!(Decimal::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn networks_contain_what_shares_their_bits() {
        let check = |network: &str, address: &str, expected: bool| {
            let network = Network::read(network).unwrap();
            assert_eq!(network.contains(Address::read(address).unwrap()), expected, "{network:?}");
        };
        check("10.1.2.3/8", "10.255.255.255", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("0.0.0.0/0", "255.255.255.255", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "::ffff:10.0.0.1", false);
        check("::/0", "::1", true);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("2001:db8::/127", "2001:db8::1", true);
        check("2001:db8::/127", "2001:db8::2", false);
        check("192.168.1.17/032", "192.168.1.17", true);
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "x"] {
            assert!(Network::read(wrong).is_none(), "{wrong}");
        }
    }
}
