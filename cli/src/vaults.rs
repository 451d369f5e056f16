//! `crossvault vaults`

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use crossvault_embedded::socket::{Damaged, Failure, KeyText, Kind, Reply, Request};
use crossvault_handlers::api::{Answer, Command};
use serde_json::json;

use crate::{
    console::Console,
    exit::Exit,
    job,
    output::{count, printable},
    platform::{fresh_token, unexpected},
};

/// Make, list, prune and check the vaults that hold all backup data
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  crossvault vaults create main
  crossvault vaults list
  crossvault vaults check main --read-data")]
pub enum Commands {
    Create(Create),
    List(List),
    Prune(Prune),
    Check(CheckArguments),
    ExportKey(ExportKey),
}

/// Make a vault: deduplicated, encrypted, owned by the backup management account alone
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault --region cn-hangzhou vaults create main")]
pub struct Create {
    /// Its name: 2 to 128 characters, starting with a letter
    name: String,
}

/// List the vaults with what lies in them
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crossvault vaults list --json")]
pub struct List {}

/// Give back the space that no recovery point needs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault vaults prune main
  crossvault vaults prune main --detach")]
pub struct Prune {
    /// The vault, by name or id
    vault: String,

    /// Do not wait for the job to end
    #[arg(long)]
    detach: bool,
}

/// Look for damage in a vault before somebody needs its data
///
/// Names each damaged or missing file of the vault and the backed-up files that can't be restored
/// for it. Exit code 6 when something is damaged.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault vaults check main
  crossvault vaults check main --read-data --json")]
pub struct CheckArguments {
    /// The vault, by name or id
    vault: String,

    /// Also read all data and compare it with what was written: as long as a full restore
    #[arg(long)]
    read_data: bool,
}

/// Write a vault's key to a file, so that the stock `restic` can open the vault
///
/// Whoever has the key and the vault's folder can read all backup data in it. The file is made
/// readable for its owner alone and must not exist yet; `-` writes to standard output.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault vaults export-key main --to main.key
  restic -r .crossvault/vaults/<vault id> --password-file main.key snapshots")]
pub struct ExportKey {
    /// The vault, by name or id
    vault: String,

    /// The file to write; `-` for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Runs one of the commands.
pub fn run(console: &Console, command: Commands) -> Result<Exit, Failure> {
    match command {
        Commands::Create(arguments) => create(console, arguments),
        Commands::List(List {}) => list(console),
        Commands::Prune(arguments) => prune(console, arguments),
        Commands::Check(arguments) => check(console, arguments),
        Commands::ExportKey(arguments) => export_key(console, arguments),
    }
}

fn create(console: &Console, arguments: Create) -> Result<Exit, Failure> {
    let region = console.region().clone();
    let answer = console.change(Command::CreateVault { name: arguments.name, region })?;
    let Answer::Vault(vault) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let name = printable(&vault.name);
        format!("vault {name} is made in region {} ({})", vault.region, vault.id)
    })?;
    Ok(Exit::Done)
}

fn list(console: &Console) -> Result<Exit, Failure> {
    let answer = console.ask(Command::ListVaults)?;
    let Answer::Vaults(vaults) = &answer else { return Err(unexpected(&answer)) };
    console.output.answer(&answer, || {
        let header = ["NAME", "REGION", "POINTS", "CONTENT", "ADDED", "ACCOUNTS", "ID"];
        let mut table = console.output.table(header).spare(["ADDED", "ID"]);
        for view in vaults {
            let accounts = view.accounts.iter().map(|account| console.account_text(account));
            table.row([
                (&view.vault.name).into(),
                (&view.vault.region).into(),
                view.points.into(),
                view.bytes.into(),
                view.added.into(),
                accounts.collect::<Vec<_>>().join(", ").into(),
                (&view.vault.id).into(),
            ]);
        }
        table.text_or("there is no vault yet: make one with `crossvault vaults create`")
    })?;
    Ok(Exit::Done)
}

fn prune(console: &Console, arguments: Prune) -> Result<Exit, Failure> {
    let answer = console.change(Command::PruneVault { vault: arguments.vault })?;
    job::follow(console, &answer, arguments.detach)
}

fn check(console: &Console, arguments: CheckArguments) -> Result<Exit, Failure> {
    let CheckArguments { vault, read_data } = arguments;
    let caller = console.caller().clone();
    let reply = console.request(Request::CheckVault { caller, vault: vault.clone(), read_data })?;
    let Reply::Damage(damage) = &reply else { return Err(unexpected(&reply)) };
    let answer = json!({ "answer": "damage", "value": damage });
    console.output.answer(&answer, || damage_text(&vault, damage, read_data))?;
    Ok(if damage.is_empty() { Exit::Done } else { Exit::Platform })
}

fn damage_text(vault: &str, damage: &[Damaged], read_data: bool) -> String {
    let vault = printable(vault);
    if damage.is_empty() {
        let how =
            if read_data { "; all data was read" } else { "; `--read-data` also reads all data" };
        return format!("vault {vault} is in order{how}");
    }
    let places = count(len(damage), "place");
    let mut parts = vec![format!("vault {vault} is damaged in {places}:")];
    for damaged in damage {
        let mut lines = vec![printable(&damaged.file), format!("  {}", printable(&damaged.what))];
        let concerns = damaged.concerns.iter();
        lines.extend(concerns.map(|file| format!("  can't be restored: {}", printable(file))));
        let more = damaged.concerns_in_all.saturating_sub(len(&damaged.concerns));
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        parts.push(lines.join("\n"));
    }
    parts.push(
        "Restore these files of the vault from a copy. The next backup adds again what its source still has."
            .to_owned(),
    );
    parts.join("\n\n")
}

fn export_key(console: &Console, arguments: ExportKey) -> Result<Exit, Failure> {
    let ExportKey { vault, to } = arguments;
    let is_shown = to.as_os_str() == "-";
    if !is_shown && to.exists() {
        return Err(exists(&to));
    }
    let caller = console.caller().clone();
    let reply = console.request(Request::ExportKey {
        caller,
        token: fresh_token(),
        vault: vault.clone(),
    })?;
    let Reply::Key(key) = &reply else { return Err(unexpected(&"another reply")) };
    if is_shown {
        let answer = json!({ "answer": "key", "value": key.reveal() });
        console.output.answer(&answer, || key.reveal().to_owned())?;
    } else {
        save(key, &to)?;
        let answer = json!({ "answer": "key-file", "value": to });
        console.output.answer(&answer, || {
            format!("the key of vault {} is in `{}`", printable(&vault), to.display())
        })?;
        console.output.note("keep it apart from the vault: both together are all backup data");
    }
    Ok(Exit::Done)
}

fn save(key: &KeyText, to: &Path) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(to);
    let written = file.and_then(|mut file| {
        writeln!(file, "{}", key.reveal())?;
        file.sync_all()
    });
    written.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return exists(to);
        }
        Failure::new(
            Kind::Platform,
            "KEY_FILE_UNWRITABLE",
            format!("`{}` can't be written: {error}", to.display()),
            "Name a file in a folder that you may write to.",
        )
    })
}

fn exists(file: &Path) -> Failure {
    Failure::new(
        Kind::Refused,
        "KEY_FILE_EXISTS",
        format!("`{}` exists already", file.display()),
        "Name a file that does not exist: a key is never written over another.",
    )
}

fn len<T>(all: &[T]) -> u64 {
    u64::try_from(all.len()).unwrap_or(u64::MAX)
}
