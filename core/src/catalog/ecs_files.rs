//! Files on an ECS instance: read and written by a client in the guest, which Cloud Assistant
//! installs and commands.

use super::Verb;

/// Source: derived, domain facts, section 3.3, "ECS files".
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Discover => &["ecs:DescribeInstances", "ecs:DescribeCloudAssistantStatus"],
        Verb::BackUp | Verb::Restore => &["ecs:DescribeInstances", "ecs:RunCommand"],
        Verb::Erase => &[],
    }
}
