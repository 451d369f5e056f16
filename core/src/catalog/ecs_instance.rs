//! A whole ECS instance: snapshots of its disks, which lie in the resource account.

use super::Verb;

/// Source: derived, domain facts, section 3.3, "ECS instance"; a restore is a roll-back.
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Discover => &["ecs:DescribeInstances", "ecs:DescribeDisks"],
        Verb::BackUp => &[
            "ecs:DescribeInstances",
            "ecs:DescribeDisks",
            "ecs:CreateSnapshot",
            "ecs:DescribeSnapshots",
            "ecs:DeleteSnapshot",
            "ecs:DescribeSnapshotLinks",
        ],
        Verb::Restore => &[
            "ecs:DescribeInstances",
            "ecs:DescribeDisks",
            "ecs:DescribeSnapshots",
            "ecs:StopInstance",
            "ecs:ResetDisk",
            "ecs:StartInstance",
        ],
        Verb::Erase => &["ecs:DescribeSnapshots", "ecs:DeleteSnapshot"],
    }
}
