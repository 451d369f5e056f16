//! A restore puts everything where it belongs, and nothing elsewhere.

use std::{
    io::{self, Cursor},
    path::Path,
};

use rustic_core::{
    BackupOptions, ReadSource, ReadSourceEntry, RusticResult,
    repofile::{Metadata, Node, NodeType},
};

use super::{
    super::{backend::Backend, *},
    Home, all_of,
    memory::{MemoryTarget, MemoryTree, file},
    order, tree,
};

fn no() -> Trouble {
    Trouble::of(&io::ErrorKind::PermissionDenied.into())
}

#[test]
fn one_path_is_restored_with_the_folders_above_it_made() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    for (only, expected) in [
        ("b/c/large", vec!["b/c/large"]),
        ("b/c", vec!["b/c", "b/c/large"]),
        ("a", vec!["a", "a/empty", "a/small"]),
        ("z", vec!["z"]),
    ] {
        let target = MemoryTarget::default();
        let order = RestoreOrder { only: Some(only.into()), ..all_of(sealed.snapshot) };
        home.vault.restore(&order, &target, &Control::new()).unwrap();
        assert_eq!(target.paths(), expected);
    }
    for missing in ["b/x", "z/y", "..", "/a"] {
        let order = RestoreOrder { only: Some(missing.into()), ..all_of(sealed.snapshot) };
        let ended = home.vault.restore(&order, &MemoryTarget::default(), &Control::new());
        assert_eq!(ended, Err(VaultError::NoEntry { path: missing.into() }));
    }
}

#[test]
fn what_the_target_refuses_is_named_and_the_rest_goes_on() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    let mut target = MemoryTarget::default();
    target.refuses.insert("b".into(), no());
    target.refuses.insert("a/small".into(), no());
    let control = Control::new();
    let end = home.vault.restore(&all_of(sealed.snapshot), &target, &control).unwrap();
    let named: Vec<_> = end.failures.iter().map(|f| (f.path_text(), f.code.as_str())).collect();
    let code = "SOURCE_NOT_PERMITTED";
    assert_eq!(named, [("a/small".to_owned(), code), ("b".to_owned(), code)]);
    assert_eq!((end.failed, end.files), (2, 3));
    assert_eq!(control.drain_failures().len(), 2);
    assert_eq!(target.paths(), ["a", "a/empty", "z"]);

    let strict = RestoreOrder { failures_max: 1, ..all_of(sealed.snapshot) };
    let ended = home.vault.restore(&strict, &target, &Control::new());
    assert!(matches!(ended, Err(VaultError::TooManyFailures { limit: 1, .. })), "{ended:?}");
}

#[test]
fn a_full_target_and_a_lost_authority_end_the_restore() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    let mut target = MemoryTarget::default();
    target.refuses.insert("b/c/large".into(), Trouble::Full);
    let ended = home.vault.restore(&all_of(sealed.snapshot), &target, &Control::new());
    assert_eq!(ended, Err(VaultError::TargetFull { path: "b/c/large".into() }));
    let expired = crate::files::entry::Refused::Expired;
    target.refuses.insert("b/c/large".into(), expired.clone().into());
    let ended = home.vault.restore(&all_of(sealed.snapshot), &target, &Control::new());
    assert_eq!(ended, Err(VaultError::Refused(expired)));
}

#[test]
fn a_hard_link_whose_first_name_failed_becomes_a_file_of_its_own() {
    let home = Home::new();
    let twin = |path: &str| {
        file(path, b"twin".to_vec()).with(|entry, _| {
            entry.attributes.links = 3;
            entry.attributes.inode = 99;
            entry.attributes.device = 5;
        })
    };
    let tree = MemoryTree::new(vec![twin("t1"), twin("t2"), twin("t3")]);
    let sealed = home.sealed(&order(1), &tree);
    let mut target = MemoryTarget::default();
    target.refuses.insert("t1".into(), no());
    let end = home.vault.restore(&all_of(sealed.snapshot), &target, &Control::new()).unwrap();
    assert_eq!((end.failed, target.paths()), (1, vec!["t2".to_owned(), "t3".to_owned()]));
    assert_eq!(target.bytes("t3"), b"twin");
}

/// A source whose nodes say what they like, as whoever has the key could write it.
struct Forged(Vec<Node>);

impl ReadSource for Forged {
    type Open = Cursor<Vec<u8>>;
    type Iter = std::vec::IntoIter<RusticResult<ReadSourceEntry<Self::Open>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Self::Iter {
        let entry = |(n, node): (usize, &Node)| {
            let open = node.is_file().then(|| Cursor::new(b"evil".to_vec()));
            Ok(ReadSourceEntry { path: format!("{n:03}").into(), node: node.clone(), open })
        };
        self.0.iter().enumerate().map(entry).collect::<Vec<_>>().into_iter()
    }
}

#[test]
fn a_name_that_would_lead_out_of_the_target_is_refused() {
    let home = Home::new();
    let named = |name: &str, kind: NodeType| {
        let meta = Metadata { size: 4, ..Metadata::default() };
        let mut node = Node::new_node("x".as_ref(), kind, meta);
        name.clone_into(&mut node.name);
        node
    };
    let bad = ["", ".", "..", "/etc/passwd", "../up", "a/../../up", "a\u{0}b", "sub/file"];
    let mut nodes: Vec<_> = bad.iter().map(|name| named(name, NodeType::File)).collect();
    nodes.push(named("..", NodeType::Dir));
    nodes.push(named("../link", NodeType::from_link("/etc".as_ref())));
    // A link, and the same name again to be written through it.
    nodes.push(named("twice", NodeType::from_link("/etc".as_ref())));
    nodes.push(named("twice", NodeType::File));
    nodes.push(named("good", NodeType::File));

    let repository = home.vault.repository(Backend::writing(&home.vault.folder, None)).unwrap();
    let repository = repository.to_indexed_ids().unwrap();
    let mut options = BackupOptions::default();
    options.parent_opts.force = true;
    let begun = snapshot::begin(&order(1));
    let forged = repository.archive(&options, &Forged(nodes), begun, &["/".into()]).unwrap();
    let name = SnapshotName(*forged.id);

    let (target, end) = home.restored(name);
    assert_eq!(target.paths(), ["good", "twice"]);
    assert_eq!(target.bytes("twice"), b"");
    assert_eq!(end.failed, 11);
    let unsafe_names = end.failures.iter().filter(|f| f.code == "FILE_UNSAFE_NAME").count();
    let twice = end.failures.iter().filter(|f| f.code == "FILE_NAMED_TWICE").count();
    // Two names are shown alike: of a file `..` and a folder `..`.
    assert_eq!((unsafe_names, twice), (9, 1), "{:?}", end.failures);
    let browser = home.vault.browse(name).unwrap();
    let listed = browser.list(Path::new(""), None, 99).unwrap();
    assert_eq!(listed.entries.len(), 3);
    let damages = home.vault.check(true).unwrap();
    assert_eq!(damages.iter().map(|damage| damage.files_in_all).sum::<u64>(), 1, "{damages:?}");
}
