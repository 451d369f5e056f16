use std::{
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    thread,
};

use crossvault_core::ids::AccountId;
use crossvault_handlers::api::{Answer, Command};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;

/// A server in a thread of its own that answers what `answer` says.
struct Served {
    socket: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    _folder: TempDir,
}

impl Served {
    fn new() -> Self {
        Self::below("")
    }

    fn below(path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join(path);
        std::fs::create_dir_all(&home).unwrap();
        let socket = home.join("api.sock");
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let place = socket.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = Listener::bind(&place).unwrap();
                ready.send(()).unwrap();
                serve(listener, |request: Request| async move { answer(&request) }, async {
                    let _ = stopped.await;
                })
                .await;
            });
        });
        is_ready.recv().unwrap();
        Self { socket, stop: Some(stop), thread: Some(thread), _folder: folder }
    }

    fn client(&self) -> Client {
        Client::connect(&self.socket).unwrap().unwrap()
    }

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

fn answer(request: &Request) -> Result<Reply, Failure> {
    match request {
        Request::Ask { .. } => Ok(Reply::Answer(Answer::Vaults(vec![]))),
        Request::ExportKey { .. } => Ok(Reply::Key("secret".to_owned().into())),
        Request::World(_)
        | Request::View
        | Request::Settings
        | Request::Alerts { .. }
        | Request::Event { .. }
        | Request::CheckVault { .. } => Err(Failure::new(Kind::Refused, "NO", "no", "Stop.")),
    }
}

fn account() -> AccountId {
    "1000000000000001".parse().unwrap()
}

fn ask() -> Request {
    Request::Ask {
        caller: account(),
        token: "t".parse().unwrap(),
        command: Box::new(Command::ListVaults),
    }
}

/// Sends lines as they are and returns the answers' lines.
fn raw(socket: &Path, sent: &[&[u8]]) -> Vec<String> {
    let mut stream = UnixStream::connect(socket).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut lines = vec![];
    for line in sent {
        stream.write_all(line).unwrap();
        stream.write_all(b"\n").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        lines.push(answer);
    }
    lines
}

#[test]
fn a_request_is_answered_and_a_failure_arrives_whole() {
    let served = Served::new();
    let client = served.client();
    assert_eq!(client.request(&ask()), Ok(Reply::Answer(Answer::Vaults(vec![]))));
    let no = Failure::new(Kind::Refused, "NO", "no", "Stop.");
    assert_eq!(client.request(&Request::View), Err(no));
    let token = "export".parse().unwrap();
    let key = Request::ExportKey { caller: account(), token, vault: "main".to_owned() };
    let Ok(Reply::Key(key)) = client.request(&key) else { panic!("no key") };
    assert_eq!(key.reveal(), "secret");
    assert!(!format!("{key:?}").contains("secret"));
}

#[test]
fn only_the_owner_can_open_the_socket() {
    let served = Served::new();
    let mode = std::fs::metadata(&served.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing of its making is left.
    let names = std::fs::read_dir(served.socket.parent().unwrap()).unwrap().count();
    assert_eq!(names, 1);
}

#[test]
fn a_line_that_is_no_request_is_answered_and_the_connection_goes_on() {
    let served = Served::new();
    let long = vec![b'x'; REQUEST_BYTES_MAX + 1];
    let asked = serde_json::to_vec(&ask()).unwrap();
    let lines = raw(
        &served.socket,
        &[b"", b"nonsense", b"{\"ask\":{\"caller\":\"1\"}}", b"\xff\xfe", &long, &asked],
    );
    for line in &lines[..4] {
        assert!(line.contains("REQUEST_MALFORMED"), "{line}");
    }
    assert!(lines[4].contains("REQUEST_TOO_LONG"), "{}", lines[4]);
    assert!(lines[5].starts_with("{\"reply\":{\"answer\":"), "{}", lines[5]);
}

#[test]
fn a_request_of_the_longest_length_is_read() {
    let served = Served::new();
    let mut line = serde_json::to_vec(&ask()).unwrap();
    line.resize(REQUEST_BYTES_MAX, b' ');
    assert!(raw(&served.socket, &[&line])[0].starts_with("{\"reply\""));
}

#[test]
fn nobody_listens_where_no_server_is() {
    let mut served = Served::new();
    let client = served.client();
    served.stop();
    assert!(!served.socket.exists());
    assert!(Client::connect(&served.socket).unwrap().is_none());
    let lost = client.request(&Request::View).unwrap_err();
    assert_eq!((lost.kind, lost.code.as_str()), (Kind::Home, "SERVER_LOST"));
}

#[test]
fn a_socket_that_a_dead_server_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("api.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(Client::connect(&socket).unwrap().is_none());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let listener = Listener::bind(&socket).unwrap();
    assert!(Client::connect(&socket).unwrap().is_some());
    drop(listener);
}

#[test]
fn a_home_deeper_than_a_sockets_name_may_be_long_is_served() {
    let served = Served::below(&"deep/".repeat(60));
    assert!(served.socket.as_os_str().len() > 300);
    assert!(served.client().request(&ask()).is_ok());
}
