//! `crossvault audit`

use clap::Args;
use crossvault_core::audit::{Actor, Record};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, Command};

use crate::{console::Console, exit::Exit, output::moment, platform::unexpected};

/// List what was changed, newest first: when, who, what and why
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault audit
  crossvault --account payroll audit --limit 200 --json")]
pub struct Arguments {
    /// At most so many, 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

/// Runs the command.
pub fn run(console: &Console, arguments: &Arguments) -> Result<Exit, Failure> {
    let account = console.account().cloned();
    let answer = console.ask(Command::ListAudit { account, limit: arguments.limit })?;
    let Answer::Audit(records) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let mut table = console
            .output
            .table(["AT (UTC)", "WHO", "WHAT", "SUBJECT", "ACCOUNT", "WHY"])
            .spare(["ACCOUNT"]);
        for record in records {
            let Record { at, who, what, subject, account, why, .. } = record;
            let who = match who {
                Actor::Caller { account, .. } => console.account_text(account),
                Actor::Handler { .. } => who.to_string(),
            };
            let account = console.account_text(account);
            table.row([
                moment(*at).into(),
                who.into(),
                what.into(),
                subject.into(),
                account.into(),
                why.into(),
            ]);
        }
        table.text_or("nothing was changed yet")
    })?;
    Ok(Exit::Done)
}
