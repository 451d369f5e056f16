//! Transfers: each move a call of its own, checked and struck by itself.
//!
//! Where a transfer stands is the memory of the instance that runs it: it dies with the invocation.
//! What it has stored stays: blobs, checkpoints, restored files.

mod back_up;
mod restore;
mod upkeep;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::{self, Operation, Verb},
    ids::{DataSource, JobId, VaultId},
    job::Progress,
    policy::Context,
    quantity::Bytes,
};
use crossvault_handlers::ports::{
    FailedFile, Order, PortError, Sealed, Standing, TransferName, Work,
};

pub(crate) use self::restore::restored_name;
use super::{Cloud, Fact, File, InvocationId};
use crate::{
    call::{Move, Moved, SessionId},
    refusal::port_error,
    world,
};

/// How many bytes a transfer moves in a millisecond.
const BYTES_A_MS: u64 = 100_000;

/// One touch in so many is checked anew although nothing has changed.
const CHECK_EVERY: u32 = 64;

/// What comes of a move, and the files that failed in it.
pub(super) type Outcome = Result<(Moved, Vec<FailedFile>), PortError>;

/// Where a transfer stands, in the memory of who runs it.
#[derive(Clone, Debug)]
pub struct Moving {
    /// Who runs it.
    pub by: InvocationId,
    /// The source that is read or written, by number.
    source: u32,
    begun: DateTime<Utc>,
    /// What was there to move when it was listed.
    plan: Arc<Vec<File>>,
    /// What a restore found in the target.
    seen: Option<Arc<Vec<File>>>,
    /// What has been read, in the order of names.
    done: Vec<File>,
    at: u32,
    progress: Progress,
    added: u64,
    /// What failed since it was opened.
    failures: Vec<FailedFile>,
    /// The world and the session for which touches are allowed, and how many were since.
    allowed: Option<(u64, SessionId)>,
    touches: u32,
}

/// All transfers that run.
#[derive(Clone, Debug, Default)]
pub struct Transfers {
    moving: BTreeMap<TransferName, Moving>,
}

impl Transfers {
    /// How many run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.moving.len()
    }

    /// Whether none runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moving.is_empty()
    }

    /// Forgets what a dead invocation ran.
    pub fn die(&mut self, by: InvocationId) {
        self.moving.retain(|_, moving| moving.by != by);
    }

    pub(super) fn halt(&mut self, name: &TransferName) {
        self.moving.remove(name);
    }
}

/// A move as it is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) by: InvocationId,
    pub(super) session: SessionId,
    pub(super) order: &'a Arc<Order>,
    pub(super) mov: Move,
    pub(super) is_damaged: bool,
    pub(super) now: DateTime<Utc>,
}

impl Cloud {
    pub(super) fn mov(&mut self, asked: Asked<'_>) -> Outcome {
        let name = &asked.order.name;
        let sealing = self.transfers.moving.get(name).filter(|_| asked.mov == Move::Seal);
        let sealing = sealing.map(|moving| moving.failures.clone());
        let (mut moved, failed) = match &asked.order.work {
            Work::BackUp { source, vault, .. } => self.back_up(asked, source, vault),
            Work::Restore(restore) => self.restore(asked, restore),
            Work::Erase(erase) => self.erase(asked, erase),
            Work::Prune(prune) => Ok((self.prune(asked, prune), vec![])),
        }?;
        if let Some(moving) = self.transfers.moving.get_mut(name).filter(|_| !failed.is_empty()) {
            moving.failures.extend(failed.iter().cloned());
        }
        if let Moved::Stands(Standing::Sealed { failures, .. }) = &mut moved {
            let known = &mut self.storage.failures;
            match sealing {
                Some(met) if met.is_empty() => {}
                Some(met) => drop(known.insert(name.job.clone(), met)),
                // Who finds what was sealed before is told of all that failed in it.
                None => *failures = known.get(&name.job).cloned().unwrap_or_default(),
            }
        }
        Ok((moved, failed))
    }

    /// Takes a snapshot out of a vault; what is not there is gone.
    pub(super) fn remove_snapshot(
        &mut self,
        by: InvocationId,
        vault: &VaultId,
        name: &str,
        job: Option<JobId>,
    ) {
        let vaulted = self.storage.vaults.get_mut(vault);
        if let Some(snapshot) = vaulted.and_then(|vaulted| vaulted.snapshots.remove(name)) {
            self.facts.push(Fact::Erased { by, vault: vault.clone(), snapshot, job });
        }
    }

    /// Asks the world whether a source may be touched. A yes holds for the session until the world
    /// changes or the session ends, and is looked at again now and then.
    fn touch(
        &mut self,
        asked: Asked<'_>,
        verb: Verb,
        source: &DataSource,
    ) -> Result<(), PortError> {
        let Asked { by, session, order, mov, now, .. } = asked;
        let refused = self.may_touch(asked, verb, source).err();
        let source = source.clone();
        self.facts.push(Fact::Touched {
            by,
            session,
            verb,
            mov,
            source,
            order: Arc::clone(order),
            at: now,
            refused: refused.clone(),
        });
        refused.map_or(Ok(()), Err)
    }

    fn may_touch(
        &mut self,
        asked: Asked<'_>,
        verb: Verb,
        source: &DataSource,
    ) -> Result<(), PortError> {
        let Asked { session: id, order, now, .. } = asked;
        let Some(issued) = self.sessions.get(id) else { return Err(PortError::Expired) };
        let version = self.world.version();
        if let Some(moving) = self.transfers.moving.get_mut(&order.name)
            && moving.allowed == Some((version, id))
            && issued.session.expires().is_none_or(|expires| expires > now)
        {
            moving.touches = moving.touches.wrapping_add(1);
            if !moving.touches.is_multiple_of(CHECK_EVERY) {
                return Ok(());
            }
        }
        let operation = Operation { kind: source.kind, verb };
        for need in catalog::needs(operation, source.into()) {
            let (action, resource) = (need.action, &need.resource);
            world::check(&self.world, &issued.session, action, resource, &Context::default(), now)
                .map_err(|refusal| port_error(&refusal))?;
        }
        if let Some(moving) = self.transfers.moving.get_mut(&order.name) {
            moving.allowed = Some((version, id));
        }
        Ok(())
    }

    fn files_of(&self, source: &DataSource) -> Result<(u32, Arc<Vec<File>>), PortError> {
        let missing = || PortError::NotFound(source.to_string());
        let number = self.contents.number(source).ok_or_else(missing)?;
        let files = self.contents.held(number).and_then(|held| held.files.clone());
        Ok((number, files.ok_or_else(missing)?))
    }

    fn go_on(&self, name: &TransferName) -> Moved {
        match self.transfers.moving.get(name) {
            Some(moving) => moving.on(Move::Item(moving.at)),
            None => again_from(Move::Open),
        }
    }

    fn begin(&mut self, name: &TransferName, moving: Moving) -> Moved {
        let moved = moving.on(moving.next_item());
        self.transfers.moving.insert(name.clone(), moving);
        moved
    }
}

impl Moving {
    fn new(by: InvocationId, source: u32, begun: DateTime<Utc>, plan: Arc<Vec<File>>) -> Self {
        Self {
            by,
            source,
            begun,
            plan,
            seen: None,
            done: Vec::new(),
            at: 0,
            progress: Progress::default(),
            added: 0,
            failures: Vec::new(),
            allowed: None,
            touches: 0,
        }
    }

    fn next_item(&self) -> Move {
        if index(self.at) < self.plan.len() { Move::Item(self.at) } else { Move::Seal }
    }

    fn on(&self, next: Move) -> Moved {
        Moved::On { next, progress: self.progress }
    }

    fn has_read(&self, file: File) -> bool {
        // Files are mostly read in the order of their names.
        self.done.last().is_some_and(|last| last.name >= file.name)
            && find(&self.done, file.name) == Some(file)
    }

    /// Steps to the next item, or stands where it is time to.
    fn next(&mut self, order: &Order, now: DateTime<Utc>) -> Moved {
        self.at = self.at.saturating_add(1);
        let next = self.next_item();
        let next = if next != Move::Seal && now >= order.pause_at { Move::Pause } else { next };
        self.on(next)
    }

    fn fail(&mut self, order: &Order, now: DateTime<Utc>) -> Moved {
        self.progress.failed = self.progress.failed.saturating_add(1);
        self.next(order, now)
    }

    fn count(&mut self, bytes: u64, is_new: bool) {
        self.progress.files = self.progress.files.saturating_add(1);
        self.progress.bytes = Bytes(self.progress.bytes.0.saturating_add(bytes));
        if is_new {
            self.added = self.added.saturating_add(bytes);
        }
    }
}

/// What the instance has forgotten is begun again.
fn again() -> Moved {
    again_from(Move::Find)
}

fn again_from(next: Move) -> Moved {
    Moved::On { next, progress: Progress::default() }
}

fn seal(sealed: Sealed, progress: Progress) -> Moved {
    Moved::Stands(Standing::Sealed { sealed, progress, failures: vec![] })
}

fn find(files: &[File], name: u64) -> Option<File> {
    let place = files.binary_search_by_key(&name, |file| file.name).ok()?;
    files.get(place).copied()
}

/// The same; looks first where it was when it was listed.
fn find_near(files: &[File], name: u64, place: usize) -> Option<File> {
    let there = files.get(place).filter(|file| file.name == name).copied();
    there.or_else(|| find(files, name))
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// How a file is called where people see it.
pub(crate) fn path(name: u64) -> String {
    format!("f{name:06}")
}

fn failed(name: u64, code: &str, message: &str) -> FailedFile {
    FailedFile { path: path(name), code: code.to_owned(), message: message.to_owned() }
}
