//! What policies decide about a request.

use serde::Serialize;

/// What one set of policies decides, and which statement decided: policy and statement by number,
/// both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision")]
pub enum Verdict {
    /// A statement denies; nothing can allow it any more.
    ExplicitDeny {
        /// Which of the policies.
        policy: usize,
        /// Which of its statements.
        statement: usize,
    },
    /// A statement allows, and none denies.
    Allow {
        /// Which of the policies.
        policy: usize,
        /// Which of its statements.
        statement: usize,
    },
    /// No statement speaks of it.
    ImplicitDeny,
}

impl Verdict {
    /// Whether the request may go on.
    #[must_use]
    pub fn is_allow(self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}
