//! A process that serves a home, and whoever asks it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command as Program, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crossvault_core::ids::{AccountId, JobId, Token};
use crossvault_embedded::{
    home::socket_in,
    socket::{Client, Failure, Reply, Request},
};
use crossvault_handlers::api::{Answer, Command, JobView};

use crate::crossvault::BACKUP;

/// How long anything may take that a test waits for.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A `crossvault up` on a home.
pub struct Server {
    child: Child,
    home: PathBuf,
    ready: mpsc::Receiver<()>,
}

impl Server {
    /// Starts the process and does not wait for it. What it logs is added to the file `up.log`
    /// beside the home.
    pub fn start(home: &Path) -> Self {
        let log = home.with_file_name("up.log");
        let log = File::options().append(true).create(true).open(log).unwrap();
        let mut program = Program::new(env!("CARGO_BIN_EXE_crossvault"));
        program.args(["up", "--json"]).env("CROSSVAULT_HOME", home).env_remove("CROSSVAULT_LOG");
        program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, ready) = mpsc::channel();
        thread::spawn(move || {
            if lines.next().is_some_and(|line| line.is_ok()) {
                // Nobody may listen any more.
                let _ = tell.send(());
            }
        });
        Self { child, home: home.to_owned(), ready }
    }

    /// Starts the process and waits until it answers.
    #[track_caller]
    pub fn ready(home: &Path) -> Self {
        let mut server = Self::start(home);
        let ready = server.ready.recv_timeout(PATIENCE);
        assert!(ready.is_ok(), "`up` did not get ready: {:?}", server.child.try_wait());
        server
    }

    /// Whether it gets ready within this time.
    pub fn is_ready_within(&self, time: Duration) -> bool {
        self.ready.recv_timeout(time).is_ok()
    }

    /// Somebody who asks it.
    #[track_caller]
    pub fn asker(&self) -> Asker {
        Asker { client: Client::connect(&socket_in(&self.home)).unwrap().unwrap() }
    }

    /// Ends it without a warning. It must have been alive.
    #[track_caller]
    pub fn kill(mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "`up` ended by itself: see `up.log`");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits until it has.
    #[track_caller]
    pub fn stop(mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "`up` ended by itself: see `up.log`");
        let id = self.child.id().to_string();
        assert!(Program::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who asks a server as the backup management account.
pub struct Asker {
    client: Client,
}

impl Asker {
    /// Asks under a token.
    pub fn ask(&self, token: &Token, command: Command) -> Result<Answer, Failure> {
        let caller: AccountId = BACKUP.parse().unwrap();
        let token = token.clone();
        match self.client.request(&Request::Ask { caller, token, command: Box::new(command) })? {
            Reply::Answer(answer) => Ok(answer),
            other => panic!("{other:?}"),
        }
    }

    /// Looks at something: what changes nothing needs no token of its own.
    pub fn look(&self, command: Command) -> Result<Answer, Failure> {
        self.ask(&"look".parse().unwrap(), command)
    }

    /// A job as it is now.
    pub fn job(&self, id: &JobId) -> Result<JobView, Failure> {
        match self.look(Command::ShowJob { job: id.clone() })? {
            Answer::Job(job) => Ok(*job),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a job's end.
    #[track_caller]
    pub fn ended(&self, id: &JobId) -> JobView {
        self.job_when(id, |job| job.ended)
    }

    /// Waits until a job is so.
    #[track_caller]
    pub fn job_when(&self, id: &JobId, is_so: impl Fn(&JobView) -> bool) -> JobView {
        let begun = Instant::now();
        loop {
            let job = self.job(id).unwrap();
            if is_so(&job) {
                return job;
            }
            assert!(begun.elapsed() < PATIENCE, "{job:?}");
            pause(Duration::from_millis(20));
        }
    }
}

/// Waits on a channel that nobody sends to.
pub fn pause(time: Duration) {
    let (_never, nothing) = mpsc::channel::<()>();
    let _timeout = nothing.recv_timeout(time);
}
