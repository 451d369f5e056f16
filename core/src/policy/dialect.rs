//! The two languages: RAM's, and that of AWS IAM, which differs in a few words.

use serde::{Deserialize, Serialize};

use super::document::PolicyKind;

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

/// Everything in which the languages differ; the rest they share.
///
/// Source: RAM, "Policy structure and syntax" and "Limits"; AWS IAM, "IAM JSON policy reference"
/// and "IAM and AWS STS quotas"; AWS Organizations, "Quotas".
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a table: each is one column")]
pub struct Words {
    /// The values of `Version`, the present one first.
    pub versions: &'static [&'static str],
    /// The version of a document that names none; `None` where it must name one.
    pub version_if_absent: Option<&'static str>,
    /// The version from which on `${…}` is a policy variable; `None` where it never is.
    pub variables_since: Option<&'static str>,
    /// The elements of a document.
    pub document: &'static [&'static str],
    /// Whether `Statement` may be one statement, not in a list.
    pub lone_statement: bool,
    /// Whether `NotPrincipal` belongs to the language.
    pub not_principal: bool,
    /// Whether the documents of today still have `NotResource`.
    pub not_resource: bool,
    /// Whether `*` may stand for all principals.
    pub anyone: bool,
    /// The type of those principals that are identities.
    pub identities: &'static str,
    /// The types of principals.
    pub principals: &'static [&'static str],
    /// What the name of an identity begins with, up to its account.
    pub identity_prefix: &'static str,
    /// What a resource name begins with.
    pub resource_prefix: &'static str,
    /// How many parts a resource name has; the last one takes the rest, colons included.
    pub resource_parts: usize,
    /// Whether a wildcard may stand in what kind of resource a name speaks of, before the first `/`.
    pub wildcard_in_type: bool,
    /// What the condition keys that each service has begin with.
    pub key_prefix: &'static str,
    /// Whether operators have `ForAnyValue:`, `ForAllValues:` and `…IfExists`, and whether there
    /// are `Arn…`, `Binary…` and `Null`.
    pub all_operators: bool,
    /// Whether dates may also be days, minutes, and seconds since 1970.
    pub loose_dates: bool,
    /// Whether no two statements of a document may share their `Sid`.
    pub distinct_sids: bool,
    /// How a resource is written.
    pub resource_form: &'static str,
    /// The kinds of policies whose length is counted without white space.
    pub spaceless: &'static [PolicyKind],
    /// The longest permission, session, trust and control policy, in characters.
    characters_max: [usize; 4],
}

static RAM: Words = Words {
    versions: &["1"],
    version_if_absent: None,
    variables_since: None,
    document: &["Version", "Statement"],
    lone_statement: false,
    not_principal: false,
    not_resource: false,
    anyone: false,
    identities: "RAM",
    principals: &["RAM", "Service", "Federated"],
    identity_prefix: "acs:ram::",
    resource_prefix: "acs",
    resource_parts: 5,
    wildcard_in_type: true,
    key_prefix: "acs:",
    all_operators: false,
    loose_dates: false,
    distinct_sids: false,
    resource_form: "acs:<service>:<region>:<account>:<relative id>",
    spaceless: &[],
    // That of trust policies is assumed.
    characters_max: [6144, 2048, 4096, 4096],
};

static AWS: Words = Words {
    versions: &["2012-10-17", "2008-10-17"],
    version_if_absent: Some("2008-10-17"),
    variables_since: Some("2012-10-17"),
    document: &["Version", "Id", "Statement"],
    lone_statement: true,
    not_principal: true,
    not_resource: true,
    anyone: true,
    identities: "AWS",
    principals: &["AWS", "Service", "Federated", "CanonicalUser"],
    identity_prefix: "arn:aws:iam::",
    resource_prefix: "arn",
    resource_parts: 6,
    wildcard_in_type: false,
    key_prefix: "aws:",
    all_operators: true,
    loose_dates: true,
    distinct_sids: true,
    resource_form: "arn:<partition>:<service>:<region>:<account>:<resource>",
    spaceless: &[PolicyKind::Permission],
    // Trust policies have 2,048 at first, and this on request.
    characters_max: [6144, 2048, 4096, 5120],
};

/// No document of the cloud itself is longer; it bounds the time that one takes.
const SYSTEM_CHARACTERS_MAX: usize = 131_072;

impl Dialect {
    /// In what the language differs.
    #[must_use]
    pub fn words(self) -> &'static Words {
        match self {
            Self::Ram => &RAM,
            Self::Aws => &AWS,
        }
    }

    /// What a resource name begins with.
    #[must_use]
    pub fn resource_prefix(self) -> &'static str {
        self.words().resource_prefix
    }

    /// How many parts a resource name has; the last one takes the rest, colons included.
    #[must_use]
    pub fn resource_parts(self) -> usize {
        self.words().resource_parts
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn is_ram(&self) -> bool {
        *self == Self::Ram
    }
}

impl Words {
    /// Whether white space counts to the length of a policy of that kind.
    pub(super) fn counts_space(&self, kind: PolicyKind) -> bool {
        !self.spaceless.contains(&kind)
    }

    /// The most characters that a document of that kind may have.
    #[must_use]
    pub fn characters_max(&self, kind: PolicyKind) -> usize {
        let [permission, session, trust, control] = self.characters_max;
        match kind {
            PolicyKind::Permission => permission,
            PolicyKind::Session => session,
            PolicyKind::Trust => trust,
            PolicyKind::Control => control,
            PolicyKind::System => SYSTEM_CHARACTERS_MAX,
        }
    }
}
