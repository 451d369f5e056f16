//! `crossvault points`

use std::io::{self, IsTerminal, Write};

use clap::{Args, Subcommand};
use crossvault_core::{ids::PointId, schedule::retention::Expiry, vault::RecoveryPoint};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_handlers::{
    api::{Answer, Command},
    ports::BrowsedEntry,
};

use crate::{
    console::Console,
    exit::Exit,
    job,
    output::{Cell, moment},
    platform::unexpected,
    source::SourceName,
};

/// List, browse and delete recovery points
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault --account payroll points list
  crossvault points browse s-0123456789abcdef0123 etc
  crossvault points delete s-0123456789abcdef0123 --yes")]
pub enum Commands {
    List(List),
    Browse(Browse),
    Delete(Delete),
}

/// List recovery points, newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault points list
  crossvault --account payroll points list --source ecs-files/web-1 --json
  crossvault points list --vault main")]
pub struct List {
    /// Only of this source
    #[arg(long, value_name = "SOURCE")]
    source: Option<SourceName>,

    /// Only in this vault (name or id)
    #[arg(long, value_name = "VAULT")]
    vault: Option<String>,
}

/// List one folder of a recovery point
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault points browse s-0123456789abcdef0123
  crossvault points browse s-0123456789abcdef0123 etc/app")]
pub struct Browse {
    /// The recovery point
    point: PointId,

    /// The folder, relative to the root; without it the root
    #[arg(default_value = "", hide_default_value = true)]
    path: String,
}

/// Delete a recovery point before its time; its data can't be had back
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault points delete s-0123456789abcdef0123 --yes")]
pub struct Delete {
    /// The recovery point
    point: PointId,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// Do not wait for the job to end
    #[arg(long)]
    detach: bool,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::List(arguments) => list(console, arguments),
        Commands::Browse(arguments) => browse(console, arguments),
        Commands::Delete(arguments) => delete(console, arguments),
    }
}

fn list(console: &Console, arguments: List) -> Result<Exit, Failure> {
    let List { source, vault } = arguments;
    let source = source.map(|name| console.source(&name)).transpose()?;
    let account = console.account().cloned();
    let answer = console.ask(Command::ListPoints { source, account, vault })?;
    let Answer::Points(points) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || table(console, points))?;
    Ok(Exit::Done)
}

fn table(console: &Console, points: &[RecoveryPoint]) -> String {
    let header =
        ["POINT", "TAKEN (UTC)", "STATUS", "SOURCE", "FILES", "CONTENT", "ADDED", "EXPIRES (UTC)"];
    let mut table = console.output.table(header).spare(["ADDED", "FILES", "CONTENT"]);
    for point in points {
        table.row([
            (&point.id).into(),
            moment(point.taken).into(),
            Cell::status(point.status()),
            console.source_text(&point.source).into(),
            point.files.into(),
            point.bytes.into(),
            point.added.into(),
            expiry(point.expires).into(),
        ]);
    }
    table.text_or("there is no recovery point here yet: make one with `crossvault backup run`")
}

fn expiry(expires: Expiry) -> String {
    match expires {
        Expiry::At(at) => moment(at),
        Expiry::Never => "never".to_owned(),
    }
}

fn browse(console: &Console, arguments: Browse) -> Result<Exit, Failure> {
    let Browse { point, path } = arguments;
    let answer = console.ask(Command::BrowsePoint { point, path })?;
    let Answer::Entries(entries) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let mut table = console.output.table(["NAME", "KIND", "SIZE", "MODIFIED (UTC)"]);
        for BrowsedEntry { name, kind, size, modified } in entries {
            let size = if kind == "file" { size.to_string() } else { String::new() };
            let modified = modified.map(moment).unwrap_or_default();
            table.row([name.into(), kind.into(), size.into(), modified.into()]);
        }
        table.text_or("the folder is empty")
    })?;
    Ok(Exit::Done)
}

fn delete(console: &Console, arguments: Delete) -> Result<Exit, Failure> {
    let Delete { point, yes, detach } = arguments;
    if !yes {
        confirm(&format!("Delete recovery point {point}? Its data can't be had back."))?;
    }
    let answer = console.change(Command::DeletePoint { point })?;
    job::follow(console, &answer, detach)
}

/// Asks a person at a terminal.
fn confirm(question: &str) -> Result<(), Failure> {
    let mut answer = String::new();
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        let asked = write!(io::stderr(), "{question} [y/N] ");
        // What can't be asked or read is no yes.
        let _ = asked.and_then(|()| io::stdin().read_line(&mut answer));
    }
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        "CONFIRMATION_NEEDED",
        "nothing was deleted: nobody said yes",
        "Say it with `--yes`.",
    ))
}
