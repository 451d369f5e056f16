//! `crossvault event`

use std::path::PathBuf;

use clap::Args;
use crossvault_embedded::socket::{Failure, Reply, Request};
use serde_json::json;

use crate::{console::Console, exit::Exit, input::read_text, platform::unexpected};

/// Hand in an event of the cloud's audit trail, as an event bus would bring it
///
/// The event is only a hint: Crossvault looks at the grants that it can touch, and stores and tells
/// how they stand now. It is read as a CloudEvent of EventBridge, or as ActionTrail records it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault event deleted-role.json
  crossvault event < deleted-role.json")]
pub struct Arguments {
    /// The file with the event as JSON; without it standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    file: PathBuf,
}

/// Runs the command.
pub fn run(console: &Console, arguments: &Arguments) -> Result<Exit, Failure> {
    let (caller, event) = (console.caller().clone(), read_text(&arguments.file)?);
    let reply = console.request(Request::Event { caller, event })?;
    let Reply::Looked(looked) = reply else { return Err(unexpected(&reply)) };
    console.output.answer(&json!({ "answer": "looked", "value": looked }), || {
        format!(
            "looked at {} grants now: {} broken, {} mended; see `crossvault accounts check` and `crossvault alerts`",
            looked.grants, looked.broken, looked.mended
        )
    })?;
    Ok(Exit::Done)
}
