//! `crossvault world directory`

use clap::{Args, Subcommand};
use crossvault_core::ids::AccountId;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{Answer, Command, Deed, Directory, Joined, Node, World};
use serde_json::json;

use super::{doer, folders::attached, place, show};
use crate::{
    console::Console,
    exit::Exit,
    output::{Cell, moment},
    source::AccountName,
};

/// Make a resource directory, take accounts into it and out of it
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault --account headquarters world directory create
  crossvault world directory add-member payroll
  crossvault world directory show")]
pub enum Commands {
    Create(Create),
    AddMember(AddMember),
    RemoveMember(RemoveMember),
    Show(Show),
}

/// Make a resource directory whose management account is the account that is switched to
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault --account headquarters world directory create")]
pub struct Create {}

/// Take an account into the directory
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world directory add-member payroll
  crossvault --account headquarters world directory add-member payroll --created")]
pub struct AddMember {
    /// The account, by id or name; in no directory so far
    account: AccountName,
    /// It was made in the directory, and not invited into it
    #[arg(long)]
    created: bool,
}

/// Take a member out of the directory; its roles stay
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world directory remove-member payroll")]
pub struct RemoveMember {
    /// The member, by id or name
    account: AccountName,
}

/// Show the directories: the tree of folders and members, and the control policies of each
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world directory show --json")]
pub struct Show {}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Create(Create {}) => {
            let owner = place(console);
            let by = doer(console, &owner);
            let answer = console.act(Command { by: by.clone(), deed: Deed::CreateDirectory })?;
            show(console, &answer, || {
                let id = if let Answer::Directory(id) = &answer { id } else { "" };
                format!("directory {id} is made; {} manages it", console.account_in_full(&by))
            })
        }
        Commands::AddMember(AddMember { account, created }) => {
            let account = console.find(&account)?;
            let joined = if created { Joined::Created } else { Joined::Invited };
            let by = manager(console)?;
            let deed = Deed::AddMember { account: account.clone(), joined };
            let answer = console.act(Command { by, deed })?;
            let account = console.account_in_full(&account);
            show(console, &answer, || format!("account {account} is a member of the directory"))
        }
        Commands::RemoveMember(RemoveMember { account }) => {
            let account = console.find(&account)?;
            let by = manager(console)?;
            let deed = Deed::RemoveMember { account: account.clone() };
            let answer = console.act(Command { by, deed })?;
            let account = console.account_in_full(&account);
            show(console, &answer, || format!("account {account} is no longer a member"))
        }
        Commands::Show(Show {}) => show_all(console),
    }
}

/// Who manages the directory that is meant: the account that asks or is switched to; else, where
/// there is one directory only, its management account.
pub(super) fn manager(console: &Console) -> Result<AccountId, Failure> {
    if console.has_caller() {
        return Ok(console.caller().clone());
    }
    if let Some(account) = console.account() {
        return Ok(account.clone());
    }
    let mut directories = console.world()?.directories();
    Ok(match (directories.next(), directories.next()) {
        (Some(only), None) => only.management.clone(),
        // The world's refusal says what is missing.
        (None | Some(_), _) => console.management().clone(),
    })
}

fn show_all(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let directories: Vec<&Directory> = world.directories().collect();
    let value: Vec<_> = directories
        .iter()
        .map(|directory| {
            let members: Vec<_> = world.members_of(directory).collect();
            let folders: Vec<_> = world.folders_of(directory).collect();
            let control: Vec<_> = world.control_policies_of(directory).collect();
            json!({
                "directory": directory, "members": members, "folders": folders,
                "control_policies": control,
            })
        })
        .collect();
    console.output.answer(&json!({ "answer": "world-directories", "value": value }), || {
        let texts: Vec<_> =
            directories.iter().map(|directory| text(console, world, directory)).collect();
        if texts.is_empty() {
            "there is no directory: make one with `crossvault world directory create`".to_owned()
        } else {
            texts.join("\n\n")
        }
    })?;
    Ok(Exit::Done)
}

fn text(console: &Console, world: &World, directory: &Directory) -> String {
    let header =
        ["NODE", "ID", "JOINED", "SINCE (UTC)", "DELEGATED ADMINISTRATOR", "CONTROL POLICIES"];
    let mut table = console.output.table(header);
    for (depth, node) in tree(world, directory) {
        let name = format!("{}{}", "  ".repeat(depth), name(console, world, node));
        let control = attached(world, directory, node);
        let row = match node {
            Node::Root(_) | Node::Folder(_) => {
                [name.into(), node.id().into(), "".into(), "".into(), "".into(), control.into()]
            }
            Node::Member(member) => {
                let joined = match member.joined {
                    Joined::Invited => "invited",
                    Joined::Created => "created",
                };
                let is_administrator = member.administers_since.is_some();
                let administers = if is_administrator { Cell::status("yes") } else { "".into() };
                let since = moment(member.since);
                [
                    name.into(),
                    node.id().into(),
                    joined.into(),
                    since.into(),
                    administers,
                    control.into(),
                ]
            }
        };
        table.row(row);
    }
    let management = console.account_in_full(&directory.management);
    let evaluated = if directory.control_enabled { "" } else { " not" };
    format!(
        "directory {} of management account {management}; control policies are{evaluated} evaluated\n{}",
        directory.id,
        table.text()
    )
}

/// The nodes of a directory with their depth, each before what lies in it.
fn tree<'a>(world: &'a World, directory: &'a Directory) -> Vec<(usize, Node<'a>)> {
    let path = |node: &Node<'a>| -> Vec<&'a str> {
        match node {
            Node::Root(_) => vec![],
            Node::Folder(folder) => folder.path.split('/').skip(2).collect(),
            Node::Member(member) => member.path.split('/').skip(2).collect(),
        }
    };
    let mut nodes: Vec<_> = world.nodes_of(directory).map(|node| (path(&node), node)).collect();
    nodes.sort_by(|(one, _), (other, _)| one.cmp(other));
    nodes.into_iter().map(|(path, node)| (path.len(), node)).collect()
}

fn name(console: &Console, world: &World, node: Node<'_>) -> String {
    match node {
        Node::Root(_) | Node::Folder(_) => world.node_name(node).to_owned(),
        Node::Member(member) => console.account_text(&member.account),
    }
}
