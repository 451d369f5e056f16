//! `crossvault world control`: the control policies of a directory.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{
    Answer, Command, ControlPolicy, Deed, Directory, FULL_ACCESS, FULL_ACCESS_ID, Node,
};
use serde_json::json;

use super::{directory::manager, folders, show, show_list};
use crate::{
    console::Console, exit::Exit, input::read_text, output::printable, source::AccountName,
};

/// Bound what the identities of a directory's members may do
///
/// A control policy is attached to Root, a folder or a member, and bears on all members below. On
/// each level one must allow what is done; `FullAliyunAccess`, which each node has at first, allows
/// all. Service-linked roles, root users and the management account are exempt.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault world control enable
  crossvault world control put no-commands --document policy.json
  crossvault world control attach no-commands payroll
  crossvault world control list")]
pub enum Commands {
    Enable(Enable),
    Disable(Disable),
    Put(Put),
    Delete(Delete),
    Attach(Attach),
    Detach(Detach),
    List(List),
}

/// Have control policies evaluated: each node gets `FullAliyunAccess`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world control enable")]
pub struct Enable {}

/// End that: all control policies are detached, none is deleted
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world control disable")]
pub struct Disable {}

/// Write a control policy, or write one anew
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault world control put no-commands --document policy.json"
)]
pub struct Put {
    /// Its name
    name: String,
    /// A file with the policy as JSON; `-` for standard input
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
}

/// Delete a control policy that is attached to no node
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world control delete no-commands")]
pub struct Delete {
    /// The policy, by name or id
    policy: String,
}

/// Attach a control policy to Root, a folder or a member
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world control attach no-commands payroll
  crossvault world control attach no-commands Root")]
pub struct Attach {
    /// The policy, by name or id
    policy: String,
    /// `Root`, or a folder or a member by id or name
    target: String,
}

/// Detach a control policy from a node, which must keep another
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world control detach no-commands payroll
  crossvault world control detach FullAliyunAccess finance")]
pub struct Detach {
    /// The policy, by name or id
    policy: String,
    /// `Root`, or a folder or a member by id or name
    target: String,
}

/// List the control policies of all directories, and where they are attached
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault world control list --json")]
pub struct List {}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    let by = manager(console)?;
    let act = |deed| console.act(Command { by: by.clone(), deed });
    match command {
        Commands::Enable(Enable {}) => {
            let answer = act(Deed::EnableControlPolicy)?;
            show(console, &answer, || "control policies are evaluated".to_owned())
        }
        Commands::Disable(Disable {}) => {
            let answer = act(Deed::DisableControlPolicy)?;
            show(console, &answer, || "control policies are detached and not evaluated".to_owned())
        }
        Commands::Put(Put { name, document: file }) => {
            let document = read_text(&file)?;
            let answer = act(Deed::PutControlPolicy { name: name.clone(), document })?;
            show(console, &answer, || {
                let id = if let Answer::ControlPolicy(id) = &answer { id } else { "" };
                format!("control policy {} ({id}) is written", printable(&name))
            })
        }
        Commands::Delete(Delete { policy }) => {
            let answer = act(Deed::DeleteControlPolicy { policy: policy_id(console, &policy)? })?;
            show(console, &answer, || format!("control policy {} is deleted", printable(&policy)))
        }
        Commands::Attach(Attach { policy, target }) => {
            let (id, node) = (policy_id(console, &policy)?, node(console, &target)?);
            let answer = act(Deed::AttachControlPolicy { policy: id, target: node })?;
            show(console, &answer, || format!("control policy {policy} is attached to {target}"))
        }
        Commands::Detach(Detach { policy, target }) => {
            let (id, node) = (policy_id(console, &policy)?, node(console, &target)?);
            let answer = act(Deed::DetachControlPolicy { policy: id, target: node })?;
            show(console, &answer, || format!("control policy {policy} is detached from {target}"))
        }
        Commands::List(List {}) => list(console),
    }
}

/// The id of a control policy; what is no name is taken for an id.
fn policy_id(console: &Console, name: &str) -> Result<String, Failure> {
    if name == FULL_ACCESS {
        return Ok(FULL_ACCESS_ID.to_owned());
    }
    let world = console.world()?;
    let directory = world.directory_of(&manager(console)?);
    let named = directory.and_then(|directory| {
        world.control_policies_of(directory).find(|policy| policy.name == name)
    });
    Ok(named.map_or(name, |policy| policy.id.as_str()).to_owned())
}

/// The id of a node: an account's where the name is one, else a folder's.
fn node(console: &Console, name: &str) -> Result<String, Failure> {
    let account = name.parse::<AccountName>().ok();
    match account.and_then(|account| console.find(&account).ok()) {
        Some(account) => Ok(account.to_string()),
        None => folders::folder(console, name),
    }
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let all: Vec<(&Directory, &ControlPolicy)> = world
        .directories()
        .flat_map(|directory| {
            world.control_policies_of(directory).map(move |policy| (directory, policy))
        })
        .collect();
    let targets = |directory, id: &str| -> Vec<_> {
        world.nodes_of(directory).filter(|node| node.attached().contains(id)).collect()
    };
    let value: Vec<_> = all
        .iter()
        .map(|(directory, policy)| {
            let ids: Vec<_> = targets(directory, &policy.id).into_iter().map(Node::id).collect();
            json!({ "policy": policy, "enabled": directory.control_enabled, "targets": ids })
        })
        .collect();
    show_list(console, "world-control-policies", value, || {
        let mut table = console.output.table(["POLICY", "ID", "ATTACHED TO"]);
        for (directory, policy) in &all {
            let nodes = targets(directory, &policy.id).into_iter();
            let names: Vec<&str> = nodes.map(|node| world.node_name(node)).collect();
            table.row([(&policy.name).into(), (&policy.id).into(), names.join(", ").into()]);
        }
        let rows = table.text_or("no directory here has a control policy of its own");
        if world.directories().any(|directory| directory.control_enabled) {
            rows
        } else {
            format!("{rows}\ncontrol policies are not evaluated: `crossvault world control enable`")
        }
    })
}
