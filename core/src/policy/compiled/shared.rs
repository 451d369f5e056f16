//! What policies say more than once, made ready once.

use std::{collections::BTreeMap, sync::Arc};

use super::{condition::Condition, facts::Keys, glob::Glob, resource::Resource};
use crate::policy::{
    condition,
    dialect::Dialect,
    document::{Actions, Resources},
    pattern::{ActionPattern, Case},
    vocabulary::{ActionSet, Vocabulary},
};

/// Parts of statements, by what is written.
pub(super) struct Shared<'p> {
    vocabulary: &'p Vocabulary,
    /// The patterns of actions that are more than the name of a known one.
    patterns: BTreeMap<&'p str, (ActionSet, Arc<Glob>)>,
    resources: BTreeMap<&'p Resources, Option<Arc<Named>>>,
    conditions: BTreeMap<(Dialect, &'p [condition::Condition]), Arc<[Condition]>>,
}

/// What a rule says of actions that are not in the vocabulary.
#[derive(Debug)]
pub(super) struct UnknownActions {
    /// Patterns that could match one.
    patterns: Vec<Arc<Glob>>,
    all_but: bool,
}

/// The resources that a rule speaks of.
#[derive(Debug)]
pub(super) enum Named {
    Any,
    Only(Box<[Resource]>),
    AllBut(Box<[Resource]>),
}

impl<'p> Shared<'p> {
    pub(super) fn of(vocabulary: &'p Vocabulary) -> Self {
        let (patterns, resources) = (BTreeMap::new(), BTreeMap::new());
        Self { vocabulary, patterns, resources, conditions: BTreeMap::new() }
    }

    /// The known actions that a statement speaks of, and what it says of unknown ones.
    pub(super) fn actions(&mut self, actions: &'p Actions) -> (ActionSet, UnknownActions) {
        let mut known = self.vocabulary.none();
        let mut unknown = UnknownActions { patterns: Vec::new(), all_but: false };
        let (Actions::Only(patterns) | Actions::AllBut(patterns)) = actions;
        for text in patterns.iter().map(ActionPattern::as_str) {
            let is_name = !text.contains(['*', '?']);
            if let Some(id) = is_name.then(|| self.vocabulary.id(text)).flatten() {
                known.insert(id);
                continue;
            }
            let vocabulary = self.vocabulary;
            let (matched, glob) =
                self.patterns.entry(text).or_insert_with(|| matches(vocabulary, text));
            known.put_in(matched);
            unknown.patterns.push(Arc::clone(glob));
        }
        match actions {
            Actions::Only(_) => {}
            Actions::AllBut(_) => {
                unknown.all_but = true;
                known = self.vocabulary.all_but(&known);
            }
        }
        (known, unknown)
    }

    /// The resources of a statement; none if it speaks of none.
    pub(super) fn resources(
        &mut self,
        resources: &'p Resources,
        keys: &mut Keys,
    ) -> Option<Arc<Named>> {
        let named = || Named::of(resources, keys).map(Arc::new);
        self.resources.entry(resources).or_insert_with(named).clone()
    }

    pub(super) fn conditions(
        &mut self,
        dialect: Dialect,
        conditions: &'p [condition::Condition],
        keys: &mut Keys,
    ) -> Arc<[Condition]> {
        let ready = || conditions.iter().map(|c| Condition::of(c, dialect, keys)).collect();
        Arc::clone(self.conditions.entry((dialect, conditions)).or_insert_with(ready))
    }
}

/// The known actions that a pattern matches, and the pattern for others.
fn matches(vocabulary: &Vocabulary, text: &str) -> (ActionSet, Arc<Glob>) {
    let mut known = vocabulary.none();
    let glob = Glob::new(text, Case::Folded);
    let wildcard = text.find(['*', '?']).unwrap_or(text.len());
    let (head, rest) = text.split_at_checked(wildcard).unwrap_or_default();
    for (id, name) in vocabulary.starting_with(head) {
        if rest == "*" || glob.matches(name) {
            known.insert(id);
        }
    }
    (known, Arc::new(glob))
}

impl UnknownActions {
    pub(super) fn name(&self, action: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(action)) != self.all_but
    }
}

impl Named {
    fn of(resources: &Resources, keys: &mut Keys) -> Option<Self> {
        let (Resources::Only(patterns) | Resources::AllBut(patterns)) = resources else {
            return None;
        };
        let named: Option<Box<[Resource]>> =
            patterns.iter().map(|pattern| Resource::of(pattern, keys)).collect();
        let is_all_but = matches!(resources, Resources::AllBut(_));
        match named {
            Some(named) if is_all_but => Some(Self::AllBut(named)),
            Some(named) => Some(Self::Only(named)),
            // One of the patterns is any resource.
            None => (!is_all_but).then_some(Self::Any),
        }
    }
}
