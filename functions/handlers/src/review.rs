//! Looks at every grant once a day: how it stands, and what is too much about it. Trigger: hourly.
//!
//! A change of which no event told is found here, and so is what events cannot tell: an account
//! that granted a role from outside the directory sends none. A round goes on where the run before
//! it stopped; when all is seen to, runs do nothing until the next round is due.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::RoleView,
    catalog::{Need, Operation, Scope, Verb, needs, reads},
    grant::Method,
    ids::{AccountId, AuditId, Region, RoleArn},
    policy::ServiceRole,
    review::{Finding, Reviewed, review},
};

use crate::{
    enqueue::later,
    facts::regions_of,
    ports::{Clock, Directory, PortError, Sources, Store, Transaction, Version},
    records::{
        AFTER_ALL, AccountBinding, Advice, GrantRow, Key, Noted, Partition, ReviewRound, ReviewRow,
        Sort, read, scan, scan_all,
    },
    standing::{Looked, Looker, Sighted, look_again},
};

/// How long after a round's begin the next one begins.
const EVERY: TimeDelta = TimeDelta::hours(24);

/// How many grants are read at a time, and seen to before the round's progress is stored.
const PAGE: usize = 25;

/// How many sources of one account are named one by one in a smaller policy; where more are bound,
/// it is for all of their types and regions.
const NAMED_MAX: usize = 10;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// What the looks showed.
    pub looked: Looked,
    /// Grants that could not be looked at; the next round looks again.
    pub failed: u64,
    /// Whether the round has seen to all.
    pub is_done: bool,
}

/// Goes on with the day's round until all grants are seen to or the time is over. Safe to run twice
/// or at the same time: the one that stores its progress later stops.
///
/// # Errors
/// A failure of the store. A grant that can't be looked at is counted and holds up no other.
pub async fn run<P: Clock + Store + Directory + Sources>(
    ports: &P,
    stop_at: DateTime<Utc>,
) -> Result<Done, PortError> {
    let mut done = Done::default();
    let (mut round, mut seen) = match read::<ReviewRound>(ports, Key::reviews()).await? {
        Some((round, _)) if round.is_done && ports.now() < later(round.began, EVERY) => {
            return Ok(Done { is_done: true, ..done });
        }
        Some((round, seen)) if round.is_done => (begin(ports), Some(seen)),
        Some((round, seen)) => (round, Some(seen)),
        None => (begin(ports), None),
    };
    loop {
        let page = next(ports, round.after.as_ref()).await?;
        round.is_done = page.is_empty();
        for (region, account) in page {
            if ports.now() >= stop_at {
                break;
            }
            if let Err(error) = of_grant(ports, &account, &region, &mut done.looked).await {
                tracing::warn!(%account, %region, %error, "a grant was not reviewed");
                done.failed = done.failed.saturating_add(1);
            }
            round.after = Some((region, account));
        }
        match store(ports, &round, seen).await {
            Ok(version) => seen = Some(version),
            // Another run is further.
            Err(PortError::Conflict) => return Ok(done),
            Err(error) => return Err(error),
        }
        done.is_done = round.is_done;
        if round.is_done || ports.now() >= stop_at {
            return Ok(done);
        }
    }
}

fn begin(ports: &impl Clock) -> ReviewRound {
    ReviewRound { began: ports.now(), after: None, is_done: false }
}

async fn store(
    ports: &impl Store,
    round: &ReviewRound,
    seen: Option<Version>,
) -> Result<Version, PortError> {
    let mut transaction = Transaction::default();
    match seen {
        Some(seen) => transaction.replace(round.clone().into(), seen),
        None => transaction.create(round.clone().into()),
    }
    ports.commit(transaction).await
}

/// The next grants after one of them, by region and account; none when there are no more.
async fn next<P: Store + Directory>(
    ports: &P,
    after: Option<&(Region, AccountId)>,
) -> Result<Vec<(Region, AccountId)>, PortError> {
    for region in regions_of(ports, &ports.management()).await? {
        let from = match after {
            Some((last, _)) if region < *last => continue,
            Some((last, account)) if region == *last => format!("{account}\0"),
            Some(_) | None => String::new(),
        };
        let (from, to) = (Sort::Account(from.into()), Sort::Account(AFTER_ALL.into()));
        let rows =
            scan::<GrantRow>(ports, Partition::Grants(region.clone()), from, to, PAGE).await?;
        if !rows.is_empty() {
            let account = |(row, _): (GrantRow, _)| (region.clone(), row.0.account);
            return Ok(rows.into_iter().map(account).collect());
        }
    }
    Ok(Vec::new())
}

/// Looks at one grant, and stores what is too much about it.
///
/// # Errors
/// A passing failure of a port.
pub(crate) async fn of_grant<P: Clock + Store + Directory + Sources>(
    ports: &P,
    account: &AccountId,
    region: &Region,
    looked: &mut Looked,
) -> Result<(), PortError> {
    let now = ports.now();
    let session = AuditId::derive(&["review", account.as_str(), region.as_str()]).to_string();
    let by = Looker { handler: "review", session };
    let Some(sighted) = look_again(ports, account, region, &by, looked).await? else {
        return Ok(());
    };
    let (findings, advice) = find(ports, &sighted).await?;
    let (account, region) = (account.clone(), region.clone());
    let mut transaction = Transaction::default();
    transaction.check(Key::grant(&region, &account), sighted.seen);
    transaction.put(ReviewRow { account, region, at: now, findings, advice }.into());
    match ports.commit(transaction).await {
        // It changed meanwhile: the next review says what is so then.
        Ok(_) | Err(PortError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is too much about a grant. Of a role that can't be read nothing is: what an earlier review
/// found about it may long be mended.
async fn find<P: Store + Directory>(
    ports: &P,
    sighted: &Sighted,
) -> Result<(Vec<Noted>, Advice), PortError> {
    let grant = &sighted.grant;
    let view = match &grant.method {
        Method::Role { name } => {
            let unread =
                || nothing_of(RoleArn { account: grant.account.clone(), name: name.clone() });
            sighted.view.clone().unwrap_or_else(unread)
        }
        Method::Directory => nothing_of(ServiceRole::HbrRd.arn(&grant.account)),
    };
    let partition = Partition::Account(grant.account.clone());
    let (from, to) = (Sort::Binding("".into()), Sort::Binding(AFTER_ALL.into()));
    let bound = scan_all::<AccountBinding>(ports, partition, from, to).await?;
    let bound: Vec<AccountBinding> = bound.into_iter().map(|(row, _)| row).collect();
    let regions: Vec<(Region, usize)> = regions_of(ports, &grant.account)
        .await?
        .into_iter()
        .map(|region| {
            let count = bound.iter().filter(|row| row.source.region == region).count();
            (region, count)
        })
        .collect();
    let mut needs = needed(&bound);
    if !needs.is_empty() {
        // Without them the next review would be blind.
        needs.extend(reads(&view.role));
    }
    let management = ports.management();
    let reviewed =
        Reviewed { view: &view, management: &management, needs: &needs, regions: &regions };
    let found = review(&reviewed);
    // Another region's emptiness is that grant's finding.
    let is_of_grant = |finding: &&Finding| match finding {
        Finding::RegionWithoutSources(region) => *region == grant.region,
        Finding::OverBroadPolicy { .. }
        | Finding::TrustTooWide { .. }
        | Finding::PassRoleUnconditional { .. }
        | Finding::UnusedPermission { .. }
        | Finding::GrantUnused
        | Finding::DeadStatement { .. } => true,
    };
    let findings = found.findings.iter().filter(is_of_grant).map(Noted::of).collect();
    let as_it_is = |why: &str| Advice::AsItIs { why: why.to_owned() };
    let advice = match (&grant.method, &sighted.view) {
        (Method::Role { .. }, Some(_)) => Advice::of(found.replacement),
        (Method::Role { .. }, None) => as_it_is(
            "the role can't be read; `ram:GetRole`, `ram:ListPoliciesForRole` and `ram:GetPolicy` \
             would show what is too much about it",
        ),
        (Method::Directory, _) => as_it_is("a service-linked role's policy can't be changed"),
    };
    Ok((findings, advice))
}

/// A role of which nothing is looked at: it can't be read, or, being the service's, not be changed.
fn nothing_of(role: RoleArn) -> RoleView {
    RoleView { role, trust: String::new(), policies: Vec::new() }
}

/// What finding, backing up and restoring the bound sources needs.
fn needed(bound: &[AccountBinding]) -> Vec<Need> {
    let mut all = BTreeSet::new();
    for row in bound {
        let source = &row.source;
        let one = Scope::from(source);
        let every = Scope { source: None, ..one };
        let named = if bound.len() > NAMED_MAX { every } else { one };
        for (verb, scope) in
            [(Verb::Discover, every), (Verb::BackUp, named), (Verb::Restore, named)]
        {
            all.extend(needs(Operation { kind: source.kind, verb }, scope));
        }
    }
    all.into_iter().collect()
}
