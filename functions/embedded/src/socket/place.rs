//! The socket's name.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// The longest name that the system takes for a socket, without its final zero.
///
/// Source: Linux, `unix(7)`: `sun_path` has 108 bytes; other systems have 104.
const NAME_BYTES_MAX: usize = 100;

/// A name by which the system can reach a socket, while this value lives.
pub(super) struct Place {
    name: PathBuf,
    /// Keeps the short way into the folder open.
    _folder: Option<File>,
}

impl Place {
    /// Finds a name for `socket`: its own, or when that is too long one through its open folder.
    pub(super) fn of(socket: &Path) -> io::Result<Self> {
        if socket.as_os_str().len() <= NAME_BYTES_MAX {
            return Ok(Self { name: socket.to_owned(), _folder: None });
        }
        let (Some(folder), Some(file)) = (socket.parent(), socket.file_name()) else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        let folder = File::open(folder)?;
        let name = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(file);
        Ok(Self { name, _folder: Some(folder) })
    }

    /// The name.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }
}
