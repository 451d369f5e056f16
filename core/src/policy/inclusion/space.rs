//! What is left of all requests: for each dimension (the action, each part of the resource, each
//! condition key) the sets that hold there, and a value that belongs to all of them.

use std::{collections::BTreeMap, rc::Rc};

use super::text::{Alphabet, Budget, Signed, Spent, Union, common};

/// A set of one dimension, or all outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Literal {
    pub(super) dimension: usize,
    pub(super) set: usize,
    pub(super) inside: bool,
}

impl Literal {
    pub(super) fn opposite(self) -> Self {
        Self { inside: !self.inside, ..self }
    }
}

/// How what is left stands to a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// All of it lies inside.
    Within,
    /// None of it does.
    Apart,
    /// Some does and some does not.
    Across,
}

/// The values of one dimension.
#[derive(Debug)]
pub(super) enum Values {
    /// Texts; absence is one more value where it may be.
    Texts { alphabet: Alphabet, may_be_absent: bool },
    /// One for each way in which the sets can treat a value; `None` is absence.
    Finite(Vec<Option<String>>),
    /// A condition that is not understood: the first value stands for met, the second for not met.
    Opaque { key: String, tried: String },
}

#[derive(Debug)]
enum Set {
    Union(Union),
    /// By number of the value.
    Bits(u128),
}

#[derive(Clone, Debug)]
enum Member {
    Text(Option<Rc<str>>),
    /// All values that belong.
    Bits(u128),
}

#[derive(Debug)]
struct Dimension {
    values: Values,
    sets: Vec<Set>,
    names: BTreeMap<String, usize>,
    held: Vec<Literal>,
    /// How many of them hold throughout.
    held_always: usize,
    member: Member,
    /// Relations of one held literal, beside what holds throughout, to another: they come again
    /// and again.
    known: BTreeMap<(Literal, Literal), Relation>,
}

/// All dimensions. What is assumed is taken back in reverse order.
#[derive(Debug)]
pub(super) struct Space {
    dimensions: Vec<Dimension>,
    /// Which dimension each assumption was about, and its member before.
    trail: Vec<(usize, Member)>,
    pub(super) budget: Budget,
}

impl Space {
    pub(super) fn new(budget: Budget) -> Self {
        Self { dimensions: Vec::new(), trail: Vec::new(), budget }
    }

    /// Adds a dimension and returns its number.
    pub(super) fn add(&mut self, values: Values) -> usize {
        let member = match &values {
            Values::Texts { may_be_absent, .. } => {
                Member::Text((!*may_be_absent).then(|| Rc::from("")))
            }
            Values::Finite(values) => Member::Bits(lowest(values.len())),
            Values::Opaque { .. } => Member::Bits(lowest(2)),
        };
        self.dimensions.push(Dimension {
            values,
            sets: Vec::new(),
            names: BTreeMap::new(),
            held: Vec::new(),
            held_always: 0,
            member,
            known: BTreeMap::new(),
        });
        self.dimensions.len().saturating_sub(1)
    }

    /// The literal of a union of texts; the same name is the same union.
    pub(super) fn union(
        &mut self,
        dimension: usize,
        name: &str,
        union: impl FnOnce() -> Union,
    ) -> Literal {
        self.set(dimension, name, || Set::Union(union()))
    }

    /// The literal of a set of a finite dimension's values.
    pub(super) fn bits(&mut self, dimension: usize, name: &str, bits: u128) -> Literal {
        self.set(dimension, name, || Set::Bits(bits))
    }

    fn set(&mut self, dimension: usize, name: &str, set: impl FnOnce() -> Set) -> Literal {
        let mut number = 0;
        if let Some(at) = self.dimensions.get_mut(dimension) {
            number = at.names.get(name).copied().unwrap_or_else(|| {
                at.sets.push(set());
                let number = at.sets.len().saturating_sub(1);
                at.names.insert(name.to_owned(), number);
                number
            });
        }
        Literal { dimension, set: number, inside: true }
    }

    /// Lets what is assumed hold throughout, and returns its mark.
    pub(super) fn settle(&mut self) -> usize {
        for at in &mut self.dimensions {
            at.held_always = at.held.len();
        }
        self.mark()
    }

    /// How much is assumed.
    pub(super) fn mark(&self) -> usize {
        self.trail.len()
    }

    /// Takes back what was assumed since the mark.
    pub(super) fn back_to(&mut self, mark: usize) {
        while self.trail.len() > mark {
            let Some((dimension, member)) = self.trail.pop() else { return };
            if let Some(at) = self.dimensions.get_mut(dimension) {
                at.held.pop();
                at.member = member;
            }
        }
    }

    /// Cuts what is left down to the literal, unless nothing would be left: then it stays as it
    /// was and the answer is false.
    pub(super) fn assume(&mut self, literal: Literal) -> Result<bool, Spent> {
        let Some(at) = self.dimensions.get_mut(literal.dimension) else { return Ok(true) };
        let Some(member) = at.member_with(literal, &mut self.budget)? else { return Ok(false) };
        let before = std::mem::replace(&mut at.member, member);
        at.held.push(literal);
        self.trail.push((literal.dimension, before));
        Ok(true)
    }

    /// Assumes all; on false nothing is assumed.
    pub(super) fn assume_all(&mut self, literals: &[Literal]) -> Result<bool, Spent> {
        let mark = self.mark();
        for literal in literals {
            if !self.assume(*literal)? {
                self.back_to(mark);
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn relation(&mut self, literal: Literal) -> Result<Relation, Spent> {
        let Some(at) = self.dimensions.get_mut(literal.dimension) else {
            return Ok(Relation::Within);
        };
        // What is assumed needs no search.
        if let Some(held) = at.held.iter().find(|held| held.set == literal.set) {
            let same = held.inside == literal.inside;
            return Ok(if same { Relation::Within } else { Relation::Apart });
        }
        let key = match at.held.get(at.held_always..) {
            Some([one]) => Some((*one, literal)),
            Some(_) | None => None,
        };
        if let Some(known) = key.and_then(|key| at.known.get(&key)) {
            return Ok(*known);
        }
        let relation = match at.member_with(literal, &mut self.budget)? {
            None => Relation::Apart,
            Some(_) => match at.member_with(literal.opposite(), &mut self.budget)? {
                None => Relation::Within,
                Some(_) => Relation::Across,
            },
        };
        if let Some(key) = key {
            at.known.insert(key, relation);
        }
        Ok(relation)
    }

    /// A text of what is left in that dimension.
    pub(super) fn text(&self, dimension: usize) -> &str {
        match self.dimensions.get(dimension).map(|at| &at.member) {
            Some(Member::Text(Some(text))) => text,
            Some(Member::Text(None) | Member::Bits(_)) | None => "",
        }
    }

    /// A value of what is left in that dimension of a condition key; `None` is absence.
    pub(super) fn value(&self, dimension: usize) -> Option<&str> {
        let at = self.dimensions.get(dimension)?;
        match (&at.member, &at.values) {
            (Member::Text(text), _) => text.as_deref(),
            (Member::Bits(bits), Values::Finite(values)) => {
                values.get(usize::try_from(bits.trailing_zeros()).ok()?)?.as_deref()
            }
            (Member::Bits(bits), Values::Opaque { tried, .. }) => {
                (*bits == 1).then_some(tried.as_str())
            }
            (Member::Bits(_), Values::Texts { .. }) => None,
        }
    }

    /// The dimension of what is not understood and has that key.
    pub(super) fn opaque_named(&self, wanted: &str) -> Option<usize> {
        self.dimensions.iter().position(|at| match &at.values {
            Values::Opaque { key, .. } => key == wanted,
            Values::Texts { .. } | Values::Finite(_) => false,
        })
    }

    /// The key of a condition that is assumed and not understood.
    pub(super) fn opaque(&self) -> Option<&str> {
        self.dimensions.iter().find_map(|at| match &at.values {
            Values::Opaque { key, .. } if !at.held.is_empty() => Some(key.as_str()),
            Values::Opaque { .. } | Values::Texts { .. } | Values::Finite(_) => None,
        })
    }
}

impl Dimension {
    /// A member of what is left together with the literal.
    fn member_with(&self, literal: Literal, budget: &mut Budget) -> Result<Option<Member>, Spent> {
        match (&self.values, &self.member, self.sets.get(literal.set)) {
            (Values::Texts { alphabet, .. }, Member::Text(text), Some(Set::Union(union))) => {
                if union.has(text.as_deref()) == literal.inside {
                    return Ok(Some(self.member.clone()));
                }
                let mut all: Vec<Signed<'_>> = vec![(union, literal.inside)];
                for held in &self.held {
                    if let Some(Set::Union(union)) = self.sets.get(held.set) {
                        all.push((union, held.inside));
                    }
                }
                // Absence is the first member and stays it until something excludes it.
                Ok(common(&all, *alphabet, budget)?.map(|text| Member::Text(Some(text))))
            }
            (_, Member::Bits(left), Some(Set::Bits(set))) => {
                let left = left & if literal.inside { *set } else { !*set };
                Ok((left != 0).then_some(Member::Bits(left)))
            }
            // A literal of no set holds everywhere.
            (_, Member::Text(_), Some(Set::Bits(_)) | None)
            | (_, Member::Bits(_), Some(Set::Union(_)) | None)
            | (Values::Finite(_) | Values::Opaque { .. }, Member::Text(_), Some(Set::Union(_))) => {
                Ok(Some(self.member.clone()))
            }
        }
    }
}

/// The lowest so many bits.
pub(super) fn lowest(count: usize) -> u128 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    1_u128.checked_shl(count).map_or(u128::MAX, |next| next.wrapping_sub(1))
}
