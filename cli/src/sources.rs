//! `crossvault sources`: what could be backed up, with the authority that there is.

pub mod kinds;

use clap::{Args, Subcommand};
use crossvault_core::ids::SourceKind;
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, Command};

use crate::{console::Console, exit::Exit, platform::unexpected};

/// List the sources that could be backed up, and what may be done with each type
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault --account payroll sources list
  crossvault sources kinds")]
pub enum Commands {
    List(List),
    Kinds(kinds::Kinds),
}

/// List the sources of the account that is switched to, as its grant lets Crossvault see them
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault --account payroll sources list
  crossvault --account payroll --region cn-shanghai sources list --kind nas --json")]
pub struct List {
    /// Only of this type: ecs-files, nas …
    #[arg(long, value_name = "TYPE")]
    kind: Option<SourceKind>,
}

/// Lists the sources of an account.
pub fn list(console: &Console, List { kind }: &List) -> Result<Exit, Failure> {
    let account = console.account().unwrap_or(console.management()).clone();
    let region = console.region().clone();
    let answer = console.ask(Command::ListSources {
        account: account.clone(),
        region: region.clone(),
        kind: *kind,
    })?;
    let Answer::Sources(sources) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let mut table = console.output.table(["SOURCE", "TYPE"]);
        for source in sources {
            table.row([console.source_text(source).into(), source.kind.into()]);
        }
        let account = console.account_in_full(&account);
        table.text_or(&format!("account {account} has no such source in region {region}"))
    })?;
    Ok(Exit::Done)
}
