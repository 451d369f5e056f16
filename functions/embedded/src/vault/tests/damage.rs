//! A damaged vault says what is damaged, and gives back the rest.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crossvault_core::explain::Explain;

use super::{super::*, Home, memory::MemoryTree, memory::file, noise, order};

/// Three files in packs of their own.
fn three() -> MemoryTree {
    MemoryTree::new((0..3_u64).map(|n| file(&format!("f{n}"), noise(n, 5_000_000))).collect())
}

/// Packs of data, by their size: those of folders are small.
fn data_packs(vault: &Path) -> Vec<PathBuf> {
    let mut packs = vec![];
    for folder in fs::read_dir(vault.join("data")).unwrap() {
        for pack in fs::read_dir(folder.unwrap().path()).unwrap() {
            let pack = pack.unwrap();
            if pack.metadata().unwrap().len() > 1_000_000 {
                packs.push(pack.path());
            }
        }
    }
    packs.sort();
    packs
}

fn only_file(folder: &Path) -> PathBuf {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

fn flip(path: &Path, at: usize) {
    let mut content = fs::read(path).unwrap();
    content[at] ^= 1;
    fs::write(path, content).unwrap();
}

/// Damages one pack; what needs it is named by check and restore, the rest comes back, and the
/// next backup heals it.
#[track_caller]
fn check(damage: impl Fn(&Path), found_without_reading: bool) {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &three());
    let pack = data_packs(&home.path()).remove(0);
    damage(&pack);

    let shallow = home.vault.check(false).unwrap();
    assert_eq!(!shallow.is_empty(), found_without_reading, "{shallow:?}");
    let damages = home.vault.check(true).unwrap();
    assert_eq!(damages.len(), 1, "{damages:?}");
    assert_eq!(damages[0].path, pack);
    let named: Vec<_> = damages[0].files.iter().map(|(_, path)| path.clone()).collect();
    assert!(!named.is_empty() && named.len() < 3, "{named:?}");

    let (target, end) = home.restored(sealed.snapshot);
    let failed: Vec<_> = end.failures.iter().map(|failure| failure.path.clone()).collect();
    assert_eq!(failed, named);
    assert_eq!(end.failures[0].code, "FILE_DAMAGED_IN_VAULT");
    let mut expected = three().content();
    for path in &named {
        expected.remove(path);
    }
    assert_eq!(target.content(), expected);

    if found_without_reading {
        let healed = home.sealed(&order(2), &three());
        assert_eq!(home.restored(healed.snapshot).0.content(), three().content());
        assert_eq!(home.restored(sealed.snapshot).0.content(), three().content());
        let alone = home.vault.leases().exclude();
        assert_eq!(home.vault.give_up_missing(&alone), Ok(1));
        assert_eq!(home.vault.give_up_missing(&alone), Ok(0));
        home.vault.prune(&alone, Prune::Instant).unwrap();
        drop(alone);
        assert_eq!(home.vault.check(true), Ok(vec![]));
        assert_eq!(home.restored(sealed.snapshot).0.content(), three().content());
    }
}

#[test]
fn a_missing_pack_is_found_and_the_next_backup_brings_its_content_again() {
    check(|pack| fs::remove_file(pack).unwrap(), true);
}

#[test]
fn a_pack_that_is_cut_short_is_found() {
    let cut = |pack: &Path| {
        let content = fs::read(pack).unwrap();
        fs::write(pack, &content[..content.len() / 2]).unwrap();
    };
    check(cut, true);
}

#[test]
fn a_flipped_bit_is_found_when_data_is_read() {
    check(|pack| flip(pack, 1_000), false);
}

#[test]
fn a_missing_folder_is_named_and_the_next_backup_writes_it_again() {
    let home = Home::new();
    let tree = MemoryTree::new(vec![
        super::folder("d"),
        file("d/f", noise(1, 3_000_000)),
        file("e", noise(2, 10)),
    ]);
    let sealed = home.sealed(&order(1), &tree);
    let data = data_packs(&home.path());
    for folder in fs::read_dir(home.path().join("data")).unwrap() {
        let pack = only_file(&folder.unwrap().path());
        if !data.contains(&pack) {
            fs::remove_file(pack).unwrap();
        }
    }
    let error = home.vault.restore(
        &super::all_of(sealed.snapshot),
        &super::MemoryTarget::default(),
        &Control::new(),
    );
    assert!(matches!(error, Err(VaultError::Corrupt { .. })), "{error:?}");
    assert!(!home.vault.check(false).unwrap().is_empty());

    home.sealed(&order(2), &tree);
    assert_eq!(home.restored(sealed.snapshot).0.content(), tree.content());
    let alone = home.vault.leases().exclude();
    home.vault.give_up_missing(&alone).unwrap();
    home.vault.prune(&alone, Prune::Instant).unwrap();
    drop(alone);
    assert_eq!(home.vault.check(true), Ok(vec![]));
}

#[test]
fn a_damaged_snapshot_is_named_and_stops_a_prune() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &three());
    let other = home.sealed(&order(2), &three());
    let path = home.path().join("snapshots").join(sealed.snapshot.to_string());
    flip(&path, 40);
    let vault = home.reopened();
    assert_eq!(vault.sealed().unwrap().len(), 1);
    assert_eq!(vault.find(&order(1).job), Ok(None));
    let damages = vault.check(false).unwrap();
    assert_eq!((damages.len(), &damages[0].path), (1, &path));
    let pruned = vault.prune(&vault.leases().exclude(), Prune::Instant);
    assert!(matches!(pruned, Err(VaultError::Corrupt { .. })), "{pruned:?}");
    let restored = vault.restore(
        &super::all_of(sealed.snapshot),
        &super::MemoryTarget::default(),
        &Control::new(),
    );
    let Err(error @ VaultError::Corrupt { .. }) = restored else { panic!("{restored:?}") };
    assert_eq!(error.code(), "VAULT_CORRUPT");
    assert!(error.remedy().contains(&path.display().to_string()));
    assert_eq!(home.restored(other.snapshot).1.failed, 0);
}

#[test]
fn a_snapshot_that_is_not_there_is_said_so() {
    let home = Home::new();
    let name: SnapshotName = "ab".repeat(32).parse().unwrap();
    let restored =
        home.vault.restore(&super::all_of(name), &super::MemoryTarget::default(), &Control::new());
    assert_eq!(restored, Err(VaultError::NoSnapshot(name)));
    assert!("ab".parse::<SnapshotName>().is_err());
    assert!(matches!(home.vault.browse(name), Err(VaultError::NoSnapshot(_))));
}

#[test]
fn a_damaged_index_is_named() {
    let home = Home::new();
    home.sealed(&order(1), &three());
    let index = only_file(&home.path().join("index"));
    flip(&index, 50);
    let vault = home.reopened();
    let damages = vault.check(true).unwrap();
    assert_eq!((damages.len(), &damages[0].path), (1, &index));
    let error = vault.back_up(&order(2), three(), &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::Corrupt { .. }), "{error}");
}
