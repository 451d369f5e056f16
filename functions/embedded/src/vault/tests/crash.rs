//! What a crash or a full disk leaves behind, and what becomes of it.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use rustic_core::FileType;

use super::{super::*, Home, memory::MemoryTree, memory::file, noise, order, tree};

fn packs(vault: &Path) -> usize {
    let folders = fs::read_dir(vault.join("data")).unwrap();
    folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

fn large() -> MemoryTree {
    MemoryTree::new((0..5_u64).map(|n| file(&format!("f{n}"), noise(n, 100_000))).collect())
}

/// As if the process had died before the index was written.
fn crash(home: &Home) {
    *home.vault.folder.before_write.lock().unwrap() = Some(Box::new(|kind| {
        if kind == FileType::Index { Err(io::Error::other("crashed")) } else { Ok(()) }
    }));
    let error = home.vault.back_up(&order(1), large(), &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::Io { .. }), "{error}");
    *home.vault.folder.before_write.lock().unwrap() = None;
}

#[test]
fn packs_that_a_crash_left_are_adopted_and_not_written_again() {
    let home = Home::new();
    crash(&home);
    let left = packs(&home.path());
    assert!(left >= 5, "{left}");
    assert_eq!(home.vault.sealed(), Ok(vec![]));

    let vault = home.reopened();
    let alone = vault.leases().exclude();
    let adopted = vault.adopt_orphans(&alone).unwrap();
    assert_eq!(adopted.packs, u64::try_from(left).unwrap());
    assert!(adopted.bytes > 500_000, "{adopted:?}");
    assert_eq!(vault.adopt_orphans(&alone), Ok(Adopted::default()));
    drop(alone);

    let sealed = home.sealed(&order(1), &large());
    assert_eq!(sealed.bytes_added, 0);
    assert_eq!(packs(&home.path()), left);
    assert_eq!(home.vault.check(true), Ok(vec![]));
    assert_eq!(home.restored(sealed.snapshot).0.content(), large().content());
}

#[test]
fn packs_that_a_crash_left_are_pruned_when_nobody_adopts_them() {
    let home = Home::new();
    crash(&home);
    let freed = home.vault.prune(&home.vault.leases().exclude(), Prune::Instant).unwrap();
    assert!(freed.freed > 500_000, "{freed:?}");
    assert_eq!(packs(&home.path()), 0);
}

#[test]
fn adopting_leaves_the_index_of_a_missing_pack_alone() {
    let home = Home::new();
    let kept = home.sealed(&order(2), &tree());
    let pack = fs::read_dir(home.path().join("data")).unwrap().next().unwrap().unwrap().path();
    let pack = fs::read_dir(pack).unwrap().next().unwrap().unwrap().path();
    let aside = home.folder.path().join("aside");
    fs::rename(&pack, &aside).unwrap();
    crash(&home);
    let adopted = home.vault.adopt_orphans(&home.vault.leases().exclude()).unwrap();
    assert!(adopted.packs >= 5);
    fs::rename(&aside, &pack).unwrap();
    assert_eq!(home.vault.check(true), Ok(vec![]));
    assert_eq!(home.restored(kept.snapshot).0.content(), tree().content());
}

#[test]
fn a_full_disk_ends_the_backup_at_once_and_says_so() {
    let home = Home::new();
    let kept = home.sealed(&order(1), &tree());
    *home.vault.folder.before_write.lock().unwrap() =
        Some(Box::new(|_| Err(io::ErrorKind::StorageFull.into())));
    let things = (0..100_u64).map(|n| file(&format!("f{n:03}"), noise(n, 40_000)));
    let big = MemoryTree::new(things.collect());
    let error = home.vault.back_up(&order(2), big.clone(), &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::Full { .. }), "{error}");
    // The library alone would have read all 4 MB before it says so.
    assert!(big.opened() < 70, "{}", big.opened());
    *home.vault.folder.before_write.lock().unwrap() = None;

    assert_eq!(home.vault.sealed().unwrap().len(), 1);
    assert_eq!(home.restored(kept.snapshot).0.content(), tree().content());
    assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
    home.sealed(&order(2), &tree());
}

#[test]
fn a_full_disk_at_the_very_end_seals_nothing() {
    let home = Home::new();
    *home.vault.folder.before_write.lock().unwrap() = Some(Box::new(|kind| {
        if kind == FileType::Snapshot { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }));
    let error = home.vault.back_up(&order(1), tree(), &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::Full { .. }), "{error}");
    assert_eq!(home.vault.sealed(), Ok(vec![]));
}

#[test]
fn an_interrupted_write_is_tried_again() {
    let home = Home::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    *home.vault.folder.before_write.lock().unwrap() = Some(Box::new(move |_| {
        if counted.fetch_add(1, SeqCst) % 3 < 2 {
            Err(io::ErrorKind::Interrupted.into())
        } else {
            Ok(())
        }
    }));
    home.sealed(&order(1), &tree());
    assert!(tries.load(SeqCst) > 6);
}

#[test]
fn files_of_a_vault_are_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt;
    let home = Home::new();
    home.sealed(&order(1), &tree());
    let mut folders = vec![home.path()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700, "{folder:?}");
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.metadata().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600, "{entry:?}");
                files += 1;
            }
        }
    }
    assert!(files >= 4);
}
