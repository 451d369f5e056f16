//! `crossvault sources kinds`: who may do what with each type of source.

use clap::Args;
use crossvault_core::{
    catalog::{Deed, Party, data_lies_with, has_client, may},
    ids::SourceKind,
};
use crossvault_embedded::socket::Failure;
use serde_json::{Value, json};

use crate::{
    exit::Exit,
    output::{Output, Table},
};

const LEGEND: &str = "\
M  the backup management account may
R  a resource account may, of its own sources
-  nobody may
A resource account sees and does nothing in Cloud Backup. The snapshots of an ecs-instance lie in
its own account, where its administrators can delete them.";

/// Show what each account may do with each type of source
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault sources kinds
  crossvault sources kinds --kind ecs-instance --json")]
pub struct Kinds {
    /// Only this type: ecs-files, nas …
    #[arg(long, value_name = "TYPE")]
    kind: Option<SourceKind>,
}

/// Runs the command, which needs no home.
pub fn run(output: Output, Kinds { kind }: &Kinds) -> Result<Exit, Failure> {
    let kinds = kind.map_or(SourceKind::ALL.to_vec(), |kind| vec![kind]);
    let value: Vec<Value> = kinds.iter().map(|kind| in_full(*kind)).collect();
    output.answer(&json!({ "answer": "source-kinds", "value": value }), || {
        let table = match kind {
            Some(kind) => of_one(output, *kind),
            None => of_all(output),
        };
        format!("{}\n\n{LEGEND}", table.text())
    })?;
    Ok(Exit::Done)
}

fn of_one(output: Output, kind: SourceKind) -> Table {
    let mut table = output.table(["WHAT", kind.word()]);
    for deed in Deed::ALL {
        table.row([deed.words().into(), who(kind, deed).into()]);
    }
    table
}

fn of_all(output: Output) -> Table {
    let [one, two, three, four, five, six, seven] = SourceKind::ALL.map(SourceKind::word);
    let mut table = output.table(["WHAT", one, two, three, four, five, six, seven]);
    for deed in Deed::ALL {
        let [one, two, three, four, five, six, seven] =
            SourceKind::ALL.map(|kind| who(kind, deed).into());
        table.row([deed.words().into(), one, two, three, four, five, six, seven]);
    }
    table
}

fn who(kind: SourceKind, deed: Deed) -> &'static str {
    match Party::ALL.map(|party| may(party, kind, deed)) {
        [true, true] => "M R",
        [true, false] => "M",
        [false, true] => "R",
        [false, false] => "-",
    }
}

fn in_full(kind: SourceKind) -> Value {
    let of =
        |party| Deed::ALL.into_iter().filter(|deed| may(party, kind, *deed)).collect::<Vec<Deed>>();
    json!({
        "type": kind.word(),
        "code": kind.code(),
        "data_lies_with": data_lies_with(kind),
        "has_client": has_client(kind),
        "management": of(Party::Management),
        "resource": of(Party::Resource),
    })
}
