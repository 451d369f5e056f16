//! The world's refusals as port errors.

use crossvault_handlers::ports::PortError;
use crossvault_simulator::world::Refusal;

/// What the world's refusal means to a handler.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are refusals of set-up deeds")]
pub(super) fn port_error(refusal: &Refusal) -> PortError {
    let denied = |action: &str, resource: String| {
        let (action, by) = (action.to_owned(), refusal.denied_by());
        PortError::Denied { action, resource, by }
    };
    match refusal {
        Refusal::Expired(_) => PortError::Expired,
        Refusal::RoleUnknown(role) => PortError::NotFound(role.to_string()),
        Refusal::SourceUnknown(source) => PortError::NotFound(source.to_string()),
        Refusal::AccountUnknown(account) => PortError::NotFound(account.to_string()),
        Refusal::ControlPolicyUnknown(policy) => PortError::NotFound(policy.clone()),
        Refusal::Denied { action, resource, .. } => denied(action, resource.clone()),
        Refusal::RoleOfSessionDeleted(role) => denied("sts:AssumeRole", role.to_string()),
        Refusal::NotOwner { .. } => denied("ram:CreateServiceLinkedRole", "*".to_owned()),
        other => PortError::Invalid(other.to_string()),
    }
}
