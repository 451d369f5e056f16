//! Conditions with their constants read.

use std::cmp::Ordering;

use super::{
    facts::{Facts, Key, Keys, Values},
    literal::{self, Decimal, Instant, Network},
    resource::Part,
};
use crate::policy::{
    condition,
    dialect::Dialect,
    operator::{Order, Quantifier, Test},
    pattern::Case,
};

/// A condition, ready to be asked.
#[derive(Debug)]
pub(super) struct Condition {
    key: Key,
    negated: bool,
    if_exists: bool,
    quantifier: Option<Quantifier>,
    wanted: Wanted,
}

/// What the policy compares with, by type.
#[derive(Debug)]
enum Wanted {
    Texts(Box<[Box<str>]>),
    FoldedTexts(Box<[Box<str>]>),
    Patterns(Box<[Part]>),
    Names(Box<[Name]>),
    Numbers(Order, Box<[Decimal<Box<str>>]>),
    Dates { order: Order, loose: bool, dates: Box<[Instant]> },
    Bools(Box<[bool]>),
    Networks(Box<[Network]>),
    Absent(Box<[bool]>),
}

impl Condition {
    pub(super) fn of(condition: &condition::Condition, dialect: Dialect, keys: &mut Keys) -> Self {
        let operator = condition.operator;
        Self {
            key: keys.number(&condition.key),
            negated: operator.negated,
            if_exists: operator.if_exists,
            quantifier: operator.quantifier,
            wanted: Wanted::of(condition, dialect, keys),
        }
    }

    /// Whether the request meets it.
    pub(super) fn is_met(&self, facts: &Facts<'_>) -> bool {
        facts.of(self.key, |values| {
            let given = values.texts();
            if let Wanted::Absent(wanted) = &self.wanted {
                return wanted.contains(&given.is_empty());
            }
            if self.if_exists && given.is_empty() {
                return true;
            }
            let mut each = given
                .iter()
                .enumerate()
                .map(|(number, text)| self.wanted.is_matched_by(number, text, values, facts));
            match self.quantifier {
                None => each.any(|matches| matches) != self.negated,
                Some(Quantifier::Any) => each.any(|matches| matches != self.negated),
                Some(Quantifier::All) => each.all(|matches| matches != self.negated),
            }
        })
    }
}

impl Wanted {
    fn of(condition: &condition::Condition, dialect: Dialect, keys: &mut Keys) -> Self {
        let condition::Condition { operator, values, has_variables, .. } = condition;
        let texts = || values.iter().map(|value| value.as_str().into()).collect();
        let mut patterns = |wild: bool, case: Case| {
            Self::Patterns(
                values.iter().map(|v| Part::of(v, wild, case, *has_variables, keys)).collect(),
            )
        };
        match operator.test {
            Test::Text(case) if *has_variables => patterns(false, case),
            Test::Text(Case::Exact) | Test::Binary => Self::Texts(texts()),
            Test::Text(Case::Folded) => Self::FoldedTexts(texts()),
            Test::Like => patterns(true, Case::Exact),
            Test::Arn => {
                Self::Names(values.iter().map(|v| Name::of(v, *has_variables, keys)).collect())
            }
            Test::Number(order) => {
                Self::Numbers(order, all(values, |v| Decimal::read(v).map(Decimal::to_owned)))
            }
            Test::Date(order) => {
                let loose = dialect.words().loose_dates;
                Self::Dates { order, loose, dates: all(values, |v| Instant::read(v, loose)) }
            }
            Test::Bool => Self::Bools(all(values, literal::bool)),
            Test::Address => Self::Networks(all(values, Network::read)),
            Test::Null => Self::Absent(all(values, literal::bool)),
        }
    }

    /// Whether one value of the request meets one of the policy's; one that can't be read as the
    /// type does not.
    fn is_matched_by(
        &self,
        number: usize,
        given: &str,
        values: &Values<'_>,
        facts: &Facts<'_>,
    ) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|text| **text == *given),
            Self::FoldedTexts(texts) => texts.iter().any(|t| literal::is_same_folded(t, given)),
            Self::Patterns(patterns) => patterns.iter().any(|p| p.matches(given, facts)),
            Self::Names(names) => names.iter().any(|name| name.matches(given, facts)),
            Self::Numbers(order, numbers) => Decimal::read(given).is_some_and(|given| {
                numbers.iter().any(|number| accepts(*order, given.order(number)))
            }),
            Self::Dates { order, loose, dates } => values
                .date(number, given, *loose)
                .is_some_and(|given| dates.iter().any(|date| accepts(*order, given.cmp(date)))),
            Self::Bools(bools) => literal::bool(given).is_some_and(|given| bools.contains(&given)),
            Self::Networks(networks) => values
                .address(number, given)
                .is_some_and(|address| networks.iter().any(|network| network.contains(address))),
            Self::Absent(_) => false,
        }
    }
}

/// Reads the values; one that is none of the type, which no policy has, is left out.
fn all<'a, T>(values: &'a [String], read: impl Fn(&'a str) -> Option<T>) -> Box<[T]> {
    values.iter().filter_map(|value| read(value)).collect()
}

fn accepts(order: Order, found: Ordering) -> bool {
    match order {
        Order::Equal => found == Ordering::Equal,
        Order::Less => found == Ordering::Less,
        Order::LessOrEqual => found != Ordering::Greater,
        Order::Greater => found == Ordering::Greater,
        Order::GreaterOrEqual => found != Ordering::Less,
    }
}

/// A resource name as a value, matched part by part; the last part takes the rest.
#[derive(Debug)]
struct Name(Box<[Part]>);

impl Name {
    fn of(text: &str, has_variables: bool, keys: &mut Keys) -> Self {
        let mut in_variable = false;
        let parts = text.splitn(6, |letter| {
            in_variable = has_variables && (letter == '{' || (in_variable && letter != '}'));
            letter == ':' && !in_variable
        });
        Self(parts.map(|part| Part::of(part, true, Case::Exact, has_variables, keys)).collect())
    }

    fn matches(&self, given: &str, facts: &Facts<'_>) -> bool {
        let mut parts = given.splitn(self.0.len(), ':');
        self.0.iter().all(|pattern| parts.next().is_some_and(|part| pattern.matches(part, facts)))
    }
}
