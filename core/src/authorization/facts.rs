//! What was read from the cloud, as it was read.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Operation,
    directory::{Administrators, ControlLevel, Membership},
    ids::{AccountId, DataSource, Region, RoleArn},
};

/// A fact that may not be readable: the cloud denied the read itself.
///
/// A read that failed for a passing reason (throttled, timed out) is no fact at all; its reader
/// tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// It was read.
    Known(T),
    /// The cloud denied the read.
    Unreadable,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The backup management account.
    pub management: AccountId,
    /// The account whose resource is touched.
    pub account: AccountId,
    /// The region of the resource.
    pub region: Region,
    /// What is to be done.
    pub operation: Operation,
    /// The one source it is to be done to; none when sources are only listed.
    pub source: Option<DataSource>,
}

/// All that is known when the decision is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How the resource account granted, and how the grant stands in the cloud.
    pub grant: GrantFacts,
    /// What was read of the source; none when the way to it was not open or none is asked for.
    pub source: Option<Known<SourceView>>,
    /// A call that was refused, for whose cause is asked; none when nothing was tried yet.
    pub refused: Option<Refused>,
}

/// A call of the job that the cloud refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not permitted.
    Denied(Denial),
    /// The credentials were past their time although they were new.
    Expired,
    /// A quota is used up, and waiting does not free it.
    Quota {
        /// What is limited, in the cloud's words.
        quota: String,
        /// How much there may be, as far as the cloud says.
        limit: Option<u64>,
    },
}

/// What the cloud says of a call that it does not permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The action that was asked for.
    pub action: String,
    /// The resource that it was asked for.
    pub resource: String,
    /// Which policies refused it; none when the cloud does not say.
    pub by: Option<DeniedBy>,
}

/// The policies that refused a call, by the cloud's own diagnosis.
///
/// Source: RAM API, `DecodeDiagnosticMessage`, `NoPermissionPolicyType` and `MatchedPolicies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeniedBy {
    /// Those attached to the identity.
    Identity,
    /// The role's trust policy.
    Trust,
    /// The policy that the session was cut down to.
    Session,
    /// A control policy of the resource account's directory.
    Control {
        /// Its name; none when no policy of the node allows the call.
        policy: Option<String>,
        /// The node that it is attached to: Root, a folder or the account.
        node: String,
    },
}

/// How a resource account granted, and what the cloud says of each part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantFacts {
    /// The management account's own resources need no grant.
    Own,
    /// The account is not on the list in this region.
    Missing {
        /// Regions in which it is.
        elsewhere: Vec<Region>,
    },
    /// Added through the resource directory.
    Directory {
        /// Who may manage the directory; none when the management account is in no directory.
        administrators: Known<Option<Administrators>>,
        /// Whether the resource account is a member.
        membership: Known<Membership>,
        /// The service-linked role in the resource account.
        service_role: RoleArn,
        /// How assuming it went.
        entry: Entry,
    },
    /// Added through a RAM role of the resource account.
    Role {
        /// The service-linked role in the management account; none on a platform without one.
        service_role: Option<RoleArn>,
        /// How assuming that one went.
        service_entry: Entry,
        /// The RAM role in the resource account.
        role: RoleArn,
        /// How assuming the RAM role went.
        entry: Entry,
        /// The role's trust and permissions; none when it could not be entered.
        view: Option<Known<RoleView>>,
        /// The control policies that bear on the role, Root first; empty when none do.
        control: Known<Vec<ControlLevel>>,
    },
}

/// How an attempt to assume a role went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// Assumed.
    Open,
    /// The role does not exist.
    NoSuchRole,
    /// The role exists, or the cloud does not say, and it may not be assumed.
    Denied,
    /// Not tried, since the way to it was closed before.
    NotTried,
}

/// A role as the cloud shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleView {
    /// The role.
    pub role: RoleArn,
    /// Its trust policy, as JSON text.
    pub trust: String,
    /// The permission policies attached to it, in their default versions.
    pub policies: Vec<AttachedPolicy>,
}

/// A permission policy attached to a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedPolicy {
    /// Its name, such as `AliyunHBRRolePolicy`.
    pub name: String,
    /// Its default version, as JSON text.
    pub document: String,
}

/// A source as the cloud shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceView {
    /// It exists.
    Present,
    /// The cloud knows no such source in this account and region.
    Absent,
}
