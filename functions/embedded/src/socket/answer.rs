//! How the platform answers a request, over the socket and in process alike.

use std::sync::Arc;

use super::{Damaged, Failure, Kind, Reply, Request};
use crate::{
    platform::Embedded,
    runtime::no_limit,
    vault::{Damage, Vault, VaultError, fresh_password},
};
use crossvault_core::{
    access,
    alert::Alert,
    ids::{AccountId, Token, VaultId},
};
use crossvault_handlers::{
    api::{self, Answer, Command, Refusal},
    directory,
    ports::{Clock, Identity, PortError},
};

/// How many alerts are given at once.
const ALERTS_MAX: usize = 1_000;

/// Answers a request of a caller whom the socket's owner is.
///
/// # Errors
/// [`Failure`] when nothing came of it.
pub async fn answer(platform: &Embedded, request: Request) -> Result<Reply, Failure> {
    match request {
        Request::Ask { caller, token, command } => {
            Ok(Reply::Answer(api::handle(platform, &caller, &token, *command).await?))
        }
        Request::World(command) => {
            let now = platform.now();
            Ok(Reply::World(platform.world().change(platform.store(), now, command).await?))
        }
        Request::View => Ok(Reply::View(Box::new(platform.world().read(Clone::clone)))),
        Request::Settings => Ok(Reply::Settings(platform.settings().clone())),
        Request::Alerts { caller, limit } => {
            permit(platform, &caller)?;
            alerts(platform, limit).await.map(Reply::Alerts)
        }
        Request::Event { caller, event } => {
            permit(platform, &caller)?;
            Ok(Reply::Looked(directory::run(platform, &event, no_limit()).await?))
        }
        Request::CheckVault { caller, vault, read_data } => {
            let id = find(platform, &caller, &vault).await?;
            let damage = beside(platform, id, move |vault| vault.check(read_data)).await?;
            Ok(Reply::Damage(damage.iter().map(damaged).collect()))
        }
        Request::ExportKey { caller, token, vault } => {
            let id = find(platform, &caller, &vault).await?;
            let command = Command::ExportKey { vault: vault.clone() };
            api::handle(platform, &caller, &token, command).await?;
            let password = fresh_password();
            let key = password.clone();
            let added = beside(platform, id, move |vault| {
                let Some(alone) = vault.leases().try_exclude() else { return Ok(false) };
                vault.add_password(&alone, &key).map(|()| true)
            });
            if added.await? { Ok(Reply::Key(password.into())) } else { Err(busy(&vault)) }
        }
    }
}

fn permit(platform: &Embedded, caller: &AccountId) -> Result<(), Failure> {
    Ok(access::decide(caller, &platform.management())?)
}

async fn alerts(platform: &Embedded, limit: usize) -> Result<Vec<Alert>, Failure> {
    #[derive(serde::Deserialize)]
    struct Event {
        data: Alert,
    }
    let stored = platform.store().alerts(limit.min(ALERTS_MAX)).await?;
    let read = stored.into_iter().map(|alert| {
        let event: Event = serde_json::from_str(&alert.body).map_err(|error| {
            PortError::Corrupt { what: format!("alert `{}`", alert.id), detail: error.to_string() }
        })?;
        Ok(event.data)
    });
    read.collect()
}

/// The vault of that name or id, for a caller who may see vaults.
async fn find(platform: &Embedded, caller: &AccountId, name: &str) -> Result<VaultId, Failure> {
    #[expect(clippy::expect_used, reason = "a constant token is valid")]
    let token: Token = "look".parse().expect("lower-case letters are a token");
    let answer = api::handle(platform, caller, &token, Command::ListVaults).await?;
    let Answer::Vaults(vaults) = answer else {
        return Err(PortError::Invalid("a list of vaults is none".to_owned()).into());
    };
    vaults
        .into_iter()
        .map(|view| view.vault)
        .find(|vault| vault.name == name || vault.id.as_str() == name)
        .map(|vault| vault.id)
        .ok_or_else(|| Refusal::Unknown { what: "vault", name: name.to_owned() }.into())
}

/// Does something that blocks to a vault.
async fn beside<T: Send + 'static>(
    platform: &Embedded,
    id: VaultId,
    work: impl FnOnce(&Arc<Vault>) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, Failure> {
    let platform = platform.clone();
    let done = tokio::task::spawn_blocking(move || work(&platform.vault(&id)?)).await;
    match done {
        Ok(result) => Ok(result?),
        Err(_) => Err(PortError::TimedOut.into()),
    }
}

fn damaged(damage: &Damage) -> Damaged {
    let concerns = damage.files.iter();
    Damaged {
        file: damage.path.display().to_string(),
        what: damage.what.clone(),
        concerns: concerns
            .map(|(snapshot, path)| format!("{snapshot}:{}", path.display()))
            .collect(),
        concerns_in_all: damage.files_in_all,
    }
}

fn busy(vault: &str) -> Failure {
    Failure::new(
        Kind::Refused,
        "VAULT_BUSY",
        format!("vault `{vault}` is in use by a job, and its keys can't be changed meanwhile"),
        "Wait for the jobs that `crossvault jobs list` shows as RUNNING; then try again.",
    )
}
