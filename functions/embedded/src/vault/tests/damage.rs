//! A damaged vault says what is damaged, and gives back the rest.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crossvault_core::explain::Explain;

use super::{super::*, Home, memory::MemoryTree, memory::file, noise, order};

/// Files in several packs.
fn eight() -> MemoryTree {
    MemoryTree::new((0..8_u64).map(|n| file(&format!("f{n}"), noise(n, 40_000))).collect())
}

/// All packs, with their lengths.
fn packs(vault: &Path) -> Vec<(PathBuf, u64)> {
    let mut packs = vec![];
    for folder in fs::read_dir(vault.join("data")).unwrap() {
        for pack in fs::read_dir(folder.unwrap().path()).unwrap() {
            let pack = pack.unwrap();
            packs.push((pack.path(), pack.metadata().unwrap().len()));
        }
    }
    packs.sort();
    packs
}

/// Packs of data: those of folders are small.
fn data_packs(vault: &Path) -> Vec<PathBuf> {
    let packs = packs(vault).into_iter().filter(|(_, length)| *length > 30_000);
    packs.map(|(path, _)| path).collect()
}

fn only_file(folder: &Path) -> PathBuf {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

fn flip(path: &Path, at: usize) {
    let mut content = fs::read(path).unwrap();
    content[at] ^= 1;
    fs::write(path, content).unwrap();
}

/// Damages one pack. What needs it is named by check and by restore, and the rest comes back.
#[track_caller]
fn check(damage: impl Fn(&Path), seen_without_reading: bool) -> (Home, Sealed, PathBuf) {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &eight());
    let pack = data_packs(&home.path()).remove(0);
    damage(&pack);

    let shallow = home.vault.check(false).unwrap();
    assert_eq!(!shallow.is_empty(), seen_without_reading, "{shallow:?}");
    let damages = home.vault.check(true).unwrap();
    assert_eq!(damages.len(), 1, "{damages:?}");
    assert_eq!(damages[0].path, pack);
    let named: Vec<_> = damages[0].files.iter().map(|(_, path)| path.clone()).collect();
    assert!(!named.is_empty() && named.len() < 8, "{named:?}");
    assert_eq!(damages[0].files_in_all, u64::try_from(named.len()).unwrap());

    let (target, end) = home.restored(sealed.snapshot);
    let failed: Vec<_> = end.failures.iter().map(|failure| failure.path.clone()).collect();
    assert_eq!(failed, named);
    assert_eq!(end.failures[0].code, "FILE_DAMAGED_IN_VAULT");
    let mut expected = eight().content();
    for path in &named {
        expected.remove(path);
    }
    assert_eq!(target.content(), expected);
    (home, sealed, pack)
}

/// The next backup writes again what is lost, and after a prune all is well.
#[track_caller]
fn check_heals(home: &Home, sealed: &Sealed) {
    let healed = home.sealed(&order(2), &eight());
    assert_eq!(home.restored(healed.snapshot).0.content(), eight().content());
    assert_eq!(home.restored(sealed.snapshot).0.content(), eight().content());
    home.vault.prune(&home.vault.leases().exclude(), Prune::Instant).unwrap();
    assert_eq!(home.vault.check(true), Ok(vec![]));
    assert_eq!(home.restored(sealed.snapshot).0.content(), eight().content());
}

#[track_caller]
fn check_no_prune(home: &Home) {
    let pruned = home.vault.prune(&home.vault.leases().exclude(), Prune::Instant);
    assert!(matches!(pruned, Err(VaultError::Corrupt { .. })), "{pruned:?}");
}

#[test]
fn a_missing_pack_is_found_and_the_next_backup_brings_its_content_again() {
    let (home, sealed, _) = check(|pack| fs::remove_file(pack).unwrap(), true);
    check_no_prune(&home);
    check_heals(&home, &sealed);
}

#[test]
fn a_pack_that_is_cut_short_is_found_and_gives_back_what_is_left_of_it() {
    let cut = |pack: &Path| {
        let content = fs::read(pack).unwrap();
        fs::write(pack, &content[..content.len() / 2]).unwrap();
    };
    let (home, sealed, pack) = check(cut, true);
    check_no_prune(&home);
    fs::remove_file(pack).unwrap();
    check_heals(&home, &sealed);
}

#[test]
fn a_flipped_bit_is_found_when_data_is_read() {
    let (home, sealed, pack) = check(|pack| flip(pack, 1_000), false);
    // As the remedy says.
    fs::remove_file(pack).unwrap();
    check_heals(&home, &sealed);
}

#[test]
fn a_missing_folder_is_named_and_the_next_backup_writes_it_again() {
    let home = Home::new();
    let tree = MemoryTree::new(vec![
        super::folder("d"),
        file("d/f", noise(1, 40_000)),
        file("e", noise(2, 10)),
    ]);
    let sealed = home.sealed(&order(1), &tree);
    let data = data_packs(&home.path());
    for (pack, _) in packs(&home.path()) {
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
    home.vault.prune(&alone, Prune::Instant).unwrap();
    drop(alone);
    assert_eq!(home.vault.check(true), Ok(vec![]));
}

#[test]
fn a_damaged_snapshot_is_named_and_stops_a_prune() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &eight());
    let other = home.sealed(&order(2), &eight());
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
fn a_missing_pack_that_comes_back_from_a_copy_is_adopted() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &eight());
    let pack = data_packs(&home.path()).remove(0);
    let copy = home.folder.path().join("copy");
    fs::rename(&pack, &copy).unwrap();
    let alone = home.vault.leases().exclude();
    assert_eq!(home.vault.give_up_missing(&alone), Ok(1));
    assert_eq!(home.vault.give_up_missing(&alone), Ok(0));
    fs::rename(&copy, &pack).unwrap();
    assert_eq!(home.vault.adopt_orphans(&alone).unwrap().packs, 1);
    drop(alone);
    assert_eq!(home.vault.check(true), Ok(vec![]));
    assert_eq!(home.restored(sealed.snapshot).0.content(), eight().content());
}

#[test]
fn a_damaged_config_is_told_from_a_wrong_key_where_that_can_be_seen() {
    let home = Home::new();
    let config = home.path().join("config");
    let content = fs::read(&config).unwrap();
    fs::write(&config, []).unwrap();
    let error = Vault::open(&home.path(), home.key.clone()).unwrap_err();
    assert!(matches!(&error, VaultError::Corrupt { path, .. } if *path == config), "{error}");
    fs::write(&config, &content[1..]).unwrap();
    let error = Vault::open(&home.path(), home.key.clone()).unwrap_err();
    assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
    assert!(error.remedy().contains(&config.display().to_string()));
}

#[test]
fn a_damaged_index_is_named() {
    let home = Home::new();
    home.sealed(&order(1), &eight());
    let index = only_file(&home.path().join("index"));
    flip(&index, 50);
    let vault = home.reopened();
    let damages = vault.check(true).unwrap();
    assert_eq!((damages.len(), &damages[0].path), (1, &index));
    let error = vault.back_up(&order(2), eight(), &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::Corrupt { .. }), "{error}");
}
