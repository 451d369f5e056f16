//! `crossvault accounts review`: what is too much about the grants.

use clap::Args;
use crossvault_embedded::socket::Failure;
use crossvault_handlers::{
    api::{Answer, Command},
    records::{Advice, Noted, ReviewRow},
};

use crate::{
    console::Console,
    exit::Exit,
    output::{moment, printable},
    platform::unexpected,
    source::AccountName,
};

/// Show what is too much about the accounts' grants, with the smaller policy to attach instead
///
/// Every grant is reviewed once a day while `crossvault up` runs.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault accounts review
  crossvault accounts review payroll --now")]
pub struct Arguments {
    /// Only this resource account, by id or name
    account: Option<AccountName>,

    /// Review now, instead of showing what the last review found
    #[arg(long)]
    now: bool,
}

/// Runs the command.
pub fn run(console: &Console, arguments: &Arguments) -> Result<Exit, Failure> {
    let account = match &arguments.account {
        Some(name) => Some(console.find(name)?),
        None => console.account().cloned(),
    };
    let answer = console.ask(Command::ListReviews { account, now: arguments.now })?;
    let Answer::Reviews(reviews) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let texts: Vec<String> = reviews.iter().map(|review| text(console, review)).collect();
        if texts.is_empty() {
            "nothing was reviewed yet: ask for it with `--now`".to_owned()
        } else {
            texts.join("\n\n")
        }
    })?;
    Ok(Exit::Done)
}

fn text(console: &Console, review: &ReviewRow) -> String {
    let account = console.account_in_full(&review.account);
    let mut lines =
        vec![format!("{account} in {}, reviewed {} UTC", review.region, moment(review.at))];
    if review.findings.is_empty() {
        lines.push("  nothing is found that is too much".to_owned());
    }
    for Noted { severity, found } in &review.findings {
        lines.push(format!("  {severity:<6}  {}: {}", found.code, printable(&found.message)));
        lines.push(format!("          {}", found.remedy.replace('\n', "\n          ")));
    }
    match &review.advice {
        Advice::Smaller { documents } => {
            lines.push("  a smaller policy, proven to be enough for what is bound:".to_owned());
            lines.extend(documents.iter().cloned());
        }
        Advice::AsItIs { why } => {
            lines.push(format!("  no smaller policy is known: {}", printable(why)));
        }
    }
    lines.join("\n")
}
