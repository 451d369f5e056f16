//! Moving data on this machine: each transfer is a thread with a name, which moves or stands.

mod back_up;
mod folder;
mod restore;
mod upkeep;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    explain::Explain,
    ids::JobId,
    job::{Checkpoint, Progress},
    quantity::Bytes,
};
use crossvault_handlers::ports::{
    Clock, FailedFile, Order, PortError, Sealed, Standing, TransferName, Transfers, Work,
};
use crossvault_simulator::world::Session;
use tokio::sync::Notify;

use crate::{
    files::entry::Refused,
    identity::LocalCredentials,
    platform::Embedded,
    vault::{self, Control, VaultError},
};

/// The transfers of this process, by job: a higher fence takes the place of a lower one.
#[derive(Default)]
pub(crate) struct Running(Mutex<BTreeMap<JobId, Arc<Transfer>>>);

impl Running {
    /// Stops all of them.
    pub(crate) fn halt_all(&self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for transfer in std::mem::take(&mut *running).into_values() {
            transfer.control.halt();
        }
    }
}

/// One transfer, as its step and its thread share it.
struct Transfer {
    fence: u32,
    control: Arc<Control>,
    end: Mutex<Option<Result<End, PortError>>>,
    ended: Notify,
}

/// How a transfer's thread ended.
#[derive(Clone)]
enum End {
    Sealed { sealed: Sealed, progress: Progress, failures: Vec<FailedFile> },
    Paused { at: Checkpoint, progress: Progress, failures: Vec<FailedFile> },
}

impl Transfers for Embedded {
    async fn advance(
        &self,
        order: Order,
        by: &LocalCredentials,
        report_by: DateTime<Utc>,
    ) -> Result<Standing, PortError> {
        let (pause_at, name) = (order.pause_at, order.name.clone());
        let transfer = self.begin_or_join(order, by.session())?;
        loop {
            let ended = transfer.ended.notified();
            let end = transfer.end.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(end) = end {
                if end.is_err() {
                    // Asked again, with fresh credentials perhaps, it begins anew.
                    self.halt(name).await?;
                }
                return end.map(Standing::from);
            }
            let now = self.now();
            if now >= report_by {
                let progress = progress(&transfer.control);
                return Ok(Standing::Moving { progress, failures: vec![] });
            }
            let mut until = report_by;
            if now >= pause_at {
                transfer.control.pause();
            } else {
                until = until.min(pause_at);
            }
            let wait = until.signed_duration_since(now).to_std().unwrap_or(Duration::ZERO);
            // Whether it has ended is looked at anew either way.
            let _in_time = tokio::time::timeout(wait, ended).await;
        }
    }

    async fn halt(&self, name: TransferName) -> Result<(), PortError> {
        let mut running = self.inner().running.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transfer) = running.get(&name.job)
            && transfer.fence <= name.fence
        {
            transfer.control.halt();
            running.remove(&name.job);
        }
        Ok(())
    }

    async fn clear(&self, order: Order, by: &LocalCredentials) -> Result<(), PortError> {
        let Work::Restore(restore) = order.work else { return Ok(()) };
        let (platform, session) = (self.clone(), by.session());
        let swept = tokio::task::spawn_blocking(move || {
            restore::sweep(&platform, &order.name, &restore, session)
        });
        swept.await.map_err(|_| PortError::TimedOut)?
    }
}

impl Embedded {
    /// The transfer of that name: the one that runs, or a new one, which halts those of lower
    /// fences.
    fn begin_or_join(&self, order: Order, session: Session) -> Result<Arc<Transfer>, PortError> {
        let mut running = self.inner().running.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transfer) = running.get(&order.name.job) {
            if transfer.fence == order.name.fence {
                return Ok(Arc::clone(transfer));
            }
            if transfer.fence > order.name.fence {
                return Err(PortError::Conflict);
            }
            transfer.control.halt();
        }
        let transfer = Arc::new(Transfer {
            fence: order.name.fence,
            control: Control::new(),
            end: Mutex::new(None),
            ended: Notify::new(),
        });
        running.insert(order.name.job.clone(), Arc::clone(&transfer));
        let (platform, moving) = (self.clone(), Arc::clone(&transfer));
        let named = thread::Builder::new().name(format!("transfer-{}", order.name.job));
        let spawned = named.spawn(move || {
            let control = Arc::clone(&moving.control);
            let run = AssertUnwindSafe(|| platform.run(&order, session, &control));
            let end = catch_unwind(run).unwrap_or_else(|_| Err(panicked()));
            *moving.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
            moving.ended.notify_one();
        });
        if spawned.is_err() {
            return Err(PortError::Throttled);
        }
        Ok(transfer)
    }

    /// Does the work. Blocks until it has ended.
    fn run(
        &self,
        order: &Order,
        session: Session,
        control: &Arc<Control>,
    ) -> Result<End, PortError> {
        match &order.work {
            Work::BackUp { source, vault, policy } => {
                let vault = self.vault(vault).map_err(|error| port_error(&error))?;
                back_up::run(self, order, &vault, source, policy.as_ref(), session, control)
            }
            Work::Restore(restore) => {
                let vault = self.vault(&restore.vault).map_err(|error| port_error(&error))?;
                restore::run(self, order, &vault, restore, session, control)
            }
            Work::Erase(erase) => {
                let vault = self.vault(&erase.vault).map_err(|error| port_error(&error))?;
                upkeep::erase(&vault, erase)
            }
            Work::Prune(prune) => {
                let vault = self.vault(&prune.vault).map_err(|error| port_error(&error))?;
                upkeep::prune(&vault)
            }
        }
    }
}

impl From<End> for Standing {
    fn from(end: End) -> Self {
        match end {
            End::Sealed { sealed, progress, failures } => {
                Self::Sealed { sealed, progress, failures }
            }
            End::Paused { at, progress, failures } => Self::Paused { at, progress, failures },
        }
    }
}

fn progress(control: &Control) -> Progress {
    let moved = control.moved();
    Progress { bytes: Bytes(moved.bytes), files: moved.files, failed: 0, expected: None }
}

fn failures(all: &[vault::FailedFile]) -> Vec<FailedFile> {
    all.iter()
        .map(|failed| FailedFile {
            path: failed.path_text(),
            code: failed.code.clone(),
            message: failed.reason.clone(),
        })
        .collect()
}

/// What a vault's error means to the handler.
pub(crate) fn port_error(error: &VaultError) -> PortError {
    match error {
        VaultError::Refused(Refused::Denied { action, resource, by }) => {
            PortError::Denied { action: action.clone(), resource: resource.clone(), by: by.clone() }
        }
        VaultError::Refused(Refused::Expired) => PortError::Expired,
        VaultError::Refused(Refused::Gone { resource }) => PortError::NotFound(resource.clone()),
        VaultError::Refused(Refused::Halted) | VaultError::Stopped(_) => PortError::Conflict,
        VaultError::NotFound { .. }
        | VaultError::Occupied { .. }
        | VaultError::WrongKey { .. }
        | VaultError::Key(_)
        | VaultError::Corrupt { .. }
        | VaultError::Full { .. }
        | VaultError::TargetFull { .. }
        | VaultError::Io { .. }
        | VaultError::NoSnapshot(_)
        | VaultError::NoEntry { .. }
        | VaultError::TooManyFailures { .. }
        | VaultError::NothingRead { .. }
        | VaultError::Panicked { .. }
        | VaultError::Engine { .. }
        | VaultError::Illegal { .. } => PortError::Failed {
            code: error.code().to_owned(),
            message: error.to_string(),
            remedy: error.remedy(),
        },
    }
}

fn panicked() -> PortError {
    PortError::Failed {
        code: "TRANSFER_PANICKED".to_owned(),
        message: "the transfer ended by a programming mistake".to_owned(),
        remedy: "Please report it with the job's id; nothing was recorded.".to_owned(),
    }
}
