//! The accounts to back up: added, checked and listed.

use std::collections::BTreeSet;

use crossvault_core::{
    authorization::{Cause, Causes, Mend},
    catalog::{Operation, Verb},
    grant::{Grant, Method},
    ids::{AccountId, DataSource, InvalidId, Region, SourceKind},
    policy::ServiceRole,
};

use super::{
    Answer, ApiError, CauseView, Check, CheckedOperation, MemberView, Refusal,
    change::{Asked, Change, Note},
};
use crate::{
    authority::{Examined, Place, examine, operations},
    facts::regions_of,
    ports::{Clock, Directory, Expect, Page, PortError, Sources, Store, Transaction},
    records::{AFTER_ALL, GrantRef, GrantRow, Key, Partition, Sort, read, scan_all},
    standing,
};

/// How many items of a list are asked of the cloud at a time.
const PAGE: usize = 100;

/// How many pages of a list are asked of the cloud at most.
const PAGES_MAX: usize = 100;

/// Adds an account in one region, after a look at everything that its backups will need.
///
/// Nothing is changed in the account, except that the way by directory creates its service-linked
/// role. The way by RAM role creates one in the management account, if the user agrees; it stays
/// when the account is refused, since the trust policy of the account's role can name it only when
/// it is there. An account
/// that is added already is refused, but for one case: a service-linked role that was deleted
/// since is created again.
///
/// A role that lacks actions is refused only when it serves no type of source at all: the check
/// shows what it lacks.
///
/// Source: Cloud Backup, "Cross-account backup", both sections "Add …".
pub(super) async fn add<P: Clock + Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    account: &AccountId,
    region: &Region,
    method: &Method,
    alias: &str,
    consent: bool,
) -> Result<Change, ApiError> {
    if *account == asked.management {
        return Err(Refusal::OwnAccount { account: account.clone() }.into());
    }
    check_alias(alias).map_err(Refusal::from)?;
    let present = read::<GrantRow>(ports, Key::grant(region, account)).await?;
    if present.as_ref().is_some_and(|(GrantRow(grant), _)| grant.method != *method) {
        return Err(added(account, region));
    }
    let place = Place { management: &asked.management, account, region, source: None, bound: &[] };
    let examined = of_add(ports, asked, &place, method).await?;
    let created = examined.missing;
    let examined = match created {
        None => examined,
        Some(role) => {
            create(ports, asked, &place, &examined, role, consent).await?;
            let examined = of_add(ports, asked, &place, method).await?;
            if examined.missing.is_some() {
                // The role that was just made has not spread yet.
                return Err(PortError::TimedOut.into());
            }
            examined
        }
    };
    if present.is_some() && created.is_none() {
        return Err(added(account, region));
    }
    judge(&examined)?;
    let now = ports.now();
    let mut transaction = Transaction::default();
    let (grant, what) = if let Some((GrantRow(grant), _)) = present {
        // It was added before: only the service-linked role was missing.
        (grant, "account.mended")
    } else {
        let (method, alias) = (method.clone(), alias.to_owned());
        let (account, region) = (account.clone(), region.clone());
        let standing = Some(standing::first(&examined, now));
        let grant = Grant { account, region, method, alias, added: now, standing };
        write(&mut transaction, &asked.management, &grant);
        (grant, "account.added")
    };
    let why = format!("in {region} by {method}");
    let note = Note { what, subject: account.as_str(), account, why };
    asked.note(&mut transaction, now, note);
    Ok(Change { transaction, answer: Answer::Account(grant) })
}

/// Shows for each operation whether it is authorized, and if not why: "Check Permissions".
///
/// Works before the account is added, when a method is given. Then a service-linked role of the
/// directory that is not there is no finding: adding the account creates it.
pub(super) async fn check<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    account: &AccountId,
    region: &Region,
    method: Option<&Method>,
    source: Option<&DataSource>,
) -> Result<Answer, ApiError> {
    if let Some(source) = source
        && (source.account != *account || source.region != *region)
    {
        return Err(Refusal::SourceElsewhere { source_id: source.clone() }.into());
    }
    let place = Place { management: &asked.management, account, region, source, bound: &[] };
    let operations = match source {
        Some(DataSource { kind, .. }) => vec![Operation { kind: *kind, verb: Verb::BackUp }],
        None => operations(ports.kinds(), &[Verb::Discover, Verb::BackUp, Verb::Restore]),
    };
    let examined = examine(ports, &place, method, &operations, &asked.session()).await?;
    let is_added = ports.get(Key::grant(region, account)).await?.is_some();
    let is_finding =
        |cause: &&Cause| is_added || !matches!(cause, Cause::MemberServiceRoleDeleted { .. });
    // Adding the account creates the directory's role by itself.
    let is_readable = examined.is_readable;
    let is_asked = |mend: &Mend| is_added || !matches!(mend, Mend::CreateServiceRole { .. });
    let mends = examined.mends.into_iter().filter(is_asked).collect();
    let operations = examined
        .operations
        .iter()
        .map(|(operation, causes)| CheckedOperation {
            operation: operation.to_string(),
            causes: causes.iter().filter(is_finding).map(CauseView::of).collect(),
        })
        .collect();
    Ok(Answer::Check(Check { account: account.clone(), operations, is_readable, mends }))
}

/// Lists the accounts that are added, by region and id.
pub(super) async fn list(
    ports: &impl Store,
    asked: &Asked,
    region: Option<&Region>,
    search: Option<&str>,
) -> Result<Answer, ApiError> {
    let search = search.unwrap_or_default().to_lowercase();
    let is_found = |grant: &Grant| {
        grant.account.as_str().contains(&search) || grant.alias.to_lowercase().contains(&search)
    };
    let grants = grants(ports, asked, region).await?;
    Ok(Answer::Accounts(grants.into_iter().filter(is_found).collect()))
}

/// Lists the directory's members that could be added.
pub(super) async fn members<P: Store + Directory>(
    ports: &P,
    asked: &Asked,
    search: &str,
) -> Result<Answer, ApiError> {
    let own = ports.own().await?;
    let added: BTreeSet<AccountId> =
        grants(ports, asked, None).await?.into_iter().map(|grant| grant.account).collect();
    let mut found = Vec::new();
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = Page { after, limit: PAGE };
        let members = match ports.members(&own, search.to_owned(), page).await {
            Ok(members) => members,
            Err(PortError::Denied { .. }) => {
                let management = asked.management.clone();
                let cause = Causes::one(Cause::NotAdministrator { management });
                return Err(Refusal::Unauthorized(cause).into());
            }
            Err(error) => return Err(error.into()),
        };
        let is_last_page = members.len() < PAGE;
        after = members.last().map(|member| member.account.to_string());
        let others = members.into_iter().filter(|member| member.account != asked.management);
        found.extend(
            others.map(|member| MemberView { added: added.contains(&member.account), member }),
        );
        if is_last_page {
            break;
        }
    }
    Ok(Answer::Members(found))
}

/// Lists the sources of an account, of one type or of all that may be listed.
pub(super) async fn sources<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    account: &AccountId,
    region: &Region,
    kind: Option<SourceKind>,
) -> Result<Answer, ApiError> {
    let kinds = kind.map_or(SourceKind::ALL.to_vec(), |kind| vec![kind]);
    let discover = |kind| Operation { kind, verb: Verb::Discover };
    let operations: Vec<Operation> = kinds.into_iter().map(discover).collect();
    let place = Place { management: &asked.management, account, region, source: None, bound: &[] };
    let examined = examine(ports, &place, None, &operations, &asked.session()).await?;
    let mut causes = Vec::new();
    let mut found = Vec::new();
    let mut is_any_listed = false;
    for (operation, against) in examined.operations {
        if let (true, Some(credentials)) = (against.is_empty(), &examined.credentials) {
            found.extend(sources_of(ports, credentials, &place, operation.kind).await?);
            is_any_listed = true;
        }
        causes.extend(against);
    }
    match Causes::of(causes) {
        Some(causes) if !is_any_listed => Err(Refusal::Unauthorized(causes).into()),
        Some(_) | None => Ok(Answer::Sources(found)),
    }
}

async fn sources_of<P: Sources>(
    ports: &P,
    by: &P::Credentials,
    place: &Place<'_>,
    kind: SourceKind,
) -> Result<Vec<DataSource>, PortError> {
    let mut all = Vec::new();
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let (account, region) = (place.account.clone(), place.region.clone());
        let page = Page { after, limit: PAGE };
        let sources = ports.list(by, account, region, kind, page).await?;
        let is_last_page = sources.len() < PAGE;
        after = sources.last().map(|source| source.id.to_string());
        all.extend(sources);
        if is_last_page {
            break;
        }
    }
    Ok(all)
}

async fn of_add<P: Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    place: &Place<'_>,
    method: &Method,
) -> Result<Examined<P::Credentials>, PortError> {
    let operations = operations(ports.kinds(), &[Verb::Discover, Verb::BackUp]);
    examine(ports, place, Some(method), &operations, &asked.session()).await
}

/// Creates the service-linked role that is missing, if nothing else is wrong that can be seen
/// without it.
async fn create<P: Clock + Store + Directory>(
    ports: &P,
    asked: &Asked,
    place: &Place<'_>,
    examined: &Examined<P::Credentials>,
    role: ServiceRole,
    consent: bool,
) -> Result<(), ApiError> {
    let owner = match role {
        ServiceRole::HbrCrossAccountBackup if !consent => return Err(Refusal::ConsentNeeded.into()),
        ServiceRole::HbrCrossAccountBackup => &asked.management,
        ServiceRole::HbrRd => place.account,
    };
    let is_other = |cause: &&Cause| {
        !matches!(
            cause,
            Cause::MemberServiceRoleDeleted { .. } | Cause::ManagementServiceRoleDeleted { .. }
        )
    };
    let others = examined.causes().filter(is_other).cloned().collect();
    if let Some(causes) = Causes::of(others) {
        return Err(Refusal::Unauthorized(causes).into());
    }
    let own = ports.own().await?;
    ports.ensure_service_role(&own, owner.clone(), role).await?;
    // On record also if the account is then refused, or somebody else's request comes first.
    let arn = role.arn(owner).to_string();
    let why = format!("account {} is added in {}", place.account, place.region);
    let note = Note { what: "service-role.created", subject: &arn, account: owner, why };
    let mut transaction = Transaction::default();
    asked.note(&mut transaction, ports.now(), note);
    ports.commit(transaction).await?;
    Ok(())
}

/// Refuses an account none of whose supported types can be found and backed up, or to which the
/// way is closed.
fn judge<C>(examined: &Examined<C>) -> Result<(), Refusal> {
    let is_closed =
        examined.causes().any(|cause| !matches!(cause, Cause::PermissionMissing { .. }));
    if !is_closed && examined.serves_any() {
        return Ok(());
    }
    match Causes::of(examined.causes().cloned().collect()) {
        Some(causes) => Err(Refusal::Unauthorized(causes)),
        None => Ok(()),
    }
}

/// Writes the grant, and that the management account has grants in this region.
fn write(transaction: &mut Transaction, management: &AccountId, grant: &Grant) {
    let Grant { account, region, .. } = grant;
    transaction.create(GrantRow(grant.clone()).into());
    transaction.delete(Key::former_grant(region, account), Expect::Owned);
    transaction.create(GrantRef { account: account.clone(), region: region.clone() }.into());
    standing::stand(transaction, grant);
    // The management account needs no grant: its own references are the list of regions.
    transaction.put(GrantRef { account: management.clone(), region: region.clone() }.into());
}

/// The grants of one region, or of all in which an account was ever added.
pub(super) async fn grants(
    ports: &impl Store,
    asked: &Asked,
    region: Option<&Region>,
) -> Result<Vec<Grant>, PortError> {
    let regions = match region {
        Some(region) => vec![region.clone()],
        None => regions_of(ports, &asked.management).await?,
    };
    let mut grants = Vec::new();
    for region in regions {
        let (from, to) = (Sort::Account("".into()), Sort::Account(AFTER_ALL.into()));
        let rows = scan_all::<GrantRow>(ports, Partition::Grants(region), from, to).await?;
        grants.extend(rows.into_iter().map(|(GrantRow(grant), _)| grant));
    }
    Ok(grants)
}

fn added(account: &AccountId, region: &Region) -> ApiError {
    Refusal::AccountAdded { account: account.clone(), region: region.clone() }.into()
}

fn check_alias(alias: &str) -> Result<(), InvalidId> {
    if alias.chars().count() > 128 || alias.chars().any(char::is_control) {
        return Err(InvalidId::new(alias, "an alias (at most 128 characters, none a control one)"));
    }
    Ok(())
}
