//! `crossvault accounts check`

use clap::Args;
use crossvault_core::{explain::Explain, grant::Method, ids::DataSource};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, CauseView, Check, CheckedOperation, Command};

use super::OtherWay;
use crate::{
    console::Console,
    exit::Exit,
    mends,
    output::{Cell, printable},
    platform::unexpected,
    source::{AccountName, SourceName},
};

/// Check whether Crossvault is authorized, for an account that is added or about to be
///
/// Says of each operation what stands against it: the cause, and what to do. The console calls
/// this "Check Permissions". Exit code 3 when an operation is not authorized.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault accounts check payroll
  crossvault accounts check payroll --source nas/fs-1
  crossvault accounts check 1000000000000077 --role hbrcrossrole")]
pub struct Arguments {
    /// The resource account, by id or name
    account: AccountName,

    #[command(flatten)]
    way: OtherWay,

    /// Only what backing up this source of the account needs, and that it is there
    #[arg(long, value_name = "TYPE/ID")]
    source: Option<SourceName>,
}

/// Runs the command.
pub fn run(console: &Console, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { account, way, source } = arguments;
    let method = match (way.directory, way.role) {
        (_, Some(name)) => Some(Method::Role { name }),
        (true, None) => Some(Method::Directory),
        (false, None) => None,
    };
    let account = console.find(&account)?;
    let region = console.region().clone();
    // What is not said of the source is said already.
    let asked = |name: SourceName| {
        let account = name.account.as_ref().map_or(Ok(account.clone()), |name| console.find(name));
        let region = name.region.unwrap_or_else(|| region.clone());
        account.map(|account| DataSource { account, region, kind: name.kind, id: name.id })
    };
    let source = source.map(asked).transpose()?;
    let answer = console.ask(Command::CheckAccount { account, region, method, source })?;
    let Answer::Check(check) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || text(console, check))?;
    Ok(if check.is_authorized() { Exit::Done } else { Exit::Refused })
}

fn text(console: &Console, check: &Check) -> String {
    let mut table = console.output.table(["OPERATION", "AUTHORIZED", "WHY NOT"]);
    let mut told: Vec<&CauseView> = Vec::new();
    for CheckedOperation { operation, causes } in &check.operations {
        let verdict = if causes.is_empty() { "yes" } else { "no" };
        let codes: Vec<_> = causes.iter().map(|view| view.cause.code()).collect();
        table.row([operation.into(), Cell::status(verdict), codes.join(", ").into()]);
        for view in causes {
            if !told.contains(&view) {
                told.push(view);
            }
        }
    }
    let mut parts = vec![table.text()];
    if check.is_authorized() {
        // The cloud's own words.
        parts.push("You are authorized to access the resources of this role.".to_owned());
    }
    parts.extend(told.iter().map(|view| {
        let (code, message) = (view.cause.code(), printable(&view.message));
        format!("{code}: {message}\n  {}", printable(&view.remedy))
    }));
    if !check.is_readable {
        parts.push(
            "The role's policies can't be read, so only what was tried is known; `ram:GetRole`, \
             `ram:ListPoliciesForRole` and `ram:GetPolicy` would show them."
                .to_owned(),
        );
    }
    if !check.mends.is_empty() {
        parts.push(format!("What mends it:\n\n{}", mends::text(&check.mends)));
    }
    parts.join("\n\n")
}
