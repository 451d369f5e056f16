//! Sets of texts as unions of patterns, and whether several of them, and the outsides of others,
//! have a text in common.

use std::rc::Rc;

use super::{automaton, glob::Glob};

/// No more may be spent on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent;

/// How much may still be spent on one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// States of automata.
    pub(super) states: u32,
    /// Cuts of what is left into what a statement covers and what not.
    pub(super) cuts: u32,
}

impl Budget {
    pub(super) fn state(&mut self) -> Result<(), Spent> {
        self.states = self.states.checked_sub(1).ok_or(Spent)?;
        Ok(())
    }

    pub(super) fn cut(&mut self) -> Result<(), Spent> {
        self.cuts = self.cuts.checked_sub(1).ok_or(Spent)?;
        Ok(())
    }
}

/// Which characters a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Those of an action in lower case, with its colon.
    Action,
    /// All but the colon: a part of a resource name.
    Part,
    /// All.
    Any,
}

impl Alphabet {
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Self::Action => {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '-' | '_' | '.')
            }
            Self::Part => c != ':',
            Self::Any => true,
        }
    }

    /// A character that none of the steps names, which stands for all such; an alphabet that is
    /// used up has none.
    pub(super) fn fresh(self, named: &[char]) -> Option<char> {
        ('a'..='z')
            .rev()
            .skip(2)
            .chain(['y', 'z', '-', '_', '.'])
            .chain('0'..='9')
            .chain('A'..='Z')
            .chain('\u{100}'..='\u{10ffff}')
            .find(|c| self.has(*c) && !named.contains(c))
    }
}

/// A union of patterns; where a text may be absent, also whether absence belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Union {
    /// The texts that it names one by one, in order.
    exact: Vec<Rc<str>>,
    /// All others.
    globs: Vec<Glob>,
    /// Whether the absent text belongs to it.
    absent: bool,
}

impl Union {
    pub(super) fn new(all: impl IntoIterator<Item = Glob>, absent: bool) -> Self {
        let (exact, globs): (Vec<Glob>, Vec<Glob>) =
            all.into_iter().partition(|glob| glob.exact().is_some());
        let mut exact: Vec<Rc<str>> =
            exact.iter().filter_map(|glob| glob.exact().cloned()).collect();
        exact.sort_unstable();
        exact.dedup();
        Self { exact, globs, absent }
    }

    pub(super) fn has(&self, text: Option<&str>) -> bool {
        let Some(text) = text else { return self.absent };
        self.exact.binary_search_by(|exact| (**exact).cmp(text)).is_ok()
            || self.globs.iter().any(|glob| glob.matches(text))
    }

    /// All its patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = Glob> {
        self.exact.iter().map(|exact| Glob::text(exact)).chain(self.globs.iter().cloned())
    }

    /// Whether each of its patterns plainly excludes each of the other's.
    fn plainly_excludes(&self, other: &Self) -> bool {
        !other.exact.iter().any(|exact| self.has(Some(exact)))
            && !self.exact.iter().any(|exact| other.has(Some(exact)))
            && self
                .globs
                .iter()
                .all(|own| other.globs.iter().all(|glob| own.plainly_excludes(glob)))
    }

    /// Whether its patterns plainly cover all those of the other.
    fn covers(&self, other: &Self) -> bool {
        other.exact.iter().all(|exact| self.has(Some(exact)))
            && other.globs.iter().all(|glob| self.globs.iter().any(|own| own.covers(glob)))
    }
}

/// A union, or all outside of it.
pub(super) type Signed<'a> = (&'a Union, bool);

fn holds(all: &[Signed<'_>], text: &str) -> bool {
    all.iter().all(|(union, inside)| union.has(Some(text)) == *inside)
}

/// A text that belongs to all.
///
/// # Errors
/// [`Spent`] when the budget does not last.
pub(super) fn common(
    all: &[Signed<'_>],
    alphabet: Alphabet,
    budget: &mut Budget,
) -> Result<Option<Rc<str>>, Spent> {
    let inside = || all.iter().filter(|(_, inside)| *inside).map(|(union, _)| *union);
    // Texts named one by one: one of them, or none.
    let named = inside().filter(|union| union.globs.is_empty());
    if let Some(named) = named.min_by_key(|union| union.exact.len()) {
        return Ok(named.exact.iter().find(|text| holds(all, text)).cloned());
    }
    let mut outside = all.iter().filter(|(_, inside)| !*inside);
    if outside.any(|(outer, _)| inside().any(|inner| outer.covers(inner))) {
        return Ok(None);
    }
    let mut pairs = inside()
        .zip(1..)
        .flat_map(|(one, next)| inside().skip(next).map(move |other| (one, other)));
    if pairs.any(|(one, other)| one.plainly_excludes(other)) {
        return Ok(None);
    }
    let mut letters: Vec<char> = automaton::letters(all, alphabet);
    let fresh = alphabet.fresh(&letters);
    if let Some(text) = guess(all, alphabet, fresh) {
        return Ok(Some(text.into()));
    }
    letters.extend(fresh);
    Ok(automaton::shortest(all, &letters, budget)?.map(Into::into))
}

/// Tries what the patterns themselves suggest.
fn guess(all: &[Signed<'_>], alphabet: Alphabet, fresh: Option<char>) -> Option<String> {
    let fresh = fresh?;
    let inside = all.iter().filter(|(_, inside)| *inside).map(|(union, _)| *union);
    let smallest = inside.min_by_key(|union| union.globs.len());
    let anything = Union::new([Glob::new("*")], false);
    let main = smallest.unwrap_or(&anything);
    let long = String::from(fresh).repeat(3);
    let of_action = format!("{fresh}:{fresh}");
    main.patterns()
        .take(8)
        .flat_map(|glob| {
            [String::new(), fresh.into(), long.clone(), of_action.clone()]
                .map(|run| glob.example(fresh, &run))
        })
        .find(|text| text.chars().all(|c| alphabet.has(c)) && holds(all, text))
}
