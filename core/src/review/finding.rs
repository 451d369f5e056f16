//! What is too much about a grant: each with its code, and what to do about it.

use crate::{
    explain::Explain,
    ids::{Region, RoleArn},
    policy::{Place, Witness},
};

/// One thing that is too much about a grant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Finding {
    /// A policy allows actions by wildcard, and with them what is not needed.
    #[error("`{policy}` allows {}: it also permits {beyond}", list(actions))]
    OverBroadPolicy {
        /// The attached policy.
        policy: String,
        /// The patterns; `NotAction` stands for all but some.
        actions: Vec<String>,
        /// A request that it permits and that nothing bound needs.
        beyond: Witness,
    },
    /// The trust policy lets in more than the service-linked role.
    #[error("the trust policy of `{role}` lets in `{trusted}`: every identity of that account")]
    TrustTooWide {
        /// The role.
        role: RoleArn,
        /// Who is let in.
        trusted: String,
        /// The trust policy to have instead, as JSON text.
        trust_policy: String,
    },
    /// `ram:PassRole` is allowed for any service.
    #[error("`{policy}` allows `ram:PassRole` without saying to which service")]
    PassRoleUnconditional {
        /// The attached policy.
        policy: String,
    },
    /// Actions are allowed that no bound source needs.
    #[error("no bound source needs {} of `{service}`", list(actions))]
    UnusedPermission {
        /// The service, such as `ecs`.
        service: String,
        /// The actions, as the policies spell them.
        actions: Vec<String>,
    },
    /// No source is bound.
    #[error("no source of the account is bound to a policy")]
    GrantUnused,
    /// The account is added in a region in which no source is bound.
    #[error("the account is added in region `{0}`, in which no source is bound")]
    RegionWithoutSources(Region),
    /// A statement decides nothing.
    #[error("the statement of `{policy}` at {at} decides nothing{}", because_of(because))]
    DeadStatement {
        /// The attached policy.
        policy: String,
        /// Where the statement begins.
        at: Place,
        /// Where those statements begin that decide instead.
        because: Vec<Place>,
    },
}

/// How much a finding matters, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody could do harm with it.
    High,
    /// More is allowed than is used.
    Medium,
    /// Untidy.
    Low,
}

impl Finding {
    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::OverBroadPolicy { .. } | Self::TrustTooWide { .. } => Severity::High,
            Self::PassRoleUnconditional { .. }
            | Self::UnusedPermission { .. }
            | Self::GrantUnused => Severity::Medium,
            Self::RegionWithoutSources(_) | Self::DeadStatement { .. } => Severity::Low,
        }
    }
}

impl Explain for Finding {
    fn code(&self) -> &'static str {
        match self {
            Self::OverBroadPolicy { .. } => "OVER_BROAD_POLICY",
            Self::TrustTooWide { .. } => "TRUST_TOO_WIDE",
            Self::PassRoleUnconditional { .. } => "PASS_ROLE_UNCONDITIONAL",
            Self::UnusedPermission { .. } => "UNUSED_PERMISSION",
            Self::GrantUnused => "GRANT_UNUSED",
            Self::RegionWithoutSources(_) => "REGION_WITHOUT_SOURCES",
            Self::DeadStatement { .. } => "POLICY_DEAD_STATEMENT",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::OverBroadPolicy { policy, .. } => {
                format!("Attach the smaller policy to the role, then detach `{policy}`.")
            }
            Self::TrustTooWide { role, trust_policy, .. } => {
                format!("Give `{role}` this trust policy:\n{trust_policy}")
            }
            Self::PassRoleUnconditional { .. } => {
                "Allow `ram:PassRole` only if `acs:Service` is `ecs.aliyuncs.com`, or not at all."
                    .into()
            }
            Self::UnusedPermission { .. } => {
                "Attach the smaller policy to the role in place of the present ones.".into()
            }
            Self::GrantUnused => "Bind a source of the account, or remove the grant.".into(),
            Self::RegionWithoutSources(region) => {
                format!("Bind a source in `{region}`, or remove the account there.")
            }
            Self::DeadStatement { policy, .. } => {
                format!("Delete the statement from `{policy}`; nothing changes.")
            }
        }
    }
}

fn list(actions: &[String]) -> String {
    actions.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ")
}

fn because_of(places: &[Place]) -> String {
    let places: Vec<String> = places.iter().map(ToString::to_string).collect();
    if places.is_empty() {
        String::new()
    } else {
        format!(", because of the statements at {}", places.join(" and "))
    }
}
