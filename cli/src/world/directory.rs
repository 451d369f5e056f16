//! `crossvault world directory`

use clap::{Args, Subcommand};
use crossvault_core::ids::AccountId;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{Answer, Command, Deed, Directory, Joined, World};
use serde_json::json;

use super::{doer, place, show};
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

/// Show the directories with their members
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
            json!({ "directory": directory, "members": members })
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
    let header = ["MEMBER", "NAME", "JOINED", "SINCE (UTC)", "DELEGATED ADMINISTRATOR"];
    let mut table = console.output.table(header);
    for member in world.members_of(directory) {
        let joined = match member.joined {
            Joined::Invited => "invited",
            Joined::Created => "created",
        };
        let administers =
            if member.administers_since.is_some() { Cell::status("yes") } else { "".into() };
        table.row([
            (&member.account).into(),
            console.account_text(&member.account).into(),
            joined.into(),
            moment(member.since).into(),
            administers,
        ]);
    }
    let management = console.account_in_full(&directory.management);
    format!(
        "directory {} of management account {management}\n{}",
        directory.id,
        table.text_or("it has no member yet")
    )
}
