//! Entries of files as restic's tree knows them, and back.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use rustic_core::{
    jiff::Timestamp,
    repofile::{Metadata, Node, NodeType},
};

use super::tree::Trouble;
use crate::files::entry::{Attributes, Entry, EntryKind, FileTime};

// The mode in restic's trees is Go's `fs.FileMode`.
const GO_PERMISSIONS: u32 = 0o777;
const GO_DIRECTORY: u32 = 1 << 31;
const GO_SYMLINK: u32 = 1 << 27;
const GO_DEVICE: u32 = 1 << 26;
const GO_FIFO: u32 = 1 << 25;
const GO_SOCKET: u32 = 1 << 24;
const GO_CHARACTER: u32 = 1 << 21;
/// Go's bits of set-user-id, set-group-id and sticky, with those of POSIX.
const GO_SPECIAL: [(u32, u32); 3] = [(1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000)];

/// The node of an entry; none when its path has no name.
pub(super) fn of_entry(entry: &Entry) -> Option<Node> {
    let name = entry.path.file_name()?;
    let (kind, bits) = match &entry.kind {
        EntryKind::Directory => (NodeType::Dir, GO_DIRECTORY),
        EntryKind::File { .. } => (NodeType::File, 0),
        EntryKind::Symlink { target } => (NodeType::from_link(target), GO_SYMLINK),
        EntryKind::Fifo => (NodeType::Fifo, GO_FIFO),
        EntryKind::Socket => (NodeType::Socket, GO_SOCKET),
        EntryKind::BlockDevice { device } => (NodeType::Dev { device: *device }, GO_DEVICE),
        EntryKind::CharacterDevice { device } => {
            (NodeType::Chardev { device: *device }, GO_DEVICE | GO_CHARACTER)
        }
    };
    let own = &entry.attributes;
    let size = if let EntryKind::File { size } = entry.kind { size } else { 0 };
    // The number of links of a folder changes with what it holds, and says nothing else.
    let links = if entry.kind == EntryKind::Directory { 0 } else { own.links };
    let modified = timestamp(own.modified);
    let meta = Metadata {
        mode: Some(go_mode(own.mode) | bits),
        mtime: modified,
        // Kept as restic does: the true one would change a folder's tree with each backup.
        atime: modified,
        // Sources without such a time leave it at zero, which must not be compared.
        ctime: Some(own.changed).filter(|at| *at != FileTime::default()).and_then(timestamp),
        uid: Some(own.user),
        gid: Some(own.group),
        user: None,
        group: None,
        inode: own.inode,
        // It changes when a disk is attached elsewhere, and only hard links need it.
        device_id: if links > 1 { own.device } else { 0 },
        size,
        links,
        ..with_extended(&own.extended)
    };
    Some(Node::new_node(name, kind, meta))
}

/// Metadata with those extended attributes whose names are UTF-8: others can't be stored. It takes
/// a way through JSON, since the library does not offer their type.
fn with_extended(own: &[(OsString, Vec<u8>)]) -> Metadata {
    let own: Vec<_> =
        own.iter().filter_map(|(name, value)| Some((name.to_str()?, value))).collect();
    if own.is_empty() {
        return Metadata::default();
    }
    let blank = vec![serde_json::json!({ "name": "", "value": null }); own.len()];
    let blank = serde_json::json!({ "extended_attributes": blank });
    let mut meta: Metadata = serde_json::from_value(blank).unwrap_or_default();
    for (stored, (name, value)) in meta.extended_attributes.iter_mut().zip(own) {
        name.clone_into(&mut stored.name);
        stored.value = Some(value.clone());
    }
    meta
}

/// The entry of a node in folder `parent`.
///
/// # Errors
/// [`Trouble`] when its name would lead elsewhere: such a tree was not made by us.
pub(super) fn to_entry(node: &Node, parent: &Path) -> Result<Entry, Trouble> {
    let name = safe_name(node)?;
    let kind = match &node.node_type {
        NodeType::Dir => EntryKind::Directory,
        NodeType::File => EntryKind::File { size: node.meta.size },
        NodeType::Symlink { .. } => {
            EntryKind::Symlink { target: PathBuf::from(node.node_type.to_link()) }
        }
        NodeType::Fifo => EntryKind::Fifo,
        NodeType::Socket => EntryKind::Socket,
        NodeType::Dev { device } => EntryKind::BlockDevice { device: *device },
        NodeType::Chardev { device } => EntryKind::CharacterDevice { device: *device },
    };
    let meta = &node.meta;
    let attributes = Attributes {
        mode: posix_mode(meta.mode.unwrap_or(0o600)),
        modified: meta.mtime.map(file_time).unwrap_or_default(),
        accessed: meta.atime.map(file_time).unwrap_or_default(),
        changed: meta.ctime.map(file_time).unwrap_or_default(),
        user: meta.uid.unwrap_or(0),
        group: meta.gid.unwrap_or(0),
        inode: meta.inode,
        device: meta.device_id,
        links: meta.links,
        extended: meta
            .extended_attributes
            .iter()
            .map(|own| (OsString::from(&own.name), own.value.clone().unwrap_or_default()))
            .collect(),
    };
    Ok(Entry { path: parent.join(name), kind, attributes })
}

/// A node's name, if it is one step down and nothing else.
pub(super) fn safe_name(node: &Node) -> Result<OsString, Trouble> {
    let name = node.name().into_owned();
    let mut steps = Path::new(&name).components();
    let is_step = matches!(steps.next(), Some(std::path::Component::Normal(step)) if step == name);
    let has_zero = name.as_encoded_bytes().contains(&0);
    if is_step && steps.next().is_none() && !has_zero {
        return Ok(name);
    }
    Err(Trouble::Failed {
        code: "FILE_UNSAFE_NAME",
        message: format!("the name `{}` would lead out of its folder", name.display()),
    })
}

fn go_mode(mode: u32) -> u32 {
    let special = GO_SPECIAL.iter().filter(|(_, posix)| mode & posix != 0);
    special.fold(mode & GO_PERMISSIONS, |all, (go, _)| all | go)
}

fn posix_mode(mode: u32) -> u32 {
    let special = GO_SPECIAL.iter().filter(|(go, _)| mode & go != 0);
    special.fold(mode & GO_PERMISSIONS, |all, (_, posix)| all | posix)
}

fn timestamp(at: FileTime) -> Option<Timestamp> {
    Timestamp::new(at.seconds, i32::try_from(at.nanoseconds).ok()?).ok()
}

fn file_time(at: Timestamp) -> FileTime {
    let (seconds, part) = (at.as_second(), at.subsec_nanosecond());
    // The library counts the part of a second away from zero; files count it forwards.
    match u32::try_from(part) {
        Ok(nanoseconds) => FileTime { seconds, nanoseconds },
        Err(_) => FileTime {
            seconds: seconds.saturating_sub(1),
            nanoseconds: 1_000_000_000_u32.saturating_sub(part.unsigned_abs()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: EntryKind, attributes: Attributes) {
        let entry = Entry { path: "a/b \\ \"ö\n".into(), kind, attributes };
        let node = of_entry(&entry).unwrap();
        let stored: Node = serde_json::from_str(&serde_json::to_string(&node).unwrap()).unwrap();
        assert_eq!(to_entry(&stored, Path::new("a")), Ok(entry));
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let at = FileTime { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
        let own = Attributes {
            mode: 0o6755,
            modified: at,
            accessed: at,
            changed: FileTime { seconds: -2, nanoseconds: 5 },
            user: 1000,
            group: 100,
            inode: 7,
            device: 3,
            links: 2,
            extended: vec![
                ("user.a".into(), vec![]),
                ("user.b".into(), b"\0\xff1".to_vec()),
                ("user.c".into(), b"1234".to_vec()),
                ("user.d".into(), b"12345".to_vec()),
            ],
        };
        check(EntryKind::File { size: 5 }, own.clone());
        check(EntryKind::Symlink { target: "../x".into() }, own.clone());
        check(EntryKind::Fifo, own.clone());
        check(EntryKind::Socket, own.clone());
        check(EntryKind::BlockDevice { device: 2049 }, own.clone());
        check(EntryKind::CharacterDevice { device: 259 }, own.clone());
        let before = FileTime { seconds: -1, nanoseconds: 999_999_999 };
        let folder = Attributes {
            links: 0,
            device: 0,
            mode: 0o1777,
            modified: before,
            accessed: before,
            ..own
        };
        check(EntryKind::Directory, folder);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", ".", "..", "/", "a/b", "a/", "/etc", "../x", "a\0"] {
            let mut node =
                Node::new_node(std::ffi::OsStr::new("x"), NodeType::File, Metadata::default());
            name.clone_into(&mut node.name);
            assert!(to_entry(&node, Path::new("")).is_err(), "{name}");
        }
    }
}
