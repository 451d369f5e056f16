//! `crossvault accounts remove`: backup of an account is cancelled, step by step.

use std::fmt;

use clap::{Args, ValueEnum};
use crossvault_core::{
    ids::{JobId, Region, RoleArn},
    offboarding::{Cost, Item, Plan, Restorable, RunningJobs, Step, StepState, Task},
    policy::ServiceRole,
};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, Command};

use crate::{
    console::Console,
    exit::Exit,
    output::{Cell, count, moment},
    platform::unexpected,
    source::AccountName,
};

/// Cancel backup of an account in one region; its recovery points stay and can be restored
///
/// Takes the policies off the account's sources, waits for the jobs that run there, and takes the
/// account off the list. Then the account's own administrator deletes the role by which it granted:
/// what is left is shown, with the commands. Nothing is lost when it stops in between: the same
/// command goes on, and shows how every step stands.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault accounts remove payroll --plan
  crossvault accounts remove payroll
  crossvault accounts remove payroll --running cancel")]
pub struct Remove {
    /// The resource account, by id or name
    account: AccountName,

    /// Only show the steps, how each stands, what stays and what goes on costing
    #[arg(long)]
    plan: bool,

    /// What becomes of jobs that run in the account
    #[arg(long, value_name = "HOW", value_enum, default_value_t, conflicts_with = "plan")]
    running: Running,
}

/// What becomes of jobs that run in the account.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Running {
    /// They end by themselves, and the account is removed when they have
    #[default]
    Finish,
    /// They are asked to stop, and the account is removed when they have
    Cancel,
    /// The account is removed at once; they fail with `GRANT_REMOVED`
    Abandon,
}

impl From<Running> for RunningJobs {
    fn from(running: Running) -> Self {
        match running {
            Running::Finish => Self::Finish,
            Running::Cancel => Self::Cancel,
            Running::Abandon => Self::Abandon,
        }
    }
}

/// Runs the command.
pub fn run(console: &Console, arguments: &Remove) -> Result<Exit, Failure> {
    let account = console.find(&arguments.account)?;
    let region = console.region().clone();
    let answer = if arguments.plan {
        console.ask(Command::PlanRemoval { account, region })?
    } else {
        let jobs = arguments.running.into();
        console.change(Command::RemoveAccount { account, region, jobs })?
    };
    let Answer::Removal(plan) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || text(console, plan))?;
    Ok(Exit::Done)
}

fn text(console: &Console, plan: &Plan) -> String {
    let mut parts = vec![steps(console, plan)];
    parts.extend(stays(console, plan));
    parts
        .extend(costs("Goes on costing until the recovery points are gone", &plan.goes_on_costing));
    parts.extend(costs("Costs no more", &plan.stops));
    parts.push(what_next(console, plan));
    parts.join("\n\n")
}

fn steps(console: &Console, plan: &Plan) -> String {
    let mut table = console.output.table(["STEP", "WHO", "STATE"]);
    for Step { task, who, state } in &plan.steps {
        let state = match state {
            StepState::Done => Cell::status("done"),
            StepState::Next => "next".into(),
            StepState::Later => "later".into(),
            StepState::Kept { regions } => format!("kept for {}", joined(regions)).into(),
            StepState::Unseen => "can't be seen from here".into(),
        };
        table.row([words(task).into(), who.into(), state]);
    }
    let (account, region) = (console.account_in_full(&plan.account), &plan.region);
    let head = format!("Cancelling backup of account {account} in region {region}:");
    format!("{head}\n{}", table.text())
}

/// A step in words, with what was seen.
fn words(task: &Task) -> String {
    match task {
        Task::Unbind { bindings: 0 } => "take policies off its sources".to_owned(),
        Task::Unbind { bindings } => {
            format!("take policies off its sources: {}", count(*bindings, "binding"))
        }
        Task::EndJobs { jobs } if jobs.is_empty() => "let its jobs end".to_owned(),
        Task::EndJobs { jobs } => format!("let its jobs end: {}", joined(jobs)),
        Task::UninstallClients { clients } if clients.is_empty() => {
            "uninstall its clients".to_owned()
        }
        Task::UninstallClients { clients } => format!("uninstall its clients: {}", joined(clients)),
        Task::DeleteGrant => "take it off the list".to_owned(),
        Task::DetachPolicies { role, policies } => {
            let which = match policies {
                Some(policies) if !policies.is_empty() => format!(": {}", policies.join(", ")),
                Some(_) | None => String::new(),
            };
            format!("detach the policies of role {}{which}", role.name)
        }
        Task::DeleteRole { role } => format!("delete role {}", role.name),
    }
}

fn stays(console: &Console, plan: &Plan) -> Option<String> {
    if plan.stays_restorable.is_empty() {
        return None;
    }
    let mut table = console.output.table(["SOURCE", "POINTS", "NEWEST (UTC)", "RESTORABLE TO"]);
    for Restorable { source, points, newest, to } in &plan.stays_restorable {
        let to = if to.is_empty() {
            "its own account, once that is added again".to_owned()
        } else {
            let names: Vec<String> = to.iter().map(|to| console.account_text(to)).collect();
            names.join(", ")
        };
        let newest = newest.map(moment).unwrap_or_default();
        table.row([console.source_text(source).into(), points.into(), newest.into(), to.into()]);
    }
    Some(format!("Stays restorable:\n{}", table.text()))
}

fn costs(head: &str, costs: &[Cost]) -> Option<String> {
    if costs.is_empty() {
        return None;
    }
    let line = |cost: &Cost| format!("  {} ({})", item(&cost.item), cost.payer);
    let lines: Vec<String> = costs.iter().map(line).collect();
    Some(format!("{head}:\n{}", lines.join("\n")))
}

fn item(item: &Item) -> String {
    match item {
        Item::VaultStorage { name, points, content, added, .. } => {
            let points = count(*points, "recovery point");
            format!("storage in vault {name}: {points} of {content}, which added {added}")
        }
        Item::FileClients { sources } => format!("file backup clients: {sources}"),
        Item::InstanceBackup { sources } => format!("ECS instance backup: {sources}"),
        Item::Snapshots { sources } => format!("ECS snapshots of instances: {sources}"),
        Item::DatabaseVaults { sources } => format!("database vaults for databases: {sources}"),
        Item::HanaSoftware { sources } => format!("SAP HANA backup: {sources}"),
        Item::NewData => "data that new backups would add".to_owned(),
        Item::OssRequests => "OSS requests of backups".to_owned(),
        Item::TablestoreReads => "Tablestore reads of backups".to_owned(),
    }
}

/// What to type or click next.
fn what_next(console: &Console, plan: &Plan) -> String {
    let again = || {
        let region = Shown(console.region_named());
        format!("crossvault{region} accounts remove {}", console.account_text(&plan.account))
    };
    if let Some(Step { task, .. }) = plan.next() {
        return match task {
            Task::Unbind { .. } | Task::DeleteGrant => format!("Next: {}", again()),
            Task::EndJobs { jobs } => of_jobs(jobs, &again()),
            Task::UninstallClients { .. } => format!(
                "Next: uninstall the clients in the console of Cloud Backup (deleting them would delete \
                 their recovery points), then {}",
                again()
            ),
            Task::DetachPolicies { role, .. } | Task::DeleteRole { role } => {
                of_role(console, plan, role, &again())
            }
        };
    }
    let role = plan.steps.iter().find_map(|step| match &step.task {
        Task::DeleteRole { role } if step.state == StepState::Unseen => Some(role),
        Task::DeleteRole { .. }
        | Task::Unbind { .. }
        | Task::EndJobs { .. }
        | Task::UninstallClients { .. }
        | Task::DeleteGrant
        | Task::DetachPolicies { .. } => None,
    });
    match role {
        Some(role) => {
            let unseen = "Whether the role still exists can't be seen from the backup management \
                          account: let the resource account's administrator look.";
            format!("{unseen}\n{}", of_role(console, plan, role, &again()))
        }
        None => "Nothing is left to do.".to_owned(),
    }
}

fn of_jobs(jobs: &[JobId], again: &str) -> String {
    let wait: Vec<String> =
        jobs.iter().map(|job| format!("  crossvault jobs wait {job}")).collect();
    format!(
        "Next: let the jobs end, then go on (or stop them with `--running cancel`):\n{}\n  {again}",
        wait.join("\n")
    )
}

/// What the administrator of the resource account does, in the console and in the local world.
fn of_role(console: &Console, plan: &Plan, role: &RoleArn, again: &str) -> String {
    let account = console.account_text(&plan.account);
    let (clicks, typed) = match ServiceRole::of(role) {
        Some(_) => (String::new(), "service-delete directory".to_owned()),
        None => (
            " > Permissions: detach its policies, then".to_owned(),
            format!("delete {} --detach", role.name),
        ),
    };
    format!(
        "Next, by the administrator of account {account}:\n  \
         in the RAM console: Identities > Roles > {}{clicks} > Delete Role\n  \
         in the local world: crossvault --account {account} world roles {typed}\n\
         Then see that it is gone: {again} --plan",
        role.name
    )
}

/// A region as it is typed.
struct Shown<'a>(Option<&'a Region>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(region) => write!(f, " --region {region}"),
            None => Ok(()),
        }
    }
}

fn joined<T: fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
