//! Vaults: made, listed, pruned.

use std::collections::BTreeSet;

use crossvault_core::{
    backup_policy::check_name,
    ids::{Region, VaultId},
    job::State,
    upkeep::Prune,
    vault::{Gate, Vault},
};

use super::{
    Answer, ApiError, Refusal, VaultView,
    change::{Asked, Change, Note},
    names,
};
use crate::{
    ports::{Clock, PortError, Store, Transaction, Vaults},
    records::{GateRow, JobWork, Key, NameOf, NameRef, VaultRow, read},
    retention,
};

/// Makes a vault. Its store and key are made first, so that a vault on the list always exists.
///
/// The id comes from name and region: what a crash left behind before the list knew it is the next
/// try's.
pub(super) async fn create<P: Clock + Store + Vaults>(
    ports: &P,
    asked: &Asked,
    name: &str,
    region: &Region,
) -> Result<Change, ApiError> {
    check_name(name).map_err(Refusal::from)?;
    names::check_free(ports, NameOf::Vault, name).await?;
    let owner = asked.management.clone();
    let id = VaultId::derive(&[owner.as_str(), name, region.as_str()]);
    let now = ports.now();
    let vault = Vault {
        id: id.clone(),
        name: name.to_owned(),
        region: region.clone(),
        owner,
        created: now,
    };
    let own = ports.own().await?;
    ports.create(&own, vault.clone()).await?;
    let mut transaction = Transaction::default();
    transaction.create(NameRef::Vault { name: name.to_owned(), id: id.clone() }.into());
    transaction.create(VaultRow(vault.clone()).into());
    transaction.create(GateRow { vault: id.clone(), gate: Gate::default() }.into());
    let why = format!("`{name}` in {region}");
    let note =
        Note { what: "vault.created", subject: id.as_str(), account: &asked.management, why };
    asked.note(&mut transaction, now, note);
    Ok(Change { transaction, answer: Answer::Vault(vault) })
}

/// Lists the vaults with what lies in each.
pub(super) async fn list(ports: &impl Store) -> Result<Answer, ApiError> {
    let mut views = Vec::new();
    for vault in names::vaults(ports).await? {
        views.push(view(ports, vault).await?);
    }
    Ok(Answer::Vaults(views))
}

/// Gives back the space that no recovery point needs. A prune that runs already is the answer.
pub(super) async fn prune<P: Clock + Store + Vaults>(
    ports: &P,
    asked: &Asked,
    vault: &str,
) -> Result<Change, ApiError> {
    let vault = names::vault(ports, vault).await?;
    let gate = read::<GateRow>(ports, Key::gate(&vault.id)).await?;
    if let Some(job) = gate.and_then(|(row, _)| row.gate.prune) {
        return Ok(Change::none(Answer::JobStarted(job)));
    }
    let work = JobWork::Prune(Prune { vault: vault.id }, State::Queued);
    let account = asked.management.clone();
    asked.start(ports, Transaction::default(), work, account, ports.now()).await
}

/// Records that a vault's key is given away, before it is.
pub(super) async fn export<P: Clock + Store>(
    ports: &P,
    asked: &Asked,
    vault: &str,
) -> Result<Change, ApiError> {
    let vault = names::vault(ports, vault).await?;
    let mut transaction = Transaction::default();
    let (subject, account) = (vault.id.as_str(), &asked.management);
    let why = "a further password opens it".to_owned();
    let note = Note { what: "vault.key-exported", subject, account, why };
    asked.note(&mut transaction, ports.now(), note);
    Ok(Change { transaction, answer: Answer::Done })
}

async fn view(ports: &impl Store, vault: Vault) -> Result<VaultView, PortError> {
    let points = retention::points(ports, &vault.id).await?;
    let accounts: BTreeSet<_> =
        points.iter().map(|(row, _)| row.0.source.account.clone()).collect();
    Ok(VaultView {
        points: u64::try_from(points.len()).unwrap_or(u64::MAX),
        bytes: points.iter().map(|(row, _)| row.0.bytes).sum(),
        added: points.iter().map(|(row, _)| row.0.added).sum(),
        accounts: accounts.into_iter().collect(),
        vault,
    })
}
