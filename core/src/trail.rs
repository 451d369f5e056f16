//! What the cloud's audit trail tells of changes that touch authority.
//!
//! An event is only a hint: it may come late, twice, out of order, forged or not at all. So it
//! names what to look at again, and nothing that it says of the world is ever believed.
//!
//! Source: ActionTrail, "Management event structure"; EventBridge, "ActionTrail events"; the names
//! are those of the API operations of RAM and of the resource directory.

mod error;
mod part;

use chrono::{DateTime, Utc};

pub use self::error::{InvalidEvent, Rule};
use self::part::Part;
use crate::{
    directory::TRUSTED_SERVICE,
    ids::{AccountId, RoleName},
    policy::ServiceRole,
};

/// That something was changed by which authority may have come or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The event's id: every copy of it has the same.
    pub id: String,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// The account in which it was made.
    pub account: AccountId,
    /// What to look at again.
    pub touches: Touch,
}

/// What a change can touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A RAM role of the account: made, deleted, its trust or its policies changed.
    Role {
        /// The role's name.
        name: RoleName,
    },
    /// A permission policy of the account, and through it any of its roles.
    Policy {
        /// The policy's name.
        name: String,
    },
    /// A service-linked role of the account: made or deleted.
    ServiceRole {
        /// Which.
        role: ServiceRole,
    },
    /// An account came into a directory or left it.
    Member {
        /// The account.
        member: AccountId,
    },
    /// A member came under another folder, and so under other control policies.
    Moved {
        /// The account.
        member: AccountId,
    },
    /// An account became a delegated administrator of Cloud Backup, or is one no more.
    Administrator {
        /// The account.
        administrator: AccountId,
    },
    /// Control policies.
    Control(Control),
    /// The account's directory is closed.
    Directory,
}

/// Which control policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// One, wherever it is attached.
    Policy(String),
    /// Those of one node: Root, a folder or a member.
    Node(String),
    /// All: the feature was switched on or off.
    Feature,
}

/// Services under which operations on roles and policies are recorded.
const ROLES: [&str; 2] = ["ram", "resourcemanager"];

/// Services under which operations on the directory are recorded.
const DIRECTORY: [&str; 3] = ["resourcemanager", "resourcedirectorymaster", "resourcedirectory"];

impl Hint {
    /// Reads an event: a trail's event, alone or as the data of a CloudEvent.
    ///
    /// None for a call that failed, and for one that touches no authority.
    ///
    /// # Errors
    /// [`InvalidEvent`] for what is no such event, and for one that does not say what it must.
    pub fn read(text: &str) -> Result<Option<Self>, InvalidEvent> {
        let json = serde_json::from_str(text).map_err(|error| InvalidEvent::not_json(&error))?;
        let outer = Part::root(&json)?;
        let event = if outer.has("specversion") {
            let Some(data) = unwrap(&outer)? else { return Ok(None) };
            data
        } else {
            outer
        };
        if !event.has("eventName") {
            return Err(InvalidEvent::new(event.place(), Rule::NotATrailEvent));
        }
        let (name, service) = (event.text("eventName")?, event.text("serviceName")?);
        if event.has("errorCode") || !is_of(&service, &name) {
            return Ok(None);
        }
        let account: AccountId = event.parsed("recipientAccountId")?;
        let Some(touches) = touch(&event, &name, &account)? else { return Ok(None) };
        Ok(Some(Self {
            id: event.text("eventId")?,
            at: event.time("eventTime")?,
            account,
            touches,
        }))
    }
}

/// The data of a CloudEvent; none when it is of another kind than a trail's.
///
/// Source: CloudEvents 1.0, "Required attributes".
fn unwrap<'a>(envelope: &Part<'a>) -> Result<Option<Part<'a>>, InvalidEvent> {
    let version = envelope.text("specversion")?;
    if version != "1.0" {
        return Err(InvalidEvent::new(envelope.under("specversion"), Rule::Version(version)));
    }
    envelope.text("id")?;
    envelope.text("source")?;
    if !envelope.text("type")?.contains(":ActionTrail:") {
        return Ok(None);
    }
    envelope.part("data").map(Some)
}

/// Whether an operation of this name under this service can touch authority. Names of services are
/// spelled differently from one to the other, and several record the same operation.
fn is_of(service: &str, name: &str) -> bool {
    let services: &[&str] = match name {
        "CreateRole"
        | "DeleteRole"
        | "UpdateRole"
        | "AttachPolicyToRole"
        | "DetachPolicyFromRole"
        | "AttachPolicy"
        | "DetachPolicy"
        | "CreatePolicyVersion"
        | "SetDefaultPolicyVersion"
        | "DeletePolicyVersion"
        | "DeletePolicy"
        | "CreateServiceLinkedRole"
        | "DeleteServiceLinkedRole" => &ROLES,
        "RemoveCloudAccount"
        | "DeleteAccount"
        | "MoveAccount"
        | "AcceptHandshake"
        | "RegisterDelegatedAdministrator"
        | "DeregisterDelegatedAdministrator"
        | "EnableControlPolicy"
        | "DisableControlPolicy"
        | "UpdateControlPolicy"
        | "AttachControlPolicy"
        | "DetachControlPolicy"
        | "DestroyResourceDirectory" => &DIRECTORY,
        _ => &[],
    };
    services.iter().any(|known| known.eq_ignore_ascii_case(service))
}

/// What an operation touches, by its parameters.
fn touch(event: &Part<'_>, name: &str, account: &AccountId) -> Result<Option<Touch>, InvalidEvent> {
    // What has no parameters touches all.
    Ok(Some(match name {
        "AcceptHandshake" => return Ok(Some(Touch::Member { member: account.clone() })),
        "EnableControlPolicy" | "DisableControlPolicy" => Touch::Control(Control::Feature),
        "DestroyResourceDirectory" => Touch::Directory,
        _ => return touch_by_parameters(&event.part("requestParameters")?, name),
    }))
}

fn touch_by_parameters(asked: &Part<'_>, name: &str) -> Result<Option<Touch>, InvalidEvent> {
    Ok(Some(match name {
        "AttachPolicy" | "DetachPolicy" => return of_principal(asked),
        // A version that is not the default one permits nothing.
        "CreatePolicyVersion" if !asked.is_true("SetAsDefault") => return Ok(None),
        "CreatePolicyVersion"
        | "SetDefaultPolicyVersion"
        | "DeletePolicyVersion"
        | "DeletePolicy" => Touch::Policy { name: asked.text("PolicyName")? },
        "CreateServiceLinkedRole" | "DeleteServiceLinkedRole" => {
            return Ok(of_service(asked)?.map(|role| Touch::ServiceRole { role }));
        }
        "RemoveCloudAccount" | "DeleteAccount" => {
            Touch::Member { member: asked.parsed("AccountId")? }
        }
        "MoveAccount" => Touch::Moved { member: asked.parsed("AccountId")? },
        "RegisterDelegatedAdministrator" | "DeregisterDelegatedAdministrator" => {
            if !asked.text("ServicePrincipal")?.eq_ignore_ascii_case(TRUSTED_SERVICE) {
                return Ok(None);
            }
            Touch::Administrator { administrator: asked.parsed("AccountId")? }
        }
        "UpdateControlPolicy" => Touch::Control(Control::Policy(asked.text("PolicyId")?)),
        "AttachControlPolicy" | "DetachControlPolicy" => {
            Touch::Control(Control::Node(asked.text("TargetId")?))
        }
        _ => Touch::Role { name: asked.parsed("RoleName")? },
    }))
}

/// A policy given to a role within a resource group: `<role>@role.<account>.onaliyunservice.com`.
/// Users and groups are no way into an account.
///
/// Source: Resource Management API, `AttachPolicy`, `PrincipalType`.
fn of_principal(asked: &Part<'_>) -> Result<Option<Touch>, InvalidEvent> {
    if !asked.text("PrincipalType")?.eq_ignore_ascii_case("ServiceRole") {
        return Ok(None);
    }
    let name = asked
        .parsed_from("PrincipalName", |text| text.split_once('@').map_or(text, |(role, _)| role))?;
    Ok(Some(Touch::Role { name }))
}

/// Which service-linked role: one is deleted by its name and made by its service's.
fn of_service(asked: &Part<'_>) -> Result<Option<ServiceRole>, InvalidEvent> {
    let by_name = asked.has("RoleName");
    let text = asked.text(if by_name { "RoleName" } else { "ServiceName" })?;
    Ok(ServiceRole::ALL.into_iter().find(|role| {
        let known = if by_name { role.role_name() } else { role.service_principal() };
        known.eq_ignore_ascii_case(&text)
    }))
}

#[cfg(test)]
mod tests;
