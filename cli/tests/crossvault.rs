//! Runs the program on homes of its own.

use std::{
    fmt,
    io::{BufRead, BufReader, Seek, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub const BACKUP: &str = "1000000000000001";
pub const HEADQUARTERS: &str = "1000000000000010";
pub const PAYROLL: &str = "1000000000000012";
pub const RESCUE: &str = "1000000000000013";
pub const PARTNER: &str = "1000000000000077";

/// What a run of the program left.
pub struct Ran {
    pub arguments: String,
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arguments, exit, stdout, stderr } = self;
        write!(f, "crossvault {arguments}\nexit {exit}\n{stdout}\n{stderr}")
    }
}

/// Runs the program without a home.
pub fn run(arguments: &[&str]) -> Ran {
    finish(command(arguments), arguments)
}

/// Runs the program without a home, with that text as standard input.
pub fn run_with(arguments: &[&str], text: &str) -> Ran {
    finish(reading(command(arguments), text), arguments)
}

/// Gives a command that text as standard input.
fn reading(mut command: Command, text: &str) -> Command {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    command.stdin(file);
    command
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossvault"));
    command.args(arguments).env_remove("CROSSVAULT_HOME").env_remove("CROSSVAULT_LOG");
    command.stdin(Stdio::null());
    command
}

fn finish(mut command: Command, arguments: &[&str]) -> Ran {
    let output = command.output().unwrap();
    Ran {
        arguments: arguments.join(" "),
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a home in it and room for sources.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A folder without a home.
    pub fn none() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A fresh home.
    pub fn new() -> Self {
        Self::none().found()
    }

    fn found(self) -> Self {
        self.ok(&["init", "--management", BACKUP, "--name", "backup"]);
        self
    }

    /// A home with a directory (headquarters; members backup, payroll and rescue; backup is a
    /// delegated administrator), an outside account, and a folder for each account's source `web`.
    pub fn peopled() -> Self {
        Self::new().people()
    }

    fn people(self) -> Self {
        let home = self;
        for (id, name) in [
            (HEADQUARTERS, "headquarters"),
            (PAYROLL, "payroll"),
            (RESCUE, "rescue"),
            (PARTNER, "partner"),
        ] {
            home.ok(&["world", "accounts", "add", id, name]);
        }
        home.ok(&["--account", "headquarters", "world", "directory", "create"]);
        for member in ["backup", "payroll", "rescue"] {
            home.ok(&["world", "directory", "add-member", member]);
        }
        home.ok(&["world", "administrators", "add", "backup"]);
        for account in ["payroll", "rescue", "partner"] {
            let path = home.source(account);
            std::fs::create_dir_all(path.join("etc")).unwrap();
            home.ok(&[
                "--account",
                account,
                "world",
                "sources",
                "add",
                "ecs-files/web",
                "--path",
                path.to_str().unwrap(),
            ]);
        }
        home
    }

    /// [`Self::peopled`], with payroll and rescue added through the directory, a vault `main`, and
    /// a file in payroll's source.
    pub fn ready() -> Self {
        Self::none().populate()
    }

    /// Makes [`Self::ready`] of [`Self::none`].
    pub fn populate(self) -> Self {
        let home = self.found().people();
        home.ok(&["accounts", "add", "payroll", "--directory"]);
        home.ok(&["accounts", "add", "rescue", "--directory"]);
        home.ok(&["vaults", "create", "main"]);
        home.write("payroll", "etc/app.conf", "secret sauce");
        home
    }

    /// The folder of the home itself.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A folder beside the home.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of an account's source `web`.
    pub fn source(&self, account: &str) -> PathBuf {
        self.folder.path().join("sources").join(account)
    }

    /// Writes a file of an account's source.
    pub fn write(&self, account: &str, path: &str, text: &str) {
        let file = self.source(account).join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// Reads a file of an account's source.
    pub fn read(&self, account: &str, path: &str) -> String {
        std::fs::read_to_string(self.source(account).join(path)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("CROSSVAULT_HOME", self.dir());
        command
    }

    /// Runs the program on the home, for people.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments), arguments)
    }

    /// Runs the program on the home, for people, with that text as standard input.
    pub fn run_with(&self, arguments: &[&str], text: &str) -> Ran {
        finish(reading(self.command(arguments), text), arguments)
    }

    /// Runs the program on the home, for programs.
    pub fn ask(&self, arguments: &[&str]) -> Ran {
        let arguments = [arguments, &["--json"]].concat();
        self.run(&arguments)
    }

    /// Runs the program, which must succeed, and returns the answer's value.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> Value {
        self.ask(arguments).exits(0).json()["value"].clone()
    }

    /// Runs the program, which must not succeed: for people and for programs alike.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str], exit: i32, code: &str) {
        let asked = self.ask(arguments).exits(exit);
        let error = &asked.json()["error"];
        assert_eq!(error["code"], code, "{asked}");
        for part in ["message", "remedy"] {
            let text = error[part].as_str().unwrap_or_default();
            assert!(text.len() > 5, "no {part}: {asked}");
        }
        let ran = self.run(arguments).exits(exit);
        assert!(ran.stdout.is_empty(), "{ran}");
        assert!(ran.stderr.contains(&format!("error[{code}]: ")), "{ran}");
        // A remedy follows on a line of its own.
        assert!(ran.stderr.lines().any(|line| line.starts_with("  ")), "{ran}");
    }

    /// Starts the program and does not wait for it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts `crossvault up` and waits until it answers.
    pub fn up(&self) -> Up {
        let mut command = self.command(&["up", "--json", "-q"]);
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("\"up\""), "{line}");
        Up { child }
    }

    /// The only recovery point's id.
    #[track_caller]
    pub fn only_point(&self) -> String {
        let points = self.ok(&["points", "list"]);
        assert_eq!(points.as_array().map(Vec::len), Some(1), "{points}");
        points[0]["id"].as_str().unwrap().to_owned()
    }
}

/// A running `crossvault up`.
pub struct Up {
    child: Child,
}

impl Up {
    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as Ctrl-C does, and returns its exit code.
    pub fn interrupt(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Ends it without a warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All files below a folder with their content.
pub fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().to_owned(), content));
            }
        }
    }
    found.sort();
    found
}
