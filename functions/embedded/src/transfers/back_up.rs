//! A folder read into a vault.

use std::sync::Arc;

use crossvault_core::{
    backup,
    catalog::Verb,
    ids::{DataSource, PolicyId, SourceKind},
    job::{Checkpoint, Progress},
    quantity::Bytes,
};
use crossvault_handlers::ports::{Clock, Order, PortError, Sealed};
use crossvault_simulator::world::Session;

use super::{End, failures, folder::FolderTree, port_error, progress};
use crate::{
    platform::Embedded,
    touch::SourceTouch,
    vault::{self, BackupEnd, BackupOrder, Control, Vault},
};

pub(super) fn run(
    platform: &Embedded,
    order: &Order,
    vault: &Vault,
    source: &DataSource,
    policy: Option<&PolicyId>,
    session: Session,
    control: &Arc<Control>,
) -> Result<End, PortError> {
    let vault_error = |error| port_error(&error);
    // What this job sealed before a crash is sealed; unless a prune came between.
    if let Some(sealed) = vault.find(&order.name.job).map_err(vault_error)? {
        if sealed.epoch == order.epoch {
            return Ok(of_sealed(&sealed));
        }
        vault.forget(&[sealed.snapshot]).map_err(vault_error)?;
    }
    if order.name.fence > 1
        && let Some(alone) = vault.leases().try_exclude()
    {
        // A step before this one may have left data that no index names.
        vault.adopt_orphans(&alone).map_err(vault_error)?;
    }
    let root =
        platform.world().location(source).ok_or_else(|| PortError::NotFound(source.to_string()))?;
    let world = Arc::clone(platform.world());
    let touch = Arc::new(SourceTouch::new(world, session, source.clone(), Verb::BackUp));
    let backup = BackupOrder {
        source: source.clone(),
        plan: policy.cloned(),
        job: order.name.job.clone(),
        fence: order.name.fence,
        epoch: order.epoch,
        time: platform.now(),
        parent: order.from.0.as_ref().and_then(|name| name.parse().ok()),
        failures_max: u64::MAX,
        // On network file systems it moves by itself.
        ignore_change_time: source.kind == SourceKind::Nas,
    };
    let tree = FolderTree { root, touch };
    match vault.back_up(&backup, tree, control).map_err(vault_error)? {
        BackupEnd::Sealed(sealed) => Ok(of_sealed(&sealed)),
        BackupEnd::Paused { at, failures: failed, .. } => {
            let at = Checkpoint(Some(at.to_string()));
            let failed_count = u64::try_from(failed.len()).unwrap_or(u64::MAX);
            let progress = Progress { failed: failed_count, ..progress(control) };
            Ok(End::Paused { at, progress, failures: failures(&failed) })
        }
    }
}

fn of_sealed(sealed: &vault::Sealed) -> End {
    let progress = Progress {
        bytes: Bytes(sealed.bytes),
        files: sealed.files,
        failed: sealed.failed,
        expected: Some(Bytes(sealed.bytes)),
    };
    let made = backup::Sealed {
        snapshot: sealed.snapshot.to_string(),
        epoch: sealed.epoch,
        taken: sealed.taken,
        files: sealed.files,
        bytes: Bytes(sealed.bytes),
        added: Bytes(sealed.bytes_added),
        failed: sealed.failed,
    };
    End::Sealed { sealed: Sealed::Backup(made), progress, failures: failures(&sealed.failures) }
}
