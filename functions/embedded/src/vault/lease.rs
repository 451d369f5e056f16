//! Who may use a vault at the same time, within this process.
//!
//! Backups, restores and looking share it; prune, adopting packs and changes of config and keys
//! have it alone. Across processes the lock of Crossvault's home sees to that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// The leases of one vault. Clones, and all that [`Leases::of`] gives for one folder, are the same.
#[derive(Clone, Debug)]
pub struct Leases(Arc<Room>);

#[derive(Debug, Default)]
struct Room {
    users: Mutex<Users>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Users {
    shared: u64,
    exclusive: bool,
    /// Those who wait to have it alone: new sharers wait behind them, or they would never get it.
    waiting: u64,
}

static ROOMS: Mutex<BTreeMap<PathBuf, Weak<Room>>> = Mutex::new(BTreeMap::new());

/// How often a waiting transfer looks whether it was stopped meanwhile.
const LOOK: Duration = Duration::from_millis(50);

impl Leases {
    /// The leases of the vault in `folder`: the same for all who ask in this process.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let mut rooms = ROOMS.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| room.strong_count() > 0);
        if let Some(room) = rooms.get(&folder).and_then(Weak::upgrade) {
            return Self(room);
        }
        let room = Arc::new(Room::default());
        rooms.insert(folder, Arc::downgrade(&room));
        Self(room)
    }

    /// Waits until the vault may be shared.
    #[must_use]
    pub fn share(&self) -> Shared {
        loop {
            if let Some(lease) = self.share_unless(|| false) {
                return lease;
            }
        }
    }

    /// Waits until the vault may be shared, or until `stopped` says that nobody wants it any more.
    pub fn share_unless(&self, stopped: impl Fn() -> bool) -> Option<Shared> {
        let mut users = self.users();
        while users.exclusive || users.waiting > 0 {
            if stopped() {
                return None;
            }
            users = self.wait(users);
        }
        users.shared = users.shared.saturating_add(1);
        Some(Shared(self.clone()))
    }

    /// Shares the vault if nobody has it alone.
    #[must_use]
    pub fn try_share(&self) -> Option<Shared> {
        let mut users = self.users();
        if users.exclusive || users.waiting > 0 {
            return None;
        }
        users.shared = users.shared.saturating_add(1);
        Some(Shared(self.clone()))
    }

    /// Waits until nobody uses the vault and takes it alone; new users wait meanwhile.
    #[must_use]
    pub fn exclude(&self) -> Exclusive {
        let mut users = self.users();
        users.waiting = users.waiting.saturating_add(1);
        while users.exclusive || users.shared > 0 {
            users = self.wait(users);
        }
        users.waiting = users.waiting.saturating_sub(1);
        users.exclusive = true;
        Exclusive(self.clone())
    }

    /// Takes the vault alone if nobody uses it.
    #[must_use]
    pub fn try_exclude(&self) -> Option<Exclusive> {
        let mut users = self.users();
        if users.exclusive || users.shared > 0 {
            return None;
        }
        users.exclusive = true;
        Some(Exclusive(self.clone()))
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.0.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, users: MutexGuard<'a, Users>) -> MutexGuard<'a, Users> {
        self.0.left.wait_timeout(users, LOOK).unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Its holder uses the vault together with others.
#[derive(Debug)]
pub struct Shared(Leases);

/// Its holder has the vault alone.
#[derive(Debug)]
pub struct Exclusive(Leases);

impl Exclusive {
    /// Whether it is a lease of that vault.
    #[must_use]
    pub fn covers(&self, leases: &Leases) -> bool {
        self.0.is_same(leases)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut users = self.0.users();
        users.shared = users.shared.saturating_sub(1);
        self.0.0.left.notify_all();
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        self.0.users().exclusive = false;
        self.0.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sharers_keep_out_the_one_who_wants_it_alone_and_the_other_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let (leases, same) = (Leases::of(folder.path()), Leases::of(folder.path()));
        let one = leases.share();
        let two = same.try_share();
        assert!(two.is_some() && same.try_exclude().is_none());
        drop((one, two));
        let alone = same.try_exclude().unwrap();
        assert!(alone.covers(&leases) && leases.try_share().is_none());
        assert!(leases.share_unless(|| true).is_none());
        drop(alone);
        assert!(leases.try_share().is_some());
    }

    #[test]
    fn who_waits_to_have_it_alone_gets_it_although_others_come() {
        let folder = tempfile::tempdir().unwrap();
        let leases = Leases::of(folder.path());
        let one = leases.share();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| leases.exclude());
            while leases.try_share().is_some() {
                std::thread::yield_now();
            }
            drop(one);
            assert!(waiting.join().unwrap().covers(&leases));
        });
        assert!(leases.try_share().is_some());
    }
}
