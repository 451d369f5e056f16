//! Quantities with their units in the type, and checked arithmetic.

use std::{fmt, iter::Sum};

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(
    Clone, Copy, Debug, Default, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or the largest value there is: a display must not fail on absurd sizes.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Self::saturating_add)
    }
}

impl fmt::Display for Bytes {
    /// In binary units with one decimal digit, rounded down: `1.5 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut text = format!("{} B", self.0);
        let mut scale = 1_u128;
        for unit in UNITS {
            scale = scale.saturating_mul(1024);
            let tenths = u128::from(self.0).saturating_mul(10).checked_div(scale).unwrap_or(0);
            if tenths < 10 {
                break;
            }
            let (whole, tenth) = (tenths.div_euclid(10), tenths.rem_euclid(10));
            text = if tenth == 0 {
                format!("{whole} {unit}")
            } else {
                format!("{whole}.{tenth} {unit}")
            };
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: u64, expected: &str) {
        assert_eq!(Bytes(bytes).to_string(), expected);
    }

    #[test]
    fn bytes_read_well() {
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1 KiB");
        check(1536, "1.5 KiB");
        check(1_048_575, "1023.9 KiB");
        check(8 << 30, "8 GiB");
        check(u64::MAX, "15.9 EiB");
    }
}
