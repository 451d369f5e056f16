//! `crossvault world policies`: permission policies that accounts write themselves.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{CustomPolicy, Deed, Refusal, VersionId};
use serde_json::json;

use super::{act_in_place, place, show, show_list};
use crate::{
    console::Console,
    exit::Exit,
    input::read_text,
    output::{Cell, printable},
};

/// Write, list and delete the permission policies of the account that is switched to
///
/// These are RAM policies, which say what a role may do; backup policies are `crossvault policies`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault --account payroll world policies put backup-only --document policy.json
  crossvault --account payroll world policies versions backup-only
  crossvault --account payroll world policies set-default backup-only v1
  crossvault world policies list")]
pub enum Commands {
    Put(Put),
    PutVersion(PutVersion),
    Versions(Versions),
    SetDefault(SetDefault),
    DeleteVersion(DeleteVersion),
    List(List),
    Delete(Delete),
}

/// Write a permission policy, or a new version of it that counts at once
///
/// A policy has 5 versions at most: a further one takes the place of the oldest that does not count.
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

/// Write a further version of a permission policy; without `--default` it does not count yet
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world policies put-version backup-only --document policy.json"
)]
pub struct PutVersion {
    /// The policy
    name: String,
    /// A file with what the version says as JSON; `-` for standard input
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
    /// Let it count from now on
    #[arg(long)]
    default: bool,
}

/// List the versions of a permission policy
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world policies versions backup-only"
)]
pub struct Versions {
    /// The policy
    name: String,
}

/// Let another version of a permission policy count
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world policies set-default backup-only v1"
)]
pub struct SetDefault {
    /// The policy
    name: String,
    /// The version, such as `v1`
    version: VersionId,
}

/// Delete a version of a permission policy that does not count
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world policies delete-version backup-only v1"
)]
pub struct DeleteVersion {
    /// The policy
    name: String,
    /// The version, such as `v1`
    version: VersionId,
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
            let deed = Deed::PutPolicy { name: name.clone(), document: read_text(file)? };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("policy {} is written", printable(name)))
        }
        Commands::PutVersion(PutVersion { name, document: file, default }) => {
            let (policy, document) = (name.clone(), read_text(file)?);
            let deed = Deed::PutPolicyVersion { name: policy, document, set_as_default: *default };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("policy {} has a further version", printable(name)))
        }
        Commands::Versions(Versions { name }) => versions(console, name),
        Commands::SetDefault(SetDefault { name, version }) => {
            let deed = Deed::SetDefaultPolicyVersion { name: name.clone(), version: *version };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("{version} of policy {} counts", printable(name)))
        }
        Commands::DeleteVersion(DeleteVersion { name, version }) => {
            let deed = Deed::DeletePolicyVersion { name: name.clone(), version: *version };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("{version} of policy {} is deleted", printable(name)))
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
        let mut table = console.output.table(["ACCOUNT", "POLICY", "VERSION", "STATEMENTS"]);
        for policy in &policies {
            let statements = policy.document.statements().len();
            let account = console.account_text(&policy.account);
            let version = policy.default.to_string().into();
            table.row([account.into(), (&policy.name).into(), version, statements.into()]);
        }
        table.text_or("no account here wrote a policy")
    })
}

fn versions(console: &Console, name: &str) -> Result<Exit, Failure> {
    let policy = console
        .world()?
        .custom_policy(&place(console), name)
        .ok_or_else(|| Refusal::PolicyUnknown(name.to_owned()))?;
    let versions = policy.versions();
    let value: Vec<_> = versions
        .iter()
        .map(|(version, document)| {
            json!({
                "version": version, "default": *version == policy.default,
                "document": document.text(),
            })
        })
        .collect();
    show_list(console, "world-policy-versions", value, || {
        let mut table = console.output.table(["VERSION", "STATEMENTS", "COUNTS"]);
        for (version, document) in &versions {
            let counts = if *version == policy.default { Cell::status("yes") } else { "".into() };
            let statements = document.statements().len();
            table.row([version.to_string().into(), statements.into(), counts]);
        }
        table.text()
    })
}
