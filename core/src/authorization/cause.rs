//! Why an authorization fails: the fact seen, its code and its remedy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    explain::Explain,
    ids::{AccountId, DataSource, Region, RoleArn},
};

/// One way in which authority is broken, as a fact about the cloud.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// The account is not on the list of accounts to back up.
    #[error("account `{account}` is not on the list of accounts to back up")]
    GrantRemoved {
        /// The resource account.
        account: AccountId,
    },
    /// The account was added, but not in the region of the resource.
    #[error("account `{account}` is not added in region `{region}`, only in {}", list(added))]
    RegionNotAdded {
        /// The resource account.
        account: AccountId,
        /// The region that is missing.
        region: Region,
        /// Regions in which the account is added.
        added: Vec<Region>,
    },
    /// The management account belongs to no directory, or holds no office in it.
    #[error(
        "account `{management}` is neither the management account of the resource directory nor a delegated administrator of Cloud Backup"
    )]
    NotAdministrator {
        /// The backup management account.
        management: AccountId,
    },
    /// The resource account is not a member of the management account's directory.
    #[error("account `{account}` is not a member of the resource directory of `{management}`")]
    NotMember {
        /// The resource account.
        account: AccountId,
        /// The backup management account.
        management: AccountId,
    },
    /// The service-linked role in the member is gone.
    #[error("service-linked role `{role}` does not exist in the resource account")]
    MemberServiceRoleDeleted {
        /// The role that is missing.
        role: RoleArn,
    },
    /// The service-linked role in the management account is gone.
    #[error("service-linked role `{role}` does not exist in the backup management account")]
    ManagementServiceRoleDeleted {
        /// The role that is missing.
        role: RoleArn,
    },
    /// The RAM role that the grant names is gone.
    #[error("RAM role `{role}` does not exist")]
    RoleDeleted {
        /// The role that is missing.
        role: RoleArn,
    },
    /// The RAM role no longer trusts the management account's service-linked role.
    #[error("the trust policy of `{role}` does not let `{trusted}` assume it")]
    TrustMissing {
        /// The role.
        role: RoleArn,
        /// Who must be trusted.
        trusted: RoleArn,
    },
    /// The role that the grant names is service-linked: only its service may assume it, so no other
    /// role leads there.
    #[error("`{role}` is service-linked, so no role of another account can lead to it")]
    RoleChainRefused {
        /// The role that the grant names.
        role: RoleArn,
    },
    /// A control policy of the resource account's directory forbids what the role permits.
    #[error("{} in the resource directory at `{node}` keeps `{role}` from {}", named(policy.as_deref()), list(actions))]
    ControlPolicyDenies {
        /// The role.
        role: RoleArn,
        /// The node that the policy is attached to: Root, a folder or the account.
        node: String,
        /// The policy that denies; none when no policy of the node allows it.
        policy: Option<String>,
        /// Each action that is kept back, as the cloud spells it.
        actions: Vec<String>,
    },
    /// A role may not be assumed although the cloud shows nothing that forbids it to us.
    #[error("the cloud does not let Crossvault assume `{role}`")]
    EntryDenied {
        /// The role.
        role: RoleArn,
    },
    /// The role lacks actions that the operation needs.
    #[error("`{role}` may not {operation}: it lacks {}", list(actions))]
    PermissionMissing {
        /// The role.
        role: RoleArn,
        /// What was to be done.
        operation: String,
        /// Each action that is missing, as the cloud spells it.
        actions: Vec<String>,
    },
    /// A policy that is attached to the role denies what the operation needs; no other can allow it.
    #[error(
        "policy `{policy}` of `{role}` denies {}, which is needed to {operation}",
        list(actions)
    )]
    PermissionDenied {
        /// The role.
        role: RoleArn,
        /// What was to be done.
        operation: String,
        /// The policy that denies.
        policy: String,
        /// Each action that it denies, as the cloud spells it.
        actions: Vec<String>,
    },
    /// The session was cut down to less than the operation needs.
    #[error(
        "the session of `{role}` was cut down to less than it needs: it lacks {}",
        list(actions)
    )]
    SessionPolicyTooSmall {
        /// The role.
        role: RoleArn,
        /// Each action that is missing, as the cloud spells it.
        actions: Vec<String>,
    },
    /// New credentials were refused as expired.
    #[error("credentials that were just given for account `{account}` are refused as expired")]
    CredentialsExpired {
        /// The account that they are for.
        account: AccountId,
    },
    /// A quota of the account is used up.
    #[error("account `{account}` has used up its quota on {quota}{}", limit.map_or(String::new(), |n| format!(": {n}")))]
    QuotaExceeded {
        /// The account whose quota it is.
        account: AccountId,
        /// What is limited, in the cloud's words.
        quota: String,
        /// How much there may be, as far as the cloud says.
        limit: Option<u64>,
    },
    /// The cloud knows no such source in the account and region.
    #[error("`{source_id}` is not found in region `{}` of account `{}`", source_id.region, source_id.account)]
    SourceNotFound {
        /// The source that is missing.
        source_id: DataSource,
    },
}

impl Cause {
    /// The order in which causes are told: what must be mended first stands first.
    fn rank(&self) -> u8 {
        match self {
            Self::GrantRemoved { .. } => 0,
            Self::RegionNotAdded { .. } => 1,
            Self::NotAdministrator { .. } => 2,
            Self::NotMember { .. } => 3,
            Self::ManagementServiceRoleDeleted { .. } => 4,
            Self::MemberServiceRoleDeleted { .. } => 5,
            Self::RoleDeleted { .. } => 6,
            Self::RoleChainRefused { .. } => 7,
            Self::TrustMissing { .. } => 8,
            Self::EntryDenied { .. } => 9,
            Self::ControlPolicyDenies { .. } => 10,
            Self::PermissionDenied { .. } => 11,
            Self::PermissionMissing { .. } => 12,
            Self::SessionPolicyTooSmall { .. } => 13,
            Self::CredentialsExpired { .. } => 14,
            Self::QuotaExceeded { .. } => 15,
            Self::SourceNotFound { .. } => 16,
        }
    }
}

impl Explain for Cause {
    fn code(&self) -> &'static str {
        match self {
            Self::GrantRemoved { .. } => "GRANT_REMOVED",
            Self::RegionNotAdded { .. } => "REGION_NOT_ADDED",
            Self::NotAdministrator { .. } => "NOT_ADMINISTRATOR",
            Self::NotMember { .. } => "NOT_MEMBER",
            Self::MemberServiceRoleDeleted { .. } => "MEMBER_SERVICE_ROLE_DELETED",
            Self::ManagementServiceRoleDeleted { .. } => "MANAGEMENT_SERVICE_ROLE_DELETED",
            Self::RoleDeleted { .. } => "ROLE_DELETED",
            Self::TrustMissing { .. } => "TRUST_MISSING",
            Self::RoleChainRefused { .. } => "ROLE_CHAIN_REFUSED",
            Self::EntryDenied { .. } => "ENTRY_DENIED",
            Self::ControlPolicyDenies { .. } => "CONTROL_POLICY_DENIES",
            Self::PermissionDenied { .. } => "PERMISSION_DENIED",
            Self::PermissionMissing { .. } => "PERMISSION_MISSING",
            Self::SessionPolicyTooSmall { .. } => "SESSION_POLICY_TOO_SMALL",
            Self::CredentialsExpired { .. } => "CREDENTIALS_EXPIRED",
            Self::QuotaExceeded { .. } => "QUOTA_EXCEEDED",
            Self::SourceNotFound { .. } => "SOURCE_NOT_FOUND",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::GrantRemoved { account } => {
                format!("Add account `{account}` again, or unbind its sources.")
            }
            Self::RegionNotAdded { account, region, .. } => {
                format!("Add account `{account}` in region `{region}`.")
            }
            Self::NotAdministrator { management } => format!(
                "Let the directory's management account make `{management}` a delegated administrator of Cloud Backup, or add the account through a RAM role."
            ),
            Self::NotMember { account, .. } => format!(
                "Invite `{account}` into the directory again, or add it through a RAM role."
            ),
            Self::MemberServiceRoleDeleted { role } => format!(
                "Add account `{}` through the directory again: that creates `{}` anew.",
                role.account, role.name
            ),
            Self::ManagementServiceRoleDeleted { role } => format!(
                "Agree again to create `{}` in account `{}`, by adding a resource account through its RAM role.",
                role.name, role.account
            ),
            Self::RoleDeleted { role } => format!(
                "Create `{role}` again with its trust policy and `AliyunHBRRolePolicy`, or remove the grant."
            ),
            Self::TrustMissing { role, trusted } => {
                format!("Let the trust policy of `{role}` name `{trusted}` as a RAM principal.")
            }
            Self::EntryDenied { role } => {
                format!("Check the trust policy of `{role}` and whether it exists.")
            }
            Self::PermissionMissing { role, .. } => {
                format!("Attach `AliyunHBRRolePolicy` to `{role}`, or a policy with these actions.")
            }
            Self::RoleChainRefused { role } => format!(
                "Make an ordinary RAM role in account `{}` and add the account through it, or add the account through the directory.",
                role.account
            ),
            Self::ControlPolicyDenies { role, node, policy, actions } => match policy {
                Some(policy) => format!(
                    "Let `{policy}` at `{node}` except the role: `\"StringNotLike\": {{\"acs:PrincipalARN\": \"acs:ram:*:*:role/{}\"}}`; or detach it there.",
                    role.name
                ),
                None => {
                    format!("Attach a control policy to `{node}` that allows {}.", list(actions))
                }
            },
            Self::PermissionDenied { role, policy, actions, .. } => format!(
                "Take {} out of the statement of `{policy}` that denies, or detach that policy from `{role}`.",
                list(actions)
            ),
            Self::SessionPolicyTooSmall { .. } => {
                "This is a mistake in Crossvault: please report it.".to_owned()
            }
            Self::CredentialsExpired { .. } => {
                "Set the clock of this machine, then run the job again.".to_owned()
            }
            Self::QuotaExceeded { account, quota, .. } => format!(
                "Ask the cloud to raise the quota of account `{account}` on {quota}, or free some of it."
            ),
            Self::SourceNotFound { source_id } => format!(
                "Check that `{}` still exists; if it is gone for good, unbind it. Its recovery points stay restorable.",
                source_id.id
            ),
        }
    }
}

/// Every cause of one refusal, the root first; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Cause>", into = "Vec<Cause>")]
pub struct Causes {
    root: Box<Cause>,
    others: Vec<Cause>,
}

impl Causes {
    /// One cause.
    #[must_use]
    pub fn one(root: Cause) -> Self {
        Self { root: Box::new(root), others: Vec::new() }
    }

    /// All of them, the root put first; none when there is no cause.
    #[must_use]
    pub fn of(mut all: Vec<Cause>) -> Option<Self> {
        all.sort_by_key(Cause::rank);
        all.dedup();
        let mut all = all.into_iter();
        Some(Self { root: Box::new(all.next()?), others: all.collect() })
    }

    /// What must be mended first.
    #[must_use]
    pub fn root(&self) -> &Cause {
        &self.root
    }

    /// All of them, the root first.
    pub fn iter(&self) -> impl Iterator<Item = &Cause> {
        std::iter::once(self.root()).chain(&self.others)
    }
}

impl From<Causes> for Vec<Cause> {
    fn from(causes: Causes) -> Self {
        let mut all = causes.others;
        all.insert(0, *causes.root);
        all
    }
}

impl TryFrom<Vec<Cause>> for Causes {
    type Error = &'static str;
    fn try_from(all: Vec<Cause>) -> Result<Self, &'static str> {
        Self::of(all).ok_or("a refusal without a cause")
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        for cause in &self.others {
            write!(f, "; {cause}")?;
        }
        Ok(())
    }
}

impl Explain for Causes {
    fn code(&self) -> &'static str {
        self.root.code()
    }
    fn remedy(&self) -> String {
        self.iter().map(Cause::remedy).collect::<Vec<_>>().join(" ")
    }
}

fn named(policy: Option<&str>) -> String {
    match policy {
        Some(policy) => format!("control policy `{policy}`"),
        None => "the lack of a control policy that allows it".to_owned(),
    }
}

/// Joins things for a sentence: `a`, `b` and `c`.
fn list<T: fmt::Display>(all: &[T]) -> String {
    let quoted: Vec<String> = all.iter().map(|one| format!("`{one}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_comes_first_whatever_the_order_of_finding() {
        let account: AccountId = "1000000000000012".parse().unwrap();
        let role: RoleArn = "acs:ram::1000000000000012:role/hbr".parse().unwrap();
        let deleted = Cause::RoleDeleted { role };
        let removed = Cause::GrantRemoved { account };
        let causes = Causes::of(vec![deleted.clone(), removed.clone(), deleted]).unwrap();
        assert_eq!(causes.root(), &removed);
        assert_eq!(causes.iter().count(), 2);
        assert_eq!(Causes::of(vec![]), None);
    }

    #[test]
    fn causes_are_stored_with_their_codes() {
        let role: RoleArn = "acs:ram::1000000000000012:role/hbr".parse().unwrap();
        let causes = Causes::one(Cause::RoleDeleted { role });
        let text = serde_json::to_string(&causes).unwrap();
        assert!(text.contains(causes.code()), "{text}");
        assert_eq!(serde_json::from_str::<Causes>(&text).unwrap(), causes);
        assert!(serde_json::from_str::<Causes>("[]").is_err());
    }
}
