//! `crossvault policies`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use crossvault_core::{backup_policy::BackupPolicy, ids::VaultId};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_handlers::api::{Answer, Command, PolicySpec, RetentionSpec};

use crate::{
    console::Console,
    exit::Exit,
    output::printable,
    platform::unexpected,
    schedule::{Keep, When, retention_text, spec_of},
};

/// Make, change, list and delete policies: schedule and retention rules for many sources
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault policies create nightly --vault main --daily 02:00 --zone Asia/Shanghai --keep 30d
  crossvault policies update nightly --keep-monthly 1y
  crossvault policies list")]
pub enum Commands {
    Create(Create),
    Update(Update),
    List(List),
    Delete(Delete),
}

/// Make a policy
///
/// A slot is a due time of the schedule. One that passes while nothing runs is not made up for,
/// and one whose predecessor still runs is skipped: `crossvault bindings slots` shows what each
/// became.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault policies create nightly --vault main --daily 02:00 --zone Asia/Shanghai --keep 30d
  crossvault policies create hourly --vault main --every 1h --keep 7d --keep-daily 30d --keep-latest
  crossvault policies create weekdays --vault main --cron '0 0 2 ? * MON-FRI' --start 2026-01-31T00:00:00Z")]
pub struct Create {
    /// Its name: 2 to 128 characters, starting with a letter
    name: String,

    /// The vault (name or id) that it backs up to
    #[arg(long, value_name = "VAULT")]
    vault: String,

    /// The time zone of its schedule and of its days, weeks, months and years
    #[arg(long, value_name = "ZONE", default_value = "UTC", help_heading = "Schedule")]
    zone: String,

    #[command(flatten)]
    when: When,

    #[command(flatten)]
    keep: Keep,
}

/// Change a policy for all its bindings; what is left out stays
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault policies update nightly --daily 03:30
  crossvault policies update nightly --keep 60d --keep-yearly none")]
pub struct Update {
    /// The policy, by name or id
    policy: String,

    /// The time zone of its schedule and of its days, weeks, months and years
    #[arg(long, value_name = "ZONE", help_heading = "Schedule")]
    zone: Option<String>,

    #[command(flatten)]
    when: When,

    #[command(flatten)]
    keep: Keep,
}

/// List the policies
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault policies list --json")]
pub struct List {}

/// Delete a policy and unbind it from all its sources; recovery points stay
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault policies delete nightly")]
pub struct Delete {
    /// The policy, by name or id
    policy: String,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Create(arguments) => create(console, arguments),
        Commands::Update(arguments) => update(console, arguments),
        Commands::List(List {}) => list(console),
        Commands::Delete(arguments) => delete(console, &arguments),
    }
}

fn create(console: &Console, arguments: Create) -> Result<Exit, Failure> {
    let Create { name, vault, zone, when, keep } = arguments;
    let schedule = when.text().ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "SCHEDULE_NEEDED",
            "a policy needs a schedule",
            "Give one with `--every 1d`, `--daily 02:00`, `--cron '0 0 2 ? * *'` or `--schedule`.",
        )
    })?;
    let retention = keep.over(&RetentionSpec::default()).unwrap_or_default();
    let answer = console.change(Command::CreatePolicy(PolicySpec {
        name,
        vault,
        schedule,
        zone,
        retention,
    }))?;
    show(console, &answer, "made")
}

fn update(console: &Console, arguments: Update) -> Result<Exit, Failure> {
    let Update { policy, zone, when, keep } = arguments;
    let schedule = when.text();
    let before = match keep.over(&RetentionSpec::default()) {
        Some(_) => find(console, &policy)?.map(|found| spec_of(&found.retention)),
        None => None,
    };
    let retention = keep.over(&before.unwrap_or_default());
    if schedule.is_none() && zone.is_none() && retention.is_none() {
        return Err(Failure::new(
            Kind::Usage,
            "CHANGE_NEEDED",
            "nothing was said that should change",
            "Give a schedule, a `--zone` or retention rules such as `--keep 60d`.",
        ));
    }
    let answer = console.change(Command::UpdatePolicy { policy, schedule, zone, retention })?;
    show(console, &answer, "changed")
}

/// The policy of that name or id; none leaves it to the API to say so.
fn find(console: &Console, policy: &str) -> Result<Option<BackupPolicy>, Failure> {
    let answer = console.ask(Command::ListPolicies)?;
    let Answer::Policies(policies) = answer else { return Err(unexpected(&answer)) };
    let is_meant = |found: &BackupPolicy| found.name == policy || found.id.as_str() == policy;
    Ok(policies.into_iter().find(is_meant))
}

fn show(console: &Console, answer: &Answer, done: &str) -> Result<Exit, Failure> {
    let Answer::Policy(policy) = answer else { return Err(unexpected(answer)) };
    console.output.answer(answer, || {
        let BackupPolicy { id, name, schedule, retention, .. } = policy;
        format!(
            "policy {} is {done} ({id})\n  schedule   {}\n  retention  {}",
            printable(name),
            schedule.describe(),
            retention_text(retention)
        )
    })?;
    Ok(Exit::Done)
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let answer = console.ask(Command::ListPolicies)?;
    let Answer::Policies(policies) = &answer else { return Err(unexpected(&answer)) };
    let vaults = if console.output.is_json { BTreeMap::new() } else { vault_names(console)? };
    console.output.answer(&answer, || {
        let mut table = console
            .output
            .table(["NAME", "VAULT", "SCHEDULE", "KEEPS", "VERSION", "ID"])
            .spare(["ID", "VERSION"]);
        for policy in policies {
            let vault = vaults.get(&policy.vault).cloned();
            table.row([
                (&policy.name).into(),
                vault.unwrap_or_else(|| policy.vault.to_string()).into(),
                policy.schedule.describe().into(),
                retention_text(&policy.retention).into(),
                policy.version.into(),
                (&policy.id).into(),
            ]);
        }
        table.text_or("there is no policy yet: make one with `crossvault policies create`")
    })?;
    Ok(Exit::Done)
}

/// The vaults' names by their ids.
fn vault_names(console: &Console) -> Result<BTreeMap<VaultId, String>, Failure> {
    let answer = console.ask(Command::ListVaults)?;
    let Answer::Vaults(vaults) = answer else { return Err(unexpected(&answer)) };
    Ok(vaults.into_iter().map(|view| (view.vault.id, view.vault.name)).collect())
}

fn delete(console: &Console, arguments: &Delete) -> Result<Exit, Failure> {
    let policy = &arguments.policy;
    let answer = console.change(Command::DeletePolicy { policy: policy.clone() })?;
    console.output.answer(&answer, || {
        format!("policy {} is deleted; the recovery points stay", printable(policy))
    })?;
    Ok(Exit::Done)
}
