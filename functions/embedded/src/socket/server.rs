//! The loop that `crossvault up` runs.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{Failure, Kind, REQUEST_BYTES_MAX, Reply, Request, Response, place::Place};

/// How many clients are served at a time; further ones wait.
const CLIENTS_MAX: usize = 64;

/// How long requests that are under way may go on once the server is asked to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long to wait when the system has no room for a further client.
const BREATH: Duration = Duration::from_millis(100);

/// A socket that is listened to. Its file goes with the value.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    socket: PathBuf,
}

impl Listener {
    /// Listens at `socket`, for its owner alone; one that a dead process left is replaced.
    ///
    /// Only who holds the home may call it. It must be called within a runtime.
    ///
    /// # Errors
    /// [`Failure`] when the socket can't be made.
    pub fn bind(socket: &Path) -> Result<Self, Failure> {
        Self::bind_hidden(socket).map_err(|error| {
            Failure::new(
                Kind::Home,
                "SOCKET_UNUSABLE",
                format!("no socket can be made at `{}`: {error}", socket.display()),
                "Check that the home's disk is writable and supports sockets, or use another home.",
            )
        })
    }

    /// The socket gets its name only once it is closed to others.
    fn bind_hidden(socket: &Path) -> io::Result<Self> {
        let folder = socket.with_extension(format!("{}.new", process::id()));
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let begun = folder.join("s");
        let listener = Self::bind_and_name(&begun, socket);
        let _ = fs::remove_dir_all(&folder);
        Ok(Self { listener: listener?, socket: socket.to_owned() })
    }

    fn bind_and_name(begun: &Path, socket: &Path) -> io::Result<UnixListener> {
        remove_if_there(begun)?;
        let listener = UnixListener::bind(Place::of(begun)?.name())?;
        fs::set_permissions(begun, Permissions::from_mode(0o600))?;
        fs::rename(begun, socket)?;
        Ok(listener)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Left behind it would do no harm: the next server replaces it.
        let _ = fs::remove_file(&self.socket);
    }
}

/// Answers requests by `handle` until `stop` comes; then lets those under way end.
///
/// A line that is no request is answered with an error, and its connection goes on.
pub async fn serve<H, F>(listener: Listener, handle: H, stop: impl Future<Output = ()>)
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, Failure>> + Send + 'static,
{
    let handle = Arc::new(handle);
    let seats = Arc::new(Semaphore::new(CLIENTS_MAX));
    let (stopping, stopped) = watch::channel(false);
    let mut clients = JoinSet::new();
    let accept = async {
        loop {
            while clients.try_join_next().is_some() {}
            let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
            match listener.listener.accept().await {
                Ok((stream, _)) => {
                    let (handle, stopped) = (Arc::clone(&handle), stopped.clone());
                    clients.spawn(async move {
                        attend(stream, &*handle, stopped).await;
                        drop(seat);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a client could not be let in");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    let _ = stopping.send(true);
    let farewell = async { while clients.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    clients.abort_all();
}

/// Answers one client, line after line, until it goes or the server stops.
async fn attend<H, F>(stream: UnixStream, handle: &H, mut stopped: watch::Receiver<bool>)
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<Reply, Failure>>,
{
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let line = tokio::select! {
            // A request that has arrived is answered even when both are so.
            biased;
            line = read_line(&mut reading) => line,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let response = match line {
            Ok(Line::Request(line)) => match serde_json::from_slice(&line) {
                Ok(request) => match handle(request).await {
                    Ok(reply) => Response::Reply(reply),
                    Err(failure) => Response::Error(failure),
                },
                Err(error) => Response::Error(malformed(&error)),
            },
            Ok(Line::TooLong) => Response::Error(too_long()),
            Ok(Line::End) | Err(_) => return,
        };
        if write_line(&mut writing, &response).await.is_err() {
            return;
        }
    }
}

enum Line {
    Request(Vec<u8>),
    TooLong,
    End,
}

/// Reads up to the end of a line; what is longer than a request may be is read and forgotten.
async fn read_line(reading: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut is_too_long = false;
    loop {
        let chunk = reading.fill_buf().await?;
        if chunk.is_empty() {
            // A last line without its end was cut off: its sender is gone.
            return Ok(Line::End);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
        if line.len().saturating_add(part.len()) > REQUEST_BYTES_MAX {
            is_too_long = true;
            line = Vec::new();
        }
        if !is_too_long {
            line.extend_from_slice(part);
        }
        let used = part.len().saturating_add(usize::from(end.is_some()));
        reading.consume(used);
        if end.is_some() {
            return Ok(if is_too_long { Line::TooLong } else { Line::Request(line) });
        }
    }
}

async fn write_line(
    writing: &mut (impl AsyncWrite + Unpin),
    response: &Response,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(response)?;
    line.push(b'\n');
    writing.write_all(&line).await?;
    writing.flush().await
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure::new(
        Kind::Usage,
        "REQUEST_MALFORMED",
        format!("the line is not a request: {error}"),
        "Send one JSON object a line, such as `{\"settings\":null}`; use the same version on both sides.",
    )
}

fn too_long() -> Failure {
    Failure::new(
        Kind::Usage,
        "REQUEST_TOO_LONG",
        format!("the request is longer than {REQUEST_BYTES_MAX} bytes"),
        "Send less at once.",
    )
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
