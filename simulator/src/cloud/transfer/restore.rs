//! Restoring: each file is written only where nothing is, or what may be replaced.

use std::sync::Arc;

use crossvault_core::{
    catalog::Verb,
    ids::SourceKind,
    job::{Checkpoint, Progress},
    quantity::Bytes,
    restore::{self, Overwrite, Restore},
};
use crossvault_handlers::ports::{PortError, Sealed, Standing};

use super::{Asked, BYTES_A_MS, Moving, Outcome, again, failed, find, index, path, seal};
use crate::{
    call::{Move, Moved},
    cloud::{Cloud, Fact, File, Snapshot, contents::mix},
};

impl Cloud {
    pub(super) fn restore(&mut self, asked: Asked<'_>, restore: &Restore) -> Outcome {
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
                let plan = Arc::new(snapshot.files.iter().filter(wanted).copied().collect());
                let (number, seen) = self.files_of(&restore.to)?;
                let mut moving = Moving::new(by, number, now, plan);
                if let Some((at, progress)) = order.from.0.as_deref().and_then(read) {
                    (moving.at, moving.progress) = (at, progress);
                }
                moving.progress.expected = Some(restore.bytes);
                moving.seen = Some(seen);
                Ok((self.begin(name, moving), vec![]))
            }
            Move::Item(n) => {
                self.touch(asked, Verb::Restore, &restore.to)?;
                self.files_of(&restore.to)?;
                let Some(moving) = self.transfers.moving.get_mut(name) else {
                    return Ok((again(), vec![]));
                };
                let Some(file) = moving.plan.get(index(n)).copied() else {
                    return Ok((moving.next(order, now), vec![]));
                };
                let blobs = self.storage.vaults.get(&restore.vault).map(|vaulted| &vaulted.blobs);
                let is_there = blobs.is_some_and(|blobs| blobs.contains_key(&file.content));
                if asked.is_damaged || !is_there {
                    let failed = failed(file.name, "CORRUPT", "its data is damaged in the vault");
                    return Ok((moving.fail(order, now), vec![failed]));
                }
                let source = moving.source;
                self.took_ms = file.content.length.checked_div(BYTES_A_MS).unwrap_or(0);
                let after = File { name: restored_name(&restore.into, file.name), ..file };
                let held = self.contents.held(source).and_then(|held| held.files.as_ref());
                let before = held.and_then(|files| find(files, after.name));
                let seen = moving.seen.as_ref().and_then(|files| find(files, after.name));
                // The cloud rolls whole disks back; files are replaced only where this was asked.
                let replaces = restore.overwrite == Overwrite::Replace
                    || restore.to.kind == SourceKind::EcsInstance;
                let may = before.is_none() || before == Some(after) || (replaces && before == seen);
                if !may {
                    let failed = failed(file.name, "EXISTS", "another file is in the way");
                    return Ok((moving.fail(order, now), vec![failed]));
                }
                if before != Some(after) {
                    self.contents.put(source, after);
                    self.facts.push(Fact::Written { source, job: name.job.clone(), before, after });
                }
                moving.count(file.content.length, true);
                Ok((moving.next(order, now), vec![]))
            }
            Move::Pause => {
                let Some(moving) = self.transfers.moving.remove(name) else {
                    return Ok((again(), vec![]));
                };
                let at = Checkpoint(Some(written(moving.at, moving.progress)));
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

    fn snapshot(&self, restore: &Restore) -> Result<Arc<Snapshot>, PortError> {
        let vaulted = self.storage.vaults.get(&restore.vault);
        let snapshot = vaulted.and_then(|vaulted| vaulted.snapshots.get(&restore.snapshot));
        snapshot.cloned().ok_or_else(|| PortError::Corrupt {
            what: format!("recovery point `{}`", restore.point),
            detail: "its snapshot is not in the vault".to_owned(),
        })
    }
}

fn is_wanted(restore: &Restore, name: u64) -> bool {
    restore.only.as_ref().is_none_or(|only| *only == path(name))
}

/// Below a folder of the target a file has another name.
pub(crate) fn restored_name(into: &str, name: u64) -> u64 {
    if into.is_empty() {
        return name;
    }
    into.bytes().fold(mix(name), |seed, byte| mix(seed ^ u64::from(byte)))
}

/// A checkpoint: the next item, and what was done before it.
fn written(at: u32, progress: Progress) -> String {
    let Progress { bytes, files, failed, .. } = progress;
    format!("{at} {files} {} {failed}", bytes.0)
}

fn read(text: &str) -> Option<(u32, Progress)> {
    let mut parts = text.split(' ');
    let at = parts.next()?.parse().ok()?;
    let mut number = || parts.next()?.parse().ok();
    let (files, bytes, failed) = (number()?, Bytes(number()?), number()?);
    Some((at, Progress { bytes, files, failed, expected: None }))
}
