//! What the backup management account may do with each type of source, and what a resource account
//! may do.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, SourceKind};

/// The part that an account plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The backup management account: policies, jobs, vaults and backup data are its own.
    Management,
    /// An account whose sources are backed up.
    Resource,
}

impl Party {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Management, Self::Resource];

    /// The part of an account where `management` is the backup management account.
    #[must_use]
    pub fn of(account: &AccountId, management: &AccountId) -> Self {
        if account == management { Self::Management } else { Self::Resource }
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Management => "backup management account",
            Self::Resource => "resource account",
        })
    }
}

/// Something that an account may or may not do with sources and their backup data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Find the sources.
    Discover,
    /// Make, change, delete, bind, pause and unbind policies.
    ManagePolicies,
    /// Install and uninstall the client in the guest.
    ManageClients,
    /// Back up now.
    BackUp,
    /// See jobs and stop them.
    ManageJobs,
    /// List recovery points.
    ListPoints,
    /// Search and browse what a recovery point holds.
    ReadPoints,
    /// Delete recovery points before their time.
    DeletePoints,
    /// Restore to the account that the point came from.
    RestoreToOrigin,
    /// Restore to the management account or to another granted one.
    RestoreToOthers,
    /// Keep a copy in another region.
    CopyToRegion,
    /// Make and delete the vaults that the data lies in.
    ManageVaults,
    /// See and delete the ECS snapshots that carry the data, by ECS itself.
    ManageSnapshots,
    /// End the authorization: take the account off the list, or delete the role by RAM itself.
    EndAuthorization,
}

impl Deed {
    /// All, in the order of a source's life.
    pub const ALL: [Self; 14] = [
        Self::Discover,
        Self::ManagePolicies,
        Self::ManageClients,
        Self::BackUp,
        Self::ManageJobs,
        Self::ListPoints,
        Self::ReadPoints,
        Self::DeletePoints,
        Self::RestoreToOrigin,
        Self::RestoreToOthers,
        Self::CopyToRegion,
        Self::ManageVaults,
        Self::ManageSnapshots,
        Self::EndAuthorization,
    ];

    /// The deed in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Discover => "find sources",
            Self::ManagePolicies => "manage policies and bindings",
            Self::ManageClients => "install and uninstall clients",
            Self::BackUp => "back up",
            Self::ManageJobs => "see and stop jobs",
            Self::ListPoints => "list recovery points",
            Self::ReadPoints => "browse recovery points",
            Self::DeletePoints => "delete recovery points",
            Self::RestoreToOrigin => "restore to the original account",
            Self::RestoreToOthers => "restore to any other account",
            Self::CopyToRegion => "copy to another region",
            Self::ManageVaults => "manage vaults",
            Self::ManageSnapshots => "see and delete the ECS snapshots",
            Self::EndAuthorization => "end the authorization",
        }
    }

    /// Whether only Cloud Backup does it, and no other service of the cloud.
    #[must_use]
    pub fn is_of_cloud_backup(self) -> bool {
        match self {
            Self::ManageSnapshots | Self::EndAuthorization => false,
            Self::Discover
            | Self::ManagePolicies
            | Self::ManageClients
            | Self::BackUp
            | Self::ManageJobs
            | Self::ListPoints
            | Self::ReadPoints
            | Self::DeletePoints
            | Self::RestoreToOrigin
            | Self::RestoreToOthers
            | Self::CopyToRegion
            | Self::ManageVaults => true,
        }
    }
}

/// Whether an account may do this with sources of a type and their data.
///
/// Source: Cloud Backup, "Cross-account backup", the table of resources, "Quotas and limits" and
/// the FAQ; "Cross-region backup" for what can't be copied to another region.
#[must_use]
pub fn may(party: Party, kind: SourceKind, deed: Deed) -> bool {
    match party {
        Party::Management => match deed {
            Deed::Discover
            | Deed::ManagePolicies
            | Deed::BackUp
            | Deed::ManageJobs
            | Deed::ListPoints
            | Deed::DeletePoints
            | Deed::RestoreToOrigin
            | Deed::EndAuthorization => true,
            Deed::ManageClients => has_client(kind),
            // An ECS instance is its disks' snapshots: no files in a vault, and they do not leave.
            Deed::ReadPoints | Deed::RestoreToOthers | Deed::ManageVaults => {
                data_lies_with(kind) == Party::Management
            }
            Deed::CopyToRegion => kind != SourceKind::EcsDatabase,
            Deed::ManageSnapshots => data_lies_with(kind) == Party::Resource,
        },
        Party::Resource => match deed {
            Deed::Discover
            | Deed::ManagePolicies
            | Deed::ManageClients
            | Deed::BackUp
            | Deed::ManageJobs
            | Deed::ListPoints
            | Deed::ReadPoints
            | Deed::DeletePoints
            | Deed::RestoreToOrigin
            | Deed::RestoreToOthers
            | Deed::CopyToRegion
            | Deed::ManageVaults => false,
            Deed::ManageSnapshots => data_lies_with(kind) == Party::Resource,
            Deed::EndAuthorization => true,
        },
    }
}

/// In whose account the backup data lies. Whoever has it can delete it by the means of the service
/// that it lies in, whatever Cloud Backup permits: the snapshots of an ECS instance are in its own
/// account.
///
/// Source: Cloud Backup, "Cross-account backup": the generated ECS snapshots are stored in the
/// resource account.
#[must_use]
pub fn data_lies_with(kind: SourceKind) -> Party {
    match kind {
        SourceKind::EcsInstance => Party::Resource,
        SourceKind::EcsFiles
        | SourceKind::Nas
        | SourceKind::Oss
        | SourceKind::Tablestore
        | SourceKind::EcsDatabase
        | SourceKind::SapHana => Party::Management,
    }
}

/// Whether a source of this type is backed up by a client in the guest.
///
/// Source: Cloud Backup, "Back up ECS files", "ECS database backup overview" and "SAP HANA".
#[must_use]
pub fn has_client(kind: SourceKind) -> bool {
    match kind {
        SourceKind::EcsFiles | SourceKind::EcsDatabase | SourceKind::SapHana => true,
        SourceKind::EcsInstance | SourceKind::Nas | SourceKind::Oss | SourceKind::Tablestore => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_account_may_do_nothing_in_cloud_backup() {
        for kind in SourceKind::ALL {
            for deed in Deed::ALL.into_iter().filter(|deed| deed.is_of_cloud_backup()) {
                assert!(!may(Party::Resource, kind, deed), "{deed:?} {kind}");
            }
            assert!(may(Party::Resource, kind, Deed::EndAuthorization));
        }
    }

    /// Every type, with what the management account may not do with it.
    #[test]
    fn the_management_account_may_do_all_but_what_a_type_has_not() {
        use Deed::*;
        let no_client = [ManageClients, ManageSnapshots];
        for (kind, not) in [
            (
                SourceKind::EcsInstance,
                &[ManageClients, ReadPoints, RestoreToOthers, ManageVaults][..],
            ),
            (SourceKind::EcsFiles, &[ManageSnapshots]),
            (SourceKind::Nas, &no_client),
            (SourceKind::Oss, &no_client),
            (SourceKind::Tablestore, &no_client),
            (SourceKind::EcsDatabase, &[CopyToRegion, ManageSnapshots]),
            (SourceKind::SapHana, &[ManageSnapshots]),
        ] {
            let denied: Vec<Deed> =
                Deed::ALL.into_iter().filter(|&deed| !may(Party::Management, kind, deed)).collect();
            assert_eq!(denied, not, "{kind}");
        }
    }

    #[test]
    fn all_deeds_are_listed_once() {
        assert!(Deed::ALL.is_sorted_by(|one, other| one < other));
        assert_eq!(Deed::ALL.last(), Some(&Deed::EndAuthorization));
    }
}
