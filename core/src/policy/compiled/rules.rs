//! One layer of policies: a cell for each known action, and the rules that cells point at.

use std::borrow::Borrow;

use super::{
    condition::Condition,
    facts::{Facts, Keys},
    glob::Glob,
    resource::Resource,
};
use crate::policy::{
    Verdict,
    document::{Actions, Effect, Policy, Resources, Statement},
    pattern::{ActionPattern, Case},
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
    resources: Named,
    conditions: Box<[Condition]>,
}

/// What a rule says of actions that are not in the vocabulary.
#[derive(Debug)]
struct UnknownActions {
    /// Patterns that could match one.
    patterns: Vec<Glob>,
    all_but: bool,
}

/// The resources that a rule speaks of.
#[derive(Debug)]
enum Named {
    Any,
    Only(Box<[Resource]>),
    AllBut(Box<[Resource]>),
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
        for effect in [Effect::Deny, Effect::Allow] {
            for (policy, document) in policies.iter().enumerate() {
                for (statement, written) in document.statements().iter().enumerate() {
                    if written.effect != effect {
                        continue;
                    }
                    let (known, unknown) = split(vocabulary, &written.actions);
                    let Some(resources) = resources(written, keys) else { continue };
                    let conditions = written.conditions.iter();
                    let conditions =
                        conditions.map(|c| Condition::of(c, document.dialect(), keys)).collect();
                    let rule = Rule { effect, policy, statement, unknown, resources, conditions };
                    groups.add(rules.all.len(), &rule, &known);
                    rules.all.push(rule);
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
        let mut rules = self.lists.get(list).into_iter().flatten();
        let rule = rules.find_map(|rule| self.all.get(*rule).filter(|rule| rule.holds(facts)));
        rule.map_or(Verdict::ImplicitDeny, Rule::verdict)
    }

    /// What they decide about an action that is not in the vocabulary.
    pub(super) fn decide_unknown(&self, action: &str, facts: &Facts<'_>) -> Verdict {
        let rule = self.all.iter().find(|rule| rule.unknown.name(action) && rule.holds(facts));
        rule.map_or(Verdict::ImplicitDeny, Rule::verdict)
    }
}

impl Rule {
    fn is_always(&self) -> bool {
        matches!(self.resources, Named::Any) && self.conditions.is_empty()
    }

    fn holds(&self, facts: &Facts<'_>) -> bool {
        let names_resource = match &self.resources {
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

impl UnknownActions {
    fn name(&self, action: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(action)) != self.all_but
    }
}

/// The known actions that a statement speaks of, and what it says of unknown ones.
fn split(vocabulary: &Vocabulary, actions: &Actions) -> (ActionSet, UnknownActions) {
    let mut known = vocabulary.none();
    let mut unknown = UnknownActions { patterns: Vec::new(), all_but: false };
    let (Actions::Only(patterns) | Actions::AllBut(patterns)) = actions;
    for pattern in patterns {
        add(vocabulary, pattern, &mut known, &mut unknown.patterns);
    }
    match actions {
        Actions::Only(_) => {}
        Actions::AllBut(_) => {
            unknown.all_but = true;
            known = vocabulary.all_but(&known);
        }
    }
    (known, unknown)
}

fn add(
    vocabulary: &Vocabulary,
    pattern: &ActionPattern,
    known: &mut ActionSet,
    unknown: &mut Vec<Glob>,
) {
    let text = pattern.as_str();
    let Some(wildcard) = text.find(['*', '?']) else {
        match vocabulary.id(text) {
            Some(id) => known.insert(id),
            None => unknown.push(Glob::new(text, Case::Folded)),
        }
        return;
    };
    let glob = Glob::new(text, Case::Folded);
    let (head, rest) = text.split_at_checked(wildcard).unwrap_or_default();
    for (id, name) in vocabulary.starting_with(head) {
        if rest == "*" || glob.matches(name) {
            known.insert(id);
        }
    }
    unknown.push(glob);
}

/// The resources of a statement; none if it speaks of none.
fn resources(statement: &Statement, keys: &mut Keys) -> Option<Named> {
    let (Resources::Only(patterns) | Resources::AllBut(patterns)) = &statement.resources else {
        return None;
    };
    let named: Option<Box<[Resource]>> = patterns.iter().map(|p| Resource::of(p, keys)).collect();
    let is_all_but = matches!(statement.resources, Resources::AllBut(_));
    match named {
        Some(named) if is_all_but => Some(Named::AllBut(named)),
        Some(named) => Some(Named::Only(named)),
        // One of the patterns is any resource.
        None => (!is_all_but).then_some(Named::Any),
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

    /// Adds a rule, the next in order, that speaks of those actions.
    fn add(&mut self, number: usize, rule: &Rule, actions: &ActionSet) {
        let mut named = vec![0_usize; self.all.len()];
        let groups = || actions.iter().filter_map(|id| self.of_action.get(id.index()));
        for group in groups() {
            if let Some(count) = named.get_mut(*group) {
                *count = count.saturating_add(1);
            }
        }
        // A group that the rule speaks of in part is split.
        let moves: Vec<Option<usize>> = named
            .into_iter()
            .enumerate()
            .map(|(at, named)| self.extend(at, named, number, rule))
            .collect();
        for id in actions.iter() {
            if let Some(group) = self.of_action.get_mut(id.index()) {
                *group = moves.get(*group).copied().flatten().unwrap_or(*group);
            }
        }
    }

    /// Adds the rule to `named` actions of a group, and says where they are to go if not all are.
    fn extend(&mut self, at: usize, named: usize, number: usize, rule: &Rule) -> Option<usize> {
        let next = self.all.len();
        let group = self.all.get_mut(at).filter(|group| named > 0 && group.surely.is_none())?;
        let is_split = named < group.actions;
        let mut extended = if is_split { group.clone() } else { std::mem::take(group) };
        extended.rules.push(number);
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
