//! The library's view of a vault's folder, for one piece of work.
//!
//! It keeps the library from writing where it must not: a looker writes nothing, a backup writes no
//! snapshot by itself, and nobody writes after the work has ended, although the library's threads
//! may still run then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

use super::{
    control::Control,
    error::{Stop, VaultError},
    folder::Folder,
};

/// What the work may write.
enum May {
    /// Nothing.
    Read,
    /// All, and remove.
    Write,
    /// Packs and indexes; snapshots only through [`Backend::seal`].
    BackUp(Arc<Control>),
}

/// Snapshots that the library believes to have written, kept over the passes of one backup.
pub(super) type Held = Arc<Mutex<BTreeMap<Id, Bytes>>>;

/// A vault's folder for one piece of work.
pub(super) struct Backend {
    folder: Arc<Folder>,
    may: May,
    /// The packs that the library shall see, instead of all.
    packs: Option<Vec<(Id, u32)>>,
    /// Snapshots that the library believes to have written: parents of a later pass.
    held: Held,
    sealing: AtomicBool,
    sealed: Mutex<Option<Id>>,
    /// Read by each writer as long as it writes.
    ended: RwLock<bool>,
}

impl Backend {
    /// For work that only reads.
    pub(super) fn reading(folder: &Arc<Folder>) -> Arc<Self> {
        Self::new(folder, May::Read, None, Held::default())
    }

    /// For work that only reads, and passes over all packs but these.
    pub(super) fn reading_of(folder: &Arc<Folder>, packs: Vec<(Id, u32)>) -> Arc<Self> {
        Self::new(folder, May::Read, Some(packs), Held::default())
    }

    /// For work that changes the vault and has it alone.
    pub(super) fn writing(folder: &Arc<Folder>, packs: Option<Vec<(Id, u32)>>) -> Arc<Self> {
        Self::new(folder, May::Write, packs, Held::default())
    }

    /// For a backup under its control.
    pub(super) fn backing_up(
        folder: &Arc<Folder>,
        control: &Arc<Control>,
        packs: Vec<(Id, u32)>,
        held: &Held,
    ) -> Arc<Self> {
        Self::new(folder, May::BackUp(control.clone()), Some(packs), held.clone())
    }

    fn new(folder: &Arc<Folder>, may: May, packs: Option<Vec<(Id, u32)>>, held: Held) -> Arc<Self> {
        Arc::new(Self {
            folder: folder.clone(),
            may,
            packs,
            held,
            sealing: AtomicBool::new(false),
            sealed: Mutex::default(),
            ended: RwLock::new(false),
        })
    }

    /// Lets `save` write one snapshot for good and returns its id.
    pub(super) fn seal(
        &self,
        save: impl FnOnce() -> Result<(), VaultError>,
    ) -> Result<Id, VaultError> {
        self.sealing.store(true, SeqCst);
        let saved = save();
        self.sealing.store(false, SeqCst);
        saved?;
        let sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner).take();
        sealed
            .ok_or_else(|| VaultError::Illegal { detail: "a snapshot was saved unseen".to_owned() })
    }

    /// Ends the work: nothing is written any more after this returned.
    pub(super) fn end(&self) {
        *self.ended.write().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn write(&self, kind: FileType, id: &Id, content: &BytesList) -> Result<(), VaultError> {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        if *ended {
            return Err(VaultError::Stopped(Stop::Halted));
        }
        match &self.may {
            May::Read => {
                Err(VaultError::Illegal { detail: format!("a reader writes {kind} `{id}`") })
            }
            May::Write => self.folder.write(kind, id, content.slice()),
            May::BackUp(control) if kind == FileType::Snapshot => {
                if self.sealing.load(SeqCst) {
                    control.while_open(|| self.folder.write(kind, id, content.slice()))?;
                    *self.sealed.lock().unwrap_or_else(PoisonError::into_inner) = Some(*id);
                } else {
                    let whole = content.slice().concat();
                    self.held
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(*id, whole.into());
                }
                Ok(())
            }
            May::BackUp(control) => {
                if let Some(cause) = control.is_stopping().then(|| control.cause()).flatten() {
                    return Err(cause);
                }
                self.folder.write(kind, id, content.slice()).inspect_err(|error| {
                    // The library would read the source to its end before it says so.
                    control.close(error.clone());
                })
            }
        }
    }
}

impl ReadBackend for Backend {
    fn location(&self) -> String {
        self.folder.root().display().to_string()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        match &self.packs {
            Some(packs) if kind == FileType::Pack => Ok(packs.clone()),
            Some(_) | None => self.folder.list(kind).map_err(wrap),
        }
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        if kind == FileType::Snapshot {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = held.get(id) {
                return Ok(held.clone());
            }
        }
        self.folder.read(kind, id).map_err(wrap)
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        self.folder.read_part(kind, id, offset, length).map_err(wrap)
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.folder.path(kind, id).display().to_string()
    }
}

impl WriteBackend for Backend {
    fn create(&self) -> RusticResult<()> {
        self.folder.create().map_err(wrap)
    }

    fn write_bytes(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        self.write(kind, id, &content).map_err(wrap)
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        let may = matches!(self.may, May::Write) && !*ended;
        if !may {
            let detail = format!("{kind} `{id}` was to be removed by work that may not");
            return Err(wrap(VaultError::Illegal { detail }));
        }
        self.folder.remove(kind, id).map_err(wrap)
    }
}

/// Carries our error through the library; [`VaultError::engine`] takes it out again.
fn wrap(error: VaultError) -> Box<RusticError> {
    RusticError::with_source(ErrorKind::Backend, error.to_string(), error)
}
