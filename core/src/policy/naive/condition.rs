//! Conditions, read anew at each request.
//!
//! A positive operator is met when any value of the policy matches the request's, so it is not met
//! when the request has no such key. A negated operator (`…Not…`) is the opposite of its positive:
//! none may match, and an absent key meets it.
//!
//! Several values of the request need a quantifier: without one they meet no condition, negated or
//! not.
//!
//! Source: RAM, "Basic elements of policies", section "Condition"; AWS IAM, "IAM JSON policy
//! elements: Condition operators" and "Set operators for multivalued context keys".

use std::{cmp::Ordering, net::IpAddr};

use super::{
    glob::glob_matches,
    pattern::{Symbol, arn_matches, expand, plain_symbols},
};
use crate::policy::{
    condition::Condition,
    dialect::Dialect,
    literal::{self, Decimal, Network},
    operator::{Order, Quantifier, Test},
    pattern::Case,
    request::Context,
};

/// Whether the context of a request meets the condition.
pub(in crate::policy) fn is_met(
    dialect: Dialect,
    condition: &Condition,
    context: &Context,
) -> bool {
    let Condition { operator, key, values, .. } = condition;
    let given = context.values(key);
    if operator.test == Test::Null {
        let is_absent = given.is_empty();
        return values.iter().any(|value| literal::bool(value) == Some(is_absent));
    }
    if given.is_empty() && operator.if_exists {
        return true;
    }
    let Some(wanted) = wanted(condition, context) else { return false };
    let is_met_by = |given: &String| {
        let any = wanted.iter().any(|wanted| matches(dialect, operator.test, wanted, given));
        any != operator.negated
    };
    match (operator.quantifier, given) {
        (Some(Quantifier::Any), _) => given.iter().any(is_met_by),
        (Some(Quantifier::All), _) => given.iter().all(is_met_by),
        (None, []) => operator.negated,
        (None, [one]) => is_met_by(one),
        (None, [_, _, ..]) => false,
    }
}

/// The values that the policy names, with the variables replaced. A value whose variable the
/// request lacks matches nothing, and a negated operator that names one is not met at all: `None`.
fn wanted(condition: &Condition, context: &Context) -> Option<Vec<Vec<Symbol>>> {
    let mut wanted = Vec::new();
    for value in &condition.values {
        let symbols = if condition.has_variables {
            expand(value, context)
        } else {
            Some(plain_symbols(value).collect())
        };
        match symbols {
            Some(symbols) => wanted.push(symbols),
            None if condition.operator.negated => return None,
            None => {}
        }
    }
    Some(wanted)
}

/// Whether a value of the request matches one of the policy; one that can't be read as the type
/// does not.
fn matches(dialect: Dialect, test: Test, wanted: &[Symbol], given: &str) -> bool {
    let plain: String = wanted.iter().map(|symbol| symbol.letter()).collect();
    match test {
        Test::Text(Case::Exact) | Test::Binary => given == plain,
        // Letter by letter: the lower case of a whole text writes a sigma at a word's end otherwise.
        Test::Text(Case::Folded) => {
            let folded = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
            folded(given) == folded(&plain)
        }
        Test::Like => glob_matches(wanted.iter().copied(), given, Case::Exact),
        Test::Arn => arn_matches(dialect, wanted, given),
        Test::Number(order) => match (Decimal::read(given), Decimal::read(&plain)) {
            (Some(given), Some(wanted)) => accepts(order, given.cmp(&wanted)),
            (None, _) | (_, None) => false,
        },
        Test::Date(order) => {
            match (literal::date(dialect, given), literal::date(dialect, &plain)) {
                (Some(given), Some(wanted)) => accepts(order, given.cmp(&wanted)),
                (None, _) | (_, None) => false,
            }
        }
        Test::Bool => {
            literal::bool(given).is_some_and(|given| literal::bool(&plain) == Some(given))
        }
        Test::Address => match (given.parse::<IpAddr>(), Network::read(&plain)) {
            (Ok(address), Some(network)) => network.contains(address),
            (Err(_), _) | (_, None) => false,
        },
        Test::Null => false,
    }
}

fn accepts(order: Order, ordering: Ordering) -> bool {
    match order {
        Order::Equal => ordering.is_eq(),
        Order::Less => ordering.is_lt(),
        Order::LessOrEqual => ordering.is_le(),
        Order::Greater => ordering.is_gt(),
        Order::GreaterOrEqual => ordering.is_ge(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::operator::Operator;

    #[track_caller]
    fn check(operator: &str, values: &[&str], given: &[&str], expected: bool) {
        let operator = Operator::named(Dialect::Ram, operator).unwrap();
        assert!(values.iter().all(|value| operator.takes(Dialect::Ram, value)));
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let condition =
            Condition { operator, key: "acs:key".to_owned(), values, has_variables: false };
        let mut context = Context::default();
        for value in given {
            context.add("ACS:key", value);
        }
        assert_eq!(is_met(Dialect::Ram, &condition, &context), expected, "{condition:?} {given:?}");
    }

    #[test]
    fn several_values_of_a_positive_operator_are_alternatives() {
        check("StringEquals", &["a", "b"], &["b"], true);
        check("StringEquals", &["a", "b"], &["c"], false);
        check("StringEquals", &["a", "b"], &["A"], false);
        check("StringEqualsIgnoreCase", &["a", "b"], &["A"], true);
        check("StringEqualsIgnoreCase", &["ΟΔΟΣ"], &["οδοσ"], true);
        check("StringEqualsIgnoreCase", &["ΟΔΟΣ"], &["οδος"], false);
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
        for (value, names) in [
            ("*", "String…Equals String…EqualsIgnoreCase String…Like"),
            ("0", "Numeric…Equals"),
            ("2026-11-23T12:00:00Z", "Date…Equals"),
        ] {
            for name in names.split(' ') {
                check(&name.replace('…', ""), &[value], &[], false);
                check(&name.replace('…', "Not"), &[value], &[], true);
            }
        }
        check("Bool", &["false"], &[], false);
        check("IpAddress", &["0.0.0.0/0"], &[], false);
        check("NotIpAddress", &["0.0.0.0/0"], &[], true);
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
}
