//! `crossvault world folders`

use clap::{Args, Subcommand};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::world::{Answer, Command, Deed, Directory, Folder, Node, World};
use serde_json::json;

use super::{directory::manager, show, show_list};
use crate::{console::Console, exit::Exit, source::AccountName};

/// Order the members of a directory into folders: 100 at most, 5 levels below Root
///
/// A folder is named by its id or by its name; `Root` is the folder above all.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault world folders create finance
  crossvault world folders create salaries --parent finance
  crossvault world folders move payroll salaries")]
pub enum Commands {
    Create(Create),
    Delete(Delete),
    List(List),
    Move(Move),
}

/// Make a folder
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world folders create finance
  crossvault world folders create salaries --parent finance")]
pub struct Create {
    /// Its name: 1 to 24 letters, digits, `_`, `.`, `-`
    name: String,
    /// The folder that it lies in; without it Root
    #[arg(long, value_name = "FOLDER")]
    parent: Option<String>,
}

/// Delete a folder in which nothing lies
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world folders delete salaries")]
pub struct Delete {
    /// The folder, by id or name
    folder: String,
}

/// List the folders of all directories
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world folders list --json")]
pub struct List {}

/// Move a member into a folder: other control policies bear on it at once
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world folders move payroll salaries
  crossvault world folders move payroll Root")]
pub struct Move {
    /// The member, by id or name
    account: AccountName,
    /// The folder, by id or name
    folder: String,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    let by = manager(console)?;
    match command {
        Commands::Create(Create { name, parent }) => {
            let parent = parent.map(|parent| folder(console, &parent)).transpose()?;
            let deed = Deed::CreateFolder { parent, name: name.clone() };
            let answer = console.act(Command { by, deed })?;
            show(console, &answer, || {
                let id = if let Answer::Folder(id) = &answer { id } else { "" };
                format!("folder {name} ({id}) is made")
            })
        }
        Commands::Delete(Delete { folder: name }) => {
            let deed = Deed::DeleteFolder { folder: folder(console, &name)? };
            let answer = console.act(Command { by, deed })?;
            show(console, &answer, || format!("folder {name} is deleted"))
        }
        Commands::List(List {}) => list(console),
        Commands::Move(Move { account, folder: name }) => {
            let account = console.find(&account)?;
            let deed =
                Deed::MoveMember { account: account.clone(), folder: folder(console, &name)? };
            let answer = console.act(Command { by, deed })?;
            let account = console.account_in_full(&account);
            show(console, &answer, || format!("account {account} is in folder {name}"))
        }
    }
}

/// The id of a folder of the directory that is meant. What is no folder's name is taken for an id:
/// the world knows whether it is one.
pub(super) fn folder(console: &Console, name: &str) -> Result<String, Failure> {
    let Some(directory) = console.world()?.directory_of(&manager(console)?) else {
        return Ok(name.to_owned());
    };
    if name.eq_ignore_ascii_case("Root") {
        return Ok(directory.root.clone());
    }
    let world = console.world()?;
    let named: Vec<&Folder> = world.folders_of(directory).filter(|f| f.name == name).collect();
    match named.as_slice() {
        [] => Ok(name.to_owned()),
        [one] => Ok(one.id.clone()),
        several => {
            let ids: Vec<&str> = several.iter().map(|folder| folder.id.as_str()).collect();
            Err(Failure::new(
                Kind::Refused,
                "FOLDER_AMBIGUOUS",
                format!("{} folders are named `{name}`", several.len()),
                format!("Give the id of the one that is meant: {}.", ids.join(", ")),
            ))
        }
    }
}

/// Where a folder lies and its own name: `finance/salaries`.
fn names(world: &World, directory: &Directory, folder: &Folder) -> String {
    let ids = folder.path.split('/').skip(2);
    let names = ids.filter_map(|id| world.folder(directory, id)).map(|found| found.name.as_str());
    names.collect::<Vec<_>>().join("/")
}

/// The names of the control policies attached to a node.
pub(super) fn attached(world: &World, directory: &Directory, node: Node<'_>) -> String {
    let ids = node.attached().iter();
    let names = ids.filter_map(|id| Some(world.control_policy(directory, id)?.0));
    names.collect::<Vec<_>>().join(", ")
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let all: Vec<(&Directory, &Folder)> = world
        .directories()
        .flat_map(|directory| world.folders_of(directory).map(move |folder| (directory, folder)))
        .collect();
    let value: Vec<_> = all.iter().map(|(_, folder)| json!(folder)).collect();
    show_list(console, "world-folders", value, || {
        let mut table = console.output.table(["FOLDER", "ID", "MEMBERS", "CONTROL POLICIES"]);
        for (directory, folder) in &all {
            let here = |path: &str| path.rsplit_once('/').is_some_and(|(at, _)| at == folder.path);
            let members = world.members_of(directory).filter(|member| here(&member.path)).count();
            table.row([
                names(world, directory, folder).into(),
                (&folder.id).into(),
                members.into(),
                attached(world, directory, Node::Folder(folder)).into(),
            ]);
        }
        table.text_or(
            "there is no folder below Root: make one with `crossvault world folders create`",
        )
    })
}
