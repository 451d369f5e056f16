//! `crossvault accounts`: the resource accounts that are added for backup.

mod check;
mod remove;
mod review;

use clap::{Args, Subcommand};
use crossvault_core::{
    explain::Explain,
    grant::{Grant, Method, Standing},
    ids::RoleName,
};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, Command, MemberView};

use crate::{
    console::Console,
    exit::Exit,
    output::{Cell, moment},
    platform::unexpected,
    source::AccountName,
};

/// Add, check, list and remove the resource accounts that are backed up
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault accounts add payroll --directory
  crossvault accounts add 1000000000000077 --role hbrcrossrole --alias partner --consent
  crossvault accounts check payroll
  crossvault accounts list --search pay")]
pub enum Commands {
    Add(Add),
    Check(check::Arguments),
    List(List),
    Remove(remove::Remove),
    Review(review::Arguments),
    Members(Members),
}

/// Add a resource account for backup in one region
///
/// Two ways: through the resource directory, when the backup management account is its management
/// account or a delegated administrator of Cloud Backup; or through a RAM role of the resource
/// account that trusts the backup management account's service-linked role.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault accounts add payroll --directory
  crossvault --region cn-shanghai accounts add 1000000000000077 --role hbrcrossrole --alias partner --consent")]
pub struct Add {
    /// The resource account, by id or name
    account: AccountName,

    #[command(flatten)]
    way: Way,

    /// A name that people know the account by
    #[arg(long, default_value = "", hide_default_value = true)]
    alias: String,

    /// Agree that the service-linked role
    /// `AliyunServiceRoleForHbrCrossAccountBackup` is created in the backup management account, which the
    /// way by RAM role needs the first time
    #[arg(long)]
    consent: bool,
}

/// How an account grants.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Way {
    /// Through the resource directory
    #[arg(long)]
    directory: bool,

    /// Through this RAM role of the resource account
    #[arg(long, value_name = "NAME")]
    role: Option<RoleName>,
}

/// How an account grants, if not as it was added.
#[derive(Args, Debug)]
#[group(multiple = false)]
struct OtherWay {
    /// Check the way through the resource directory
    #[arg(long)]
    directory: bool,

    /// Check the way through this RAM role of the resource account
    #[arg(long, value_name = "NAME")]
    role: Option<RoleName>,
}

/// List the accounts that are added, and whether their grants stand
///
/// A grant is looked at when it is added, when the cloud tells of a change that can touch it, and
/// once a day. What is shown is that look; `crossvault accounts check` looks now.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault accounts list
  crossvault accounts list --search partner --json")]
pub struct List {
    /// Only those whose id or alias holds this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

/// List the members of the resource directory that could be added
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault accounts members --search pay")]
pub struct Members {
    /// Only those whose id or name holds this text
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    search: String,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Add(arguments) => add(console, arguments),
        Commands::Check(arguments) => check::run(console, arguments),
        Commands::List(arguments) => list(console, arguments),
        Commands::Remove(arguments) => remove::run(console, &arguments),
        Commands::Review(arguments) => review::run(console, &arguments),
        Commands::Members(arguments) => members(console, arguments),
    }
}

fn add(console: &Console, arguments: Add) -> Result<Exit, Failure> {
    let Add { account, way, alias, consent } = arguments;
    let answer = console.change(Command::AddAccount {
        account: console.find(&account)?,
        region: console.region().clone(),
        method: way.role.map_or(Method::Directory, |name| Method::Role { name }),
        alias,
        consent,
    })?;
    let Answer::Account(grant) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let Grant { account, region, method, .. } = grant;
        let account = console.account_in_full(account);
        format!("account {account} is added in region {region}, by {method}")
    })?;
    Ok(Exit::Done)
}

fn list(console: &Console, arguments: List) -> Result<Exit, Failure> {
    let region = console.region_named().cloned();
    let mut answer = console.ask(Command::ListAccounts { region, search: arguments.search })?;
    let Answer::Accounts(grants) = &mut answer else { return Err(unexpected(&answer)) };
    if let Some(account) = console.account() {
        grants.retain(|grant| grant.account == *account);
    }
    let grants = grants.clone();
    console.output.answer(&answer, || {
        let mut table = console.output.table([
            "ACCOUNT",
            "NAME",
            "ALIAS",
            "REGION",
            "BY",
            "ADDED (UTC)",
            "STANDS",
        ]);
        for grant in &grants {
            table.row([
                (&grant.account).into(),
                console.account_text(&grant.account).into(),
                (&grant.alias).into(),
                (&grant.region).into(),
                (&grant.method).into(),
                moment(grant.added).into(),
                stands(grant),
            ]);
        }
        table.text_or("no account is added here: add one with `crossvault accounts add`")
    })?;
    Ok(Exit::Done)
}

/// Whether a grant stood when it was last looked at; if not, the code of the root of that.
fn stands(grant: &Grant) -> Cell {
    match &grant.standing {
        None => "not looked at yet".into(),
        Some(Standing { broken: None, .. }) => Cell::status("yes"),
        Some(Standing { broken: Some(causes), .. }) => Cell::bad(causes.code()),
    }
}

fn members(console: &Console, arguments: Members) -> Result<Exit, Failure> {
    let answer = console.ask(Command::SearchMembers { search: arguments.search })?;
    let Answer::Members(members) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let mut table = console.output.table(["ACCOUNT", "NAME", "PLACE", "ADDED"]);
        for MemberView { member, added } in members {
            let added = if *added { Cell::status("yes") } else { "no".into() };
            let (account, name, path) = (&member.account, &member.name, &member.path);
            table.row([account.into(), name.into(), path.into(), added]);
        }
        table.text_or("no member of the directory matches")
    })?;
    Ok(Exit::Done)
}
