//! The resource directory: who is a member, and who may manage members for Cloud Backup.

use serde::{Deserialize, Serialize};

use crate::{authorization::AttachedPolicy, ids::AccountId};

/// How many member accounts may be delegated administrators of Cloud Backup at a time.
///
/// Source: Cloud Backup, "Cross-account backup", section "Quotas and limits".
pub const DELEGATED_ADMINISTRATORS_MAX: usize = 3;

/// The trusted service under which Cloud Backup is registered with a directory.
///
/// Source: assumed from the identifiers of other services, see the domain facts, section 6.3.
pub const TRUSTED_SERVICE: &str = "hbr.aliyuncs.com";

/// Who may manage a directory's members for Cloud Backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administrators {
    /// The directory's id, such as `rd-k3a1`.
    pub directory: String,
    /// The account that made the directory.
    pub management: AccountId,
    /// Members that are delegated administrators of Cloud Backup, in the order of their ids.
    pub delegated: Vec<AccountId>,
}

impl Administrators {
    /// The office that an account holds; none means that it may not manage members.
    ///
    /// Source: Cloud Backup, "Cross-account backup", section "Quotas and limits".
    #[must_use]
    pub fn office(&self, account: &AccountId) -> Option<Office> {
        if self.management == *account {
            Some(Office::Management)
        } else if self.delegated.contains(account) {
            Some(Office::Delegated)
        } else {
            None
        }
    }
}

/// Why an account may manage a directory's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Office {
    /// It is the directory's management account.
    Management,
    /// It is a delegated administrator of Cloud Backup.
    Delegated,
}

/// Whether an account belongs to the caller's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    /// It is a member.
    Member {
        /// Its place, `rd-…/r-…/fd-…/<account id>`.
        path: String,
    },
    /// It is not.
    Outside,
}

/// One node on the way from Root to a member, with the control policies attached to it.
///
/// Source: Resource Management, "Overview of the Control Policy feature".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlLevel {
    /// The node's id: `r-…` of Root, `fd-…` of a folder, or the member's account id.
    pub node: String,
    /// Its display name.
    pub name: String,
    /// What is attached to it; never empty while the feature is on.
    pub policies: Vec<AttachedPolicy>,
}

/// One member, as a search lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The member's account.
    pub account: AccountId,
    /// Its display name in the directory.
    pub name: String,
    /// Its place, `rd-…/r-…/fd-…/<account id>`.
    pub path: String,
}
