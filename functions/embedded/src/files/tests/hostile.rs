//! Others who may write to the tree cannot lead us out of it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use crossvault_core::explain::Explain;

use super::world::{Allowance, Ground, entry, file_entry, write};
use crate::files::{
    entry::EntryKind,
    read::ReadError,
    write::{Mark, Overwrite, WriteError, WriteOptions, Writer},
};

#[test]
fn a_link_swapped_in_for_a_folder_is_not_walked() {
    let ground = Ground::new();
    ground.file("a/x", "");
    ground.file("b/y", "");
    fs::write(ground.outside.join("secret"), "").unwrap();
    let mut walk = ground.walk();
    assert_eq!(walk.next().unwrap().unwrap().entry.path, Path::new("a"));

    // `b` was listed as a folder and is a link when it is looked at: an entry of its own.
    ground.swap_for_link("b");
    let rest: Vec<_> = walk.map(|found| found.unwrap().entry).collect();
    assert_eq!(rest.len(), 2);
    assert!(matches!(rest[1].kind, EntryKind::Symlink { .. }));
}

#[test]
fn a_link_swapped_in_for_a_files_folder_does_not_change_what_is_read() {
    let ground = Ground::new();
    ground.file("a/x", "ours");
    fs::write(ground.outside.join("x"), "none of ours").unwrap();
    let found = ground.find("a/x");
    ground.swap_for_link("a");
    let content = std::io::read_to_string(found.open.unwrap().open().unwrap()).unwrap();
    assert_eq!(content, "ours");
}

#[test]
fn a_link_swapped_in_for_a_file_is_not_read() {
    let ground = Ground::new();
    ground.file("x", "ours");
    let found = ground.find("x");
    ground.swap_for_link("x");
    assert!(matches!(found.open.unwrap().open(), Err(ReadError::LinkInTheWay)));
}

#[test]
fn links_in_the_target_are_not_written_through() {
    let ground = Ground::new();
    symlink(&ground.outside, ground.root.join("link")).unwrap();
    symlink("..", ground.root.join("up")).unwrap();
    // One that stays within the target is no better: it was not there in the backup.
    symlink(".", ground.root.join("same")).unwrap();
    fs::create_dir(ground.root.join("b")).unwrap();
    for overwrite in [Overwrite::Refuse, Overwrite::Replace] {
        let writer = ground.writer(overwrite, 1);
        for path in ["link", "same", "up"] {
            let inside = format!("{path}/a");
            let pipe = entry(&inside, EntryKind::Fifo);
            let link = entry(&inside, EntryKind::Symlink { target: "x".into() });
            for refused in [
                write(&writer, &inside, "x").err(),
                write(&writer, &format!("{path}/b/c"), "x").err(),
                writer.directory(Path::new(path)).err(),
                writer.directory(Path::new(&inside)).err(),
                writer.symlink(&link).err(),
                writer.special(&pipe).err(),
                writer.hard_link(&file_entry(&inside, 0), Path::new("a")).err(),
                writer.hard_link(&file_entry("a", 0), Path::new(&inside)).err(),
                writer.finish_directory(&entry(path, EntryKind::Directory)).err(),
            ] {
                let refused = refused.unwrap();
                assert!(
                    matches!(&refused, WriteError::LinkInTheWay { path: named } if named == Path::new(path)),
                    "{refused:?}"
                );
                assert_eq!(refused.code(), "TARGET_LINK_IN_THE_WAY");
            }
        }
    }
    assert!(ground.outside_is_empty());
    assert_eq!(ground.names(), ["b", "link", "same", "up"]);
}

#[test]
fn a_link_in_a_files_place_is_replaced_and_not_written_through() {
    let ground = Ground::new();
    fs::write(ground.outside.join("victim"), "safe").unwrap();
    symlink(ground.outside.join("victim"), ground.root.join("a")).unwrap();
    let refusing = ground.writer(Overwrite::Refuse, 1);
    assert!(matches!(write(&refusing, "a", "evil"), Err(WriteError::Exists { .. })));
    let replacing = ground.writer(Overwrite::Replace, 1);
    write(&replacing, "a", "evil").unwrap();
    assert_eq!(fs::read_to_string(ground.outside.join("victim")).unwrap(), "safe");
    assert_eq!(ground.read("a"), "evil");
}

#[test]
fn a_link_swapped_in_while_a_file_is_written_is_refused() {
    for overwrite in [Overwrite::Refuse, Overwrite::Replace] {
        let ground = Ground::new();
        let writer = ground.writer(overwrite, 1);
        let mut file = writer.file(&file_entry("a/x", 1)).unwrap();
        file.write_at(0, b"x").unwrap();
        ground.swap_for_link("a");
        assert!(matches!(file.commit(), Err(WriteError::LinkInTheWay { .. })));
        assert!(ground.outside_is_empty());
        assert_eq!(ground.names(), ["a", "a.moved"]);
    }
}

#[test]
fn another_folder_swapped_in_while_a_file_is_written_is_refused() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let file = writer.file(&file_entry("a/x", 0)).unwrap();
    fs::rename(ground.root.join("a"), ground.outside.join("a")).unwrap();
    fs::create_dir(ground.root.join("a")).unwrap();
    assert!(matches!(file.commit(), Err(WriteError::ChangedMeanwhile { .. })));
    assert_eq!(fs::read_dir(ground.outside.join("a")).unwrap().count(), 0);
}

#[test]
fn paths_that_could_lead_out_are_refused() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Replace, 1);
    let long = "x".repeat(256);
    let paths: [&[u8]; 13] = [
        b"",
        b".",
        b"..",
        b"/etc/passwd",
        b"../x",
        b"a/../../x",
        b"a/..",
        b"a/./x",
        b"./a",
        b"a//x",
        b"a/",
        b"a\0b",
        long.as_bytes(),
    ];
    for path in paths.map(OsStr::from_bytes) {
        let mut given = file_entry("", 0);
        given.path = path.into();
        let mut folder = entry("", EntryKind::Directory);
        folder.path = path.into();
        for refused in [
            writer.file(&given).err(),
            writer.directory(Path::new(path)).err(),
            writer.hard_link(&file_entry("ok", 0), Path::new(path)).err(),
            writer.finish_directory(&folder).err(),
        ] {
            assert!(
                matches!(refused, Some(WriteError::InvalidPath { .. })),
                "{path:?} {refused:?}"
            );
        }
    }
    assert!(ground.names().is_empty());
}

#[test]
fn a_mark_cannot_lead_out_either() {
    let ground = Ground::new();
    for job in ["", "../x", "a/b", "a\0b"] {
        let mark = Mark { job: job.to_owned(), fence: 1 };
        let options = WriteOptions { overwrite: Overwrite::Refuse, mark };
        let refused = Writer::new(&ground.root, options, Allowance::unlimited()).err();
        assert!(matches!(refused, Some(WriteError::InvalidPath { .. })), "{job:?}");
    }
}

#[test]
fn a_target_that_is_a_link_is_refused_and_a_missing_one_is_made() {
    let ground = Ground::new();
    symlink(&ground.outside, ground.root.join("link")).unwrap();
    let start = |path: &str| {
        let mark = Mark { job: "job".to_owned(), fence: 1 };
        let options = WriteOptions { overwrite: Overwrite::Refuse, mark };
        Writer::new(&ground.root.join(path), options, Allowance::unlimited())
    };
    assert!(matches!(start("link"), Err(WriteError::LinkInTheWay { .. })));
    assert!(matches!(start("link/"), Err(WriteError::LinkInTheWay { .. })));
    write(&start("new/target").unwrap(), "a", "x").unwrap();
    assert_eq!(ground.read("new/target/a"), "x");
}
