//! What the program writes: tables for people, JSON for programs, errors for both.

mod table;
mod text;

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use crossvault_embedded::socket::{Failure, Kind};
use serde::Serialize;
use serde_json::json;

pub use table::{Cell, Table};
pub use text::{count, duration, moment, printable};

/// Where and how to write.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch or a fact of its own")]
pub struct Output {
    /// Whether answers are written as JSON.
    pub is_json: bool,
    /// Whether only what was asked for is written.
    pub is_quiet: bool,
    has_colors: bool,
    has_colors_in_errors: bool,
    is_terminal: bool,
    has_progress: bool,
}

impl Output {
    /// Looks at the terminal and the environment.
    pub fn new(is_json: bool, is_quiet: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let is_error_terminal = io::stderr().is_terminal();
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let may_color = !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|t| t != "dumb");
        Self {
            is_json,
            is_quiet,
            has_colors: may_color && is_terminal,
            has_colors_in_errors: may_color && is_error_terminal,
            is_terminal,
            has_progress: is_error_terminal && !is_quiet,
        }
    }

    /// Whether a progress bar may be drawn on standard error.
    pub fn has_progress(self) -> bool {
        self.has_progress
    }

    /// Whether answers may have colours.
    pub fn has_colors(self) -> bool {
        self.has_colors
    }

    /// An empty table that fits where it will be written.
    pub fn table<const N: usize>(self, header: [&'static str; N]) -> Table {
        Table::new(header, self.has_colors, self.width())
    }

    /// A table without a header, for the properties of one thing.
    pub fn properties(self) -> Table {
        Table::properties(self.has_colors, self.width())
    }

    /// The terminal's; none where the whole width is wanted.
    pub fn width(self) -> Option<u16> {
        if self.is_terminal { comfy_table::Table::new().width() } else { None }
    }

    /// Writes an answer: as JSON, or as what `person` makes of it.
    ///
    /// # Errors
    /// [`Failure`] when standard output can't be written.
    pub fn answer(
        self,
        answer: &impl Serialize,
        person: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if !self.is_json {
            return write(&person());
        }
        let text = if self.is_terminal {
            serde_json::to_string_pretty(answer)
        } else {
            serde_json::to_string(answer)
        };
        write(&text.map_err(|error| unwritable(&error.into()))?)
    }

    /// Writes text for a person, and ends its last line.
    ///
    /// # Errors
    /// [`Failure`] when standard output can't be written.
    #[expect(clippy::unused_self, reason = "whoever writes has been told how")]
    pub fn write(self, text: &str) -> Result<(), Failure> {
        write(text)
    }

    /// Tells a person something beside the answer.
    pub fn note(self, text: &str) {
        if !self.is_quiet && !self.is_json {
            complain(&self.paint("36", "note"), text);
        }
    }

    /// Writes why nothing came of the command.
    pub fn failure(self, failure: &Failure) {
        let Failure { code, message, remedy, kind: _ } = failure;
        if self.is_json {
            let error = json!({ "error": { "code": code, "message": message, "remedy": remedy } });
            // Where even this can't be written, the exit code still says it.
            let _ = write(&error.to_string());
        } else {
            self.error(code, message, remedy);
        }
    }

    /// Tells a person what is wrong, beside an answer that says it for programs.
    pub fn error(self, code: &str, message: &str, remedy: &str) {
        if self.is_json {
            return;
        }
        complain(&self.paint("1;31", &format!("error[{code}]")), &printable(message));
        for line in remedy.lines() {
            let _ = writeln!(io::stderr(), "  {}", printable(line));
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.has_colors_in_errors {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Writes text and ends its last line.
///
/// # Errors
/// [`Failure`] when standard output can't be written. A reader that went away is none: it has
/// seen what it wanted.
pub fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn complain(what: &str, text: &str) {
    // Where even this can't be written, the exit code still says it.
    let _ = writeln!(io::stderr(), "{what}: {text}");
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(
        Kind::Platform,
        "OUTPUT_UNWRITABLE",
        format!("the answer can't be written to standard output: {error}"),
        "Make space where the output goes. What was asked for is done; ask with a listing command.",
    )
}
