//! `crossvault restore`

use clap::Args;
use crossvault_core::{ids::PointId, restore::Overwrite};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::Command;

use crate::{console::Console, exit::Exit, job, source::SourceName};

/// Restore a recovery point into a source of any granted account and wait for the end
///
/// The target is a source of the same type, of the backup management account or of any account
/// that is added. Files that are in the way stay as they are and are named, unless `--overwrite`.
/// Exit code 0 when the job ended `COMPLETE`, 4 `PARTIAL_COMPLETE`, 1 `FAILED`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault restore s-0123456789abcdef0123 --to rescue/cn-hangzhou/ecs-files/web-2
  crossvault --account payroll restore s-0123456789abcdef0123 --to ecs-files/web-1 --into restored/monday --only etc/app.conf")]
pub struct Arguments {
    /// The recovery point
    point: PointId,

    /// The source to write into: `<type>/<id>` of the account that is switched to, `<account>/<type>/<id>`,
    /// or `<account>/<region>/<type>/<id>`
    #[arg(long, value_name = "SOURCE")]
    to: SourceName,

    /// A folder below the target's root; without it the root itself
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    into: String,

    /// Only this file or folder of the recovery point
    #[arg(long, value_name = "PATH")]
    only: Option<String>,

    /// Put the recovery point's content in the place of files that are in the way
    #[arg(long)]
    overwrite: bool,

    /// Do not wait for the job to end
    #[arg(long)]
    detach: bool,
}

/// Runs the command.
pub fn run(console: &Console, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { point, to, into, only, overwrite, detach } = arguments;
    let to = console.source(&to)?;
    let overwrite = if overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    let answer = console.change(Command::Restore { point, to, into, only, overwrite })?;
    job::follow(console, &answer, detach)
}
