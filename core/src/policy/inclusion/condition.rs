//! Conditions as sets of values, one dimension a key.
//!
//! Texts are unions of patterns; numbers, dates and addresses are cut at the constants that the
//! policies name, and one value stands for all between two cuts. What is asked of one key in two
//! types, with policy variables or of several values at once is not understood: such a condition
//! is met or not, and the same one is so on both sides.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    net::IpAddr,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    glob::Glob,
    space::{Literal, Space, Values},
    text::{Alphabet, Union},
};
use crate::policy::{
    condition::Condition,
    dialect::Dialect,
    literal::{self, Decimal, Network},
    operator::{Order, Test},
    pattern::Case,
};

/// As many values as a finite dimension may tell apart.
const VALUES_MAX: usize = 128;

/// What a key's values are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    Text,
    Number,
    Date,
    Address,
    NotUnderstood,
}

/// The dimensions of all condition keys, and each condition's literal.
#[derive(Debug, Default)]
pub(super) struct Keys {
    literals: BTreeMap<String, Literal>,
    /// Each key that is understood, with its dimension.
    pub(super) dimensions: Vec<(String, usize)>,
}

impl Keys {
    /// Adds a dimension to the space for each key of the conditions.
    pub(super) fn new<'a>(
        space: &mut Space,
        dialect: Dialect,
        conditions: impl Iterator<Item = &'a Condition>,
    ) -> Self {
        let mut of_key: BTreeMap<&str, Vec<&Condition>> = BTreeMap::new();
        for condition in conditions {
            of_key.entry(&condition.key).or_default().push(condition);
        }
        let mut keys = Self::default();
        for (key, conditions) in of_key {
            keys.add(space, dialect, key, &conditions);
        }
        keys
    }

    /// The literal of one of the conditions.
    pub(super) fn literal(&self, condition: &Condition) -> Option<Literal> {
        let (name, inside) = normal(condition);
        let literal = self.literals.get(&name)?;
        Some(if inside { *literal } else { literal.opposite() })
    }

    fn add(&mut self, space: &mut Space, dialect: Dialect, key: &str, conditions: &[&Condition]) {
        let types: BTreeSet<Type> =
            conditions.iter().filter_map(|condition| type_of(dialect, condition)).collect();
        let mut types = types.into_iter();
        let one_type = match (types.next(), types.next()) {
            (one, None) => one.unwrap_or(Type::Text),
            (_, Some(_)) => Type::NotUnderstood,
        };
        let values = match one_type {
            Type::Text => None,
            Type::Number => Some(numbers(conditions)),
            Type::Date => Some(dates(dialect, conditions)),
            Type::Address => Some(addresses(conditions)),
            Type::NotUnderstood => return self.add_opaque(space, key, conditions),
        };
        let dimension = match values {
            None => space.add(Values::Texts { alphabet: Alphabet::Any, may_be_absent: true }),
            Some(values) if values.len() > VALUES_MAX => {
                return self.add_opaque(space, key, conditions);
            }
            Some(ref values) => space.add(Values::Finite(values.clone())),
        };
        self.dimensions.push((key.to_owned(), dimension));
        for condition in conditions {
            let (name, _) = normal(condition);
            let literal = match &values {
                None => space.union(dimension, &name, || union(condition)),
                Some(values) => space.bits(dimension, &name, bits(dialect, condition, values)),
            };
            self.literals.insert(name, literal);
        }
    }

    fn add_opaque(&mut self, space: &mut Space, key: &str, conditions: &[&Condition]) {
        for condition in conditions {
            let (name, _) = normal(condition);
            let Entry::Vacant(free) = self.literals.entry(name) else { continue };
            let tried = condition.values.first().cloned().unwrap_or_default();
            let dimension = space.add(Values::Opaque { key: key.to_owned(), tried });
            free.insert(space.bits(dimension, "met", 1));
            self.dimensions.push((key.to_owned(), dimension));
        }
    }
}

/// What a condition is called, so that the same one has the same name wherever it stands, and
/// whether it is that one or its opposite.
fn normal(condition: &Condition) -> (String, bool) {
    let Condition { operator, key, values, has_variables } = condition;
    let mut values: Vec<&String> = values.iter().collect();
    values.sort_unstable();
    values.dedup();
    // Of several values, and of a variable that is absent, no operator is the other's opposite.
    if operator.quantifier.is_some() || *has_variables {
        return (format!("{operator:?} {key:?} {values:?} {has_variables}"), true);
    }
    // An absent key meets a negated operator in any case.
    let if_exists = operator.if_exists && !operator.negated;
    (format!("{:?} {if_exists} {key:?} {values:?}", operator.test), !operator.negated)
}

/// `None` for what is no matter of type.
fn type_of(dialect: Dialect, condition: &Condition) -> Option<Type> {
    let Condition { operator, values, has_variables, .. } = condition;
    if operator.quantifier.is_some() || *has_variables {
        return Some(Type::NotUnderstood);
    }
    match operator.test {
        // Beyond ASCII the case of one letter can depend on its neighbours.
        Test::Text(Case::Folded) if !values.iter().all(|value| value.is_ascii()) => {
            Some(Type::NotUnderstood)
        }
        Test::Text(_) | Test::Like | Test::Bool => Some(Type::Text),
        Test::Number(_) => Some(Type::Number),
        Test::Date(_) => {
            // A leap second has no successor to stand for what comes after it.
            let leaps = |value: &String| {
                literal::date(dialect, value)
                    .is_none_or(|date| date.timestamp_subsec_nanos() >= 1_000_000_000)
            };
            Some(if values.iter().any(leaps) { Type::NotUnderstood } else { Type::Date })
        }
        Test::Address => Some(Type::Address),
        Test::Arn | Test::Binary => Some(Type::NotUnderstood),
        Test::Null => None,
    }
}

/// Whether an absent key meets the condition's positive form.
fn has_absent(condition: &Condition) -> bool {
    match condition.operator.test {
        Test::Null => condition.values.iter().any(|value| literal::bool(value) == Some(true)),
        Test::Text(_)
        | Test::Like
        | Test::Number(_)
        | Test::Date(_)
        | Test::Bool
        | Test::Address
        | Test::Arn
        | Test::Binary => condition.operator.if_exists && !condition.operator.negated,
    }
}

/// The texts that meet the condition's positive form.
fn union(condition: &Condition) -> Union {
    let globs = condition.values.iter().filter_map(|value| match condition.operator.test {
        Test::Text(Case::Exact) => Some(Glob::text(value)),
        Test::Text(Case::Folded) | Test::Bool => Some(Glob::folded(value)),
        Test::Like => Some(Glob::new(value)),
        Test::Null => (literal::bool(value) == Some(false)).then(|| Glob::new("*")),
        Test::Number(_) | Test::Date(_) | Test::Address | Test::Arn | Test::Binary => None,
    });
    Union::new(globs, has_absent(condition))
}

/// Which of the values meet the condition's positive form.
fn bits(dialect: Dialect, condition: &Condition, values: &[Option<String>]) -> u128 {
    let is_met = |given: &Option<String>| match given {
        None => has_absent(condition),
        Some(given) => condition
            .values
            .iter()
            .any(|wanted| is_met(dialect, condition.operator.test, given, wanted).unwrap_or(false)),
    };
    let numbered = (0_u32..).zip(values).filter(|(_, value)| is_met(value));
    numbered.fold(0, |bits, (number, _)| bits | 1_u128.checked_shl(number).unwrap_or(0))
}

/// `None` if one of the two can't be read.
fn is_met(dialect: Dialect, test: Test, given: &str, wanted: &str) -> Option<bool> {
    match test {
        Test::Number(order) => {
            let ordering = Decimal::read(given)?.cmp(&Decimal::read(wanted)?);
            Some(accepts(order, ordering))
        }
        Test::Date(order) => {
            let ordering = literal::date(dialect, given)?.cmp(&literal::date(dialect, wanted)?);
            Some(accepts(order, ordering))
        }
        Test::Address => Some(Network::read(wanted)?.contains(given.parse().ok()?)),
        Test::Null => literal::bool(wanted).map(|absent| !absent),
        Test::Text(_) | Test::Like | Test::Bool | Test::Arn | Test::Binary => None,
    }
}

fn accepts(order: Order, ordering: std::cmp::Ordering) -> bool {
    match order {
        Order::Equal => ordering.is_eq(),
        Order::Less => ordering.is_lt(),
        Order::LessOrEqual => ordering.is_le(),
        Order::Greater => ordering.is_gt(),
        Order::GreaterOrEqual => ordering.is_ge(),
    }
}

/// Absence first, which is the plainest; last a text that is none of the type.
fn with_absence(values: BTreeSet<String>) -> Vec<Option<String>> {
    std::iter::once(None).chain(values.into_iter().map(Some)).chain([Some("?".into())]).collect()
}

/// Zero, each constant, and for each of them a number next to it that is further from zero.
fn numbers(conditions: &[&Condition]) -> Vec<Option<String>> {
    let constants = || typed(conditions);
    let fraction = |text: &str| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits = constants().map(fraction).max().unwrap_or(0);
    let beyond = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}.{fraction:0<digits$}1")
    };
    let mut values = BTreeSet::from(["0".to_owned(), beyond("0"), beyond("-0")]);
    for constant in constants() {
        values.extend([constant.to_owned(), beyond(constant)]);
    }
    with_absence(values)
}

/// Each constant, and the instants next to it.
fn dates(dialect: Dialect, conditions: &[&Condition]) -> Vec<Option<String>> {
    let mut values = BTreeSet::new();
    let next = TimeDelta::nanoseconds(1);
    for date in typed(conditions).filter_map(|constant| literal::date(dialect, constant)) {
        let around = [date.checked_sub_signed(next), Some(date), date.checked_add_signed(next)];
        let written =
            |date: DateTime<Utc>| date.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        values.extend(around.into_iter().flatten().map(written));
    }
    with_absence(values)
}

/// The first address of each network, the first one behind it, and the first of all.
fn addresses(conditions: &[&Condition]) -> Vec<Option<String>> {
    // Addresses of IPv4 written as IPv6 count as IPv4, and end here.
    let mut values: BTreeSet<String> = ["0.0.0.0", "::", "::1:0:0:0"].map(str::to_owned).into();
    for constant in typed(conditions) {
        let (address, length) = constant.split_once('/').unwrap_or((constant, "128"));
        let Ok(length) = length.parse::<u32>() else { continue };
        match address.parse() {
            Ok(IpAddr::V4(address)) => {
                let rest = u32::MAX.checked_shr(length).unwrap_or(0);
                let first = address.to_bits() & !rest;
                let behind = (first | rest).checked_add(1);
                let written = |bits| IpAddr::V4(std::net::Ipv4Addr::from_bits(bits)).to_string();
                values.extend([Some(first), behind].into_iter().flatten().map(written));
            }
            Ok(IpAddr::V6(address)) => {
                let rest = u128::MAX.checked_shr(length).unwrap_or(0);
                let first = address.to_bits() & !rest;
                let behind = (first | rest).checked_add(1);
                let written = |bits| IpAddr::V6(std::net::Ipv6Addr::from_bits(bits)).to_string();
                values.extend([Some(first), behind].into_iter().flatten().map(written));
            }
            Err(_) => {}
        }
    }
    with_absence(values)
}

/// The constants of all conditions that compare by type.
fn typed<'a>(conditions: &'a [&Condition]) -> impl Iterator<Item = &'a str> {
    let typed = conditions.iter().filter(|condition| condition.operator.test != Test::Null);
    typed.flat_map(|condition| condition.values.iter().map(String::as_str))
}
