//! The cloud's own policies and service-linked roles, as data files.
//!
//! Source: RAM and Cloud Backup, "Service-linked roles"; `core/data/policies` holds the documents.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::document::{Policy, PolicyKind};
use crate::ids::{AccountId, RoleArn, RoleName};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../data/policies/", $name, ".json"))
    };
}

/// A service-linked role of Cloud Backup that lets the management account reach others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceRole {
    /// In a resource account: the service works there on the directory's word.
    HbrRd,
    /// In the management account: the service assumes roles of resource accounts through it.
    HbrCrossAccountBackup,
}

impl ServiceRole {
    /// Both.
    pub const ALL: [Self; 2] = [Self::HbrRd, Self::HbrCrossAccountBackup];

    /// The role's name, the same in every account.
    #[must_use]
    pub fn role_name(self) -> &'static str {
        match self {
            Self::HbrRd => "AliyunServiceRoleForHbrRd",
            Self::HbrCrossAccountBackup => "AliyunServiceRoleForHbrCrossAccountBackup",
        }
    }

    /// The service that alone may assume the role.
    #[must_use]
    pub fn service_principal(self) -> &'static str {
        match self {
            Self::HbrRd => "rd.hbr.aliyuncs.com",
            Self::HbrCrossAccountBackup => "crossbackup.hbr.aliyuncs.com",
        }
    }

    /// The one policy attached to the role; it can be neither detached nor changed.
    #[must_use]
    pub fn policy_name(self) -> &'static str {
        match self {
            Self::HbrRd => "AliyunServiceRolePolicyForHbrRd",
            Self::HbrCrossAccountBackup => "AliyunServiceRolePolicyForHbrCrossAccountBackup",
        }
    }

    /// The role's trust policy as JSON text; it cannot be changed.
    #[must_use]
    pub fn trust_document(self) -> &'static str {
        match self {
            Self::HbrRd => data!("trust-AliyunServiceRoleForHbrRd"),
            Self::HbrCrossAccountBackup => data!("trust-AliyunServiceRoleForHbrCrossAccountBackup"),
        }
    }

    /// The role in that account.
    ///
    /// # Panics
    /// Never: the names are constants that a test reads back.
    #[must_use]
    pub fn arn(self, account: &AccountId) -> RoleArn {
        #[expect(clippy::expect_used, reason = "both names are constants that a test reads back")]
        let name = self.role_name().parse().expect("a constant role name is valid");
        RoleArn { account: account.clone(), name }
    }

    /// Whether a role of that name is service-linked, known here or not: the cloud gives such names
    /// to no other role.
    ///
    /// Source: RAM, "Service-linked roles"; that the prefix is reserved is derived from its list.
    #[must_use]
    pub fn is_named_like_one(name: &RoleName) -> bool {
        let prefix = "AliyunServiceRoleFor";
        let start = name.as_str().get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    /// The service role that an ARN names, if it names one.
    #[must_use]
    pub fn of(role: &RoleArn) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|service_role| role.name.as_str().eq_ignore_ascii_case(service_role.role_name()))
    }
}

/// Returns the cloud's policy of that name, such as `AliyunHBRRolePolicy`; names count with case.
#[must_use]
pub fn system_policy(name: &str) -> Option<&'static Policy> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, policy)| policy)
}

/// The names of the system policies known here, in order.
pub fn system_policy_names() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().map(|(name, _)| *name)
}

/// Returns the trust policy to paste into a resource account's RAM role, so that the management
/// account's service role may assume it: JSON text.
///
/// Source: Cloud Backup, "Cross-account backup", section "Method 2".
#[must_use]
pub fn trust_policy_for(management: &AccountId) -> String {
    data!("trust-policy-ram-role").replace("ID of the destination account", management.as_str())
}

const DOCUMENTS: [(&str, &str); 7] = [
    ("AdministratorAccess", data!("AdministratorAccess")),
    ("AliyunHBRReadOnlyAccess", data!("AliyunHBRReadOnlyAccess")),
    ("AliyunHBRRolePolicy", data!("AliyunHBRRolePolicy")),
    ("AliyunSTSAssumeRoleAccess", data!("AliyunSTSAssumeRoleAccess")),
    (
        "AliyunServiceRolePolicyForHbrCrossAccountBackup",
        data!("AliyunServiceRolePolicyForHbrCrossAccountBackup"),
    ),
    ("AliyunServiceRolePolicyForHbrRd", data!("AliyunServiceRolePolicyForHbrRd")),
    ("FullAliyunAccess", data!("FullAliyunAccess")),
];

static POLICIES: LazyLock<Vec<(&'static str, Policy)>> = LazyLock::new(|| {
    // A document that did not parse would be missing; the test below finds it.
    DOCUMENTS
        .into_iter()
        .filter_map(|(name, text)| Some((name, Policy::parse(text, PolicyKind::System).ok()?)))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_parses() {
        for name in system_policy_names() {
            assert!(system_policy(name).is_some(), "{name}");
        }
        assert!(system_policy_names().is_sorted());
        assert_eq!(system_policy("aliyunhbrrolepolicy"), None);
    }

    #[test]
    fn a_service_roles_names_and_documents_fit_together() {
        let account: AccountId = "1000000000000012".parse().unwrap();
        for role in ServiceRole::ALL {
            assert!(system_policy(role.policy_name()).is_some());
            assert!(Policy::parse(role.trust_document(), PolicyKind::Trust).is_ok());
            assert!(role.trust_document().contains(role.service_principal()));
            assert_eq!(ServiceRole::of(&role.arn(&account)), Some(role));
        }
    }

    #[test]
    fn the_trust_policy_to_paste_names_the_management_account() {
        let text = trust_policy_for(&"1000000000000001".parse().unwrap());
        assert!(
            text.contains(
                "acs:ram::1000000000000001:role/AliyunServiceRoleForHbrCrossAccountBackup"
            )
        );
        assert!(Policy::parse(&text, PolicyKind::Trust).is_ok());
    }
}
