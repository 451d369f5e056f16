//! The floor: the vault library by itself, with its own reading and writing of files, on the
//! least backend that keeps what it was given.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use rustic_core::{
    BackupOptions, BytesList, ConfigOptions, Credentials, ErrorKind, FileType, Id, KeyOptions,
    LocalDestination, LsOptions, PathList, ReadBackend, Repository, RepositoryBackends,
    RepositoryOptions, RestoreOptions, RusticError, RusticResult, WriteBackend,
    repofile::{MasterKey, SnapshotFile},
};

use super::Outcome;

/// Backs `tree` up into a vault, which is made if it is missing.
///
/// # Errors
/// Those of the library.
pub fn back_up(tree: &str, vault: &Path) -> Outcome {
    let repository = repository(vault)?;
    let key = vault.with_extension("key");
    let open = if key.exists() {
        repository.open(&credentials(&key)?)?
    } else {
        let master = MasterKey::new();
        fs::write(&key, serde_json::to_string(&master)?)?;
        let mut options = ConfigOptions::default();
        options.set_datapack_size = Some("8MiB".parse()?);
        options.set_datapack_growfactor = Some(0);
        repository.init(&Credentials::Masterkey(master), &KeyOptions::default(), &options)?
    };
    let paths = PathList::from_string(tree)?;
    open.to_indexed_ids()?.backup(&BackupOptions::default(), &paths, SnapshotFile::default())?;
    Ok(())
}

/// Restores a vault's newest snapshot.
///
/// # Errors
/// Those of the library.
pub fn restore(vault: &Path, target: &str) -> Outcome {
    let key = vault.with_extension("key");
    let repository = repository(vault)?.open(&credentials(&key)?)?.to_indexed()?;
    let node = repository.node_from_snapshot_path("latest", |_| true)?;
    let entries = repository.ls(&node, &LsOptions::default())?;
    let target = LocalDestination::new(target, true, !node.is_dir())?;
    let options = RestoreOptions::default();
    let plan = repository.prepare_restore(&options, entries.clone(), &target, false)?;
    repository.restore(plan, &options, entries, &target)?;
    Ok(())
}

fn credentials(key: &Path) -> Outcome<Credentials> {
    Ok(Credentials::Masterkey(serde_json::from_str(&fs::read_to_string(key)?)?))
}

fn repository(vault: &Path) -> Outcome<Repository<()>> {
    let backend = Arc::new(Folder(vault.to_owned()));
    let mut options = RepositoryOptions::default();
    options.no_cache = true;
    Ok(Repository::new(&options, &RepositoryBackends::new(backend, None))?)
}

/// Files in a folder, each synced when it is written.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn path(&self, kind: FileType, id: &Id) -> PathBuf {
        let hex = id.to_hex();
        match kind {
            FileType::Config => self.0.join("config"),
            FileType::Pack => {
                let short: String = hex.chars().take(2).collect();
                self.0.join("data").join(short).join(hex.as_str())
            }
            FileType::Index | FileType::Key | FileType::Snapshot => {
                self.0.join(kind.dirname()).join(hex.as_str())
            }
        }
    }
}

fn failed(error: std::io::Error) -> Box<RusticError> {
    RusticError::with_source(ErrorKind::InputOutput, "a file can't be used", error)
}

impl ReadBackend for Folder {
    fn location(&self) -> String {
        self.0.display().to_string()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let root = match kind {
            FileType::Config => {
                let size = fs::metadata(self.0.join("config")).map(|meta| meta.len());
                return Ok(size
                    .map(|size| vec![(Id::default(), u32::try_from(size).unwrap_or(u32::MAX))])
                    .unwrap_or_default());
            }
            FileType::Pack => self.0.join("data"),
            FileType::Index | FileType::Key | FileType::Snapshot => self.0.join(kind.dirname()),
        };
        let mut found = Vec::new();
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let meta = entry.metadata().map_err(failed)?;
                if meta.is_dir() {
                    folders.push(entry.path());
                } else if let Some(Ok(id)) = entry.file_name().to_str().map(str::parse) {
                    found.push((id, u32::try_from(meta.len()).unwrap_or(u32::MAX)));
                }
            }
        }
        Ok(found)
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        Ok(fs::read(self.path(kind, id)).map_err(failed)?.into())
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let mut file = File::open(self.path(kind, id)).map_err(failed)?;
        file.seek(SeekFrom::Start(offset.into())).map_err(failed)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact(&mut bytes).map_err(failed)?;
        Ok(bytes.into())
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.path(kind, id).display().to_string()
    }
}

impl WriteBackend for Folder {
    fn create(&self) -> RusticResult<()> {
        for folder in ["data", "index", "keys", "snapshots", "locks"] {
            fs::create_dir_all(self.0.join(folder)).map_err(failed)?;
        }
        Ok(())
    }

    fn write_bytes(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        let path = self.path(kind, id);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = File::create(&path).map_err(failed)?;
        for part in content.slice() {
            file.write_all(part).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        fs::remove_file(self.path(kind, id)).map_err(failed)
    }
}
