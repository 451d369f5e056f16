//! How a transfer is watched and stopped by others.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    error::{Stop, VaultError},
    tree::FailedFile,
};

/// Asked once, immediately before a snapshot is written. It must not call the transfer's
/// [`Control`], which waits for it.
pub trait Gate: Send + Sync + 'static {
    /// Whether the transfer may still seal.
    ///
    /// # Errors
    /// Why it may not.
    fn may_seal(&self) -> Result<(), Stop>;
}

/// A transfer as others see it: how far it is, and how to stop it. Shared by an `Arc`.
#[derive(Default)]
pub struct Control {
    bytes: AtomicU64,
    files: AtomicU64,
    pausing: AtomicBool,
    stopping: AtomicBool,
    /// The first reason to stop. Held while a snapshot is written: who closes waits for that.
    cause: Mutex<Option<VaultError>>,
    failures: Mutex<Failures>,
    gate: Option<Arc<dyn Gate>>,
}

#[derive(Default)]
struct Failures {
    known: BTreeSet<PathBuf>,
    fresh: Vec<FailedFile>,
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Entries that are done: files, folders, links and others.
    pub files: u64,
    /// Their content in bytes, whether it had to be read or was known already.
    pub bytes: u64,
}

/// Failures whose names are kept; further ones are counted.
pub(super) const FAILURES_KEPT: usize = 10_000;

impl Control {
    /// A transfer that has not begun.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A transfer that asks `gate` before it seals.
    #[must_use]
    pub fn gated(gate: Arc<dyn Gate>) -> Arc<Self> {
        Arc::new(Self { gate: Some(gate), ..Self::default() })
    }

    /// How far it is.
    #[must_use]
    pub fn moved(&self) -> Moved {
        Moved { files: self.files.load(Relaxed), bytes: self.bytes.load(Relaxed) }
    }

    /// Files that failed since this was called last, at most 10,000 in all. A failed file may still
    /// be read by a later try: the end of the transfer has the final list.
    #[must_use]
    pub fn drain_failures(&self) -> Vec<FailedFile> {
        std::mem::take(&mut self.failures().fresh)
    }

    /// Stops it. Nothing is sealed after this returned.
    pub fn halt(&self) {
        self.stop(Stop::Halted);
    }

    /// Stops it for a reason. Nothing is sealed after this returned.
    pub fn stop(&self, why: Stop) {
        self.close(VaultError::Stopped(why));
    }

    /// Winds it down to a checkpoint: no further file is begun.
    pub fn pause(&self) {
        self.pausing.store(true, Relaxed);
    }

    /// Whether it winds down.
    #[must_use]
    pub fn is_pausing(&self) -> bool {
        self.pausing.load(Relaxed)
    }

    /// Whether it was stopped or has failed as a whole.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Ends it with an error; the first one stands.
    pub(super) fn close(&self, error: VaultError) {
        self.stopping.store(true, Relaxed);
        self.cause_lock().get_or_insert(error);
    }

    /// Why it was closed.
    pub(super) fn cause(&self) -> Option<VaultError> {
        self.cause_lock().clone()
    }

    /// Does `work` unless the transfer is closed; nobody can close it meanwhile.
    pub(super) fn while_open<T>(
        &self,
        work: impl FnOnce() -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let mut cause = self.cause_lock();
        if let Some(cause) = &*cause {
            return Err(cause.clone());
        }
        if let Some(Err(stop)) = self.gate.as_ref().map(|gate| gate.may_seal()) {
            self.stopping.store(true, Relaxed);
            return Err(cause.insert(VaultError::Stopped(stop)).clone());
        }
        work()
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn add_file(&self) {
        self.files.fetch_add(1, Relaxed);
    }

    /// Tells of a failed file, once a path.
    pub(super) fn add_failure(&self, failure: &FailedFile) {
        let mut failures = self.failures();
        if failures.known.len() < FAILURES_KEPT && failures.known.insert(failure.path.clone()) {
            failures.fresh.push(failure.clone());
        }
    }

    fn cause_lock(&self) -> MutexGuard<'_, Option<VaultError>> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
