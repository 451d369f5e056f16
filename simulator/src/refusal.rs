//! What the world's refusals mean to a handler.

use crossvault_handlers::ports::PortError;

use crate::world::Refusal;

/// The world's refusal as a port tells it.
#[must_use]
pub fn port_error(refusal: &Refusal) -> PortError {
    let denied = |action: &str, resource: String| {
        let (action, by) = (action.to_owned(), refusal.denied_by());
        PortError::Denied { action, resource, by }
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are refusals of set-up deeds")]
    match refusal {
        Refusal::Expired(_) => PortError::Expired,
        Refusal::RoleUnknown(role) => PortError::NotFound(role.to_string()),
        Refusal::SourceUnknown(source) => PortError::NotFound(source.to_string()),
        Refusal::AccountUnknown(account) => PortError::NotFound(account.to_string()),
        Refusal::ControlPolicyUnknown(policy) => PortError::NotFound(policy.clone()),
        Refusal::Denied { action, resource, .. } => denied(action, resource.clone()),
        // The role of the session is gone: its credentials are worth nothing any more.
        Refusal::RoleOfSessionDeleted(role) => denied("sts:AssumeRole", role.to_string()),
        Refusal::NotOwner { .. } => denied("ram:CreateServiceLinkedRole", "*".to_owned()),
        other => PortError::Invalid(other.to_string()),
    }
}
