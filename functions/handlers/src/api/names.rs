//! Vaults and policies by what people call them: the name or the id.

use crossvault_core::{
    backup_policy::{BackupPolicy, check_name},
    ids::{PolicyId, VaultId},
    vault::Vault,
};

use super::{ApiError, Refusal, rows};
use crate::{
    ports::{PortError, Store, Version},
    records::{Key, NameOf, NameRef, Partition, PolicyRow, Sort, VaultRow, read, scan_all},
};

/// Finds a policy. What could be an id is one: names that look like ids lose.
///
/// # Errors
/// [`Refusal::Unknown`].
pub(super) async fn policy(
    ports: &impl Store,
    text: &str,
) -> Result<(BackupPolicy, Version), ApiError> {
    let id = match text.parse::<PolicyId>() {
        Ok(id) => Some(id),
        Err(_) => named(ports, NameOf::Policy, text).await?.and_then(|name| match name {
            NameRef::Policy { id, .. } => Some(id),
            NameRef::Vault { .. } => None,
        }),
    };
    let found = match id {
        Some(id) => read::<PolicyRow>(ports, Key::policy(&id)).await?,
        None => None,
    };
    match found {
        Some((PolicyRow(policy), version)) => Ok((policy, version)),
        None => Err(unknown("policy", text)),
    }
}

/// Finds a vault. What could be an id is one: names that look like ids lose.
///
/// # Errors
/// [`Refusal::Unknown`].
pub(super) async fn vault(ports: &impl Store, text: &str) -> Result<Vault, ApiError> {
    let id = match text.parse::<VaultId>() {
        Ok(id) => Some(id),
        Err(_) => named(ports, NameOf::Vault, text).await?.and_then(|name| match name {
            NameRef::Vault { id, .. } => Some(id),
            NameRef::Policy { .. } => None,
        }),
    };
    let found = match id {
        Some(id) => read::<VaultRow>(ports, Key::vault(&id)).await?,
        None => None,
    };
    match found {
        Some((VaultRow(vault), _)) => Ok(vault),
        None => Err(unknown("vault", text)),
    }
}

/// All policies, in the order of their names.
///
/// # Errors
/// A failure of the store.
pub(super) async fn policies(ports: &impl Store) -> Result<Vec<BackupPolicy>, PortError> {
    let keys = all(ports, NameOf::Policy).await?.into_iter().filter_map(|name| match name {
        NameRef::Policy { id, .. } => Some(Key::policy(&id)),
        NameRef::Vault { .. } => None,
    });
    let rows = rows::many::<PolicyRow>(ports, keys.collect()).await?;
    Ok(rows.into_iter().map(|(PolicyRow(policy), _)| policy).collect())
}

/// All vaults, in the order of their names.
///
/// # Errors
/// A failure of the store.
pub(super) async fn vaults(ports: &impl Store) -> Result<Vec<Vault>, PortError> {
    let keys = all(ports, NameOf::Vault).await?.into_iter().filter_map(|name| match name {
        NameRef::Vault { id, .. } => Some(Key::vault(&id)),
        NameRef::Policy { .. } => None,
    });
    let rows = rows::many::<VaultRow>(ports, keys.collect()).await?;
    Ok(rows.into_iter().map(|(VaultRow(vault), _)| vault).collect())
}

/// Refuses a name that is taken.
///
/// # Errors
/// [`Refusal::NameTaken`].
pub(super) async fn check_free(ports: &impl Store, of: NameOf, name: &str) -> Result<(), ApiError> {
    let what = match of {
        NameOf::Policy => "policy",
        NameOf::Vault => "vault",
    };
    match named(ports, of, name).await? {
        Some(_) => Err(Refusal::NameTaken { what, name: name.to_owned() }.into()),
        None => Ok(()),
    }
}

/// The refusal of a thing that is not there.
pub(super) fn unknown(what: &'static str, name: &(impl ToString + ?Sized)) -> ApiError {
    Refusal::Unknown { what, name: name.to_string() }.into()
}

async fn named(ports: &impl Store, of: NameOf, name: &str) -> Result<Option<NameRef>, PortError> {
    if check_name(name).is_err() {
        // Not one that anything bears, and perhaps longer than a key may be.
        return Ok(None);
    }
    Ok(read::<NameRef>(ports, Key::name(of, name)).await?.map(|(name, _)| name))
}

async fn all(ports: &impl Store, of: NameOf) -> Result<Vec<NameRef>, PortError> {
    let (from, to) = (Sort::Name(of, "".into()), Sort::Name(of, char::MAX.to_string().into()));
    let rows = scan_all::<NameRef>(ports, Partition::Names, from, to).await?;
    Ok(rows.into_iter().map(|(name, _)| name).collect())
}
