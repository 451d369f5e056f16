//! Cancelling backup of an account: what is ours is carried out, the rest is shown.
//!
//! No state of it is kept. Each time, the steps begin from what is so: what an earlier attempt did
//! is found done, and what somebody undid is done again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::{Entry, GrantFacts, Known, RoleView, Subject},
    catalog::{Operation, Party, Verb, data_lies_with},
    grant::Grant,
    ids::{AccountId, DataSource, JobId, Region, SourceKind, VaultId},
    job::Trouble,
    offboarding::{
        self, Effect, Event, Facts, Illegal, Plan, Points, Presence, RoleFacts, RunningJobs, State,
        transition,
    },
    quantity::Bytes,
    vault::PointState,
};

use super::{
    Answer, ApiError, Refusal, accounts,
    bindings::{Bound, UNBOUND_MAX, take_off},
    change::{Asked, Change, Note},
    jobs,
    names::{self, unknown},
    rows,
};
use crate::{
    enqueue::DUE_SHARD,
    facts::{self, Visit},
    ports::{Clock, Directory, Expect, PortError, Sources, Store, Transaction, Version},
    records::{
        AFTER_ALL, BindingRow, Due, FormerGrant, GrantRow, Job, JobWork, Key, Partition, Sort,
        Wake, read, scan,
    },
    retention, standing,
};

/// How many rows of the due index are read at a time.
const PAGE: usize = 100;

/// A grant, on the list with its stamp, or off it.
struct Found {
    grant: Grant,
    listed: Option<Version>,
}

/// Shows every step with how it stands, what stays, and what goes on costing.
///
/// Of an account that was taken off the list it still tells whether its role exists, as long as
/// the cloud lets that be seen.
pub(super) async fn plan<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    account: &AccountId,
    region: &Region,
) -> Result<Answer, ApiError> {
    let Found { grant, listed } = find(ports, account, region).await?;
    let plan = plan_of(ports, asked, &grant, listed.is_some()).await?;
    Ok(Answer::Removal(Box::new(plan)))
}

/// Carries out what is ours, until nothing is left or something has to be waited for; answers with
/// what remains. The account's recovery points stay.
///
/// Each step before the last is a transaction of its own: an attempt that ends anywhere is taken
/// up by the next. Deleting the grant rests on its stamp, which every new binding changes.
///
/// A job that somebody starts by hand meanwhile ends with `GRANT_REMOVED`.
pub(super) async fn remove<P: Clock + Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    account: &AccountId,
    region: &Region,
    jobs: RunningJobs,
) -> Result<Change, ApiError> {
    let Found { grant, listed } = find(ports, account, region).await?;
    let mut transaction = Transaction::default();
    let mut is_listed = listed;
    let (mut state, mut effect) = State::begin(listed.is_some(), jobs);
    while let Some(effect_now) = effect {
        let event = match effect_now {
            Effect::CountBindings => {
                let bound = bindings_of(ports, &grant).await?.len();
                Event::Bound(u64::try_from(bound).unwrap_or(u64::MAX))
            }
            Effect::Unbind => {
                unbind(ports, asked, &grant).await?;
                Event::Unbound
            }
            Effect::FindJobs => Event::Running(jobs_of(ports, &grant).await?),
            Effect::Cancel(running) => {
                cancel(ports, asked, &running).await?;
                Event::CancelAsked
            }
            Effect::FindClients => {
                Event::Installed(clients_of(ports, &grant).await?.unwrap_or_default())
            }
            Effect::DeleteGrant => {
                if let Some(seen) = is_listed.take() {
                    delete(&mut transaction, asked, &grant, seen, ports.now());
                }
                Event::Deleted
            }
            Effect::FindRole => {
                let role = role_of(ports, asked, &grant).await?;
                Event::Role(role.needed_in.is_empty().then_some(role.presence))
            }
        };
        (state, effect) = transition(state, event).map_err(of_illegal)?;
    }
    let plan = plan_of(ports, asked, &grant, is_listed.is_some()).await?;
    Ok(Change { transaction, answer: Answer::Removal(Box::new(plan)) })
}

async fn find(ports: &impl Store, account: &AccountId, region: &Region) -> Result<Found, ApiError> {
    if let Some((GrantRow(grant), seen)) = read(ports, Key::grant(region, account)).await? {
        return Ok(Found { grant, listed: Some(seen) });
    }
    match read::<FormerGrant>(ports, Key::former_grant(region, account)).await? {
        Some((row, _)) => Ok(Found { grant: row.grant, listed: None }),
        None => Err(unknown("account", account)),
    }
}

fn is_of(grant: &Grant, source: &DataSource) -> bool {
    source.account == grant.account && source.region == grant.region
}

async fn bindings_of(ports: &impl Store, grant: &Grant) -> Result<Vec<Bound>, PortError> {
    let references = standing::bound(ports, &grant.account, &grant.region).await?;
    let keys = references.iter().map(|reference| Key::binding(&reference.binding));
    rows::many::<BindingRow>(ports, keys.collect()).await
}

/// Takes all policies off the account's sources, as many at a time as one transaction holds.
async fn unbind<P: Clock + Store>(
    ports: &P,
    asked: &Asked,
    grant: &Grant,
) -> Result<(), PortError> {
    let why = format!("account {} is removed from {}", grant.account, grant.region);
    for some in bindings_of(ports, grant).await?.chunks(UNBOUND_MAX) {
        let mut transaction = Transaction::default();
        take_off(&mut transaction, asked, some, &why, ports.now());
        ports.commit(transaction).await?;
    }
    Ok(())
}

/// The jobs that need the grant and have not ended: every such job is due at some time.
async fn jobs_of(ports: &impl Store, grant: &Grant) -> Result<Vec<JobId>, PortError> {
    let mut keys = BTreeSet::new();
    let mut from = Sort::At(DateTime::<Utc>::MIN_UTC, "".into());
    loop {
        let to = Sort::At(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into());
        let page = scan::<Due>(ports, Partition::Due(DUE_SHARD), from, to, PAGE).await?;
        keys.extend(page.iter().filter_map(|(due, _)| match &due.wake {
            Wake::Job(id) => Some(Key::job(id)),
            Wake::Binding(_) => None,
        }));
        match page.last() {
            Some((last, _)) if page.len() == PAGE => {
                from = Sort::At(last.at, format!("{}\0", last.wake.id()).into());
            }
            Some(_) | None => break,
        }
    }
    let jobs = rows::many::<Box<Job>>(ports, keys.into_iter().collect()).await?;
    let needs_grant = |job: &Job| {
        let reaches_account = match &job.work {
            JobWork::Backup(..) | JobWork::Restore(..) => true,
            JobWork::Erase(erase, _) => data_lies_with(erase.source.kind) == Party::Resource,
            JobWork::Prune(..) => false,
        };
        let is_of_grant = job.work.source().is_some_and(|source| is_of(grant, source));
        reaches_account && is_of_grant && !job.work.is_ended()
    };
    Ok(jobs.into_iter().map(|(job, _)| *job).filter(needs_grant).map(|job| job.id).collect())
}

async fn cancel<P: Clock + Store + Directory>(
    ports: &P,
    asked: &Asked,
    running: &[JobId],
) -> Result<(), ApiError> {
    for id in running {
        match jobs::cancel(ports, asked, id).await {
            Ok(change) if change.transaction.writes.is_empty() => {}
            Ok(change) => {
                ports.commit(change.transaction).await?;
            }
            Err(ApiError::Refused(Refusal::JobEnded { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn clients_of<P: Sources>(
    ports: &P,
    grant: &Grant,
) -> Result<Option<Vec<DataSource>>, PortError> {
    let own = ports.own().await?;
    ports.clients(&own, grant.account.clone(), grant.region.clone()).await
}

/// Takes the account off the list, and notes by which way it was reached.
fn delete(
    transaction: &mut Transaction,
    asked: &Asked,
    grant: &Grant,
    seen: Version,
    now: DateTime<Utc>,
) {
    let Grant { account, region, method, .. } = grant;
    transaction.delete(Key::grant(region, account), Expect::Version(seen));
    transaction.delete(Key::grant_ref(account, region), Expect::Owned);
    standing::forget(transaction, grant);
    let former = Grant { standing: None, ..grant.clone() };
    transaction.put(FormerGrant { grant: former, removed: now }.into());
    let why = format!("in {region}, by {method}");
    let note = Note { what: "account.removed", subject: account.as_str(), account, why };
    asked.note(transaction, now, note);
}

async fn plan_of<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    grant: &Grant,
    is_listed: bool,
) -> Result<Plan, PortError> {
    let mut bindings: BTreeMap<SourceKind, u64> = BTreeMap::new();
    for (BindingRow(binding), _) in bindings_of(ports, grant).await? {
        let count = bindings.entry(binding.source.kind).or_default();
        *count = count.saturating_add(1);
    }
    let others = accounts::grants(ports, asked, None).await?.into_iter();
    let others = others.map(|grant| (grant.account, grant.region));
    let own = (grant.account.clone(), grant.region.clone());
    Ok(offboarding::plan(&Facts {
        management: asked.management.clone(),
        account: grant.account.clone(),
        region: grant.region.clone(),
        method: grant.method.clone(),
        is_listed,
        bindings,
        jobs: jobs_of(ports, grant).await?,
        clients: clients_of(ports, grant).await?,
        role: role_of(ports, asked, grant).await?,
        points: points_of(ports, grant).await?,
        granted: others.filter(|other| *other != own).collect(),
    }))
}

/// Looks for the role by entering it: what the cloud answers is the fact.
async fn role_of<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    grant: &Grant,
) -> Result<RoleFacts, PortError> {
    let subject = Subject {
        management: asked.management.clone(),
        account: grant.account.clone(),
        region: grant.region.clone(),
        operation: Operation { kind: SourceKind::Nas, verb: Verb::Discover },
        source: None,
    };
    // Nothing is done but to look.
    let visit = Visit { session: &asked.session(), operations: &[subject.operation] };
    let read = facts::of_method(ports, &subject, &grant.method, visit).await?;
    let (role, entry, view) = match read.facts.grant {
        GrantFacts::Directory { service_role, entry, .. } => (service_role, entry, None),
        GrantFacts::Role { role, entry, view, .. } => (role, entry, view),
        GrantFacts::Own | GrantFacts::Missing { .. } => {
            return Err(PortError::Invalid("a grant without a role".to_owned()));
        }
    };
    Ok(RoleFacts {
        presence: match entry {
            Entry::Open => Presence::Present,
            Entry::NoSuchRole => Presence::Absent,
            Entry::Denied | Entry::NotTried => Presence::Unseen,
        },
        policies: view.and_then(attached),
        needed_in: needed_in(ports, grant).await?,
        role,
    })
}

fn attached(view: Known<RoleView>) -> Option<Vec<String>> {
    match view {
        Known::Known(view) => Some(view.policies.into_iter().map(|policy| policy.name).collect()),
        Known::Unreadable => None,
    }
}

/// The other regions in which the account is added by the same way.
async fn needed_in(ports: &impl Store, grant: &Grant) -> Result<Vec<Region>, PortError> {
    let regions = facts::regions_of(ports, &grant.account).await?;
    let keys = regions.iter().map(|region| Key::grant(region, &grant.account));
    let grants = rows::many::<GrantRow>(ports, keys.collect()).await?;
    let is_same = |other: &Grant| other.region != grant.region && other.method == grant.method;
    let others = grants.into_iter().map(|(GrantRow(other), _)| other).filter(is_same);
    Ok(others.map(|other| other.region).collect())
}

/// The recovery points of the account's sources, by source and vault.
async fn points_of(ports: &impl Store, grant: &Grant) -> Result<Vec<Points>, PortError> {
    let mut all: BTreeMap<(DataSource, VaultId), Points> = BTreeMap::new();
    for vault in names::vaults(ports).await? {
        for (row, _) in retention::points(ports, &vault.id).await? {
            let point = row.0;
            if !is_of(grant, &point.source) {
                continue;
            }
            let of = all.entry((point.source.clone(), vault.id.clone())).or_insert(Points {
                source: point.source,
                vault: vault.id.clone(),
                vault_name: vault.name.clone(),
                count: 0,
                restorable: 0,
                newest: None,
                content: Bytes::ZERO,
                added: Bytes::ZERO,
            });
            of.count = of.count.saturating_add(1);
            of.content = of.content.saturating_add(point.bytes);
            of.added = of.added.saturating_add(point.added);
            match point.state {
                PointState::Available => {
                    of.restorable = of.restorable.saturating_add(1);
                    of.newest = of.newest.max(Some(point.taken));
                }
                PointState::Expiring { .. } => {}
            }
        }
    }
    Ok(all.into_values().collect())
}

fn of_illegal(illegal: Illegal) -> ApiError {
    Refusal::Trouble(Trouble::of(&illegal)).into()
}
