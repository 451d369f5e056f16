//! A Tablestore instance: its tables' rows, in full and by their streams.

use super::Verb;

/// Source: derived, domain facts, section 3.3, "Tablestore".
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Discover => {
            &["ots:ListInstance", "ots:GetInstance", "ots:ListTable", "ots:DescribeTable"]
        }
        Verb::BackUp => &[
            "ots:DescribeTable",
            "ots:CreateTunnel",
            "ots:DescribeTunnel",
            "ots:ListTunnel",
            "ots:ConsumeTunnel",
            "ots:GetRange",
            "ots:DeleteTunnel",
            "ots:ListStream",
            "ots:DescribeStream",
            "ots:UpdateTable",
        ],
        Verb::Restore => &[
            "ots:ListTable",
            "ots:CreateTable",
            "ots:DescribeTable",
            "ots:BatchWriteRow",
            "ots:UpdateTable",
        ],
        Verb::Erase => &[],
    }
}
