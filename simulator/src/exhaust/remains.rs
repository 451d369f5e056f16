//! What is left in the end: what a fault from which all must recover leaves no mark on.

use std::collections::{BTreeMap, BTreeSet};

use crossvault_core::{
    explain::Explain,
    schedule::slot::{self, Skip},
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::records::{Job, JobWork, Record};

use crate::cloud::{Cloud, File};

/// What is left: points with their content, jobs and slots with their outcome, bindings, grants,
/// sources. Not times, and not what tells of the way there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// What is so, by what it is said of.
    facts: BTreeMap<String, String>,
    /// Why jobs failed, by job.
    failures: BTreeMap<String, String>,
}

impl Remains {
    /// What is left in a cloud.
    #[must_use]
    pub fn of(cloud: &Cloud) -> Self {
        let mut remains = Self::default();
        for (_, row) in cloud.rows.all() {
            remains.row(cloud, &row.record);
        }
        for held in cloud.contents.all() {
            let files = held.files.as_ref().map(|held| files(held));
            remains.put(format!("source {}", held.source), files.unwrap_or_default());
        }
        remains
    }

    /// The first thing in which another differs, with both.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let keys: BTreeSet<&String> = self.facts.keys().chain(other.facts.keys()).collect();
        let of = |remains: &Self, key: &String| {
            remains.facts.get(key).map_or("not there", String::as_str).to_owned()
        };
        keys.into_iter()
            .map(|key| (key, of(self, key), of(other, key)))
            .find(|(_, one, other)| one != other)
            .map(|(key, one, other)| format!("{key}: {other}, and without the fault {one}"))
    }

    /// Why jobs failed that did not fail so in another.
    #[must_use]
    pub fn failures_beside(&self, other: &Self) -> BTreeSet<String> {
        let is_new = |(job, code): &(&String, &String)| other.failures.get(*job) != Some(*code);
        self.failures.iter().filter(is_new).map(|(_, code)| code.clone()).collect()
    }

    fn put(&mut self, of: String, is: String) {
        self.facts.insert(of, is);
    }

    fn row(&mut self, cloud: &Cloud, record: &Record) {
        match record {
            Record::Job(job) => self.job(job),
            Record::Point(row) => self.point(cloud, &row.0),
            Record::Slot(row) => {
                let is = match &row.outcome {
                    slot::Outcome::Started(_) => "started",
                    slot::Outcome::Skipped(Skip::Paused) => "skipped: paused",
                    slot::Outcome::Skipped(Skip::PredecessorRuns(_)) => "skipped: still runs",
                };
                self.put(format!("slot {} of {}", row.due, row.binding), is.to_owned());
            }
            Record::MissedSlots(row) => {
                let of = format!("gap {} of {}", row.missed.first, row.binding);
                self.put(of, format!("{:?}", row.missed.count));
            }
            Record::Binding(row) => {
                let is = format!("version {}, paused {}", row.0.version, row.0.paused);
                self.put(format!("binding {}", row.0.id), is);
            }
            Record::Grant(row) => {
                let broken = row.0.standing.as_ref().and_then(|standing| standing.broken.as_ref());
                let is = broken.map_or("stands".to_owned(), |causes| causes.code().to_owned());
                self.put(format!("grant {} in {}", row.0.account, row.0.region), is);
            }
            Record::FormerGrant(row) => {
                self.put(
                    format!("grant {} in {}", row.grant.account, row.grant.region),
                    "former".to_owned(),
                );
            }
            Record::Vault(row) => self.put(format!("vault {}", row.0.name), "there".to_owned()),
            Record::Policy(row) => {
                let is = format!("version {}", row.0.version);
                self.put(format!("policy {}", row.0.name), is);
            }
            _ => {}
        }
    }

    fn job(&mut self, job: &Job) {
        let failure = job.work.failure().map(|failure| failure.root_code().to_owned());
        // Which job erases and which gives space back hangs on when it was found out that it can be
        // done, and is no one's concern: what points and vaults hold is.
        let kind = job.work.kind();
        if !matches!(job.work, JobWork::Erase(..) | JobWork::Prune(..)) {
            let is = format!("{} {}", job.work.status(), failure.as_deref().unwrap_or_default());
            self.put(format!("{kind} job {}", job.id), is.trim_end().to_owned());
        }
        if let Some(code) = failure {
            self.failures.insert(job.id.to_string(), code);
        }
    }

    fn point(&mut self, cloud: &Cloud, point: &RecoveryPoint) {
        let vaulted = cloud.storage.vaults.get(&point.vault);
        let snapshot = vaulted.and_then(|vaulted| vaulted.snapshots.get(&point.snapshot));
        let state = match point.state {
            PointState::Available => "available",
            PointState::Expiring { .. } => "expiring",
        };
        let holds = snapshot.map_or("no data".to_owned(), |snapshot| files(&snapshot.files));
        self.put(format!("point {} of {}", point.id, point.source), format!("{state}, {holds}"));
    }
}

/// Files as a few words: two that read alike hold the same.
fn files(files: &[File]) -> String {
    let mut digest = crate::state::Digest::default();
    digest.hash(&files);
    format!("{} files, content {:016x}", files.len(), digest.stand().0)
}
