//! Actions and resources matched by their patterns.

use super::glob::glob_matches;
use crate::policy::pattern::{ActionPattern, Case, ResourcePattern};

/// Whether the action is one of those that the pattern names.
pub(super) fn matches_action(pattern: &ActionPattern, action: &str) -> bool {
    glob_matches(pattern.as_str(), action, Case::Folded)
}

/// Whether the resource is one of those that the pattern names.
pub(super) fn matches_resource(pattern: &ResourcePattern, resource: &str) -> bool {
    let Some(patterns) = pattern.parts() else { return true };
    let parts: Vec<&str> = resource.splitn(patterns.len(), ':').collect();
    let is_role = matches!(parts.as_slice(), ["acs", "ram", _, _, id] if id.starts_with("role/"));
    let case = if is_role { Case::Folded } else { Case::Exact };
    parts.len() == patterns.len()
        && patterns.iter().zip(parts).all(|(pattern, part)| glob_matches(pattern, part, case))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::dialect::Dialect;

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
        assert_eq!(matches_resource(&pattern, resource), expected);
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
