//! The home that is killed: accounts of both kinds, sources with data, and what is asked for.

use std::path::{Path, PathBuf};

use crossvault_core::{
    ids::{DataSource, JobId},
    restore::{Overwrite, Restore},
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::{
    api::{Answer, Command},
    ports::Stored,
};

use crate::{
    crossvault::{Home, PARTNER, PAYROLL, RESCUE},
    proofs::{
        books::Books,
        server::Asker,
        settled,
        tree::{Seed, fill},
    },
};

/// How many points the driver leaves when it deletes.
const POINTS_KEPT: usize = 3;

/// The most vaults that are made.
const VAULTS_MAX: u64 = 5;

/// How many points are restored when everything has settled.
const RESTORED: usize = 3;

/// A home with sources that never change, and empty targets.
pub struct Stage {
    /// The home and what lies beside it.
    pub home: Home,
    sources: Vec<(DataSource, PathBuf)>,
    targets: Vec<(DataSource, PathBuf)>,
}

fn source(account: &str, id: &str) -> DataSource {
    format!("{account}/cn-hangzhou/ecs-files/{id}").parse().unwrap()
}

impl Stage {
    /// Makes it: payroll is added through the directory, partner by a role.
    pub fn set(seed: &mut Seed) -> Self {
        let home = Home::peopled();
        for account in ["payroll", "rescue"] {
            home.ok(&["accounts", "add", account, "--directory"]);
        }
        home.ok(&["world", "roles", "service-create", "cross-account-backup"]);
        home.ok(&["--account", "partner", "world", "roles", "create", "hbr"]);
        home.ok(&[
            "--account",
            "partner",
            "world",
            "roles",
            "attach",
            "hbr",
            "AliyunHBRRolePolicy",
        ]);
        home.ok(&["accounts", "add", "partner", "--role", "hbr"]);
        let put = |account: &str, id: &str| {
            let folder = home.beside(&format!("{account}-{id}"));
            std::fs::create_dir_all(&folder).unwrap();
            let (id, path) = (format!("ecs-files/{id}"), folder.to_str().unwrap());
            home.ok(&["--account", account, "world", "sources", "add", &id, "--path", path]);
            folder
        };
        let sources = vec![
            (source(PAYROLL, "web"), home.source("payroll")),
            (source(PAYROLL, "db"), put("payroll", "db")),
            (source(PARTNER, "web"), home.source("partner")),
        ];
        for (_, folder) in &sources {
            fill(folder, seed, 1_000, 4);
        }
        let targets = vec![
            (source(RESCUE, "web"), home.source("rescue")),
            (source(PARTNER, "room"), put("partner", "room")),
        ];
        home.ok(&["vaults", "create", "main"]);
        for (name, schedule) in [("nightly", "C|0|0 0 2 * * ?"), ("often", "I|0|PT1M")] {
            let to = ["--vault", "main", "--schedule", schedule, "--keep", "1d", "--keep-latest"];
            home.ok(&[&["policies", "create", name], &to[..]].concat());
        }
        for (source, _) in &sources {
            home.ok(&["bindings", "add", "nightly", &source.to_string()]);
        }
        home.ok(&["bindings", "add", "often", &source(PAYROLL, "db").to_string()]);
        Self { home, sources, targets }
    }

    /// The home's folder.
    pub fn dir(&self) -> PathBuf {
        self.home.dir()
    }

    /// Something to ask for; `number` is used once.
    pub fn wish(
        &self,
        points: &[RecoveryPoint],
        live: &[JobId],
        number: u64,
        seed: &mut Seed,
    ) -> Option<Command> {
        let free: Vec<_> = points
            .iter()
            .filter(|point| point.state == PointState::Available && point.in_use_by.is_empty())
            .collect();
        Some(match seed.below(20) {
            0..=5 => {
                let (source, _) = seed.pick(&self.sources)?;
                let policy = (seed.below(2) == 0).then(|| "nightly".to_owned());
                let vault = policy.is_none().then(|| "main".to_owned());
                Command::BackUp { source: source.clone(), policy, vault }
            }
            6..=11 => self.restore(seed.pick(points)?, &format!("copy-{number}"), seed),
            12..=15 if free.len() > POINTS_KEPT => {
                Command::DeletePoint { point: seed.pick(&free)?.id.clone() }
            }
            12..=15 => return None,
            16..=17 => Command::PruneVault { vault: "main".to_owned() },
            18 => Command::CancelJob { job: seed.pick(live)?.clone() },
            _ => {
                let name = format!("vault-{}", seed.below(VAULTS_MAX));
                Command::CreateVault { name, region: "cn-hangzhou".parse().unwrap() }
            }
        })
    }

    fn restore(&self, point: &RecoveryPoint, into: &str, seed: &mut Seed) -> Command {
        let (to, _) = seed.pick(&self.targets).unwrap();
        Command::Restore {
            point: point.id.clone(),
            to: to.clone(),
            into: into.to_owned(),
            only: None,
            overwrite: Overwrite::Refuse,
        }
    }

    /// Lets the scheduled binding rest, or go on.
    pub fn pause(asker: &Asker, paused: bool) {
        let source = source(PAYROLL, "db");
        let command = Command::PauseBinding { policy: "often".to_owned(), source, paused };
        let token = format!("pause-{}", chrono::Utc::now().timestamp_micros());
        asker.ask(&token.parse().unwrap(), command).unwrap();
    }

    /// Restores some of the points that there are.
    pub fn restore_some(&self, asker: &Asker, books: &mut Books, seed: &mut Seed) {
        let all = Command::ListPoints { source: None, account: None, vault: None };
        let Answer::Points(points) = asker.look(all).unwrap() else { panic!() };
        for _ in 0..RESTORED.min(points.len()) {
            let point = seed.pick(&points).unwrap();
            let into = format!("last-{}", books.asked);
            assert!(books.ask(asker, self.restore(point, &into, seed)));
        }
        for job in books.jobs() {
            asker.ended(&job);
        }
    }

    /// The folder of a target.
    pub fn target(&self, to: &DataSource) -> &Path {
        &self.targets.iter().find(|(target, _)| target == to).unwrap().1
    }

    /// The folder that a restore's point was made of.
    pub fn source_of(&self, rows: &[Stored], restore: &Restore) -> &Path {
        // The point may be gone by now; its job is not.
        let made = settled::jobs(rows).into_iter().find_map(|job| {
            let is_it = crossvault_core::ids::PointId::of_job(&job.id) == restore.point;
            job.work.source().filter(|_| is_it)
        });
        let made = made.unwrap();
        &self.sources.iter().find(|(source, _)| source == made).unwrap().1
    }

    /// No target holds a half-written file.
    pub fn check_targets(&self) {
        for (_, folder) in &self.targets {
            settled::check_no_scraps(folder);
        }
    }

    /// The names of all vaults.
    pub fn vaults(&self) -> Vec<String> {
        let vaults = self.home.ok(&["vaults", "list"]);
        let names = vaults.as_array().unwrap().iter();
        names.map(|view| view["vault"]["name"].as_str().unwrap().to_owned()).collect()
    }
}
