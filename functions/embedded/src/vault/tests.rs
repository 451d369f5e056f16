//! The vault as a whole, on trees in memory.

use std::{path::Path, sync::Arc};

use chrono::DateTime;
use crossvault_core::{ids::JobId, vault::Epoch};

use super::*;

mod crash;
mod damage;
mod failures;
mod local;
mod memory;
mod restic;
mod restoring;
mod stopping;

use memory::{MemoryTarget, MemoryTree, file, folder};

/// A vault in a folder of its own that goes when the test ends.
struct Home {
    vault: Vault,
    key: VaultKey,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = VaultKey::generate().unwrap();
        let vault = Vault::create(&folder.path().join("vault"), key.clone()).unwrap();
        Self { vault, key, folder }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("vault")
    }

    /// The vault as another process would open it.
    fn reopened(&self) -> Vault {
        Vault::open(&self.path(), self.key.clone()).unwrap()
    }

    fn sealed(&self, order: &BackupOrder, tree: &MemoryTree) -> Sealed {
        match self.vault.back_up(order, tree.clone(), &Control::new()).unwrap() {
            BackupEnd::Sealed(sealed) => sealed,
            BackupEnd::Paused { .. } => panic!("nobody paused it"),
        }
    }

    fn restored(&self, snapshot: SnapshotName) -> (MemoryTarget, RestoreEnd) {
        let target = MemoryTarget::default();
        let end = self.vault.restore(&all_of(snapshot), &target, &Control::new()).unwrap();
        (target, end)
    }
}

fn all_of(snapshot: SnapshotName) -> RestoreOrder {
    RestoreOrder { snapshot, only: None, after: None, failures_max: u64::MAX }
}

/// The order of the `n`th job of the source.
fn order(n: u32) -> BackupOrder {
    BackupOrder {
        source: "1000000000000012/cn-hangzhou/ecs-files/i-web.1".parse().unwrap(),
        plan: None,
        job: JobId::derive(&[&n.to_string()]),
        fence: 1,
        epoch: Epoch(3),
        time: DateTime::from_timestamp(1_700_000_000_i64.saturating_add(n.into()), 123).unwrap(),
        parent: None,
        failures_max: u64::MAX,
        ignore_change_time: false,
    }
}

/// Bytes that no two seeds share and that can't be compressed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn tree() -> MemoryTree {
    MemoryTree::new(vec![
        folder("a"),
        file("a/empty", vec![]),
        file("a/small", b"small".to_vec()),
        folder("b"),
        folder("b/c"),
        file("b/c/large", noise(1, 1_500_000)),
        file("b/zeros", vec![0; 1_100_000]),
        file("z", noise(2, 60_000)),
    ])
}

#[test]
fn what_was_backed_up_is_restored_the_same() {
    let home = Home::new();
    let tree = tree();
    let sealed = home.sealed(&order(1), &tree);
    assert_eq!((sealed.files, sealed.failed), (8, 0));
    assert_eq!(sealed.bytes, 2_660_005);
    assert!(sealed.bytes_added > 1_560_000, "{}", sealed.bytes_added);
    assert_eq!(sealed.taken, order(1).time);

    let (target, end) = home.restored(sealed.snapshot);
    assert_eq!((end.files, end.bytes, end.failed), (8, 2_660_005, 0));
    assert_eq!(target.content(), tree.content());
}

#[test]
fn a_second_backup_opens_no_file_that_is_unchanged() {
    let home = Home::new();
    let first = home.sealed(&order(1), &tree());
    let tree = tree();
    let control = Control::new();
    let second = match home.vault.back_up(&order(2), tree.clone(), &control).unwrap() {
        BackupEnd::Sealed(sealed) => sealed,
        BackupEnd::Paused { .. } => panic!("nobody paused it"),
    };
    assert_eq!(tree.opened(), 0);
    assert_eq!(control.moved(), Moved { files: 8, bytes: 2_660_005 });
    assert_eq!((second.files, second.bytes), (first.files, first.bytes));
    assert_eq!((second.tree, second.bytes_added), (first.tree, 0));
}

#[test]
fn a_job_finds_what_it_sealed_and_nothing_else() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    assert_eq!(home.vault.find(&order(1).job).unwrap(), Some(sealed.clone()));
    assert_eq!(home.reopened().find(&order(1).job).unwrap(), Some(sealed.clone()));
    assert_eq!(home.vault.find(&order(2).job).unwrap(), None);

    let again = BackupOrder { fence: 2, epoch: Epoch(4), ..order(1) };
    let again = home.sealed(&again, &tree());
    assert_eq!(home.vault.find(&order(1).job).unwrap(), Some(again.clone()));
    assert_eq!(home.vault.sealed().unwrap().len(), 2);

    home.vault.forget(&[again.snapshot]).unwrap();
    home.vault.forget(&[again.snapshot]).unwrap();
    assert_eq!(home.vault.find(&order(1).job).unwrap(), Some(sealed));
    assert_eq!(home.vault.forget(&[]), Ok(()));
}

#[test]
fn a_folder_is_listed_by_pages() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    let browser = home.vault.browse(sealed.snapshot).unwrap();
    let names = |listed: &Listed| {
        listed.entries.iter().map(|e| e.path.display().to_string()).collect::<Vec<_>>().join(" ")
    };
    let first = browser.list(Path::new(""), None, 2).unwrap();
    assert_eq!((names(&first).as_str(), first.has_more), ("a b", true));
    let second = browser.list(Path::new(""), Some("b".as_ref()), 2).unwrap();
    assert_eq!((names(&second).as_str(), second.has_more), ("z", false));
    let inner = browser.list(Path::new("b/c"), None, 9).unwrap();
    assert_eq!((names(&inner).as_str(), inner.has_more), ("b/c/large", false));
    for missing in ["b/x", "z", "../b", "/b"] {
        let error = browser.list(Path::new(missing), None, 9).unwrap_err();
        assert_eq!(error, VaultError::NoEntry { path: missing.into() });
    }
}

#[test]
fn two_backups_at_once_are_both_whole() {
    let home = Arc::new(Home::new());
    let trees = [1_u64, 2].map(|seed| {
        MemoryTree::new(vec![
            file("own", noise(seed, 1_000_000)),
            file("shared", noise(9, 1_000_000)),
        ])
    });
    let sealed: Vec<_> = std::thread::scope(|scope| {
        let threads = [0, 1].map(|n| {
            let (home, tree) = (home.clone(), trees[n].clone());
            scope.spawn(move || home.sealed(&order(u32::try_from(n).unwrap()), &tree))
        });
        threads.map(|thread| thread.join().unwrap()).into()
    });
    for (sealed, tree) in sealed.iter().zip(&trees) {
        assert_eq!(home.restored(sealed.snapshot).0.content(), tree.content());
    }
    assert_eq!(home.vault.check(true), Ok(vec![]));
}

#[test]
fn prune_gives_back_what_no_snapshot_needs() {
    let home = Home::new();
    let one = MemoryTree::new(vec![file("one", noise(1, 200_000))]);
    let two = MemoryTree::new(vec![file("two", noise(2, 200_000))]);
    let gone = home.sealed(&order(1), &one);
    let kept = home.sealed(&order(2), &two);
    home.vault.forget(&[gone.snapshot]).unwrap();

    assert!(home.vault.leases().try_share().is_some());
    let alone = home.vault.leases().exclude();
    assert!(home.vault.leases().try_share().is_none());
    let marked = home.vault.prune(&alone, Prune::TwoPhase).unwrap();
    assert!(marked.marked > 200_000 && marked.freed == 0, "{marked:?}");
    let freed = home.vault.prune(&alone, Prune::Instant).unwrap();
    assert!(freed.freed > 200_000, "{freed:?}");
    let nothing = home.vault.prune(&alone, Prune::Instant).unwrap();
    assert_eq!(nothing, Pruned::default());
    let other = Home::new();
    let foreign = other.vault.prune(&alone, Prune::Instant);
    assert!(matches!(foreign, Err(VaultError::Illegal { .. })));
    drop(alone);

    assert_eq!(home.vault.check(true), Ok(vec![]));
    assert_eq!(home.restored(kept.snapshot).0.content(), two.content());
}

#[test]
fn a_vault_is_made_once_and_opened_only_with_its_key() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    let again = Vault::create(&home.path(), home.key.clone()).unwrap();
    assert_eq!(again.find(&order(1).job).unwrap(), Some(sealed));

    let wrong = VaultKey::generate().unwrap();
    let refused = VaultError::WrongKey { path: home.path() };
    assert_eq!(Vault::open(&home.path(), wrong.clone()).unwrap_err(), refused);
    assert_eq!(Vault::create(&home.path(), wrong).unwrap_err(), refused);

    let nowhere = home.folder.path().join("nowhere");
    let missing = Vault::open(&nowhere, home.key.clone()).unwrap_err();
    assert_eq!(missing, VaultError::NotFound { path: nowhere.clone() });
    assert!(!nowhere.exists());
}

#[test]
fn a_half_made_vault_is_completed_only_when_it_holds_nothing() {
    let home = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let half = home.path().join("half");
    std::fs::create_dir_all(half.join("data")).unwrap();
    std::fs::create_dir_all(half.join("tmp")).unwrap();
    std::fs::write(half.join("tmp/1-0"), "half a config").unwrap();
    assert_eq!(
        Vault::open(&half, key.clone()).unwrap_err(),
        VaultError::NotFound { path: half.clone() }
    );
    Vault::create(&half, key.clone()).unwrap();
    Vault::open(&half, key.clone()).unwrap();
    assert_eq!(std::fs::read_dir(half.join("tmp")).unwrap().count(), 0);

    std::fs::remove_file(half.join("config")).unwrap();
    std::fs::create_dir_all(half.join("data/00")).unwrap();
    for refused in [Vault::create(&half, key.clone()), Vault::open(&half, key.clone())] {
        assert!(matches!(refused, Err(VaultError::Occupied { .. })));
    }
    let other = home.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("letter"), "").unwrap();
    assert!(matches!(Vault::create(&other, key), Err(VaultError::Occupied { .. })));
    assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
}
