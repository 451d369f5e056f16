//! A temporary name beside an entry's place.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    os::fd::OwnedFd,
    sync::{Arc, atomic::Ordering},
};

use rustix::{
    fs::{AtFlags, unlinkat},
    io::Errno,
};

use super::{Mark, Target, WriteError, place::Place};

/// With what each temporary name begins.
const PREFIX: &str = ".crossvault-";

/// How many names of a process before us may be taken.
const TRIES_MAX: usize = 100_000;

/// Something under a temporary name. Dropping it removes it.
pub(super) struct Temporary {
    folder: Arc<OwnedFd>,
    name: OsString,
    is_ours: bool,
}

impl Temporary {
    /// Makes something under a new name in the place's folder. `make` must fail with
    /// [`Errno::EXIST`] if the name is taken.
    pub(super) fn make<T>(
        target: &Target,
        place: &Place,
        make: impl Fn(&OwnedFd, &OsStr) -> Result<T, Errno>,
    ) -> Result<(Self, T), WriteError> {
        let fail = |errno| WriteError::from_errno(errno, &place.path);
        for _ in 0..TRIES_MAX {
            let number = target.next_temporary.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!("{PREFIX}{}-{number}", target.mark));
            match make(&place.folder, &name) {
                // A process with our mark died and left it.
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(fail(errno)),
                Ok(thing) => {
                    let folder = Arc::clone(&place.folder);
                    return Ok((Self { folder, name, is_ours: true }, thing));
                }
            }
        }
        Err(fail(Errno::EXIST))
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Gives the name up: what it stood for was renamed, or it stands for something of another's.
    pub(super) fn release(&mut self) {
        self.is_ours = false;
    }

    /// Takes the name back, so that dropping it removes what it stands for.
    pub(super) fn reclaim(&mut self) {
        self.is_ours = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.is_ours {
            // Nobody could be told of a failure. The next fence sweeps.
            let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}

impl Mark {
    /// Whether `name` is a temporary name of the same job under a lower fence.
    pub(super) fn supersedes(&self, name: &OsStr) -> bool {
        let fence = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|name| name.strip_prefix(self.job.as_str()))
            .and_then(|name| name.strip_prefix('-'))
            .and_then(|name| name.split_once('-'))
            .filter(|(_, number)| number.parse::<u64>().is_ok())
            .and_then(|(fence, _)| fence.parse::<u64>().ok());
        fence.is_some_and(|fence| fence < self.fence)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.job, self.fence)
    }
}
