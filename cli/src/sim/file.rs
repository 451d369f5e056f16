//! Scenario files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crossvault_core::explain::Explain;
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::{
    run::Violation,
    scenario::{self, NoStage, Scenario},
};

use crate::input::{name, read_text};

/// Reads a scenario.
pub fn read(file: &Path) -> Result<Scenario, Failure> {
    let text = read_text(file)?;
    scenario::read(&text).map_err(|wrong| {
        let message = format!("{}: {wrong}", name(file));
        Failure::new(Kind::Usage, wrong.code(), message, wrong.remedy())
    })
}

/// Writes a scenario where people keep it.
pub fn keep(scenario: &Scenario, file: &Path) -> Result<(), Failure> {
    fs::write(file, scenario::write(scenario)).map_err(|error| {
        Failure::new(
            Kind::Platform,
            "SCENARIO_UNWRITABLE",
            format!("{} can't be written: {error}", file.display()),
            "Name another place, or make space there.",
        )
    })
}

/// The files that are named, and those that lie in named folders, in order.
pub fn all(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
            let mut inside: Vec<PathBuf> =
                entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
            inside.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
            inside.sort();
            files.append(&mut inside);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        return Err(Failure::new(
            Kind::Usage,
            "SCENARIOS_NONE",
            "there is no scenario in what was named, which proves nothing",
            "Name scenario files, or folders that have some.",
        ));
    }
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Kind::Usage,
        "DOCUMENT_UNREADABLE",
        format!("`{}` can't be read: {error}", path.display()),
        "Name a folder that can be read.",
    )
}

/// A scenario that has no stage.
pub fn no_stage(file: &Path, error: &NoStage) -> Failure {
    Failure::new(
        Kind::Usage,
        "SIM_NO_STAGE",
        format!("{}: {error}", name(file)),
        "Mend what the scenario sets up: it must work while nothing goes wrong.",
    )
}

/// What is broken, in a line.
pub fn broken(violation: &Violation) -> String {
    let Violation { invariant, code, site, says } = violation;
    format!("{}: {code} ({site}): {says}", invariant.name())
}
