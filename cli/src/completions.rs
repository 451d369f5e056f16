//! `crossvault completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use crossvault_embedded::socket::Failure;

use crate::{arguments, exit::Exit, output::write};

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault completions bash > /etc/bash_completion.d/crossvault
  crossvault completions zsh > ~/.zfunc/_crossvault
  crossvault completions fish > ~/.config/fish/completions/crossvault.fish")]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let mut command = arguments::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "crossvault", &mut text);
    write(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}
