//! The command line as a whole.

use std::path::PathBuf;

use clap::{
    ArgAction, Args, Parser, Subcommand,
    builder::{NonEmptyStringValueParser, TypedValueParser},
};
use crossvault_core::ids::{Region, Token};

use crate::{
    accounts, alerts, audit, backup, bindings, completions, console::Wishes, demo, event, exit,
    explain, init, jobs, output::Output, points, policies, policy, restore, sim,
    source::AccountName, sources, status, up, vaults, world,
};

const ABOUT: &str = "Backs up and restores the resources of many cloud accounts from one";

const LONG_ABOUT: &str = "\
Backs up and restores the resources of many cloud accounts from one.

One backup management account owns the vaults, the policies, the jobs and all backup data. \
Resource accounts grant access, through the resource directory or through a RAM role, and see \
none of it.

All state lies in a home, a folder. One process holds a home at a time: while `crossvault up` \
runs, other commands ask it; else each works in the home itself.";

const EXAMPLES: &str = "\
Examples:
  crossvault init
  crossvault world accounts add 1000000000000012 payroll
  crossvault --account payroll backup run ecs-files/web-1 --vault main
  crossvault points list --json
  crossvault restore s-0123456789abcdef0123 --to rescue/cn-hangzhou/ecs-files/web-2

Each command has examples of its own: `crossvault backup run --help`.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "crossvault",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{}", exit::table()),
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub command: Commands,
}

/// What can be said with every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of all commands")]
pub struct Globals {
    /// The folder that holds the state, the vaults and their keys
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CROSSVAULT_HOME",
        default_value = "./.crossvault",
        value_parser = NonEmptyStringValueParser::new().map(PathBuf::from)
    )]
    pub home: PathBuf,

    /// Switch to this account: lists show only what is its own, and short names of sources are its
    // A command's own `account` must not be taken for it: values of global arguments go by their ids.
    #[arg(id = "switched", long = "account", global = true, value_name = "ID|NAME")]
    pub account: Option<AccountName>,

    /// The account that asks; any other than the backup management account sees no backup data
    #[arg(long = "as", global = true, value_name = "ID|NAME")]
    pub caller: Option<AccountName>,

    /// The region; without it the home's own
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<Region>,

    /// A name for this change: asked again under the same name, it is not done twice
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<Token>,

    /// Write the answer, or the error, as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// Write more of what happens to standard error; twice: even more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Write only what was asked for: no notes, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl Globals {
    /// How answers are written.
    pub fn output(&self) -> Output {
        Output::new(self.json, self.quiet)
    }

    /// What is said of the console.
    pub fn wishes(&self) -> Wishes {
        Wishes {
            home: self.home.clone(),
            caller: self.caller.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            token: self.token.clone(),
        }
    }
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Commands {
    Demo(demo::Arguments),
    Init(init::Arguments),
    #[command(subcommand)]
    World(world::Commands),
    #[command(subcommand)]
    Accounts(accounts::Commands),
    #[command(subcommand)]
    Sources(sources::Commands),
    #[command(subcommand)]
    Vaults(vaults::Commands),
    #[command(subcommand)]
    Policies(policies::Commands),
    #[command(subcommand)]
    Policy(policy::Commands),
    Explain(explain::Arguments),
    #[command(subcommand)]
    Bindings(bindings::Commands),
    #[command(subcommand)]
    Backup(backup::Commands),
    #[command(subcommand)]
    Jobs(jobs::Commands),
    #[command(subcommand)]
    Points(points::Commands),
    Restore(restore::Arguments),
    Up(up::Arguments),
    Status(status::Arguments),
    Alerts(alerts::Arguments),
    Event(event::Arguments),
    Audit(audit::Arguments),
    #[command(subcommand)]
    Sim(sim::Commands),
    Completions(completions::Arguments),
    ExitCodes(exit_codes::Arguments),
}

/// `crossvault exit-codes`.
pub mod exit_codes {
    use clap::Args;

    /// Show what each exit code means
    #[derive(Args, Debug)]
    #[command(after_help = "Example:\n  crossvault exit-codes")]
    pub struct Arguments {}
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn check(command: &clap::Command, globals: &[String]) {
        for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
            let id = argument.get_id().to_string();
            assert!(!globals.contains(&id), "`{id}` of {} is global too", command.get_name());
        }
        for command in command.get_subcommands() {
            check(command, globals);
        }
    }

    #[test]
    fn no_command_has_an_argument_that_is_taken_for_a_global_one() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let globals = command.get_arguments().filter(|argument| argument.is_global_set());
        let globals: Vec<String> = globals.map(|argument| argument.get_id().to_string()).collect();
        assert_eq!(globals.len(), 8);
        check(&command, &globals);
    }
}
