//! Actions and resources matched by their patterns.

use super::glob::glob_matches;
use crate::policy::{
    dialect::Dialect,
    pattern::{ActionPattern, Case, ResourcePattern},
    request::Context,
    variable::{Piece, pieces},
};

/// One character of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Symbol {
    /// As the policy has it: `*` and `?` are wildcards.
    Written(char),
    /// Put in for a variable: this character and no other.
    Literal(char),
}

impl Symbol {
    pub(super) fn letter(self) -> char {
        match self {
            Self::Written(letter) | Self::Literal(letter) => letter,
        }
    }
}

/// A pattern without variables.
pub(in crate::policy) fn plain_symbols(text: &str) -> impl Iterator<Item = Symbol> + Clone {
    text.chars().map(Symbol::Written)
}

/// A pattern with what the request has in place of its variables. `None` if it lacks one of them,
/// or has several values of it, and the policy names no default.
///
/// Source: AWS IAM, "IAM policy elements: Variables and tags".
pub(super) fn expand(text: &str, context: &Context) -> Option<Vec<Symbol>> {
    let mut symbols = Vec::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => symbols.extend(text.chars().map(Symbol::Written)),
            Piece::Literal(letter) => symbols.push(Symbol::Literal(letter)),
            Piece::Variable { key, default } => {
                let value = match (context.values(&key), default) {
                    ([value], _) => value.as_str(),
                    ([], Some(default)) => default,
                    ([], None) | ([_, _, ..], _) => return None,
                };
                symbols.extend(value.chars().map(Symbol::Literal));
            }
        }
    }
    Some(symbols)
}

/// Whether the action is one of those that the pattern names.
pub(in crate::policy) fn matches_action(pattern: &ActionPattern, action: &str) -> bool {
    glob_matches(plain_symbols(pattern.as_str()), action, Case::Folded)
}

/// Whether the resource is one of those that the pattern names; `None` if that hangs on a variable
/// which the request lacks.
pub(in crate::policy) fn matches_resource(
    pattern: &ResourcePattern,
    resource: &str,
    context: &Context,
) -> Option<bool> {
    let Some(patterns) = pattern.parts() else { return Some(true) };
    if !pattern.has_variables() {
        return Some(all_match(patterns.iter().map(|part| plain_symbols(part)), resource));
    }
    let patterns =
        patterns.iter().map(|part| expand(part, context)).collect::<Option<Vec<Vec<Symbol>>>>()?;
    Some(all_match(patterns.iter().map(|part| part.iter().copied()), resource))
}

/// Whether a resource name has as many parts as there are patterns, and each matches its own.
fn all_match<P: Iterator<Item = Symbol> + Clone>(
    patterns: impl ExactSizeIterator<Item = P>,
    resource: &str,
) -> bool {
    let parts = resource.splitn(patterns.len(), ':');
    let case = case_of(parts.clone());
    parts.clone().count() == patterns.len()
        && patterns.zip(parts).all(|(pattern, part)| glob_matches(pattern, part, case))
}

/// Whether a part of a resource name matches its part of the pattern; not if that hangs on a
/// variable which the request lacks.
pub(in crate::policy) fn matches_part(
    pattern: &str,
    has_variables: bool,
    part: &str,
    parts: &[&str],
    context: &Context,
) -> bool {
    let case = case_of(parts.iter().copied());
    if !has_variables {
        return glob_matches(plain_symbols(pattern), part, case);
    }
    expand(pattern, context)
        .is_some_and(|symbols| glob_matches(symbols.iter().copied(), part, case))
}

/// Names are compared with case, save those of RAM roles.
fn case_of<'a>(mut parts: impl Iterator<Item = &'a str>) -> Case {
    let is_role = parts.next() == Some("acs")
        && parts.next() == Some("ram")
        && parts.nth(2).is_some_and(|id| id.starts_with("role/"))
        && parts.next().is_none();
    if is_role { Case::Folded } else { Case::Exact }
}

/// Whether a resource name matches a pattern of resource names, part by part. A lone `*` matches
/// all of them; parts that are missing after a final `*` are any.
///
/// Source: AWS IAM, "IAM JSON policy elements: Condition operators", section "ARN condition
/// operators".
pub(super) fn arn_matches(dialect: Dialect, pattern: &[Symbol], name: &str) -> bool {
    let count = dialect.resource_parts();
    let colon = Symbol::Written(':');
    let any = [Symbol::Written('*')];
    let mut patterns: Vec<&[Symbol]> = pattern.splitn(count, |symbol| *symbol == colon).collect();
    if pattern.last() == any.first() && patterns.len() < count {
        patterns.resize(count, &any);
    }
    let names: Vec<&str> = name.splitn(count, ':').collect();
    names.len() == count
        && patterns.len() == count
        && patterns
            .iter()
            .zip(names)
            .all(|(pattern, name)| glob_matches(pattern.iter().copied(), name, Case::Exact))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_action(pattern: &str, action: &str, expected: bool) {
        assert_eq!(matches_action(&ActionPattern::parse(pattern).unwrap(), action), expected);
    }

    #[test]
    fn actions_are_matched_without_case() {
        check_action("ecs:Describe*", "ECS:describeInstances", true);
        check_action("*", "ecs:DescribeInstances", true);
        check_action("*:Describe*", "ecs:DescribeInstances", true);
        check_action("ecs:*", "ecs-x:DescribeInstances", false);
        check_action("ecs:Describe?", "ecs:Describe", false);
    }

    #[track_caller]
    fn check_resource(pattern: &str, resource: &str, expected: bool) {
        let pattern = ResourcePattern::parse(Dialect::Ram, pattern).unwrap();
        assert_eq!(matches_resource(&pattern, resource, &Context::default()), Some(expected));
    }

    #[test]
    fn resources_are_matched_with_case_part_by_part() {
        check_resource("acs:oss:*:*:b/*", "acs:oss:cn-hangzhou:1000000000000012:b/dir/x", true);
        check_resource("acs:oss:*:*:b/*", "acs:oss:cn-hangzhou:1000000000000012:B/x", false);
        check_resource("acs:oss:*:*:*", "acs:oss:::b:x", true);
        check_resource("acs:oss:*", "acs:oss:cn:1:b", true);
        check_resource("acs:oss:*", "acs:ots:cn:1:b", false);
        check_resource("*", "anything", true);
        // A star may not swallow a colon that separates parts.
        check_resource("acs:ecs:*:*:x", "acs:ecs:cn:1:instance/i-1:x", false);
        check_resource("acs:ecs:*:*:*:x", "acs:ecs:cn:1:instance/i-1:x", true);
    }

    #[test]
    fn a_role_is_matched_without_case_and_nothing_else_is() {
        let pattern = "acs:ram:*:*:role/aliyunecsaccessinghbrrole";
        check_resource(pattern, "acs:ram::1000000000000012:role/AliyunECSAccessingHBRRole", true);
        check_resource("acs:ram:*:*:user/bob", "acs:ram::1000000000000012:user/Bob", false);
        check_resource("acs:ecs:*:*:role/bob", "acs:ecs::1000000000000012:role/Bob", false);
    }
}
