//! Transfers: each move a call of its own, checked and struck by itself.
//!
//! Where a transfer stands is the memory of the instance that runs it: it dies with the invocation.
//! What it has stored stays: blobs, checkpoints, restored files.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup,
    catalog::{self, Operation, Verb},
    ids::{DataSource, JobId, SourceKind, VaultId},
    job::{Checkpoint, Progress},
    policy::Context,
    quantity::Bytes,
    restore::{self, Overwrite, Restore},
    upkeep::{self, Erase, Prune},
};
use crossvault_handlers::ports::{
    FailedFile, Order, PortError, Sealed, Standing, TransferName, Work,
};

use super::{Cloud, Fact, File, InvocationId, Snapshot, Vaulted, contents::mix};
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
    plan: Arc<[File]>,
    /// What a restore found in the target.
    seen: Option<Arc<[File]>>,
    /// What has been read.
    done: Vec<File>,
    at: u32,
    progress: Progress,
    added: u64,
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
        match &asked.order.work {
            Work::BackUp { source, vault, .. } => self.back_up(asked, source, vault),
            Work::Restore(restore) => self.restore(asked, restore),
            Work::Erase(erase) => Ok((self.erase(asked, erase), vec![])),
            Work::Prune(prune) => Ok((self.prune(asked, prune), vec![])),
        }
    }

    fn back_up(&mut self, asked: Asked<'_>, source: &DataSource, vault: &VaultId) -> Outcome {
        let Asked { by, order, mov, now, .. } = asked;
        let name = &order.name;
        let vaulted = self.storage.vaults.get(vault);
        match mov {
            Move::Find => {
                let found = vaulted.and_then(|vaulted| sealed_of(vaulted, &name.job));
                if let Some((sealed, progress)) = found {
                    return Ok((seal(Sealed::Backup(sealed), progress), vec![]));
                }
                Ok((self.go_on(name), vec![]))
            }
            Move::Open => {
                let parent = order.from.0.as_ref().zip(vaulted);
                let parent = parent.and_then(|(name, vaulted)| vaulted.snapshots.get(name));
                let done = parent.map_or_else(Vec::new, |parent| parent.files.to_vec());
                let begun = parent.map_or(now, |parent| parent.begun);
                self.touch(asked, Verb::BackUp, source)?;
                let (number, files) = self.files_of(source)?;
                let mut moving = Moving::new(by, number, begun, Arc::clone(&files));
                moving.progress.expected =
                    Some(Bytes(files.iter().map(|file| file.content.length).sum()));
                // What a checkpoint has, and what is still so, is not read again.
                moving.done = done.into_iter().filter(|file| files.contains(file)).collect();
                Ok((self.begin(name, moving), vec![]))
            }
            Move::Item(n) => {
                self.touch(asked, Verb::BackUp, source)?;
                let Some(moving) = self.transfers.moving.get(name) else {
                    return Ok((again(), vec![]));
                };
                let Some(planned) = moving.plan.get(index(n)).copied() else {
                    return Ok((self.next(name, order, now), vec![]));
                };
                let is_done = moving.done.contains(&planned);
                let held = self.contents.held(moving.source).and_then(|held| held.files.as_ref());
                let found = held.and_then(|files| find(files, planned.name));
                let Some(file) = found else {
                    return Ok((
                        self.fail(name, order, now),
                        vec![failed(planned.name, "VANISHED", "it is gone")],
                    ));
                };
                let vaulted = self.storage.vaults.entry(vault.clone()).or_default();
                let is_new = vaulted.blobs.insert(file.content, file.content.length).is_none();
                self.took_ms = file.content.length.checked_div(BYTES_A_MS).unwrap_or(0);
                if let Some(moving) = self.transfers.moving.get_mut(name) {
                    if !is_done {
                        moving.done.retain(|done| done.name != file.name);
                        moving.done.push(file);
                    }
                    moving.count(file.content.length, is_new);
                }
                Ok((self.next(name, order, now), vec![]))
            }
            Move::Pause | Move::Seal => {
                let Some(moving) = self.transfers.moving.remove(name) else {
                    return Ok((again(), vec![]));
                };
                Ok((self.store_snapshot(asked, source, vault, moving), vec![]))
            }
        }
    }

    /// Stores what was read, as a checkpoint or as what the job makes.
    fn store_snapshot(
        &mut self,
        asked: Asked<'_>,
        source: &DataSource,
        vault: &VaultId,
        moving: Moving,
    ) -> Moved {
        let Asked { order, mov, .. } = asked;
        let TransferName { job, fence } = &order.name;
        let is_sealed = mov == Move::Seal;
        let name = if is_sealed { format!("{job}-{fence}") } else { format!("{job}-{fence}-part") };
        let Moving { begun, mut done, progress, added, .. } = moving;
        done.sort_unstable();
        let sealed = backup::Sealed {
            snapshot: name.clone(),
            epoch: order.epoch,
            taken: begun,
            files: u64::try_from(done.len()).unwrap_or(u64::MAX),
            bytes: Bytes(done.iter().map(|file| file.content.length).sum()),
            added: Bytes(added),
            failed: progress.failed,
        };
        let snapshot = Arc::new(Snapshot {
            name: name.clone(),
            job: job.clone(),
            fence: *fence,
            source: source.clone(),
            begun,
            files: done.into(),
            sealed: is_sealed.then(|| (sealed.clone(), progress)),
        });
        let vaulted = self.storage.vaults.entry(vault.clone()).or_default();
        vaulted.snapshots.insert(name.clone(), Arc::clone(&snapshot));
        if !is_sealed {
            let at = Checkpoint(Some(name));
            return Moved::Stands(Standing::Paused { at, progress, failures: vec![] });
        }
        self.facts.push(Fact::Sealed { vault: vault.clone(), snapshot });
        seal(Sealed::Backup(sealed), progress)
    }

    fn restore(&mut self, asked: Asked<'_>, restore: &Restore) -> Outcome {
        let Asked { by, order, mov, now, .. } = asked;
        let name = &order.name;
        match mov {
            Move::Find => {
                if let Some((sealed, progress)) = self.storage.restored.get(&name.job) {
                    return Ok((seal(Sealed::Restore(sealed.clone()), *progress), vec![]));
                }
                Ok((self.go_on(name), vec![]))
            }
            Move::Open => {
                self.touch(asked, Verb::Restore, &restore.to)?;
                let snapshot = self.snapshot(restore)?;
                let wanted = |file: &&File| is_wanted(restore, file.name);
                let plan: Arc<[File]> = snapshot.files.iter().filter(wanted).copied().collect();
                let (number, seen) = self.files_of(&restore.to)?;
                let mut moving = Moving::new(by, number, now, plan);
                moving.progress.expected = Some(restore.bytes);
                moving.seen = Some(seen);
                moving.at = order.from.0.as_ref().and_then(|at| at.parse().ok()).unwrap_or(0);
                Ok((self.begin(name, moving), vec![]))
            }
            Move::Item(n) => {
                self.touch(asked, Verb::Restore, &restore.to)?;
                let Some(moving) = self.transfers.moving.get(name) else {
                    return Ok((again(), vec![]));
                };
                let Some(file) = moving.plan.get(index(n)).copied() else {
                    return Ok((self.next(name, order, now), vec![]));
                };
                let blobs = self.storage.vaults.get(&restore.vault).map(|vaulted| &vaulted.blobs);
                let is_there = blobs.is_some_and(|blobs| blobs.contains_key(&file.content));
                if asked.is_damaged || !is_there {
                    let failed = failed(file.name, "CORRUPT", "its data is damaged in the vault");
                    return Ok((self.fail(name, order, now), vec![failed]));
                }
                let (source, seen) = (moving.source, moving.seen.clone());
                self.took_ms = file.content.length.checked_div(BYTES_A_MS).unwrap_or(0);
                let after = File { name: restored_name(restore, file.name), ..file };
                let held = self.contents.held(source).and_then(|held| held.files.clone());
                let before = held.as_deref().and_then(|files| find(files, after.name));
                let seen = seen.as_deref().and_then(|files| find(files, after.name));
                // The cloud rolls whole disks back; files are replaced only where this was asked.
                let replaces = restore.overwrite == Overwrite::Replace
                    || restore.to.kind == SourceKind::EcsInstance;
                let may = before.is_none() || before == Some(after) || (replaces && before == seen);
                if !may {
                    let failed = failed(file.name, "EXISTS", "another file is in the way");
                    return Ok((self.fail(name, order, now), vec![failed]));
                }
                if before != Some(after) {
                    self.contents.put(source, after);
                    self.facts.push(Fact::Written { source, job: name.job.clone(), before, after });
                }
                if let Some(moving) = self.transfers.moving.get_mut(name) {
                    moving.count(file.content.length, true);
                }
                Ok((self.next(name, order, now), vec![]))
            }
            Move::Pause => {
                let Some(moving) = self.transfers.moving.remove(name) else {
                    return Ok((again(), vec![]));
                };
                let at = Checkpoint(Some(moving.at.to_string()));
                let standing = Standing::Paused { at, progress: moving.progress, failures: vec![] };
                Ok((Moved::Stands(standing), vec![]))
            }
            Move::Seal => {
                let Some(moving) = self.transfers.moving.remove(name) else {
                    return Ok((again(), vec![]));
                };
                let Progress { bytes, files, failed, .. } = moving.progress;
                let sealed = restore::Sealed { files, bytes, failed, warnings: vec![] };
                self.storage.restored.insert(name.job.clone(), (sealed.clone(), moving.progress));
                self.facts.push(Fact::Restored { job: name.job.clone(), source: moving.source });
                Ok((seal(Sealed::Restore(sealed), moving.progress), vec![]))
            }
        }
    }

    fn erase(&mut self, asked: Asked<'_>, erase: &Erase) -> Moved {
        let Asked { by, order, mov, .. } = asked;
        let count = u32::try_from(erase.points.len()).unwrap_or(u32::MAX);
        let progress = Progress::default();
        match mov {
            Move::Find | Move::Open | Move::Pause => Moved::On { next: Move::Item(0), progress },
            Move::Item(n) => {
                if let Some(point) = erase.points.get(index(n)) {
                    let job = Some(order.name.job.clone());
                    self.remove_snapshot(by, &erase.vault, &point.snapshot, job);
                }
                let next = n.saturating_add(1);
                let next = if next < count { Move::Item(next) } else { Move::Seal };
                Moved::On { next, progress }
            }
            Move::Seal => {
                let sealed = upkeep::Sealed { removed: count.into(), freed: Bytes::ZERO };
                seal(Sealed::Upkeep(sealed), progress)
            }
        }
    }

    fn prune(&mut self, asked: Asked<'_>, prune: &Prune) -> Moved {
        let progress = Progress::default();
        if asked.mov != Move::Seal {
            return Moved::On { next: Move::Seal, progress };
        }
        let vaulted = self.storage.vaults.entry(prune.vault.clone()).or_default();
        let removed = vaulted.prune();
        self.facts.push(Fact::Pruned { vault: prune.vault.clone(), removed });
        seal(Sealed::Upkeep(upkeep::Sealed { removed, freed: Bytes::ZERO }), progress)
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

    fn files_of(&self, source: &DataSource) -> Result<(u32, Arc<[File]>), PortError> {
        let missing = || PortError::NotFound(source.to_string());
        let number = self.contents.number(source).ok_or_else(missing)?;
        let files = self.contents.held(number).and_then(|held| held.files.clone());
        Ok((number, files.ok_or_else(missing)?))
    }

    fn snapshot(&self, restore: &Restore) -> Result<Arc<Snapshot>, PortError> {
        let vaulted = self.storage.vaults.get(&restore.vault);
        let snapshot = vaulted.and_then(|vaulted| vaulted.snapshots.get(&restore.snapshot));
        snapshot.cloned().ok_or_else(|| PortError::Corrupt {
            what: format!("recovery point `{}`", restore.point),
            detail: "its snapshot is not in the vault".to_owned(),
        })
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

    /// Steps to the next item, or stands where it is time to.
    fn next(&mut self, name: &TransferName, order: &Order, now: DateTime<Utc>) -> Moved {
        let Some(moving) = self.transfers.moving.get_mut(name) else { return again() };
        moving.at = moving.at.saturating_add(1);
        let next = moving.next_item();
        let next = if next != Move::Seal && now >= order.pause_at { Move::Pause } else { next };
        moving.on(next)
    }

    fn fail(&mut self, name: &TransferName, order: &Order, now: DateTime<Utc>) -> Moved {
        if let Some(moving) = self.transfers.moving.get_mut(name) {
            moving.progress.failed = moving.progress.failed.saturating_add(1);
        }
        self.next(name, order, now)
    }
}

impl Moving {
    fn new(by: InvocationId, source: u32, begun: DateTime<Utc>, plan: Arc<[File]>) -> Self {
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

/// What a job has sealed, whatever the fence.
fn sealed_of(vaulted: &Vaulted, job: &JobId) -> Option<(backup::Sealed, Progress)> {
    let of_job = vaulted.snapshots.range(job.to_string()..);
    let mut of_job = of_job.take_while(|(name, _)| name.starts_with(job.as_str()));
    of_job.find_map(|(_, snapshot)| snapshot.sealed.clone())
}

fn find(files: &[File], name: u64) -> Option<File> {
    let place = files.binary_search_by_key(&name, |file| file.name).ok()?;
    files.get(place).copied()
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// How a file is called where people see it.
pub(super) fn path(name: u64) -> String {
    format!("f{name:06}")
}

fn failed(name: u64, code: &str, message: &str) -> FailedFile {
    FailedFile { path: path(name), code: code.to_owned(), message: message.to_owned() }
}

fn is_wanted(restore: &Restore, name: u64) -> bool {
    restore.only.as_ref().is_none_or(|only| *only == path(name))
}

/// Below a folder of the target a file has another name.
fn restored_name(restore: &Restore, name: u64) -> u64 {
    if restore.into.is_empty() {
        return name;
    }
    restore.into.bytes().fold(mix(name), |seed, byte| mix(seed ^ u64::from(byte)))
}
