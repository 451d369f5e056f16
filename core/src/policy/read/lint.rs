//! What whole statements make doubtful: those that never match, allow nothing, allow too much.
//!
//! Each says so only where it is plain; a statement that passes may still be one of these.

use std::collections::BTreeMap;

use crate::policy::{
    condition::Condition,
    dialect::Dialect,
    document::{Actions, Effect, Principals, Resources, Statement},
    naive::{glob_matches, plain_symbols},
    operator::Test,
    pattern::{ActionPattern, Case, ResourcePattern},
    warning::{Doubt, Warning},
};

/// How many pairs of patterns are compared, so that a long document takes no long time.
const PAIRS_MAX: usize = 20_000;

/// Resources of these services are also what actions of others work on.
const SHARED: [&str; 7] = ["ec2", "ecs", "iam", "kms", "ram", "sts", "vpc"];

pub(super) fn warnings(dialect: Dialect, statements: &[Statement]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut pairs = Pairs(PAIRS_MAX);
    for statement in statements {
        let mut doubt = |doubt| warnings.push(Warning { at: statement.at, doubt });
        if let Some(why) = never_matches(dialect, statement) {
            doubt(Doubt::NeverMatches(why));
        }
        if statement.effect == Effect::Deny {
            continue;
        }
        if matches!(statement.actions, Actions::AllBut(_)) {
            doubt(Doubt::AllowNotAction);
        }
        if matches!(statement.resources, Resources::AllBut(_)) {
            doubt(Doubt::AllowNotResource);
        }
        if matches!(statement.principals, Principals::AllBut(_)) {
            doubt(Doubt::AllowNotPrincipal);
        }
        let mut denies = statements.iter().filter(|deny| deny.effect == Effect::Deny);
        if let Some(deny) = denies.find(|deny| pairs.covers(deny, statement)) {
            doubt(Doubt::Shadowed(deny.at));
        }
    }
    warnings
}

/// Whether a wildcard stands in the type of resource: in the last part, before its first `/`.
/// A name without a type, such as a bucket's, has no `/` or is of a service whose names have none.
///
/// Source: AWS IAM, "IAM JSON policy elements: Resource".
pub(super) fn has_wildcard_in_type(pattern: &ResourcePattern) -> bool {
    let Some([.., service, _, _, id]) = pattern.parts() else { return false };
    let has_no_types = ["s3", "sns", "sqs"].contains(&service.as_str());
    let id = without_variables(id);
    let kind = id.split_once(['/', ':']).map(|(kind, _)| kind);
    !has_no_types && kind.is_some_and(|kind| kind.contains(['*', '?']))
}

fn without_variables(text: &str) -> &str {
    text.split_once("${").map_or(text, |(before, _)| before)
}

fn never_matches(dialect: Dialect, statement: &Statement) -> Option<String> {
    match (&statement.actions, &statement.resources) {
        (Actions::AllBut(patterns), _) if patterns.iter().any(|p| is_all(p.as_str())) => {
            return Some("`NotAction` names every action".into());
        }
        (_, Resources::AllBut(patterns)) if patterns.iter().any(|p| p.parts().is_none()) => {
            return Some("`NotResource` names every resource".into());
        }
        (Actions::Only(actions), Resources::Only(resources)) => {
            if let Some(why) = of_other_services(dialect, actions, resources) {
                return Some(why);
            }
        }
        (Actions::Only(_) | Actions::AllBut(_), _) => {}
    }
    contradiction(&statement.conditions)
}

fn is_all(action: &str) -> bool {
    action == "*" || action == "*:*"
}

/// All resources are of services of which no action is.
fn of_other_services(
    dialect: Dialect,
    actions: &[ActionPattern],
    resources: &[ResourcePattern],
) -> Option<String> {
    let position = dialect.resource_parts().checked_sub(4)?;
    let plain = |name: &str| (!name.contains(['*', '?', '$'])).then(|| name.to_lowercase());
    let mut found = None;
    let mut own: Vec<String> = Vec::new();
    for resource in resources {
        let service = plain(resource.parts()?.get(position)?)?;
        if SHARED.contains(&service.as_str()) {
            return None;
        }
        if !own.contains(&service) {
            own.push(service);
        }
        found.get_or_insert(resource);
    }
    for action in actions {
        let service = plain(action.as_str().split_once(':')?.0)?;
        if own.contains(&service) {
            return None;
        }
    }
    found.map(|resource| format!("`{}` is of a service of none of its actions", resource.as_str()))
}

/// Two conditions on one key that no value meets both.
fn contradiction(conditions: &[Condition]) -> Option<String> {
    if conditions.len() < 2 {
        return None;
    }
    let mut by_key: BTreeMap<&str, Vec<&Condition>> = BTreeMap::new();
    for condition in conditions.iter().filter(|condition| !condition.has_variables) {
        by_key.entry(&condition.key).or_default().push(condition);
    }
    by_key.into_iter().find_map(|(key, conditions)| {
        let plain = |c: &&&Condition| c.operator.quantifier.is_none() && !c.operator.if_exists;
        let equal = |negated: bool| {
            let is_it = move |c: &&&Condition| {
                c.operator.test == Test::Text(Case::Exact) && c.operator.negated == negated
            };
            conditions.iter().filter(plain).find(is_it)
        };
        let excluded = equal(false)
            .zip(equal(true))
            .is_some_and(|(only, but)| only.values.iter().all(|value| but.values.contains(value)));
        let is_absent = conditions.iter().any(|c| {
            c.operator.test == Test::Null
                && c.values.iter().all(|value| value.eq_ignore_ascii_case("true"))
        });
        let needs_it = conditions
            .iter()
            .filter(plain)
            .any(|c| c.operator.test != Test::Null && !c.operator.negated);
        (excluded || (is_absent && needs_it))
            .then(|| format!("its conditions on `{key}` exclude each other"))
    })
}

/// How many more pairs of patterns may be compared; when none is left, nothing covers anything.
struct Pairs(usize);

impl Pairs {
    /// Whether each request that matches the statement matches the deny too.
    fn covers(&mut self, deny: &Statement, statement: &Statement) -> bool {
        let principals = deny.principals == statement.principals;
        deny.conditions.is_empty()
            && principals
            && self.covers_actions(&deny.actions, &statement.actions)
            && self.covers_resources(&deny.resources, &statement.resources)
    }

    fn covers_actions(&mut self, deny: &Actions, allow: &Actions) -> bool {
        match (deny, allow) {
            (Actions::Only(wide), _) if wide.iter().any(|pattern| is_all(pattern.as_str())) => true,
            (Actions::Only(wide), Actions::Only(narrow)) => {
                self.each(narrow, wide, |n, w| includes(w.as_str(), n.as_str(), Case::Folded))
            }
            (Actions::AllBut(but), Actions::AllBut(without)) => but == without,
            (Actions::Only(_), Actions::AllBut(_)) | (Actions::AllBut(_), Actions::Only(_)) => {
                false
            }
        }
    }

    fn covers_resources(&mut self, deny: &Resources, allow: &Resources) -> bool {
        match (deny, allow) {
            (Resources::OfTrust, Resources::OfTrust) => true,
            (Resources::Only(wide), _) if wide.iter().any(|pattern| pattern.parts().is_none()) => {
                true
            }
            (Resources::Only(wide), Resources::Only(narrow)) => {
                self.each(narrow, wide, |narrow, wide| includes_resource(wide, narrow))
            }
            (Resources::AllBut(but), Resources::AllBut(without)) => but == without,
            (Resources::Only(_), Resources::AllBut(_) | Resources::OfTrust)
            | (Resources::AllBut(_), Resources::Only(_) | Resources::OfTrust)
            | (Resources::OfTrust, Resources::Only(_) | Resources::AllBut(_)) => false,
        }
    }

    /// Whether each of the narrow ones lies in one of the wide ones.
    fn each<P>(&mut self, narrow: &[P], wide: &[P], lies_in: impl Fn(&P, &P) -> bool) -> bool {
        narrow.iter().all(|narrow| {
            wide.iter().any(|wide| {
                self.0 = self.0.saturating_sub(1);
                self.0 > 0 && lies_in(narrow, wide)
            })
        })
    }
}

fn includes_resource(wide: &ResourcePattern, narrow: &ResourcePattern) -> bool {
    let (Some(wide_parts), Some(narrow_parts)) = (wide.parts(), narrow.parts()) else {
        return wide.parts().is_none();
    };
    let is_plain = !wide.has_variables() && !narrow.has_variables();
    let mut parts = wide_parts.iter().zip(narrow_parts);
    wide == narrow || (is_plain && parts.all(|(wide, narrow)| includes(wide, narrow, Case::Exact)))
}

/// Whether the wide pattern matches whatever the narrow one does: certain if true. The narrow one
/// is taken as a text whose `*` only a `*` can match.
fn includes(wide: &str, narrow: &str, case: Case) -> bool {
    let is_plain = !(wide.contains('?') && narrow.contains('*'));
    wide == narrow || (is_plain && glob_matches(plain_symbols(wide), narrow, case))
}
