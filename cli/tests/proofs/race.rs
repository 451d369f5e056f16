//! What happens at the same time is right, or refused with the reason.
//!
//! `CROSSVAULT_RACES` says how often (default 2), `CROSSVAULT_SEED` from which seed.

use std::{env, fs, path::PathBuf, process::Command as Program, thread, time::Duration};

use crossvault_core::{
    ids::{DataSource, JobId},
    restore::Overwrite,
    vault::{PointState, RecoveryPoint},
};
use crossvault_embedded::socket::Kind;
use crossvault_handlers::api::{Answer, Command};

use super::{
    server::{Asker, Server, pause},
    settled,
    tree::{Seed, fill},
};
use crate::crossvault::{Home, PAYROLL, RESCUE};

/// How many points stay for the next try.
const POINTS_KEPT: usize = 3;

struct Race {
    home: Home,
    web: DataSource,
    db: DataSource,
    target: DataSource,
    asked: u64,
}

impl Race {
    fn set(seed: &mut Seed) -> Self {
        let home = Home::ready();
        let folder = home.beside("db");
        let put = ["--account", "payroll", "world", "sources", "add", "ecs-files/db", "--path"];
        fill(&folder, seed, 200, 2);
        home.ok(&[&put[..], &[folder.to_str().unwrap()]].concat());
        let source = |account, id| format!("{account}/cn-hangzhou/ecs-files/{id}").parse().unwrap();
        let (web, db) = (source(PAYROLL, "web"), source(PAYROLL, "db"));
        Self { home, web, db, target: source(RESCUE, "web"), asked: 0 }
    }

    /// Asks for a job; none when it is refused with one of these codes.
    #[track_caller]
    fn begin(&mut self, asker: &Asker, command: &Command, refusals: &[&str]) -> Option<JobId> {
        self.asked += 1;
        let token = format!("race-{}", self.asked).parse().unwrap();
        match asker.ask(&token, command.clone()) {
            Ok(Answer::JobStarted(job)) => Some(job),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => {
                let is_known = refusals.contains(&failure.code.as_str());
                assert!(is_known && failure.kind == Kind::Refused, "{command:?}: {failure:?}");
                None
            }
        }
    }

    fn back_up(source: &DataSource) -> Command {
        Command::BackUp { source: source.clone(), policy: None, vault: Some("main".to_owned()) }
    }

    fn restore(&self, point: &RecoveryPoint, into: &str) -> Command {
        Command::Restore {
            point: point.id.clone(),
            to: self.target.clone(),
            into: into.to_owned(),
            only: None,
            overwrite: Overwrite::Refuse,
        }
    }

    /// Gives both sources new content, and keeps a copy of it under the try's number.
    fn change(&self, number: u64, seed: &mut Seed) {
        for folder in [self.home.source("payroll"), self.home.beside("db")] {
            let large = folder.join("large");
            let _ = fs::remove_dir_all(&large);
            fill(&folder, seed, 20, 2);
            let copy =
                self.home.beside(&format!("{}-{number}", folder.file_name().unwrap().display()));
            let copied = Program::new("cp").arg("-a").args([&folder, &copy]).status().unwrap();
            assert!(copied.success());
        }
    }

    /// The content that a point was made of.
    fn content(&self, point: &RecoveryPoint, number: u64) -> PathBuf {
        let name = if point.source == self.db { "db" } else { "payroll" };
        self.home.beside(&format!("{name}-{number}"))
    }
}

fn points(asker: &Asker) -> Vec<RecoveryPoint> {
    let all = Command::ListPoints { source: None, account: None, vault: None };
    let Answer::Points(points) = asker.look(all).unwrap() else { panic!() };
    points
}

#[test]
fn prune_backup_restore_and_deletion_at_once_are_right_or_refused() {
    let setting = |name: &str, default| {
        env::var(name).ok().map_or(default, |text: String| text.parse().unwrap())
    };
    let (tries, mut seed) = (setting("CROSSVAULT_RACES", 2), Seed(setting("CROSSVAULT_SEED", 1)));
    let mut race = Race::set(&mut seed);
    let server = Server::ready(&race.home.dir());
    let asker = server.asker();
    // Which try made a point.
    let mut made = std::collections::BTreeMap::new();
    for number in 1..=tries {
        race.change(number, &mut seed);
        let mut jobs = Vec::new();
        let before = points(&asker);
        let wait = |seed: &mut Seed| pause(Duration::from_micros(seed.below(250_000)));

        // Two backups of one source at once.
        let both: Vec<_> = thread::scope(|scope| {
            let ask = |name: &'static str| {
                let (asker, token) = (server.asker(), format!("both-{number}-{name}"));
                let web = Race::back_up(&race.web);
                move || asker.ask(&token.parse().unwrap(), web)
            };
            let two = [scope.spawn(ask("one")), scope.spawn(ask("two"))];
            two.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for answer in both {
            match answer {
                Ok(Answer::JobStarted(job)) => jobs.push(job),
                Err(failure) => assert_eq!(failure.code, "SOURCE_BUSY", "{failure:?}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(!jobs.is_empty(), "both were refused");

        // A restore, the deletion of the same point, and of another one; a prune; a backup.
        if let Some(oldest) = before.last() {
            let restore = race.restore(oldest, &format!("race-{number}"));
            jobs.extend(race.begin(&asker, &restore, &[]));
            wait(&mut seed);
            let delete = Command::DeletePoint { point: oldest.id.clone() };
            jobs.extend(race.begin(&asker, &delete, &["POINT_IN_USE"]));
        }
        wait(&mut seed);
        let prune = Command::PruneVault { vault: "main".to_owned() };
        jobs.extend(race.begin(&asker, &prune, &[]));
        for point in before.iter().skip(POINTS_KEPT) {
            let delete = Command::DeletePoint { point: point.id.clone() };
            jobs.extend(race.begin(
                &asker,
                &delete,
                &["POINT_IN_USE", "POINT_NOT_AVAILABLE", "UNKNOWN"],
            ));
        }
        wait(&mut seed);
        let db = Race::back_up(&race.db);
        jobs.extend(race.begin(&asker, &db, &["SOURCE_BUSY"]));
        if let Some(point) = before.first() {
            let restore = race.restore(point, &format!("late-{number}"));
            jobs.extend(race.begin(&asker, &restore, &["POINT_NOT_AVAILABLE", "UNKNOWN"]));
        }
        jobs.extend(race.begin(&asker, &prune, &[]));
        for job in &jobs {
            let ended = asker.ended(job);
            assert_eq!(ended.status, "COMPLETE", "try {number}: {ended:?}");
        }

        let after = points(&asker);
        for point in &after {
            made.entry(point.id.clone()).or_insert(number);
        }
        race.home.run(&["vaults", "check", "main", "--read-data"]).exits(0);
        if let Some(restic) = settled::Restic::of(&race.home, "main") {
            restic.run(&["check", "--read-data", "--no-lock"]);
        }
        for (place, point) in after.iter().enumerate() {
            assert_eq!(point.state, PointState::Available);
            let into = format!("point-{number}-{place}");
            let job = race.begin(&asker, &race.restore(point, &into), &[]).unwrap();
            assert_eq!(asker.ended(&job).status, "COMPLETE");
            let restored = race.home.source("rescue").join(into);
            settled::check_equal(&race.content(point, made[&point.id]), &restored);
        }
        for folder in fs::read_dir(race.home.source("rescue")).unwrap() {
            fs::remove_dir_all(folder.unwrap().path()).unwrap();
        }
        println!("try {number} of {tries}: {} jobs, {} points in order", jobs.len(), after.len());
    }
    server.stop();
    settled::check_rows(&settled::rows(&race.home.dir()));
    settled::check_snapshots(&race.home.dir());
}
