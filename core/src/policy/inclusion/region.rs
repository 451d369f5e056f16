//! Statements as regions of the space of all requests.
//!
//! Requests fall into three places: those whose resource has no name (`*`, where an action has no
//! resource), those about a RAM role, whose name is compared without case, and all others.

use super::{
    Witness,
    condition::Keys,
    glob::Glob,
    space::{Literal, Space, Values},
    text::{Alphabet, Budget, Spent, Union},
};
use crate::policy::{
    dialect::Dialect,
    document::{Resources, Statement},
    pattern::ResourcePattern,
    request::Context,
};

/// Where all literals hold, and those of no hole.
#[derive(Clone, Debug, Default)]
pub(super) struct Region {
    pub(super) literals: Vec<Literal>,
    pub(super) holes: Vec<Vec<Literal>>,
}

/// What kind of resource a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// None: `*`.
    Unnamed,
    /// One with a name.
    Named,
    /// A RAM role; everything is in lower case.
    Role,
}

/// The dimensions of one place.
#[derive(Debug)]
pub(super) struct Frame {
    place: Place,
    dialect: Dialect,
    pub(super) action: usize,
    /// The parts of a resource's name that are not fixed.
    parts: Vec<usize>,
    keys: Keys,
}

/// One place: its space, and each statement's regions in it, the action left aside.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) space: Space,
    pub(super) frame: Frame,
    /// One list for each statement.
    pub(super) regions: Vec<Vec<Region>>,
    /// In [`Place::Named`], what belongs to [`Place::Role`].
    pub(super) roles: Option<Region>,
    /// The space as it is before any question.
    pub(super) start: usize,
}

impl Model {
    pub(super) fn new(
        place: Place,
        dialect: Dialect,
        statements: &[&Statement],
        budget: Budget,
    ) -> Result<Self, Spent> {
        let mut space = Space::new(budget);
        let values = Values::Texts { alphabet: Alphabet::Action, may_be_absent: false };
        let action = space.add(values);
        // An action has one colon, and something on both sides of it.
        for (name, inside) in [("?*:?*", true), ("*:*:*", false)] {
            let literal = space.union(action, name, || Union::new([Glob::new(name)], false));
            space.assume(Literal { inside, ..literal })?;
        }
        let count = match place {
            Place::Unnamed => 0,
            Place::Named => dialect.resource_parts().saturating_sub(1),
            Place::Role => dialect.resource_parts().saturating_sub(2),
        };
        let mut parts = Vec::new();
        for number in 1..=count {
            let alphabet = if number == count { Alphabet::Any } else { Alphabet::Part };
            parts.push(space.add(Values::Texts { alphabet, may_be_absent: false }));
        }
        let all = statements.iter().flat_map(|statement| &statement.conditions);
        let keys = Keys::new(&mut space, dialect, all);
        let frame = Frame { place, dialect, action, parts, keys };
        let mut model = Self { space, frame, regions: Vec::new(), roles: None, start: 0 };
        model.fix_roles()?;
        model.start = model.space.settle();
        for statement in statements {
            let regions = model.regions_of(statement);
            model.regions.push(regions);
        }
        Ok(model)
    }

    /// Keeps roles apart from all other named resources.
    fn fix_roles(&mut self) -> Result<(), Spent> {
        let last = self.frame.parts.last().copied();
        match (self.frame.place, self.frame.dialect, last) {
            (Place::Role, _, Some(id)) => {
                let literal = self.part(id, "role/*");
                self.space.assume(literal)?;
            }
            (Place::Named, Dialect::Ram, Some(id)) => {
                let service = self.frame.parts.first().copied().unwrap_or(id);
                let literals = vec![self.part(service, "ram"), self.part(id, "role/*")];
                self.roles = Some(Region { literals, holes: Vec::new() });
            }
            (Place::Unnamed | Place::Named | Place::Role, _, _) => {}
        }
        Ok(())
    }

    fn regions_of(&mut self, statement: &Statement) -> Vec<Region> {
        let conditions = statement.conditions.iter();
        let conditions: Vec<Literal> =
            conditions.filter_map(|condition| self.frame.keys.literal(condition)).collect();
        match &statement.resources {
            Resources::Only(patterns) => {
                let mut regions = Vec::new();
                for pattern in patterns {
                    let Some(mut literals) = self.literals(pattern) else { continue };
                    let is_any = literals.is_empty();
                    literals.extend(conditions.iter().copied());
                    let region = Region { literals, holes: Vec::new() };
                    if is_any {
                        return vec![region];
                    }
                    regions.push(region);
                }
                regions
            }
            Resources::AllBut(patterns) => {
                let holes: Vec<_> =
                    patterns.iter().filter_map(|pattern| self.literals(pattern)).collect();
                if holes.iter().any(Vec::is_empty) {
                    return Vec::new();
                }
                vec![Region { literals: conditions, holes }]
            }
            Resources::OfTrust => Vec::new(),
        }
    }

    /// What must hold for the pattern to match; `None` if it never does here.
    fn literals(&mut self, pattern: &ResourcePattern) -> Option<Vec<Literal>> {
        let Some(patterns) = pattern.parts() else { return Some(Vec::new()) };
        if self.frame.place == Place::Unnamed {
            return None;
        }
        if pattern.has_variables() {
            let key = pattern.as_str();
            let values = Values::Opaque { key: key.to_owned(), tried: String::new() };
            // The dimension of a pattern is found again by its text.
            let dimension = self.space.opaque_named(key).unwrap_or_else(|| self.space.add(values));
            return Some(vec![self.space.bits(dimension, "met", 1)]);
        }
        let is_role = self.frame.place == Place::Role;
        let read = |part: &String| if is_role { part.to_ascii_lowercase() } else { part.clone() };
        let patterns: Vec<String> = patterns.iter().map(read).collect();
        let fixed: &[&str] =
            if is_role { &["acs", "ram"] } else { &[self.frame.dialect.resource_prefix()] };
        let (heads, rest) = patterns.split_at_checked(fixed.len())?;
        let is_there =
            |(head, fixed): (&String, &&str)| head == fixed || Glob::new(head).matches(fixed);
        if !heads.iter().zip(fixed).all(is_there) {
            return None;
        }
        let dimensions = self.frame.parts.clone();
        let parts = dimensions.into_iter().zip(rest).filter(|(_, part)| *part != "*");
        Some(parts.map(|(dimension, part)| self.part(dimension, part)).collect())
    }

    fn part(&mut self, dimension: usize, pattern: &str) -> Literal {
        self.space.union(dimension, pattern, || Union::new([Glob::new(pattern)], false))
    }
}

impl Frame {
    /// A request of what is left; the action is that one, or one of its dimension.
    pub(super) fn request(&self, action: Option<&str>, space: &Space) -> Witness {
        let fixed: &[&str] = match self.place {
            Place::Unnamed => &["*"],
            Place::Named => &[self.dialect.resource_prefix()],
            Place::Role => &["acs", "ram"],
        };
        let parts = self.parts.iter().map(|dimension| space.text(*dimension));
        let resource = fixed.iter().copied().chain(parts).collect::<Vec<_>>().join(":");
        let mut context = Context::default();
        for (key, dimension) in &self.keys.dimensions {
            if let Some(value) = space.value(*dimension) {
                context.add(key, value);
            }
        }
        let action = action.unwrap_or_else(|| space.text(self.action)).to_owned();
        Witness { action, resource, context }
    }
}

/// Whether the pattern names a role otherwise in lower case than as it is written.
pub(super) fn minds_case_of_roles(statement: &Statement) -> bool {
    let patterns = match &statement.resources {
        Resources::Only(patterns) | Resources::AllBut(patterns) => patterns,
        Resources::OfTrust => return false,
    };
    patterns.iter().filter_map(ResourcePattern::parts).any(|parts| {
        let [_, service, rest @ ..] = parts else { return false };
        let is_cased = |part: &String| part.bytes().any(|b| b.is_ascii_alphabetic());
        Glob::new(&service.to_ascii_lowercase()).matches("ram")
            && (service != "ram" && is_cased(service) || rest.iter().any(is_cased))
    })
}
