//! Crossvault's platform on one machine: one type that implements all ports.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    explain::Explain,
    ids::{AccountId, Region, VaultId},
};
use crossvault_handlers::ports::{Clock, PortError, Range, Store, Stored, Transaction, Version};
use crossvault_handlers::records::Key;
use serde::{Deserialize, Serialize};

use crate::{
    home::{Home, HomeError},
    queue::LocalQueue,
    store::SqliteStore,
    transfers::Running,
    vault::{FileKeys, KeyError, KeyStore, Vault, VaultError, VaultKey},
    world::LocalWorld,
};

/// What is decided once when a home is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The backup management account.
    pub management: AccountId,
    /// The region of commands that name none.
    pub region: Region,
}

/// The platform. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) home: Home,
    pub(crate) settings: Settings,
    pub(crate) store: SqliteStore,
    pub(crate) world: Arc<LocalWorld>,
    pub(crate) queue: LocalQueue,
    pub(crate) running: Running,
    keys: FileKeys,
    vaults: Mutex<BTreeMap<VaultId, Arc<Vault>>>,
}

/// Why a platform can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The home can't be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The state can't be read.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Explain for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Home(error) => error.code(),
            Self::Port(error) => error.code(),
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::Home(error) => error.remedy(),
            Self::Port(error) => error.remedy(),
        }
    }
}

impl Embedded {
    /// Makes a home and sets it up: the backup management account exists in its world.
    ///
    /// # Errors
    /// [`OpenError`] when there is one already, or it can't be written.
    pub async fn create(
        dir: &Path,
        settings: Settings,
        account_name: &str,
    ) -> Result<Self, OpenError> {
        let begun = Home::begin(dir)?;
        let world = LocalWorld::load(begun.store()).await?;
        world.found(begun.store(), &settings, account_name).await?;
        let home = begun.complete()?;
        let store = home.store()?;
        Ok(Self::assemble(home, store, world, settings))
    }

    /// Opens a home: its state is checked, and this process holds it from now on.
    ///
    /// # Errors
    /// [`OpenError`] when there is none, another process holds it, or its state is damaged.
    pub async fn open(dir: &Path) -> Result<Self, OpenError> {
        let home = Home::open(dir)?;
        let store = home.store()?;
        let world = LocalWorld::load(&store).await?;
        let settings = LocalWorld::settings(&store).await?.ok_or_else(|| {
            HomeError::StateDamaged { file: home.state(), detail: "it has no settings".to_owned() }
        })?;
        Ok(Self::assemble(home, store, world, settings))
    }

    fn assemble(home: Home, store: SqliteStore, world: LocalWorld, settings: Settings) -> Self {
        let keys = FileKeys::new(&home.keys());
        Self {
            inner: Arc::new(Inner {
                home,
                settings,
                store,
                world: Arc::new(world),
                queue: LocalQueue::default(),
                running: Running::default(),
                keys,
                vaults: Mutex::default(),
            }),
        }
    }

    /// The folder that this process holds.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.inner.home
    }

    /// What was decided when the home was made.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The state.
    #[must_use]
    pub fn store(&self) -> &SqliteStore {
        &self.inner.store
    }

    /// The local world of accounts, roles and sources.
    #[must_use]
    pub fn world(&self) -> &Arc<LocalWorld> {
        &self.inner.world
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// A vault, opened once and kept. Blocks while it is opened.
    ///
    /// # Errors
    /// [`VaultError`] when its folder or key is missing, does not fit, or is damaged.
    pub fn vault(&self, id: &VaultId) -> Result<Arc<Vault>, VaultError> {
        let mut vaults = self.inner.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vault) = vaults.get(id) {
            return Ok(Arc::clone(vault));
        }
        let key = self.inner.keys.load(id)?;
        let vault = Arc::new(Vault::open(&self.inner.home.vault(id), key)?);
        vaults.insert(id.clone(), Arc::clone(&vault));
        Ok(vault)
    }

    /// Makes a vault's key and folder unless they are there. Blocks.
    ///
    /// # Errors
    /// [`VaultError`] when they can't be made.
    pub(crate) fn make_vault(&self, id: &VaultId) -> Result<(), VaultError> {
        let keys = &self.inner.keys;
        let key = match keys.load(id) {
            Err(KeyError::Missing { .. }) => {
                let key = VaultKey::generate()?;
                // Written and synced before the vault: a vault without its key is worth nothing.
                keys.create(id, &key)?;
                key
            }
            loaded => loaded?,
        };
        Vault::create(&self.inner.home.vault(id), key)?;
        Ok(())
    }

    /// Stops every transfer of this process. Nothing is sealed after this returned.
    pub(crate) fn halt_all(&self) {
        self.inner.running.halt_all();
    }
}

impl Clock for Embedded {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

impl Store for Embedded {
    async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        self.inner.store.get(key).await
    }

    async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Option<Stored>>, PortError> {
        self.inner.store.get_many(keys).await
    }

    async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        self.inner.store.range(range).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        self.inner.store.commit(transaction).await
    }
}
