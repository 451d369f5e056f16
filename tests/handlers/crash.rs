//! Every call of a scenario fails or dies once, before and after its effect; and nothing is lost,
//! nothing is done twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use crossvault_core::{grant::Method, ids::PointId};
use crossvault_handlers::{
    api::Command,
    enqueue::OUTBOX_DEAD,
    records::{GrantRow, Record, Send},
};

use crate::{
    removal::REMOVAL,
    stage::{FAULTS, Fault, Stage, Strike},
    words::{
        MEMBER, PAYROLL, RESCUE, account, at, back_up, bind, cancel, create_vault, delete, job_of,
        prune, region, restore, seconds, source, update,
    },
};

/// A story with an end that no single fault may change.
pub struct Scenario {
    pub set_up: fn(&Stage),
    pub play: fn(&Stage),
    /// Methods that the story must call: each of their calls is struck.
    pub methods: &'static [&'static str],
}

const STORE: [&str; 3] = ["get", "range", "commit"];

/// What is so in the end, in words.
pub fn ending(stage: &Stage) -> Vec<String> {
    let mut words = Vec::new();
    for record in stage.records() {
        match record {
            Record::Job(job) => {
                let why = job.work.failure().map(|failure| failure.root_code().to_owned());
                words.push(format!("{} {} {}", job.id, job.work.status(), why.unwrap_or_default()));
            }
            Record::Point(row) => {
                words.push(format!("{} of {} {}", row.0.id, row.0.job, row.0.status()));
            }
            Record::Slot(row) => words.push(format!("slot {} {}", row.due, row.outcome)),
            Record::MissedSlots(row) => words.push(row.missed.to_string()),
            Record::Gate(row) => words.push(format!("gate {:?}", row.gate)),
            // A plan tells which jobs run at its moment.
            Record::Request(row) if row.answer.contains("removal") => {
                words.push(format!("request {}", row.token));
            }
            Record::Request(row) => words.push(format!("request {} {}", row.token, row.answer)),
            Record::Binding(row) => {
                words.push(format!("next {:?} v{}", row.0.next, row.0.version));
            }
            Record::FormerGrant(row) => {
                words.push(format!("{} is off the list", row.grant.account));
            }
            Record::Outbox(row) => words.push(format!("outbox {row:?}")),
            Record::Review(row) => {
                let codes: Vec<&str> =
                    row.findings.iter().map(|noted| noted.found.code.as_str()).collect();
                words.push(format!("review of {} {codes:?}", row.account));
            }
            Record::Grant(GrantRow(grant)) => {
                let standing = grant.standing.as_ref().unwrap();
                let broken = standing.broken.as_ref().map(ToString::to_string);
                words.push(format!("{} r{} {broken:?}", grant.account, standing.revision));
            }
            Record::Policy(row) => words.push(format!("policy {} v{}", row.0.name, row.0.version)),
            Record::Due(_)
            | Record::Busy(_)
            | Record::Latest(_)
            | Record::PolicyVersion(_)
            | Record::PolicyBinding(_)
            | Record::AccountBinding(_)
            | Record::Dependent(_)
            | Record::ReviewRound(_)
            | Record::Failures(_)
            | Record::JobRef(_)
            | Record::Turn(_)
            | Record::Waiting(_)
            | Record::GrantRef(_)
            | Record::Vault(_)
            | Record::Use(_)
            | Record::PointRef(_)
            | Record::Audit(_)
            | Record::Name(_) => {}
        }
    }
    let alerts: BTreeSet<String> =
        stage.state().alerts.iter().map(|(id, alert)| format!("{id} {}", alert.code)).collect();
    // An alert's id names the revision of the job, which a fault may raise.
    words.push(format!("{} alerts", alerts.len()));
    words
}

/// What must be so in the end, whatever the story.
pub fn check(stage: &Stage) {
    stage.sweep();
    for held in ["Busy", "Turn", "Use", "Waiting"] {
        assert_eq!(stage.count(held), 0, "{held}");
    }
    let mut audit: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut points: BTreeMap<String, u32> = BTreeMap::new();
    for record in stage.records() {
        match record {
            Record::Audit(row) => {
                *audit.entry((row.record.subject, row.record.what)).or_default() += 1;
            }
            Record::Point(row) => *points.entry(row.0.job.to_string()).or_default() += 1,
            Record::Outbox(row) => {
                assert!(row.shard != OUTBOX_DEAD, "{row:?}");
                assert!(matches!(row.send, Send::Alert(_)) || row.attempts > 0, "{row:?}");
            }
            _ => {}
        }
    }
    for ((subject, what), count) in &audit {
        assert_eq!(*count, 1, "{subject} {what}");
    }
    for (job, count) in &points {
        assert_eq!(*count, 1, "points of {job}");
    }
    for job in stage.jobs() {
        let (id, kind, status) = (job.id.to_string(), job.work.kind(), job.work.status());
        assert!(job.work.is_ended(), "{id} is {status}");
        let has = |what: String| audit.contains_key(&(id.clone(), what));
        assert!(has(format!("{kind}.created")), "{id}");
        assert!(has(format!("{kind}.{}", status.to_lowercase())), "{id}");
        let told: BTreeSet<_> = stage
            .state()
            .alerts
            .iter()
            .filter(|(_, alert)| alert.job.as_ref() == Some(&job.id))
            .map(|(effect, _)| effect.clone())
            .collect();
        let is_bad = matches!(status, "FAILED" | "PARTIAL_COMPLETE");
        assert_eq!(told.len(), usize::from(is_bad), "alerts of {id}");
    }
    check_data(stage);
}

/// Each point has its data, sound; and what no point names is swept.
fn check_data(stage: &Stage) {
    stage.retain();
    let state = stage.state();
    let mut named = BTreeSet::new();
    for stored in state.records() {
        if let Record::Point(row) = stored {
            let datum = state.transfers.data.iter().find(|d| d.snapshot == row.0.snapshot);
            assert!(datum.is_some_and(|datum| datum.is_sound), "the data of {}", row.0.id);
            named.insert(row.0.snapshot.clone());
        }
    }
    for datum in &state.transfers.data {
        assert!(named.contains(&datum.snapshot), "{datum:?} is left");
    }
}

impl Scenario {
    fn stage(&self) -> Stage {
        let stage = Stage::new();
        (self.set_up)(&stage);
        stage
    }

    /// Plays it under these strikes, from a copy of the stage.
    fn run(&self, stage: &Stage, strikes: &[Strike]) -> (Vec<String>, Vec<&'static str>) {
        let stage = stage.fork(strikes);
        (self.play)(&stage);
        let calls = stage.state().calls.clone();
        stage.state().calm();
        let ending = ending(&stage);
        check(&stage);
        (ending, calls)
    }

    fn strike(&self, stage: &Stage, boring: &[String], strikes: &[Strike]) {
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (ending, _) = self.run(stage, strikes);
            assert_eq!(boring, ending, "undisturbed, and struck");
        }));
        if let Err(panic) = told {
            eprintln!("struck by {strikes:?}");
            std::panic::resume_unwind(panic);
        }
    }

    /// Strikes every call once with every fault. Returns how many runs were made.
    fn exhaust(&self) -> usize {
        let stage = self.stage();
        let (boring, calls) = self.run(&stage, &[]);
        for method in self.methods {
            assert!(calls.contains(method), "{method} is never called: {calls:?}");
        }
        let mut runs = 0;
        for n in 1..=calls.len() {
            for fault in FAULTS {
                self.strike(&stage, &boring, &[(n, fault)]);
                runs += 1;
            }
        }
        assert_eq!(runs, calls.len() * FAULTS.len());
        assert!(runs > 0);
        runs
    }

    /// Strikes every two calls with every two of these faults.
    fn exhaust_pairs(&self, faults: &[Fault]) -> usize {
        let stage = self.stage();
        let (boring, calls) = self.run(&stage, &[]);
        let mut runs = 0;
        // The second may be one that only the first fault brings about.
        for n in 1..=calls.len() {
            for m in n + 1..=calls.len() + 8 {
                for one in faults {
                    for other in faults {
                        self.strike(&stage, &boring, &[(n, *one), (m, *other)]);
                        runs += 1;
                    }
                }
            }
        }
        runs
    }
}

pub fn ask(stage: &Stage, name: &str, command: &Command) {
    stage.ask_under(name, command).unwrap();
}

const BACKUP: Scenario = Scenario {
    set_up: |_| {},
    play: |stage| {
        ask(stage, "backup", &back_up(&source(PAYROLL, 1)));
        stage.settle();
    },
    methods: &[
        "get", "range", "commit", "send", "own", "assume", "role", "describe", "advance", "halt",
    ],
};

const PAUSES: Scenario = Scenario {
    set_up: |stage| {
        let mut state = stage.state();
        state.pace.step = seconds(20);
        state.transfers.lengths.insert(account(PAYROLL), 9);
    },
    ..BACKUP
};

/// The role goes while the backup moves.
const REFUSED: Scenario = Scenario {
    set_up: |stage| {
        stage.state().transfers.lengths.insert(account(PAYROLL), 9);
    },
    play: |stage| {
        stage.before("advance", 3, |stage| {
            stage.state().cloud.role(&account(PAYROLL)).exists = false;
        });
        ask(stage, "backup", &back_up(&source(PAYROLL, 1)));
        stage.settle();
    },
    methods: &["advance", "publish", "halt"],
};

const PARTIAL: Scenario = Scenario {
    set_up: |stage| stage.state().transfers.failing = crate::step::failing(3),
    methods: &["publish", "advance"],
    ..BACKUP
};

/// From nothing: an account by directory, a vault, and a backup.
const DIRECTORY: Scenario = Scenario {
    set_up: |stage| stage.state().cloud.is_organized = true,
    play: |stage| {
        let method = Method::Directory;
        let (account, region, alias) = (account(MEMBER), region(), String::new());
        let wish = Command::AddAccount { account, region, method, alias, consent: true };
        ask(stage, "add", &wish);
        ask(stage, "vault", &create_vault("second"));
        ask(stage, "backup", &back_up(&source(MEMBER, 1)));
        stage.settle();
    },
    methods: &["membership", "administrators", "ensure_service_role", "create", "assume"],
};

pub fn with_a_point(stage: &Stage) {
    stage.ask_under("first", &back_up(&source(PAYROLL, 1))).unwrap();
    stage.settle();
}

pub fn the_point() -> PointId {
    PointId::of_job(&job_of("first"))
}

const RESTORE: Scenario = Scenario {
    set_up: with_a_point,
    play: |stage| {
        ask(stage, "restore", &restore(&the_point(), &source(RESCUE, 1)));
        stage.settle();
    },
    ..BACKUP
};

const DELETION: Scenario = Scenario {
    set_up: with_a_point,
    play: |stage| {
        ask(stage, "delete", &delete(&the_point()));
        stage.settle();
    },
    methods: &STORE,
};

const PRUNE: Scenario = Scenario {
    set_up: with_a_point,
    play: |stage| {
        ask(stage, "backup", &back_up(&source(RESCUE, 1)));
        // While the backup moves.
        stage.before("advance", 2, |stage| {
            ask(stage, "prune", &prune());
            stage.drain_once();
            let _ = stage.invoke(stage.stepping(&job_of("prune")));
        });
        stage.settle();
    },
    methods: &["advance", "get_many", "halt", "send"],
};

const CANCEL: Scenario = Scenario {
    set_up: |stage| {
        stage.state().transfers.lengths.insert(account(PAYROLL), 9);
    },
    play: |stage| {
        ask(stage, "backup", &back_up(&source(PAYROLL, 1)));
        stage.before("advance", 3, |stage| {
            ask(stage, "cancel", &cancel(&job_of("backup")));
        });
        stage.settle();
    },
    methods: &["advance", "halt", "send"],
};

const TURNS: Scenario = Scenario {
    set_up: |stage| stage.state().pace.turns = 1,
    play: |stage| {
        ask(stage, "one", &back_up(&source(PAYROLL, 1)));
        ask(stage, "other", &back_up(&source(PAYROLL, 2)));
        // The other asks for a turn while the one moves.
        stage.before("advance", 2, |stage| {
            stage.drain_once();
            let _ = stage.invoke(stage.stepping(&job_of("other")));
        });
        stage.settle();
    },
    methods: &["advance", "halt", "send"],
};

const SLOT: Scenario = Scenario {
    set_up: |stage| {
        stage.ok(bind("daily", &source(PAYROLL, 1)));
        stage.settle_until(at("02T13:00:00"));
    },
    play: |stage| stage.settle_until(at("03T03:00:00")),
    methods: &["get", "range", "commit", "send", "advance"],
};

const CHANGED_POLICY: Scenario = Scenario {
    set_up: |stage| {
        for n in 1..=3 {
            stage.ok(bind("daily", &source(PAYROLL, n)));
        }
        stage.settle_until(at("02T13:00:00"));
    },
    play: |stage| {
        ask(stage, "update", &update("daily", "C|0|0 0 5 * * ?"));
        stage.settle_until(at("03T02:30:00"));
    },
    methods: &STORE,
};

/// Points whose time is over, and data that a crash left.
const RETENTION: Scenario = Scenario {
    set_up: |stage| {
        stage.ok(bind("daily", &source(PAYROLL, 1)));
        stage.settle_until(at("04T03:00:00"));
        let source = source(PAYROLL, 1);
        stage.ok(Command::Unbind { policy: "daily".to_owned(), source });
        with_a_point(stage);
        let mut state = stage.state();
        let mut left = state.transfers.data[0].clone();
        left.snapshot = "left".to_owned();
        state.transfers.data.push(left);
        drop(state);
        stage.pass(TimeDelta::days(8));
    },
    play: |stage| {
        stage.retain();
        stage.settle();
        stage.pass(TimeDelta::days(1));
        stage.retain();
        stage.settle();
    },
    methods: &["sealed", "discard", "range", "commit", "get"],
};

/// An alert waits.
const OUTBOX: Scenario = Scenario {
    set_up: |stage| {
        stage.state().cloud.role(&account(RESCUE)).exists = false;
        stage.ok(back_up(&source(RESCUE, 1)));
        stage.settle_but_alerts();
    },
    play: |stage| stage.settle(),
    methods: &["range", "publish", "commit"],
};

#[track_caller]
pub fn exhaust(scenario: &Scenario, runs_min: usize) {
    let runs = scenario.exhaust();
    assert!(runs >= runs_min, "only {runs} runs");
}

#[test]
fn a_backup_survives_every_fault() {
    exhaust(&BACKUP, 150);
}

#[test]
fn a_backup_with_pauses_survives_every_fault() {
    exhaust(&PAUSES, 300);
}

#[test]
fn a_backup_that_loses_its_authority_survives_every_fault() {
    exhaust(&REFUSED, 150);
}

#[test]
fn a_partial_backup_survives_every_fault() {
    exhaust(&PARTIAL, 150);
}

#[test]
fn a_backup_by_directory_survives_every_fault() {
    exhaust(&DIRECTORY, 150);
}

#[test]
fn a_restore_survives_every_fault() {
    exhaust(&RESTORE, 100);
}

#[test]
fn a_deletion_survives_every_fault() {
    exhaust(&DELETION, 100);
}

#[test]
fn a_prune_beside_a_backup_survives_every_fault() {
    exhaust(&PRUNE, 250);
}

#[test]
fn a_cancel_survives_every_fault() {
    exhaust(&CANCEL, 150);
}

#[test]
fn two_jobs_and_one_turn_survive_every_fault() {
    exhaust(&TURNS, 300);
}

#[test]
fn a_slot_survives_every_fault() {
    exhaust(&SLOT, 150);
}

#[test]
fn a_changed_policy_survives_every_fault() {
    exhaust(&CHANGED_POLICY, 100);
}

#[test]
fn retention_survives_every_fault() {
    exhaust(&RETENTION, 300);
}

#[test]
fn effects_survive_every_fault() {
    exhaust(&OUTBOX, 20);
}

#[test]
fn effects_survive_every_two_faults() {
    let runs = OUTBOX.exhaust_pairs(&FAULTS);
    assert!(runs > 1_000, "{runs}");
}

/// What was done and not heard of is what a second fault may turn into harm.
#[test]
fn a_backup_survives_every_two_faults() {
    let runs = BACKUP.exhaust_pairs(&[Fault::LostAfter, Fault::CrashAfter]);
    assert!(runs > 2_000, "{runs}");
}

/// A green run proves something only of calls that were made.
#[test]
fn every_method_that_changes_something_is_struck() {
    let all = [
        BACKUP,
        PAUSES,
        REFUSED,
        PARTIAL,
        DIRECTORY,
        RESTORE,
        DELETION,
        PRUNE,
        CANCEL,
        REMOVAL,
        TURNS,
        SLOT,
        CHANGED_POLICY,
        RETENTION,
        OUTBOX,
    ];
    let mut struck: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in all {
        for method in scenario.run(&scenario.stage(), &[]).1 {
            *struck.entry(method).or_default() += FAULTS.len();
        }
    }
    // Lists of members, sources and folders are only shown to people.
    let expected = [
        "administrators",
        "advance",
        "assume",
        "clients",
        "commit",
        "control_policies",
        "create",
        "describe",
        "discard",
        "ensure_service_role",
        "get",
        "get_many",
        "halt",
        "membership",
        "own",
        "publish",
        "range",
        "role",
        "sealed",
        "send",
    ];
    assert_eq!(struck.keys().copied().collect::<Vec<_>>(), expected, "{struck:?}");
}
