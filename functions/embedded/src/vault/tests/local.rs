//! Real folders, there and back.

use std::{
    fs,
    io::Read,
    os::unix::fs::{FileExt, MetadataExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use crossvault_core::explain::Explain;

use super::{super::*, Home, all_of, noise, order};
use crate::files::{
    entry::{Entry, Refused, Touch},
    read::{OpenFile, ReadError},
    walk::Walk,
    write::{FileWriter, Mark, Overwrite, WriteError, WriteOptions, Writer},
};

struct Always;

impl Touch for Always {
    fn touch(&self) -> Result<(), Refused> {
        Ok(())
    }
}

/// A folder as a tree; the real one is the transfers'.
struct Source(PathBuf, Arc<dyn Touch>);
struct File(OpenFile);

fn trouble(error: &ReadError) -> Trouble {
    if matches!(error, ReadError::Vanished) {
        return Trouble::Changed(error.to_string());
    }
    Trouble::Failed { code: error.code(), message: error.to_string() }
}

impl Tree for Source {
    type Entries = Box<dyn Iterator<Item = Result<Item, TreeError>> + Send>;

    fn entries(&self) -> Result<Self::Entries, TreeError> {
        let failed = |path, error: &ReadError| TreeError { path, trouble: trouble(error) };
        let walk = Walk::new(&self.0, self.1.clone());
        let walk = walk.map_err(|error| failed(PathBuf::new(), &error))?;
        Ok(Box::new(walk.map(move |found| {
            let found = found.map_err(|failure| failed(failure.path, &failure.error))?;
            let open = found.open.map(|open| Box::new(File(open)) as Box<dyn Open>);
            Ok(Item { entry: found.entry, open })
        })))
    }
}

impl Open for File {
    fn open(self: Box<Self>) -> Result<Box<dyn Read + Send>, Trouble> {
        Ok(Box::new(self.0.open().map_err(|error| trouble(&error))?))
    }
}

fn failed(error: &WriteError) -> Trouble {
    Trouble::Failed { code: error.code(), message: error.to_string() }
}

impl Target for Writer {
    type File = FileWriter;

    fn directory(&self, path: &Path) -> Result<(), Trouble> {
        Self::directory(self, path).map_err(|error| failed(&error))
    }

    fn file(&self, entry: &Entry) -> Result<FileWriter, Trouble> {
        Self::file(self, entry).map_err(|error| failed(&error))
    }

    fn symlink(&self, entry: &Entry) -> Result<(), Trouble> {
        Self::symlink(self, entry).map(drop).map_err(|error| failed(&error))
    }

    fn hard_link(&self, entry: &Entry, existing: &Path) -> Result<(), Trouble> {
        Self::hard_link(self, entry, existing).map(drop).map_err(|error| failed(&error))
    }

    fn special(&self, entry: &Entry) -> Result<(), Trouble> {
        Self::special(self, entry).map(drop).map_err(|error| failed(&error))
    }

    fn finish_directory(&self, entry: &Entry) -> Result<(), Trouble> {
        Self::finish_directory(self, entry).map_err(|error| failed(&error))
    }

    fn sync(&self) -> Result<(), Trouble> {
        Self::sync(self).map_err(|error| failed(&error))
    }
}

impl TargetFile for FileWriter {
    fn write_at(&mut self, offset: u64, content: &[u8]) -> Result<(), Trouble> {
        Self::write_at(self, offset, content).map_err(|error| failed(&error))
    }

    fn commit(self) -> Result<(), Trouble> {
        Self::commit(self).map(drop).map_err(|error| failed(&error))
    }
}

fn writer(target: &Path) -> Writer {
    let mark = Mark { job: order(1).job.to_string(), fence: 1 };
    let options = WriteOptions { overwrite: Overwrite::Refuse, mark };
    Writer::new(target, options, Arc::new(Always)).unwrap()
}

#[test]
fn a_real_folder_comes_back_as_it_was() {
    let home = Home::new();
    let source = home.folder.path().join("source");
    fs::create_dir_all(source.join("a/b")).unwrap();
    fs::write(source.join("a/b/large"), noise(1, 700_000)).unwrap();
    fs::hard_link(source.join("a/b/large"), source.join("z-link")).unwrap();
    fs::write(source.join("a/empty"), []).unwrap();
    symlink("../nowhere", source.join("a/symlink")).unwrap();
    let sparse = fs::File::create(source.join("sparse")).unwrap();
    sparse.set_len(8_000_000).unwrap();
    sparse.write_all_at(&noise(2, 100_000), 4_000_000).unwrap();

    let back_up = |n| {
        let tree = Source(source.clone(), Arc::new(Always));
        match home.vault.back_up(&order(n), tree, &Control::new()).unwrap() {
            BackupEnd::Sealed(sealed) => sealed,
            BackupEnd::Paused { .. } => panic!("nobody paused it"),
        }
    };
    let sealed = back_up(1);
    assert_eq!((sealed.files, sealed.failures), (7, vec![]));
    assert_eq!(back_up(2).bytes_added, 0);

    let target = home.folder.path().join("target");
    let end =
        home.vault.restore(&all_of(sealed.snapshot), &writer(&target), &Control::new()).unwrap();
    assert_eq!((end.files, end.failures), (7, vec![]));
    for path in ["a/b/large", "z-link", "a/empty", "sparse"] {
        let (was, is) = (source.join(path), target.join(path));
        assert!(fs::read(&was).unwrap() == fs::read(&is).unwrap(), "{path}");
        let (was, is) = (fs::metadata(was).unwrap(), fs::metadata(is).unwrap());
        assert_eq!((was.mtime_nsec(), was.mode()), (is.mtime_nsec(), is.mode()), "{path}");
    }
    let meta = |path: &str| fs::metadata(target.join(path)).unwrap();
    assert_eq!(meta("a/b/large").ino(), meta("z-link").ino());
    assert!(meta("sparse").blocks() * 512 < 1_000_000);
    assert_eq!(fs::read_link(target.join("a/symlink")).unwrap(), Path::new("../nowhere"));

    // Again into the same folder: the same counts as done, and what differs is not overwritten.
    fs::write(target.join("a/empty"), "no more").unwrap();
    let again =
        home.vault.restore(&all_of(sealed.snapshot), &writer(&target), &Control::new()).unwrap();
    let named: Vec<_> = again.failures.iter().map(|f| (f.path_text(), f.code.as_str())).collect();
    assert_eq!(named, [("a/empty".to_owned(), "TARGET_EXISTS")]);
    assert_eq!(fs::read(target.join("a/empty")).unwrap(), b"no more");
}

#[test]
fn a_file_that_went_while_the_folder_was_read_is_no_failure() {
    /// Removes a file when it is touched for the `n`th time.
    struct Removes(PathBuf, std::sync::atomic::AtomicUsize);
    impl Touch for Removes {
        fn touch(&self) -> Result<(), Refused> {
            if self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 3 {
                fs::remove_file(&self.0).unwrap();
            }
            Ok(())
        }
    }
    let home = Home::new();
    let source = home.folder.path().join("source");
    fs::create_dir_all(&source).unwrap();
    for name in ["a", "b", "c"] {
        fs::write(source.join(name), name).unwrap();
    }
    let touch = Arc::new(Removes(source.join("b"), 0.into()));
    let tree = Source(source.clone(), touch);
    let end = home.vault.back_up(&order(1), tree, &Control::new()).unwrap();
    let BackupEnd::Sealed(sealed) = end else { panic!("{end:?}") };
    assert_eq!((sealed.files, sealed.failures), (2, vec![]));
}

#[test]
fn a_folder_that_is_not_there_gives_no_snapshot() {
    let home = Home::new();
    let tree = Source(home.folder.path().join("nowhere"), Arc::new(Always));
    let error = home.vault.back_up(&order(1), tree, &Control::new()).unwrap_err();
    assert!(matches!(error, VaultError::NothingRead { .. }), "{error}");
    assert_eq!(home.vault.sealed(), Ok(vec![]));
}
