//! What one event costs that touches ten grants, among a hundred, a thousand and ten thousand.
//!
//! A control policy is attached to the folder in which ten accounts lie; the event is heard, and all
//! that comes of it is carried out: ten looks at the cloud. The goal is a time in proportion to the
//! ten, whatever else was added.
//!
//! `cargo bench -p crossvault-benches --bench directory_event`; with `-- --quick` it is shorter.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "a bench is no test to clippy, and ends like one"
)]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use criterion::Criterion;
use crossvault_core::{
    grant::Method,
    ids::{AccountId, Region},
};
use crossvault_handlers::{
    api::{Command, handle},
    directory,
    enqueue::OUTBOX_SHARD,
    outbox,
    ports::Message,
};
use crossvault_simulator::world::{Answer, Deed};
use crossvault_tests::platform::{Platform, run};

const ROLE: &str = "hbrcrossrole";

/// How many grants the event touches.
const TOUCHED: u64 = 10;

/// How many there are.
const SIZES: [u64; 3] = [100, 1_000, 10_000];

/// The most that the largest may cost, in times of the smallest.
const GOAL: f64 = 2.0;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut times = Vec::new();
    for size in SIZES {
        let stage = Stage::of(size);
        let mut each = Vec::new();
        criterion.bench_function(&format!("{TOUCHED} of {size}"), |bencher| {
            bencher.iter_custom(|rounds| {
                let total: Duration = (0..rounds).map(|_| stage.hear()).sum();
                each.push(total.as_secs_f64() / rounds as f64);
                total
            });
        });
        each.sort_by(f64::total_cmp);
        // Nothing was measured where criterion's filter leaves it out.
        times.extend(each.first().map(|&least| (size, least)));
    }
    print(&times);
}

/// Says how the least times compare.
fn print(times: &[(u64, f64)]) {
    let Some((_, first)) = times.first() else { return };
    println!("{:>8}  {:>12}  {:>6}", "grants", "an event", "ratio");
    for (size, time) in times {
        println!("{size:>8}  {:>9.3} ms  {:>6.2}", time * 1e3, time / first);
    }
    println!("goal: the ten decide, so the last ratio is near 1 and below {GOAL}");
}

/// A management account with many members added by role, ten of them in a folder.
struct Stage {
    platform: Platform,
    management: AccountId,
    /// That a control policy was attached to the folder.
    event: String,
}

impl Stage {
    fn of(size: u64) -> Self {
        let management = account(0);
        let now: DateTime<Utc> = "2026-03-02T12:00:00Z".parse().unwrap();
        let platform = Platform::new(&management, now).unwrap();
        let members: Vec<AccountId> = (1..=size).map(account).collect();
        for member in &members {
            platform.open(member, &[]).unwrap();
        }
        platform.organize(&members).unwrap();
        platform.agree().unwrap();
        let does = |deed| platform.does(&management, deed).unwrap();
        does(Deed::EnableControlPolicy);
        let folder = Deed::CreateFolder { parent: None, name: "finance".to_owned() };
        let Answer::Folder(folder) = does(folder) else { panic!("no folder") };
        for member in (1..=TOUCHED).map(account) {
            does(Deed::MoveMember { account: member, folder: folder.clone() });
        }
        let document =
            r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"rds:*","Resource":"*"}]}"#;
        let put =
            Deed::PutControlPolicy { name: "no-rds".to_owned(), document: document.to_owned() };
        let Answer::ControlPolicy(policy) = does(put) else { panic!("no control policy") };
        let attach = Deed::AttachControlPolicy { policy, target: folder };
        let (_, events) = platform.tells(&management, attach).unwrap();
        let [event] = events.as_slice() else { panic!("one event") };
        let event = event.json.clone();
        let stage = Self { platform, management, event };
        for member in &members {
            stage.add(member);
        }
        stage.work();
        stage
    }

    fn add(&self, member: &AccountId) {
        self.platform.trust(member, &ROLE.parse().unwrap(), "AliyunHBRRolePolicy").unwrap();
        let command = Command::AddAccount {
            account: member.clone(),
            region: "cn-hangzhou".parse::<Region>().unwrap(),
            method: Method::Role { name: ROLE.parse().unwrap() },
            alias: String::new(),
            consent: false,
        };
        let token = format!("add-{member}").parse().unwrap();
        run(handle(&self.platform, &self.management, &token, command)).unwrap();
    }

    /// Hears the event and carries out what comes of it: how long that took.
    fn hear(&self) -> Duration {
        let begun = Instant::now();
        run(directory::run(&self.platform, &self.event, DateTime::<Utc>::MAX_UTC)).unwrap();
        let looked = self.work();
        let took = begun.elapsed();
        assert_eq!(looked, TOUCHED, "the event touches those in the folder");
        took
    }

    /// Carries out all that waits: how many grants were looked at.
    fn work(&self) -> u64 {
        let mut looked = 0_u64;
        loop {
            let stop_at = DateTime::<Utc>::MAX_UTC;
            run(outbox::drain(&self.platform, OUTBOX_SHARD, stop_at)).unwrap();
            let messages = self.platform.sent();
            if messages.is_empty() {
                return looked;
            }
            for message in messages {
                let Message::Recheck { account, region, hint } = message else { continue };
                let one = run(directory::recheck(&self.platform, &account, &region, &hint));
                looked = looked.saturating_add(one.unwrap().grants);
            }
        }
    }
}

fn account(number: u64) -> AccountId {
    format!("{:016}", 1_000_000_000_000_000_u64.saturating_add(number)).parse().unwrap()
}
