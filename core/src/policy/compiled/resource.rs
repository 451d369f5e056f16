//! Patterns of resource names, part by part.

use super::{
    facts::{Facts, Keys},
    glob::{Glob, Token},
    template::{Element, Template, Written, cut},
};
use crate::policy::pattern::{Case, ResourcePattern};

/// A pattern of resource names that is not any.
#[derive(Debug)]
pub(super) struct Resource {
    exact: Parts,
    /// The same without case, where it could match the name of a role.
    folded: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    /// How many parts a name has.
    count: usize,
    has_variables: bool,
    /// The part's number and what it must match, the most telling part first; parts that may be
    /// anything are left out, but the last.
    patterns: Box<[(usize, Part)]>,
}

/// What one text must match.
#[derive(Debug)]
pub(super) enum Part {
    Glob(Glob),
    Template(Template),
    /// A pattern that matches nothing.
    Never,
}

impl Resource {
    /// Makes a pattern ready; `None` is any resource.
    pub(super) fn of(pattern: &ResourcePattern, keys: &mut Keys) -> Option<Self> {
        let parts = pattern.parts()?;
        let exact = Parts::of(pattern, parts, Case::Exact, keys);
        let folded = may_name_role(parts).then(|| Parts::of(pattern, parts, Case::Folded, keys));
        Some(Self { exact, folded })
    }

    /// Whether the pattern matches the resource; `None` if that hangs on a variable which the
    /// request lacks.
    pub(super) fn matches(&self, facts: &Facts<'_>) -> Option<bool> {
        let parts = match &self.folded {
            Some(folded) if names_role(facts) => folded,
            Some(_) | None => &self.exact,
        };
        parts.are_complete(facts).then(|| parts.match_all(facts))
    }
}

/// Whether the pattern could match the name of a RAM role.
fn may_name_role(parts: &[String]) -> bool {
    let [prefix, service, ..] = parts else { return false };
    let may_be =
        |part: &str, name: &str| part.contains("${") || Glob::new(part, Case::Folded).matches(name);
    may_be(prefix, "acs") && may_be(service, "ram")
}

/// Whether the resource is a RAM role: the names of roles are unique regardless of case.
fn names_role(facts: &Facts<'_>) -> bool {
    facts.resource().starts_with("acs:ram:")
        && facts.part(4, 5).is_some_and(|id| id.starts_with("role/"))
}

impl Parts {
    fn of(pattern: &ResourcePattern, parts: &[String], case: Case, keys: &mut Keys) -> Self {
        let last = parts.len().saturating_sub(1);
        keys.colons = keys.colons.max(last);
        let part = |text: &String| Part::of(text, case, pattern.has_variables(), keys);
        let mut patterns: Vec<(usize, Part)> = parts.iter().map(part).enumerate().collect();
        // The last stays, because it is there only if all others are.
        patterns.retain(|(number, part)| *number == last || !part.is_any());
        patterns.reverse();
        Self {
            count: parts.len(),
            has_variables: pattern.has_variables(),
            patterns: patterns.into(),
        }
    }

    fn are_complete(&self, facts: &Facts<'_>) -> bool {
        !self.has_variables || self.patterns.iter().all(|(_, part)| part.is_complete(facts))
    }

    fn match_all(&self, facts: &Facts<'_>) -> bool {
        self.patterns.iter().all(|(number, pattern)| {
            facts.part(*number, self.count).is_some_and(|part| pattern.matches(part, facts))
        })
    }
}

impl Part {
    /// Matches any text.
    pub(super) fn any() -> Self {
        Self::Glob(Glob::of([Token::Run], Case::Exact))
    }

    /// Makes a pattern ready, in which `${…}` is a variable if it has variables.
    pub(super) fn of(text: &str, case: Case, has_variables: bool, keys: &mut Keys) -> Self {
        if !has_variables {
            return Self::Glob(Glob::new(text, case));
        }
        let elements = cut(text, Written::Pattern, keys);
        elements.map_or(Self::Never, |elements| Self::of_elements(&elements, case))
    }

    pub(super) fn of_elements(elements: &[Element], case: Case) -> Self {
        let tokens: Option<Vec<Token>> = elements
            .iter()
            .map(|element| match element {
                Element::Token(token) => Some(*token),
                Element::Variable { .. } => None,
            })
            .collect();
        match tokens {
            Some(tokens) => Self::Glob(Glob::of(tokens, case)),
            None => Self::Template(Template::of(elements.to_vec(), case)),
        }
    }

    /// Whether the request has what its variables stand for.
    pub(super) fn is_complete(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Glob(_) | Self::Never => true,
            Self::Template(template) => template.is_complete(facts),
        }
    }

    pub(super) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(text),
            Self::Template(template) => template.matches(text, facts),
            Self::Never => false,
        }
    }

    fn is_any(&self) -> bool {
        match self {
            Self::Glob(glob) => glob.is_any(),
            Self::Template(_) | Self::Never => false,
        }
    }
}
