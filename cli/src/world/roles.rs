//! `crossvault world roles`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use crossvault_core::{
    ids::{RoleArn, RoleName},
    policy::{ServiceRole, system_policy_names, trust_policy_for},
};
use crossvault_embedded::socket::Failure;
use crossvault_simulator::world::{Answer, Command, Deed, Role};
use serde_json::json;

use super::{act_in_place, doer, place, show, show_list};
use crate::{console::Console, exit::Exit, input::read_text};

/// Make, change and delete RAM roles and service-linked roles of the account that is switched to
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault world roles service-create cross-account-backup
  crossvault --account payroll world roles create hbrcrossrole --attach AliyunHBRRolePolicy
  crossvault --account payroll world roles delete hbrcrossrole --detach
  crossvault world roles list")]
pub enum Commands {
    Create(Create),
    Delete(Delete),
    List(List),
    Trust(Trust),
    Attach(Attach),
    Detach(Detach),
    ServiceCreate(ServiceCreate),
    ServiceDelete(ServiceDelete),
}

/// Make a RAM role
///
/// Without `--trust` it trusts the service-linked role
/// `AliyunServiceRoleForHbrCrossAccountBackup` of the backup management account, which must exist: `crossvault world roles service-create
/// cross-account-backup`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault --account payroll world roles create hbrcrossrole --attach AliyunHBRRolePolicy
  crossvault --account payroll world roles create other --trust trust.json --max-session-s 7200")]
pub struct Create {
    /// Its name
    name: RoleName,
    /// A file with its trust policy; `-` for standard input
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Attach this policy, the cloud's or the account's own; may be given several times
    #[arg(long, value_name = "POLICY")]
    attach: Vec<String>,
    /// The longest session in seconds, 3600 to 43200
    #[arg(long, value_name = "SECONDS")]
    max_session_s: Option<u32>,
}

/// Delete a RAM role; its sessions end at once
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world roles delete hbrcrossrole --detach"
)]
pub struct Delete {
    /// The role
    name: RoleName,
    /// Detach its policies first
    #[arg(long)]
    detach: bool,
}

/// List roles with what is attached to them and whom they trust
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world roles list
  crossvault --account payroll world roles list --json")]
pub struct List {}

/// Replace the trust policy of a role; sessions that live go on
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault --account payroll world roles trust hbrcrossrole
  crossvault --account payroll world roles trust hbrcrossrole --document trust.json")]
pub struct Trust {
    /// The role
    name: RoleName,
    /// A file with the trust policy, `-` for standard input; without it the backup management
    /// account's service-linked role is trusted
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

/// Attach a policy to a role
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world roles attach hbrcrossrole AliyunHBRRolePolicy"
)]
pub struct Attach {
    /// The role
    role: RoleName,
    /// The cloud's policy, or one of the account's own
    policy: String,
}

/// Detach a policy from a role
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world roles detach hbrcrossrole AliyunHBRRolePolicy"
)]
pub struct Detach {
    /// The role
    role: RoleName,
    /// The policy
    policy: String,
}

/// Make a service-linked role
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault world roles service-create cross-account-backup
  crossvault --account payroll world roles service-create directory")]
pub struct ServiceCreate {
    /// Which
    role: ServiceRoleName,
}

/// Delete a service-linked role
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll world roles service-delete directory"
)]
pub struct ServiceDelete {
    /// Which
    role: ServiceRoleName,
}

/// A service-linked role of Cloud Backup.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ServiceRoleName {
    /// `AliyunServiceRoleForHbrRd`, in a resource account: the way through the directory
    #[value(alias = "AliyunServiceRoleForHbrRd")]
    Directory,
    /// `AliyunServiceRoleForHbrCrossAccountBackup`, in the backup management account: the way by RAM
    /// role
    #[value(alias = "AliyunServiceRoleForHbrCrossAccountBackup")]
    CrossAccountBackup,
}

impl From<ServiceRoleName> for ServiceRole {
    fn from(name: ServiceRoleName) -> Self {
        match name {
            ServiceRoleName::Directory => Self::HbrRd,
            ServiceRoleName::CrossAccountBackup => Self::HbrCrossAccountBackup,
        }
    }
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Create(arguments) => create(console, arguments),
        Commands::Delete(Delete { name, detach }) => delete(console, &name, detach),
        Commands::List(List {}) => list(console),
        Commands::Trust(Trust { name, document: file }) => {
            let trust = trust(console, file)?;
            let answer = act_in_place(console, Deed::UpdateTrust { name: name.clone(), trust })?;
            show(console, &answer, || format!("role {name} has another trust policy"))
        }
        Commands::Attach(Attach { role, policy }) => {
            let deed = Deed::AttachPolicy { role: role.clone(), policy: policy.clone() };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("policy {policy} is attached to role {role}"))
        }
        Commands::Detach(Detach { role, policy }) => {
            let deed = Deed::DetachPolicy { role: role.clone(), policy: policy.clone() };
            let answer = act_in_place(console, deed)?;
            show(console, &answer, || format!("policy {policy} is detached from role {role}"))
        }
        Commands::ServiceCreate(ServiceCreate { role }) => {
            let (account, role) = (place(console), ServiceRole::from(role));
            let by = doer(console, &account);
            let deed = Deed::CreateServiceRole { account, role };
            let answer = console.act(Command { by, deed })?;
            show(console, &answer, || format!("service-linked role {} is made", role.role_name()))
        }
        Commands::ServiceDelete(ServiceDelete { role }) => {
            let role = ServiceRole::from(role);
            let answer = act_in_place(console, Deed::DeleteServiceRole { role })?;
            show(console, &answer, || {
                format!("service-linked role {} is deleted", role.role_name())
            })
        }
    }
}

fn create(console: &Console, arguments: Create) -> Result<Exit, Failure> {
    let Create { name, trust: file, attach, max_session_s } = arguments;
    let trust = trust(console, file)?;
    let deed = Deed::CreateRole { name: name.clone(), trust, max_session_s };
    let answer = act_in_place(console, deed)?;
    for policy in attach {
        act_in_place(console, Deed::AttachPolicy { role: name.clone(), policy })?;
    }
    show(console, &answer, || {
        let role =
            if let Answer::Role(role) = &answer { role.to_string() } else { name.to_string() };
        format!("role {role} is made")
    })
}

/// The trust policy of a file, or the one that lets the backup management account in.
fn trust(console: &Console, file: Option<PathBuf>) -> Result<String, Failure> {
    match file {
        Some(file) => read_text(&file),
        None => Ok(trust_policy_for(console.management())),
    }
}

fn delete(console: &Console, name: &RoleName, detach: bool) -> Result<Exit, Failure> {
    if detach {
        let role = RoleArn { account: place(console), name: name.clone() };
        let attached = console.world()?.find_role(&role).map(|role| role.attached.clone());
        for policy in attached.unwrap_or_default() {
            act_in_place(console, Deed::DetachPolicy { role: name.clone(), policy })?;
        }
    }
    let answer = act_in_place(console, Deed::DeleteRole { name: name.clone() })?;
    show(console, &answer, || format!("role {name} is deleted"))
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let world = console.world()?;
    let accounts = world
        .accounts()
        .filter(|account| console.account().is_none_or(|switched| *switched == account.id));
    let roles: Vec<&Role> = accounts.flat_map(|account| world.roles_of(&account.id)).collect();
    let value: Vec<_> = roles.iter().map(|role| json!(role)).collect();
    show_list(console, "world-roles", value, || {
        let mut table = console.output.table(["ACCOUNT", "ROLE", "POLICIES", "TRUSTS"]);
        for role in &roles {
            let attached: Vec<&str> = role.attached.iter().map(String::as_str).collect();
            table.row([
                console.account_text(&role.arn.account).into(),
                (&role.arn.name).into(),
                attached.join(", ").into(),
                trusted(role).join(", ").into(),
            ]);
        }
        let known: Vec<_> = system_policy_names().collect();
        table.text_or(&format!(
            "there is no role here; the cloud's policies that one could have: {}",
            known.join(", ")
        ))
    })
}

/// Whom a role trusts.
fn trusted(role: &Role) -> Vec<String> {
    let statements = role.trust.statements().iter();
    statements.flat_map(|statement| statement.principals.named()).map(ToString::to_string).collect()
}
