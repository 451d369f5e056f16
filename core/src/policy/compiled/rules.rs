//! One layer of policies: a cell for each known action, and the rules that cells point at.

use std::{borrow::Borrow, sync::Arc};

use super::{
    condition::Condition,
    facts::{Facts, Keys},
    shared::{Named, Shared, UnknownActions},
};
use crate::policy::{
    Verdict,
    document::{Effect, Policy},
    vocabulary::{ActionId, ActionSet, Vocabulary},
};

/// The policies of one layer.
#[derive(Debug)]
pub(super) struct Rules {
    /// Denies first, each kind in the order of the documents.
    all: Vec<Rule>,
    /// By the number of the action.
    cells: Vec<Cell>,
    lists: Vec<Vec<usize>>,
    /// The actions that are allowed on any resource in any circumstances.
    pub(super) always: ActionSet,
    /// The actions of which the resource or the circumstances decide; the rest are denied.
    pub(super) perhaps: ActionSet,
}

/// What is known of an action before anything else of the request is.
#[derive(Clone, Copy, Debug)]
enum Cell {
    /// The verdict, whatever else the request says.
    Decided(Verdict),
    /// The first rule of that list that holds decides.
    List(usize),
}

/// A statement, ready to be asked.
#[derive(Debug)]
struct Rule {
    effect: Effect,
    policy: usize,
    statement: usize,
    unknown: UnknownActions,
    resources: Arc<Named>,
    conditions: Arc<[Condition]>,
}

impl Rules {
    pub(super) fn of(vocabulary: &Vocabulary, policies: &[&Policy], keys: &mut Keys) -> Self {
        let mut rules = Self {
            all: Vec::new(),
            cells: Vec::new(),
            lists: Vec::new(),
            always: vocabulary.none(),
            perhaps: vocabulary.none(),
        };
        let mut groups = Groups::of(vocabulary.len());
        let mut shared = Shared::of(vocabulary);
        for effect in [Effect::Deny, Effect::Allow] {
            for (policy, document) in policies.iter().enumerate() {
                for (statement, written) in document.statements().iter().enumerate() {
                    if written.effect != effect {
                        continue;
                    }
                    let (known, unknown) = shared.actions(&written.actions);
                    let resources = shared.resources(&written.resources, keys);
                    let Some(resources) = resources else { continue };
                    let (dialect, conditions) = (document.dialect(), &written.conditions);
                    let conditions = shared.conditions(dialect, conditions, keys);
                    rules.all.push(Rule {
                        effect,
                        policy,
                        statement,
                        unknown,
                        resources,
                        conditions,
                    });
                    groups.add(&rules.all, &known);
                }
            }
        }
        rules.take(vocabulary, groups);
        rules
    }

    /// Makes a cell of each action's group.
    fn take(&mut self, vocabulary: &Vocabulary, groups: Groups) {
        let cells: Vec<Cell> = groups
            .all
            .iter()
            .enumerate()
            .map(|(number, group)| match *group.rules.as_slice() {
                [] => Cell::Decided(Verdict::ImplicitDeny),
                [first, ..] => match self.all.get(first).filter(|rule| rule.is_always()) {
                    Some(rule) => Cell::Decided(rule.verdict()),
                    None => Cell::List(number),
                },
            })
            .collect();
        for (id, number) in vocabulary.ids().zip(&groups.of_action) {
            let group = groups.all.get(*number).zip(cells.get(*number));
            let Some((group, cell)) = group else { continue };
            match (group.surely, group.rules.as_slice()) {
                (Some(Effect::Allow), _) if group.denies == 0 => self.always.insert(id),
                (Some(Effect::Deny), _) | (None, []) => {}
                (Some(Effect::Allow) | None, _) => self.perhaps.insert(id),
            }
            self.cells.push(*cell);
        }
        self.lists = groups.all.into_iter().map(|group| group.rules).collect();
    }

    /// What they decide about a known action. The rest of the request is asked for only if it
    /// matters.
    #[inline]
    pub(super) fn decide<'a, F: Borrow<Facts<'a>>>(
        &self,
        action: ActionId,
        facts: impl FnOnce() -> F,
    ) -> Verdict {
        match self.cells.get(action.index()) {
            None => Verdict::ImplicitDeny,
            Some(Cell::Decided(verdict)) => *verdict,
            Some(Cell::List(list)) => self.first(*list, facts().borrow()),
        }
    }

    /// What the first rule of a list that holds decides.
    fn first(&self, list: usize, facts: &Facts<'_>) -> Verdict {
        let list = self.lists.get(list).map_or(&[][..], Vec::as_slice);
        let mut rules = list.iter().filter_map(|rule| self.all.get(*rule));
        rules.find(|rule| rule.holds(facts)).map_or(Verdict::ImplicitDeny, Rule::verdict)
    }

    /// What they decide about an action that is not in the vocabulary.
    pub(super) fn decide_unknown(&self, action: &str, facts: &Facts<'_>) -> Verdict {
        let rule = self.all.iter().find(|rule| rule.unknown.name(action) && rule.holds(facts));
        rule.map_or(Verdict::ImplicitDeny, Rule::verdict)
    }
}

impl Rule {
    fn is_always(&self) -> bool {
        matches!(*self.resources, Named::Any) && self.conditions.is_empty()
    }

    /// Whether it holds wherever the other holds, as far as that is plain to see.
    fn covers(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.resources, &other.resources)
            && (self.conditions.is_empty() || Arc::ptr_eq(&self.conditions, &other.conditions))
    }

    fn holds(&self, facts: &Facts<'_>) -> bool {
        let names_resource = match &*self.resources {
            Named::Any => true,
            Named::Only(patterns) => patterns.iter().any(|p| p.matches(facts) == Some(true)),
            // Of a pattern that can't be completed nobody knows what it leaves out.
            Named::AllBut(patterns) => patterns.iter().all(|p| p.matches(facts) == Some(false)),
        };
        names_resource && self.conditions.iter().all(|condition| condition.is_met(facts))
    }

    fn verdict(&self) -> Verdict {
        let Self { policy, statement, .. } = *self;
        match self.effect {
            Effect::Allow => Verdict::Allow { policy, statement },
            Effect::Deny => Verdict::ExplicitDeny { policy, statement },
        }
    }
}

/// The known actions by the rules that speak of them: actions of one group are decided alike.
struct Groups {
    /// The group of each action.
    of_action: Vec<usize>,
    all: Vec<Group>,
}

#[derive(Clone, Default)]
struct Group {
    /// Denies first. What can't decide any more is left out.
    rules: Vec<usize>,
    denies: usize,
    /// What the group comes to at the latest, once that is known.
    surely: Option<Effect>,
    actions: usize,
}

impl Groups {
    fn of(actions: usize) -> Self {
        let all = vec![Group { actions, ..Group::default() }];
        Self { of_action: vec![0; actions], all }
    }

    /// Adds the last of the rules, which speaks of those actions.
    fn add(&mut self, rules: &[Rule], actions: &ActionSet) {
        let groups = actions.iter().filter_map(|id| self.of_action.get(id.index()).copied());
        let mut groups: Vec<usize> = groups.collect();
        groups.sort_unstable();
        // A group that the rule speaks of in part is split.
        let mut moves = Vec::new();
        for same in groups.chunk_by(|a, b| a == b) {
            let Some(from) = same.first() else { continue };
            if let Some(to) = self.extend(*from, same.len(), rules) {
                moves.push((*from, to));
            }
        }
        if moves.is_empty() {
            return;
        }
        for id in actions.iter() {
            let Some(group) = self.of_action.get_mut(id.index()) else { continue };
            if let Some((_, to)) = moves.iter().find(|(from, _)| from == group) {
                *group = *to;
            }
        }
    }

    /// Adds the rule to `named` actions of a group, and says where they are to go if not all are.
    fn extend(&mut self, at: usize, named: usize, rules: &[Rule]) -> Option<usize> {
        let next = self.all.len();
        let (rule, before) = rules.split_last()?;
        let group = self.all.get_mut(at).filter(|group| group.surely.is_none())?;
        let mut earlier = group.rules.iter().filter_map(|number| before.get(*number));
        if earlier.any(|earlier| earlier.covers(rule)) {
            return None;
        }
        let is_split = named < group.actions;
        let mut extended = if is_split { group.clone() } else { std::mem::take(group) };
        extended.rules.push(before.len());
        extended.actions = named;
        match rule.effect {
            Effect::Deny => extended.denies = extended.denies.saturating_add(1),
            Effect::Allow => {}
        }
        extended.surely = rule.is_always().then_some(rule.effect);
        if is_split {
            group.actions = group.actions.saturating_sub(named);
            self.all.push(extended);
            Some(next)
        } else {
            *group = extended;
            None
        }
    }
}
