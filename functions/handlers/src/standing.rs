//! How a grant stands: looked at in the cloud, stored when it changed, and told once.
//!
//! What is stored is for people, and nothing ever takes it for a yes: each step of a job asks the
//! cloud by itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::{Alert, AtRisk, BindingAtRisk},
    audit::{self, Actor},
    authorization::{Cause, Causes, RoleView},
    catalog::Verb,
    grant::{Grant, Method, News, Sight, Standing},
    ids::{AccountId, AuditId, DataSource, PolicyId, Region, SourceKind},
};

use serde::{Deserialize, Serialize};

use crate::{
    authority::{Examined, Place, examine, operations},
    enqueue::{record, tell},
    ports::{Clock, Directory, Expect, PortError, Sources, Store, Transaction, Version},
    records::{
        AFTER_ALL, AccountBinding, BindingRow, Dependent, GrantRow, Key, Partition, PolicyRow,
        Sort, Support, read, read_all, scan_all,
    },
};

/// How often a grant is looked at because it or the cloud changes meanwhile.
const ATTEMPTS: u32 = 8;

/// How many bindings are read at a time.
const PAGE: usize = 100;

/// Who looks, and the name of the sessions in which roles are assumed for it.
pub(crate) struct Looker {
    pub(crate) handler: &'static str,
    pub(crate) session: String,
}

/// A grant and what was seen of it.
pub(crate) struct Sighted {
    pub(crate) grant: Grant,
    pub(crate) seen: Version,
    /// The RAM role as it was read; none when it could not be, or when there is none.
    pub(crate) view: Option<RoleView>,
}

/// What a look at some grants showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Grants that were looked at.
    pub grants: u64,
    /// Those of which it was told that they are broken.
    pub broken: u64,
    /// Those of which it was told that they stand again.
    pub mended: u64,
}

impl Looked {
    fn count(&mut self, news: Option<News>) {
        let of = match news {
            None => return,
            Some(News::Broken) => &mut self.broken,
            Some(News::Mended) => &mut self.mended,
        };
        *of = of.saturating_add(1);
    }
}

/// Looks at a grant in the cloud; stores and tells how it stands if that is not how it is stored.
/// One that is gone is left alone: then there is nothing to be seen.
///
/// Whoever stores something looks again: two looks at once could store the older sight last, and
/// no further event would tell. Safe to run twice or at the same time.
///
/// # Errors
/// A passing failure of a port.
pub(crate) async fn look_again<P: Clock + Store + Directory + Sources>(
    ports: &P,
    account: &AccountId,
    region: &Region,
    by: &Looker,
    looked: &mut Looked,
) -> Result<Option<Sighted>, PortError> {
    let key = Key::grant(region, account);
    looked.grants = looked.grants.saturating_add(1);
    for _ in 0..ATTEMPTS {
        let Some((GrantRow(grant), seen)) = read(ports, key.clone()).await? else {
            return Ok(None);
        };
        let bound = bound(ports, account, region).await?;
        let examined = examine_for(ports, &grant, &bound, &by.session).await?;
        let now = ports.now();
        let before = grant.standing.as_ref();
        let (standing, news) = Standing::after(before, sight(&examined, &bound), now);
        if before == Some(&standing) {
            return Ok(Some(Sighted { grant, seen, view: examined.view }));
        }
        let after = Grant { standing: Some(standing), ..grant.clone() };
        let mut transaction = Transaction::default();
        refer(&mut transaction, &grant, &after);
        if let Some(news) = news {
            let at_risk = at_risk(ports, &examined, &bound).await?;
            note(&mut transaction, &ports.management(), &after, by, news, at_risk, now);
        }
        transaction.replace(GrantRow(after).into(), seen);
        match ports.commit(transaction).await {
            Ok(_) => looked.count(news),
            Err(PortError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(PortError::Conflict)
}

/// How a grant stands that is just being added.
pub(crate) fn first<C>(examined: &Examined<C>, now: DateTime<Utc>) -> Standing {
    Standing::after(None, sight(examined, &[]), now).0
}

/// Adds the rows by which changes elsewhere find a new grant.
pub(crate) fn stand(transaction: &mut Transaction, grant: &Grant) {
    refer(transaction, &Grant { standing: None, ..grant.clone() }, grant);
}

/// Removes those rows, and what was found about it.
pub(crate) fn forget(transaction: &mut Transaction, grant: &Grant) {
    refer(transaction, grant, &Grant { standing: None, ..grant.clone() });
    transaction.delete(Key::review(&grant.region, &grant.account), Expect::Owned);
}

/// What a grant depends on that others depend on too; nothing is known of one that was never
/// looked at.
fn supports(grant: &Grant) -> BTreeSet<Support> {
    let Some(standing) = &grant.standing else { return BTreeSet::new() };
    match grant.method {
        Method::Directory => BTreeSet::from([Support::Directory]),
        Method::Role { .. } => {
            let nodes = standing.nodes.iter();
            let nodes = nodes.map(|node| Support::Node(node.as_str().into()));
            nodes.chain([Support::ServiceRole]).collect()
        }
    }
}

fn refer(transaction: &mut Transaction, before: &Grant, after: &Grant) {
    let (account, region) = (&after.account, &after.region);
    let (old, new) = (supports(before), supports(after));
    for on in old.difference(&new) {
        transaction.delete(Key::dependent(on, account, region), Expect::Owned);
    }
    for on in new.difference(&old) {
        let (on, account, region) = (on.clone(), account.clone(), region.clone());
        transaction.put(Dependent { on, account, region }.into());
    }
}

/// The bindings of the account's sources in the region.
pub(crate) async fn bound(
    ports: &impl Store,
    account: &AccountId,
    region: &Region,
) -> Result<Vec<AccountBinding>, PortError> {
    let partition = Partition::Account(account.clone());
    let from = Sort::Binding(format!("{region}!").into());
    let to = Sort::Binding(format!("{region}!{AFTER_ALL}").into());
    let rows = scan_all(ports, partition, from, to).await?;
    Ok(rows.into_iter().map(|(row, _)| row).collect())
}

/// Asks for authority to find and back up what is bound; where nothing is, what could be.
async fn examine_for<P: Store + Directory + Sources>(
    ports: &P,
    grant: &Grant,
    bound: &[AccountBinding],
    session: &str,
) -> Result<Examined<P::Credentials>, PortError> {
    let mut kinds = kinds(bound);
    if kinds.is_empty() {
        kinds = ports.kinds().to_vec();
    }
    let operations = operations(&kinds, &[Verb::Discover, Verb::BackUp]);
    let management = ports.management();
    let (account, region) = (&grant.account, &grant.region);
    let bound: Vec<DataSource> = bound.iter().map(|row| row.source.clone()).collect();
    let place = Place { management: &management, account, region, source: None, bound: &bound };
    examine(ports, &place, Some(&grant.method), &operations, session).await
}

fn kinds(bound: &[AccountBinding]) -> Vec<SourceKind> {
    let kinds: BTreeSet<SourceKind> = bound.iter().map(|row| row.source.kind).collect();
    kinds.into_iter().collect()
}

/// A grant is broken if it does not serve what is bound; one with nothing bound, if it serves no
/// type of source at all, as when it is added.
fn sight<C>(examined: &Examined<C>, bound: &[AccountBinding]) -> Sight {
    let is_enough = bound.is_empty() && examined.serves_any();
    let causes: Vec<Cause> =
        if is_enough { Vec::new() } else { examined.causes().cloned().collect() };
    Sight { broken: Causes::of(causes), nodes: examined.nodes.clone() }
}

/// The bindings of the types of source that are not served, with their next slots.
async fn at_risk<C>(
    ports: &impl Store,
    examined: &Examined<C>,
    bound: &[AccountBinding],
) -> Result<AtRisk, PortError> {
    let is_broken = |row: &&AccountBinding| examined.against(row.source.kind).next().is_some();
    let keys: Vec<Key> =
        bound.iter().filter(is_broken).map(|row| Key::binding(&row.binding)).collect();
    let mut all = Vec::new();
    let mut policies = BTreeMap::new();
    for keys in keys.chunks(PAGE) {
        for (BindingRow(binding), _) in read_all(ports, keys.to_vec()).await? {
            let next = binding.next.filter(|_| !binding.paused);
            policies.insert(binding.id.clone(), binding.policy.clone());
            let (policy, source) = (binding.policy.to_string(), binding.source);
            all.push(BindingAtRisk { binding: binding.id, policy, source, next });
        }
    }
    let mut at_risk = AtRisk::of(all);
    let of = |one: &BindingAtRisk| policies.get(&one.binding).map(Key::policy);
    let keys: BTreeSet<Key> = at_risk.bindings.iter().filter_map(of).collect();
    let read = read_all::<PolicyRow>(ports, keys.into_iter().collect()).await?;
    let names: BTreeMap<PolicyId, String> =
        read.into_iter().map(|(PolicyRow(policy), _)| (policy.id, policy.name)).collect();
    for one in &mut at_risk.bindings {
        if let Some(name) = policies.get(&one.binding).and_then(|policy| names.get(policy)) {
            one.policy.clone_from(name);
        }
    }
    Ok(at_risk)
}

/// Adds what is told of a change: the audit record and the alert.
fn note(
    transaction: &mut Transaction,
    management: &AccountId,
    grant: &Grant,
    by: &Looker,
    news: News,
    at_risk: AtRisk,
    now: DateTime<Utc>,
) {
    let Some(standing) = &grant.standing else { return };
    let (what, why, alert) = match (news, &standing.broken) {
        (News::Broken, Some(causes)) => {
            let alert = Alert::grant_broken(grant, causes, at_risk, now);
            ("grant.broken", causes.to_string(), alert)
        }
        (News::Broken | News::Mended, _) => {
            let why = "nothing stands against it any more".to_owned();
            ("grant.mended", why, Alert::grant_mended(grant, now))
        }
    };
    // An account that is removed and added again begins again at the first revision.
    let subject = format!("{}/{}/{}", grant.account, grant.region, grant.added.to_rfc3339());
    let revision = standing.revision.to_string();
    let new = audit::Record {
        id: AuditId::derive(&["grant", &subject, &revision]),
        at: now,
        who: Actor::Handler { name: by.handler.to_owned() },
        what: what.to_owned(),
        subject: grant.account.to_string(),
        account: grant.account.clone(),
        why: format!("in {} by {}: {why}", grant.region, grant.method),
    };
    record(transaction, management, new);
    tell(transaction, &subject, standing.revision, 0, alert);
}
