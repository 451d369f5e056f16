//! `crossvault world sources`

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::world::{Command, Deed, Source};
use serde_json::json;

use super::{doer, show, show_list};
use crate::{
    console::Console,
    exit::Exit,
    output::{Cell, printable},
    source::SourceName,
};

/// Say which folders of this machine are the data of which sources
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault --account payroll world sources add ecs-files/web-1 --path /srv/web
  crossvault world sources list")]
pub enum Commands {
    Add(Add),
    List(List),
    Remove(Remove),
}

/// Add a source of the account that is switched to, or change it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault --account payroll world sources add ecs-files/web-1 --path /srv/web
  crossvault --account rescue world sources add nas/fs-1 --path ./rescued --create --name archive")]
pub struct Add {
    /// The source: `<type>/<id>`; types of this platform are ecs-files and nas
    source: SourceName,
    /// The folder of this machine that is its data
    #[arg(long, value_name = "DIR")]
    path: PathBuf,
    /// Make the folder if it is not there
    #[arg(long)]
    create: bool,
    /// Its display name; without it its id
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// It does not run: it exists and can't be reached
    #[arg(long)]
    stopped: bool,
}

/// List the sources of all accounts, or of the one that is switched to
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault --account payroll world sources list --json")]
pub struct List {}

/// Remove a source; its folder and its recovery points stay
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world sources remove ecs-files/web-1"
)]
pub struct Remove {
    /// The source
    source: SourceName,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Add(arguments) => add(console, arguments),
        Commands::List(List {}) => list(console),
        Commands::Remove(Remove { source }) => {
            let source = console.source(&source)?;
            let by = doer(console, &source.account);
            let deed = Deed::RemoveSource { source: source.clone() };
            let answer = console.act(Command { by, deed })?;
            show(console, &answer, || format!("source {} is removed", console.source_text(&source)))
        }
    }
}

fn add(console: &Console, arguments: Add) -> Result<Exit, Failure> {
    let Add { source, path, create, name, stopped } = arguments;
    let mut whole = source.clone();
    // A name that nobody has yet is the switched account's own.
    if whole.account.is_none() {
        whole.account = super::place(console).as_str().parse().ok();
    }
    let source = console.source(&whole)?;
    let (location, is_home_inside) = folder(&path, create, console.home())?;
    let by = doer(console, &source.account);
    let name = name.unwrap_or_else(|| source.id.to_string());
    let deed = Deed::PutSource {
        source: source.clone(),
        name,
        location: location.clone(),
        running: !stopped,
    };
    let answer = console.act(Command { by, deed })?;
    show(console, &answer, || {
        format!("source {} is `{}`", console.source_text(&source), printable(&location))
    })?;
    if is_home_inside {
        console.output.note(
            "this home lies in that folder: each backup would also read the vaults, and grow them; keep the home elsewhere with `--home`",
        );
    }
    Ok(Exit::Done)
}

/// The folder's whole name, and whether the home lies in it.
fn folder(path: &Path, create: bool, home: &Path) -> Result<(String, bool), Failure> {
    let unusable = |reason: String| {
        Failure::new(
            Kind::Refused,
            "SOURCE_FOLDER_UNUSABLE",
            format!("`{}` can't be the data of a source: {reason}", path.display()),
            "Name a folder that exists, or add `--create` to make it.",
        )
    };
    if create {
        fs::create_dir_all(path).map_err(|error| unusable(error.to_string()))?;
    }
    let whole = path.canonicalize().map_err(|error| unusable(error.to_string()))?;
    if !whole.is_dir() {
        return Err(unusable("it is no folder".to_owned()));
    }
    let is_home_inside = home.canonicalize().is_ok_and(|home| home.starts_with(&whole));
    match whole.to_str() {
        Some(text) => Ok((text.to_owned(), is_home_inside)),
        None => Err(unusable("its name is not UTF-8".to_owned())),
    }
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let is_meant = |source: &&Source| {
        console.account().is_none_or(|account| *account == source.id.account)
            && console.region_named().is_none_or(|region| *region == source.id.region)
    };
    let sources: Vec<&Source> = console.world()?.all_sources().filter(is_meant).collect();
    let value: Vec<_> = sources.iter().map(|source| json!(source)).collect();
    show_list(console, "world-sources", value, || {
        let mut table = console.output.table(["SOURCE", "NAME", "FOLDER", "RUNS"]);
        for source in &sources {
            let runs = Cell::status(if source.running { "yes" } else { "no" });
            table.row([
                console.source_text(&source.id).into(),
                (&source.name).into(),
                (&source.location).into(),
                runs,
            ]);
        }
        table.text_or("there is no source here: add one with `crossvault world sources add`")
    })
}
