//! The things of a run by name, as values that people can read: rows, identities, what sources and
//! vaults hold, functions that run.

use chrono::{DateTime, Utc};
use crossvault_core::ids::{AccountId, VaultId};
use crossvault_handlers::records::{Key, Month, Partition};
use serde_json::{Map, Value, json};

use super::Changes;
use crate::{
    cloud::{Cloud, Fact, Held, InvocationId, RowChange, Snapshot, path},
    scenario::Names,
    world::{Change, Entity, EntityKey},
};

/// How many files of a source are shown by name.
const FILES_SHOWN: usize = 12;

/// A row by its type and place, and what it is now.
pub fn row(change: &RowChange) -> (String, Option<Value>) {
    let value = change.after.as_ref().map(|row| {
        let mut value = serde_json::to_value(&row.record).unwrap_or_default();
        value.get_mut("row").map(Value::take).unwrap_or_default()
    });
    (format!("row/{}/{}", type_of(change), place(change)), value)
}

/// The type of a row that changed.
pub fn type_of(change: &RowChange) -> &'static str {
    let row = change.after.as_ref().or(change.before.as_ref());
    row.map_or("row", |row| row.record.name())
}

/// Where a row lies, as the words of its key.
fn place(change: &RowChange) -> String {
    let Key { partition, sort } = &change.key;
    let of = match partition {
        Partition::Source(source) => source.to_string(),
        Partition::Audit(account, Month { year, month }) => {
            format!("Audit({account}, {year}-{month:02})")
        }
        other => format!("{other:?}"),
    };
    format!("{of} {sort:?}").replace('"', "")
}

/// A function's key.
pub fn function(of: InvocationId) -> String {
    format!("function/{}", of.0)
}

/// A function that runs.
pub fn running(name: &str, since: DateTime<Utc>) -> Value {
    json!({ "does": name, "since": since })
}

/// What changed in the cloud: in whose account, in a sentence, and the things.
pub fn changed(cloud: &Cloud, names: &Names, change: &Change) -> (AccountId, String, Changes) {
    let key = change.key();
    let (value, verb) = match change {
        Change::Put(entity) => (Some(fields(entity)), "is now so"),
        Change::Remove(_) => (None, "is gone"),
    };
    let mut changes = vec![(format!("identity/{key}"), value)];
    let account = match &key {
        EntityKey::Account(account)
        | EntityKey::Directory(account)
        | EntityKey::Member(account)
        | EntityKey::Folder(account, _)
        | EntityKey::ControlPolicy(account, _)
        | EntityKey::Role(account, _)
        | EntityKey::Policy(account, _) => account.clone(),
        EntityKey::Source(source) => {
            changes.extend(cloud.contents.of(source).map(holds));
            source.account.clone()
        }
    };
    (account, format!("{} {verb}", names.named(&key.to_string())), changes)
}

/// The entity without the name of its kind, which stands in its key.
fn fields(entity: &Entity) -> Value {
    match serde_json::to_value(entity).unwrap_or_default() {
        Value::Object(kinds) => kinds.into_iter().map(|(_, fields)| fields).next(),
        other => Some(other),
    }
    .unwrap_or_default()
}

/// What changed in a source or a vault: by whom, in whose account, in a sentence, and the things.
pub fn data(
    cloud: &Cloud,
    names: &Names,
    fact: &Fact,
) -> Option<(Option<InvocationId>, Option<AccountId>, String, Changes)> {
    let of = |source: u32| cloud.contents.held(source);
    Some(match fact {
        Fact::Sealed { vault, snapshot } => {
            let source = names.source_name(&snapshot.source);
            let is_whole = snapshot.sealed.is_some();
            let verb = if is_whole { "is sealed" } else { "stands at a checkpoint" };
            let text = format!("snapshot {} of {source} {verb}", snapshot.name);
            let snapshot = snapshot_change(vault, snapshot, true);
            let account = Some(source_account(fact)?);
            (None, account, text, vec![snapshot, vault_change(cloud, vault)])
        }
        Fact::Erased { by, vault, snapshot, .. } => {
            let text = format!("snapshot {} is erased", snapshot.name);
            let snapshot = snapshot_change(vault, snapshot, false);
            (Some(*by), None, text, vec![snapshot, vault_change(cloud, vault)])
        }
        Fact::Pruned { vault, removed } => {
            let text = format!("{removed} blobs are pruned");
            (None, None, text, vec![vault_change(cloud, vault)])
        }
        Fact::Written { source, after, .. } => {
            let held = of(*source)?;
            let name = names.source_name(&held.source);
            let text = format!("a restore writes {} into {name}", path(after.name));
            (None, Some(held.source.account.clone()), text, vec![holds(held)])
        }
        Fact::Restored { source, .. } => {
            let held = of(*source)?;
            let text = format!("all is in place in {}", names.source_name(&held.source));
            (None, Some(held.source.account.clone()), text, vec![holds(held)])
        }
        Fact::Edited { source } => {
            let held = of(*source)?;
            let text = format!("{} holds something else", names.source_name(&held.source));
            (None, Some(held.source.account.clone()), text, vec![holds(held)])
        }
        _ => return None,
    })
}

fn source_account(fact: &Fact) -> Option<AccountId> {
    match fact {
        Fact::Sealed { snapshot, .. } => Some(snapshot.source.account.clone()),
        _ => None,
    }
}

fn snapshot_change(
    vault: &VaultId,
    snapshot: &Snapshot,
    is_there: bool,
) -> (String, Option<Value>) {
    let value = json!({
        "source": snapshot.source,
        "job": snapshot.job,
        "fence": snapshot.fence,
        "begun": snapshot.begun,
        "files": snapshot.files.len(),
        "sealed": snapshot.sealed.is_some(),
    });
    (format!("vault/{vault}/{}", snapshot.name), is_there.then_some(value))
}

fn vault_change(cloud: &Cloud, id: &VaultId) -> (String, Option<Value>) {
    let value = cloud.storage.vaults.get(id).map(|vault| {
        let bytes = vault.blobs.values().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
        json!({ "snapshots": vault.snapshots.len(), "blobs": vault.blobs.len(), "bytes": bytes })
    });
    (format!("vault/{id}"), value)
}

/// What a source holds; nothing when it is gone.
fn holds(held: &Held) -> (String, Option<Value>) {
    let value = held.files.as_ref().map(|files| {
        let shown = files.iter().take(FILES_SHOWN).map(|file| {
            let content = format!("{} B, {:08x}", file.content.length, file.content.seed >> 32);
            (path(file.name), Value::from(content))
        });
        let shown: Map<String, Value> = shown.collect();
        json!({ "version": held.version, "count": files.len(), "files": shown })
    });
    (format!("holds/{}", held.source), value)
}
