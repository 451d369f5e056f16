//! The decision itself.

use serde::{Deserialize, Serialize};

use super::{
    cause::{Cause, Causes},
    facts::{Denial, DeniedBy, Entry, Facts, GrantFacts, Known, Refused, SourceView, Subject},
    permissions,
};
use crate::{
    directory::{Administrators, Membership},
    ids::{Region, RoleArn},
    policy::ServiceRole,
};

/// May it be done?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, by these roles.
    Allowed(Path),
    /// No, for these causes.
    Denied(Causes),
}

/// The roles to assume, one from the other, to reach the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Path {
    /// The management account's own resource: its own credentials.
    Own,
    /// The service enters the member's service-linked role.
    Directory {
        /// The service-linked role in the resource account.
        service_role: RoleArn,
    },
    /// The management account's service-linked role assumes the RAM role.
    Role {
        /// The service-linked role in the management account; none on a platform without one.
        service_role: Option<RoleArn>,
        /// The RAM role in the resource account.
        role: RoleArn,
    },
}

/// Decides from the facts whether the operation may be done.
///
/// All causes that the facts show are reported, the root first. A fact that could not be read is
/// no cause: the call itself will tell.
///
/// Source: Cloud Backup, "Cross-account backup", both lists of "actions that can affect
/// cross-account authorization".
#[must_use]
pub fn decide(subject: &Subject, facts: &Facts) -> Decision {
    let mut causes = Vec::new();
    let path = match &facts.grant {
        GrantFacts::Own => Path::Own,
        GrantFacts::Missing { elsewhere } => {
            causes.push(missing(subject, elsewhere));
            Path::Own
        }
        GrantFacts::Directory { administrators, membership, service_role, entry } => {
            of_directory(subject, administrators, membership, &mut causes);
            match entry {
                Entry::Open | Entry::NotTried => {}
                Entry::NoSuchRole => {
                    causes.push(Cause::MemberServiceRoleDeleted { role: service_role.clone() });
                }
                // The service itself refuses where the directory does: that is told already.
                Entry::Denied if !causes.is_empty() => {}
                Entry::Denied => causes.push(Cause::EntryDenied { role: service_role.clone() }),
            }
            Path::Directory { service_role: service_role.clone() }
        }
        GrantFacts::Role { service_role, service_entry, role, entry, view, control } => {
            if let Some(service_role) = service_role {
                of_service_role(service_role, *service_entry, &mut causes);
            }
            of_entry(service_role.as_ref(), role, *entry, &mut causes);
            if let Some(Known::Known(view)) = view {
                causes.extend(permissions::causes(subject, view, control));
            }
            Path::Role { service_role: service_role.clone(), role: role.clone() }
        }
    };
    if let (Some(Known::Known(SourceView::Absent)), Some(source)) = (&facts.source, &subject.source)
    {
        causes.push(Cause::SourceNotFound { source_id: source.clone() });
    }
    if causes.is_empty()
        && let Some(refused) = &facts.refused
    {
        causes.extend(of_refused(subject, facts, refused));
    }
    match Causes::of(causes) {
        None => Decision::Allowed(path),
        Some(causes) => Decision::Denied(causes),
    }
}

fn missing(subject: &Subject, elsewhere: &[Region]) -> Cause {
    let account = subject.account.clone();
    if elsewhere.is_empty() {
        Cause::GrantRemoved { account }
    } else {
        Cause::RegionNotAdded { account, region: subject.region.clone(), added: elsewhere.to_vec() }
    }
}

/// On this way the service itself enforces the directory's facts: roles alone would let it in.
fn of_directory(
    subject: &Subject,
    administrators: &Known<Option<Administrators>>,
    membership: &Known<Membership>,
    causes: &mut Vec<Cause>,
) {
    let management = || subject.management.clone();
    let holds_office = match administrators {
        Known::Known(Some(administrators)) => administrators.office(&subject.management).is_some(),
        // Only those who hold an office may read the list.
        Known::Known(None) | Known::Unreadable => false,
    };
    if !holds_office {
        causes.push(Cause::NotAdministrator { management: management() });
        return;
    }
    if matches!(membership, Known::Known(Membership::Outside)) {
        let account = subject.account.clone();
        causes.push(Cause::NotMember { account, management: management() });
    }
}

fn of_service_role(role: &RoleArn, entry: Entry, causes: &mut Vec<Cause>) {
    match entry {
        Entry::Open | Entry::NotTried => {}
        Entry::NoSuchRole => {
            causes.push(Cause::ManagementServiceRoleDeleted { role: role.clone() });
        }
        Entry::Denied => causes.push(Cause::EntryDenied { role: role.clone() }),
    }
}

fn of_entry(service_role: Option<&RoleArn>, role: &RoleArn, entry: Entry, causes: &mut Vec<Cause>) {
    match entry {
        Entry::Open | Entry::NotTried => {}
        Entry::NoSuchRole => causes.push(Cause::RoleDeleted { role: role.clone() }),
        // Only its service may assume it, and nobody can edit its trust policy.
        Entry::Denied if ServiceRole::is_named_like_one(&role.name) => {
            causes.push(Cause::RoleChainRefused { role: role.clone() });
        }
        // The caller's side is a service-linked role that was entered just before and whose
        // policy nobody can edit, so what refuses is the role's own trust policy.
        Entry::Denied => causes.push(match service_role {
            Some(trusted) => Cause::TrustMissing { role: role.clone(), trusted: trusted.clone() },
            None => Cause::EntryDenied { role: role.clone() },
        }),
    }
}

/// What a refused call shows that nothing else did.
fn of_refused(subject: &Subject, facts: &Facts, refused: &Refused) -> Option<Cause> {
    match refused {
        Refused::Expired => Some(Cause::CredentialsExpired { account: subject.account.clone() }),
        Refused::Quota { quota, limit } => Some(Cause::QuotaExceeded {
            account: subject.account.clone(),
            quota: quota.clone(),
            limit: *limit,
        }),
        Refused::Denied(denial) => of_denial(subject, facts, denial),
    }
}

/// The cause behind a denial that the facts do not explain: what the cloud says of it, or, where
/// the role's policies can't be read, the denial itself. None when it is a change on its way.
fn of_denial(subject: &Subject, facts: &Facts, denial: &Denial) -> Option<Cause> {
    let GrantFacts::Role { role, view, .. } = &facts.grant else { return None };
    let (role, actions) = (role.clone(), vec![denial.action.clone()]);
    match &denial.by {
        Some(DeniedBy::Control { policy, node }) => Some(Cause::ControlPolicyDenies {
            role,
            node: node.clone(),
            policy: policy.clone(),
            actions,
        }),
        Some(DeniedBy::Session) => Some(Cause::SessionPolicyTooSmall { role, actions }),
        Some(DeniedBy::Identity | DeniedBy::Trust) | None => match view {
            Some(Known::Unreadable) => {
                let operation = subject.operation.to_string();
                Some(Cause::PermissionMissing { role, operation, actions })
            }
            Some(Known::Known(_)) | None => None,
        },
    }
}
