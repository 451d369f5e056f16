//! `crossvault init`

use clap::Args;
use crossvault_core::ids::{AccountId, Region};
use crossvault_embedded::{Settings, socket::Failure};
use serde_json::json;

use crate::{arguments::Globals, exit::Exit, local, output::printable};

/// The region of a home for which none is named.
const REGION: &str = "cn-hangzhou";

/// Make a home: an empty local world with the backup management account in it
///
/// The home holds the state, the vaults and their keys, and is readable for its owner alone.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault init
  crossvault --home /srv/crossvault --region cn-shanghai init --management 1000000000000001 --name vaults")]
pub struct Arguments {
    /// The id of the backup management account
    #[arg(long, value_name = "ID", default_value = "1000000000000001")]
    management: AccountId,

    /// Its display name
    #[arg(long, value_name = "NAME", default_value = "backup")]
    name: String,
}

/// Makes the home.
pub fn run(globals: &Globals, arguments: &Arguments) -> Result<Exit, Failure> {
    let region = match &globals.region {
        Some(region) => region.clone(),
        None => REGION.parse::<Region>()?,
    };
    let settings = Settings { management: arguments.management.clone(), region };
    let home = local::create(&globals.home, &settings, &arguments.name)?;
    let output = globals.output();
    let Settings { management, region } = &settings;
    let answer = json!({
        "answer": "home",
        "value": { "home": home, "management": management, "name": arguments.name, "region": region }
    });
    output.answer(&answer, || {
        let name = printable(&arguments.name);
        format!(
            "made the home `{}`\n  backup management account  {name} ({management})\n  region                     {region}",
            home.display()
        )
    })?;
    output.note("next: open accounts with `crossvault world accounts add`, then make a vault with `crossvault vaults create`");
    Ok(Exit::Done)
}
