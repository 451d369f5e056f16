//! What must hold of a home when all its jobs have ended and nothing runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command as Program,
};

use chrono::{DateTime, Utc};
use crossvault_core::{ids::VaultId, vault::PointState};
use crossvault_embedded::{
    Embedded,
    files::compare::{CompareOptions, compare},
};
use crossvault_handlers::{
    ports::{Stored, Version},
    records::{
        Job, Record,
        codec::{Place, decode_at},
    },
    retention,
};
use crossvault_tests::sweep::sweep;
use rusqlite::{Connection, OpenFlags};

use crate::crossvault::{BACKUP, Home};

/// All rows of a home that nobody holds.
pub fn rows(home: &Path) -> Vec<Stored> {
    let db = Connection::open_with_flags(
        home.join("state.sqlite"),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .unwrap();
    let mut all = db.prepare("SELECT partition, sort, body FROM rows").unwrap();
    let read = all.query_map((), |row| {
        let place = Place { partition: row.get(0)?, sort: row.get(1)? };
        Ok((place, row.get::<_, String>(2)?))
    });
    let decoded = read.unwrap().map(|row| {
        let (place, body) = row.unwrap();
        Stored { record: decode_at(&place, &body).unwrap(), version: Version(0) }
    });
    decoded.collect()
}

/// The jobs among rows.
pub fn jobs(rows: &[Stored]) -> Vec<&Job> {
    let jobs = rows.iter().filter_map(|stored| match &stored.record {
        Record::Job(job) => Some(&**job),
        _ => None,
    });
    jobs.collect()
}

/// Rows that break no invariant, in a home whose jobs have all ended, each once.
#[track_caller]
pub fn check_rows(rows: &[Stored]) {
    assert_eq!(sweep(rows, &BACKUP.parse().unwrap()), Vec::<String>::new());
    let mut audit: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut made: BTreeSet<&str> = BTreeSet::new();
    for stored in rows {
        match &stored.record {
            Record::Audit(row) => {
                let (what, subject) = (row.record.what.as_str(), row.record.subject.as_str());
                *audit.entry((subject, what)).or_default() += 1;
            }
            Record::Point(row) => {
                assert!(made.insert(row.0.job.as_str()), "two points of one job: {row:?}");
                assert!(matches!(row.0.state, PointState::Available), "{row:?}");
            }
            Record::Outbox(row) => panic!("an effect was never carried out: {row:?}"),
            _ => {}
        }
    }
    for job in jobs(rows) {
        assert!(job.work.is_ended(), "{job:?}");
        let (kind, status) = (job.work.kind(), job.work.status().to_lowercase());
        let of = |what: &str| audit.get(&(job.id.as_str(), what)).copied().unwrap_or_default();
        assert_eq!(of(&format!("{kind}.created")), 1, "{job:?}");
        assert_eq!(of(&format!("{kind}.{status}")), 1, "{job:?}");
        let all = audit.iter().filter(|((subject, what), _)| {
            *subject == job.id.as_str() && what.starts_with(&format!("{kind}."))
        });
        assert_eq!(all.map(|(_, count)| count).sum::<u64>(), 2, "{job:?}");
    }
}

/// Lets retention run, and compares what the vaults hold with the points: neither more nor less.
#[track_caller]
pub fn check_snapshots(home: &Path) {
    let engine = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    engine.block_on(async {
        let platform = Embedded::open(home).await.unwrap();
        retention::run(&platform, DateTime::<Utc>::MAX_UTC).await.unwrap();
        for vault in retention::vaults(&platform).await.unwrap() {
            let points = retention::points(&platform, &vault).await.unwrap();
            let named: BTreeSet<_> = points.into_iter().map(|(row, _)| row.0.snapshot).collect();
            let sealed = platform.vault(&vault).unwrap().sealed().unwrap();
            let held: BTreeSet<_> = sealed.iter().map(|one| one.snapshot.to_string()).collect();
            assert_eq!(named, held, "vault {vault}");
        }
    });
}

/// Two folders that hold the same, byte for byte, with modes, times and links.
#[track_caller]
pub fn check_equal(source: &Path, restored: &Path) {
    let differences = compare(source, restored, CompareOptions::default()).unwrap();
    assert!(differences.is_empty(), "{}: {differences:?}", restored.display());
}

/// No restore left a half-written file anywhere below the folder.
#[track_caller]
pub fn check_no_scraps(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(!name.starts_with(".crossvault-"), "{}", entry.path().display());
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
}

/// The vault is whole by our own check, and by a stock `restic` where there is one.
#[track_caller]
pub fn check_vault(home: &Home, name: &str) {
    home.run(&["vaults", "check", name, "--read-data"]).exits(0);
    if let Some(restic) = Restic::of(home, name) {
        restic.run(&["check", "--read-data"]);
    }
}

/// A stock `restic` that has a vault's key.
pub struct Restic {
    repository: PathBuf,
    key: PathBuf,
}

impl Restic {
    /// Exports the vault's key, once; none where there is no `restic`, which is said.
    #[track_caller]
    pub fn of(home: &Home, name: &str) -> Option<Self> {
        if Program::new("restic").arg("version").output().is_err() {
            println!("skipped: there is no `restic` (apt-get install restic)");
            return None;
        }
        let vaults = home.ok(&["vaults", "list"]);
        let is_it = |vault: &&serde_json::Value| vault["vault"]["name"] == name;
        let id = vaults.as_array().unwrap().iter().find(is_it).unwrap()["vault"]["id"].clone();
        let id: VaultId = id.as_str().unwrap().parse().unwrap();
        let key = home.beside(&format!("{id}.password"));
        if !key.exists() {
            home.ok(&["vaults", "export-key", name, "--to", key.to_str().unwrap()]);
        }
        Some(Self { repository: home.dir().join("vaults").join(id.as_str()), key })
    }

    /// Runs it, which must succeed, and returns what it wrote.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut program = Program::new("restic");
        program.arg("--no-cache").arg("-r").arg(&self.repository);
        let output =
            program.arg("--password-file").arg(&self.key).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (out, complaint) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "restic {arguments:?}: {out}\n{complaint}");
        out
    }
}
