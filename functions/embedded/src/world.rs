//! The local world: the simulator's identities, kept on disk and shared by all threads.
//!
//! To the handlers it is a cloud, changed in transactions of its own. A change is written first
//! and absorbed afterwards, so what a crash leaves is either wholly there or not at all.

use std::{
    path::PathBuf,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use crossvault_core::ids::DataSource;
use crossvault_handlers::ports::PortError;
use crossvault_simulator::world::{
    Answer, Change, Command, Deed, Entity, Event, Refusal, World, decide, events,
};
use tokio::sync::broadcast;

use crate::{
    platform::Settings,
    store::{SqliteStore, WorldWrite},
};

/// The key of the row beside the entities that holds the home's settings.
const SETTINGS: &str = "settings";

/// How many events a listener may be behind before it misses the oldest.
const EVENTS_HELD: usize = 1024;

/// The world, as every thread sees it.
pub struct LocalWorld {
    world: RwLock<World>,
    /// The world's version: a positive answer holds as long as it stays.
    version: AtomicU64,
    /// Changes come one after the other, each decided on the world that the last one left.
    changing: tokio::sync::Mutex<()>,
    told: broadcast::Sender<Event>,
}

/// Why the world was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The world does not permit it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl LocalWorld {
    /// Reads the world from its rows.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when a row can't be read.
    pub async fn load(store: &SqliteStore) -> Result<Self, PortError> {
        let mut world = World::default();
        for (key, body) in store.world().await? {
            if key == SETTINGS {
                continue;
            }
            let entity: Entity = parse(&key, &body)?;
            world.absorb(&Change::Put(entity));
        }
        let version = AtomicU64::new(world.version());
        Ok(Self {
            world: RwLock::new(world),
            version,
            changing: tokio::sync::Mutex::default(),
            told: broadcast::Sender::new(EVENTS_HELD),
        })
    }

    /// The settings that the home was made with; none before it was set up.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when they can't be read.
    pub async fn settings(store: &SqliteStore) -> Result<Option<Settings>, PortError> {
        let rows = store.world().await?;
        let row = rows.into_iter().find(|(key, _)| key == SETTINGS);
        row.map(|(key, body)| parse(&key, &body)).transpose()
    }

    /// Writes the settings and the backup management account: the home is set up then.
    pub(crate) async fn found(
        &self,
        store: &SqliteStore,
        settings: &Settings,
        account_name: &str,
    ) -> Result<(), PortError> {
        let deed = Deed::CreateAccount { name: account_name.to_owned() };
        let command = Command { by: settings.management.clone(), deed };
        let (_, changes) = self
            .read(|world| decide(world, DateTime::<Utc>::UNIX_EPOCH, command))
            .map_err(|refusal| PortError::Invalid(refusal.to_string()))?;
        let mut writes = writes(&changes)?;
        writes.push(WorldWrite::Put { key: SETTINGS.to_owned(), body: text(settings)? });
        store.write_world(writes).await?;
        self.absorb(&changes);
        Ok(())
    }

    /// Carries a command out: decided, written, absorbed, told.
    ///
    /// # Errors
    /// [`ChangeError`] when it is refused or could not be written: then nothing was changed.
    pub async fn change(
        &self,
        store: &SqliteStore,
        now: DateTime<Utc>,
        command: Command,
    ) -> Result<Answer, ChangeError> {
        let _one_at_a_time = self.changing.lock().await;
        let (answer, changes, told) = self.read(|world| {
            let (answer, changes) = decide(world, now, command.clone())?;
            let told = events(world, now, &command, &changes);
            Ok::<_, Refusal>((answer, changes, told))
        })?;
        store.write_world(writes(&changes)?).await?;
        self.absorb(&changes);
        for event in told {
            // Nobody may listen: an event is a hint, and what it hints at is in the world.
            let _ = self.told.send(event);
        }
        Ok(answer)
    }

    /// The events of all changes from now on, each after its change, in the order of the changes.
    ///
    /// A listener that is far behind misses some, as it may on a cloud.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.told.subscribe()
    }

    /// Looks at the world as it is now.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The version of the world: every answer stays as long as this stays.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Where a source's data lies on this machine; none when there is no such source.
    #[must_use]
    pub fn location(&self, source: &DataSource) -> Option<PathBuf> {
        self.read(|world| world.find_source(source).map(|found| PathBuf::from(&found.location)))
    }

    fn absorb(&self, changes: &[Change]) {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            world.absorb(change);
        }
        // While the lock is held: whoever sees the new version sees the new world.
        self.version.store(world.version(), Ordering::Release);
    }
}

fn writes(changes: &[Change]) -> Result<Vec<WorldWrite>, PortError> {
    changes
        .iter()
        .map(|change| {
            let key = change.key().to_string();
            Ok(match change {
                Change::Put(entity) => WorldWrite::Put { key, body: text(entity)? },
                Change::Remove(_) => WorldWrite::Remove { key },
            })
        })
        .collect()
}

fn text(value: &impl serde::Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| PortError::Invalid(error.to_string()))
}

fn parse<T: serde::de::DeserializeOwned>(key: &str, body: &str) -> Result<T, PortError> {
    serde_json::from_str(body).map_err(|error| PortError::Corrupt {
        what: format!("row `{key}` of the local world"),
        detail: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::*;

    #[tokio::test]
    async fn a_change_is_told_once_it_is_so_and_a_refused_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("state.sqlite")).unwrap();
        let world = LocalWorld::load(&store).await.unwrap();
        let by: crossvault_core::ids::AccountId = "1000000000000001".parse().unwrap();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let change = async |deed| world.change(&store, now, Command { by: by.clone(), deed }).await;
        // Nobody listens yet.
        change(Deed::CreateAccount { name: "backup".into() }).await.unwrap();
        change(Deed::CreateDirectory).await.unwrap();
        let mut listener = world.events();
        assert_eq!(listener.try_recv(), Err(TryRecvError::Empty));
        change(Deed::EnableControlPolicy).await.unwrap();
        let event = listener.try_recv().unwrap();
        assert_eq!(event.account, by);
        assert!(event.json.contains("\"EnableControlPolicy\""), "{}", event.json);
        assert!(change(Deed::CreateDirectory).await.is_err());
        change(Deed::EnableControlPolicy).await.unwrap();
        assert_eq!(listener.try_recv(), Err(TryRecvError::Empty));
    }
}
