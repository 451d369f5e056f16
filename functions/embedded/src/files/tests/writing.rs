//! What a restore does with what is already there, and with what it cannot give back.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    path::Path,
    thread,
};

use crossvault_core::explain::Explain;
use rustix::process::geteuid;

use super::world::{Allowance, Ground, entry, file_entry, next_tick, write};
use crate::files::{
    entry::EntryKind,
    write::{Mark, Overwrite, WriteError, WriteOptions, Writer, Written},
};

#[test]
fn a_file_appears_only_when_it_is_committed() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let mut file = writer.file(&file_entry("a/b", 3)).unwrap();
    file.write_at(0, b"abc").unwrap();
    assert_eq!(ground.names(), ["a", "a/.crossvault-job-7-1-0"]);
    assert_eq!(file.commit().unwrap(), Written::New);
    assert_eq!(ground.names(), ["a", "a/b"]);

    drop(writer.file(&file_entry("a/c", 3)).unwrap());
    assert_eq!(ground.names(), ["a", "a/b"]);
}

#[test]
fn a_file_with_missing_or_surplus_bytes_is_not_committed() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let mut file = writer.file(&file_entry("a", 3)).unwrap();
    file.write_at(0, b"ab").unwrap();
    assert!(matches!(file.write_at(2, b"cd"), Err(WriteError::Incomplete { .. })));
    drop(file);

    let mut file = writer.file(&file_entry("a", 3)).unwrap();
    file.write_at(1, b"bc").unwrap();
    let error = file.commit().unwrap_err();
    assert!(matches!(error, WriteError::Incomplete { size: 3, written: 2, .. }));
    assert!(ground.names().is_empty());
}

#[test]
fn refusing_keeps_what_is_there_and_knows_the_same() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    ground.file("a", "old");
    assert_eq!(write(&writer, "a", "old").unwrap(), Written::Same);
    assert!(matches!(write(&writer, "a", "new"), Err(WriteError::Exists { .. })));
    assert!(matches!(write(&writer, "a", "longer"), Err(WriteError::Exists { .. })));
    assert_eq!(ground.read("a"), "old");

    let link = entry("a", EntryKind::Symlink { target: "x".into() });
    assert!(matches!(writer.symlink(&link), Err(WriteError::Exists { .. })));
    let pipe = entry("a", EntryKind::Fifo);
    assert!(matches!(writer.special(&pipe), Err(WriteError::Exists { .. })));
    ground.file("b", "old");
    let name = writer.hard_link(&file_entry("b", 3), Path::new("a"));
    assert!(matches!(name, Err(WriteError::Exists { .. })));
    assert_eq!(ground.names(), ["a", "b"]);
}

/// What appears while the restore of an entry runs is treated as what was there before.
#[test]
fn refusing_keeps_what_appears_meanwhile() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    for (theirs, expected) in [("abc", Some(Written::Same)), ("xyz", None), ("abcd", None)] {
        let mut file = writer.file(&file_entry("a", 3)).unwrap();
        file.write_at(0, b"abc").unwrap();
        ground.file("a", theirs);
        assert_eq!(file.commit().ok(), expected);
        assert_eq!(ground.read("a"), theirs);
        fs::remove_file(ground.root.join("a")).unwrap();
    }
}

#[test]
fn replacing_replaces_files_and_links_but_no_folder() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Replace, 1);
    ground.file("a", "old");
    assert_eq!(write(&writer, "a", "new").unwrap(), Written::New);
    assert_eq!(ground.read("a"), "new");

    let link = entry("a", EntryKind::Symlink { target: "x".into() });
    assert_eq!(writer.symlink(&link).unwrap(), Written::New);
    assert_eq!(write(&writer, "a", "again").unwrap(), Written::New);
    assert!(ground.root.join("a").symlink_metadata().unwrap().is_file());

    ground.file("folder/x", "x");
    let error = write(&writer, "folder", "new").unwrap_err();
    assert!(matches!(&error, WriteError::FolderInTheWay { path } if path == Path::new("folder")));
    let error = write(&writer, "a/b/c", "new").unwrap_err();
    assert!(matches!(&error, WriteError::FileInTheWay { path } if path == Path::new("a")));
    let error = writer.directory(Path::new("a")).unwrap_err();
    assert_eq!(error.code(), "TARGET_FILE_IN_THE_WAY");
    assert_eq!(ground.names(), ["a", "folder", "folder/x"]);
}

/// Same length and time of modification: only the time of change tells.
#[test]
fn a_change_that_hides_its_time_is_seen() {
    let ground = Ground::new();
    ground.file("a", "old");
    let writer = ground.writer(Overwrite::Replace, 1);
    let file = writer.file(&file_entry("a", 0)).unwrap();
    let modified = ground.root.join("a").metadata().unwrap().modified().unwrap();
    next_tick();
    ground.file("a", "new");
    fs::File::open(ground.root.join("a")).unwrap().set_modified(modified).unwrap();
    assert!(matches!(file.commit(), Err(WriteError::ChangedMeanwhile { .. })));
    assert_eq!(ground.read("a"), "new");
}

/// Of two old names of one file, replacing one moves the other's time of change.
#[test]
fn replacing_two_names_of_one_file_at_once_is_no_change_by_others() {
    let ground = Ground::new();
    ground.file("a", "old");
    fs::hard_link(ground.root.join("a"), ground.root.join("b")).unwrap();
    let writer = ground.writer(Overwrite::Replace, 1);
    let files = ["a", "b"].map(|path| writer.file(&file_entry(path, 0)).unwrap());
    for file in files {
        assert_eq!(file.commit().unwrap(), Written::New);
    }
    assert_eq!((ground.read("a"), ground.read("b")), (String::new(), String::new()));
}

/// A process that only believes to own the job must not undo the work of the one that does.
#[test]
fn a_zombie_cannot_overwrite_its_successor() {
    let ground = Ground::new();
    ground.file("a", "before");
    let zombie = ground.writer(Overwrite::Replace, 1);
    let mut stale = zombie.file(&file_entry("a", 6)).unwrap();
    stale.write_at(0, b"zombie").unwrap();
    let mut stale_new = zombie.file(&file_entry("b", 6)).unwrap();
    stale_new.write_at(0, b"zombie").unwrap();

    let successor = ground.writer(Overwrite::Replace, 2);
    write(&successor, "a", "newest").unwrap();
    write(&successor, "b", "newest").unwrap();

    for stale in [stale, stale_new] {
        assert!(matches!(stale.commit(), Err(WriteError::ChangedMeanwhile { .. })));
    }
    assert_eq!((ground.read("a"), ground.read("b")), ("newest".into(), "newest".into()));
    assert_eq!(ground.names(), ["a", "b"]);
}

#[test]
fn a_sweep_removes_what_lower_fences_left_and_nothing_else() {
    let ground = Ground::new();
    let swept = [".crossvault-job-7-1-0", "a/b/.crossvault-job-7-4-12"];
    let kept = [
        ".crossvault-job-7-5-0",
        ".crossvault-job-7-6-0",
        ".crossvault-job-70-1-0",
        ".crossvault-job-8-1-0",
        ".crossvault-job-7-1-x",
        "a/b/crossvault-job-7-1-0",
    ];
    for path in swept.iter().chain(&kept) {
        ground.file(path, "");
    }
    // Of a process that is still alive, and learns of it.
    let zombie = ground.writer(Overwrite::Replace, 3);
    let alive = zombie.file(&file_entry("z", 0)).unwrap();

    let writer = ground.writer(Overwrite::Refuse, 5);
    assert_eq!(writer.sweep().unwrap(), 3);
    assert_eq!(writer.sweep().unwrap(), 0);
    assert!(matches!(alive.commit(), Err(WriteError::ChangedMeanwhile { .. })));
    let mut names = ground.names();
    names.retain(|name| name.contains("crossvault"));
    names.sort();
    let mut expected = kept.map(str::to_owned);
    expected.sort();
    assert_eq!(names, expected);
    // The names of our own dead predecessor with the same fence are stepped over.
    assert_eq!(write(&writer, "new", "x").unwrap(), Written::New);
}

#[test]
fn zeros_become_holes() {
    const MIB: usize = 1 << 20;
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let mut content = vec![0; 4 * MIB];
    content[2 * MIB + 5] = 1;
    let mut file = writer.file(&file_entry("sparse", content.len())).unwrap();
    for (index, bytes) in content.chunks(100_000).enumerate() {
        file.write_at(index as u64 * 100_000, bytes).unwrap();
    }
    file.commit().unwrap();
    assert_eq!(fs::read(ground.root.join("sparse")).unwrap(), content);
    let used = ground.root.join("sparse").metadata().unwrap().blocks() * 512;
    assert!(used < MIB as u64, "{used} bytes are used");
}

#[test]
fn set_user_id_is_restored_only_with_its_owner() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let mut mine = file_entry("mine", 0);
    mine.attributes.mode = 0o4755;
    writer.file(&mine).unwrap().commit().unwrap();
    let mode = |path: &str| ground.root.join(path).metadata().unwrap().permissions().mode();
    assert_eq!(mode("mine") & 0o7777, 0o4755);
    assert_eq!(writer.warnings().total, 0);

    // Nobody can have this owner: the kernel reads it as "leave it".
    let mut theirs = file_entry("theirs", 0);
    theirs.attributes.mode = 0o6755;
    theirs.attributes.user = u32::MAX;
    writer.file(&theirs).unwrap().commit().unwrap();
    assert_eq!(mode("theirs") & 0o7777, 0o755);
    assert_eq!(writer.warnings().total, 1);
}

#[test]
fn what_cannot_be_restored_is_a_warning() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let mut odd = file_entry("odd", 0);
    odd.attributes.extended = vec![("nonsense.name".into(), vec![1])];
    assert_eq!(writer.file(&odd).unwrap().commit().unwrap(), Written::New);
    assert_eq!(writer.special(&entry("socket", EntryKind::Socket)).unwrap(), None);

    let warnings = writer.warnings();
    assert_eq!(warnings.total, 2);
    let shown: Vec<String> = warnings.first.iter().map(ToString::to_string).collect();
    assert!(shown[0].starts_with("`odd`: not restored: extended attribute `nonsense.name` ("));
    assert_eq!(shown[1], "`socket`: not restored: this socket or device");
}

#[test]
fn a_device_is_restored_by_root_only() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    let null = entry("null", EntryKind::CharacterDevice { device: 0x103 });
    match writer.special(&null) {
        Ok(Some(written)) => {
            assert_eq!(written, Written::New);
            assert_eq!(ground.find("null").entry.kind, null.kind);
            assert_eq!(ground.find("null").entry.attributes.mode, 0o644);
            assert_eq!(writer.special(&null).unwrap(), Some(Written::Same));
        }
        Ok(None) => assert!(!geteuid().is_root()),
        // Root in a container may not make devices either.
        Err(error) => assert!(matches!(error, WriteError::ReadOnly { .. })),
    }
}

#[test]
fn an_existing_socket_is_never_the_same_as_a_file() {
    let ground = Ground::new();
    let _listening = UnixListener::bind(ground.root.join("a")).unwrap();
    let writer = ground.writer(Overwrite::Refuse, 1);
    assert!(matches!(write(&writer, "a", ""), Err(WriteError::Exists { .. })));
}

#[test]
fn several_threads_write_into_the_same_new_folders() {
    let ground = Ground::new();
    let writer = ground.writer(Overwrite::Refuse, 1);
    thread::scope(|scope| {
        for thread in 0..4 {
            let writer = &writer;
            scope.spawn(move || {
                for file in 0..50 {
                    let path = format!("a/{}/b/{thread}-{file}", file % 7);
                    assert_eq!(write(writer, &path, "x").unwrap(), Written::New);
                }
            });
        }
    });
    assert_eq!(ground.names().iter().filter(|name| name.contains("/b/")).count(), 200);
}

#[test]
fn each_write_is_asked_for() {
    let ground = Ground::new();
    let allowance = Allowance::unlimited();
    let mark = Mark { job: "job".to_owned(), fence: 1 };
    let options = WriteOptions { overwrite: Overwrite::Refuse, mark };
    let writer = Writer::new(&ground.root, options, allowance.clone()).unwrap();
    let mut file = writer.file(&file_entry("a", 2)).unwrap();
    allowance.set(1);
    file.write_at(0, b"a").unwrap();
    assert_eq!(file.write_at(1, b"b").unwrap_err().code(), "TRANSFER_EXPIRED");
    drop(file);
    for refused in [
        writer.directory(Path::new("d")).err(),
        writer.file(&file_entry("a", 0)).err(),
        writer.symlink(&entry("l", EntryKind::Symlink { target: "x".into() })).err(),
        writer.hard_link(&file_entry("h", 0), Path::new("a")).err(),
        writer.special(&entry("p", EntryKind::Fifo)).err(),
        writer.finish_directory(&entry("d", EntryKind::Directory)).err(),
        writer.sweep().err(),
    ] {
        assert_eq!(refused.unwrap().code(), "TRANSFER_EXPIRED");
    }
    assert!(ground.names().is_empty());
}
