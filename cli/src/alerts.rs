//! `crossvault alerts`

use clap::Args;
use crossvault_core::{
    alert::{AboutGrant, Alert, AtRisk},
    ids::AccountId,
};
use crossvault_embedded::socket::{Failure, Reply, Request};
use serde_json::json;

use crate::{
    console::Console,
    exit::Exit,
    output::{moment, printable},
    platform::unexpected,
};

/// List the news that somebody should act on, newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault alerts
  crossvault --account payroll alerts --limit 100 --json")]
pub struct Arguments {
    /// At most so many are looked at, 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Runs the command.
pub fn run(console: &Console, arguments: &Arguments) -> Result<Exit, Failure> {
    let alerts = newest(console, arguments.limit)?;
    console.output.answer(&json!({ "answer": "alerts", "value": alerts }), || {
        let texts: Vec<String> = alerts.iter().map(|alert| text(console, alert)).collect();
        if texts.is_empty() { "there is no news".to_owned() } else { texts.join("\n\n") }
    })?;
    Ok(Exit::Done)
}

/// The newest alerts, of the account that is switched to.
pub fn newest(console: &Console, limit: u16) -> Result<Vec<Alert>, Failure> {
    let (caller, limit) = (console.caller().clone(), usize::from(limit));
    let reply = console.request(Request::Alerts { caller, limit })?;
    let Reply::Alerts(mut alerts) = reply else { return Err(unexpected(&reply)) };
    if let Some(account) = console.account() {
        alerts.retain(|alert| alert.account == *account);
    }
    Ok(alerts)
}

fn text(console: &Console, alert: &Alert) -> String {
    let Alert { at, account, source, job, code, message, remedy, grant, .. } = alert;
    let what = match (source, job) {
        (Some(source), _) => console.source_text(source),
        (None, _) => console.account_text(account),
    };
    let job = job.as_ref().map(|job| format!(", {job}")).unwrap_or_default();
    let (message, remedy) = (printable(message), printable(remedy));
    let grant = grant.as_ref().map(|grant| about(console, account, grant)).unwrap_or_default();
    format!("{} UTC  {what}{job}\n  {code}: {message}\n  {remedy}{grant}", moment(*at))
}

/// Of a broken grant, where to see what mends it, and what is at risk until then.
fn about(console: &Console, account: &AccountId, grant: &AboutGrant) -> String {
    if grant.causes.is_empty() {
        return String::new();
    }
    let (region, account) = (&grant.region, console.account_text(account));
    let at_risk = at_risk(console, &grant.at_risk);
    format!(
        "\n  See what mends it with `crossvault --region {region} accounts check {account}`.{at_risk}"
    )
}

/// The bindings that a broken grant puts at risk, a line each.
fn at_risk(console: &Console, at_risk: &AtRisk) -> String {
    let mut lines = String::new();
    for binding in &at_risk.bindings {
        let source = console.source_text(&binding.source);
        let next = binding
            .next
            .map_or("no further slot".to_owned(), |next| format!("next slot {} UTC", moment(next)));
        let policy = printable(&binding.policy);
        lines.extend(["\n  at risk: ", &policy, " of ", &source, ", ", &next]);
    }
    if at_risk.others > 0 {
        lines.push_str("\n  and further bindings: ");
        lines.push_str(&at_risk.others.to_string());
    }
    lines
}
