//! `crossvault`: cross-account backup and restore, from the command line.
//!
//! One file a command. Each asks the platform through the [`console`] and writes what comes back
//! by [`output`]; no rule of backups lives here.

mod accounts;
mod alerts;
mod arguments;
mod audit;
mod backup;
mod bindings;
mod completions;
mod console;
mod demo;
mod event;
mod exit;
mod explain;
mod init;
mod input;
mod job;
mod jobs;
mod local;
mod mends;
mod output;
mod platform;
mod points;
mod policies;
mod policy;
mod restore;
mod schedule;
mod sim;
mod source;
mod sources;
mod status;
mod up;
mod usage;
mod vaults;
mod world;

use std::{io, process::ExitCode};

use clap::Parser;
use crossvault_embedded::socket::Failure;
use tracing_subscriber::EnvFilter;

use crate::{
    arguments::{Arguments, Commands, Globals},
    console::Console,
    exit::Exit,
};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report(&error).into(),
    };
    let output = arguments.globals.output();
    write_log(&arguments);
    let exit = run(arguments).unwrap_or_else(|failure| {
        output.failure(&failure);
        Exit::of_failure(&failure)
    });
    exit.into()
}

fn run(Arguments { globals, command }: Arguments) -> Result<Exit, Failure> {
    let output = globals.output();
    match command {
        Commands::Demo(arguments) => demo::run(&globals, &arguments),
        Commands::Init(arguments) => init::run(&globals, &arguments),
        Commands::Up(up::Arguments {}) => up::run(output, &globals.home),
        Commands::Completions(arguments) => completions::run(&arguments),
        Commands::ExitCodes(arguments::exit_codes::Arguments {}) => {
            output.answer(&exit::json(), exit::table)?;
            Ok(Exit::Done)
        }
        Commands::World(command) => world::run(&console(&globals)?, command),
        Commands::Accounts(command) => accounts::run(&console(&globals)?, command),
        Commands::Sources(sources::Commands::List(list)) => {
            sources::list(&console(&globals)?, &list)
        }
        Commands::Sources(sources::Commands::Kinds(kinds)) => sources::kinds::run(output, &kinds),
        Commands::Vaults(command) => vaults::run(&console(&globals)?, command),
        Commands::Policies(command) => policies::run(&console(&globals)?, command),
        Commands::Explain(arguments) => explain::run(&globals, console, &arguments),
        Commands::Policy(command) => policy::run(output, &command),
        Commands::Bindings(command) => bindings::run(&console(&globals)?, command),
        Commands::Backup(command) => backup::run(&console(&globals)?, command),
        Commands::Jobs(command) => jobs::run(&console(&globals)?, command),
        Commands::Points(command) => points::run(&console(&globals)?, command),
        Commands::Restore(arguments) => restore::run(&console(&globals)?, arguments),
        Commands::Status(status::Arguments {}) => status::run(&console(&globals)?),
        Commands::Event(arguments) => event::run(&console(&globals)?, &arguments),
        Commands::Alerts(arguments) => alerts::run(&console(&globals)?, &arguments),
        Commands::Sim(command) => sim::run(output, &command),
        Commands::Audit(arguments) => audit::run(&console(&globals)?, &arguments),
    }
}

fn console(globals: &Globals) -> Result<Console, Failure> {
    Console::new(local::open(&globals.home)?, globals.output(), globals.wishes())
}

/// Lets the functions write what they do to standard error.
fn write_log(arguments: &Arguments) {
    let is_server = matches!(arguments.command, Commands::Up(_));
    let Globals { verbose, quiet, json, .. } = arguments.globals;
    let level = match (verbose, quiet) {
        (0, false) if is_server => "info",
        (_, true) | (0, false) => "error",
        (1, false) if !is_server => "info",
        (1 | 2, false) => "debug",
        (_, false) => "trace",
    };
    let filter = EnvFilter::try_from_env("CROSSVAULT_LOG").unwrap_or_else(|_| {
        EnvFilter::new(format!(
            "warn,crossvault={level},crossvault_embedded={level},crossvault_handlers={level}"
        ))
    });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // Only a second log could fail, and there is none.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}
