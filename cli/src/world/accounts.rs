//! `crossvault world accounts`

use clap::{Args, Subcommand};
use crossvault_core::ids::AccountId;
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{Command, Deed};
use serde_json::{Value, json};

use super::{doer, show, show_list};
use crate::{console::Console, exit::Exit, output::printable, source::AccountName};

/// Open, rename and list accounts
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault world accounts add 1000000000000012 payroll
  crossvault world accounts list")]
pub enum Commands {
    Add(Add),
    Rename(Rename),
    List(List),
}

/// Open an account
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world accounts add 1000000000000012 payroll")]
pub struct Add {
    /// Its id: 12 to 16 digits
    id: AccountId,
    /// Its display name
    name: String,
}

/// Give an account another display name
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world accounts rename payroll salaries")]
pub struct Rename {
    /// The account, by id or name
    account: AccountName,
    /// The new display name
    name: String,
}

/// List all accounts of the local world
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world accounts list --json")]
pub struct List {}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Add(Add { id, name }) => {
            let deed = Deed::CreateAccount { name: name.clone() };
            let answer = console.act(Command { by: id.clone(), deed })?;
            show(console, &answer, || format!("account {} ({id}) is open", printable(&name)))
        }
        Commands::Rename(Rename { account, name }) => {
            let account = console.find(&account)?;
            let by = doer(console, &account);
            if by != account {
                let owner = account;
                return Err(crossvault_simulator::world::Refusal::NotOwner { by, owner }.into());
            }
            let answer =
                console.act(Command { by, deed: Deed::RenameAccount { name: name.clone() } })?;
            show(console, &answer, || format!("account {account} is named {}", printable(&name)))
        }
        Commands::List(List {}) => list(console),
    }
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let part = |account: &AccountId| {
        if account == console.management() {
            return "backup management account".to_owned();
        }
        match (world.directory_of(account), world.member(account)) {
            (Some(directory), None) => format!("manages directory {}", directory.id),
            (Some(directory), Some(member)) => {
                let office = if member.administers_since.is_some() {
                    ", delegated administrator"
                } else {
                    ""
                };
                format!("member of {}{office}", directory.id)
            }
            (None, _) => String::new(),
        }
    };
    let accounts: Vec<Value> = world
        .accounts()
        .map(|account| {
            json!({
                "id": account.id,
                "name": account.name,
                "directory": world.directory_of(&account.id).map(|directory| &directory.id),
                "is_member": world.member(&account.id).is_some(),
            })
        })
        .collect();
    show_list(console, "world-accounts", accounts, || {
        let mut table = console.output.table(["ACCOUNT", "NAME", "PART"]);
        for account in world.accounts() {
            table.row([(&account.id).into(), (&account.name).into(), part(&account.id).into()]);
        }
        table.text()
    })
}
