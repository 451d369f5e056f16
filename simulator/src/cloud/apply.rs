//! Carrying out one call.

use chrono::{DateTime, Utc};
use crossvault_core::{ids::AccountId, policy::ServiceRole, quantity::Bytes};
use crossvault_handlers::ports::{Assume, BrowsedEntry, Page, PortError, SealedIn, Transaction};

use super::{Cloud, Fact, InvocationId, transfer};
use crate::{
    call::{Request, Response, SessionId},
    ports::Answer,
    refusal::port_error,
    world::{self, Command, Deed, Principal, Refusal, Session, World},
};

/// How long an assumed role's credentials live, in seconds.
const SESSION_S: u32 = 3600;

/// How a call meets the cloud.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Who calls.
    pub by: InvocationId,
    /// The cloud's time.
    pub now: DateTime<Utc>,
    /// Whether a read shows the world before its last change.
    pub is_stale: bool,
    /// Whether what is read from a vault is damaged.
    pub is_damaged: bool,
}

impl Cloud {
    /// Carries out a call.
    ///
    /// # Errors
    /// What the port's method would answer.
    pub fn apply(&mut self, request: Request, at: Circumstances) -> Answer {
        self.took_ms = 0;
        let Circumstances { by, now, .. } = at;
        match request {
            Request::Get(key) => {
                Ok(Response::Row(self.rows.get(&key).map(|row| row.as_ref().clone())))
            }
            Request::GetMany(keys) => {
                let row = |key| self.rows.get(key).map(|row| row.as_ref().clone());
                Ok(Response::Rows(keys.iter().map(row).collect()))
            }
            Request::Range(range) => Ok(Response::Range(self.rows.range(range))),
            Request::Commit(transaction) => self.commit(transaction, by),
            Request::Send { message, group, delay_s } => {
                self.facts.push(Fact::Sent { message, group, delay_s });
                Ok(Response::Done)
            }
            Request::Publish { id, alert } => {
                self.alerts.push((id.clone(), alert.clone()));
                self.facts.push(Fact::Published { id, alert: Box::new(alert) });
                Ok(Response::Done)
            }
            Request::Own => {
                Ok(Response::Session { id: SessionId::OWN, expires: DateTime::<Utc>::MAX_UTC })
            }
            Request::Assume { by: session, assume } => self.assume(session, &assume, by, now),
            Request::EnsureServiceRole { by: session, account, role } => {
                self.ensure_service_role(session, account, role, now)
            }
            Request::Role { by, role } => self.look(by, at, |world, session| {
                world::role(world, session, &role, now).map(Response::Role)
            }),
            Request::Membership { by, account } => self.look(by, at, |world, session| {
                world::membership(world, session, &account, now).map(Response::Membership)
            }),
            Request::Members { by, search, page } => self.look(by, at, |world, session| {
                let all = world::members(world, session, &search, now)?;
                Ok(Response::Members(part(all, &page, |member| member.account.as_str())))
            }),
            Request::Administrators { by } => self.look(by, at, |world, session| {
                world::administrators(world, session, now).map(Response::Administrators)
            }),
            Request::ControlPolicies { by, account } => self.look(by, at, |world, session| {
                world::control_policies(world, session, &account, now)
                    .map(Response::ControlPolicies)
            }),
            Request::ControlTargets { by, policy } => self.look(by, at, |world, session| {
                world::control_targets(world, session, &policy, now).map(Response::ControlTargets)
            }),
            Request::List { by, account, region, kind, page } => {
                self.look(by, at, |world, session| {
                    let all = world::sources(world, session, &account, &region, kind, now)?;
                    Ok(Response::Sources(part(all, &page, |source| source.id.as_str())))
                })
            }
            Request::Describe { by, source } => self.look(by, at, |world, session| {
                world::source(world, session, &source, now).map(Response::Source)
            }),
            Request::Clients { .. } => Ok(Response::Clients(None)),
            Request::CreateVault { vault, .. } => {
                self.storage.vaults.entry(vault.id).or_default();
                Ok(Response::Done)
            }
            Request::Sealed { vault, page, .. } => Ok(self.sealed(&vault, &page)),
            Request::Browse { vault, snapshot, path, page, .. } => {
                self.browse(&vault, &snapshot, &path, &page)
            }
            Request::Discard { vault, snapshots, .. } => {
                for snapshot in snapshots {
                    self.remove_snapshot(by, &vault, &snapshot, None);
                }
                Ok(Response::Done)
            }
            Request::Move { by: session, order, mov } => {
                let is_damaged = at.is_damaged;
                let asked = transfer::Asked { by, session, order: &order, mov, is_damaged, now };
                self.mov(asked).map(|(moved, failed)| Response::Moved(moved, failed))
            }
            Request::Halt { name } => {
                self.transfers.halt(&name);
                Ok(Response::Done)
            }
        }
    }

    fn commit(&mut self, transaction: Transaction, by: InvocationId) -> Answer {
        let (version, changes) = self.rows.commit(transaction)?;
        self.facts.push(Fact::Committed { by, changes });
        Ok(Response::Version(version))
    }

    fn assume(
        &mut self,
        by: SessionId,
        assume: &Assume,
        invocation: InvocationId,
        now: DateTime<Utc>,
    ) -> Answer {
        let issued = self.sessions.get(by).ok_or(PortError::Expired)?;
        // The service enters its own roles for the management account, and for no other caller.
        let is_own = matches!(issued.session.principal(), Principal::Root(_));
        let session = match ServiceRole::of(&assume.role).filter(|_| is_own) {
            Some(role) => Session::service_of(role, assume.role.account.clone())
                .serving(self.management.clone()),
            None => issued.session.clone(),
        };
        let wish = world::Assume {
            role: &assume.role,
            session_name: &assume.session,
            duration_s: SESSION_S,
            session_policy: assume.policy.as_deref(),
        };
        let session = world::assume(&self.world, &session, &wish, now)
            .map_err(|refusal| port_error(&refusal))?;
        let expires = session.expires().unwrap_or(DateTime::<Utc>::MAX_UTC);
        let id = self.sessions.issue(session, (invocation, by), now);
        let role = assume.role.clone();
        self.facts.push(Fact::Assumed { by: invocation, session: id, role });
        Ok(Response::Session { id, expires })
    }

    fn ensure_service_role(
        &mut self,
        by: SessionId,
        account: AccountId,
        role: ServiceRole,
        now: DateTime<Utc>,
    ) -> Answer {
        let issued = self.sessions.get(by).ok_or(PortError::Expired)?;
        let by = issued.session.account().clone();
        match self.does(Command { by, deed: Deed::CreateServiceRole { account, role } }, now) {
            Ok(_) | Err(Refusal::RoleExists(_)) => Ok(Response::Done),
            Err(refusal) => Err(port_error(&refusal)),
        }
    }

    fn look(
        &self,
        by: SessionId,
        at: Circumstances,
        look: impl FnOnce(&World, &Session) -> Result<Response, Refusal>,
    ) -> Answer {
        let issued = self.sessions.get(by).ok_or(PortError::Expired)?;
        let world = self.earlier.as_deref().filter(|_| at.is_stale).unwrap_or(&self.world);
        look(world, &issued.session).map_err(|refusal| port_error(&refusal))
    }

    fn sealed(&self, vault: &crossvault_core::ids::VaultId, page: &Page) -> Response {
        let vaulted = self.storage.vaults.get(vault);
        let snapshots = vaulted.into_iter().flat_map(|vaulted| vaulted.snapshots.values());
        let is_after = |name: &str| page.after.as_ref().is_none_or(|after| name > after.as_str());
        let sealed = snapshots
            .filter(|snapshot| is_after(&snapshot.name))
            .take(page.limit)
            .map(|snapshot| SealedIn {
                job: snapshot.job.clone(),
                snapshot: snapshot.name.clone(),
                partial: snapshot.sealed.is_none(),
            })
            .collect();
        Response::Sealed(sealed)
    }

    fn browse(
        &self,
        vault: &crossvault_core::ids::VaultId,
        snapshot: &str,
        path: &str,
        page: &Page,
    ) -> Answer {
        let vaulted = self.storage.vaults.get(vault);
        let found = vaulted.and_then(|vaulted| vaulted.snapshots.get(snapshot));
        let found = found.filter(|_| path.is_empty());
        let Some(found) = found else { return Err(PortError::NotFound(path.to_owned())) };
        let entry = |file: &super::File| BrowsedEntry {
            name: transfer::path(file.name),
            kind: "file".to_owned(),
            size: Bytes(file.content.length),
            modified: None,
        };
        let entries = found.files.iter().map(entry).collect();
        Ok(Response::Entries(part(entries, page, |entry| &entry.name)))
    }
}

fn part<T>(all: Vec<T>, page: &Page, id: impl Fn(&T) -> &str) -> Vec<T> {
    let is_after = |one: &T| page.after.as_ref().is_none_or(|after| id(one) > after.as_str());
    all.into_iter().filter(is_after).take(page.limit).collect()
}
