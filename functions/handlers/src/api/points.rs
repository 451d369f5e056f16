//! Recovery points: listed, browsed, and deleted before their time.

use crossvault_core::{
    ids::{AccountId, DataSource, PointId},
    restore::{Refused, below, check_files},
    vault::{PointState, RecoveryPoint},
};

use super::{
    Answer, ApiError, Refusal,
    change::{Asked, Change},
    names::{self, unknown},
};
use crate::{
    erase::erase,
    points,
    ports::{Clock, Page, PortError, Store, Transaction, Vaults},
    retention,
};

/// How many entries of a folder are asked of a vault at a time.
const PAGE: usize = 1000;

/// How many entries of a folder are shown at most.
const ENTRIES_MAX: usize = 100_000;

/// Lists recovery points, newest first.
pub(super) async fn list(
    ports: &impl Store,
    source: Option<&DataSource>,
    account: Option<&AccountId>,
    vault: Option<&str>,
) -> Result<Answer, ApiError> {
    let vaults = match vault {
        Some(vault) => vec![names::vault(ports, vault).await?],
        None => names::vaults(ports).await?,
    };
    let is_asked = |point: &RecoveryPoint| {
        source.is_none_or(|source| point.source == *source)
            && account.is_none_or(|account| point.source.account == *account)
    };
    let mut all: Vec<RecoveryPoint> = Vec::new();
    for vault in vaults {
        let rows = retention::points(ports, &vault.id).await?;
        all.extend(rows.into_iter().map(|(row, _)| row.0).filter(is_asked));
    }
    all.sort_by(|one, other| (other.taken, &other.id).cmp(&(one.taken, &one.id)));
    Ok(Answer::Points(all))
}

/// Lists one folder of a recovery point.
pub(super) async fn browse<P: Store + Vaults>(
    ports: &P,
    id: &PointId,
    path: &str,
) -> Result<Answer, ApiError> {
    let path = below(path).map_err(Refusal::from)?;
    let Some((row, _)) = points::find(ports, id).await? else {
        return Err(unknown("recovery point", id));
    };
    let point = row.0;
    check_available(&point)?;
    check_files(point.source.kind).map_err(Refusal::from)?;
    let own = ports.own().await?;
    let mut all = Vec::new();
    let mut after = None;
    while all.len() < ENTRIES_MAX {
        let page = Page { after, limit: PAGE };
        let (vault, snapshot) = (point.vault.clone(), point.snapshot.clone());
        let entries = match ports.browse(&own, vault, snapshot, path.clone(), page).await {
            Ok(entries) => entries,
            Err(PortError::NotFound(_)) if !path.is_empty() => {
                return Err(unknown("folder", &path));
            }
            Err(error) => return Err(error.into()),
        };
        let is_last_page = entries.len() < PAGE;
        after = entries.last().map(|entry| entry.name.clone());
        all.extend(entries);
        if is_last_page {
            break;
        }
    }
    Ok(Answer::Entries(all))
}

/// Deletes a recovery point before its time: marks it, and makes the job that erases it.
pub(super) async fn delete<P: Clock + Store>(
    ports: &P,
    asked: &Asked,
    id: &PointId,
) -> Result<Change, ApiError> {
    let Some((row, seen)) = points::find(ports, id).await? else {
        return Err(unknown("recovery point", id));
    };
    check_available(&row.0)?;
    if let Some(job) = row.0.in_use_by.first() {
        return Err(Refusal::PointInUse { job: job.clone() }.into());
    }
    let mut transaction = Transaction::default();
    let (vault, source) = (row.0.vault.clone(), row.0.source.clone());
    let why = format!("deletion of {id}, asked for by hand");
    let job = erase(
        &mut transaction,
        &asked.management,
        &vault,
        &source,
        vec![(row, seen)],
        asked.actor(),
        why,
        ports.now(),
    );
    Ok(Change { transaction, answer: Answer::JobStarted(job) })
}

fn check_available(point: &RecoveryPoint) -> Result<(), Refusal> {
    match point.state {
        PointState::Available => Ok(()),
        PointState::Expiring { .. } => {
            let state = "being erased";
            Err(Refused::NotAvailable { point: point.id.clone(), state }.into())
        }
    }
}
