//! What stands in the way of a call.

use std::fmt;

use crossvault_core::authorization::DeniedBy;

/// What refuses a call, outermost first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barrier {
    /// The resource belongs to another account than the session.
    OtherAccount,
    /// A service calls as itself and not through a role.
    Service,
    /// The directory does not let the management account reach this account, or read.
    Directory,
    /// A statement of a control policy denies.
    ControlPolicyDenies {
        /// The policy's name.
        policy: String,
        /// The node that it is attached to.
        node: String,
    },
    /// No control policy of a node allows.
    ControlPolicySilent {
        /// The node.
        node: String,
    },
    /// A statement of the session policy denies.
    SessionPolicyDenies,
    /// No statement of the session policy allows.
    SessionPolicySilent,
    /// A statement of a policy attached to the role denies.
    IdentityPolicyDenies,
    /// No statement of a policy attached to the role allows.
    IdentityPolicySilent,
    /// A statement of the trust policy denies.
    TrustPolicyDenies,
    /// No statement of the trust policy allows.
    TrustPolicySilent,
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherAccount => "it belongs to another account",
            Self::Service => "a service acts only through roles",
            Self::Directory => "the resource directory does not permit it",
            Self::ControlPolicyDenies { policy, node } => {
                return write!(f, "control policy `{policy}` at `{node}` denies it");
            }
            Self::ControlPolicySilent { node } => {
                return write!(f, "no control policy at `{node}` allows it");
            }
            Self::SessionPolicyDenies => "the session policy denies it",
            Self::SessionPolicySilent => "the session policy does not allow it",
            Self::IdentityPolicyDenies => "an attached policy denies it",
            Self::IdentityPolicySilent => "no attached policy allows it",
            Self::TrustPolicyDenies => "the role's trust policy denies it",
            Self::TrustPolicySilent => "the role's trust policy does not allow it",
        })
    }
}

impl Barrier {
    /// The policies that refuse; none where something else does.
    pub(super) fn policies(&self) -> Option<DeniedBy> {
        Some(match self {
            Self::OtherAccount | Self::Service | Self::Directory => return None,
            Self::ControlPolicyDenies { policy, node } => {
                DeniedBy::Control { policy: Some(policy.clone()), node: node.clone() }
            }
            Self::ControlPolicySilent { node } => {
                DeniedBy::Control { policy: None, node: node.clone() }
            }
            Self::SessionPolicyDenies | Self::SessionPolicySilent => DeniedBy::Session,
            Self::IdentityPolicyDenies | Self::IdentityPolicySilent => DeniedBy::Identity,
            Self::TrustPolicyDenies | Self::TrustPolicySilent => DeniedBy::Trust,
        })
    }

    /// What to do so that the action on the resource is refused no longer.
    pub(super) fn remedy(&self, action: &str, resource: &str) -> String {
        match self {
            Self::OtherAccount => "Assume a role of the account that owns the resource.".into(),
            Self::Service => "Assume the service's role first.".into(),
            Self::Directory => "Make the account a member, and the asking account management \
                                account or delegated administrator."
                .into(),
            Self::ControlPolicyDenies { policy, node } => {
                format!("Let `{policy}` except the role from its deny, or detach it from `{node}`.")
            }
            Self::ControlPolicySilent { node } => {
                format!("Attach a control policy to `{node}` that allows `{action}`.")
            }
            Self::SessionPolicyDenies | Self::SessionPolicySilent => {
                format!("Assume the role with a session policy that allows `{action}`.")
            }
            Self::IdentityPolicyDenies | Self::TrustPolicyDenies => {
                format!("Remove the statement that denies `{action}`.")
            }
            Self::IdentityPolicySilent => {
                format!("Attach a policy that allows `{action}` on `{resource}`.")
            }
            Self::TrustPolicySilent => {
                format!("Name the caller in the trust policy of `{resource}`.")
            }
        }
    }
}
