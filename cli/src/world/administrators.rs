//! `crossvault world administrators`

use clap::{Args, Subcommand};
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{Command, Deed};

use super::{directory::manager, show, show_list};
use crate::{console::Console, exit::Exit, output::moment, source::AccountName};

/// Make members delegated administrators of Cloud Backup: three at most
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault world administrators add backup
  crossvault world administrators list")]
pub enum Commands {
    Add(Add),
    Remove(Remove),
    List(List),
}

/// Make a member of the directory a delegated administrator of Cloud Backup
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world administrators add backup")]
pub struct Add {
    /// The member, by id or name
    account: AccountName,
}

/// End that
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world administrators remove backup")]
pub struct Remove {
    /// The member, by id or name
    account: AccountName,
}

/// List the delegated administrators of Cloud Backup
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world administrators list --json")]
pub struct List {}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Add(Add { account }) => {
            let account = console.find(&account)?;
            let by = manager(console)?;
            let deed = Deed::RegisterAdministrator { account: account.clone() };
            let answer = console.act(Command { by, deed })?;
            let account = console.account_in_full(&account);
            show(console, &answer, || {
                format!("account {account} is a delegated administrator of Cloud Backup")
            })
        }
        Commands::Remove(Remove { account }) => {
            let account = console.find(&account)?;
            let by = manager(console)?;
            let deed = Deed::DeregisterAdministrator { account: account.clone() };
            let answer = console.act(Command { by, deed })?;
            let account = console.account_in_full(&account);
            show(console, &answer, || {
                format!("account {account} is no longer a delegated administrator")
            })
        }
        Commands::List(List {}) => list(console),
    }
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let all: Vec<_> = world
        .directories()
        .flat_map(|directory| world.members_of(directory))
        .filter_map(|member| Some((member, member.administers_since?)))
        .collect();
    let value: Vec<_> = all.iter().map(|(member, _)| serde_json::json!(member)).collect();
    show_list(console, "world-administrators", value, || {
        let mut table = console.output.table(["ACCOUNT", "NAME", "DIRECTORY OF", "SINCE (UTC)"]);
        for (member, since) in &all {
            table.row([
                (&member.account).into(),
                console.account_text(&member.account).into(),
                console.account_text(&member.management).into(),
                moment(*since).into(),
            ]);
        }
        table.text_or("there is no delegated administrator")
    })
}
