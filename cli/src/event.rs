//! `crossvault event`

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use crossvault_embedded::socket::{Failure, Kind, Reply, Request};
use serde_json::json;

use crate::{console::Console, exit::Exit, platform::unexpected};

/// More than any event has: what a request may have, with room for its quotes.
const BYTES_MAX: u64 = 262_144;

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
    let (caller, event) = (console.caller().clone(), read(&arguments.file)?);
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

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        io::stdin().lock().take(BYTES_MAX).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text))
    };
    read.map(|_| text).map_err(|error| {
        Failure::new(
            Kind::Usage,
            "EVENT_UNREADABLE",
            format!("the event `{}` can't be read: {error}", file.display()),
            "Name a file with an event as JSON, or `-` for standard input.",
        )
    })
}
