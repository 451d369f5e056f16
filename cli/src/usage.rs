//! A command line that is not understood.

use std::{
    env,
    error::Error as _,
    io::{self, Write},
};

use clap::error::ErrorKind;
use crossvault_core::{explain::Explain, ids::InvalidId};
use crossvault_embedded::socket::{Failure, Kind};

use crate::{exit::Exit, output::Output, source::Wrong};

/// Writes help that was asked for, or what is wrong with the command line.
pub fn report(error: &clap::Error) -> Exit {
    let kind = error.kind();
    if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that went away has seen what it wanted.
        let _ = error.print();
        return Exit::Done;
    }
    if is_json() {
        Output::new(true, false).failure(&failure(error));
    } else if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
    } else {
        Output::new(false, false).failure(&failure(error));
        usage(error);
    }
    Exit::Usage
}

/// The switch itself was not parsed: something else on the line is wrong.
fn is_json() -> bool {
    env::args_os()
        .skip(1)
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json")
}

fn failure(error: &clap::Error) -> Failure {
    let (code, remedy) = match error.source() {
        Some(source) => {
            if let Some(invalid) = source.downcast_ref::<InvalidId>() {
                (invalid.code().to_owned(), invalid.remedy())
            } else if let Some(wrong) = source.downcast_ref::<Wrong>() {
                (wrong.code.clone(), wrong.remedy.clone())
            } else {
                plain()
            }
        }
        None => plain(),
    };
    Failure::new(Kind::Usage, &code, message(error), remedy)
}

fn plain() -> (String, String) {
    (
        "USAGE".to_owned(),
        "Add `--help` to the command to see what it takes, with examples.".to_owned(),
    )
}

/// What clap says, without its own headings, usage and pointers.
fn message(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "the command is not complete".to_owned();
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// How the command is used.
fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    for line in text.lines().filter(|line| line.starts_with("Usage:")) {
        let _ = writeln!(io::stderr(), "  {line}");
    }
}
