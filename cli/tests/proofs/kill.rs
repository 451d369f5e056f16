//! `crossvault up` is killed at random moments, again and again, while it is asked for everything.
//!
//! `CROSSVAULT_KILLS` says how often (default 6), `CROSSVAULT_SEED` from which seed.

mod begun;
mod canceled;
mod moment;
mod stage;

use std::{
    collections::BTreeSet,
    env,
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use crossvault_core::ids::JobId;
use crossvault_handlers::{
    api::{Answer, Command},
    records::JobWork,
};

use self::{
    moment::{Moment, Seen},
    stage::Stage,
};
use super::{
    books::{Books, is_lost},
    server::{Asker, PATIENCE, Server, pause},
    settled,
    tree::Seed,
};

/// How many jobs may live before nothing more is asked for.
const JOBS_MAX: usize = 8;

/// How often everything is settled and checked, in kills.
const SETTLE_EVERY: u64 = 10;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn a_kill_at_any_time_loses_nothing_and_repeats_nothing() {
    let (kills, seed) = (setting("CROSSVAULT_KILLS", 6), setting("CROSSVAULT_SEED", 1));
    let mut seed = Seed(seed);
    let stage = Stage::set(&mut seed);
    let books = Mutex::new(Books::default());
    for kill in 1..=kills {
        let moment = Moment::any(&mut seed);
        println!("kill {kill} of {kills}: {moment:?}");
        let begun = Instant::now();
        round(&stage, &books, &mut seed, &moment);
        println!(
            "  after {:?}, {} promises",
            begun.elapsed(),
            books.lock().unwrap().promises.len()
        );
        if kill % SETTLE_EVERY == 0 || kill == kills {
            settle(&stage, &mut books.lock().unwrap(), &mut seed);
        }
    }
    let books = books.into_inner().unwrap();
    println!("{} lost answers came again, refused: {:?}", books.lost, books.refusals);
}

/// Starts the process, looks whether everything is there, asks for more, and kills it.
fn round(stage: &Stage, books: &Mutex<Books>, seed: &mut Seed, moment: &Moment) {
    let server = Server::start(&stage.dir());
    if let Moment::Starting(after) = moment {
        server.is_ready_within(*after);
        server.kill();
        return;
    }
    assert!(server.is_ready_within(PATIENCE));
    let asker = server.asker();
    books.lock().unwrap().check(&asker);
    let (tell, happenings) = mpsc::channel();
    let mut wishes = Seed(seed.next());
    thread::scope(|scope| {
        let asking = scope.spawn(move || {
            while ask(stage, &asker, &mut books.lock().unwrap(), &mut wishes, &tell) {
                pause(Duration::from_millis(wishes.below(60)));
            }
        });
        moment.come(&happenings);
        server.kill();
        asking.join().unwrap();
    });
}

/// Looks at the jobs, and asks for something; false when the process is gone.
fn ask(
    stage: &Stage,
    asker: &Asker,
    books: &mut Books,
    seed: &mut Seed,
    tell: &mpsc::Sender<Seen>,
) -> bool {
    let jobs = match asker.look(Command::ListJobs { account: None, limit: 50 }) {
        Ok(Answer::Jobs(jobs)) => jobs,
        Ok(other) => panic!("{other:?}"),
        Err(failure) if is_lost(&failure) => return false,
        Err(failure) => panic!("{failure:?}"),
    };
    let live: Vec<_> = jobs.iter().filter(|job| !job.ended).collect();
    for job in live.iter().filter(|job| job.status == "RUNNING") {
        // The moment may have come already.
        let _ = tell.send(Seen::Running(job.kind.clone()));
    }
    if !books.look(asker) {
        return false;
    }
    let live: Vec<JobId> = live.into_iter().map(|job| job.id.clone()).collect();
    if live.len() >= JOBS_MAX {
        return true;
    }
    let points = match asker.look(Command::ListPoints { source: None, account: None, vault: None })
    {
        Ok(Answer::Points(points)) => points,
        Ok(other) => panic!("{other:?}"),
        Err(_) => return false,
    };
    let Some(command) = stage.wish(&points, &live, books.asked, seed) else { return true };
    let _ = tell.send(Seen::Asking(kind(&command)));
    books.ask(asker, command)
}

fn kind(command: &Command) -> &'static str {
    match command {
        Command::BackUp { .. } => "backup",
        Command::Restore { .. } => "restore",
        Command::DeletePoint { .. } => "erase",
        Command::PruneVault { .. } => "prune",
        Command::CreateVault { .. } => "vault",
        _ => "other",
    }
}

/// Lets all jobs end, and checks all that must hold then.
fn settle(stage: &Stage, books: &mut Books, seed: &mut Seed) {
    let server = Server::ready(&stage.dir());
    let asker = server.asker();
    books.check(&asker);
    Stage::pause(&asker, true);
    let begun = Instant::now();
    for job in books.jobs() {
        asker.ended(&job);
    }
    let all_ended = || {
        let jobs = asker.look(Command::ListJobs { account: None, limit: 99 }).unwrap();
        matches!(jobs, Answer::Jobs(jobs) if jobs.iter().all(|job| job.ended))
    };
    while !all_ended() {
        assert!(begun.elapsed() < PATIENCE);
        pause(Duration::from_millis(50));
    }
    println!("  settled after {:?}", begun.elapsed());
    stage.restore_some(&asker, books, seed);
    server.stop();

    let rows = settled::rows(&stage.dir());
    settled::check_rows(&rows);
    let canceled = books.canceled();
    let mut kinds: BTreeSet<&str> = BTreeSet::new();
    for job in settled::jobs(&rows) {
        match job.work.status() {
            "COMPLETE" => {}
            "CANCELED" => assert!(canceled.contains(&job.id), "nobody asked for it: {job:?}"),
            _ => panic!("{job:?}"),
        }
        kinds.insert(job.work.kind());
        if let JobWork::Restore(restore, _) = &job.work {
            let target = stage.target(&restore.to).join(&restore.into);
            if job.work.status() == "COMPLETE" {
                settled::check_equal(stage.source_of(&rows, restore), &target);
            }
        }
    }
    stage.check_targets();
    settled::check_snapshots(&stage.dir());
    for vault in stage.vaults() {
        settled::check_vault(&stage.home, &vault);
    }
    println!("  {} jobs of {kinds:?} in order", settled::jobs(&rows).len());
    let server = Server::ready(&stage.dir());
    Stage::pause(&server.asker(), false);
    server.stop();
}
