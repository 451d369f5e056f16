//! The search for a request that one side permits and the other does not.
//!
//! Actions come first: each that is named one by one is decided by the statements that speak of
//! it, and those of which the same statements speak are decided once. What a pattern names is
//! decided with the action as one more dimension. Then each region that is permitted is cut by
//! the regions that must not be in it, until nothing is left or a piece is that none of them
//! touches: each of its requests is a witness.

use std::borrow::Cow;

use super::{
    Why, Witness,
    glob::Glob,
    group::{Group, Reach, groups},
    region::{Model, Place, Region, minds_case_of_roles},
    space::{Literal, Relation, Space},
    text::{Budget, Spent, Union},
};
use crate::policy::{
    dialect::Dialect,
    document::{Effect, Statement},
};

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A request that the first side permits and the second does not.
    Beyond,
    /// A request that both permit.
    Shared,
}

/// A statement of one of two sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sided<'a> {
    pub(super) is_second: bool,
    pub(super) statement: &'a Statement,
}

/// What the search ended with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// There is no such request.
    None,
    /// This is one.
    Found(Witness),
    /// There may be one.
    Unsure(Why),
}

/// Looks for a request that reaches the goal and is genuine.
pub(super) fn search(
    dialect: Dialect,
    statements: &[Sided<'_>],
    goal: Goal,
    budget: Budget,
    is_genuine: &dyn Fn(&Witness) -> bool,
) -> Outcome {
    let mut search = Search {
        dialect,
        statements,
        goal,
        budget,
        is_genuine,
        minds_roles: statements.iter().map(|one| minds_case_of_roles(one.statement)).collect(),
        models: [None, None, None],
        found: None,
        doubt: None,
    };
    let ended = groups(statements).iter().try_for_each(|group| search.group(group));
    match (search.found, search.doubt, ended) {
        (Some(witness), _, _) => Outcome::Found(witness),
        (None, _, Err(Spent)) => Outcome::Unsure(Why::Budget),
        (None, Some(why), Ok(())) => Outcome::Unsure(why),
        (None, None, Ok(())) => Outcome::None,
    }
}

struct Search<'a> {
    dialect: Dialect,
    statements: &'a [Sided<'a>],
    goal: Goal,
    budget: Budget,
    is_genuine: &'a dyn Fn(&Witness) -> bool,
    /// For each statement, whether it treats roles as no other resource.
    minds_roles: Vec<bool>,
    /// One for each place, made when it is first needed.
    models: [Option<Model>; 3],
    found: Option<Witness>,
    doubt: Option<Why>,
}

impl Search<'_> {
    fn group(&mut self, group: &Group<'_>) -> Result<(), Spent> {
        let minds_roles = self.dialect == Dialect::Ram
            && group.reaches.iter().any(|(one, _)| self.minds_roles.get(*one) == Some(&true));
        for (slot, place) in [Place::Named, Place::Unnamed, Place::Role].into_iter().enumerate() {
            if self.found.is_some() || (place == Place::Role && !minds_roles) {
                break;
            }
            let Some(kept) = self.models.get_mut(slot) else { continue };
            let mut model = if let Some(model) = kept.take() {
                model
            } else {
                let statements: Vec<&Statement> =
                    self.statements.iter().map(|one| one.statement).collect();
                Model::new(place, self.dialect, &statements, self.budget)?
            };
            model.space.budget = self.budget;
            let ended = self.group_in(&mut model, group, minds_roles);
            self.budget = model.space.budget;
            model.space.back_to(model.start);
            if let Some(kept) = self.models.get_mut(slot) {
                *kept = Some(model);
            }
            ended?;
        }
        Ok(())
    }

    /// Decides a group in one place.
    fn group_in(
        &mut self,
        model: &mut Model,
        group: &Group<'_>,
        minds_roles: bool,
    ) -> Result<(), Spent> {
        let Model { space, frame, regions, roles, .. } = model;
        if let Err(pattern) = group.action {
            let pattern = pattern.to_ascii_lowercase();
            let one = || Union::new([Glob::new(&pattern)], false);
            let literal = space.union(frame.action, &pattern, one);
            if !space.assume(literal)? {
                return Ok(());
            }
        }
        let mut sides = Sides::default();
        sides.never.extend(roles.iter().filter(|_| minds_roles).map(Cow::Borrowed));
        for (number, reach) in &group.reaches {
            let (Some(one), Some(regions)) = (self.statements.get(*number), regions.get(*number))
            else {
                continue;
            };
            let is_allow = !one.is_second && one.statement.effect == Effect::Allow;
            if is_allow && !group.asked.contains(number) {
                continue;
            }
            let regions = cut(regions, reach, space, frame.action);
            match (one.is_second, one.statement.effect) {
                (false, Effect::Allow) => sides.allowed.extend(regions),
                (false, Effect::Deny) => sides.never.extend(regions),
                (true, Effect::Allow) => sides.second_allows.extend(regions),
                (true, Effect::Deny) => sides.second_denies.extend(regions),
            }
        }
        let mut accept = |space: &Space| {
            let witness = frame.request(group.action.ok(), space);
            if (self.is_genuine)(&witness) {
                self.found = Some(witness);
                return true;
            }
            let why = space.opaque().map_or(Why::Unproven, |key| Why::Condition(key.to_owned()));
            self.doubt.get_or_insert(why);
            false
        };
        for (also, never) in sides.questions(self.goal) {
            for allowed in &sides.allowed {
                let mark = space.mark();
                let mut never = never.clone();
                let is_some = space.assume_all(&allowed.literals)?
                    && match also {
                        Some(also) => space.assume_all(&also.literals)?,
                        None => true,
                    };
                let holes = allowed.holes.iter().chain(also.iter().flat_map(|also| &also.holes));
                let holes: Vec<Region> = holes
                    .map(|hole| Region { literals: hole.clone(), holes: Vec::new() })
                    .collect();
                never.extend(&holes);
                if is_some && uncovered(space, &never, &mut accept)? {
                    return Ok(());
                }
                space.back_to(mark);
            }
        }
        Ok(())
    }
}

/// The regions of a group, by side and effect.
#[derive(Default)]
struct Sides<'a> {
    allowed: Vec<Cow<'a, Region>>,
    never: Vec<Cow<'a, Region>>,
    second_allows: Vec<Cow<'a, Region>>,
    second_denies: Vec<Cow<'a, Region>>,
}

impl Sides<'_> {
    fn never<'s>(&'s self, more: &'s [Cow<'_, Region>]) -> Vec<&'s Region> {
        let mut never: Vec<&Region> = self.never.iter().chain(more).map(AsRef::as_ref).collect();
        // What says least covers most.
        never.sort_by_key(|region| region.literals.len().saturating_add(region.holes.len()));
        never
    }

    /// For each question what must hold besides, and what must not.
    fn questions(&self, goal: Goal) -> Vec<(Option<&Region>, Vec<&Region>)> {
        match goal {
            Goal::Beyond => std::iter::once((None, self.never(&self.second_allows)))
                .chain(self.second_denies.iter().map(|deny| (Some(deny.as_ref()), self.never(&[]))))
                .collect(),
            Goal::Shared => {
                let denied = |allow| (Some(allow), self.never(&self.second_denies));
                self.second_allows.iter().map(AsRef::as_ref).map(denied).collect()
            }
        }
    }
}

/// The regions of a statement within the actions of a group.
fn cut<'a>(
    regions: &'a [Region],
    reach: &Reach,
    space: &mut Space,
    action: usize,
) -> Vec<Cow<'a, Region>> {
    let Reach::Some { name, union, inside } = reach else {
        return regions.iter().map(Cow::Borrowed).collect();
    };
    let literal = space.union(action, name, || union.clone());
    let literal = Literal { inside: *inside, ..literal };
    let with_action = |region: &Region| {
        let mut region = region.clone();
        region.literals.insert(0, literal);
        Cow::Owned(region)
    };
    regions.iter().map(with_action).collect()
}

/// Cuts what is left by the regions, and shows each piece that none of them touches until one is
/// accepted. Then the space stays as it is and the answer is true; else it is as it was.
fn uncovered(
    space: &mut Space,
    regions: &[&Region],
    accept: &mut dyn FnMut(&Space) -> bool,
) -> Result<bool, Spent> {
    let mut across = Vec::new();
    for region in regions {
        space.budget.cut()?;
        match relation(space, region)? {
            Relation::Within => return Ok(false),
            Relation::Apart => {}
            Relation::Across => across.push(*region),
        }
    }
    let Some((first, rest)) = across.split_first() else { return Ok(accept(space)) };
    let mark = space.mark();
    // What lies outside of the first region, in pieces that have nothing in common.
    for literal in &first.literals {
        let before = space.mark();
        if space.assume(literal.opposite())? {
            if uncovered(space, rest, accept)? {
                return Ok(true);
            }
            space.back_to(before);
        }
        if !space.assume(*literal)? {
            space.back_to(mark);
            return Ok(false);
        }
    }
    for hole in &first.holes {
        let before = space.mark();
        if space.assume_all(hole)? && uncovered(space, rest, accept)? {
            return Ok(true);
        }
        space.back_to(before);
    }
    space.back_to(mark);
    Ok(false)
}

/// How what is left stands to a region; what is called across may also be apart.
fn relation(space: &mut Space, region: &Region) -> Result<Relation, Spent> {
    let mut relation = Relation::Within;
    for literal in &region.literals {
        match space.relation(*literal)? {
            Relation::Within => {}
            Relation::Apart => return Ok(Relation::Apart),
            Relation::Across => relation = Relation::Across,
        }
    }
    for hole in &region.holes {
        let mut is_apart = false;
        for literal in hole {
            is_apart |= space.relation(*literal)? == Relation::Apart;
        }
        if !is_apart {
            relation = Relation::Across;
        }
    }
    Ok(relation)
}
