//! Facts and rows that are wrong, each found by the oracle whose law they break.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    alert::Alert,
    audit::Actor,
    authorization::{Cause, Causes},
    ids::{EffectId, JobId, PointId, RoleArn},
    job::{Failure, Outcome, State, Trouble},
    quantity::Bytes,
    schedule::slot::{Count, Missed},
};
use crossvault_handlers::{
    enqueue::OUTBOX_SHARD,
    ports::{FailedFile, Message, Transaction},
    records::{
        Busy, BusyOf, Failures, Job, JobWork, Key, MissedSlots, Outbox, Record, ReviewRound, Send,
        SlotRow,
    },
};
use crossvault_simulator::{
    chooser::Name,
    cloud::{Cloud, Fact, InvocationId},
    fault::Skew,
    model::Model,
    oracle::Oracles,
    run::{Event, Invariant, Settings, Trigger, Watch},
    script::Action,
};

use crate::story::{Story, backs_up, code, files, payroll, role, role_goes, vaults};

/// A cloud after an honest run, and one oracle that has seen nothing yet but it.
struct Judge {
    cloud: Cloud,
    now: DateTime<Utc>,
    watch: Oracles,
}

impl Judge {
    fn after(story: Story, invariant: Invariant) -> Self {
        let mut run = story.holds();
        run.cloud.take_facts();
        let (cloud, now) = (run.cloud.clone(), run.now());
        let watch = Oracles::only(&[invariant]).within(&Settings::default());
        let mut judge = Self { cloud, now, watch };
        assert_eq!(judge.rest(), "nothing");
        judge
    }

    fn of(invariant: Invariant) -> Self {
        Self::after(Story::new().then(2 * 3600, Action::Waits), invariant)
    }

    fn fact(&mut self, fact: &Fact) -> String {
        code(self.watch.fact(&self.cloud, self.now, fact))
    }

    fn commits(&mut self, write: impl FnOnce(&mut Transaction)) -> String {
        let mut transaction = Transaction::default();
        write(&mut transaction);
        let (_, changes) = self.cloud.rows.commit(transaction).unwrap();
        self.fact(&Fact::Committed { by: InvocationId(0), changes })
    }

    fn puts(&mut self, record: impl Into<Record>) -> String {
        self.commits(|transaction| transaction.put(record.into()))
    }

    fn rest(&mut self) -> String {
        code(self.watch.at_rest(&self.cloud, self.now))
    }

    /// The first row of its kind.
    fn row<T>(&self, is_it: impl Fn(&Record) -> Option<T>) -> T {
        self.cloud.rows.all().find_map(|(_, row)| is_it(&row.record)).unwrap()
    }

    fn job(&self) -> Box<Job> {
        self.row(|row| match row {
            Record::Job(job) => Some(job.clone()),
            _ => None,
        })
    }

    /// A job of a new id that failed so.
    fn fails(&mut self, failure: Failure) -> String {
        let mut job = self.job();
        job.id = JobId::derive(&["planted"]);
        job.queued = self.now;
        let JobWork::Backup(backup, _) = job.work else { panic!("not a backup") };
        let ended = State::Ended(Outcome::Failed(failure));
        job.work = JobWork::Backup(backup, ended);
        self.puts(job)
    }
}

fn trouble(code: &str) -> Trouble {
    Trouble { code: code.into(), message: "so".into(), remedy: "do".into() }
}

fn role_deleted() -> Failure {
    let role = RoleArn { account: payroll(), name: role() };
    Failure::Unauthorized(Causes::one(Cause::RoleDeleted { role }))
}

#[test]
fn what_is_decided_stays_decided() {
    let mut judge = Judge::of(Invariant::ExactlyOnce);
    let slot: SlotRow = judge.row(|row| match row {
        Record::Slot(row) => Some(row.clone()),
        _ => None,
    });
    let hour = TimeDelta::hours(1);
    let gap = Missed { first: slot.due - hour, last: slot.due, count: Count::Exactly(2) };
    let gap = MissedSlots { binding: slot.binding.clone(), missed: gap };
    assert_eq!(judge.puts(gap), "exactly-once TWO_OUTCOMES");
    let odd = SlotRow { due: slot.due + TimeDelta::minutes(1), ..slot.clone() };
    assert_eq!(judge.puts(odd), "exactly-once NO_SUCH_SLOT");
    let again = SlotRow { due: slot.due + hour * 10, ..slot.clone() };
    assert_eq!(judge.puts(again), "exactly-once STARTED_NOTHING");
    assert_eq!(judge.puts(slot), "exactly-once OUTCOME_CHANGED");

    let mut job = judge.job();
    job.ended = None;
    assert_eq!(judge.puts(job), "exactly-once ENDED_JOB_CHANGED");
}

#[test]
fn a_slot_without_an_outcome_is_missed() {
    let story = || Story::new().then(2 * 3600, Action::Waits);
    let mut judge = Judge::after(story(), Invariant::ExactlyOnce);
    let mut binding = judge.row(|row| match row {
        Record::Binding(row) => Some(row.clone()),
        _ => None,
    });
    binding.0.next = binding.0.next.map(|next| next + TimeDelta::hours(1));
    assert_eq!(judge.puts(binding), "nothing");
    assert_eq!(judge.rest(), "exactly-once SLOT_WITHOUT_OUTCOME");
}

#[test]
fn one_point_a_job_and_one_content_an_alert() {
    let mut judge = Judge::of(Invariant::ExactlyOnce);
    let mut point = judge.row(|row| match row {
        Record::Point(row) => Some(row.clone()),
        _ => None,
    });
    point.0.id = PointId::of_job(&JobId::derive(&["another"]));
    assert_eq!(judge.puts(point), "exactly-once POINT_WITHOUT_END");

    let alert = Alert {
        kind: "crossvault.backup.failed".into(),
        at: judge.now,
        account: payroll(),
        source: None,
        job: None,
        code: "FULL".into(),
        message: String::new(),
        remedy: String::new(),
        grant: None,
    };
    let id = EffectId::derive(&["one"]);
    let publish = |code: &str| Fact::Published {
        id: id.clone(),
        alert: Box::new(Alert { code: code.into(), ..alert.clone() }),
    };
    assert_eq!(judge.fact(&publish("FULL")), "nothing");
    assert_eq!(judge.fact(&publish("FULL")), "nothing");
    assert_eq!(judge.fact(&publish("QUOTA")), "exactly-once ALERT_OF_TWO_CONTENTS");
}

#[test]
fn a_false_cause_is_found() {
    let mut judge = Judge::of(Invariant::Explained);
    assert_eq!(judge.fails(role_deleted()), "explained FALSE_CAUSE");
    let mut judge = Judge::of(Invariant::Explained);
    assert_eq!(judge.fails(Failure::Broken(trouble("FULL"))), "explained UNEXPLAINED");
    let mut judge = Judge::of(Invariant::Explained);
    let exhausted = Failure::Exhausted { times: 8, last: trouble("TIMED_OUT") };
    assert_eq!(judge.fails(exhausted), "explained UNEXPLAINED");
}

#[test]
fn a_true_cause_is_not_masked() {
    let story = || Story::new().all(role_goes()).then(3600, Action::Reviews);
    let mut judge = Judge::after(story(), Invariant::Explained);
    assert_eq!(judge.fails(role_deleted()), "nothing");
    let mut judge = Judge::after(story(), Invariant::Explained);
    assert_eq!(judge.fails(Failure::Broken(trouble("FULL"))), "explained MASKED");
}

#[test]
fn counts_are_the_worlds() {
    let mut judge = Judge::of(Invariant::Conservation);
    let mut point = judge.row(|row| match row {
        Record::Point(row) => Some(row.clone()),
        _ => None,
    });
    let right = point.clone();
    point.0.bytes = Bytes(point.0.bytes.0 + 1);
    assert_eq!(judge.puts(point.clone()), "conservation COUNT_CHANGED");
    point.0.id = PointId::of_job(&JobId::derive(&["another"]));
    assert_eq!(judge.puts(point), "conservation POINT_MISCOUNTS");

    let vaulted = judge.cloud.storage.vaults.get(&right.0.vault).unwrap();
    let snapshot = Arc::clone(vaulted.snapshots.get(&right.0.snapshot).unwrap());
    let sealed = Fact::Sealed { vault: right.0.vault.clone(), snapshot };
    assert_eq!(judge.fact(&sealed), "nothing");
    assert_eq!(judge.rest(), "conservation ADDED_TWICE");
}

#[test]
fn limits_hold() {
    let mut judge = Judge::of(Invariant::Quota);
    let message = Message::TakeStep(judge.job().id);
    let sent = |delay_s| Fact::Sent { message: message.clone(), group: payroll(), delay_s };
    assert_eq!(judge.fact(&sent(900)), "nothing");
    assert_eq!(judge.fact(&sent(901)), "quota DELAY");

    let file = FailedFile { path: "f".into(), code: "X".into(), message: String::new() };
    let page = |n| Failures { job: judge.job().id, page: 0, files: vec![file.clone(); n] };
    let (full, over) = (page(100), page(101));
    assert_eq!(judge.puts(full), "nothing");
    assert_eq!(judge.puts(over), "quota FAILURES");

    let mut found = Vec::new();
    for n in 0..3_u16 {
        let mut job = judge.job();
        job.id = JobId::derive(&["running", &n.to_string()]);
        job.lease_until = Some(judge.now);
        found.push(judge.puts(job));
    }
    assert_eq!(found, ["quota NO_TURN", "quota NO_TURN", "quota JOBS_OF_ACCOUNT"]);
}

#[test]
fn nothing_is_left_half_done() {
    let mut judge = Judge::of(Invariant::Progress);
    let job = judge.job().id;
    let row = Outbox {
        id: EffectId::derive(&["left"]),
        shard: OUTBOX_SHARD,
        not_before: judge.now,
        send: Send::Message { message: Message::TakeStep(job.clone()), group: payroll() },
        attempts: 1,
        error: None,
    };
    judge.puts(row);
    assert_eq!(judge.rest(), "progress UNSENT");

    let mut judge = Judge::of(Invariant::Progress);
    judge.puts(Busy { of: BusyOf::Source(files()), job });
    assert_eq!(judge.rest(), "progress LEFT");

    let mut judge = Judge::of(Invariant::Progress);
    let key = judge.row(|row| matches!(row, Record::Point(_)).then(|| row.key()));
    judge.cloud.rows.lose(&key);
    assert_eq!(judge.rest(), "progress ORPHAN");

    let mut judge = Judge::of(Invariant::Progress);
    let failed = judge.fails(Failure::Broken(trouble("TIMED_OUT")));
    assert_eq!(failed, "progress FAILED_IN_PASSING");
}

#[test]
fn a_grant_stands_as_it_is_said_to() {
    let round = |judge: &Judge| ReviewRound {
        began: judge.now + TimeDelta::days(1),
        after: None,
        is_done: true,
    };
    let mut judge = Judge::of(Invariant::Progress);
    judge.puts(round(&judge));
    assert_eq!(judge.rest(), "nothing");
    for action in role_goes() {
        let Action::Does(command) = action else { panic!("not a deed") };
        judge.cloud.does(command, judge.now).unwrap();
    }
    assert_eq!(judge.rest(), "progress STANDS_WRONGLY");

    let story = Story::new().all(role_goes()).then(60, Action::Waits);
    let mut judge = Judge::after(story, Invariant::Progress);
    judge.puts(round(&judge));
    assert_eq!(judge.rest(), "nothing");
    let mut healthy = Judge::of(Invariant::Progress);
    std::mem::swap(&mut judge.cloud.world, &mut healthy.cloud.world);
    assert_eq!(judge.rest(), "progress BROKEN_WRONGLY");
}

#[test]
fn every_change_is_on_record() {
    let mut judge = Judge::of(Invariant::Audit);
    let mut policy = judge.row(|row| match row {
        Record::Policy(row) => Some(row.clone()),
        _ => None,
    });
    policy.0.version += 1;
    assert_eq!(judge.puts(policy), "audit UNRECORDED");

    let mut audit = judge.row(|row| match row {
        Record::Audit(row) => Some(row.clone()),
        _ => None,
    });
    assert_eq!(judge.puts(audit.clone()), "audit RECORD_CHANGED");
    audit.record.at += TimeDelta::seconds(1);
    assert_eq!(judge.puts(audit.clone()), "audit RECORDED_TWICE");
    audit.record.id = crossvault_core::ids::AuditId::derive(&["another"]);
    audit.record.at += TimeDelta::seconds(1);
    assert_eq!(judge.puts(audit.clone()), "audit NOT_SO");

    let trigger = Trigger::Retain;
    let (of, name, skew) = (InvocationId(0), Name::default(), Skew::None);
    let began = Event::Began { of, name, trigger: &trigger, nth: 1, skew };
    judge.watch.event(&judge.cloud, judge.now, &began).unwrap();
    let request = "token".parse().unwrap();
    audit.record.id = crossvault_core::ids::AuditId::derive(&["a third"]);
    audit.record.at += TimeDelta::seconds(1);
    audit.record.who = Actor::Caller { account: vaults(), request };
    assert_eq!(judge.puts(audit), "audit WRONG_WHO");

    let mut judge = Judge::of(Invariant::Audit);
    let key = judge.row(|row| matches!(row, Record::Audit(_)).then(|| row.key()));
    judge.cloud.rows.lose(&key);
    assert_eq!(judge.rest(), "audit RECORD_GONE");
}

#[test]
fn rows_agree() {
    let story = || Story::bare().then(1, backs_up(files()));
    for name in ["PointRef", "JobRef", "Gate", "Name", "GrantRef", "Dependent"] {
        let mut judge = Judge::after(story(), Invariant::Rows);
        let key: Key = judge.row(|row| (row.name() == name).then(|| row.key()));
        judge.cloud.rows.lose(&key);
        let found = judge.rest();
        assert!(found.starts_with("rows "), "{name}: {found}");
    }
}

/// Commits a backup job twice, live and then ended so, and asks the model what it says of that.
fn modelled(story: Story, end: Outcome<crossvault_core::backup::Sealed>) -> String {
    let mut judge = Judge::after(story, Invariant::Rows);
    let mut model = Model::default();
    let mut job = judge.job();
    let JobWork::Backup(backup, _) = job.work.clone() else { panic!("not a backup") };
    job.id = JobId::derive(&["planted"]);
    job.queued = judge.now;
    let mut found = String::new();
    for state in [State::Queued, State::Ended(end)] {
        job.work = JobWork::Backup(backup.clone(), state);
        let mut transaction = Transaction::default();
        transaction.put(job.clone().into());
        let (_, changes) = judge.cloud.rows.commit(transaction).unwrap();
        let fact = Fact::Committed { by: InvocationId(0), changes };
        found = code(model.fact(&judge.cloud, judge.now, &fact));
    }
    if found == "nothing" { code(model.at_rest(&judge.cloud, judge.now)) } else { found }
}

#[test]
fn a_job_ends_as_it_had_to() {
    let whole = || Story::new().then(3600, Action::Waits);
    let gone = || Story::new().all(role_goes()).then(3600, Action::Waits);
    let made = crossvault_core::backup::Sealed {
        snapshot: "none".into(),
        epoch: crossvault_core::vault::Epoch::default(),
        taken: crate::story::start(),
        files: 0,
        bytes: Bytes::ZERO,
        added: Bytes::ZERO,
        failed: 0,
    };
    assert_eq!(modelled(whole(), Outcome::Failed(role_deleted())), "model MUST_SUCCEED");
    assert_eq!(modelled(gone(), Outcome::Failed(role_deleted())), "nothing");
    assert_eq!(modelled(gone(), Outcome::Complete(made.clone())), "model MUST_FAIL");
    assert_eq!(modelled(whole(), Outcome::Complete(made)), "model NO_POINT");
    assert_eq!(modelled(whole(), Outcome::Canceled), "model CANCELED_BY_NONE");
}
