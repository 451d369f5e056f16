use std::{
    env, fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process,
};

use rustix::fs::{FlockOperation, flock};

use super::HomeError;

/// The process that uses a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id; none when it has not written it down yet.
    pub pid: Option<u32>,
    /// How it was started.
    pub command: String,
}

impl Holder {
    fn this() -> Self {
        let command = env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ");
        let command = command.replace('\n', " ").chars().take(200).collect();
        Self { pid: Some(process::id()), command }
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let pid = lines.next().and_then(|pid| pid.parse().ok());
        Self { pid, command: lines.next().unwrap_or_default().to_owned() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} (`{}`)", self.command),
            None => f.write_str("another process"),
        }
    }
}

/// A lock that the system takes away with the process, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock and writes down who has it.
    pub(super) fn take(dir: &Path, path: &Path) -> Result<Self, HomeError> {
        let failed = |error: io::Error| HomeError::io(path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed)?;
                return Err(HomeError::Held { dir: dir.to_owned(), holder: Holder::parse(&text) });
            }
            Err(error) => return Err(failed(error.into())),
        }
        let Holder { pid, command } = Holder::this();
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}\n{command}", pid.unwrap_or_default()).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody holds it: a name that stayed would mislead. The lock goes with the file.
        let _ = self.file.set_len(0);
    }
}
