//! Two invocations at once, in every order of their calls up to a bound: what each decides rests
//! on what the other may change meanwhile.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::ids::{JobId, PointId};
use crossvault_handlers::{
    api::{ApiError, Command, handle},
    enqueue::{DUE_SHARD, OUTBOX_SHARD},
    fan_out::fan_out,
    job::LEASE,
    outbox,
    ports::{Clock, PortError},
    records::Record,
    retention,
    schedule::tick,
};

use crate::{
    crash::{check, ending},
    stage::{
        Stage,
        both::{Invocation, interleave, length},
        is_passing,
    },
    words::{
        PAYROLL, RESCUE, VAULTS, account, at, back_up, bind, cancel, create_policy, delete, job_of,
        pause, prune, restore, seconds, source, token, update,
    },
};

/// Two invocations that play on one stage.
struct Pair {
    set_up: fn(&Stage),
    one: for<'a> fn(&'a Stage) -> Invocation<'a>,
    other: for<'a> fn(&'a Stage) -> Invocation<'a>,
    /// How much time passes at each change of turns.
    pause: TimeDelta,
    /// How the platform comes to rest afterwards.
    settle: fn(&Stage),
}

impl Pair {
    fn stage(&self) -> Stage {
        let stage = Stage::new();
        (self.set_up)(&stage);
        stage
    }

    /// Plays them in this order; what is so in the end.
    fn run(&self, stage: &Stage, turns: &[usize]) -> Vec<String> {
        let stage = stage.fork(&[]);
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            stage.state().is_interleaved = true;
            let between = || stage.pass(self.pause);
            interleave((self.one)(&stage), (self.other)(&stage), turns, between);
            stage.state().is_interleaved = false;
            stage.sweep();
            (self.settle)(&stage);
            let ending = ending(&stage);
            check(&stage);
            ending
        }));
        match told {
            Ok(ending) => ending,
            Err(panic) => {
                eprintln!("in turns of {turns:?} calls");
                std::panic::resume_unwind(panic)
            }
        }
    }

    /// The ends of every order in which the one is interrupted once, and the other at most once.
    /// And in how many orders it was played.
    fn all(&self) -> (BTreeSet<Vec<String>>, usize) {
        let stage = self.stage();
        let alone = |of: for<'a> fn(&'a Stage) -> Invocation<'a>| {
            let stage = stage.fork(&[]);
            stage.state().is_interleaved = true;
            length(of(&stage))
        };
        let (first, second) = (alone(self.one), alone(self.other));
        assert!(first > 0 && second > 0);
        let mut ends = BTreeSet::new();
        let mut runs = 0;
        for i in 0..=first {
            for j in 1..=second + 1 {
                // The first one's second turn: to its end, or a few calls of it.
                for k in [10_000, 2] {
                    ends.insert(self.run(&stage, &[i, j, k]));
                    runs += 1;
                }
            }
        }
        (ends, runs)
    }

    /// The same for every pattern of so many single calls.
    fn patterns(&self, bits: u32) -> BTreeSet<Vec<String>> {
        let stage = self.stage();
        let mut ends = BTreeSet::new();
        for pattern in 0..1_u32 << bits {
            // Turns of one call: none is a change of turns without a call.
            let mut turns: Vec<usize> = Vec::new();
            for bit in 0..bits {
                let is_other = usize::from(pattern >> bit & 1 == 1);
                if turns.len() % 2 == is_other {
                    turns.push(0);
                }
                if let Some(last) = turns.last_mut() {
                    *last += 1;
                }
            }
            ends.insert(self.run(&stage, &turns));
        }
        ends
    }
}

fn settle(stage: &Stage) {
    stage.settle();
}

/// All words of all ends that begin so.
fn words<'a>(ends: &'a BTreeSet<Vec<String>>, start: &str) -> BTreeSet<&'a str> {
    ends.iter().flatten().filter(|word| word.starts_with(start)).map(String::as_str).collect()
}

async fn step(stage: &Stage, id: JobId) {
    if let Err(error) = stage.stepping(&id).await {
        assert!(is_passing(&error), "{error:?}");
    }
}

async fn request(stage: &Stage, name: &str, command: Command) {
    let answered = handle(stage, &account(VAULTS), &token(name), command).await;
    if let Err(ApiError::Port(error)) = answered {
        assert_eq!(error, PortError::Conflict);
    }
}

async fn ticking(stage: &Stage) {
    tick(stage, DUE_SHARD, stage.now(), DateTime::<Utc>::MAX_UTC).await.unwrap();
}

/// A backup under way, asked for under the name `backup`.
const STEPS: Pair = Pair {
    set_up: |stage| {
        stage.ask_under("backup", &back_up(&source(PAYROLL, 1))).unwrap();
        stage.drain();
        stage.state().queue.clear();
    },
    one: |stage| Box::pin(step(stage, job_of("backup"))),
    other: |stage| Box::pin(step(stage, job_of("backup"))),
    pause: TimeDelta::zero(),
    settle,
};

#[track_caller]
fn only(pair: &Pair, status: &str) {
    let (ends, runs) = pair.all();
    let expected = format!("{} {status} ", job_of("backup"));
    assert_eq!(words(&ends, job_of("backup").as_str()), BTreeSet::from([expected.as_str()]));
    assert!(runs > 500, "{runs}");
}

/// Of two steps of one job one goes on, and its transfer alone becomes a point.
#[test]
fn two_steps_of_one_job_make_one_end() {
    only(&STEPS, "COMPLETE");
}

/// The lease of each ends while the other moves: each is a zombie once.
#[test]
fn two_steps_that_outlive_their_leases_make_one_end() {
    only(&Pair { pause: LEASE + seconds(1), ..STEPS }, "COMPLETE");
}

#[test]
fn two_steps_in_any_pattern_of_calls_make_one_end() {
    let ends = STEPS.patterns(11);
    assert_eq!(words(&ends, job_of("backup").as_str()).len(), 1);
    let late = Pair { pause: seconds(31), ..STEPS };
    let ends = late.patterns(10);
    assert_eq!(words(&ends, job_of("backup").as_str()).len(), 1);
}

#[test]
fn two_steps_of_a_job_that_loses_its_authority_make_one_end() {
    let pair = Pair {
        set_up: |stage| {
            (STEPS.set_up)(stage);
            stage.state().cloud.role(&account(PAYROLL)).exists = false;
        },
        ..STEPS
    };
    let (ends, _) = pair.all();
    let expected = format!("{} FAILED ROLE_DELETED", job_of("backup"));
    assert_eq!(words(&ends, job_of("backup").as_str()), BTreeSet::from([expected.as_str()]));
}

#[test]
fn a_cancel_beside_a_step_ends_the_job_once() {
    for pause in [TimeDelta::zero(), LEASE + seconds(1)] {
        let pair = Pair {
            set_up: |stage| {
                stage.state().transfers.lengths.insert(account(PAYROLL), 4);
                (STEPS.set_up)(stage);
            },
            other: |stage| Box::pin(request(stage, "cancel", cancel(&job_of("backup")))),
            pause,
            ..STEPS
        };
        let (ends, _) = pair.all();
        let seen = words(&ends, job_of("backup").as_str());
        let is_known = |word: &&str| word.contains("CANCELED") || word.contains("COMPLETE");
        assert!(seen.iter().all(is_known), "{seen:?}");
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}

/// Two jobs of one account with one turn: both end, one after the other.
#[test]
fn two_jobs_share_one_turn() {
    for pause in [TimeDelta::zero(), LEASE + seconds(1)] {
        let pair = Pair {
            set_up: |stage| {
                stage.state().pace.turns = 1;
                stage.ask_under("other", &back_up(&source(PAYROLL, 2))).unwrap();
                (STEPS.set_up)(stage);
            },
            other: |stage| Box::pin(step(stage, job_of("other"))),
            pause,
            ..STEPS
        };
        let (ends, _) = pair.all();
        assert_eq!(words(&ends, "job-").len(), 2);
        assert!(words(&ends, "job-").iter().all(|word| word.contains("COMPLETE")));
    }
}

/// A job that waits for the turn of one that ends is canceled just then: the turn is free after.
#[test]
fn a_turn_is_not_passed_to_a_job_that_is_canceled() {
    let pair = Pair {
        set_up: |stage| {
            stage.state().pace.turns = 1;
            stage.state().limit = seconds(10);
            (STEPS.set_up)(stage);
            stage.step(&job_of("backup")).unwrap();
            stage.ask_under("other", &back_up(&source(PAYROLL, 2))).unwrap();
            stage.step(&job_of("other")).unwrap();
            assert_eq!((stage.count("Turn"), stage.count("Waiting")), (1, 1));
        },
        other: |stage| Box::pin(request(stage, "cancel", cancel(&job_of("other")))),
        ..STEPS
    };
    let (ends, _) = pair.all();
    let seen = words(&ends, job_of("other").as_str());
    assert!(seen.iter().all(|word| word.contains("CANCELED")), "{seen:?}");
}

/// A prune beside a backup, whose data it may outdate: every point has its data.
#[test]
fn a_prune_beside_a_backup_leaves_sound_points() {
    for pause in [TimeDelta::zero(), seconds(25), LEASE + seconds(1)] {
        let pair = Pair {
            set_up: |stage| {
                stage.ask_under("prune", &prune()).unwrap();
                (STEPS.set_up)(stage);
            },
            other: |stage| Box::pin(step(stage, job_of("prune"))),
            pause,
            ..STEPS
        };
        let (ends, _) = pair.all();
        assert_eq!(words(&ends, "job-").len(), 2);
        assert!(words(&ends, "job-").iter().all(|word| word.contains("COMPLETE")));
    }
}

/// What is due at 02:00.
fn bound(stage: &Stage) {
    stage.ok(bind("daily", &source(PAYROLL, 1)));
    stage.settle_until(at("02T13:00:00"));
    stage.state().now = at("03T02:00:00");
}

fn one_slot(pair: &Pair) {
    let (ends, runs) = pair.all();
    for end in &ends {
        let slots = end.iter().filter(|word| word.starts_with("slot 2026-03-03 02:00")).count();
        assert_eq!(slots, 1, "{end:?}");
    }
    assert!(runs > 50, "{runs}");
}

#[test]
fn two_ticks_decide_each_slot_once() {
    let pair = Pair {
        set_up: bound,
        one: |stage| Box::pin(ticking(stage)),
        other: |stage| Box::pin(ticking(stage)),
        pause: TimeDelta::zero(),
        settle: |stage| stage.settle_until(at("03T03:00:00")),
    };
    one_slot(&pair);
    one_slot(&Pair { pause: seconds(300), ..pair });
}

/// A slot that is due while the job of the one before ends.
#[test]
fn a_tick_beside_the_end_of_a_predecessor_is_right() {
    let pair = Pair {
        set_up: |stage| {
            stage.ok(create_policy("often", "I|0|PT1H"));
            stage.ok(bind("often", &source(PAYROLL, 1)));
            stage.state().now = at("02T13:00:00");
            stage.tick();
            stage.drain();
            stage.state().queue.clear();
            stage.state().now = at("02T14:00:00");
        },
        one: |stage| Box::pin(ticking(stage)),
        other: |stage| {
            let job = stage.jobs()[0].id.clone();
            Box::pin(step(stage, job))
        },
        pause: TimeDelta::zero(),
        settle: |stage| stage.settle_until(at("02T14:30:00")),
    };
    let (ends, _) = pair.all();
    let seen = words(&ends, "slot 2026-03-02 14:00");
    // The one or the other, each with its job.
    assert_eq!(seen.len(), 2, "{seen:?}");
    for end in &ends {
        let count = end.iter().filter(|word| word.starts_with("slot 2026-03-02 14:00")).count();
        assert_eq!(count, 1);
    }
}

#[test]
fn a_change_of_a_policy_beside_a_tick_is_right() {
    let follow = |stage: &Stage| stage.settle_until(at("03T05:30:00"));
    let pair = Pair {
        set_up: bound,
        one: |stage| Box::pin(ticking(stage)),
        other: |stage| {
            let wish = update("daily", "C|0|0 0 5 * * ?");
            Box::pin(async move {
                request(stage, "update", wish).await;
                let policy = stage.records().into_iter().find_map(|record| match record {
                    Record::Policy(row) => Some(row.0.id),
                    _ => None,
                });
                fan_out(stage, &policy.unwrap(), None).await.unwrap();
            })
        },
        pause: TimeDelta::zero(),
        settle: follow,
    };
    let (ends, _) = pair.all();
    for end in &ends {
        let slots: Vec<&String> = end.iter().filter(|word| word.starts_with("slot")).collect();
        // That of 02:00 was due before the change, that of 05:00 is the new version's.
        assert_eq!(slots.len(), 2, "{slots:?}");
    }
    let paused = Pair {
        other: |stage| Box::pin(request(stage, "pause", pause("daily", &source(PAYROLL, 1), true))),
        settle: |stage| stage.settle_until(at("03T03:00:00")),
        ..pair
    };
    one_slot(&paused);
}

#[test]
fn two_drains_send_all() {
    let pair = Pair {
        set_up: |stage| {
            for n in 1..=3 {
                stage.ok(back_up(&source(PAYROLL, n)));
            }
        },
        one: |stage| Box::pin(drain(stage)),
        other: |stage| Box::pin(drain(stage)),
        pause: TimeDelta::zero(),
        settle,
    };
    let (ends, _) = pair.all();
    assert!(words(&ends, "job-").iter().all(|word| word.contains("COMPLETE")));
    assert_eq!(words(&ends, "outbox").len(), 0);
}

async fn drain(stage: &Stage) {
    outbox::drain(stage, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC).await.unwrap();
}

fn with_a_point(stage: &Stage) {
    stage.ask_under("first", &back_up(&source(PAYROLL, 1))).unwrap();
    stage.settle();
}

fn the_point() -> PointId {
    PointId::of_job(&job_of("first"))
}

/// A restore and a deletion of one point at once: one of them is refused.
#[test]
fn a_restore_beside_a_deletion_reads_a_whole_point_or_none() {
    let pair = Pair {
        set_up: with_a_point,
        one: |stage| Box::pin(request(stage, "restore", restore(&the_point(), &source(RESCUE, 1)))),
        other: |stage| Box::pin(request(stage, "delete", delete(&the_point()))),
        pause: TimeDelta::zero(),
        settle,
    };
    let (ends, _) = pair.all();
    for end in &ends {
        let restored = end.iter().any(|word| word.starts_with(job_of("restore").as_str()));
        let kept = end.iter().any(|word| word.starts_with(the_point().as_str()));
        assert_eq!(restored, kept, "{end:?}");
    }
    assert_eq!(ends.len(), 2, "{ends:?}");
}

/// Retention beside a restore of what expires, and beside itself.
#[test]
fn retention_beside_others_is_right() {
    let expired = |stage: &Stage| {
        stage.ok(bind("daily", &source(PAYROLL, 1)));
        stage.settle_until(at("03T03:00:00"));
        let source = source(PAYROLL, 1);
        stage.ok(Command::Unbind { policy: "daily".to_owned(), source });
        stage.pass(TimeDelta::days(8));
    };
    let pair = Pair {
        set_up: expired,
        one: |stage| Box::pin(retaining(stage)),
        other: |stage| {
            let point = stage.records().into_iter().find_map(|record| match record {
                Record::Point(row) => Some(row.0.id),
                _ => None,
            });
            let wish = restore(&point.unwrap(), &source(RESCUE, 1));
            Box::pin(request(stage, "restore", wish))
        },
        pause: TimeDelta::zero(),
        settle,
    };
    let (ends, _) = pair.all();
    let jobs = words(&ends, "job-");
    assert!(jobs.iter().all(|word| word.contains("COMPLETE")), "{jobs:?}");
    assert_eq!(words(&ends, job_of("restore").as_str()).len(), 1);
    let twice = Pair { other: |stage| Box::pin(retaining(stage)), ..pair };
    let (ends, _) = twice.all();
    // The backup, and one erasure.
    assert!(
        ends.iter().all(|end| { end.iter().filter(|word| word.starts_with("job-")).count() == 2 })
    );
}

async fn retaining(stage: &Stage) {
    retention::run(stage, DateTime::<Utc>::MAX_UTC).await.unwrap();
}

/// The same request twice at once is one; and of two for one source one is refused.
#[test]
fn requests_at_once_are_decided_in_turn() {
    let pair = Pair {
        set_up: |_| {},
        one: |stage| Box::pin(request(stage, "backup", back_up(&source(PAYROLL, 1)))),
        other: |stage| Box::pin(request(stage, "backup", back_up(&source(PAYROLL, 1)))),
        pause: TimeDelta::zero(),
        settle,
    };
    let (ends, _) = pair.all();
    assert_eq!(ends.len(), 1);
    let rivals = Pair {
        other: |stage| Box::pin(request(stage, "rival", back_up(&source(PAYROLL, 1)))),
        ..pair
    };
    let (ends, _) = rivals.all();
    for end in &ends {
        assert_eq!(end.iter().filter(|word| word.starts_with("job-")).count(), 1, "{end:?}");
    }
    assert_eq!(ends.len(), 2);
}
