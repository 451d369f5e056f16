//! The demonstration's own files: every kind that a backup must get right.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

/// A file that nobody can read as a whole: without rights for most, and for root, whom rights do
/// not stop, one that somebody keeps writing.
pub(super) const UNREADABLE: &str = "unreadable.log";

/// How many tiny files there are.
const TINY_FILES: u32 = 2_000;

/// The length of the large file.
const LARGE_BYTES: usize = 48 << 20;

/// How deep the deepest folder lies.
const DEPTH: usize = 60;

/// Makes large, tiny, sparse, deep, linked and odd-named files.
pub(super) fn generate(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root)?;
    let mut noise = Noise(7);

    let mut large = File::create(root.join("large.bin"))?;
    let mut block = vec![0_u8; 1 << 20];
    for _ in 0..LARGE_BYTES.div_euclid(block.len()) {
        noise.fill(&mut block);
        large.write_all(&block)?;
    }

    for n in 0..TINY_FILES {
        let folder = root.join("tiny").join(format!("{:02}", n.rem_euclid(40)));
        fs::create_dir_all(&folder)?;
        let mut text = vec![0_u8; usize::try_from(noise.below(900)).unwrap_or(0)];
        noise.fill(&mut text);
        fs::write(folder.join(format!("{n}.txt")), text)?;
    }

    let mut sparse = File::create(root.join("sparse.img"))?;
    sparse.write_all(b"begin")?;
    sparse.seek(SeekFrom::Start(256 << 20))?;
    sparse.write_all(b"end")?;

    let mut deep = root.join("deep");
    for n in 0..DEPTH {
        deep.push(format!("level-{n}"));
    }
    fs::create_dir_all(&deep)?;
    fs::write(deep.join("bottom.txt"), "down here\n")?;

    let odd = root.join("odd names");
    fs::create_dir_all(&odd)?;
    let names: [&[u8]; 6] = [
        b" leading space",
        b"-rf",
        b"new\nline",
        "\u{6f22}\u{5b57}".as_bytes(),
        b"not\xffutf-8",
        &[b'x'; 255],
    ];
    for name in names {
        fs::write(odd.join(OsStr::from_bytes(name)), name)?;
    }

    fs::write(root.join("report.txt"), "first version\n")?;
    fs::set_permissions(root.join("report.txt"), fs::Permissions::from_mode(0o640))?;
    fs::hard_link(root.join("report.txt"), root.join("report-again.txt"))?;
    symlink("report.txt", root.join("link"))?;
    symlink("/nowhere/at/all", root.join("dangling"))?;
    let old = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(981_173_106));
    File::open(root.join("report.txt"))?.set_modified(old.unwrap_or(SystemTime::UNIX_EPOCH))?;
    Ok(())
}

/// Changes a little, as a day's work does.
pub(super) fn change(root: &Path) -> io::Result<()> {
    let mut noise = Noise(11);
    let mut large = OpenOptions::new().write(true).open(root.join("large.bin"))?;
    large.seek(SeekFrom::Start(20 << 20))?;
    let mut block = vec![0_u8; 64 << 10];
    noise.fill(&mut block);
    large.write_all(&block)?;
    fs::write(root.join("tiny/00/0.txt"), "changed")?;
    fs::write(root.join("new.txt"), "new today")?;
    fs::remove_file(root.join("tiny/01/1.txt"))
}

/// Copies the repository's own files: what is under version control, but neither what is built
/// nor a home.
pub(super) fn copy_repository(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_left_out = matches!(name.to_str(), Some("target" | ".git"))
            || name.as_bytes().starts_with(b".crossvault");
        if is_left_out {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_repository(&source, &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// The repository that the current folder is, if it is one.
pub(super) fn repository() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let is_ours = here.join("core/src/authorization.rs").is_file();
    is_ours.then_some(here)
}

/// Keeps a file unreadable as long as it lives.
pub(super) struct Unreadable {
    stop: Arc<AtomicBool>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Unreadable {
    /// Makes the file. Without root's rights it is one that nobody may read.
    pub(super) fn make(root: &Path) -> io::Result<Self> {
        let path = root.join(UNREADABLE);
        let stop = Arc::new(AtomicBool::new(false));
        let mut file = File::create(&path)?;
        file.write_all(&vec![b'.'; 4 << 20])?;
        if !rustix::process::geteuid().is_root() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o000))?;
            return Ok(Self { stop, writer: None });
        }
        let stopped = Arc::clone(&stop);
        let writer = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // A line more, and it is no longer what was listed. If it can't be written, the
                // file only becomes readable.
                let _ = file.write_all(b"one more line\n");
                thread::sleep(Duration::from_micros(200));
            }
        });
        Ok(Self { stop, writer: Some(writer) })
    }
}

impl Drop for Unreadable {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            // Its only work is over either way.
            let _ = writer.join();
        }
    }
}

/// Repeatable bytes that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (byte, fresh) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *byte = fresh;
            }
        }
    }
}
