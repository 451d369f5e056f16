//! `crossvault status`

use clap::Args;
use crossvault_core::{alert::Alert, quantity::Bytes};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, Command, JobView, VaultView};
use serde_json::json;

use crate::{
    alerts,
    console::Console,
    exit::Exit,
    jobs,
    output::{count, moment, printable},
    platform::unexpected,
};

/// How many of the newest jobs and alerts are looked at.
const LOOKED_AT: u16 = 10;

/// Show what is set up, what runs, and what somebody should act on
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault status
  crossvault --account payroll status --json")]
pub struct Arguments {}

/// Runs the command.
pub fn run(console: &Console) -> Result<Exit, Failure> {
    let account = console.account().cloned();
    let answer = console.ask(Command::ListAccounts { region: None, search: None })?;
    let Answer::Accounts(grants) = answer else { return Err(unexpected(&answer)) };
    let answer = console.ask(Command::ListVaults)?;
    let Answer::Vaults(vaults) = answer else { return Err(unexpected(&answer)) };
    let answer = console.ask(Command::ListPolicies)?;
    let Answer::Policies(policies) = answer else { return Err(unexpected(&answer)) };
    let answer = console.ask(Command::ListBindings { policy: None })?;
    let Answer::Bindings(mut bindings) = answer else { return Err(unexpected(&answer)) };
    if let Some(account) = &account {
        bindings.retain(|view| view.binding.source.account == *account);
    }
    let limit = usize::from(LOOKED_AT);
    let answer = console.ask(Command::ListJobs { account, limit })?;
    let Answer::Jobs(jobs) = answer else { return Err(unexpected(&answer)) };
    let alerts = alerts::newest(console, LOOKED_AT)?;
    let next = bindings
        .iter()
        .filter(|view| !view.binding.paused)
        .filter_map(|view| Some((view.binding.next?, view)))
        .min_by_key(|(next, _)| *next);

    let value = json!({
        "home": console.home(),
        "served": console.is_served(),
        "management": console.management(),
        "region": console.region(),
        "accounts": grants.len(),
        "vaults": vaults,
        "policies": policies.len(),
        "bindings": bindings.len(),
        "next_slot": next.map(|(next, _)| next),
        "jobs": jobs,
        "alerts": alerts,
    });
    console.output.answer(&json!({ "answer": "status", "value": value }), || {
        let mut table = console.output.properties();
        let running = if console.is_served() {
            "`crossvault up` runs"
        } else {
            "nothing runs the schedules: start `crossvault up`"
        };
        table.row(["home".into(), format!("{}, {running}", console.home().display()).into()]);
        let management = console.account_in_full(console.management());
        table.row(["backup management account".into(), management.into()]);
        table.row(["region".into(), console.region().into()]);
        table.row(["accounts".into(), format!("{} added", grants.len()).into()]);
        table.row(["vaults".into(), vaults_text(&vaults).into()]);
        let bindings = count(u64::try_from(bindings.len()).unwrap_or(u64::MAX), "binding");
        table.row(["policies".into(), format!("{}, with {bindings}", policies.len()).into()]);
        let next = next.map(|(next, view)| {
            let source = console.source_text(&view.binding.source);
            format!("{} UTC, {source} by {}", moment(next), view.policy)
        });
        table.row(["next slot".into(), next.unwrap_or_else(|| "none".to_owned()).into()]);
        let mut parts = vec![table.text()];
        parts.extend(recent(console, &jobs, &alerts));
        parts.join("\n\n")
    })?;
    Ok(Exit::Done)
}

fn vaults_text(vaults: &[VaultView]) -> String {
    let points: u64 = vaults.iter().map(|view| view.points).fold(0, u64::saturating_add);
    let bytes: Bytes = vaults.iter().map(|view| view.bytes).sum();
    format!("{}, {} with {bytes}", vaults.len(), count(points, "recovery point"))
}

fn recent(console: &Console, jobs: &[JobView], alerts: &[Alert]) -> Vec<String> {
    let mut parts = Vec::new();
    if !jobs.is_empty() {
        parts.push(format!("newest jobs\n{}", jobs::table(console, jobs)));
    }
    if let Some(Alert { at, code, message, remedy, .. }) = alerts.first() {
        let (at, message, remedy) = (moment(*at), printable(message), printable(remedy));
        let all = "All of them: `crossvault alerts`.";
        parts.push(format!("newest alert, {at} UTC: {code}: {message}\n  {remedy}\n  {all}"));
    }
    parts
}
