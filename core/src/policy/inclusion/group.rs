//! Actions in groups: those of which the same statements speak are decided together.

use std::collections::{BTreeMap, BTreeSet};

use super::{glob::Glob, proof::Sided, text::Union};
use crate::policy::document::{Actions, Effect};

/// Actions that are decided together.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// One action that stands for all, as it is written; or else a pattern.
    pub(super) action: Result<&'a str, &'a str>,
    /// The statements that speak of them, by number.
    pub(super) reaches: Vec<(usize, Reach)>,
    /// Those whose permissions are decided here; for others a pattern of theirs has its own group.
    pub(super) asked: BTreeSet<usize>,
}

/// How a statement stands to the actions of a group.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// It speaks of all of them.
    All,
    /// It speaks of those in the union, or of all others.
    Some { name: String, union: Union, inside: bool },
}

/// The groups of all actions that the first side allows.
pub(super) fn groups<'a>(statements: &[Sided<'a>]) -> Vec<Group<'a>> {
    let patterns = Patterns::new(statements);
    let mut groups = Vec::new();
    let mut decided = BTreeSet::new();
    for (number, pattern) in (0..).zip(&patterns.all).filter(|(_, pattern)| pattern.is_allowed) {
        let text = pattern.text;
        let group = if let Some(action) = pattern.glob.exact() {
            let speaking = patterns.speaking_of(number, action);
            if !decided.insert(speaking.clone()) {
                continue;
            }
            let reaches = speaking.iter().map(|statement| (*statement, Reach::All)).collect();
            Group { action: Ok(text), reaches, asked: speaking.into_iter().collect() }
        } else {
            let mut asked: BTreeSet<usize> = pattern.statements.iter().copied().collect();
            if text == "*" {
                let all_but = (0..).zip(&patterns.spoken).filter(|(_, spoken)| !spoken.inside);
                asked.extend(all_but.map(|(statement, _)| statement));
            }
            Group { action: Err(text), reaches: patterns.reaching(&pattern.glob), asked }
        };
        groups.push(group);
    }
    groups
}

/// A pattern of actions that some statement names.
struct Pattern<'a> {
    text: &'a str,
    lower: String,
    glob: Glob,
    /// Whether the first side allows what it names.
    is_allowed: bool,
    /// The statements that name it to speak of it, by number.
    statements: Vec<usize>,
}

/// What a statement names, patterns by number: to speak of it, or of all others.
struct Spoken {
    patterns: Vec<usize>,
    inside: bool,
}

/// Every pattern once.
#[derive(Default)]
struct Patterns<'a> {
    all: Vec<Pattern<'a>>,
    numbers: BTreeMap<String, usize>,
    /// One for each statement.
    spoken: Vec<Spoken>,
}

/// How one pattern stands to another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Covers,
    Excludes,
    Touches,
}

impl<'a> Patterns<'a> {
    fn new(statements: &[Sided<'a>]) -> Self {
        let mut patterns = Self::default();
        for (statement, one) in statements.iter().enumerate() {
            let allows = !one.is_second && one.statement.effect == Effect::Allow;
            let (named, inside) = match &one.statement.actions {
                Actions::Only(named) => (named, true),
                Actions::AllBut(named) => (named, false),
            };
            let mut numbers = Vec::new();
            for pattern in named {
                let number = patterns.number(pattern.as_str());
                numbers.push(number);
                if let Some(pattern) = patterns.all.get_mut(number).filter(|_| inside) {
                    pattern.statements.push(statement);
                    pattern.is_allowed |= allows;
                }
            }
            if allows && !inside {
                let everything = patterns.number("*");
                if let Some(pattern) = patterns.all.get_mut(everything) {
                    pattern.is_allowed = true;
                }
            }
            patterns.spoken.push(Spoken { patterns: numbers, inside });
        }
        patterns
    }

    fn number(&mut self, text: &'a str) -> usize {
        let lower = text.to_ascii_lowercase();
        if let Some(number) = self.numbers.get(&lower) {
            return *number;
        }
        let (number, glob) = (self.all.len(), Glob::new(&lower));
        self.numbers.insert(lower.clone(), number);
        self.all.push(Pattern { text, lower, glob, is_allowed: false, statements: Vec::new() });
        number
    }

    /// The statements that speak of an action, in order.
    fn speaking_of(&self, number: usize, action: &str) -> Vec<usize> {
        let matching: Vec<usize> = (0..)
            .zip(&self.all)
            .filter(|(other, pattern)| {
                *other == number || (pattern.glob.exact().is_none() && pattern.glob.matches(action))
            })
            .map(|(other, _)| other)
            .collect();
        let mut speaking: Vec<usize> = matching
            .iter()
            .filter_map(|number| self.all.get(*number))
            .flat_map(|pattern| pattern.statements.iter().copied())
            .collect();
        for (statement, spoken) in self.spoken.iter().enumerate().filter(|(_, s)| !s.inside) {
            if !spoken.patterns.iter().any(|number| matching.contains(number)) {
                speaking.push(statement);
            }
        }
        speaking.sort_unstable();
        speaking.dedup();
        speaking
    }

    /// The statements that may speak of actions that the pattern names, and of which of them.
    fn reaching(&self, glob: &Glob) -> Vec<(usize, Reach)> {
        let stands: Vec<Stand> = self
            .all
            .iter()
            .map(|pattern| {
                if pattern.glob.plainly_excludes(glob) {
                    Stand::Excludes
                } else if pattern.glob.covers(glob) {
                    Stand::Covers
                } else {
                    Stand::Touches
                }
            })
            .collect();
        let reach = |(statement, spoken): (usize, &Spoken)| {
            let (mut touching, mut covers) = (Vec::new(), false);
            for number in &spoken.patterns {
                match stands.get(*number) {
                    Some(Stand::Covers) => covers = true,
                    Some(Stand::Touches) => touching.extend(self.all.get(*number)),
                    Some(Stand::Excludes) | None => {}
                }
            }
            if covers || touching.is_empty() {
                return (covers == spoken.inside).then_some((statement, Reach::All));
            }
            let names: Vec<&str> = touching.iter().map(|pattern| pattern.lower.as_str()).collect();
            let union = Union::new(touching.iter().map(|pattern| pattern.glob.clone()), false);
            let reach = Reach::Some { name: names.join(" "), union, inside: spoken.inside };
            Some((statement, reach))
        };
        self.spoken.iter().enumerate().filter_map(reach).collect()
    }
}
