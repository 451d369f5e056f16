//! The other end, for programs without a runtime.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{Failure, Kind, Reply, Request, Response, place::Place};

/// The longest line that is read as an answer: what is longer is not our server's.
const RESPONSE_BYTES_MAX: u64 = 268_435_456;

/// A connection to the process that holds the home.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    stream: Mutex<BufReader<UnixStream>>,
}

impl Client {
    /// Connects to a server; none when nobody listens at `socket`.
    ///
    /// # Errors
    /// [`Failure`] when somebody may listen there but can't be reached.
    pub fn connect(socket: &Path) -> Result<Option<Self>, Failure> {
        let connected = Place::of(socket).and_then(|place| UnixStream::connect(place.name()));
        match connected {
            Ok(stream) => Ok(Some(Self {
                socket: socket.to_owned(),
                stream: Mutex::new(BufReader::new(stream)),
            })),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(Failure::new(
                Kind::Home,
                "SOCKET_UNUSABLE",
                format!("`{}` can't be reached: {error}", socket.display()),
                "Use the home as the user who owns it.",
            )),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The server's [`Failure`], or one that says that the server went away.
    pub fn request(&self, request: &Request) -> Result<Reply, Failure> {
        // A line is read and written whole or the connection is of no use: nothing to repair.
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        match exchange(&mut stream, request).map_err(|error| self.lost(&error))? {
            Response::Reply(reply) => Ok(reply),
            Response::Error(failure) => Err(failure),
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        Failure::new(
            Kind::Home,
            "SERVER_LOST",
            format!("the process that serves `{}` did not answer: {error}", self.socket.display()),
            "Look whether `crossvault up` still runs; then ask again. With the same `--token` nothing is done twice.",
        )
    }
}

fn exchange(stream: &mut BufReader<UnixStream>, request: &Request) -> io::Result<Response> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.get_mut().write_all(&line)?;
    line.clear();
    stream.take(RESPONSE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}
