//! `crossvault world`: the local world of accounts that this home lives in.
//!
//! On a cloud all this is the cloud's own business; on one machine somebody has to be it.

mod accounts;
mod administrators;
mod control;
mod directory;
mod folders;
mod policies;
mod roles;
mod sources;

use clap::Subcommand;
use crossvault_core::ids::AccountId;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{Answer, Command, Deed, Refusal};
use serde_json::{Value, json};

use crate::{console::Console, exit::Exit};

/// Be the cloud: accounts, resource directory, roles and sources of the local world
///
/// Each thing is done by the account that is switched to with `--account`; `--as` lets another
/// account try.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault world accounts add 1000000000000012 payroll
  crossvault --account payroll world sources add ecs-files/web-1 --path /srv/web
  crossvault --account payroll world roles create hbrcrossrole --attach AliyunHBRRolePolicy")]
pub enum Commands {
    #[command(subcommand)]
    Accounts(accounts::Commands),
    #[command(subcommand)]
    Directory(directory::Commands),
    #[command(subcommand)]
    Folders(folders::Commands),
    #[command(subcommand)]
    Control(control::Commands),
    #[command(subcommand)]
    Administrators(administrators::Commands),
    #[command(subcommand)]
    Roles(roles::Commands),
    #[command(subcommand)]
    Policies(policies::Commands),
    #[command(subcommand)]
    Sources(sources::Commands),
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Accounts(command) => accounts::run(console, command),
        Commands::Directory(command) => directory::run(console, command),
        Commands::Folders(command) => folders::run(console, command),
        Commands::Control(command) => control::run(console, command),
        Commands::Administrators(command) => administrators::run(console, command),
        Commands::Roles(command) => roles::run(console, command),
        Commands::Policies(command) => policies::run(console, &command),
        Commands::Sources(command) => sources::run(console, command),
    }
}

/// The account in which something is done: the one that is switched to, else the backup
/// management account.
fn place(console: &Console) -> AccountId {
    console.account().unwrap_or(console.management()).clone()
}

/// Who does something to what `owner` owns: `owner`, unless somebody else is to try.
fn doer(console: &Console, owner: &AccountId) -> AccountId {
    if console.has_caller() { console.caller() } else { owner }.clone()
}

/// Does something that an account can do only in itself.
fn act_in_place(console: &Console, deed: Deed) -> Result<Answer, Failure> {
    let owner = place(console);
    let by = doer(console, &owner);
    if by != owner {
        return Err(Refusal::NotOwner { by, owner }.into());
    }
    console.act(Command { by, deed })
}

/// Writes what a deed brought.
fn show(
    console: &Console,
    answer: &Answer,
    person: impl FnOnce() -> String,
) -> Result<Exit, Failure> {
    let value = match answer {
        Answer::Done => json!({ "answer": "done" }),
        Answer::Directory(id) => json!({ "answer": "directory", "value": id }),
        Answer::Folder(id) => json!({ "answer": "folder", "value": id }),
        Answer::ControlPolicy(id) => json!({ "answer": "control-policy", "value": id }),
        Answer::Role(role) => json!({ "answer": "role", "value": role }),
        Answer::Version(id) => json!({ "answer": "policy-version", "value": id }),
    };
    console.output.answer(&value, person)?;
    Ok(Exit::Done)
}

/// Writes a list.
fn show_list(
    console: &Console,
    name: &str,
    list: impl Into<Value>,
    person: impl FnOnce() -> String,
) -> Result<Exit, Failure> {
    console.output.answer(&json!({ "answer": name, "value": list.into() }), person)?;
    Ok(Exit::Done)
}
