//! `crossvault world policies`: permission policies that accounts write themselves.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{CustomPolicy, Deed};
use serde_json::json;

use super::{act_in_place, document, show, show_list};
use crate::{console::Console, exit::Exit, output::printable};

/// Write, list and delete the permission policies of the account that is switched to
///
/// These are RAM policies, which say what a role may do; backup policies are `crossvault policies`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault --account payroll world policies put backup-only --document policy.json
  crossvault world policies list")]
pub enum Commands {
    Put(Put),
    List(List),
    Delete(Delete),
}

/// Write a permission policy, or a new version of it
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world policies put backup-only --document policy.json"
)]
pub struct Put {
    /// Its name
    name: String,
    /// A file with the policy as JSON; `-` for standard input
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
}

/// List the permission policies that accounts wrote
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault --account payroll world policies list --json")]
pub struct List {}

/// Delete a permission policy that is attached to no role
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world policies delete backup-only"
)]
pub struct Delete {
    /// The policy
    name: String,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: &Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Put(Put { name, document: file }) => {
            let deed = Deed::PutPolicy { name: name.clone(), document: document(file)? };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("policy {} is written", printable(name)))
        }
        Commands::List(List {}) => list(console),
        Commands::Delete(Delete { name }) => {
            let answer = act_in_place(console, Deed::DeletePolicy { name: name.clone() })?;
            show(console, &answer, || format!("policy {} is deleted", printable(name)))
        }
    }
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let accounts = world
        .accounts()
        .filter(|account| console.account().is_none_or(|switched| *switched == account.id));
    let policies: Vec<&CustomPolicy> =
        accounts.flat_map(|account| world.custom_policies_of(&account.id)).collect();
    let value: Vec<_> = policies.iter().map(|policy| json!(policy)).collect();
    show_list(console, "world-policies", value, || {
        let mut table = console.output.table(["ACCOUNT", "POLICY", "STATEMENTS"]);
        for policy in &policies {
            let statements = policy.document.statements().len();
            let account = console.account_text(&policy.account);
            table.row([account.into(), (&policy.name).into(), statements.into()]);
        }
        table.text_or("no account here wrote a policy")
    })
}
