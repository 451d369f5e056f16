//! What a walk finds, and what it says of what it cannot read.

use std::{fs, os::unix::net::UnixListener, path::Path};

use rustix::{
    fs::{CWD, Mode, OFlags, mkdirat, mkfifoat, openat},
    process::geteuid,
};

use super::world::{Allowance, Ground};
use crate::files::{
    entry::{EntryKind, Refused},
    read::{FileReader, ReadError},
    walk::{Found, Walk, WalkFailure},
    write::{FileWriter, Writer},
};

#[test]
fn parents_come_before_children_and_only_files_can_be_opened() {
    let ground = Ground::new();
    ground.file("a/x", "");
    ground.file("a.b", "");
    ground.file("a-b/y", "");
    mkfifoat(CWD, ground.root.join("pipe"), Mode::RUSR).unwrap();
    let _listening = UnixListener::bind(ground.root.join("socket")).unwrap();

    let found: Vec<Found> = ground.walk().map(Result::unwrap).collect();
    let names: Vec<&Path> = found.iter().map(|found| found.entry.path.as_path()).collect();
    let expected = ["a", "a/x", "a-b", "a-b/y", "a.b", "pipe", "socket"];
    assert_eq!(names, expected.map(Path::new));
    for Found { entry, open } in found {
        assert_eq!(open.is_some(), matches!(entry.kind, EntryKind::File { .. }), "{entry:?}");
    }
}

/// They are handed to other threads.
#[test]
fn a_walk_and_its_readers_may_be_sent() {
    fn sent<T: Send + 'static>() {}
    fn shared<T: Send + Sync + 'static>() {}
    sent::<Walk>();
    sent::<Found>();
    sent::<FileReader>();
    sent::<FileWriter>();
    shared::<Writer>();
}

#[test]
fn a_device_is_named_and_not_opened() {
    let null = Walk::new(Path::new("/dev"), Allowance::unlimited())
        .unwrap()
        .filter_map(Result::ok)
        .find(|found| found.entry.path == Path::new("null"))
        .unwrap();
    // Character device 1:3 on every Linux.
    assert_eq!(null.entry.kind, EntryKind::CharacterDevice { device: 0x103 });
    assert!(null.open.is_none());
}

/// Deeper than a path can be long, and than we hold folders open.
const DEPTH: usize = 600;

/// Each folder of the way down has another one, which comes after it on the way back.
fn dig(ground: &Ground) {
    let name = "deep-folder-name";
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, &ground.root, flags, Mode::empty()).unwrap();
    for _ in 0..DEPTH {
        mkdirat(&folder, name, Mode::RWXU).unwrap();
        mkdirat(&folder, "z", Mode::RWXU).unwrap();
        folder = openat(&folder, name, flags, Mode::empty()).unwrap();
    }
}

#[test]
fn a_tree_deeper_than_any_path_is_walked_to_its_end_and_back() {
    let ground = Ground::new();
    dig(&ground);
    let mut walk = ground.walk();
    let mut walked = Vec::new();
    let mut open_max = 0;
    while let Some(found) = walk.next() {
        walked.push(found.unwrap().entry.path);
        open_max = open_max.max(walk.open_folders());
    }
    assert_eq!(walked.len(), 2 * DEPTH);
    assert_eq!(walked.iter().map(|path| path.iter().count()).max(), Some(DEPTH));
    assert_eq!(walked.last().unwrap(), Path::new("z"));
    assert_eq!(open_max, 128);
}

#[test]
fn another_folder_in_the_place_of_one_that_was_closed_is_not_walked() {
    let ground = Ground::new();
    dig(&ground);
    let mut walk = ground.walk();
    // All the way down, so that the folders near the root are closed.
    walk.by_ref().take(DEPTH).for_each(|found| drop(found.unwrap()));
    let top = ground.root.join("deep-folder-name");
    fs::rename(&top, ground.outside.join("moved")).unwrap();
    fs::create_dir_all(top.join("z")).unwrap();

    let failures: Vec<WalkFailure> = walk.filter_map(Result::err).collect();
    let last = failures.last().unwrap();
    assert_eq!(last.path, Path::new("deep-folder-name/z"));
    assert!(matches!(last.error, ReadError::Changed));
}

/// An empty folder in a recovery point, where a full one was, would be a silent loss.
#[test]
fn a_folder_that_may_not_be_listed_is_a_failure_and_not_an_empty_folder() {
    let ground = Ground::new();
    ground.file("a/x", "");
    ground.file("b", "");
    let allowance = Allowance::unlimited();
    let mut walk = Walk::new(&ground.root, allowance.clone()).unwrap();

    allowance.set(0);
    let failure = walk.next().unwrap().unwrap_err();
    assert_eq!(failure.path, Path::new("a"));
    assert!(matches!(failure.error, ReadError::Refused(Refused::Expired)));

    allowance.set(100);
    assert_eq!(walk.next().unwrap().unwrap().entry.path, Path::new("b"));
    assert!(walk.next().is_none());
}

#[test]
fn what_vanishes_between_listing_and_looking_is_named() {
    let ground = Ground::new();
    for path in ["a", "b", "c"] {
        ground.file(path, "");
    }
    let mut walk = ground.walk();
    walk.next().unwrap().unwrap();
    fs::remove_file(ground.root.join("b")).unwrap();
    let failure = walk.next().unwrap().unwrap_err();
    assert!(matches!(&failure, WalkFailure { error: ReadError::Vanished, .. }));
    assert_eq!(failure.to_string(), "`b`: it was removed while it was read");
    assert_eq!(walk.next().unwrap().unwrap().entry.path, Path::new("c"));
}

#[test]
fn what_our_rights_do_not_allow_is_named() {
    // Root may read everything, so that there is nothing to see.
    if geteuid().is_root() {
        return;
    }
    let ground = Ground::new();
    ground.file("secret", "");
    let none = std::os::unix::fs::PermissionsExt::from_mode(0o000);
    fs::set_permissions(ground.root.join("secret"), none).unwrap();
    let failure = ground.walk().next().unwrap().unwrap_err();
    assert!(matches!(failure.error, ReadError::NotPermitted));
}

#[test]
fn a_root_that_is_missing_a_file_or_a_link_is_refused() {
    let ground = Ground::new();
    ground.file("file", "");
    std::os::unix::fs::symlink(&ground.outside, ground.root.join("link")).unwrap();
    let start = |path: &str| Walk::new(&ground.root.join(path), Allowance::unlimited()).err();
    assert!(matches!(start("missing"), Some(ReadError::Vanished)));
    assert!(matches!(start("file"), Some(ReadError::NotAFolder)));
    assert!(matches!(start("link"), Some(ReadError::LinkInTheWay)));
    assert!(matches!(start("link/"), Some(ReadError::LinkInTheWay)));
}
