//! Data made from a seed: the same seed gives the same bytes.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
    time::{Duration, SystemTime},
};

/// Numbers from a seed, by `SplitMix64`.
#[derive(Clone)]
pub struct Seed(pub u64);

impl Seed {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let len = u64::try_from(all.len()).unwrap();
        (len > 0).then(|| &all[usize::try_from(self.below(len)).unwrap()])
    }

    /// Bytes that don't compress.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

/// Fills a folder with `small` files of up to 4 KB, in folders of 100, and `large` ones of 1 to 4 MB.
pub fn fill(folder: &Path, seed: &mut Seed, small: u64, large: u64) {
    for number in 0..small {
        let place = folder.join(format!("small/{:02}", number / 100));
        fs::create_dir_all(&place).unwrap();
        let len = usize::try_from(seed.below(4_000)).unwrap();
        fs::write(place.join(format!("{number}.txt")), seed.bytes(len)).unwrap();
    }
    fs::create_dir_all(folder.join("large")).unwrap();
    for number in 0..large {
        let len = usize::try_from(1_000_000 + seed.below(3_000_000)).unwrap();
        fs::write(folder.join(format!("large/{number}.bin")), seed.bytes(len)).unwrap();
    }
}

/// Fills a folder with what is hard to keep: odd names, links, holes, modes, times and attributes.
pub fn odd(folder: &Path, seed: &mut Seed) {
    let names: [&[u8]; 9] = [
        b"with space",
        b" ",
        b"new\nline",
        b"-dash",
        b"tab\tand \"quotes\" and 'more' $HOME * \\",
        "\u{4e2d}\u{6587} \u{1f600}".as_bytes(),
        b"not \xff\xfe text",
        &[b'n'; 255],
        b"...",
    ];
    for name in names {
        fs::write(folder.join(OsStr::from_bytes(name)), seed.bytes(100)).unwrap();
    }
    let inner = folder.join(OsStr::from_bytes(b"folder\x80\n"));
    fs::create_dir_all(inner.join("a/b/c/d")).unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    fs::write(inner.join("a/b/c/d/deep"), "deep").unwrap();
    fs::write(folder.join("nothing"), "").unwrap();
    fs::write(folder.join("large"), seed.bytes(9_000_000)).unwrap();

    let mut sparse = File::create(folder.join("sparse")).unwrap();
    sparse.seek(SeekFrom::Start(20_000_000)).unwrap();
    sparse.write_all(b"after a hole").unwrap();
    sparse.set_len(30_000_000).unwrap();

    symlink("nothing", folder.join("link")).unwrap();
    symlink("/nowhere/at all", folder.join("dangling")).unwrap();
    symlink("a", inner.join("to-folder")).unwrap();
    fs::hard_link(folder.join("large"), inner.join("same-as-large")).unwrap();
    fs::hard_link(folder.join("nothing"), folder.join("same-as-nothing")).unwrap();

    for (name, mode) in [("only-read", 0o444), ("none", 0o000), ("set-id", 0o6755), ("all", 0o777)]
    {
        let file = folder.join(name);
        fs::write(&file, name).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    }
    let file = folder.join("with-attribute");
    fs::write(&file, "x").unwrap();
    // Not every file system has them.
    let _ = rustix::fs::setxattr(&file, "user.note", b"kept", rustix::fs::XattrFlags::empty());

    fs::set_permissions(folder.join("empty"), Permissions::from_mode(0o1750)).unwrap();
    for (name, seconds, nanoseconds) in
        [("only-read", 1, 1), ("nothing", 4_000_000_000, 999_999_999), ("empty", 86_400, 0)]
    {
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        File::open(folder.join(name)).unwrap().set_modified(time).unwrap();
    }
}
