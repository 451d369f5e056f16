//! **No resource account's principal reads, lists, changes or deletes backup data.**
//!
//! Whoever asks Crossvault and is not the backup management account is told that it may not, in the
//! same words whatever there is, and no row changes for it. Vaults belong to the management account,
//! all points lie in such vaults, and what touches a vault is done with the management account's own
//! session and never with one of a resource account's roles.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::{Party, data_lies_with},
    ids::{AccountId, VaultId},
};
use crossvault_handlers::{
    ports::Work,
    records::{Key, Record, Sort},
};

use super::{Oracle, broken, points};
use crate::{
    call::{Request, SessionId},
    cloud::{Cloud, Fact, InvocationId},
    run::{Ending, Event, Invariant, Trigger, Violation, Watch},
};

/// What a stranger is told, and nothing else.
const REFUSAL: &str = "NOT_PERMITTED";

/// Watches over isolation.
#[derive(Clone, Default)]
pub struct Isolation {
    /// Invocations that answer somebody else than the management account.
    strangers: BTreeMap<InvocationId, AccountId>,
}

impl Oracle for Isolation {
    const INVARIANT: Invariant = Invariant::Isolation;

    fn look(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        for (_, row) in cloud.rows.all() {
            owned(cloud, &row.record)?;
        }
        for point in points(cloud) {
            lies_with_us(cloud, &point.vault)?;
        }
        Ok(())
    }
}

impl Watch for Isolation {
    fn event(
        &mut self,
        cloud: &Cloud,
        _: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        match event {
            Event::Called { request, .. } => with_own_session(cloud, request),
            Event::Began { of, trigger: Trigger::Ask { caller, .. }, .. }
                if *caller != cloud.management =>
            {
                self.strangers.insert(*of, caller.clone());
                Ok(())
            }
            Event::Ended { of, ending, .. } => match self.strangers.remove(of) {
                Some(stranger) => refused(&stranger, ending),
                None => Ok(()),
            },
            Event::Died { of, .. } => {
                self.strangers.remove(of);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fact(&mut self, cloud: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { by, changes } => {
                for change in changes {
                    let Some(row) = &change.after else { continue };
                    owned(cloud, &row.record)?;
                    if matches!(change.key.sort, Sort::Point(..))
                        && let Record::Point(point) = &row.record
                    {
                        lies_with_us(cloud, &point.0.vault)?;
                    }
                }
                self.by_nobody_else(*by, "stored rows")
            }
            Fact::Erased { by, .. } => self.by_nobody_else(*by, "removed data"),
            Fact::Touched { by, .. } => self.by_nobody_else(*by, "touched a source"),
            Fact::Assumed { by, .. } => self.by_nobody_else(*by, "entered a role"),
            _ => Ok(()),
        }
    }
}

impl Isolation {
    fn by_nobody_else(&self, by: InvocationId, what: &str) -> Result<(), Violation> {
        if self.strangers.is_empty() {
            return Ok(());
        }
        let Some(stranger) = self.strangers.get(&by) else { return Ok(()) };
        let says = format!("Crossvault {what} for account {stranger}");
        Err(broken::<Self>("CHANGED", "api", says))
    }
}

/// A stranger hears that it may not, and nothing of what there is.
fn refused(stranger: &AccountId, ending: &Ending) -> Result<(), Violation> {
    let (code, says) = match ending {
        Ending::Answered(answer) => match &**answer {
            Err(code) if code == REFUSAL => return Ok(()),
            Err(code) => ("TOLD", format!("account {stranger} was told `{code}`")),
            Ok(_) => ("ANSWERED", format!("account {stranger} got an answer")),
        },
        Ending::Done(_) | Ending::Failed { .. } => return Ok(()),
    };
    Err(broken::<Isolation>(code, "api", says))
}

/// What touches a vault is done with the management account's own session.
fn with_own_session(cloud: &Cloud, request: &Request) -> Result<(), Violation> {
    let (by, vault) = match request {
        Request::CreateVault { by, vault } => {
            owner(cloud, &vault.id, &vault.owner)?;
            (*by, &vault.id)
        }
        Request::Sealed { by, vault, .. }
        | Request::Browse { by, vault, .. }
        | Request::Discard { by, vault, .. } => (*by, vault),
        Request::Move { by, order, .. } => match &order.work {
            Work::Prune(prune) => (*by, &prune.vault),
            Work::Erase(erase) if data_lies_with(erase.source.kind) == Party::Management => {
                (*by, &erase.vault)
            }
            Work::Erase(_) | Work::BackUp { .. } | Work::Restore(_) => return Ok(()),
        },
        _ => return Ok(()),
    };
    if by == SessionId::OWN {
        return Ok(());
    }
    let account = cloud.sessions.get(by).map(|issued| issued.session.account());
    if account == Some(&cloud.management) {
        return Ok(());
    }
    let who = account.map(AccountId::to_string).unwrap_or_default();
    let says = format!("{vault} was reached with a session of account {who}");
    Err(broken::<Isolation>("FOREIGN_SESSION", request.method().name(), says))
}

fn owned(cloud: &Cloud, record: &Record) -> Result<(), Violation> {
    match record {
        Record::Vault(row) => owner(cloud, &row.0.id, &row.0.owner),
        _ => Ok(()),
    }
}

fn owner(cloud: &Cloud, vault: &VaultId, owner: &AccountId) -> Result<(), Violation> {
    if *owner == cloud.management {
        return Ok(());
    }
    let says = format!("{vault} belongs to account {owner}");
    Err(broken::<Isolation>("FOREIGN_VAULT", "vault", says))
}

fn lies_with_us(cloud: &Cloud, vault: &VaultId) -> Result<(), Violation> {
    let row = cloud.rows.get(&Key::vault(vault));
    if matches!(row.map(|row| &row.record), Some(Record::Vault(_))) {
        return Ok(());
    }
    let says = format!("a recovery point lies in {vault}, which is no vault of ours");
    Err(broken::<Isolation>("FOREIGN_VAULT", "point", says))
}

#[cfg(test)]
mod tests;
