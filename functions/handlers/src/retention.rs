//! Expires recovery points, sweeps what crashes left behind, and gives space back. Trigger: daily.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    audit::Actor,
    ids::{BindingId, DataSource, JobId, PointId, VaultId},
    job::{Outcome, State},
    schedule::retention::{Fate, PointFacts, plan},
    upkeep::{ERASE_POINTS_MAX, Prune},
    vault::PointState,
};

use crate::{
    enqueue::{enqueue, later},
    erase::erase,
    ports::{
        Clock, Directory, Expect, Page, PortError, SealedIn, Store, Transaction, Vaults, Version,
    },
    records::{
        AFTER_ALL, BindingRow, GateRow, Job, JobWork, Key, NameOf, NameRef, Partition, PointRow,
        PolicyRow, Request, Sort, read, scan, scan_all,
    },
};

/// How long a request's answer is kept for a repeat of the request.
const REQUESTS_KEPT: TimeDelta = TimeDelta::hours(24);

/// How many rows are read at a time.
const PAGE: usize = 100;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Points that go.
    pub expired: u64,
    /// Orphans that were removed.
    pub swept: u64,
    /// Prune jobs that were made.
    pub prunes: u64,
}

type Point = (Box<PointRow>, Version);

/// Expires what is past its time in every vault. Safe to run twice or at the same time.
///
/// # Errors
/// A failure of a port, the first of several; what was not done is done by the next run.
pub async fn run<P: Clock + Store + Directory + Vaults>(
    ports: &P,
    stop_at: DateTime<Utc>,
) -> Result<Retained, PortError> {
    let mut retained = Retained::default();
    let mut failed = None;
    for vault in vaults(ports).await? {
        if ports.now() >= stop_at {
            break;
        }
        // One that can't be read holds up no other.
        if let Err(error) = of_vault(ports, &vault, &mut retained).await {
            tracing::warn!(%vault, %error, "retention of a vault failed");
            failed.get_or_insert(error);
        }
    }
    forget_requests(ports).await?;
    failed.map_or(Ok(retained), Err)
}

async fn of_vault<P: Clock + Store + Directory + Vaults>(
    ports: &P,
    vault: &VaultId,
    retained: &mut Retained,
) -> Result<(), PortError> {
    expire(ports, vault, retained).await?;
    sweep(ports, vault, retained).await?;
    give_back(ports, vault, retained).await
}

/// The ids of all vaults.
///
/// # Errors
/// A failure of the store.
pub async fn vaults(ports: &impl Store) -> Result<Vec<VaultId>, PortError> {
    let from = Sort::Name(NameOf::Vault, "".into());
    let to = Sort::Name(NameOf::Vault, char::MAX.to_string().into());
    let rows = scan_all::<NameRef>(ports, Partition::Names, from, to).await?;
    let vault = |(row, _)| match row {
        NameRef::Vault { id, .. } => Some(id),
        NameRef::Policy { .. } => None,
    };
    Ok(rows.into_iter().filter_map(vault).collect())
}

/// Plans each binding's points, and makes the jobs that erase those past their time.
async fn expire<P: Clock + Store + Directory>(
    ports: &P,
    vault: &VaultId,
    retained: &mut Retained,
) -> Result<(), PortError> {
    for (source, points) in by_source(ports, vault).await? {
        let mut going = Vec::new();
        let mut of_binding: BTreeMap<Option<BindingId>, Vec<Point>> = BTreeMap::new();
        for point in points {
            match &point.0.0.state {
                PointState::Available => {
                    of_binding.entry(point.0.0.binding.clone()).or_default().push(point);
                }
                PointState::Expiring { job } => {
                    if has_failed(ports, job).await? {
                        going.push(point);
                    }
                }
            }
        }
        for (binding, points) in of_binding {
            going.extend(past_their_time(ports, binding, points).await?);
        }
        while !going.is_empty() {
            let rest = going.split_off(going.len().min(ERASE_POINTS_MAX));
            let count = u64::try_from(going.len()).unwrap_or(u64::MAX);
            let mut transaction = Transaction::default();
            let who = Actor::Handler { name: "retention".to_owned() };
            let why = "retention has ended".to_owned();
            let (management, now) = (ports.management(), ports.now());
            erase(&mut transaction, &management, vault, &source, going, who, why, now);
            match ports.commit(transaction).await {
                Ok(_) => retained.expired = retained.expired.saturating_add(count),
                // A restore took one into use, or another run came first: the next run decides.
                Err(PortError::Conflict) => {}
                Err(error) => return Err(error),
            }
            going = rest;
        }
    }
    Ok(())
}

async fn by_source(
    ports: &impl Store,
    vault: &VaultId,
) -> Result<BTreeMap<DataSource, Vec<Point>>, PortError> {
    let mut all: BTreeMap<DataSource, Vec<Point>> = BTreeMap::new();
    for point in points(ports, vault).await? {
        all.entry(point.0.0.source.clone()).or_default().push(point);
    }
    Ok(all)
}

/// All points of a vault, by source and time.
///
/// # Errors
/// A failure of the store.
pub async fn points(ports: &impl Store, vault: &VaultId) -> Result<Vec<Point>, PortError> {
    let from = Sort::Point("".into(), DateTime::<Utc>::MIN_UTC, "".into());
    let to = Sort::Point(AFTER_ALL.into(), DateTime::<Utc>::MAX_UTC, AFTER_ALL.into());
    scan_all(ports, Partition::Vault(vault.clone()), from, to).await
}

async fn past_their_time<P: Clock + Store>(
    ports: &P,
    binding: Option<BindingId>,
    points: Vec<Point>,
) -> Result<Vec<Point>, PortError> {
    let keep_latest = keeps_latest(ports, binding.as_ref()).await?;
    let facts: Vec<PointFacts> = points
        .iter()
        .map(|(row, _)| PointFacts {
            id: row.0.id.clone(),
            taken: row.0.taken,
            expires: row.0.expires,
            is_complete: row.0.failed == 0,
            is_held: false,
            is_in_use: !row.0.in_use_by.is_empty(),
        })
        .collect();
    let verdicts = plan(&facts, keep_latest.unwrap_or(false), keep_latest.is_some(), ports.now());
    let going: Vec<PointId> = verdicts
        .into_iter()
        .filter(|verdict| matches!(verdict.fate, Fate::Expire { .. }))
        .map(|verdict| verdict.point)
        .collect();
    Ok(points.into_iter().filter(|(row, _)| going.contains(&row.0.id)).collect())
}

/// Whether the binding's policy keeps the newest point; none when nothing is bound any more.
async fn keeps_latest(
    ports: &impl Store,
    binding: Option<&BindingId>,
) -> Result<Option<bool>, PortError> {
    let Some(binding) = binding else { return Ok(None) };
    let Some((BindingRow(binding), _)) = read(ports, Key::binding(binding)).await? else {
        return Ok(None);
    };
    let policy = read::<PolicyRow>(ports, Key::policy(&binding.policy)).await?;
    Ok(policy.map(|(PolicyRow(policy), _)| policy.retention.keep_latest()))
}

/// Whether an erase job ended without having erased.
async fn has_failed(ports: &impl Store, job: &JobId) -> Result<bool, PortError> {
    let job = read::<Box<Job>>(ports, Key::job(job)).await?;
    Ok(job.is_none_or(|(job, _)| job.work.is_ended()))
}

/// Removes sealed data that no point names and no job will: what crashes left behind.
async fn sweep<P: Store + Vaults>(
    ports: &P,
    vault: &VaultId,
    retained: &mut Retained,
) -> Result<(), PortError> {
    let own = ports.own().await?;
    let mut after = None;
    loop {
        let page = Page { after, limit: PAGE };
        let sealed = ports.sealed(&own, vault.clone(), page).await?;
        let is_last = sealed.len() < PAGE;
        after = sealed.last().map(|one| one.snapshot.clone());
        let mut orphans = Vec::new();
        for one in sealed {
            if is_orphan(ports, &one).await? {
                orphans.push(one.snapshot);
            }
        }
        if !orphans.is_empty() {
            let count = u64::try_from(orphans.len()).unwrap_or(u64::MAX);
            ports.discard(&own, vault.clone(), orphans).await?;
            retained.swept = retained.swept.saturating_add(count);
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn is_orphan(ports: &impl Store, sealed: &SealedIn) -> Result<bool, PortError> {
    let Some((job, _)) = read::<Box<Job>>(ports, Key::job(&sealed.job)).await? else {
        // Not of this state: perhaps of an older copy of it. What nobody knows, nobody removes.
        return Ok(false);
    };
    let JobWork::Backup(_, State::Ended(outcome)) = &job.work else { return Ok(false) };
    Ok(match outcome {
        Outcome::Complete(made) | Outcome::Partial(made) => made.snapshot != sealed.snapshot,
        Outcome::Failed(_) | Outcome::Canceled => true,
    })
}

/// Makes a prune job, at most one a day, for a vault in which points were erased.
async fn give_back<P: Clock + Store + Directory>(
    ports: &P,
    vault: &VaultId,
    retained: &mut Retained,
) -> Result<(), PortError> {
    let Some((row, seen)) = read::<GateRow>(ports, Key::gate(vault)).await? else { return Ok(()) };
    if !row.gate.erased || row.gate.prune.is_some() {
        return Ok(());
    }
    let now = ports.now();
    let id = JobId::derive(&["prune", vault.as_str(), &now.date_naive().to_string()]);
    let work = JobWork::Prune(Prune { vault: vault.clone() }, State::Queued);
    let job = Job::new(id, work, ports.management(), now);
    let who = Actor::Handler { name: "retention".to_owned() };
    let mut transaction = Transaction::default();
    transaction.check(Key::gate(vault), seen);
    enqueue(&mut transaction, &ports.management(), job, who, "points were erased".to_owned());
    match ports.commit(transaction).await {
        Ok(_) => retained.prunes = retained.prunes.saturating_add(1),
        // It was made before.
        Err(PortError::Conflict) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Removes answers that are kept only for repeats of their requests.
async fn forget_requests<P: Clock + Store + Directory>(ports: &P) -> Result<(), PortError> {
    let now = ports.now();
    let caller = ports.management();
    let mut from = Sort::Token("".into());
    loop {
        let partition = Partition::Request(caller.clone());
        let to = Sort::Token(AFTER_ALL.into());
        let page = scan::<Request>(ports, partition, from, to, PAGE).await?;
        let mut transaction = Transaction::default();
        for (request, seen) in &page {
            if later(request.at, REQUESTS_KEPT) < now {
                let key = Key::request(&request.caller, &request.token);
                transaction.delete(key, Expect::Version(*seen));
            }
        }
        if !transaction.writes.is_empty() {
            match ports.commit(transaction).await {
                Ok(_) | Err(PortError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) else { return Ok(()) };
        from = Sort::Token(format!("{}\0", last.token).into());
    }
}
