//! What is expected of a scenario: lines that a person can read, compared as they are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use crossvault_core::{
    explain::Explain,
    ids::VaultId,
    job::{Failure, Outcome, State},
};
use crossvault_handlers::records::{JobWork, Record};

use super::{Names, command_word, deed_word};
use crate::{
    cloud::{Cloud, InvocationId},
    run::{Ending, Event, Trigger, Violation, Watch},
    script::Action,
};

/// What a run should come to; none where nothing is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// How each job ended, the first made first.
    pub jobs: Option<Vec<String>>,
    /// Which points there are, and that their data is whole.
    pub points: Option<Vec<String>>,
    /// What was asked or done in vain, in the order of time.
    pub refused: Option<Vec<String>>,
    /// What people were told, each once.
    pub alerts: Option<Vec<String>>,
    /// What is broken, in a file that keeps a failure.
    pub violation: Option<String>,
}

impl Expect {
    /// Where what was found differs from what is expected; empty when nowhere.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let lists = [
            ("jobs", &self.jobs, &found.jobs),
            ("points", &self.points, &found.points),
            ("refused", &self.refused, &found.refused),
            ("alerts", &self.alerts, &found.alerts),
        ];
        let mut differences = Vec::new();
        for (name, expected, found) in lists {
            if expected.is_some() && expected != found {
                let (expected, found) = (list(expected.as_ref()), list(found.as_ref()));
                differences.push(format!("{name}: expected {expected}, found {found}"));
            }
        }
        if self.violation != found.violation {
            let word = |violation: &Option<String>| {
                violation.as_ref().map_or("none".to_owned(), |one| format!("`{one}`"))
            };
            let (expected, found) = (word(&self.violation), word(&found.violation));
            differences.push(format!("violation: expected {expected}, found {found}"));
        }
        differences
    }
}

fn list(lines: Option<&Vec<String>>) -> String {
    let lines = lines.map_or_else(Vec::new, Clone::clone);
    if lines.is_empty() { "none".to_owned() } else { format!("\n  {}\n ", lines.join("\n  ")) }
}

/// Looks on, and tells in the end what a run came to.
#[derive(Clone, Debug)]
pub struct Finds {
    names: Names,
    asked: BTreeMap<InvocationId, String>,
    refused: Vec<String>,
}

impl Finds {
    /// Begins to look on.
    #[must_use]
    pub fn new(names: Names) -> Self {
        Self { names, asked: BTreeMap::new(), refused: Vec::new() }
    }

    /// What the run came to.
    #[must_use]
    pub fn found(&self, cloud: &Cloud, violation: Option<&Violation>) -> Expect {
        let broken =
            |one: &Violation| format!("{} {}: {}", one.invariant.name(), one.code, one.site);
        Expect {
            jobs: Some(self.jobs(cloud)),
            points: Some(self.points(cloud)),
            refused: Some(self.refused.clone()),
            alerts: Some(self.alerts(cloud)),
            violation: violation.map(broken),
        }
    }

    fn jobs(&self, cloud: &Cloud) -> Vec<String> {
        let mut jobs = Vec::new();
        for (_, row) in cloud.rows.all() {
            if let Record::Job(job) = &row.record {
                jobs.push((job.queued, job_line(&self.names, cloud, &job.work)));
            }
        }
        jobs.sort();
        jobs.into_iter().map(|(_, line)| line).collect()
    }

    fn points(&self, cloud: &Cloud) -> Vec<String> {
        let mut points: Vec<(DateTime<Utc>, String)> = Vec::new();
        for (_, row) in cloud.rows.all() {
            let Record::Point(point) = &row.record else { continue };
            let point = &point.0;
            let vaulted = cloud.storage.vaults.get(&point.vault);
            let snapshot = vaulted.and_then(|vaulted| vaulted.snapshots.get(&point.snapshot));
            let has = |file: &crate::cloud::File| {
                vaulted.is_some_and(|vaulted| vaulted.blobs.contains_key(&file.content))
            };
            let state = match snapshot {
                None => "lost".to_owned(),
                Some(snapshot) if !snapshot.files.iter().all(has) => "damaged".to_owned(),
                Some(snapshot) => format!("{} files", snapshot.files.len()),
            };
            let (of, in_) = (self.names.source_name(&point.source), vault(cloud, &point.vault));
            points.push((point.taken, format!("{of} in {in_}: {state}")));
        }
        points.sort();
        points.into_iter().map(|(_, line)| line).collect()
    }

    fn alerts(&self, cloud: &Cloud) -> Vec<String> {
        let mut told = BTreeSet::new();
        let mut lines = Vec::new();
        for (id, alert) in &cloud.alerts {
            if told.insert(id) {
                let about = match &alert.source {
                    Some(source) => self.names.source_name(source),
                    None => self.names.name(&alert.account).to_owned(),
                };
                let kind = alert.kind.strip_prefix("crossvault.").unwrap_or(&alert.kind);
                lines.push(format!("{kind} of {about}: {}", alert.code));
            }
        }
        lines
    }
}

impl Watch for Finds {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Began { of, trigger: Trigger::Ask { command, .. }, .. } => {
                self.asked.insert(*of, command_word(command));
            }
            Event::Ended { of, ending: Ending::Answered(answer), .. } => {
                let asked = self.asked.remove(of);
                if let (Some(word), Err(code)) = (asked, answer.as_ref()) {
                    self.refused.push(format!("{word}: {code}"));
                }
            }
            Event::Skipped { act, why } => {
                let word = match &act.action {
                    Action::Does(command) => deed_word(&command.deed),
                    Action::Opens { .. } => "opens".to_owned(),
                    Action::Restores { .. } => "restores".to_owned(),
                    Action::Cancels(_) => "cancels".to_owned(),
                    _ => "deletes".to_owned(),
                };
                self.refused.push(format!("{word}: {}", self.names.named(why)));
            }
            _ => {}
        }
        Ok(())
    }
}

/// A job and how it stands, in a line.
#[must_use]
pub fn job_line(names: &Names, cloud: &Cloud, work: &JobWork) -> String {
    let (how, causes) = match work {
        JobWork::Backup(_, state) => (state.name(), causes(state)),
        JobWork::Restore(_, state) => (state.name(), causes(state)),
        JobWork::Erase(_, state) | JobWork::Prune(_, state) => (state.name(), causes(state)),
    };
    let what = job_name(names, cloud, work);
    if causes.is_empty() { format!("{what}: {how}") } else { format!("{what}: {how}, {causes}") }
}

/// What a job is to do, in a few words.
#[must_use]
pub fn job_name(names: &Names, cloud: &Cloud, work: &JobWork) -> String {
    match work {
        JobWork::Backup(backup, _) => format!("backup of {}", names.source_name(&backup.source)),
        JobWork::Restore(restore, _) => {
            let (from, to) = (names.source_name(&restore.from), names.source_name(&restore.to));
            if from == to {
                format!("restore of {from}")
            } else {
                format!("restore of {from} to {to}")
            }
        }
        JobWork::Erase(erase, _) => format!("erase in {}", vault(cloud, &erase.vault)),
        JobWork::Prune(prune, _) => format!("prune of {}", vault(cloud, &prune.vault)),
    }
}

/// The codes of why a job failed.
fn causes<S>(state: &State<S>) -> String {
    let State::Ended(Outcome::Failed(failure)) = state else { return String::new() };
    match failure {
        Failure::Unauthorized(causes) => {
            causes.iter().map(Explain::code).collect::<Vec<_>>().join(", ")
        }
        Failure::Broken(_) | Failure::Exhausted { .. } => failure.root_code().to_owned(),
    }
}

fn vault(cloud: &Cloud, id: &VaultId) -> String {
    let name = cloud.rows.all().find_map(|(_, row)| match &row.record {
        Record::Vault(row) if row.0.id == *id => Some(row.0.name.clone()),
        _ => None,
    });
    name.unwrap_or_else(|| id.to_string())
}
