//! What goes on costing once backup is cancelled, and what costs no more.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::plan::Points;
use crate::{
    catalog::Party,
    ids::{SourceKind, VaultId},
    quantity::Bytes,
};

/// Something that goes on costing until the recovery points behind it are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What.
    pub item: Item,
    /// Who pays.
    pub payer: Party,
}

/// A billable item of backups.
///
/// Source: Cloud Backup, "Cross-account backup", "Billing", and "Billing methods and billable
/// items".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "kebab-case")]
pub enum Item {
    /// What the points take in a vault.
    VaultStorage {
        /// The vault.
        vault: VaultId,
        /// Its name.
        name: String,
        /// Points of the account's sources in it.
        points: u64,
        /// Their content, as if nothing were stored once for several.
        content: Bytes,
        /// What they added to the vault when they were made.
        added: Bytes,
    },
    /// The client of each source, until all its points are gone, uninstalled or not.
    FileClients {
        /// Sources with points.
        sources: u64,
    },
    /// The software fee of each instance, until no point of it is left.
    InstanceBackup {
        /// Instances with points.
        sources: u64,
    },
    /// The ECS snapshots behind the points of instances.
    Snapshots {
        /// Instances with points.
        sources: u64,
    },
    /// The rental and storage of database vaults.
    DatabaseVaults {
        /// Databases with points.
        sources: u64,
    },
    /// The software fee of each HANA instance, until all its points are gone.
    HanaSoftware {
        /// Instances with points.
        sources: u64,
    },
    /// Data that new backups would add.
    NewData,
    /// The requests that backups of a bucket make.
    OssRequests,
    /// The reads that backups of tables make.
    TablestoreReads,
}

/// What points keep costing: storage vault by vault, then fees by type of source.
pub(super) fn goes_on(points: &[Points]) -> Vec<Cost> {
    let mut vaults: BTreeMap<(&VaultId, &str), (u64, Bytes, Bytes)> = BTreeMap::new();
    let mut sources: BTreeMap<SourceKind, BTreeSet<_>> = BTreeMap::new();
    for of in points {
        let (count, content, added) = vaults.entry((&of.vault, &of.vault_name)).or_default();
        *count = count.saturating_add(of.count);
        *content = content.saturating_add(of.content);
        *added = added.saturating_add(of.added);
        sources.entry(of.source.kind).or_default().insert(&of.source);
    }
    let storage = vaults.into_iter().map(|((vault, name), (points, content, added))| Cost {
        item: Item::VaultStorage {
            vault: vault.clone(),
            name: name.to_owned(),
            points,
            content,
            added,
        },
        payer: Party::Management,
    });
    let fees = sources
        .into_iter()
        .flat_map(|(kind, sources)| fees(kind, u64::try_from(sources.len()).unwrap_or(u64::MAX)));
    storage.chain(fees).collect()
}

/// The fees that last as long as a source of the type has points.
fn fees(kind: SourceKind, sources: u64) -> Vec<Cost> {
    let of = |item, payer| Cost { item, payer };
    match kind {
        SourceKind::EcsInstance => vec![
            of(Item::InstanceBackup { sources }, Party::Management),
            of(Item::Snapshots { sources }, Party::Resource),
        ],
        SourceKind::EcsFiles => vec![of(Item::FileClients { sources }, Party::Management)],
        SourceKind::EcsDatabase => vec![of(Item::DatabaseVaults { sources }, Party::Management)],
        SourceKind::SapHana => vec![of(Item::HanaSoftware { sources }, Party::Management)],
        SourceKind::Nas | SourceKind::Oss | SourceKind::Tablestore => vec![],
    }
}

/// What costs no more when no further backup of these types runs.
pub(super) fn stops(kinds: &BTreeSet<SourceKind>) -> Vec<Cost> {
    let mut all = Vec::new();
    if !kinds.is_empty() {
        all.push(Cost { item: Item::NewData, payer: Party::Management });
    }
    for kind in kinds {
        let item = match kind {
            SourceKind::Oss => Item::OssRequests,
            SourceKind::Tablestore => Item::TablestoreReads,
            SourceKind::EcsInstance
            | SourceKind::EcsFiles
            | SourceKind::Nas
            | SourceKind::EcsDatabase
            | SourceKind::SapHana => continue,
        };
        all.push(Cost { item, payer: Party::Resource });
    }
    all
}
