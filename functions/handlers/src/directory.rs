//! Looks again at the grants that a change in the cloud can touch. Trigger: an event of the
//! cloud's audit trail, and the queue.
//!
//! An event is only a hint: late, repeated, lost, out of order or forged. Nothing that it says is
//! stored; what is stored is what a look at the cloud shows now. Whoever sends an event can make
//! Crossvault look, and no more. What no event tells of is found by the daily review, and neither
//! stands between a job and its own question for authority.

use chrono::{DateTime, Utc};
use crossvault_core::{
    grant::{Grant, Method},
    ids::{AccountId, AuditId, Region},
    policy::ServiceRole,
    trail::{Control, Hint, InvalidEvent, Touch},
};

pub use crate::standing::Looked;
use crate::{
    enqueue::send,
    facts::regions_of,
    ports::{Clock, Directory, Message, PortError, Sources, Store, Transaction},
    records::{AFTER_ALL, Dependent, GrantRow, Key, Partition, Sort, Support, read_all, scan},
    standing::{Looker, look_again},
};

/// How many grants are named in one transaction, each by a message.
const PAGE: usize = 50;

/// Why an event was not seen to.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is no such event; sending it again changes nothing.
    #[error(transparent)]
    Invalid(#[from] InvalidEvent),
    /// A passing failure, after which the event is delivered again.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// What an event can touch.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reach {
    /// Grants of one account.
    grants: Vec<(AccountId, Region)>,
    /// What any number of grants depend on.
    supports: Vec<Support>,
}

/// Looks again at each grant that an event can touch: at those of one account now, at those of
/// many accounts by a message each. Safe to run twice or at the same time.
///
/// # Errors
/// [`EventError::Invalid`] for what is no event of a trail; a passing failure of a port.
pub async fn run<P: Clock + Store + Directory + Sources>(
    ports: &P,
    event: &str,
    stop_at: DateTime<Utc>,
) -> Result<Looked, EventError> {
    let mut looked = Looked::default();
    let Some(hint) = Hint::read(event)? else { return Ok(looked) };
    let reach = reach(ports, &hint).await?;
    let hint = AuditId::derive(&["hint", &hint.id]);
    let mut failed = None;
    for (account, region) in &reach.grants {
        // One that can't be looked at holds up no other.
        if let Err(error) = look(ports, account, region, &hint, &mut looked).await {
            tracing::warn!(%account, %region, %error, "a grant could not be looked at");
            failed.get_or_insert(error);
        }
    }
    for on in &reach.supports {
        recheck_all(ports, on, None, &hint, stop_at).await?;
    }
    failed.map_or(Ok(looked), |error| Err(error.into()))
}

/// Sends a message for each grant that depends on something, page by page; what is not done in
/// time is a further message. Trigger: queue.
///
/// # Errors
/// A failure of the store, after which the message is delivered again.
pub async fn recheck_all<P: Clock + Store + Directory>(
    ports: &P,
    on: &Support,
    after: Option<&(AccountId, Region)>,
    hint: &AuditId,
    stop_at: DateTime<Utc>,
) -> Result<(), PortError> {
    let mut after = after.cloned();
    loop {
        let from = match &after {
            Some((account, region)) => {
                Sort::Dependent(account.as_str().into(), format!("{region}\0").into())
            }
            None => Sort::Dependent("".into(), "".into()),
        };
        let to = Sort::Dependent(AFTER_ALL.into(), AFTER_ALL.into());
        let partition = Partition::Support(on.clone());
        let page = scan::<Dependent>(ports, partition, from, to, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some((last.account.clone(), last.region.clone()));
        let is_last_page = page.len() < PAGE;
        let mut transaction = Transaction::default();
        for (row, _) in &page {
            let (account, region, hint) = (row.account.clone(), row.region.clone(), hint.clone());
            let subject = format!("{hint}/{account}/{region}");
            let group = account.clone();
            let message = Message::Recheck { account, region, hint };
            send(&mut transaction, &subject, 0, 0, message, &group, ports.now(), 0);
        }
        let is_late = ports.now() >= stop_at;
        if is_late && !is_last_page {
            let (on, hint) = (on.clone(), hint.clone());
            let subject = format!("{hint}/{on:?}/{after:?}");
            let message = Message::RecheckAll { on, after: after.clone(), hint };
            send(&mut transaction, &subject, 0, 0, message, &ports.management(), ports.now(), 0);
        }
        ports.commit(transaction).await?;
        if is_late || is_last_page {
            return Ok(());
        }
    }
}

/// Looks again at one grant. Trigger: queue.
///
/// # Errors
/// A passing failure of a port, after which the message is delivered again.
pub async fn recheck<P: Clock + Store + Directory + Sources>(
    ports: &P,
    account: &AccountId,
    region: &Region,
    hint: &AuditId,
) -> Result<Looked, PortError> {
    let mut looked = Looked::default();
    look(ports, account, region, hint, &mut looked).await?;
    Ok(looked)
}

async fn look<P: Clock + Store + Directory + Sources>(
    ports: &P,
    account: &AccountId,
    region: &Region,
    hint: &AuditId,
    looked: &mut Looked,
) -> Result<(), PortError> {
    let by = Looker { handler: "directory", session: hint.to_string() };
    look_again(ports, account, region, &by, looked).await.map(drop)
}

/// Which grants a change can touch.
///
/// Source: Cloud Backup, "Cross-account backup", what can affect cross-account authorization;
/// Resource Management, "Overview of the Control Policy feature": control policies bear on RAM
/// roles and spare service-linked ones, so a move or an attachment touches no grant by directory.
async fn reach<P: Store + Directory>(ports: &P, hint: &Hint) -> Result<Reach, PortError> {
    let management = ports.management();
    let by_role = |grant: &Grant| matches!(grant.method, Method::Role { .. });
    let all = |support| Ok(Reach { supports: vec![support], ..Reach::default() });
    match &hint.touches {
        Touch::Role { name } => {
            let by_this = |grant: &Grant| matches!(&grant.method, Method::Role { name: of } if of.as_str().eq_ignore_ascii_case(name.as_str()));
            of_account(ports, &hint.account, by_this).await
        }
        Touch::Policy { .. } => of_account(ports, &hint.account, by_role).await,
        Touch::ServiceRole { role: ServiceRole::HbrRd } => {
            of_account(ports, &hint.account, |grant| grant.method == Method::Directory).await
        }
        Touch::ServiceRole { role: ServiceRole::HbrCrossAccountBackup } => {
            if hint.account == management {
                all(Support::ServiceRole)
            } else {
                Ok(Reach::default())
            }
        }
        // With its own account in or out of the directory, its office comes or goes.
        Touch::Member { member } if *member == management => all(Support::Directory),
        Touch::Member { member } => of_account(ports, member, |_| true).await,
        Touch::Moved { member } => of_account(ports, member, by_role).await,
        Touch::Administrator { administrator } => {
            if *administrator == management {
                all(Support::Directory)
            } else {
                Ok(Reach::default())
            }
        }
        Touch::Control(Control::Policy(policy)) => below_policy(ports, policy).await,
        Touch::Control(Control::Node(node)) => below(ports, std::slice::from_ref(node)).await,
        Touch::Control(Control::Feature) => all(Support::ServiceRole),
        Touch::Directory => all(Support::Directory),
    }
}

/// The grants of an account, of some methods.
async fn of_account(
    ports: &impl Store,
    account: &AccountId,
    is_touched: impl Fn(&Grant) -> bool,
) -> Result<Reach, PortError> {
    let mut reach = Reach::default();
    add_account(ports, account, is_touched, &mut reach).await?;
    Ok(reach)
}

async fn add_account(
    ports: &impl Store,
    account: &AccountId,
    is_touched: impl Fn(&Grant) -> bool,
    reach: &mut Reach,
) -> Result<(), PortError> {
    let regions = regions_of(ports, account).await?;
    let keys = regions.iter().map(|region| Key::grant(region, account)).collect();
    let grants = read_all::<GrantRow>(ports, keys).await?.into_iter().map(|(row, _)| row.0);
    reach.grants.extend(grants.filter(is_touched).map(|grant| (grant.account, grant.region)));
    Ok(())
}

/// The grants on which a control policy bears, wherever it is attached.
async fn below_policy<P: Store + Directory>(ports: &P, policy: &str) -> Result<Reach, PortError> {
    let own = ports.own().await?;
    match ports.control_targets(&own, policy.to_owned()).await {
        Ok(nodes) => below(ports, &nodes).await,
        // It was deleted since, which only one that is attached nowhere can be; or the management
        // account has no office in that directory, and so sees no control policies at all.
        Err(PortError::NotFound(_) | PortError::Denied { .. }) => Ok(Reach::default()),
        Err(error) => Err(error),
    }
}

/// The grants on which the control policies of some nodes bear: folders, Root or accounts.
async fn below(ports: &impl Store, nodes: &[String]) -> Result<Reach, PortError> {
    let mut reach = Reach::default();
    for node in nodes {
        if let Ok(account) = node.parse() {
            let by_role = |grant: &Grant| matches!(grant.method, Method::Role { .. });
            add_account(ports, &account, by_role, &mut reach).await?;
        } else {
            reach.supports.push(Support::Node(node.as_str().into()));
        }
    }
    Ok(reach)
}
