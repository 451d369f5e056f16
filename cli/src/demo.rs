//! `crossvault demo`: the whole story on real files, in under a minute.

mod data;
mod stage;
mod story;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use crossvault_embedded::socket::{Failure, Kind};

use crate::{arguments::Globals, exit::Exit};

/// A file in a home that a demonstration made: only such a home is replaced by the next one.
const MARK: &str = "made-by-demo";

/// Show the whole story on real files: accounts, grants, backups, a deleted role, restores
///
/// It makes a home with one directory (a management account, the backup management account as
/// delegated administrator, a member) and an account outside of it, backs both up twice, deletes
/// the outside account's role, and restores into another account. The home stays for further
/// commands; a later demo replaces only a home that a demo made.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault demo
  crossvault --home /tmp/demo demo --source /etc")]
pub struct Arguments {
    /// The folder that the member account's host holds; without it a copy of this repository's
    /// own files, and some generated ones
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

/// Tells the story.
pub fn run(globals: &Globals, arguments: &Arguments) -> Result<Exit, Failure> {
    let source = arguments.source.as_deref().map(folder).transpose()?;
    make_way(&globals.home)?;
    let stage = stage::Stage::set(&globals.home, MARK)?;
    story::tell(&stage, globals.output(), source.as_deref())
}

fn folder(path: &Path) -> Result<PathBuf, Failure> {
    let found = path.canonicalize().ok().filter(|path| path.is_dir());
    found.ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "SOURCE_NOT_A_FOLDER",
            format!("`{}` is not a folder", path.display()),
            "Name a folder that can be read.",
        )
    })
}

/// Removes the home of an earlier demonstration; any other home stays and is in the way.
fn make_way(home: &Path) -> Result<(), Failure> {
    if !home.join(MARK).is_file() {
        return Ok(());
    }
    // Whoever holds it is told, and keeps it.
    let (_runtime, held) = crate::local::hold(home)?;
    let removed = fs::remove_dir_all(held.home().dir());
    removed.map_err(|error| io_failure(home, &error))
}

fn io_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Kind::Home,
        "DEMO_FILES",
        format!("`{}` can't be written: {error}", path.display()),
        "Make space there, or choose another folder with `--home`.",
    )
}
