//! The two languages: RAM's, and that of AWS IAM, which differs in a few words.

use serde::{Deserialize, Serialize};

/// The language in which a policy is written.
#[derive(
    Clone, Copy, Debug, Default, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// RAM's.
    #[default]
    Ram,
    /// That of AWS IAM.
    Aws,
}

impl Dialect {
    /// What a resource name begins with.
    #[must_use]
    pub fn resource_prefix(self) -> &'static str {
        match self {
            Self::Ram => "acs",
            Self::Aws => "arn",
        }
    }

    /// How many parts a resource name has; the last one takes the rest, colons included.
    #[must_use]
    pub fn resource_parts(self) -> usize {
        match self {
            Self::Ram => 5,
            Self::Aws => 6,
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn is_ram(&self) -> bool {
        *self == Self::Ram
    }
}
