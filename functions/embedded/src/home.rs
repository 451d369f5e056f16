//! The home directory: all that one installation keeps, held by one process at a time.
//!
//! ```text
//! state.sqlite                       rows, the local world, alerts
//! vaults/<vault>/                    backup data
//! keys/<vault>.key                   each vault's key
//! accounts/<account>/<region>/<type>/<id>/   where local sources lie if nobody says otherwise
//! lock                               who holds the home: process id and command
//! api.sock                           where a running `crossvault up` answers
//! ```
//!
//! The format of the home is the schema's version in `state.sqlite`.

mod error;
mod lock;

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crossvault_core::ids::{DataSource, VaultId};

pub use error::HomeError;
pub use lock::Holder;

use self::lock::Lock;
use crate::store::SqliteStore;

const STATE: &str = "state.sqlite";
const STATE_BEGUN: &str = "state.sqlite.new";
const VAULTS: &str = "vaults";
const KEYS: &str = "keys";
const ACCOUNTS: &str = "accounts";
const LOCK: &str = "lock";
const SOCKET: &str = "api.sock";

/// A home that this process holds until the value is dropped.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    _lock: Lock,
}

impl Home {
    /// Begins a home, with the folders that do not exist yet, readable for its owner alone. It
    /// exists once it is [completed](Begun::complete): a crash before leaves what the next try
    /// begins anew.
    ///
    /// # Errors
    /// [`HomeError::Exists`] when there is one, [`HomeError::Occupied`] when other things lie
    /// there, [`HomeError::Held`], [`HomeError::Io`] or [`HomeError::Full`].
    pub fn begin(dir: &Path) -> Result<Begun, HomeError> {
        let dir = absolute(dir)?;
        if exists(&dir.join(STATE))? {
            return Err(HomeError::Exists { dir });
        }
        if let Some(other) = foreign(&dir)? {
            return Err(HomeError::Occupied { dir, other });
        }
        make(&dir)?;
        let lock = Lock::take(&dir, &dir.join(LOCK))?;
        // Another process may have made it between the look and the lock.
        if exists(&dir.join(STATE))? {
            return Err(HomeError::Exists { dir });
        }
        for folder in [VAULTS, KEYS, ACCOUNTS] {
            make(&dir.join(folder))?;
        }
        for name in names(&dir)?.into_iter().filter(|name| name.starts_with(STATE_BEGUN)) {
            remove(&dir.join(name))?;
        }
        let store = SqliteStore::create(&dir.join(STATE_BEGUN))?;
        Ok(Begun { home: Self { dir, _lock: lock }, store })
    }

    /// Takes hold of a home.
    ///
    /// # Errors
    /// [`HomeError::Missing`], [`HomeError::Held`], or [`HomeError::StateDamaged`] when its vaults
    /// are there but its state is not.
    pub fn open(dir: &Path) -> Result<Self, HomeError> {
        let dir = absolute(dir)?;
        let state = dir.join(STATE);
        if !exists(&state)? {
            return Err(if has_entries(&dir.join(VAULTS))? {
                HomeError::StateDamaged { file: state, detail: "it is gone".to_owned() }
            } else {
                HomeError::Missing { dir }
            });
        }
        let lock = Lock::take(&dir, &dir.join(LOCK))?;
        for folder in [VAULTS, KEYS, ACCOUNTS] {
            make(&dir.join(folder))?;
        }
        Ok(Self { dir, _lock: lock })
    }

    /// Opens the state of the home.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn store(&self) -> Result<SqliteStore, HomeError> {
        SqliteStore::open(&self.state())
    }

    /// The home itself, as an absolute path.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file of rows.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    /// The folder of all vaults.
    #[must_use]
    pub fn vaults(&self) -> PathBuf {
        self.dir.join(VAULTS)
    }

    /// A vault's data.
    #[must_use]
    pub fn vault(&self, vault: &VaultId) -> PathBuf {
        self.vaults().join(vault.as_str())
    }

    /// The folder of all keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.dir.join(KEYS)
    }

    /// Where a local source lies if nobody says otherwise; it need not exist.
    #[must_use]
    pub fn source(&self, source: &DataSource) -> PathBuf {
        // INVARIANT: no part of a source is empty, begins with `.` or holds `/`.
        let DataSource { account, region, kind, id } = source;
        let place = self.dir.join(ACCOUNTS).join(account.as_str()).join(region.as_str());
        place.join(kind.word()).join(id.as_str())
    }

    /// Where a running server listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket_in(&self.dir)
    }
}

/// A home in the making: its state has no name yet that [`Home::open`] would find.
pub struct Begun {
    home: Home,
    store: SqliteStore,
}

impl Begun {
    /// The state, to be filled before the home exists.
    #[must_use]
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Gives the state its name: the home exists from now on, whole.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn complete(self) -> Result<Home, HomeError> {
        let Self { home, store } = self;
        store.close();
        let state = home.state();
        fs::rename(home.dir.join(STATE_BEGUN), &state)
            .map_err(|error| HomeError::io(&state, &error))?;
        sync(&home.dir)?;
        Ok(home)
    }
}

/// Where the server of a home listens, also for those who do not hold it.
#[must_use]
pub fn socket_in(dir: &Path) -> PathBuf {
    dir.join(SOCKET)
}

fn absolute(dir: &Path) -> Result<PathBuf, HomeError> {
    std::path::absolute(dir).map_err(|error| HomeError::io(dir, &error))
}

fn exists(path: &Path) -> Result<bool, HomeError> {
    path.try_exists().map_err(|error| HomeError::io(path, &error))
}

/// Something in the folder that no home has.
fn foreign(dir: &Path) -> Result<Option<String>, HomeError> {
    let own = [VAULTS, KEYS, ACCOUNTS, LOCK, STATE_BEGUN];
    let is_own = |name: &str| own.contains(&name) || name.starts_with(STATE_BEGUN);
    Ok(names(dir)?.into_iter().find(|name| !is_own(name)))
}

fn has_entries(dir: &Path) -> Result<bool, HomeError> {
    Ok(!names(dir)?.is_empty())
}

/// The names in a folder; none in a folder that does not exist.
fn names(dir: &Path) -> Result<Vec<String>, HomeError> {
    let failed = |error: io::Error| HomeError::io(dir, &error);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    entries
        .map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Makes a folder for its owner alone; one that exists becomes so.
fn make(dir: &Path) -> Result<(), HomeError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)))
        .map_err(|error| HomeError::io(dir, &error))
}

fn remove(file: &Path) -> Result<(), HomeError> {
    fs::remove_file(file).map_err(|error| HomeError::io(file, &error))
}

/// Makes the names in a folder durable.
fn sync(dir: &Path) -> Result<(), HomeError> {
    fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| HomeError::io(dir, &error))
}
