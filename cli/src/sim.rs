//! `crossvault sim`: the same functions in a simulated cloud, where everything goes wrong that can.

mod report;
mod run;

use clap::Subcommand;
use crossvault_embedded::socket::Failure;

use crate::{exit::Exit, output::Output};

/// Ask "what happens if": run the functions in a simulated cloud of many accounts
///
/// The functions are the same as everywhere, unchanged; the cloud, its time and its faults are
/// simulated. A run follows from its seed, or from a scenario file, bit for bit. No home is needed.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault sim run --runs 1000
  crossvault sim run --seed 42
  crossvault sim run --for 60s --faults crash-after,lost")]
pub enum Commands {
    Run(run::Arguments),
}

/// Runs one of the commands.
pub fn run(output: Output, command: &Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Run(arguments) => run::run(output, arguments),
    }
}
