//! The quick evaluator: policies compiled once, requests decided without making anything.
//!
//! Each known action has a cell that says what the policies come to for it: nothing, one rule
//! whatever else the request says, or a short list of rules to go through. What the reference
//! evaluator ([`evaluate()`](super::evaluate), [`decide()`](super::decide)) says, this one says,
//! down to the statement that it names; they share no code that matches or compares.

mod condition;
mod facts;
mod glob;
mod literal;
mod resource;
mod rules;
mod shared;
mod template;

use self::{
    facts::{Facts, Keys},
    rules::Rules,
};
use super::{
    document::Policy,
    layers::{Layer, Layers, Ruling},
    request::{Context, Request},
    verdict::Verdict,
    vocabulary::{ActionId, ActionSet, Vocabulary},
};

/// One set of policies, compiled.
#[derive(Debug)]
pub struct Compiled<'v> {
    vocabulary: &'v Vocabulary,
    keys: Keys,
    rules: Rules,
}

impl<'v> Compiled<'v> {
    /// Compiles a set of policies against the actions that are known.
    #[must_use]
    pub fn of(vocabulary: &'v Vocabulary, policies: &[&Policy]) -> Self {
        let mut keys = Keys::default();
        let rules = Rules::of(vocabulary, policies, &mut keys);
        Self { vocabulary, keys, rules }
    }

    /// Decides a request as [`evaluate()`](super::evaluate) does.
    #[must_use]
    pub fn evaluate(&self, request: &Request<'_>) -> Verdict {
        let Request { action, resource, context } = *request;
        let Some(id) = self.vocabulary.id(action) else {
            let facts = Facts::new(resource, context, &self.keys);
            return self.rules.decide_unknown(action, &facts);
        };
        self.evaluate_known(id, resource, context)
    }

    /// Decides a request by the number of its action, which is of the same vocabulary.
    #[must_use]
    pub fn evaluate_known(&self, action: ActionId, resource: &str, context: &Context) -> Verdict {
        self.rules.decide(action, || Facts::new(resource, context, &self.keys))
    }

    /// Those of the actions that are not allowed on the resource in these circumstances.
    #[must_use]
    pub fn missing(&self, needed: &ActionSet, resource: &str, context: &Context) -> ActionSet {
        let facts = Facts::new(resource, context, &self.keys);
        missing(needed, &self.rules.always, &self.rules.perhaps, |action| {
            self.rules.decide(action, || &facts).is_allow()
        })
    }

    /// The known actions that are allowed on any resource in any circumstances.
    #[must_use]
    pub fn always(&self) -> &ActionSet {
        &self.rules.always
    }

    /// The known actions of which the resource or the circumstances decide; those that are neither
    /// here nor [always](Self::always) allowed are denied.
    #[must_use]
    pub fn perhaps(&self) -> &ActionSet {
        &self.rules.perhaps
    }
}

/// Layers of policies above one another, compiled.
#[derive(Debug)]
pub struct CompiledLayers<'v> {
    vocabulary: &'v Vocabulary,
    keys: Keys,
    /// Outermost first; the identity's is the last.
    layers: Vec<(Layer, Rules)>,
    always: ActionSet,
    perhaps: ActionSet,
}

impl<'v> CompiledLayers<'v> {
    /// Compiles layers against the actions that are known.
    #[must_use]
    pub fn of(vocabulary: &'v Vocabulary, layers: &Layers<'_>) -> Self {
        let mut keys = Keys::default();
        let layers: Vec<(Layer, Rules)> = layers
            .iter()
            .map(|(layer, policies)| (layer, Rules::of(vocabulary, policies, &mut keys)))
            .collect();
        let (mut always, mut perhaps) = (vocabulary.all(), vocabulary.all());
        for (_, rules) in &layers {
            let words = rules.always.words().iter().zip(rules.perhaps.words());
            let all = always.words_mut().iter_mut().zip(perhaps.words_mut());
            for ((always, perhaps), (is_always, is_perhaps)) in all.zip(words) {
                *always &= is_always;
                *perhaps &= is_always | is_perhaps;
            }
        }
        perhaps.take_out(&always);
        Self { vocabulary, keys, layers, always, perhaps }
    }

    /// Decides a request as [`decide()`](super::decide) does.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Ruling {
        let Request { action, resource, context } = *request;
        let Some(id) = self.vocabulary.id(action) else {
            let facts = Facts::new(resource, context, &self.keys);
            return self.together(|rules| rules.decide_unknown(action, &facts));
        };
        self.decide_known(id, resource, context)
    }

    /// Decides a request by the number of its action, which is of the same vocabulary.
    #[must_use]
    pub fn decide_known(&self, action: ActionId, resource: &str, context: &Context) -> Ruling {
        let facts = Facts::new(resource, context, &self.keys);
        self.together(|rules| rules.decide(action, || &facts))
    }

    /// Those of the actions that are not allowed on the resource in these circumstances.
    #[must_use]
    pub fn missing(&self, needed: &ActionSet, resource: &str, context: &Context) -> ActionSet {
        let facts = Facts::new(resource, context, &self.keys);
        missing(needed, &self.always, &self.perhaps, |action| {
            self.together(|rules| rules.decide(action, || &facts)).is_allow()
        })
    }

    /// The known actions that are allowed on any resource in any circumstances.
    #[must_use]
    pub fn always(&self) -> &ActionSet {
        &self.always
    }

    /// The known actions of which the resource or the circumstances decide; those that are neither
    /// here nor [always](Self::always) allowed are denied.
    #[must_use]
    pub fn perhaps(&self) -> &ActionSet {
        &self.perhaps
    }

    fn together(&self, decide: impl Fn(&Rules) -> Verdict) -> Ruling {
        let mut lacking = None;
        let mut allowed = None;
        for (layer, rules) in &self.layers {
            match decide(rules) {
                Verdict::ExplicitDeny { policy, statement } => {
                    return Ruling::ExplicitDeny { layer: *layer, policy, statement };
                }
                Verdict::ImplicitDeny => lacking = lacking.or(Some(*layer)),
                Verdict::Allow { policy, statement } => allowed = Some((policy, statement)),
            }
        }
        match (lacking, allowed) {
            (Some(layer), _) => Ruling::ImplicitDeny { layer },
            (None, Some((policy, statement))) => Ruling::Allow { policy, statement },
            // There is always the identity's layer.
            (None, None) => Ruling::ImplicitDeny { layer: Layer::Identity },
        }
    }
}

/// Takes out of what is needed what is always allowed, and of the rest what is allowed here.
fn missing(
    needed: &ActionSet,
    always: &ActionSet,
    perhaps: &ActionSet,
    is_allowed: impl Fn(ActionId) -> bool,
) -> ActionSet {
    let mut missing = needed.clone();
    missing.take_out(always);
    if missing.meets(perhaps) {
        for action in missing.clone().iter().filter(|action| perhaps.contains(*action)) {
            if is_allowed(action) {
                missing.remove(action);
            }
        }
    }
    missing
}
