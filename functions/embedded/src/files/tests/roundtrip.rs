//! What is walked and written is the same.

use std::{
    ffi::OsString,
    fs,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

use proptest::{collection::vec, option, prelude::*, sample::select};
use rustix::{
    fs::{AtFlags, CWD, Mode, Timespec, Timestamps, XattrFlags, lsetxattr, mkfifoat, utimensat},
    process::geteuid,
};

use super::world::{Ground, restore};
use crate::files::{
    compare::{CompareOptions, What, compare},
    entry::EntryKind,
    write::Overwrite,
};

/// A tree to be made: each node under its name in a folder chosen among those made before.
#[derive(Clone, Debug)]
struct Node {
    folder: prop::sample::Index,
    name: OsString,
    thing: Thing,
    mode: u32,
    seconds: i64,
    nanoseconds: u32,
    extended: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Thing {
    Folder,
    File(Vec<u8>),
    Link(PathBuf),
    AnotherName(prop::sample::Index),
    Pipe,
}

fn any_name() -> impl Strategy<Value = OsString> {
    let odd: Vec<&'static [u8]> = vec![
        b"-rf",
        b"a\nb",
        b"\xff\xfe",
        b" ",
        b"...",
        b"a.b",
        b"a b",
        b"a",
        b"a-",
        b"A",
        b"\x01",
    ];
    prop_oneof![
        4 => select(odd).prop_map(|name| OsString::from_vec(name.to_vec())),
        3 => "[a-z]{1,3}".prop_map(OsString::from),
        1 => Just(OsString::from("x".repeat(255))),
        2 => vec(1_u8.., 1..20)
            .prop_filter("a slash or a dot name", |name| {
                !name.contains(&b'/') && !matches!(name.as_slice(), b"." | b"..")
            })
            .prop_map(OsString::from_vec),
    ]
}

/// Lengths around the borders of blocks, with runs of zeros inside.
fn any_content() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        Just(0),
        Just(1),
        select(vec![4095, 4096, 4097, 8191, 8192, 8193, 12_287, 12_288, 12_289]),
        0_usize..200 * 1024,
    ];
    (length, any::<u8>(), 1_usize..20_000, 0_usize..3).prop_map(|(length, seed, run, kind)| {
        let byte = |at: usize| match kind {
            0 => 0,
            1 => u8::try_from(at % 251).unwrap() ^ seed,
            _ if at.div_euclid(run).is_multiple_of(2) => 0,
            _ => seed | 1,
        };
        (0..length).map(byte).collect()
    })
}

fn any_node() -> impl Strategy<Value = Node> {
    let target = prop_oneof![
        Just("/etc/passwd"),
        Just("nowhere"),
        Just(".."),
        Just("."),
        Just("a"),
        Just("../../../..")
    ];
    let thing = prop_oneof![
        4 => Just(Thing::Folder),
        6 => any_content().prop_map(Thing::File),
        2 => target.prop_map(|target| Thing::Link(target.into())),
        2 => any::<prop::sample::Index>().prop_map(Thing::AnotherName),
        1 => Just(Thing::Pipe),
    ];
    let seconds = prop_oneof![Just(0), Just(-1), -2_000_000_000_i64..4_000_000_000];
    (
        any::<prop::sample::Index>(),
        any_name(),
        thing,
        0_u32..0o10000,
        seconds,
        0_u32..1_000_000_000,
        option::of(vec(any::<u8>(), 0..300)),
    )
        .prop_map(|(folder, name, thing, mode, seconds, nanoseconds, extended)| Node {
            folder,
            name,
            thing,
            // Others than root must be able to read what they made.
            mode: if geteuid().is_root() { mode } else { mode & 0o777 | 0o700 },
            seconds,
            nanoseconds,
            extended,
        })
}

/// Makes the tree; returns how many of its nodes could be made.
fn build(root: &Path, nodes: &[Node]) -> usize {
    let mut folders = vec![root.to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    let mut made = Vec::new();
    for node in nodes {
        let path = node.folder.get(&folders).join(&node.name);
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match &node.thing {
            Thing::Folder => {
                fs::create_dir(&path).unwrap();
                folders.push(path.clone());
            }
            Thing::File(content) => {
                fs::write(&path, content).unwrap();
                files.push(path.clone());
            }
            Thing::Link(target) => symlink(target, &path).unwrap(),
            Thing::AnotherName(_) if files.is_empty() => continue,
            Thing::AnotherName(which) => fs::hard_link(which.get(&files), &path).unwrap(),
            Thing::Pipe => mkfifoat(CWD, &path, Mode::RUSR).unwrap(),
        }
        made.push((node, path));
    }
    // The deepest first, for a new name moves the times of its folder.
    for (node, path) in made.iter().rev() {
        if !matches!(node.thing, Thing::Link(_)) {
            if let (Some(value), Thing::Folder | Thing::File(_)) = (&node.extended, &node.thing) {
                // Some file systems have none.
                let _ = lsetxattr(path, "user.origin", value, XattrFlags::empty());
            }
            fs::set_permissions(path, fs::Permissions::from_mode(node.mode)).unwrap();
        }
        let time = Timespec { tv_sec: node.seconds, tv_nsec: node.nanoseconds.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
    made.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A restore gives back what was there: content, links, rights and times; and a second restore
    /// of the same finds all of it the same.
    #[test]
    fn what_is_walked_and_written_compares_equal(
        nodes in vec(any_node(), 0..40),
        piece in select(vec![1000_usize, 4096, 65_536, 1_000_000]),
    ) {
        let (source, target) = (Ground::new(), Ground::new());
        let made = build(&source.root, &nodes);
        restore(&source.root, &target.writer(Overwrite::Refuse, 1), piece);

        let all = CompareOptions::default();
        prop_assert_eq!(compare(&source.root, &target.root, all).unwrap(), vec![]);
        prop_assert_eq!(target.names().len(), made);

        let again = target.writer(Overwrite::Refuse, 2);
        restore(&source.root, &again, piece);
        prop_assert_eq!(compare(&source.root, &target.root, all).unwrap(), vec![]);

        let replacing = target.writer(Overwrite::Replace, 3);
        restore(&source.root, &replacing, piece);
        prop_assert_eq!(compare(&source.root, &target.root, all).unwrap(), vec![]);
        prop_assert_eq!(target.names().len(), made);
        prop_assert!(again.warnings().total == 0, "{:?}", again.warnings().first);
    }

    /// A vault keeps its trees sorted: the walk must come in the order of path components.
    #[test]
    fn a_walk_is_sorted_by_path_components(nodes in vec(any_node(), 0..40)) {
        let source = Ground::new();
        build(&source.root, &nodes);
        let walked: Vec<PathBuf> =
            source.walk().map(|found| found.unwrap().entry.path).collect();
        let mut sorted = walked.clone();
        sorted.sort_by(|a, b| {
            let bytes = |path: &PathBuf| -> Vec<Vec<u8>> {
                path.iter().map(|name| name.as_bytes().to_vec()).collect()
            };
            bytes(a).cmp(&bytes(b))
        });
        prop_assert_eq!(walked, sorted);
    }
}

/// A comparison that finds nothing proves only something if it finds each kind of difference.
#[test]
fn each_difference_is_found() {
    let differences = |change: fn(&Path)| {
        let (first, second) = (Ground::new(), Ground::new());
        for ground in [&first, &second] {
            ground.file("a", "aaaa");
            ground.file("b", "bbbb");
            fs::hard_link(ground.root.join("b"), ground.root.join("c")).unwrap();
            symlink("a", ground.root.join("l")).unwrap();
        }
        restore_times(&first.root);
        restore_times(&second.root);
        change(&second.root);
        let options = CompareOptions { times: true, owners: true, extended: true };
        let found = compare(&first.root, &second.root, options).unwrap();
        found.into_iter().map(|d| (d.to_string(), d.what)).collect::<Vec<_>>()
    };
    assert_eq!(differences(|_| {}), vec![]);

    let whats = |change: fn(&Path)| -> Vec<What> {
        differences(change).into_iter().map(|(_, what)| what).collect()
    };
    assert_eq!(whats(|root| fs::remove_file(root.join("a")).unwrap()), [What::Missing]);
    assert_eq!(
        whats(|root| {
            fs::write(root.join("z"), "").unwrap();
        }),
        [What::Added]
    );
    assert_eq!(
        whats(|root| {
            fs::write(root.join("a"), "aaab").unwrap();
            restore_times(root);
        }),
        [What::Content(0)]
    );
    assert_eq!(
        whats(|root| {
            fs::write(root.join("a"), "aaa").unwrap();
            restore_times(root);
        }),
        [What::Size(4, 3)]
    );
    assert_eq!(
        whats(|root| {
            fs::remove_file(root.join("c")).unwrap();
            fs::write(root.join("c"), "bbbb").unwrap();
            restore_times(root);
        }),
        [What::HardLink("b".into(), "c".into())]
    );
    assert_eq!(
        whats(|root| {
            fs::remove_file(root.join("l")).unwrap();
            symlink("b", root.join("l")).unwrap();
            restore_times(root);
        }),
        [What::Kind(
            EntryKind::Symlink { target: "a".into() },
            EntryKind::Symlink { target: "b".into() }
        )]
    );
    let mode = |root: &Path| {
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    assert_eq!(differences(mode)[0].0, "`a`: had mode 0644, has 0600");
}

fn restore_times(root: &Path) {
    let time = Timespec { tv_sec: 1, tv_nsec: 2 };
    let times = Timestamps { last_access: time, last_modification: time };
    for listed in fs::read_dir(root).unwrap() {
        utimensat(CWD, listed.unwrap().path(), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}
