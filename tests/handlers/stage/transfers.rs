//! Transfers by the rules of the port, and the vault that they fill.
//!
//! A transfer moves one unit each ten seconds, whether or not somebody asks how it stands. It
//! halts itself when nobody has asked for half a minute.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    backup,
    ids::{AccountId, JobId, VaultId},
    job::{Checkpoint, Progress},
    quantity::Bytes,
    restore, upkeep,
    vault::Vault,
};
use crossvault_handlers::ports::{
    BrowsedEntry, FailedFile, Order, Page, PortError, Sealed, SealedIn, Standing, TransferName,
    Transfers, Vaults, Work,
};

use super::{
    Stage, State,
    cloud::{Cloud, Session},
};

/// How long one unit takes.
const UNIT_S: i64 = 10;

/// After how long a transfer that nobody asks for halts itself.
const FORGOTTEN: TimeDelta = TimeDelta::seconds(30);

/// A unit's bytes.
const UNIT_BYTES: u64 = 1024;

#[derive(Clone, Default)]
pub struct Running {
    /// How many units a job of an account has to move; two where nothing is said.
    pub lengths: BTreeMap<AccountId, u64>,
    /// Files that fail in every backup, named when it is sealed.
    pub failing: Vec<FailedFile>,
    pub all: BTreeMap<TransferName, Transfer>,
    /// How those stand that paused: asked again, they stand there still.
    paused: BTreeMap<TransferName, Standing>,
    /// Names that were halted or outdone.
    halted: BTreeSet<TransferName>,
    /// What lies in the vaults and bears a job's name.
    pub data: Vec<Datum>,
    /// What was restored or kept up, by job, with how often it was done.
    pub done: BTreeMap<JobId, (Sealed, u32)>,
    /// The orders that began a transfer, with the time.
    pub orders: Vec<(DateTime<Utc>, Order)>,
}

/// A transfer that moves.
#[derive(Clone)]
pub struct Transfer {
    pub order: Order,
    /// When it began, and with how many units behind it.
    began: DateTime<Utc>,
    from: u64,
    length: u64,
    asked: DateTime<Utc>,
    /// Whether a prune removed what it leans on.
    is_poisoned: bool,
}

/// Sealed data in a vault.
#[derive(Clone, Debug)]
pub struct Datum {
    pub vault: VaultId,
    pub job: JobId,
    pub snapshot: String,
    pub sealed: backup::Sealed,
    pub is_partial: bool,
    /// Whether all of it is there.
    pub is_sound: bool,
}

impl Running {
    pub fn halt_all(&mut self) {
        for (name, _) in std::mem::take(&mut self.all) {
            self.halted.insert(name);
        }
    }

    /// A transfer whose credentials ended is begun again under the same name.
    pub fn drop_if_expired(&mut self, method: &str, error: &PortError) {
        if method == "advance" && *error == PortError::Expired {
            self.all.clear();
        }
    }

    /// Lets all transfers move until now.
    pub fn pass(&mut self, now: DateTime<Utc>) {
        let names: Vec<TransferName> = self.all.keys().cloned().collect();
        for name in names {
            let Some(transfer) = self.all.get(&name) else { continue };
            let lives_until = transfer.asked + FORGOTTEN;
            let ends = transfer.ends();
            if ends <= now && ends <= lives_until && ends <= transfer.order.pause_at {
                self.seal(&name, ends);
            } else if lives_until <= now {
                self.halt(&name);
            }
        }
    }

    fn halt(&mut self, name: &TransferName) {
        self.all.remove(name);
        self.halted.insert(name.clone());
    }

    fn seal(&mut self, name: &TransferName, at: DateTime<Utc>) {
        let Some(transfer) = self.all.remove(name) else { return };
        let bytes = Bytes(transfer.length * UNIT_BYTES);
        let failed = u64::try_from(self.failing.len()).unwrap();
        let made = match &transfer.order.work {
            Work::BackUp { vault, .. } => {
                let snapshot = format!("{}-{}-{}", name.job, name.fence, self.data.len());
                let sealed = backup::Sealed {
                    snapshot: snapshot.clone(),
                    epoch: transfer.order.epoch,
                    taken: transfer.began,
                    files: transfer.length,
                    bytes,
                    added: bytes,
                    failed,
                };
                self.data.push(Datum {
                    vault: vault.clone(),
                    job: name.job.clone(),
                    snapshot,
                    sealed,
                    is_partial: false,
                    is_sound: !transfer.is_poisoned,
                });
                return;
            }
            Work::Restore(_) => Sealed::Restore(restore::Sealed {
                files: transfer.length,
                bytes,
                failed: 0,
                warnings: vec![],
            }),
            Work::Erase(erase) => {
                let gone =
                    |datum: &Datum| erase.points.iter().any(|p| p.snapshot == datum.snapshot);
                self.data.retain(|datum| !gone(datum));
                Sealed::Upkeep(upkeep::Sealed { removed: 1, freed: Bytes::ZERO })
            }
            Work::Prune(prune) => {
                for other in self.all.values_mut() {
                    if let Work::BackUp { vault, .. } = &other.order.work
                        && *vault == prune.vault
                        && other.began < at
                        && other.order.epoch < transfer.order.epoch
                    {
                        other.is_poisoned = true;
                    }
                }
                Sealed::Upkeep(upkeep::Sealed { removed: 1, freed: bytes })
            }
        };
        let done = self.done.entry(name.job.clone()).or_insert((made, 0));
        done.1 += 1;
    }

    /// What the job has sealed already under the order's epoch.
    fn found(&self, order: &Order) -> Option<Standing> {
        let job = &order.name.job;
        let datum = self.data.iter().find(|datum| {
            datum.job == *job && !datum.is_partial && datum.sealed.epoch == order.epoch
        });
        let sealed = match (datum, self.done.get(job)) {
            (Some(datum), _) => Sealed::Backup(datum.sealed.clone()),
            (None, Some((sealed, _))) => sealed.clone(),
            (None, None) => return None,
        };
        let (bytes, files, failed) = match &sealed {
            Sealed::Backup(sealed) => (sealed.bytes, sealed.files, sealed.failed),
            Sealed::Restore(sealed) => (sealed.bytes, sealed.files, 0),
            Sealed::Upkeep(_) => (Bytes::ZERO, 0, 0),
        };
        let progress = Progress { bytes, files, failed, expected: None };
        let failures = if failed > 0 { self.failing.clone() } else { vec![] };
        Some(Standing::Sealed { sealed, progress, failures })
    }

    fn begin(&mut self, order: &Order, now: DateTime<Utc>) -> Result<(), PortError> {
        let name = &order.name;
        let is_lower = |other: &TransferName| other.job == name.job && other.fence < name.fence;
        if self.halted.contains(name) || self.all.keys().any(|other| is_higher(other, name)) {
            return Err(PortError::Conflict);
        }
        let lower: Vec<TransferName> = self.all.keys().filter(|n| is_lower(n)).cloned().collect();
        for name in lower {
            self.halt(&name);
        }
        if self.all.contains_key(name) {
            return Ok(());
        }
        self.orders.push((now, order.clone()));
        let owner = match &order.work {
            Work::BackUp { source, .. } => Some(&source.account),
            Work::Restore(restore) => Some(&restore.to.account),
            Work::Erase(_) | Work::Prune(_) => None,
        };
        let length = owner.and_then(|owner| self.lengths.get(owner)).copied().unwrap_or(2);
        let from = order.from.0.as_ref().map_or(0, |text| text.parse().unwrap());
        let transfer = Transfer {
            order: order.clone(),
            began: now,
            from,
            length,
            asked: now,
            is_poisoned: false,
        };
        self.all.insert(name.clone(), transfer);
        Ok(())
    }
}

fn is_higher(other: &TransferName, than: &TransferName) -> bool {
    other.job == than.job && other.fence > than.fence
}

impl Transfer {
    fn ends(&self) -> DateTime<Utc> {
        let left = i64::try_from(self.length.saturating_sub(self.from)).unwrap_or(i64::MAX);
        let left = TimeDelta::try_seconds(left.saturating_mul(UNIT_S));
        left.and_then(|left| self.began.checked_add_signed(left))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn units(&self, now: DateTime<Utc>) -> u64 {
        let since = now.min(self.order.pause_at).signed_duration_since(self.began).num_seconds();
        let units = self.from + u64::try_from(since.max(0) / UNIT_S).unwrap();
        units.min(self.length)
    }

    fn progress(&self, now: DateTime<Utc>) -> Progress {
        let files = self.units(now);
        Progress { bytes: Bytes(files * UNIT_BYTES), files, failed: 0, expected: None }
    }
}

impl State {
    fn advance(
        &mut self,
        order: &Order,
        by: &Session,
        report_by: DateTime<Utc>,
    ) -> Result<Standing, PortError> {
        self.transfers.pass(self.now);
        if let Some(found) = self.transfers.found(order) {
            return Ok(found);
        }
        let name = &order.name;
        if let Some(paused) = self.transfers.paused.get(name) {
            return Ok(paused.clone());
        }
        let touches = matches!(order.work, Work::BackUp { .. } | Work::Restore(_));
        if touches && let Err(error) = Cloud::touch(&self.cloud, by, self.now) {
            self.transfers.all.remove(name);
            return Err(error);
        }
        self.transfers.begin(order, self.now)?;
        let Some(transfer) = self.transfers.all.get_mut(name) else {
            return Err(PortError::Conflict);
        };
        let until = report_by.min(transfer.ends()).min(transfer.order.pause_at).max(self.now);
        transfer.asked = until;
        let transfer = transfer.clone();
        self.now = until;
        self.transfers.pass(until);
        if let Some(found) = self.transfers.found(order) {
            return Ok(found);
        }
        let progress = transfer.progress(until);
        if until >= transfer.order.pause_at {
            self.transfers.halt(name);
            let at = Checkpoint(Some(transfer.units(until).to_string()));
            let paused = Standing::Paused { at, progress, failures: vec![] };
            self.transfers.paused.insert(name.clone(), paused.clone());
            return Ok(paused);
        }
        Ok(Standing::Moving { progress, failures: vec![] })
    }
}

impl Transfers for Stage {
    async fn advance(
        &self,
        order: Order,
        by: &Session,
        report_by: DateTime<Utc>,
    ) -> Result<Standing, PortError> {
        self.call("advance", |state| state.advance(&order, by, report_by)).await
    }

    async fn halt(&self, name: TransferName) -> Result<(), PortError> {
        self.call("halt", |state| {
            state.transfers.pass(state.now);
            let is_older =
                |other: &&TransferName| other.job == name.job && other.fence <= name.fence;
            let older: Vec<TransferName> =
                state.transfers.all.keys().filter(is_older).cloned().collect();
            for name in older {
                state.transfers.halt(&name);
            }
            state.transfers.halted.insert(name);
            Ok(())
        })
        .await
    }
}

impl Vaults for Stage {
    async fn create(&self, _by: &Session, _vault: Vault) -> Result<(), PortError> {
        self.call("create", |_| Ok(())).await
    }

    async fn sealed(
        &self,
        _by: &Session,
        vault: VaultId,
        page: Page,
    ) -> Result<Vec<SealedIn>, PortError> {
        self.call("sealed", |state| {
            state.transfers.pass(state.now);
            let mut all: Vec<&Datum> = state
                .transfers
                .data
                .iter()
                .filter(|datum| datum.vault == vault)
                .filter(|datum| page.after.as_ref().is_none_or(|after| datum.snapshot > *after))
                .collect();
            all.sort_by(|one, other| one.snapshot.cmp(&other.snapshot));
            let all = all.into_iter().take(page.limit).map(|datum| SealedIn {
                job: datum.job.clone(),
                snapshot: datum.snapshot.clone(),
                partial: datum.is_partial,
            });
            Ok(all.collect())
        })
        .await
    }

    async fn browse(
        &self,
        _by: &Session,
        _vault: VaultId,
        _snapshot: String,
        _path: String,
        _page: Page,
    ) -> Result<Vec<BrowsedEntry>, PortError> {
        self.call("browse", |_| Ok(Vec::new())).await
    }

    async fn discard(
        &self,
        _by: &Session,
        _vault: VaultId,
        snapshots: Vec<String>,
    ) -> Result<(), PortError> {
        self.call("discard", |state| {
            state.transfers.data.retain(|datum| !snapshots.contains(&datum.snapshot));
            Ok(())
        })
        .await
    }
}
