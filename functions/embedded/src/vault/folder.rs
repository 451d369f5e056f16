//! The files of one vault: restic's layout in a folder, written so that a crash leaves nothing
//! half-made under a name that counts.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use rustic_core::{FileType, Id};

use super::error::VaultError;

/// Where files are written before they get their name. Not part of restic's layout, which passes
/// over it.
const TEMPORARY: &str = "tmp";

/// How often a passing error (`EINTR`, `EAGAIN`) is tried again.
const ATTEMPTS: u32 = 10;

/// The folder of a vault.
pub(super) struct Folder {
    root: PathBuf,
    /// Folders with names that are not on the disk for sure.
    unsynced: Mutex<BTreeSet<PathBuf>>,
    next: AtomicU64,
    #[cfg(test)]
    pub(super) before_write: Mutex<Option<BeforeWrite>>,
}

/// What a test asks before each write.
#[cfg(test)]
pub(super) type BeforeWrite = Box<dyn FnMut(FileType) -> io::Result<()> + Send>;

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            unsynced: Mutex::default(),
            next: AtomicU64::new(0),
            #[cfg(test)]
            before_write: Mutex::default(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file of the vault lies.
    pub(super) fn path(&self, kind: FileType, id: &Id) -> PathBuf {
        let name = id.to_hex();
        match kind {
            FileType::Config => self.root.join("config"),
            FileType::Pack => {
                self.root.join("data").join(name.get(..2).unwrap_or("00")).join(&*name)
            }
            FileType::Index | FileType::Key | FileType::Snapshot => {
                self.root.join(kind.dirname()).join(&*name)
            }
        }
    }

    /// Makes the folders that are missing.
    pub(super) fn create(&self) -> Result<(), VaultError> {
        make_folder(&self.root)?;
        for name in ["data", "index", "keys", "locks", "snapshots", TEMPORARY] {
            make_folder(&self.root.join(name))?;
        }
        sync_folder(&self.root)?;
        self.root
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(Ok(()), sync_folder)
    }

    /// Whether nothing lies in the folder but what [`Folder::create`] makes.
    pub(super) fn is_blank(&self) -> Result<bool, VaultError> {
        for entry in read_folder(&self.root)? {
            let path = self.root.join(&entry);
            let ours = ["data", "index", "keys", "locks", "snapshots", TEMPORARY];
            let is_ours = entry.to_str().is_some_and(|name| ours.contains(&name));
            if !is_ours || (entry != *TEMPORARY && !read_folder(&path)?.is_empty()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes what writers left behind that are no more. Nobody may write meanwhile.
    pub(super) fn sweep(&self) -> Result<usize, VaultError> {
        let folder = self.root.join(TEMPORARY);
        make_folder(&folder)?;
        let stale = read_folder(&folder)?;
        for name in &stale {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(|error| VaultError::io(&path, &error))?;
        }
        Ok(stale.len())
    }

    /// All files of a kind with their lengths.
    pub(super) fn list(&self, kind: FileType) -> Result<Vec<(Id, u32)>, VaultError> {
        match kind {
            FileType::Config => {
                let path = self.root.join("config");
                match fs::metadata(&path) {
                    Ok(found) => Ok(vec![(Id::default(), length_u32(&path, found.len())?)]),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
                    Err(error) => Err(VaultError::io(&path, &error)),
                }
            }
            FileType::Pack => {
                let data = self.root.join("data");
                let mut all = vec![];
                for name in read_folder(&data)? {
                    if name.len() == 2 {
                        list_folder(&data.join(name), &mut all)?;
                    }
                }
                Ok(all)
            }
            FileType::Index | FileType::Key | FileType::Snapshot => {
                let mut all = vec![];
                list_folder(&self.root.join(kind.dirname()), &mut all)?;
                Ok(all)
            }
        }
    }

    /// The whole of a file.
    pub(super) fn read(&self, kind: FileType, id: &Id) -> Result<Bytes, VaultError> {
        let path = self.path(kind, id);
        let mut content = vec![];
        patiently(|| {
            content.clear();
            File::open(&path)?.read_to_end(&mut content)
        })
        .map_err(|error| unreadable(kind, id, &path, &error))?;
        Ok(content.into())
    }

    /// A part of a file.
    pub(super) fn read_part(
        &self,
        kind: FileType,
        id: &Id,
        offset: u32,
        length: u32,
    ) -> Result<Bytes, VaultError> {
        let path = self.path(kind, id);
        let mut content = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        patiently(|| File::open(&path)?.read_exact_at(&mut content, u64::from(offset)))
            .map_err(|error| unreadable(kind, id, &path, &error))?;
        Ok(content.into())
    }

    /// Writes a file: after this returned it is on the disk, whole, under its name. Only the names
    /// of packs may be lost by a crash, until the next file of another kind is written.
    pub(super) fn write(
        &self,
        kind: FileType,
        id: &Id,
        content: &[Bytes],
    ) -> Result<(), VaultError> {
        let path = self.path(kind, id);
        if kind != FileType::Pack {
            // INVARIANT: an index or a snapshot never reaches the disk before the packs it names.
            self.sync_packs()?;
        }
        let number = self.next.fetch_add(1, Relaxed);
        let temporary = self.root.join(TEMPORARY).join(format!("{}-{number}", std::process::id()));
        let written = self.write_named(kind, &temporary, &path, content);
        if let Err(error) = written {
            // It may not have been made; if it was, it would only be swept later.
            let _ = fs::remove_file(&temporary);
            return Err(VaultError::io(&path, &error));
        }
        let folder = path.parent().unwrap_or(&self.root);
        if kind == FileType::Pack {
            self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
            Ok(())
        } else {
            sync_folder(folder)
        }
    }

    fn write_named(
        &self,
        kind: FileType,
        temporary: &Path,
        path: &Path,
        content: &[Bytes],
    ) -> io::Result<()> {
        let mut file = patiently(|| {
            #[cfg(test)]
            if let Some(ask) = &mut *self.before_write.lock().unwrap() {
                ask(kind)?;
            }
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(temporary)
        })?;
        for part in content {
            let mut rest: &[u8] = part;
            while !rest.is_empty() {
                let count = patiently(|| file.write(rest))?;
                rest = rest.get(count..).unwrap_or_default();
                if count == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
            }
        }
        patiently(|| file.sync_data())?;
        match patiently(|| fs::rename(temporary, path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && kind == FileType::Pack => {
                let folder = path.parent().unwrap_or(&self.root);
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                let data = self.root.join("data");
                self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).insert(data);
                patiently(|| fs::rename(temporary, path))
            }
            renamed => renamed,
        }
    }

    /// Removes a file; one that is not there counts as removed.
    pub(super) fn remove(&self, kind: FileType, id: &Id) -> Result<(), VaultError> {
        let path = self.path(kind, id);
        match patiently(|| fs::remove_file(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(VaultError::io(&path, &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Brings the names of a kind's files to the disk.
    pub(super) fn sync(&self, kind: FileType) -> Result<(), VaultError> {
        sync_folder(&self.root.join(kind.dirname()))
    }

    fn sync_packs(&self) -> Result<(), VaultError> {
        // Held meanwhile, so that nobody takes a folder for synced that is only about to be.
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in &*unsynced {
            sync_folder(folder)?;
        }
        unsynced.clear();
        Ok(())
    }
}

/// Does `work` again while it fails in passing.
fn patiently<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut attempt = 0_u32;
    loop {
        match work() {
            Err(error)
                if attempt < ATTEMPTS
                    && matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                    ) =>
            {
                attempt = attempt.saturating_add(1);
                std::thread::sleep(Duration::from_millis(u64::from(attempt)));
            }
            result => return result,
        }
    }
}

fn make_folder(path: &Path) -> Result<(), VaultError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| VaultError::io(path, &error))
}

fn sync_folder(path: &Path) -> Result<(), VaultError> {
    patiently(|| File::open(path)?.sync_all()).map_err(|error| VaultError::io(path, &error))
}

/// The names in a folder; none when it is not there.
fn read_folder(path: &Path) -> Result<Vec<std::ffi::OsString>, VaultError> {
    let failed = |error: io::Error| VaultError::io(path, &error);
    match fs::read_dir(path) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(failed)).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(failed(error)),
    }
}

/// Adds all files whose names are ids.
fn list_folder(path: &Path, all: &mut Vec<(Id, u32)>) -> Result<(), VaultError> {
    for name in read_folder(path)? {
        let Some(id) = name.to_str().filter(|name| name.len() == 64) else { continue };
        let Ok(id) = id.parse::<Id>() else { continue };
        let path = path.join(name);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => all.push((id, length_u32(&path, found.len())?)),
            Ok(_) => {}
            // Removed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(VaultError::io(&path, &error)),
        }
    }
    Ok(())
}

fn length_u32(path: &Path, length: u64) -> Result<u32, VaultError> {
    u32::try_from(length).map_err(|_| VaultError::Corrupt {
        what: "a file is longer than 4 GiB".to_owned(),
        path: path.to_owned(),
        detail: format!("{length} bytes"),
    })
}

fn unreadable(kind: FileType, id: &Id, path: &Path, error: &io::Error) -> VaultError {
    let what = if error.kind() == io::ErrorKind::NotFound {
        "is missing"
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        "is cut short"
    } else {
        return VaultError::io(path, error);
    };
    let what = if kind == FileType::Config {
        format!("`config` {what}")
    } else {
        format!("{kind} `{id}` {what}")
    };
    VaultError::Corrupt { what, path: path.to_owned(), detail: error.to_string() }
}
