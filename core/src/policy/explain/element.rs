//! The elements of a statement against a request.

use std::fmt;

use serde::Serialize;

use crate::{
    ids::AccountId,
    policy::{
        condition::Condition,
        dialect::Dialect,
        document::{Actions, Principals, Resources, Statement},
        naive,
        operator::Test,
        pattern::ResourcePattern,
        request::{Context, Request, TrustedPrincipal},
        variable::{Piece, pieces},
    },
};

/// What a statement names, against what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Element {
    /// Its name, such as `Action` or `NotResource`.
    pub name: &'static str,
    /// What the request has.
    pub given: String,
    /// Whether it speaks of the request.
    pub is_met: bool,
    /// Each pattern that it names, in the order of the document.
    pub tried: Vec<Tried>,
}

/// A pattern against what the request has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The pattern as it is written.
    pub pattern: String,
    /// Why it does not match; `None` if it does.
    pub differs: Option<Difference>,
}

/// Why a pattern does not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "kebab-case")]
pub enum Difference {
    /// The whole differs.
    Whole,
    /// A part of the resource's name: the first that differs.
    Part {
        /// What the part is, such as `region`.
        part: &'static str,
        /// What the pattern has there.
        pattern: String,
        /// What the name has there.
        given: String,
    },
    /// The name has too few parts to be one that the pattern names.
    Form,
    /// It hangs on a policy variable of which the request has not one value.
    Variable {
        /// The key of the variable.
        key: String,
    },
}

/// A condition against the circumstances of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestedCondition {
    /// The operator.
    pub operator: String,
    /// The key, in lower case.
    pub key: String,
    /// The values that the policy names, as they are written.
    pub wanted: Vec<String>,
    /// The values that the request has.
    pub given: Vec<String>,
    /// Whether it is met, and why.
    pub outcome: Result<Met, Unmet>,
}

/// Why a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// By the request's values.
    ByValues,
    /// The request has no such key, and that meets it.
    ByAbsence,
}

/// Why a condition is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmet {
    /// The request has no such key.
    Absent,
    /// The request has the key, which must be absent.
    Present,
    /// The request has several values, and the operator takes one.
    Several,
    /// The values hang on policy variables that the request has not one value of: this key.
    Variable(String),
    /// The request's values are none of those wanted.
    Differs,
    /// A value of the request is one of those that it must not be.
    Excluded,
}

impl TestedCondition {
    /// Whether it is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.outcome.is_ok()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("it is another"),
            Self::Part { part, pattern, given } => {
                write!(f, "its {part} is `{given}` and not `{pattern}`")
            }
            Self::Form => f.write_str("it has fewer parts"),
            Self::Variable { key } => write!(f, "the request has not one value of `{key}`"),
        }
    }
}

impl fmt::Display for TestedCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, key, wanted, given, outcome } = self;
        let all = |values: &[String]| format!("`{}`", values.join("`, `"));
        write!(f, "{operator} `{key}` {}: ", all(wanted))?;
        match outcome {
            Ok(Met::ByAbsence) => f.write_str("the request has no such key, which meets it"),
            Err(Unmet::Absent) => f.write_str("the request has no such key"),
            Err(Unmet::Present) => write!(f, "the request has the key: {}", all(given)),
            Err(Unmet::Several) => {
                write!(f, "the request has several values, and one is compared: {}", all(given))
            }
            Err(Unmet::Variable(key)) => write!(f, "the request has not one value of `{key}`"),
            Ok(Met::ByValues) | Err(Unmet::Differs) => {
                write!(f, "the request has {}", all(given))
            }
            Err(Unmet::Excluded) => write!(f, "the request has {}, which it excludes", all(given)),
        }
    }
}

/// The elements of a statement that speak of a request.
pub(super) fn of_request(statement: &Statement, request: &Request<'_>) -> Vec<Element> {
    vec![action(&statement.actions, request.action), resource(&statement.resources, request)]
}

/// The elements of a trust policy's statement.
pub(super) fn of_trust(
    dialect: Dialect,
    statement: &Statement,
    owner: &AccountId,
    principal: &TrustedPrincipal,
) -> Vec<Element> {
    let (name, is_met) = match &statement.principals {
        Principals::OfIdentity | Principals::Only(_) => ("Principal", true),
        Principals::AllBut(_) => ("NotPrincipal", false),
    };
    let tried = statement.principals.named().iter().map(|pattern| {
        let matches = naive::stands_for(dialect, pattern, owner, principal);
        Tried { pattern: pattern.to_string(), differs: (!matches).then_some(Difference::Whole) }
    });
    let tried: Vec<Tried> = tried.collect();
    let is_named = tried.iter().any(|tried| tried.differs.is_none());
    let principal_element =
        Element { name, given: principal.to_string(), is_met: is_named == is_met, tried };
    vec![action(&statement.actions, naive::action_of(dialect, principal)), principal_element]
}

fn action(actions: &Actions, given: &str) -> Element {
    let (name, patterns) = match actions {
        Actions::Only(patterns) => ("Action", patterns),
        Actions::AllBut(patterns) => ("NotAction", patterns),
    };
    let tried = patterns.iter().map(|pattern| {
        let matches = naive::matches_action(pattern, given);
        let differs = (!matches).then_some(Difference::Whole);
        Tried { pattern: pattern.as_str().to_owned(), differs }
    });
    let tried = tried.collect();
    Element { name, given: given.to_owned(), is_met: naive::names_action(actions, given), tried }
}

fn resource(resources: &Resources, request: &Request<'_>) -> Element {
    let (name, patterns) = match resources {
        Resources::Only(patterns) => ("Resource", patterns.as_slice()),
        Resources::AllBut(patterns) => ("NotResource", patterns.as_slice()),
        Resources::OfTrust => ("Resource", [].as_slice()),
    };
    let tried = patterns.iter().map(|pattern| Tried {
        pattern: pattern.as_str().to_owned(),
        differs: difference(pattern, request),
    });
    Element {
        name,
        given: request.resource.to_owned(),
        is_met: naive::names_resource(resources, request),
        tried: tried.collect(),
    }
}

/// Why a pattern does not match the request's resource; `None` if it does.
fn difference(pattern: &ResourcePattern, request: &Request<'_>) -> Option<Difference> {
    let Request { resource, context, .. } = *request;
    match naive::matches_resource(pattern, resource, context) {
        Some(true) => None,
        Some(false) => Some(differing_part(pattern, resource, context)),
        None => {
            let key = lacking(pattern.as_str(), context).unwrap_or_default();
            Some(Difference::Variable { key })
        }
    }
}

fn differing_part(pattern: &ResourcePattern, resource: &str, context: &Context) -> Difference {
    const RAM: [&str; 5] = ["prefix", "service", "region", "account", "relative id"];
    const AWS: [&str; 6] = ["prefix", "partition", "service", "region", "account", "resource"];
    let patterns = pattern.parts().unwrap_or_default();
    let parts: Vec<&str> = resource.splitn(patterns.len(), ':').collect();
    if parts.len() != patterns.len() {
        return Difference::Form;
    }
    let names: &[&'static str] = if patterns.len() == RAM.len() { &RAM } else { &AWS };
    let has_variables = pattern.has_variables();
    let mut all = names.iter().zip(patterns).zip(parts.iter().copied());
    let differing = all.find(|((_, pattern), given)| {
        !naive::matches_part(pattern, has_variables, given, &parts, context)
    });
    differing.map_or(Difference::Whole, |((part, pattern), given)| Difference::Part {
        part,
        pattern: pattern.clone(),
        given: given.to_owned(),
    })
}

/// The first policy variable of the text that the request has not one value of.
fn lacking(text: &str, context: &Context) -> Option<String> {
    pieces(text)?.into_iter().find_map(|piece| match piece {
        Piece::Variable { key, default } => match (context.values(&key), default) {
            ([_], _) | ([], Some(_)) => None,
            ([], None) | ([_, _, ..], _) => Some(key.into_owned()),
        },
        Piece::Text(_) | Piece::Literal(_) => None,
    })
}

/// A condition against the context.
pub(super) fn tested(
    dialect: Dialect,
    condition: &Condition,
    context: &Context,
) -> TestedCondition {
    let Condition { operator, key, values, has_variables } = condition;
    let given = context.values(key);
    let outcome = if naive::is_met(dialect, condition, context) {
        Ok(if given.is_empty() { Met::ByAbsence } else { Met::ByValues })
    } else {
        let lacks = || values.iter().find_map(|value| lacking(value, context));
        Err(match (given, has_variables.then(lacks).flatten()) {
            ([_, ..], _) if operator.test == Test::Null => Unmet::Present,
            ([], None) => Unmet::Absent,
            ([], Some(_)) if !operator.negated => Unmet::Absent,
            (_, Some(key)) => Unmet::Variable(key),
            ([_, _, ..], None) if operator.quantifier.is_none() => Unmet::Several,
            (_, None) if operator.negated => Unmet::Excluded,
            (_, None) => Unmet::Differs,
        })
    };
    TestedCondition {
        operator: operator.to_string(),
        key: key.clone(),
        wanted: values.clone(),
        given: given.to_vec(),
        outcome,
    }
}
