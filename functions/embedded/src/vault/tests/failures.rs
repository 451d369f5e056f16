//! What can't be read is named, and what is sealed misses nothing else.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::{
    super::*,
    Home, all_of,
    memory::{MemoryTree, Thing, entry, file, folder},
    noise, order,
};
use crate::files::entry::EntryKind;

fn gone() -> Trouble {
    Trouble::of(&io::ErrorKind::NotFound.into())
}

fn changed() -> Trouble {
    Trouble::Changed("its time moved".to_owned())
}

/// Backs up one good file and `bad`, which must be named with `code` and left out.
#[track_caller]
fn check(bad: Thing, code: &str) {
    let home = Home::new();
    let tree = MemoryTree::new(vec![folder("d"), bad, file("e", b"good".to_vec())]);
    let control = Control::new();
    let end = home.vault.back_up(&order(1), tree.clone(), &control).unwrap();
    let BackupEnd::Sealed(sealed) = end else { panic!("{end:?}") };
    let named: Vec<_> = sealed.failures.iter().map(|f| (f.path_text(), f.code.as_str())).collect();
    assert_eq!(named, [("d/bad".to_owned(), code)]);
    assert_eq!((sealed.failed, sealed.files, sealed.bytes), (1, 2, 4));
    assert_eq!(control.drain_failures(), sealed.failures);
    assert_eq!(control.drain_failures(), []);
    // The names outlive the process: a crash after the seal must not lose them.
    assert_eq!(home.reopened().find(&order(1).job).unwrap(), Some(sealed.clone()));

    let (target, _) = home.restored(sealed.snapshot);
    assert_eq!(target.paths(), ["d", "e"]);
    assert_eq!(home.vault.check(true), Ok(vec![]));
}

#[test]
fn a_file_that_does_not_open_is_named_and_left_out() {
    check(file("d/bad", noise(1, 100)).on_open(|| Err(gone())), "SOURCE_VANISHED");
}

#[test]
fn a_file_whose_reading_fails_half_way_is_named_and_left_out() {
    let bad = file("d/bad", noise(1, 700_000)).on_read(|at| {
        if at < 600_000 { Ok(()) } else { Err(Trouble::of(&io::Error::from_raw_os_error(5))) }
    });
    check(bad, "SOURCE_UNREADABLE");
}

#[test]
fn a_file_that_shrinks_is_named_and_left_out() {
    check(file("d/bad", noise(1, 700_000)).listed_with(700_001), "SOURCE_CHANGED");
    check(file("d/bad", vec![]).listed_with(1), "SOURCE_CHANGED");
}

#[test]
fn a_file_that_grows_is_named_and_left_out() {
    check(file("d/bad", noise(1, 700_000)).listed_with(699_999), "SOURCE_CHANGED");
    check(file("d/bad", vec![1]).listed_with(0), "SOURCE_CHANGED");
}

#[test]
fn a_folder_that_can_not_be_listed_is_named() {
    check(Thing::Fails("d/bad".into(), gone()), "SOURCE_VANISHED");
}

#[test]
fn a_file_that_changes_is_read_again_at_the_end_and_then_is_in_it() {
    let home = Home::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let moving = file("b", noise(2, 100_000))
        .on_open(move || if counted.fetch_add(1, SeqCst) < 2 { Err(changed()) } else { Ok(()) });
    let tree = MemoryTree::new(vec![file("a", noise(1, 100_000)), moving, folder("c")]);
    let control = Control::new();
    let end = home.vault.back_up(&order(1), tree.clone(), &control).unwrap();
    let BackupEnd::Sealed(sealed) = end else { panic!("{end:?}") };
    assert_eq!((sealed.failures, tries.load(SeqCst)), (vec![], 3));
    assert!(sealed.bytes_added > 200_000, "{}", sealed.bytes_added);
    assert_eq!(control.drain_failures(), []);
    assert_eq!(control.moved(), Moved { files: 3, bytes: 200_000 });
    // Once `a`, three times `b`.
    assert_eq!(tree.opened(), 4);
    assert_eq!(home.vault.sealed().unwrap().len(), 1);
    assert_eq!(home.restored(sealed.snapshot).0.content(), tree.content());
}

#[test]
fn a_file_that_never_rests_is_tried_three_times_and_named() {
    let home = Home::new();
    let moving =
        file("b", noise(2, 1_000)).on_read(|at| if at > 0 { Err(changed()) } else { Ok(()) });
    let tree = MemoryTree::new(vec![file("a", b"good".to_vec()), moving]);
    let sealed = home.sealed(&order(1), &tree);
    assert_eq!((tree.opened(), sealed.failed), (4, 1));
    assert_eq!(sealed.failures[0].code, "SOURCE_CHANGED");
    assert_eq!(home.vault.sealed().unwrap().len(), 1);
}

#[test]
fn a_panic_of_the_source_ends_its_backup_and_nothing_else() {
    let home = Home::new();
    let panics: [MemoryTree; 3] = [
        MemoryTree::new(vec![file("a", vec![1]).on_open(|| panic!("opening"))]),
        MemoryTree::new(vec![file("a", vec![1]).on_read(|_| panic!("reading"))]),
        MemoryTree::new(vec![file("a", vec![1])]).on_list(|_| panic!("listing")),
    ];
    for tree in panics {
        let error = home.vault.back_up(&order(1), tree, &Control::new()).unwrap_err();
        assert!(matches!(error, VaultError::Panicked { .. }), "{error}");
    }
    assert_eq!(home.vault.sealed(), Ok(vec![]));
    home.sealed(&order(1), &super::tree());
}

#[test]
fn a_source_of_which_nothing_can_be_read_gives_no_snapshot() {
    let home = Home::new();
    let bad = || file("d/bad", vec![1]).on_open(|| Err(gone()));
    for tree in [
        MemoryTree::new(vec![Thing::Fails("".into(), gone()), file("a", vec![1])]),
        MemoryTree::new(vec![folder("d"), bad()]),
        MemoryTree::new(vec![Thing::Fails("d".into(), gone())]),
    ] {
        let error = home.vault.back_up(&order(1), tree, &Control::new()).unwrap_err();
        assert!(
            matches!(&error, VaultError::NothingRead { code, .. } if code == "SOURCE_VANISHED")
        );
    }
    assert_eq!(home.vault.sealed(), Ok(vec![]));
    // An empty source is no failure.
    let sealed = home.sealed(&order(1), &MemoryTree::new(vec![]));
    assert_eq!(sealed.files, 0);
    assert_eq!(home.restored(sealed.snapshot).0.paths(), [""; 0]);
}

#[test]
fn more_failures_than_the_order_allows_end_it() {
    let home = Home::new();
    let bad = |n: usize| file(&format!("f{n}"), vec![1]).on_open(|| Err(gone()));
    let tree = MemoryTree::new((0..4).map(bad).chain([file("z", vec![1])]).collect());
    let strict = BackupOrder { failures_max: 3, ..order(1) };
    let error = home.vault.back_up(&strict, tree.clone(), &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::TooManyFailures { limit: 3, .. }), "{error}");
    assert_eq!(home.vault.sealed(), Ok(vec![]));
    let lenient = BackupOrder { failures_max: 4, ..order(1) };
    assert_eq!(home.sealed(&lenient, &tree).failed, 4);
}

#[test]
fn a_source_that_lists_out_of_order_is_a_mistake_of_ours() {
    let home = Home::new();
    for things in [
        vec![file("b", vec![]), file("a", vec![])],
        vec![file("a", vec![]), file("a", vec![])],
        vec![file("a.b", vec![]), file("a/b", vec![])],
        vec![file("/a", vec![])],
        vec![file("../a", vec![])],
    ] {
        let ended = home.vault.back_up(&order(1), MemoryTree::new(things), &Control::new());
        assert!(matches!(ended, Err(VaultError::Illegal { .. })), "{ended:?}");
    }
    assert_eq!(home.vault.sealed(), Ok(vec![]));
}

#[test]
fn all_kinds_of_entries_come_back() {
    let home = Home::new();
    let twin = |path: &str| {
        file(path, noise(3, 60_000)).with(|entry, _| {
            entry.attributes.links = 2;
            entry.attributes.inode = 99;
            entry.attributes.device = 5;
        })
    };
    let tree = MemoryTree::new(vec![
        entry("block", EntryKind::BlockDevice { device: 2049 }),
        entry("link", EntryKind::Symlink { target: "../../etc/passwd".into() }),
        entry("pipe", EntryKind::Fifo),
        entry("socket", EntryKind::Socket),
        entry("terminal", EntryKind::CharacterDevice { device: 1025 }),
        twin("twin1"),
        twin("twin2"),
        file("weird \\ \" \n ö\u{7f}", vec![1]),
    ]);
    let sealed = home.sealed(&order(1), &tree);
    let (target, end) = home.restored(sealed.snapshot);
    assert_eq!((end.failures, target.content()), (vec![], tree.content()));
    let only = RestoreOrder { only: Some("twin2".into()), ..all_of(sealed.snapshot) };
    let target = super::memory::MemoryTarget::default();
    home.vault.restore(&only, &target, &Control::new()).unwrap();
    assert_eq!(target.content()[Path::new("twin2")], tree.content()[Path::new("twin2")]);
}
