//! A NAS file system: read and written through a mount target that Cloud Backup makes.

use super::Verb;

/// Source: derived, domain facts, section 3.3, "NAS".
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Discover => &[
            "nas:DescribeFileSystems",
            "nas:DescribeMountTargets",
            "nas:DescribeAccessGroups",
            "vpc:DescribeVpcs",
            "vpc:DescribeVSwitches",
        ],
        Verb::BackUp | Verb::Restore => {
            &["nas:DescribeFileSystems", "nas:CreateMountTargetSpecial", "nas:DescribeMountTargets"]
        }
        Verb::Erase => &[],
    }
}
