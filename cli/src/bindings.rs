//! `crossvault bindings`

use clap::{Args, Subcommand};
use crossvault_core::{backup_policy::Binding, explain::Explain, schedule::slot};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, BindingView, Command, SlotView};

use crate::{
    console::Console,
    exit::Exit,
    output::{Cell, moment, printable},
    platform::unexpected,
    source::SourceName,
};

/// Attach policies to sources, of as many accounts as you like
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault bindings add nightly payroll/cn-hangzhou/ecs-files/web-1
  crossvault bindings list --policy nightly
  crossvault --account payroll bindings slots nightly ecs-files/web-1")]
pub enum Commands {
    Add(Pair),
    Remove(RemovePair),
    Pause(PausePair),
    Resume(ResumePair),
    List(List),
    Slots(Slots),
}

/// Attach a policy to a source: from now on its slots back the source up
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault bindings add nightly payroll/cn-hangzhou/ecs-files/web-1
  crossvault --account payroll bindings add nightly ecs-files/web-1")]
pub struct Pair {
    /// The policy, by name or id
    policy: String,
    /// The source: `<type>/<id>` of the account that is switched to, `<account>/<type>/<id>`,
    /// or `<account>/<region>/<type>/<id>`
    source: SourceName,
}

/// Take a policy off a source; recovery points stay
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll bindings remove nightly ecs-files/web-1"
)]
pub struct RemovePair {
    /// The policy, by name or id
    policy: String,
    /// The source
    source: SourceName,
}

/// Skip the slots of a binding from now on; each is recorded as skipped
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll bindings pause nightly ecs-files/web-1"
)]
pub struct PausePair {
    /// The policy, by name or id
    policy: String,
    /// The source
    source: SourceName,
}

/// Stop skipping the slots of a binding
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll bindings resume nightly ecs-files/web-1"
)]
pub struct ResumePair {
    /// The policy, by name or id
    policy: String,
    /// The source
    source: SourceName,
}

/// List the bindings with the next slot of each
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault bindings list
  crossvault --account payroll bindings list --policy nightly --json")]
pub struct List {
    /// Only of this policy (name or id)
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
}

/// Show what the slots of a binding became, newest first: a job, or skipped and why
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crossvault --account payroll bindings slots nightly ecs-files/web-1 --limit 50"
)]
pub struct Slots {
    /// The policy, by name or id
    policy: String,
    /// The source
    source: SourceName,
    /// At most so many, 1 to 99
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Add(Pair { policy, source }) => add(console, policy, &source),
        Commands::Remove(RemovePair { policy, source }) => remove(console, &policy, &source),
        Commands::Pause(PausePair { policy, source }) => pause(console, policy, &source, true),
        Commands::Resume(ResumePair { policy, source }) => pause(console, policy, &source, false),
        Commands::List(List { policy }) => list(console, policy),
        Commands::Slots(arguments) => slots(console, arguments),
    }
}

fn add(console: &Console, policy: String, source: &SourceName) -> Result<Exit, Failure> {
    let source = console.source(source)?;
    let answer = console.change(Command::Bind { policy, source })?;
    show(console, &answer)
}

fn pause(
    console: &Console,
    policy: String,
    source: &SourceName,
    paused: bool,
) -> Result<Exit, Failure> {
    let source = console.source(source)?;
    let answer = console.change(Command::PauseBinding { policy, source, paused })?;
    show(console, &answer)
}

fn show(console: &Console, answer: &Answer) -> Result<Exit, Failure> {
    let Answer::Binding(BindingView { binding, policy }) = answer else {
        return Err(unexpected(answer));
    };
    console.output.answer(answer, || {
        let (policy, source) = (printable(policy), console.source_text(&binding.source));
        let next = match (binding.paused, binding.next) {
            (true, _) => "its slots are skipped until it is resumed".to_owned(),
            (false, Some(next)) => format!("next slot {} UTC", moment(next)),
            (false, None) => "it has no further slot".to_owned(),
        };
        format!("policy {policy} is bound to {source}: {next}")
    })?;
    Ok(Exit::Done)
}

fn remove(console: &Console, policy: &str, source: &SourceName) -> Result<Exit, Failure> {
    let source = console.source(source)?;
    let unbind = Command::Unbind { policy: policy.to_owned(), source: source.clone() };
    let answer = console.change(unbind)?;
    console.output.answer(&answer, || {
        let source = console.source_text(&source);
        format!("policy {} is taken off {source}; the recovery points stay", printable(policy))
    })?;
    Ok(Exit::Done)
}

fn list(console: &Console, policy: Option<String>) -> Result<Exit, Failure> {
    let mut answer = console.ask(Command::ListBindings { policy })?;
    let Answer::Bindings(bindings) = &mut answer else { return Err(unexpected(&answer)) };
    if let Some(account) = console.account() {
        bindings.retain(|view| view.binding.source.account == *account);
    }
    let bindings = bindings.clone();
    console.output.answer(&answer, || {
        let mut table = console
            .output
            .table(["POLICY", "SOURCE", "NEXT SLOT (UTC)", "BOUND (UTC)"])
            .spare(["BOUND (UTC)"]);
        for BindingView { binding, policy } in &bindings {
            let Binding { source, bound, paused, next, .. } = binding;
            let next = match next {
                _ if *paused => Cell::status("paused"),
                Some(next) => moment(*next).into(),
                None => "none".into(),
            };
            let source = console.source_text(source);
            table.row([policy.into(), source.into(), next, moment(*bound).into()]);
        }
        table.text_or("no policy is bound here: bind one with `crossvault bindings add`")
    })?;
    Ok(Exit::Done)
}

fn slots(console: &Console, arguments: Slots) -> Result<Exit, Failure> {
    let Slots { policy, source, limit } = arguments;
    let source = console.source(&source)?;
    let answer = console.ask(Command::ListSlots { policy, source, limit })?;
    let Answer::Slots(slots) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let mut table = console.output.table(["DUE (UTC)", "BECAME", "WHY"]);
        for slot in slots {
            let (due, became, why) = match slot {
                SlotView::Slot { due, outcome: slot::Outcome::Started(job) } => {
                    (moment(*due), job.to_string(), String::new())
                }
                SlotView::Slot { due, outcome: slot::Outcome::Skipped(skip) } => {
                    (moment(*due), "skipped".to_owned(), format!("{}: {skip}", skip.code()))
                }
                SlotView::Missed(missed) => {
                    let due = format!("{} to {}", moment(missed.first), moment(missed.last));
                    (due, "missed".to_owned(), format!("{} passed while nothing ran", missed.count))
                }
            };
            table.row([due.into(), became.into(), why.into()]);
        }
        table.text_or("no slot was due yet")
    })?;
    Ok(Exit::Done)
}
