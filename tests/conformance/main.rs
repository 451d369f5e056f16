//! One suite a port: what every platform's implementation must do, run against those that run
//! on one machine.

mod codec;
mod home;
mod model;
mod records;
mod sqlite;
mod store;

use std::{future::Future, path::PathBuf};

/// Runs a future to its end on this thread.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A folder on a real disk that goes with the value.
fn folder() -> tempfile::TempDir {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    tempfile::tempdir_in(dir).unwrap()
}
