//! Backing up: each file is read, and stored unless the vault has it.

use std::sync::Arc;

use crossvault_core::{
    backup,
    catalog::Verb,
    ids::{DataSource, JobId, VaultId},
    job::{Checkpoint, Progress},
    quantity::Bytes,
};
use crossvault_handlers::ports::{Sealed, Standing, TransferName};

use super::{Asked, BYTES_A_MS, Moving, Outcome, again, failed, find, find_near, index, seal};
use crate::{
    call::{Move, Moved},
    cloud::{Cloud, Fact, File, Snapshot, Vaulted, contents::put},
};

impl Cloud {
    pub(super) fn back_up(
        &mut self,
        asked: Asked<'_>,
        source: &DataSource,
        vault: &VaultId,
    ) -> Outcome {
        let Asked { by, order, mov, now, .. } = asked;
        let name = &order.name;
        let vaulted = self.storage.vaults.get(vault);
        match mov {
            Move::Find => {
                let found = vaulted.and_then(|vaulted| sealed_of(vaulted, &name.job));
                if let Some((sealed, progress)) = found {
                    if sealed.epoch == order.epoch {
                        return Ok((seal(Sealed::Backup(sealed), progress), vec![]));
                    }
                    // A prune came between: what was sealed before it may lack data.
                    let job = Some(name.job.clone());
                    self.remove_snapshot(by, vault, &sealed.snapshot, job);
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
                let is_still_so = |file: &File| find(&files, file.name) == Some(*file);
                moving.done = done.into_iter().filter(is_still_so).collect();
                Ok((self.begin(name, moving), vec![]))
            }
            Move::Item(n) => {
                self.touch(asked, Verb::BackUp, source)?;
                self.files_of(source)?;
                let Some(moving) = self.transfers.moving.get_mut(name) else {
                    return Ok((again(), vec![]));
                };
                let Some(planned) = moving.plan.get(index(n)).copied() else {
                    return Ok((moving.next(order, now), vec![]));
                };
                let held = self.contents.held(moving.source).and_then(|held| held.files.as_ref());
                let found = held.and_then(|files| find_near(files, planned.name, index(n)));
                let Some(file) = found else {
                    let failed = failed(planned.name, "VANISHED", "it is gone");
                    return Ok((moving.fail(order, now), vec![failed]));
                };
                let vaulted = self.storage.vaults.entry(vault.clone()).or_default();
                let is_new = vaulted.blobs.insert(file.content, file.content.length).is_none();
                self.took_ms = file.content.length.checked_div(BYTES_A_MS).unwrap_or(0);
                if !moving.has_read(planned) {
                    put(&mut moving.done, file);
                }
                moving.count(file.content.length, is_new);
                Ok((moving.next(order, now), vec![]))
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
        let Moving { begun, done, progress, added, .. } = moving;
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
}

/// What a job has sealed, whatever the fence.
fn sealed_of(vaulted: &Vaulted, job: &JobId) -> Option<(backup::Sealed, Progress)> {
    let of_job = vaulted.snapshots.range(job.to_string()..);
    let mut of_job = of_job.take_while(|(name, _)| name.starts_with(job.as_str()));
    of_job.find_map(|(_, snapshot)| snapshot.sealed.clone())
}
