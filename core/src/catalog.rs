//! What is particular to each type of data source: the operations, the actions each needs in the
//! resource account, and where a recovery point may be restored to.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, DataSource, SourceKind};

mod by_account;
mod ecs_database;
mod ecs_files;
mod ecs_instance;
mod nas;
mod need;
mod oss;
mod sap_hana;
mod tablestore;

pub use by_account::{Deed, Party, data_lies_with, has_client, may};
pub use need::{Need, Scope, needs, reads, touched};

/// What Crossvault does with a data source.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verb {
    /// Find the sources of an account.
    Discover,
    /// Make a recovery point of one.
    BackUp,
    /// Write a recovery point's content into one.
    Restore,
    /// Delete the data of recovery points where they lie with the resource account.
    Erase,
}

impl Verb {
    /// All.
    pub const ALL: [Self; 4] = [Self::Discover, Self::BackUp, Self::Restore, Self::Erase];
}

/// One thing to do with one type of source: what authority is asked for.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Operation {
    /// The type of source.
    pub kind: SourceKind,
    /// What is done.
    pub verb: Verb,
}

impl Operation {
    /// The look at the sources of the type, which comes before everything else.
    #[must_use]
    pub fn look(self) -> Self {
        Self { verb: Verb::Discover, ..self }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = match self.verb {
            Verb::Discover => "discover",
            Verb::BackUp => "back up",
            Verb::Restore => "restore",
            Verb::Erase => "erase points of",
        };
        write!(f, "{verb} {}", self.kind)
    }
}

/// The actions that an operation cannot do without, as the cloud spells them.
///
/// Source: derived from `AliyunHBRRolePolicy` and the service-linked roles' policies; domain
/// facts, section 3.3.
#[must_use]
pub fn actions(operation: Operation) -> &'static [&'static str] {
    match operation.kind {
        SourceKind::EcsInstance => ecs_instance::actions(operation.verb),
        SourceKind::EcsFiles => ecs_files::actions(operation.verb),
        SourceKind::Nas => nas::actions(operation.verb),
        SourceKind::Oss => oss::actions(operation.verb),
        SourceKind::Tablestore => tablestore::actions(operation.verb),
        SourceKind::EcsDatabase => ecs_database::actions(operation.verb),
        SourceKind::SapHana => sap_hana::actions(operation.verb),
    }
}

/// The action that is asked for at each touch of a source's data: listing a folder, opening a
/// file, each read or write of it.
///
/// Files on an instance are reached through a client that Cloud Assistant commands, those of a
/// file system through a mount target that Cloud Backup makes.
///
/// Source: derived, domain facts, section 3.3.
#[must_use]
pub fn touch(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::EcsFiles | SourceKind::EcsDatabase | SourceKind::SapHana => "ecs:RunCommand",
        SourceKind::Nas => "nas:CreateMountTargetSpecial",
        SourceKind::EcsInstance => "ecs:CreateSnapshot",
        SourceKind::Oss => "oss:GetObject",
        SourceKind::Tablestore => "ots:GetRange",
    }
}

/// Where a recovery point of this source may be restored to.
///
/// An ECS instance goes back only to the account it came from; all others may go to the
/// management account or to any granted account, into a source of the same type.
///
/// Source: Cloud Backup, "Cross-account backup", section "Quotas and limits"; SDK
/// `CreateRestoreJob` for the equal types.
#[must_use]
pub fn may_restore_to(from: &DataSource, account: &AccountId, kind: SourceKind) -> bool {
    let is_there = |deed| may(Party::Management, from.kind, deed);
    from.kind == kind
        && if from.account == *account {
            is_there(Deed::RestoreToOrigin)
        } else {
            is_there(Deed::RestoreToOthers)
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ecs_instance_goes_back_only_to_its_own_account() {
        let own: AccountId = "1000000000000012".parse().unwrap();
        let other: AccountId = "1000000000000013".parse().unwrap();
        for kind in SourceKind::ALL {
            let from = DataSource {
                account: own.clone(),
                region: "cn-hangzhou".parse().unwrap(),
                kind,
                id: "x".parse().unwrap(),
            };
            assert!(may_restore_to(&from, &own, kind));
            assert_eq!(may_restore_to(&from, &other, kind), kind != SourceKind::EcsInstance);
        }
    }

    /// Whoever has it deletes it: only there does an erase need authority. A grant that serves
    /// backups serves their expiry.
    #[test]
    fn an_erase_needs_something_where_the_resource_account_has_the_data() {
        for kind in SourceKind::ALL {
            let of = |verb| actions(Operation { kind, verb });
            let is_elsewhere = data_lies_with(kind) == Party::Resource;
            assert_eq!(!of(Verb::Erase).is_empty(), is_elsewhere, "{kind}");
            assert!(of(Verb::Erase).iter().all(|action| of(Verb::BackUp).contains(action)));
        }
    }

    #[test]
    fn a_restore_needs_a_source_of_the_same_type() {
        let from: DataSource = "1000000000000012/cn-hangzhou/nas/fs-1".parse().unwrap();
        assert!(!may_restore_to(&from, &from.account, SourceKind::EcsFiles));
    }
}
