//! Conditions: one operator, one key, the values it is compared with.
//!
//! A positive operator is met when any value of the request meets any value of the policy, so it
//! is not met when the request has no such key. A negated operator (`…Not…`) is the opposite of
//! its positive: none may match, and an absent key meets it.
//!
//! Source: RAM, "Basic elements of policies", section "Condition".

use std::{cmp::Ordering, net::IpAddr};

use chrono::{DateTime, Utc};

use super::{
    evaluate::Context,
    pattern::{Case, glob_matches},
};

/// The type of the values, and with it how they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Text(Case),
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Address,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A condition operator, by the cloud's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    name: &'static str,
    test: Test,
    negated: bool,
}

/// All operators that RAM has: name, test, negated.
///
/// There is no `Null` and no `…IfExists`.
const OPERATORS: [(&str, Test, bool); 21] = [
    ("StringEquals", Test::Text(Case::Exact), false),
    ("StringNotEquals", Test::Text(Case::Exact), true),
    ("StringEqualsIgnoreCase", Test::Text(Case::Folded), false),
    ("StringNotEqualsIgnoreCase", Test::Text(Case::Folded), true),
    ("StringLike", Test::Like, false),
    ("StringNotLike", Test::Like, true),
    ("NumericEquals", Test::Number(Order::Equal), false),
    ("NumericNotEquals", Test::Number(Order::Equal), true),
    ("NumericLessThan", Test::Number(Order::Less), false),
    ("NumericLessThanEquals", Test::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Test::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Test::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Order::Equal), false),
    ("DateNotEquals", Test::Date(Order::Equal), true),
    ("DateLessThan", Test::Date(Order::Less), false),
    ("DateLessThanEquals", Test::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("IpAddress", Test::Address, false),
    ("NotIpAddress", Test::Address, true),
];

impl Operator {
    /// The operator of that name; names are compared with case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        OPERATORS
            .into_iter()
            .find(|(candidate, _, _)| *candidate == name)
            .map(|(name, test, negated)| Self { name, test, negated })
    }

    /// The operator's name, such as `StringNotLike`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether the operator is met when nothing matches, and so by an absent key.
    #[must_use]
    pub fn is_negated(self) -> bool {
        self.negated
    }

    /// What a value of this operator must be.
    pub(super) fn expected(self) -> &'static str {
        match self.test {
            Test::Text(_) | Test::Like => "a text",
            Test::Number(_) => "a decimal number, such as `10` or `-2.5`",
            Test::Date(_) => "an instant, such as `2026-11-23T12:00:00Z`",
            Test::Bool => "`true` or `false`",
            Test::Address => "an address or a network, such as `10.0.0.0/8`",
        }
    }
}

/// A value of a policy, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String, Case),
    Like(String),
    Number(Decimal, Order),
    Date(DateTime<Utc>, Order),
    Bool(bool),
    Network(Network),
}

impl Value {
    fn read(text: &str, of: Test) -> Option<Self> {
        match of {
            Test::Text(case) => Some(Self::Text(text.to_owned(), case)),
            Test::Like => Some(Self::Like(text.to_owned())),
            Test::Number(order) => Decimal::read(text).map(|number| Self::Number(number, order)),
            Test::Date(order) => date(text).map(|date| Self::Date(date, order)),
            Test::Bool => bool(text).map(Self::Bool),
            Test::Address => Network::read(text).map(Self::Network),
        }
    }

    /// Whether a value of the request meets it; one that cannot be read as its type does not.
    fn matches(&self, given: &str) -> bool {
        match self {
            Self::Text(wanted, Case::Exact) => given == wanted,
            Self::Text(wanted, Case::Folded) => given.to_lowercase() == wanted.to_lowercase(),
            Self::Like(pattern) => glob_matches(pattern, given, Case::Exact),
            Self::Number(wanted, order) => {
                Decimal::read(given).is_some_and(|given| order.accepts(given.cmp(wanted)))
            }
            Self::Date(wanted, order) => {
                date(given).is_some_and(|given| order.accepts(given.cmp(wanted)))
            }
            Self::Bool(wanted) => bool(given) == Some(*wanted),
            Self::Network(network) => {
                given.parse().is_ok_and(|address: IpAddr| network.contains(address))
            }
        }
    }
}

/// One operator applied to one key: met, or not, by a request's context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    operator: Operator,
    key: String,
    values: Vec<Value>,
}

impl Condition {
    /// Reads the values; the error is the number of the value that is none of the operator's type.
    pub(super) fn read(operator: Operator, key: &str, values: &[&str]) -> Result<Self, usize> {
        let values = values
            .iter()
            .enumerate()
            .map(|(index, text)| Value::read(text, operator.test).ok_or(index))
            .collect::<Result<_, _>>()?;
        Ok(Self { operator, key: key.to_lowercase(), values })
    }

    /// The operator.
    #[must_use]
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The key in lower case: keys are compared without case.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the context of a request meets the condition.
    #[must_use]
    pub fn is_met(&self, context: &Context) -> bool {
        let given = context.values(&self.key);
        let any = given.iter().any(|given| self.values.iter().any(|value| value.matches(given)));
        any != self.operator.negated
    }
}

fn bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc())
}

/// A decimal number of any length, compared exactly: no exponent, an optional sign and fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
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
struct Network {
    address: IpAddr,
    /// How many leading bits count.
    length: u32,
}

impl Network {
    fn read(text: &str) -> Option<Self> {
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

    fn contains(&self, address: IpAddr) -> bool {
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

    #[track_caller]
    fn check(operator: &str, values: &[&str], given: &[&str], expected: bool) {
        let operator = Operator::named(operator).unwrap();
        let condition = Condition::read(operator, "acs:Key", values).unwrap();
        let mut context = Context::default();
        for value in given {
            context.add("ACS:key", value);
        }
        assert_eq!(condition.is_met(&context), expected, "{operator:?} {values:?} {given:?}");
    }

    #[test]
    fn several_values_of_a_positive_operator_are_alternatives() {
        check("StringEquals", &["a", "b"], &["b"], true);
        check("StringEquals", &["a", "b"], &["c"], false);
        check("StringEquals", &["a", "b"], &["A"], false);
        check("StringEqualsIgnoreCase", &["a", "b"], &["A"], true);
    }

    #[test]
    fn a_negated_operator_is_met_when_no_value_matches() {
        check("StringNotEquals", &["a", "b"], &["b"], false);
        check("StringNotEquals", &["a", "b"], &["c"], true);
        check("StringNotLike", &["vpc-*", "x"], &["vpc-1"], false);
        check("NumericNotEquals", &["1", "2"], &["2.0"], false);
        check("NotIpAddress", &["10.0.0.0/8"], &["10.1.2.3"], false);
    }

    #[test]
    fn an_absent_key_meets_negated_operators_only() {
        for (name, _, negated) in OPERATORS {
            let value = match Operator::named(name).unwrap().test {
                Test::Text(_) | Test::Like => "*",
                Test::Number(_) => "0",
                Test::Date(_) => "2026-11-23T12:00:00Z",
                Test::Bool => "false",
                Test::Address => "0.0.0.0/0",
            };
            check(name, &[value], &[], negated);
            assert_eq!(negated, name.contains("Not"), "{name}");
        }
    }

    #[test]
    fn equals_is_literal_and_like_has_wildcards() {
        check("StringEquals", &["a*"], &["ab"], false);
        check("StringEquals", &["a*"], &["a*"], true);
        check("StringLike", &["a*"], &["ab"], true);
        check("StringLike", &["a?"], &["a"], false);
        check("StringLike", &["a*"], &["AB"], false);
        check("StringLike", &["*"], &[""], true);
    }

    #[test]
    fn booleans_are_read_without_case() {
        check("Bool", &["true"], &["True"], true);
        check("Bool", &["false"], &["true"], false);
        check("Bool", &["false"], &["0"], false);
    }

    #[test]
    fn numbers_are_compared_exactly() {
        check("NumericEquals", &["7"], &["07.0"], true);
        check("NumericEquals", &["0"], &["-0"], true);
        check("NumericLessThan", &["10"], &["9"], true);
        check("NumericLessThan", &["-9"], &["-10"], true);
        check("NumericLessThanEquals", &["7"], &["7"], true);
        check("NumericGreaterThan", &["9007199254740992"], &["9007199254740993"], true);
        check("NumericGreaterThan", &["1.05"], &["1.5"], true);
        check("NumericGreaterThanEquals", &["1"], &["NaN"], false);
    }

    #[test]
    fn dates_are_compared_as_instants() {
        check("DateEquals", &["2026-11-23T12:00:00Z"], &["2026-11-23T20:00:00+08:00"], true);
        check("DateLessThan", &["2026-11-23T12:00:00Z"], &["2026-11-23T11:59:59Z"], true);
        check("DateLessThan", &["2026-11-23T12:00:00Z"], &["2026-11-23T12:00:00Z"], false);
        check("DateGreaterThanEquals", &["2026-11-23T12:00:00Z"], &["2026-11-23T12:00:00Z"], true);
    }

    #[test]
    fn addresses_are_matched_by_network() {
        check("IpAddress", &["10.1.2.3/8"], &["10.255.255.255"], true);
        check("IpAddress", &["10.0.0.0/8"], &["11.0.0.0"], false);
        check("IpAddress", &["0.0.0.0/0"], &["203.0.113.9"], true);
        check("IpAddress", &["192.168.1.17"], &["192.168.1.17"], true);
        check("IpAddress", &["192.168.1.17/32"], &["192.168.1.18"], false);
        check("IpAddress", &["2001:db8::/32"], &["2001:db8::5"], true);
        check("IpAddress", &["0.0.0.0/0"], &["2001:db8::5"], false);
        check("IpAddress", &["10.0.0.0/8"], &["::ffff:10.0.0.1"], true);
    }

    #[test]
    fn values_of_the_wrong_type_are_refused() {
        for (operator, wrong) in [
            ("NumericEquals", "1e1"),
            ("NumericEquals", ""),
            ("NumericEquals", "1."),
            ("DateEquals", "yesterday"),
            ("Bool", "yes"),
            ("IpAddress", "10.0.0.0/33"),
            ("IpAddress", "10.0.0/8"),
            ("IpAddress", "10.0.0.0/+8"),
        ] {
            let operator = Operator::named(operator).unwrap();
            assert_eq!(Condition::read(operator, "k", &[wrong]), Err(0), "{operator:?} {wrong}");
        }
    }

    #[test]
    fn operators_that_ram_lacks_are_unknown() {
        for name in ["Null", "BoolIfExists", "ArnLike", "stringequals", "ForAnyValue:StringLike"] {
            assert_eq!(Operator::named(name), None);
        }
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
