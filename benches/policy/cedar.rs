//! The same policy in the language of `cedar-policy`, with its requests made beforehand.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};
use crossvault_core::policy::{Actions, Policy, Resources};

use crate::documents::INSTANCE;

/// Policies and requests, ready to be decided.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Request>,
}

impl Cedar {
    /// One `permit` a statement; a resource that is not any is compared by `like`.
    pub fn of(policy: &Policy, actions: &[&str]) -> Self {
        let permits: Vec<String> = policy
            .statements()
            .iter()
            .map(|statement| {
                let (Actions::Only(names) | Actions::AllBut(names)) = &statement.actions;
                let names: Vec<String> =
                    names.iter().map(|name| format!("Action::\"{}\"", name.as_str())).collect();
                let (Resources::Only(patterns) | Resources::AllBut(patterns)) =
                    &statement.resources
                else {
                    return String::new();
                };
                let likes: Vec<String> = patterns
                    .iter()
                    .map(|pattern| format!("context.name like \"{}\"", pattern.as_str()))
                    .collect();
                let when = if likes == ["context.name like \"*\""] {
                    String::new()
                } else {
                    format!(" when {{ {} }}", likes.join(" || "))
                };
                format!("permit(principal, action in [{}], resource){when};", names.join(", "))
            })
            .collect();
        let uid = |text: String| text.parse::<EntityUid>().unwrap();
        let requests = actions.iter().map(|action| {
            let name = RestrictedExpression::new_string(INSTANCE.to_owned());
            let context = Context::from_pairs([("name".to_owned(), name)]).unwrap();
            let (principal, resource) = ("Role::\"r\"".to_owned(), "Resource::\"i\"".to_owned());
            let action = uid(format!("Action::\"{action}\""));
            Request::new(uid(principal), action, uid(resource), context, None).unwrap()
        });
        Self {
            authorizer: Authorizer::new(),
            policies: permits.join("\n").parse().unwrap(),
            entities: Entities::empty(),
            requests: requests.collect(),
        }
    }

    /// Whether the request of that number is permitted.
    pub fn decides(&self, number: usize) -> bool {
        let request = &self.requests[number];
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }
}
