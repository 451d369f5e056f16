//! Conditions with their constants read.

use std::cmp::Ordering;

use super::{
    facts::{Facts, Key, Keys, Values},
    glob::{Token, tokens},
    literal::{self, Decimal, Instant, Network},
    resource::Part,
    template::{Element, Template, Written, cut},
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
    /// Texts with variables.
    Templates(Box<[Template]>),
    Patterns(Box<[Part]>),
    Names(Box<[Name]>),
    Numbers(Order, Box<[Decimal<Box<str>>]>),
    Dates {
        order: Order,
        loose: bool,
        dates: Box<[Instant]>,
    },
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
            // Nobody knows what a value means whose variable the request lacks.
            if self.negated && !self.wanted.is_complete(facts) {
                return false;
            }
            let is_met_by = |(number, text): (usize, &String)| {
                self.wanted.is_matched_by(number, text, values, facts) != self.negated
            };
            let mut each = given.iter().enumerate();
            match (self.quantifier, given) {
                (Some(Quantifier::Any), _) => each.any(is_met_by),
                (Some(Quantifier::All), _) => each.all(is_met_by),
                (None, []) => self.negated,
                (None, [one]) => is_met_by((0, one)),
                (None, [_, _, ..]) => false,
            }
        })
    }
}

impl Wanted {
    fn of(condition: &condition::Condition, dialect: Dialect, keys: &mut Keys) -> Self {
        let condition::Condition { operator, values, has_variables, .. } = condition;
        let texts = || values.iter().map(|value| value.as_str().into()).collect();
        match operator.test {
            Test::Text(case) if *has_variables => {
                let texts = values.iter().filter_map(|value| cut(value, Written::Text, keys));
                Self::Templates(texts.map(|elements| Template::of(elements, case)).collect())
            }
            Test::Text(Case::Exact) | Test::Binary => Self::Texts(texts()),
            Test::Text(Case::Folded) => Self::FoldedTexts(texts()),
            Test::Like => {
                let pattern = |value: &String| Part::of(value, Case::Exact, *has_variables, keys);
                Self::Patterns(values.iter().map(pattern).collect())
            }
            Test::Arn => {
                let name = |value: &String| Name::of(value, dialect, *has_variables, keys);
                Self::Names(values.iter().map(name).collect())
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

    /// Whether the request has what the variables stand for.
    fn is_complete(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Templates(texts) => texts.iter().all(|text| text.is_complete(facts)),
            Self::Patterns(patterns) => patterns.iter().all(|part| part.is_complete(facts)),
            Self::Names(names) => names.iter().all(|name| name.is_complete(facts)),
            Self::Texts(_)
            | Self::FoldedTexts(_)
            | Self::Numbers(..)
            | Self::Dates { .. }
            | Self::Bools(_)
            | Self::Networks(_)
            | Self::Absent(_) => true,
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
            Self::Templates(texts) => texts.iter().any(|text| text.is_text(given, facts)),
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

/// A pattern of resource names, one pattern a part; the last part takes the rest.
#[derive(Debug)]
struct Name(Box<[Part]>);

impl Name {
    /// Cuts a pattern at its colons, not those of its variables. Parts that are missing after a
    /// final `*` are any; others that are missing match nothing.
    fn of(text: &str, dialect: Dialect, has_variables: bool, keys: &mut Keys) -> Self {
        let elements = if has_variables {
            cut(text, Written::Pattern, keys).unwrap_or_default()
        } else {
            tokens(text).map(Element::Token).collect()
        };
        let count = dialect.resource_parts();
        let colon = Element::Token(Token::Char(':'));
        let parts = elements.splitn(count, |element| *element == colon);
        let mut parts: Vec<Part> = parts.map(|part| Part::of_elements(part, Case::Exact)).collect();
        let is_open = elements.last() == Some(&Element::Token(Token::Run));
        let missing = if is_open { Part::any } else { || Part::Never };
        parts.resize_with(count, missing);
        Self(parts.into())
    }

    fn is_complete(&self, facts: &Facts<'_>) -> bool {
        self.0.iter().all(|part| part.is_complete(facts))
    }

    fn matches(&self, given: &str, facts: &Facts<'_>) -> bool {
        let mut parts = given.splitn(self.0.len(), ':');
        self.0.iter().all(|pattern| parts.next().is_some_and(|part| pattern.matches(part, facts)))
    }
}
