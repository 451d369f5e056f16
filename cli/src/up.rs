//! `crossvault up`

use std::{path::Path, process};

use clap::Args;
use crossvault_embedded::{
    Runtime,
    socket::{Failure, Listener, answer, serve},
};
use serde_json::json;
use tokio::signal::unix::SignalKind;

use crate::{
    exit::Exit,
    local::{self, listen},
    output::Output,
};

/// Run the functions on their schedules, and answer other commands, until stopped
///
/// Slots become jobs, jobs move, expired recovery points go. Ctrl-C or SIGTERM ends it cleanly:
/// jobs that run go on where they were after the next start. What it does is written to standard
/// error; `-v` writes more, and the variable `CROSSVAULT_LOG` sets it for each part.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault up
  crossvault --home /srv/crossvault up -v")]
pub struct Arguments {}

/// Runs the command.
pub fn run(output: Output, home: &Path) -> Result<Exit, Failure> {
    let (runtime, platform) = local::hold(home)?;
    runtime.block_on(async {
        let mut interrupted = listen(SignalKind::interrupt())?;
        let mut terminated = listen(SignalKind::terminate())?;
        let mut functions = Runtime::start(platform.clone()).await?;
        functions.keep_house();
        let socket = platform.home().socket();
        let listener = Listener::bind(&socket)?;
        let ready = json!({
            "answer": "up",
            "value": { "home": platform.home().dir(), "socket": socket, "pid": process::id() }
        });
        output.answer(&ready, || {
            format!("serving `{}`; Ctrl-C ends it", platform.home().dir().display())
        })?;
        let stop = async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
            output.note("stopping: jobs that run go on after the next start");
        };
        let answering = platform.clone();
        let handle = move |request| {
            let platform = answering.clone();
            async move { answer(&platform, request).await }
        };
        serve(listener, handle, stop).await;
        functions.stop().await;
        Ok(Exit::Done)
    })
}
