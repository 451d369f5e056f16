//! `crossvault backup`

use clap::{Args, Subcommand};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::Command;

use crate::{console::Console, exit::Exit, job, source::SourceName};

/// Back up a source now
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  crossvault --account payroll backup run ecs-files/web-1 --vault main"
)]
pub enum Commands {
    Run(Run),
}

/// Back up a source now and wait for the end
///
/// With `--policy` the recovery point follows that policy's retention rules, as if a slot had been
/// due; with `--vault` it stays until somebody deletes it. Exit code 0 when the job ended `COMPLETE`,
/// 4 `PARTIAL_COMPLETE`, 1 `FAILED`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault --account payroll backup run ecs-files/web-1 --vault main
  crossvault backup run payroll/cn-hangzhou/ecs-files/web-1 --policy nightly --detach")]
pub struct Run {
    /// The source: `<type>/<id>` of the account that is switched to, `<account>/<type>/<id>`,
    /// or `<account>/<region>/<type>/<id>`
    source: SourceName,

    /// The policy (name or id) that is bound to the source
    #[arg(
        long,
        value_name = "POLICY",
        required_unless_present = "vault",
        conflicts_with = "vault"
    )]
    policy: Option<String>,

    /// The vault (name or id), when no policy is meant
    #[arg(long, value_name = "VAULT")]
    vault: Option<String>,

    /// Do not wait for the job to end
    #[arg(long)]
    detach: bool,
}

/// Runs the command.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    let Commands::Run(Run { source, policy, vault, detach }) = command;
    let source = console.source(&source)?;
    let answer = console.change(Command::BackUp { source, policy, vault })?;
    job::follow(console, &answer, detach)
}
