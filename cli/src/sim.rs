//! `crossvault sim`: the same functions in a simulated cloud, where everything goes wrong that can.

mod check;
mod exhaust;
mod file;
mod matrix;
mod replay;
mod report;
mod run;
mod shares;
mod shrink;
mod timeline;

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
  crossvault sim replay seed-42.toml
  crossvault sim exhaust tests/scenarios/runs/backup.toml -k 2
  crossvault sim matrix tests/scenarios/runs
  crossvault sim timeline seed-42.toml -o seed-42.html
  crossvault sim check --runs 200")]
pub enum Commands {
    Run(run::Arguments),
    Replay(replay::Arguments),
    Shrink(shrink::Arguments),
    Exhaust(exhaust::Arguments),
    Matrix(matrix::Arguments),
    Check(check::Arguments),
    Timeline(timeline::Arguments),
}

/// Runs one of the commands.
pub fn run(output: Output, command: &Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Run(arguments) => run::run(output, arguments),
        Commands::Replay(arguments) => replay::run(output, arguments),
        Commands::Shrink(arguments) => shrink::run(output, arguments),
        Commands::Exhaust(arguments) => exhaust::run(output, arguments),
        Commands::Matrix(arguments) => matrix::run(output, arguments),
        Commands::Check(arguments) => check::run(output, arguments),
        Commands::Timeline(arguments) => timeline::run(output, arguments),
    }
}
