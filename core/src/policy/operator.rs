//! Condition operators, as data.

use std::fmt;

use super::{dialect::Dialect, literal, pattern::Case};

/// How the values of a condition are compared with those of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operator {
    /// The comparison.
    pub test: Test,
    /// Whether it is the opposite (`…Not…`): met when no value matches, and so by an absent key.
    pub negated: bool,
    /// Whether an absent key meets it (`…IfExists`). Not in RAM.
    pub if_exists: bool,
    /// How several values of the request count. Not in RAM, where a key has one value.
    pub quantifier: Option<Quantifier>,
}

/// A comparison of one value of the request with one of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// The same text.
    Text(Case),
    /// The text matches a pattern of `*` and `?`.
    Like,
    /// Decimal numbers, as the order says.
    Number(Order),
    /// Instants, as the order says.
    Date(Order),
    /// The same truth value.
    Bool,
    /// The address lies in the network.
    Address,
    /// The resource name matches a pattern, part by part. Not in RAM.
    Arn,
    /// The same text, which stands for bytes in Base64. Not in RAM.
    Binary,
    /// The key is absent (`true`) or present (`false`). Not in RAM.
    Null,
}

/// Which order of the request's value to the policy's meets a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// The same.
    Equal,
    /// Less than the policy's.
    Less,
    /// At most the policy's.
    LessOrEqual,
    /// More than the policy's.
    Greater,
    /// At least the policy's.
    GreaterOrEqual,
}

/// How several values of one key in the request count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantifier {
    /// One of them must match; an absent key does not.
    Any,
    /// All of them must match; an absent key does.
    All,
}

/// The operators of both languages without what may stand around them: name, test, negated, and
/// whether RAM has it.
///
/// Source: RAM, "Basic elements of policies", section "Condition"; AWS IAM, "IAM JSON policy
/// elements: Condition operators".
const NAMES: [(&str, Test, bool, bool); 27] = [
    ("StringEquals", Test::Text(Case::Exact), false, true),
    ("StringNotEquals", Test::Text(Case::Exact), true, true),
    ("StringEqualsIgnoreCase", Test::Text(Case::Folded), false, true),
    ("StringNotEqualsIgnoreCase", Test::Text(Case::Folded), true, true),
    ("StringLike", Test::Like, false, true),
    ("StringNotLike", Test::Like, true, true),
    ("NumericEquals", Test::Number(Order::Equal), false, true),
    ("NumericNotEquals", Test::Number(Order::Equal), true, true),
    ("NumericLessThan", Test::Number(Order::Less), false, true),
    ("NumericLessThanEquals", Test::Number(Order::LessOrEqual), false, true),
    ("NumericGreaterThan", Test::Number(Order::Greater), false, true),
    ("NumericGreaterThanEquals", Test::Number(Order::GreaterOrEqual), false, true),
    ("DateEquals", Test::Date(Order::Equal), false, true),
    ("DateNotEquals", Test::Date(Order::Equal), true, true),
    ("DateLessThan", Test::Date(Order::Less), false, true),
    ("DateLessThanEquals", Test::Date(Order::LessOrEqual), false, true),
    ("DateGreaterThan", Test::Date(Order::Greater), false, true),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrEqual), false, true),
    ("Bool", Test::Bool, false, true),
    ("IpAddress", Test::Address, false, true),
    ("NotIpAddress", Test::Address, true, true),
    ("ArnEquals", Test::Arn, false, false),
    ("ArnLike", Test::Arn, false, false),
    ("ArnNotEquals", Test::Arn, true, false),
    ("ArnNotLike", Test::Arn, true, false),
    ("BinaryEquals", Test::Binary, false, false),
    ("Null", Test::Null, false, false),
];

impl Operator {
    /// The operator of that name in that language; names are compared with case.
    #[must_use]
    pub fn named(dialect: Dialect, name: &str) -> Option<Self> {
        let is_aws = dialect.words().all_operators;
        let (quantifier, rest) = match name.split_once(':') {
            Some(("ForAnyValue", rest)) if is_aws => (Some(Quantifier::Any), rest),
            Some(("ForAllValues", rest)) if is_aws => (Some(Quantifier::All), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (if_exists, base) = match rest.strip_suffix("IfExists") {
            Some(base) if is_aws => (true, base),
            Some(_) | None => (false, rest),
        };
        let (_, test, negated, _) = NAMES
            .into_iter()
            .find(|(known, _, _, in_ram)| *known == base && (is_aws || *in_ram))?;
        // `Null` asks for the key itself, so nothing may stand around it.
        let is_bare = quantifier.is_none() && !if_exists;
        (test != Test::Null || is_bare).then_some(Self { test, negated, if_exists, quantifier })
    }

    /// Whether a text may stand in a policy of that language as a value of this operator.
    #[must_use]
    pub fn takes(self, dialect: Dialect, text: &str) -> bool {
        match self.test {
            Test::Text(_) | Test::Like | Test::Arn => true,
            Test::Binary => literal::is_base64(text),
            Test::Number(_) => literal::Decimal::read(text).is_some(),
            Test::Date(_) => literal::date(dialect, text).is_some(),
            Test::Bool | Test::Null => literal::bool(text).is_some(),
            Test::Address => literal::Network::read(text).is_some(),
        }
    }

    /// Whether its values may hold policy variables, where the language has them.
    #[must_use]
    pub fn expands_variables(self) -> bool {
        matches!(self.test, Test::Text(_) | Test::Like | Test::Arn)
    }

    /// What a value of this operator must be.
    pub(super) fn expected(self) -> &'static str {
        match self.test {
            Test::Text(_) | Test::Like => "a text",
            Test::Number(_) => "a decimal number, such as `10` or `-2.5`",
            Test::Date(_) => "an instant, such as `2026-11-23T12:00:00Z`",
            Test::Bool | Test::Null => "`true` or `false`",
            Test::Address => "an address or a network, such as `10.0.0.0/8`",
            Test::Arn => "a resource name, such as `arn:aws:s3:::bucket`",
            Test::Binary => "bytes in Base64",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantifier = match self.quantifier {
            None => "",
            Some(Quantifier::Any) => "ForAnyValue:",
            Some(Quantifier::All) => "ForAllValues:",
        };
        let mut names = NAMES.into_iter();
        let name =
            names.find(|(_, test, negated, _)| (*test, *negated) == (self.test, self.negated));
        let name = name.map_or("", |(name, ..)| name);
        write!(f, "{quantifier}{name}{}", if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_that_ram_lacks_are_unknown_in_it() {
        for name in ["Null", "BoolIfExists", "ArnLike", "stringequals", "ForAnyValue:StringLike"] {
            assert_eq!(Operator::named(Dialect::Ram, name), None, "{name}");
        }
        for name in ["NullIfExists", "ForAnyValue:Null", "IfExists", "ForAll:Bool", ""] {
            assert_eq!(Operator::named(Dialect::Aws, name), None, "{name}");
        }
    }

    #[test]
    fn an_operator_is_written_as_it_was_read() {
        for (name, _, negated, in_ram) in NAMES {
            let read = Operator::named(Dialect::Aws, name).unwrap();
            assert_eq!(Operator::named(Dialect::Ram, name).is_some(), in_ram);
            assert_eq!((read.negated, negated), (name.contains("Not"), name.contains("Not")));
            if read.test != Test::Arn {
                assert_eq!(read.to_string(), name);
            }
        }
        let name = "ForAllValues:StringNotLikeIfExists";
        assert_eq!(Operator::named(Dialect::Aws, name).unwrap().to_string(), name);
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
            let operator = Operator::named(Dialect::Ram, operator).unwrap();
            assert!(!operator.takes(Dialect::Ram, wrong), "{operator} {wrong}");
        }
    }
}
