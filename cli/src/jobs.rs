//! `crossvault jobs`

use clap::{Args, Subcommand};
use crossvault_core::ids::JobId;
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, Command, JobView};

use crate::{
    console::Console,
    exit::Exit,
    job,
    output::{Cell, moment},
    platform::unexpected,
};

/// List, show, cancel and wait for backup and restore jobs
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault jobs list
  crossvault --account payroll jobs list --limit 50
  crossvault jobs show job-0123456789abcdef0123")]
pub enum Commands {
    List(List),
    Show(Show),
    Cancel(Cancel),
    Wait(Wait),
}

/// List jobs, newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault jobs list
  crossvault --account payroll jobs list --limit 50 --json")]
pub struct List {
    /// At most so many, 1 to 99
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
}

/// Show one job: how far it is, why it failed, and each file that it could not move
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault jobs show job-0123456789abcdef0123")]
pub struct Show {
    /// The job
    job: JobId,
}

/// Ask a job to stop; what is complete already stays complete
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault jobs cancel job-0123456789abcdef0123")]
pub struct Cancel {
    /// The job
    job: JobId,
}

/// Wait until a job has ended; without `crossvault up` it is run meanwhile
///
/// Exit code 0 when it ended `COMPLETE`, 4 `PARTIAL_COMPLETE`, 1 `FAILED` or `CANCELED`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault jobs wait job-0123456789abcdef0123 --json")]
pub struct Wait {
    /// The job
    job: JobId,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::List(List { limit }) => list(console, limit),
        Commands::Show(Show { job }) => show(console, job),
        Commands::Cancel(Cancel { job }) => cancel(console, &job),
        Commands::Wait(Wait { job }) => job::wait(console, &job),
    }
}

fn list(console: &Console, limit: usize) -> Result<Exit, Failure> {
    let account = console.account().cloned();
    let answer = console.ask(Command::ListJobs { account, limit })?;
    let Answer::Jobs(jobs) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || table(console, jobs))?;
    Ok(Exit::Done)
}

/// Jobs as a table.
pub fn table(console: &Console, jobs: &[JobView]) -> String {
    let header = ["JOB", "KIND", "STATUS", "QUEUED (UTC)", "SOURCE", "MOVED", "WHY"];
    let mut table = console.output.table(header).spare(["MOVED"]);
    for job in jobs {
        let source = job.source.as_ref().map(|source| console.source_text(source));
        let why = job.failure.as_ref().map(|trouble| trouble.code.as_str());
        table.row([
            (&job.id).into(),
            (&job.kind).into(),
            Cell::status(&job.status),
            moment(job.queued).into(),
            source.unwrap_or_else(|| console.account_text(&job.account)).into(),
            job.progress.bytes.into(),
            why.unwrap_or_default().into(),
        ]);
    }
    table.text_or("there is no job yet: start one with `crossvault backup run`")
}

fn show(console: &Console, job: JobId) -> Result<Exit, Failure> {
    let answer = console.ask(Command::ShowJob { job })?;
    let Answer::Job(job) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || job::text(console, job))?;
    Ok(Exit::Done)
}

fn cancel(console: &Console, job: &JobId) -> Result<Exit, Failure> {
    let answer = console.change(Command::CancelJob { job: job.clone() })?;
    console.output.answer(&answer, || format!("job {job} is asked to stop"))?;
    Ok(Exit::Done)
}
