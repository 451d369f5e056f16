//! A recovery point's content written into a folder.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use crossvault_core::{
    catalog::Verb,
    explain::Explain,
    job::{Checkpoint, Progress},
    quantity::Bytes,
    restore::{self, Overwrite, Restore},
};
use crossvault_handlers::ports::{Order, PortError, Sealed, TransferName};
use crossvault_simulator::world::Session;
use serde::{Deserialize, Serialize};

use super::{End, failures, folder::FolderTarget, port_error};
use crate::{
    files::write::{self, Mark, Warnings, WriteError, WriteOptions, Writer},
    platform::Embedded,
    touch::SourceTouch,
    vault::{Control, RestoreOrder, Vault, VaultError},
};

/// How many warnings of a restore are told in words.
const WARNINGS_TOLD: usize = 20;

/// Where a restore paused, and what the steps up to there did.
#[derive(Default, Serialize, Deserialize)]
struct Place {
    /// The last path that is in place; bytes that may be no UTF-8.
    after: Option<Vec<u8>>,
    files: u64,
    bytes: u64,
    failed: u64,
}

pub(super) fn run(
    platform: &Embedded,
    order: &Order,
    vault: &Vault,
    restore: &Restore,
    session: Session,
    control: &Arc<Control>,
) -> Result<End, PortError> {
    let before = place(&order.from)?;
    let snapshot = restore.snapshot.parse().map_err(|_| PortError::Corrupt {
        what: format!("recovery point `{}`", restore.point),
        detail: "the name of its data is none".to_owned(),
    })?;
    let writer = writer(platform, &order.name, restore, session)?;
    if order.name.fence > 1 {
        // Temporary files of steps that died.
        writer.sweep().map_err(write_error)?;
    }
    let into = PathBuf::from(&restore.into);
    if !restore.into.is_empty() {
        writer.directory(&into).map_err(write_error)?;
    }
    let wish = RestoreOrder {
        snapshot,
        only: restore.only.as_ref().map(PathBuf::from),
        after: before.after.as_ref().map(|bytes| OsString::from_vec(bytes.clone()).into()),
        failures_max: u64::MAX,
    };
    let target = FolderTarget { writer, into };
    let end = vault.restore(&wish, &target, control).map_err(|error| port_error(&error))?;
    let done = Place {
        after: end.paused.as_deref().map(|path: &Path| path.as_os_str().as_bytes().to_vec()),
        files: before.files.saturating_add(end.files),
        bytes: before.bytes.saturating_add(end.bytes),
        failed: before.failed.saturating_add(end.failed),
    };
    let progress = Progress {
        bytes: Bytes(done.bytes),
        files: done.files,
        failed: done.failed,
        expected: None,
    };
    let failures = failures(&end.failures);
    if done.after.is_some() {
        let at = serde_json::to_string(&done).map_err(|_| unreadable())?;
        return Ok(End::Paused { at: Checkpoint(Some(at)), progress, failures });
    }
    let made = restore::Sealed {
        files: done.files,
        bytes: progress.bytes,
        failed: done.failed,
        warnings: warnings(&target.writer.warnings()),
    };
    Ok(End::Sealed { sealed: Sealed::Restore(made), progress, failures })
}

/// Removes the temporary files of steps that died, when no further step will.
pub(super) fn sweep(
    platform: &Embedded,
    name: &TransferName,
    restore: &Restore,
    session: Session,
) -> Result<(), PortError> {
    writer(platform, name, restore, session)?.sweep().map_err(write_error)?;
    Ok(())
}

fn writer(
    platform: &Embedded,
    name: &TransferName,
    restore: &Restore,
    session: Session,
) -> Result<Writer, PortError> {
    let root = platform
        .world()
        .location(&restore.to)
        .ok_or_else(|| PortError::NotFound(restore.to.to_string()))?;
    let touch = Arc::new(SourceTouch::new(
        Arc::clone(platform.world()),
        session,
        restore.to.clone(),
        Verb::Restore,
    ));
    let overwrite = match restore.overwrite {
        Overwrite::Refuse => write::Overwrite::Refuse,
        Overwrite::Replace => write::Overwrite::Replace,
    };
    let mark = Mark { job: name.job.to_string(), fence: u64::from(name.fence) };
    Writer::new(&root, WriteOptions { overwrite, mark }, touch).map_err(write_error)
}

/// What the writer could not restore with its entries, in words.
fn warnings(all: &Warnings) -> Vec<String> {
    let mut words: Vec<String> =
        all.first.iter().take(WARNINGS_TOLD).map(ToString::to_string).collect();
    let told = u64::try_from(words.len()).unwrap_or(u64::MAX);
    let more = all.total.saturating_sub(told);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words
}

fn place(from: &Checkpoint) -> Result<Place, PortError> {
    let Some(text) = &from.0 else { return Ok(Place::default()) };
    serde_json::from_str(text).map_err(|_| unreadable())
}

fn unreadable() -> PortError {
    PortError::Invalid("a restore's checkpoint can't be read".to_owned())
}

fn write_error(error: WriteError) -> PortError {
    if let WriteError::Refused(refused) = error {
        return port_error(&VaultError::Refused(refused));
    }
    PortError::Failed {
        code: error.code().to_owned(),
        message: error.to_string(),
        remedy: error.remedy(),
    }
}
