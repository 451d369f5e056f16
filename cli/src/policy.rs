//! `crossvault policy`: policy documents by themselves, from files, without a home.

mod check;
mod compare;
mod document;
mod test;

use clap::{Subcommand, ValueEnum};
use crossvault_core::policy::{Dialect, PolicyKind};
use crossvault_embedded::socket::Failure;

pub use self::document::Document;
use crate::{exit::Exit, output::Output};

/// Check, compare and test policy documents: RAM's, or those of AWS IAM
///
/// These are documents that say what an identity may do; backup policies are `crossvault
/// policies`. Files are all that is read: no home is needed.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault policy check policy.json
  crossvault policy compare smaller.json AliyunHBRRolePolicy.json
  crossvault policy test cases.jsonl")]
pub enum Commands {
    Check(check::Arguments),
    Compare(compare::Arguments),
    Test(test::Arguments),
}

/// Runs one of the commands.
pub fn run(output: Output, command: &Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Check(arguments) => check::run(output, arguments),
        Commands::Compare(arguments) => compare::run(output, arguments),
        Commands::Test(arguments) => test::run(output, arguments),
    }
}

/// The language of a document.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DialectName {
    /// RAM's
    Ram,
    /// That of AWS IAM
    Aws,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Ram => Self::Ram,
            DialectName::Aws => Self::Aws,
        }
    }
}

/// What a document is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindName {
    /// Attached to an identity: what it may do
    Permission,
    /// Of a role: who may assume it
    Trust,
    /// Given when a role is assumed: what the session keeps
    Session,
    /// Of a directory: what its members may do at most
    Control,
    /// Of the cloud itself: like a permission policy, and longer
    System,
}

impl From<KindName> for PolicyKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Permission => Self::Permission,
            KindName::Trust => Self::Trust,
            KindName::Session => Self::Session,
            KindName::Control => Self::Control,
            KindName::System => Self::System,
        }
    }
}
