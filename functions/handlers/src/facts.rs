//! Reads through ports what `core::authorization` asks to know, and opens the way on the go.
//!
//! Authority is read at the time of use and never remembered: what comes back lives as long as
//! one step.

use crossvault_core::{
    authorization::{self, Entry, Facts, GrantFacts, Known, Path, SourceView, Subject},
    catalog::{Operation, Scope},
    grant::{Grant, Method},
    ids::{AccountId, Region, RoleArn},
    policy::ServiceRole,
};

use crate::{
    ports::{Assume, Directory, PortError, Sources, Store},
    records::{AFTER_ALL, GrantRef, GrantRow, Key, Partition, Sort, read, scan},
};

/// What was read, and the credentials that reading it opened.
pub struct Read<C> {
    /// The facts to decide on.
    pub facts: Facts,
    /// The credentials for the resource account; none when the way to it is closed.
    pub credentials: Option<C>,
}

/// What roles are entered for: their sessions can do that and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The job or request, by which the sessions are named.
    pub session: &'a str,
    /// What is to be done, with the subject's source or with all of its account.
    pub operations: &'a [Operation],
}

/// Reads how the resource account's grant stands, as it is in the store.
///
/// # Errors
/// A passing failure of a port: a denial or something missing is a fact, not an error.
pub async fn of_subject<P: Store + Directory + Sources>(
    ports: &P,
    subject: &Subject,
    visit: Visit<'_>,
) -> Result<Read<P::Credentials>, PortError> {
    if subject.account == subject.management {
        return of_own(ports, subject).await;
    }
    let key = Key::grant(&subject.region, &subject.account);
    if let Some((GrantRow(Grant { method, .. }), _)) = read(ports, key).await? {
        return of_method(ports, subject, &method, visit).await;
    }
    let elsewhere = regions_of(ports, &subject.account).await?;
    Ok(closed(GrantFacts::Missing { elsewhere }))
}

/// Reads how a grant by this method stands in the cloud, whether or not it is in the store.
///
/// # Errors
/// As [`of_subject`].
pub async fn of_method<P: Directory + Sources>(
    ports: &P,
    subject: &Subject,
    method: &Method,
    visit: Visit<'_>,
) -> Result<Read<P::Credentials>, PortError> {
    match method {
        Method::Directory => of_directory(ports, subject, visit).await,
        Method::Role { name } => {
            let role = RoleArn { account: subject.account.clone(), name: name.clone() };
            of_role(ports, subject, role, visit).await
        }
    }
}

/// The regions in which an account is added.
///
/// # Errors
/// A passing failure of the store.
pub async fn regions_of(ports: &impl Store, account: &AccountId) -> Result<Vec<Region>, PortError> {
    let partition = Partition::Account(account.clone());
    let (from, to) = (Sort::Grant("".into()), Sort::Grant(AFTER_ALL.into()));
    let rows = scan::<GrantRef>(ports, partition, from, to, 100).await?;
    Ok(rows.into_iter().map(|(row, _)| row.region).collect())
}

/// The roles to assume, one from the other.
#[must_use]
pub fn chain(path: &Path) -> Vec<RoleArn> {
    match path {
        Path::Own => vec![],
        Path::Directory { service_role } => vec![service_role.clone()],
        Path::Role { service_role, role } => service_role.iter().chain([role]).cloned().collect(),
    }
}

async fn of_own<P: Sources>(
    ports: &P,
    subject: &Subject,
) -> Result<Read<P::Credentials>, PortError> {
    let own = ports.own().await?;
    let source = of_source(ports, subject, &own).await?;
    let facts = Facts { grant: GrantFacts::Own, source, refused: None };
    Ok(Read { facts, credentials: Some(own) })
}

async fn of_directory<P: Directory + Sources>(
    ports: &P,
    subject: &Subject,
    visit: Visit<'_>,
) -> Result<Read<P::Credentials>, PortError> {
    let own = ports.own().await?;
    let administrators = match ports.administrators(&own).await {
        Ok(administrators) => Known::Known(administrators),
        Err(error) => unreadable(error)?,
    };
    let membership = match ports.membership(&own, subject.account.clone()).await {
        Ok(membership) => Known::Known(membership),
        Err(error) => unreadable(error)?,
    };
    let Some(service_role) = ports.service_role(&subject.account, ServiceRole::HbrRd) else {
        return Err(PortError::Invalid("this platform has no way by directory".to_owned()));
    };
    let policy = cut(subject, &service_role, visit);
    let (entry, credentials) = enter(ports, &own, &service_role, policy, visit).await?;
    let source = match &credentials {
        Some(credentials) => of_source(ports, subject, credentials).await?,
        None => None,
    };
    let grant = GrantFacts::Directory { administrators, membership, service_role, entry };
    Ok(Read { facts: Facts { grant, source, refused: None }, credentials })
}

async fn of_role<P: Directory + Sources>(
    ports: &P,
    subject: &Subject,
    role: RoleArn,
    visit: Visit<'_>,
) -> Result<Read<P::Credentials>, PortError> {
    let own = ports.own().await?;
    let control = match ports.control_policies(&own, subject.account.clone()).await {
        Ok(levels) => Known::Known(levels),
        Err(error) => unreadable(error)?,
    };
    let service_role = ports.service_role(&subject.management, ServiceRole::HbrCrossAccountBackup);
    let (service_entry, by) = match &service_role {
        Some(service_role) => {
            let policy = authorization::entry_policy(&role);
            enter(ports, &own, service_role, policy, visit).await?
        }
        None => (Entry::Open, Some(own)),
    };
    let (entry, credentials) = match &by {
        Some(by) => enter(ports, by, &role, cut(subject, &role, visit), visit).await?,
        None => (Entry::NotTried, None),
    };
    let (service_entry, entry) = match (&service_role, entry) {
        // Who was denied may be gone since: then the role's trust policy says nothing.
        (Some(service_role), Entry::Denied) => {
            let (own, policy) = (ports.own().await?, authorization::entry_policy(&role));
            match enter(ports, &own, service_role, policy, visit).await? {
                (Entry::Open, _) => (Entry::Open, Entry::Denied),
                (closed, _) => (closed, Entry::NotTried),
            }
        }
        (_, entry) => (service_entry, entry),
    };
    let (view, source) = match &credentials {
        Some(credentials) => {
            let view = match ports.role(credentials, role.clone()).await {
                Ok(view) => Known::Known(view),
                Err(error) => unreadable(error)?,
            };
            (Some(view), of_source(ports, subject, credentials).await?)
        }
        None => (None, None),
    };
    let grant = GrantFacts::Role { service_role, service_entry, role, entry, view, control };
    Ok(Read { facts: Facts { grant, source, refused: None }, credentials })
}

/// What a session in the resource account is cut down to.
fn cut(subject: &Subject, role: &RoleArn, visit: Visit<'_>) -> String {
    let Subject { account, region, source, .. } = subject;
    let scope = Scope { account, region, source: source.as_ref() };
    authorization::session_policy(role, visit.operations, scope)
}

/// Tries to assume a role: what the cloud answers is the fact.
async fn enter<P: Sources>(
    ports: &P,
    by: &P::Credentials,
    role: &RoleArn,
    policy: String,
    visit: Visit<'_>,
) -> Result<(Entry, Option<P::Credentials>), PortError> {
    let assume =
        Assume { role: role.clone(), session: visit.session.to_owned(), policy: Some(policy) };
    match ports.assume(by, assume).await {
        Ok(credentials) => Ok((Entry::Open, Some(credentials))),
        Err(PortError::NotFound(_)) => Ok((Entry::NoSuchRole, None)),
        Err(PortError::Denied { .. }) => Ok((Entry::Denied, None)),
        Err(passing) => Err(passing),
    }
}

async fn of_source<P: Sources>(
    ports: &P,
    subject: &Subject,
    by: &P::Credentials,
) -> Result<Option<Known<SourceView>>, PortError> {
    let Some(source) = &subject.source else { return Ok(None) };
    match ports.describe(by, source.clone()).await {
        Ok(view) => Ok(Some(Known::Known(view))),
        Err(error) => Ok(Some(unreadable(error)?)),
    }
}

/// A denied read is a fact; everything else is a passing failure.
fn unreadable<T>(error: PortError) -> Result<Known<T>, PortError> {
    if matches!(error, PortError::Denied { .. }) { Ok(Known::Unreadable) } else { Err(error) }
}

fn closed<C>(grant: GrantFacts) -> Read<C> {
    Read { facts: Facts { grant, source: None, refused: None }, credentials: None }
}
