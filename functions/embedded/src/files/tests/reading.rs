//! A reader gives what was declared, or says why not.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
};

use crossvault_core::explain::Explain;

use super::world::{Allowance, Ground, next_tick};
use crate::files::{
    read::{FileReader, ReadError},
    walk::Walk,
};

fn open(ground: &Ground) -> FileReader {
    ground.find("file").open.unwrap().open().unwrap()
}

/// Reads to the end; gives the code of the failure.
fn failure_of(mut reader: FileReader) -> &'static str {
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    ReadError::of(&error).unwrap().code()
}

fn ground() -> Ground {
    let ground = Ground::new();
    ground.file("file", [7; 10_000]);
    ground
}

fn writable(ground: &Ground) -> File {
    OpenOptions::new().append(true).open(ground.root.join("file")).unwrap()
}

#[test]
fn a_file_at_rest_is_read_whole() {
    let ground = ground();
    let mut content = Vec::new();
    open(&ground).read_to_end(&mut content).unwrap();
    assert_eq!(content, [7; 10_000]);
    ground.file("file", "");
    assert_eq!(open(&ground).read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_file_that_changes_after_opening_is_named() {
    let ground = ground();
    let reader = open(&ground);
    writable(&ground).set_len(9_999).unwrap();
    assert_eq!(failure_of(reader), "SOURCE_SHRUNK");

    let reader = open(&ground);
    writable(&ground).write_all(b"more").unwrap();
    assert_eq!(failure_of(reader), "SOURCE_GROWN");

    // The same length, so that only the times tell.
    let reader = open(&ground);
    next_tick();
    fs::write(ground.root.join("file"), [8; 10_003]).unwrap();
    assert_eq!(failure_of(reader), "SOURCE_CHANGED");
}

/// Whoever reads exactly the declared length must learn of the change without reading on.
#[test]
fn the_last_bytes_are_not_given_if_the_file_changed() {
    let ground = ground();
    let mut reader = open(&ground);
    reader.read_exact(&mut [0; 9_000]).unwrap();
    writable(&ground).write_all(b"more").unwrap();
    let error = reader.read_exact(&mut [0; 1_000]).unwrap_err();
    assert!(matches!(ReadError::of(&error), Some(ReadError::Grown { declared: 10_000 })));
    assert!(reader.read(&mut [0; 1]).is_err());
}

#[test]
fn a_file_that_changed_before_opening_is_named() {
    let ground = ground();
    let found = ground.find("file").open.unwrap();
    writable(&ground).write_all(b"more").unwrap();
    assert_eq!(found.open().unwrap_err().code(), "SOURCE_CHANGED");

    // Another file with the same name, content and times.
    let found = ground.find("file").open.unwrap();
    fs::copy(ground.root.join("file"), ground.root.join("copy")).unwrap();
    fs::rename(ground.root.join("copy"), ground.root.join("file")).unwrap();
    assert_eq!(found.open().unwrap_err().code(), "SOURCE_CHANGED");

    let found = ground.find("file").open.unwrap();
    fs::remove_file(ground.root.join("file")).unwrap();
    assert_eq!(found.open().unwrap_err().code(), "SOURCE_VANISHED");
}

#[test]
fn a_pipe_or_folder_in_the_files_place_is_neither_waited_for_nor_read() {
    let ground = ground();
    let found = ground.find("file").open.unwrap();
    fs::remove_file(ground.root.join("file")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, ground.root.join("file"), rustix::fs::Mode::RUSR)
        .unwrap();
    assert_eq!(found.open().unwrap_err().code(), "SOURCE_NOT_A_FILE");
}

#[test]
fn each_read_is_asked_for() {
    let ground = ground();
    let allowance = Allowance::unlimited();
    let found = Walk::new(&ground.root, allowance.clone()).unwrap().next().unwrap().unwrap();
    let mut reader = found.open.unwrap().open().unwrap();
    allowance.set(1);
    reader.read_exact(&mut [0; 100]).unwrap();
    let error: io::Error = reader.read_exact(&mut [0; 100]).unwrap_err();
    assert_eq!(ReadError::of(&error).unwrap().code(), "TRANSFER_EXPIRED");
    // A refusal is not remembered: with new credentials it goes on where it was.
    allowance.set(100);
    assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 9_900);
}

#[test]
fn a_hole_is_read_as_zeros() {
    let ground = ground();
    writable(&ground).set_len(0).unwrap();
    writable(&ground).set_len(1 << 20).unwrap();
    let mut content = Vec::new();
    open(&ground).read_to_end(&mut content).unwrap();
    assert_eq!(content, vec![0; 1 << 20]);
}
