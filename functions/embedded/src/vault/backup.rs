//! A tree of files becomes a snapshot.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{DataSource, JobId, PolicyId},
    vault::Epoch,
};
use rustic_core::{
    BackupOptions, IndexedIdsStatus, Repository,
    repofile::{SnapshotFile, SnapshotId},
};

use super::{
    backend::{Backend, Held},
    control::Control,
    error::{Stop, VaultError, panic_text},
    repository::Vault,
    snapshot::{self, Outcome, Sealed, SealedIn, SnapshotName},
    source::{Pass, Source, Tally},
    tree::{FailedFile, Tree},
};

/// How often files that changed while they were read are tried again.
const RETRIES: u32 = 2;

/// What a backup is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupOrder {
    /// What is read, and whose it is.
    pub source: DataSource,
    /// The policy behind it; none when somebody asked for it by hand.
    pub plan: Option<PolicyId>,
    /// The job.
    pub job: JobId,
    /// The job's step, which counts up.
    pub fence: u32,
    /// The vault's epoch under which this begins.
    pub epoch: Epoch,
    /// The time whose content the snapshot holds.
    pub time: DateTime<Utc>,
    /// A snapshot that is probably like the source, besides those that are found.
    pub parent: Option<SnapshotName>,
    /// How many files may fail; more end the backup without a snapshot. `u64::MAX` for any.
    pub failures_max: u64,
    /// Whether a file counts as unchanged although its change time (`ctime`) differs: on some
    /// network file systems that moves by itself.
    pub ignore_change_time: bool,
}

/// How a backup's step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupEnd {
    /// All is in the vault.
    Sealed(Sealed),
    /// It paused: what was read is safe in a checkpoint, which the job's next step finds by itself.
    Paused {
        /// The checkpoint.
        at: SnapshotName,
        /// What this step added to the vault, in bytes.
        bytes_added: u64,
        /// Files that failed in this step; the next one meets them again.
        failures: Vec<FailedFile>,
    },
}

/// What one pass made.
struct Passed {
    file: SnapshotFile,
    backend: Ended,
    repository: Repository<IndexedIdsStatus>,
    tally: Tally,
    paused: bool,
}

/// Keeps the library's threads from writing after their work has ended.
struct Ended(Arc<Backend>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Vault {
    /// Reads `tree` into the vault. Files that are unchanged since the source's newest snapshot are
    /// not opened. Blocks until it has ended; `control` shows it and stops it meanwhile.
    ///
    /// Nothing is sealed that misses a file without naming it, and nothing after `control` was
    /// closed. What was written by then lies in the vault unseen, until it is adopted or pruned.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when the source refuses a touch; [`VaultError::Stopped`];
    /// [`VaultError::NothingRead`] when the root can't be listed or each file failed;
    /// [`VaultError::TooManyFailures`]; [`VaultError::Full`] and others of the vault.
    pub fn back_up<T: Tree>(
        &self,
        order: &BackupOrder,
        tree: T,
        control: &Arc<Control>,
    ) -> Result<BackupEnd, VaultError> {
        let Some(_lease) = self.leases.share_unless(|| control.is_stopping()) else {
            return Err(control.cause().unwrap_or(VaultError::Stopped(Stop::Halted)));
        };
        let tree = Arc::new(tree);
        let held = Held::default();
        let known = self.sealed()?;
        let first_parents = parents(order, &known);
        let mut parents = first_parents.clone();
        let mut added = 0_u64;
        let mut retry = 0_u32;
        let passed = loop {
            let pass = Pass::new(control, order.failures_max, retry < RETRIES, retry > 0);
            let passed = self.pass(order, &tree, control, &pass, &parents, &held)?;
            if let Some(cause) = control.cause() {
                return Err(cause);
            }
            added = added.saturating_add(added_by(&passed.file));
            if passed.tally.changed == 0 || passed.paused {
                break passed;
            }
            retry = retry.saturating_add(1);
            parents = vec![passed.file.id];
            parents.extend(&first_parents);
        };
        self.seal(order, &known, first_parents, passed, added)
    }

    /// Lets the library read the tree once.
    fn pass<T: Tree>(
        &self,
        order: &BackupOrder,
        tree: &Arc<T>,
        control: &Arc<Control>,
        pass: &Arc<Pass>,
        parents: &[SnapshotId],
        held: &Held,
    ) -> Result<Passed, VaultError> {
        let looking = self.repository(Backend::reading(&self.folder))?;
        let survey = self.survey(&looking)?;
        // The library takes a parent's folder for stored without a look into the index. With a
        // pack missing, all is read again, and what is missing is written again.
        let parents = if survey.is_damaged() { &[] } else { parents };
        let backend = Backend::backing_up(&self.folder, control, survey.whole, held);
        let ended = Ended(backend.clone());
        let repository = self.repository(backend)?;
        let repository = self.guarded(|| repository.to_indexed_ids_checked())?;
        let repository = repository.map_err(|error| self.engine(&error))?;

        let mut options = BackupOptions::default();
        options.no_scan = true;
        options.parent_opts.parents =
            parents.iter().map(|id| SnapshotName(**id).to_string()).collect();
        options.parent_opts.force = parents.is_empty();
        options.parent_opts.ignore_ctime = order.ignore_change_time;
        let source = Source { tree: tree.clone(), pass: pass.clone() };
        let root = [PathBuf::from("/")];
        let archived = catch_unwind(AssertUnwindSafe(|| {
            repository.archive(&options, &source, snapshot::begin(order), &root)
        }));
        let file = match archived {
            Ok(Ok(file)) => file,
            Ok(Err(error)) => return Err(control.cause().unwrap_or_else(|| self.engine(&error))),
            Err(panic) => {
                let detail = panic_text(&*panic);
                return Err(control.cause().unwrap_or(VaultError::Panicked { detail }));
            }
        };
        let (tally, paused) = (pass.tally(), pass.is_paused());
        let stored = file.summary.as_ref().map_or(0, |summary| summary.total_files_processed);
        if stored != tally.leaves && !control.is_stopping() {
            // INVARIANT: what the library left out, we have a name for.
            let detail = format!("{stored} entries stored of {} that were read", tally.leaves);
            return Err(VaultError::Illegal { detail });
        }
        Ok(Passed { file, backend: ended, repository, tally, paused })
    }

    /// Writes the snapshot: from here on the backup exists.
    fn seal(
        &self,
        order: &BackupOrder,
        known: &[SealedIn],
        parents: Vec<SnapshotId>,
        passed: Passed,
        added: u64,
    ) -> Result<BackupEnd, VaultError> {
        let Passed { mut file, backend, repository, tally, paused } = passed;
        if let Some((path, first)) = tally.failures.first_key_value()
            && tally.leaves == 0
            && !paused
        {
            let (path, code, reason) = (path.clone(), first.code.clone(), first.reason.clone());
            return Err(VaultError::NothingRead { path, code, reason });
        }
        file.parent = parents.first().copied();
        file.parents = parents;
        let own = known.iter().filter(|known| known.job == order.job && known.partial);
        let own: Vec<_> = if paused { vec![] } else { own.collect() };
        let before = own.iter().fold(0_u64, |all, own| all.saturating_add(own.bytes_added));
        let outcome = Outcome {
            files: tally.entries,
            bytes: tally.bytes,
            added: added.saturating_add(before),
            failed: tally.failed,
            failures: tally.failures.into_values().collect(),
        };
        let file = snapshot::finish(file, order, paused, &outcome);
        let id = backend.0.seal(|| {
            let saved = self.guarded(|| repository.save_snapshots(vec![file.clone()]))?;
            saved.map_err(|error| self.engine(&error))
        })?;
        let at = SnapshotName(id);
        if paused {
            let failures = outcome.failures;
            return Ok(BackupEnd::Paused { at, bytes_added: added, failures });
        }
        let checkpoints: Vec<_> = own.iter().map(|own| own.snapshot).collect();
        if let Err(error) = self.forget(&checkpoints) {
            // The sweep finds them: their job has ended.
            tracing::warn!(job = %order.job, %error, "checkpoints of a sealed job were left");
        }
        let known = snapshot::sealed_in(id.into(), &file).ok_or_else(|| VaultError::Illegal {
            detail: "a snapshot does not say what it is".to_owned(),
        })?;
        Ok(BackupEnd::Sealed(snapshot::sealed(&known, &file)))
    }
}

/// What the new snapshot is compared with: the job's own checkpoints, newest first, then the
/// newest complete snapshot of the source, then the order's hint.
fn parents(order: &BackupOrder, known: &[SealedIn]) -> Vec<SnapshotId> {
    let (account, source) = (order.source.account.to_string(), order.source.to_string());
    let same: Vec<_> =
        known.iter().filter(|known| known.account == account && known.source == source).collect();
    let mut own: Vec<_> =
        same.iter().filter(|known| known.partial && known.job == order.job).collect();
    own.sort_by_key(|known| std::cmp::Reverse((known.fence, known.taken)));
    let newest =
        same.iter().filter(|known| !known.partial).max_by_key(|known| (known.taken, known.fence));
    let hint = known.iter().find(|known| Some(known.snapshot) == order.parent);
    let mut parents: Vec<SnapshotId> = vec![];
    for known in own.into_iter().chain(newest).copied().chain(hint) {
        let id = SnapshotId::from(known.snapshot.0);
        if !parents.contains(&id) {
            parents.push(id);
        }
    }
    parents
}

fn added_by(file: &SnapshotFile) -> u64 {
    file.summary.as_ref().map_or(0, |summary| summary.data_added_packed)
}
