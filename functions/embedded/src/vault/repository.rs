//! A vault: made, opened, and asked what it holds.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crossvault_core::ids::JobId;
use rustic_core::{
    ConfigOptions, FileType, Id, KeyOptions, OpenStatus, Repository, RepositoryBackends,
    RepositoryOptions, RusticError,
    repofile::{IndexFile, IndexId, SnapshotFile, SnapshotId},
};

use super::{
    backend::Backend,
    error::{VaultError, panic_text},
    folder::Folder,
    key::VaultKey,
    lease::{Exclusive, Leases},
    snapshot::{self, Sealed, SealedIn, SnapshotName},
};

/// The size at which a pack is closed. Packs of this size keep a restore's memory small, and do not
/// grow with the vault.
const PACK_SIZE: &str = if cfg!(test) { "64KiB" } else { "8MiB" };

/// A vault that is open. Shared by an `Arc`; all its methods block.
pub struct Vault {
    pub(super) folder: Arc<Folder>,
    pub(super) key: VaultKey,
    pub(super) leases: Leases,
    /// What snapshots say: they never change.
    seen: Mutex<BTreeMap<SnapshotId, Option<Arc<SealedIn>>>>,
    /// Which packs the index files name: they never change either.
    indexed: Mutex<BTreeMap<IndexId, Vec<(Id, u32)>>>,
}

/// The packs of a vault, as its index and its folder have them.
pub(super) struct Survey {
    /// In the index and in the folder.
    pub(super) whole: Vec<(Id, u32)>,
    /// In the folder alone: left by a crash, or about to be indexed by somebody.
    pub(super) orphans: Vec<(Id, u32)>,
    /// In the index alone, with the length that it gives.
    pub(super) missing: Vec<(Id, u32)>,
    /// In both, with the length that the index gives, which they have not.
    pub(super) cut: Vec<(Id, u32)>,
}

impl Survey {
    /// Whether a pack is missing or cut.
    pub(super) fn is_damaged(&self) -> bool {
        !(self.missing.is_empty() && self.cut.is_empty())
    }
}

impl Vault {
    /// Makes a vault in `folder` and opens it; one that is there already is only opened. What a
    /// crash left of an earlier attempt is completed.
    ///
    /// # Errors
    /// [`VaultError::Occupied`] when the folder holds anything else; [`VaultError::WrongKey`] when
    /// the vault there has another key; [`VaultError::Full`] and [`VaultError::Io`].
    pub fn create(folder: &Path, key: VaultKey) -> Result<Self, VaultError> {
        let files = Folder::new(folder);
        if files.list(FileType::Config)?.is_empty() && !files.is_blank()? {
            let detail = "the file `config` is missing".to_owned();
            return Err(VaultError::Occupied { path: folder.to_owned(), detail });
        }
        files.create()?;
        let vault = Self::new(files, key);
        let alone = vault.leases.exclude();
        if vault.folder.list(FileType::Config)?.is_empty() {
            let mut options = ConfigOptions::default();
            options.set_datapack_size = PACK_SIZE.parse().ok();
            options.set_datapack_growfactor = Some(0);
            options.set_treepack_growfactor = Some(0);
            options.set_extra_verify = Some(true);
            let fresh = vault.fresh(Backend::writing(&vault.folder, None))?;
            let made = vault.guarded(|| {
                vault.key.with(|key| fresh.init(key, &KeyOptions::default(), &options))
            })?;
            made?.map_err(|error| vault.engine(&error))?;
        }
        drop(alone);
        vault.check_key()?;
        Ok(vault)
    }

    /// Opens the vault in `folder`. What stopped writers left half-written is removed, unless
    /// somebody uses the vault.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when there is none; [`VaultError::Occupied`] when its `config` is
    /// missing; [`VaultError::WrongKey`].
    pub fn open(folder: &Path, key: VaultKey) -> Result<Self, VaultError> {
        let files = Folder::new(folder);
        if files.list(FileType::Config)?.is_empty() {
            if files.is_blank()? {
                return Err(VaultError::NotFound { path: folder.to_owned() });
            }
            let detail = "the file `config` is missing".to_owned();
            return Err(VaultError::Occupied { path: folder.to_owned(), detail });
        }
        let vault = Self::new(files, key);
        vault.check_key()?;
        if let Some(_alone) = vault.leases.try_exclude() {
            let swept = vault.folder.sweep()?;
            if swept > 0 {
                tracing::info!(swept, folder = %folder.display(), "removed half-written files");
            }
        }
        Ok(vault)
    }

    fn new(folder: Folder, key: VaultKey) -> Self {
        let leases = Leases::of(folder.root());
        let (seen, indexed) = (Mutex::default(), Mutex::default());
        Self { folder: Arc::new(folder), key, leases, seen, indexed }
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.root()
    }

    /// Who may use it at the same time. Backups, restores and looking take a shared lease by
    /// themselves; what needs the vault alone asks for the lease as an argument.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Lets a password open the vault too, as stock `restic` needs it. Takes half a second and
    /// 128 MiB: the password is stretched.
    ///
    /// # Errors
    /// [`VaultError::Full`], [`VaultError::Io`].
    pub fn add_password(&self, alone: &Exclusive, password: &str) -> Result<(), VaultError> {
        self.check_alone(alone)?;
        let repository = self.repository(Backend::writing(&self.folder, None))?;
        let added = self.guarded(|| repository.add_key(password, &KeyOptions::default()))?;
        added.map(drop).map_err(|error| self.engine(&error))
    }

    /// What the job has sealed, whatever the fence: of several, that of the newest epoch and fence.
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::Corrupt`].
    pub fn find(&self, job: &JobId) -> Result<Option<Sealed>, VaultError> {
        let all = self.sealed()?;
        let newest = all
            .into_iter()
            .filter(|known| known.job == *job && !known.partial)
            .max_by_key(|known| (known.epoch, known.fence, known.taken, known.snapshot));
        let Some(known) = newest else { return Ok(None) };
        let repository = self.repository(Backend::reading(&self.folder))?;
        let file = self.snapshot(&repository, known.snapshot)?;
        Ok(Some(snapshot::sealed(&known, &file)))
    }

    /// All snapshots that Crossvault made, checkpoints too, in no order that means anything.
    /// A snapshot that can't be read is passed over here; `check` names it.
    ///
    /// # Errors
    /// [`VaultError::Io`] when the folder can't be listed.
    pub fn sealed(&self) -> Result<Vec<SealedIn>, VaultError> {
        let ids: Vec<_> =
            self.folder.list(FileType::Snapshot)?.into_iter().map(|(id, _)| id.into()).collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|id, _| ids.contains(id));
        let fresh: Vec<SnapshotId> =
            ids.iter().filter(|id| !seen.contains_key(id)).copied().collect();
        if !fresh.is_empty() {
            let repository = self.repository(Backend::reading(&self.folder))?;
            for id in fresh {
                match repository.get_file::<SnapshotFile>(&id) {
                    Ok(file) => {
                        seen.insert(id, snapshot::sealed_in(id, &file).map(Arc::new));
                    }
                    Err(error) => {
                        let error = self.engine(&error);
                        tracing::warn!(snapshot = %SnapshotName(*id), %error, "unreadable snapshot");
                    }
                }
            }
        }
        Ok(seen.values().flatten().map(|known| SealedIn::clone(known)).collect())
    }

    /// Opens it for one piece of work.
    pub(super) fn repository(
        &self,
        backend: Arc<Backend>,
    ) -> Result<Repository<OpenStatus>, VaultError> {
        let fresh = self.fresh(backend)?;
        let opened = self.guarded(|| self.key.with(|key| fresh.open(key)))??;
        opened.map_err(|error| self.engine(&error))
    }

    /// Reads a snapshot file.
    pub(super) fn snapshot(
        &self,
        repository: &Repository<OpenStatus>,
        name: SnapshotName,
    ) -> Result<SnapshotFile, VaultError> {
        let id = SnapshotId::from(name.0);
        if !self.folder.path(FileType::Snapshot, &id).exists() {
            return Err(VaultError::NoSnapshot(name));
        }
        repository.get_file(&id).map_err(|error| VaultError::Corrupt {
            what: format!("snapshot `{id}` can't be read"),
            path: self.folder.path(FileType::Snapshot, &id),
            detail: self.engine(&error).to_string(),
        })
    }

    /// Compares the packs that the index names with those in the folder.
    pub(super) fn survey(&self, repository: &Repository<OpenStatus>) -> Result<Survey, VaultError> {
        // Listed before the index is read: a pack that is written and indexed meanwhile would
        // otherwise seem to be missing. INVARIANT: nobody removes packs; the caller has a lease.
        let files: Vec<IndexId> =
            self.folder.list(FileType::Index)?.into_iter().map(|(id, _)| id.into()).collect();
        let mut present: BTreeMap<Id, u32> =
            self.folder.list(FileType::Pack)?.into_iter().collect();
        let mut known = self.indexed.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, _| files.contains(id));
        let fresh = files.into_iter().filter(|id| !known.contains_key(id)).collect::<Vec<_>>();
        if !fresh.is_empty() {
            let read = repository.stream_files_list::<IndexFile>(fresh);
            for file in read.map_err(|error| self.engine(&error))? {
                let (id, file) = file.map_err(|error| self.engine(&error))?;
                let packs = file.packs.iter().chain(&file.packs_to_delete);
                known.insert(id, packs.map(|pack| (*pack.id, pack.pack_size())).collect());
            }
        }
        let indexed: BTreeMap<Id, u32> = known.values().flatten().copied().collect();
        drop(known);
        let mut survey = Survey { whole: vec![], orphans: vec![], missing: vec![], cut: vec![] };
        for (id, length) in indexed {
            match present.remove(&id) {
                Some(present) if present == length => survey.whole.push((id, length)),
                Some(_) => survey.cut.push((id, length)),
                None => survey.missing.push((id, length)),
            }
        }
        survey.orphans.extend(present);
        Ok(survey)
    }

    /// Names an error of the library.
    pub(super) fn engine(&self, error: &RusticError) -> VaultError {
        VaultError::engine(error, self.folder.root())
    }

    /// Keeps a panic of the library from leaving the vault.
    pub(super) fn guarded<T>(&self, work: impl FnOnce() -> T) -> Result<T, VaultError> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| VaultError::Engine {
            detail: format!(
                "it panicked over `{}`: {}",
                self.folder().display(),
                panic_text(&*panic)
            ),
        })
    }

    pub(super) fn check_alone(&self, alone: &Exclusive) -> Result<(), VaultError> {
        if alone.covers(&self.leases) {
            return Ok(());
        }
        Err(VaultError::Illegal { detail: "the lease is one of another vault".to_owned() })
    }

    fn check_key(&self) -> Result<(), VaultError> {
        match self.repository(Backend::reading(&self.folder)) {
            Ok(_) => Ok(()),
            // What a wrong key opens looks forged.
            Err(VaultError::Corrupt { detail, .. }) if detail.contains("MAC") => {
                Err(VaultError::WrongKey { path: self.folder().to_owned() })
            }
            Err(VaultError::Corrupt { detail, .. } | VaultError::Engine { detail }) => {
                let what = "`config` can't be read".to_owned();
                Err(VaultError::Corrupt { what, path: self.folder().join("config"), detail })
            }
            Err(error) => Err(error),
        }
    }

    fn fresh(&self, backend: Arc<Backend>) -> Result<Repository<()>, VaultError> {
        let mut options = RepositoryOptions::default();
        options.no_cache = true;
        let backends = RepositoryBackends::new(backend, None);
        Repository::new(&options, &backends).map_err(|error| self.engine(&error))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("folder", &self.folder()).finish_non_exhaustive()
    }
}
