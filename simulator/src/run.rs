//! A run: functions are triggered, call, are struck and end, in virtual time and on one thread.
//!
//! The run owns the cloud. A function's call is planned here, takes effect here, and is answered
//! here; what is chosen on the way is asked of the [`Chooser`], and everything goes into the trace.

mod agenda;
mod deliver;
mod effect;
mod invocation;
mod planted;
mod rest;
mod site;
mod stand;
mod watch;

use std::{
    collections::{BTreeMap, VecDeque},
    hash::Hasher,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_handlers::{job::Pace, records::Record};

pub use agenda::Event as Planned;
pub use invocation::{Ending, Handler, Limits, Trigger, subject};
pub use rest::{Choice, Rest};
pub use site::Site;
pub use watch::{Event, Invariant, Violation, Watch};

use self::{agenda::Agenda, invocation::Work};
use crate::{
    chooser::{Chooser, Key, Name, Options, What},
    cloud::{Cloud, Fact, InvocationId},
    fault::Skew,
    ports::{Answer, with_mail},
    script::Act,
    trace::Trace,
};

/// How a run goes, beside its script and its choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How functions are paced.
    pub limits: Limits,
    /// How many messages of the queue are worked on at a time.
    pub workers: usize,
    /// Whether points expire and grants are reviewed each day.
    pub is_daily: bool,
    /// How long after the last act faults go on.
    pub storm: TimeDelta,
    /// Within what time after the healing all must be at rest.
    pub bound: TimeDelta,
}

impl Default for Settings {
    fn default() -> Self {
        let pace = Pace { pulse: TimeDelta::seconds(10), step: TimeDelta::minutes(5), turns: 2 };
        Self {
            limits: Limits { pace, time: TimeDelta::minutes(10) },
            workers: 8,
            is_daily: false,
            storm: TimeDelta::minutes(10),
            bound: TimeDelta::hours(3),
        }
    }
}

/// A function that runs.
struct Task {
    work: Work,
    trigger: Trigger,
    handler: Handler,
    attempt: u32,
    name: Name,
    skew: TimeDelta,
    /// The number of its next call.
    next: u32,
    answers: Vec<(u32, Answer)>,
    /// Calls that are not answered yet.
    open: u32,
    /// Until when it stands still.
    frozen: Option<DateTime<Utc>>,
    /// When the platform kills it.
    deadline: DateTime<Utc>,
    /// Whether its message comes again although it was seen to.
    comes_again: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What was broken, if anything was.
    pub violation: Option<Violation>,
    /// The hash of all that happened.
    pub hash: String,
    /// How many calls were made.
    pub calls: u64,
    /// How many functions were started.
    pub invocations: u32,
    /// What time it was in the end.
    pub now: DateTime<Utc>,
}

/// A run.
pub struct Run<C, W> {
    /// The cloud.
    pub cloud: Cloud,
    /// Who looks on.
    pub watch: W,
    script: Arc<[Act]>,
    settings: Settings,
    chooser: C,
    agenda: Agenda,
    tasks: BTreeMap<InvocationId, Task>,
    /// Messages that wait for a worker.
    waiting: VecDeque<(Trigger, u32)>,
    working: usize,
    /// How many invocations or deliveries each subject had.
    nth: BTreeMap<u64, u32>,
    /// How often the world had changed before.
    world_before: u64,
    now: DateTime<Utc>,
    trace: Trace,
    calls: u64,
    invocations: u32,
    /// Whether faults have stopped.
    is_calm: bool,
    /// Whether calls and deliveries take no time: then only their order is chosen.
    is_instant: bool,
    /// Acts that are still to come, and questions without an answer.
    pending: usize,
    /// Messages and events on their way.
    deliveries: usize,
    live_jobs: i64,
    tick_at: Option<DateTime<Utc>>,
    drain_at: Option<DateTime<Utc>>,
    is_draining: bool,
    violation: Option<Violation>,
    plant: planted::Planted,
}

impl<C: Chooser, W: Watch> Run<C, W> {
    /// A run of a script from a cloud and an instant on.
    pub fn new(
        cloud: Cloud,
        from: DateTime<Utc>,
        script: Arc<[Act]>,
        settings: Settings,
        chooser: C,
        watch: W,
    ) -> Self {
        let mut run = Self::bare(cloud, from, script, settings, chooser, watch);
        run.cloud.may_be_stale = !run.chooser.is_boring();
        run.live_jobs = run.cloud.rows.all().map(|(_, row)| i64::from(is_live(&row.record))).sum();
        for n in 0..run.script.len() {
            let at = run.script.get(n).map_or(from, |act| act.at);
            run.agenda.push(at, Planned::Act(n));
        }
        if run.settings.is_daily {
            run.plan_daily(Trigger::Retain, 2);
            run.plan_daily(Trigger::Review, 3);
        }
        run.arm();
        run
    }

    /// Keeps the trace's hash after each 1,024 records.
    #[must_use]
    pub fn chained(mut self) -> Self {
        self.trace = Trace::chained();
        self
    }

    /// Who chose.
    #[must_use]
    pub fn into_chooser(self) -> C {
        self.chooser
    }

    /// The trace so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What is yet to happen, with its times, in no order.
    pub fn planned(&self) -> impl Iterator<Item = (DateTime<Utc>, &Planned)> {
        self.agenda.all()
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// How many calls were made so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Runs the script under faults, heals the world, and lets all come to rest: then everything
    /// must hold.
    pub fn run(&mut self) -> Ended {
        self.play();
        self.finish()
    }

    /// Heals the world and lets all come to rest, after the script was played.
    fn finish(&mut self) -> Ended {
        self.heal();
        self.settle("jobs");
        // What a day brings: it clears what crashes left, and looks at each grant again, unless
        // there was nothing that could have changed one: that is most of what a short run costs.
        let is_changed = self.cloud.world.version() != self.world_before;
        for trigger in [Some(Trigger::Retain), is_changed.then_some(Trigger::Review)] {
            let Some(trigger) = trigger else { continue };
            self.agenda.push(self.now, Planned::Trigger { trigger, attempt: 0 });
            self.deliveries = self.deliveries.saturating_add(1);
            self.settle("upkeep");
        }
        if self.violation.is_none() {
            self.violation = self.watch.at_rest(&self.cloud, self.now).err();
        }
        self.ended()
    }

    /// Runs the script, and what follows from it until all is at rest or the storm is over.
    pub fn play(&mut self) -> Ended {
        self.play_unless(|_| false);
        self.ended()
    }

    /// How it stands now.
    #[must_use]
    pub fn ended(&self) -> Ended {
        Ended {
            violation: self.violation.clone(),
            hash: self.trace.hash(),
            calls: self.calls,
            invocations: self.invocations,
            now: self.now,
        }
    }

    /// Stops all faults, and makes whole what they broke.
    fn heal(&mut self) {
        self.is_calm = true;
        self.cloud.heal();
        self.tell(&Event::Healed);
        self.absorb();
        self.arm();
    }

    /// Lets all that is under way come to its end, within the bound.
    fn settle(&mut self, what: &str) {
        let until = later(self.now, self.settings.bound);
        while self.violation.is_none() && !self.is_at_rest() {
            if !self.happens(Some(until)) {
                self.fail(Violation {
                    invariant: Invariant::Progress,
                    code: "UNSETTLED",
                    site: what.to_owned(),
                    says: format!(
                        "{} after the faults had stopped, {} jobs had not ended and {} functions ran",
                        self.settings.bound, self.live_jobs, self.tasks.len()
                    ),
                });
            }
        }
    }

    /// Whether nothing is under way: no function runs, no job lives, nothing is on its way.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.tasks.is_empty()
            && self.deliveries == 0
            && self.waiting.is_empty()
            && self.live_jobs == 0
            && self.drain_at.is_none()
    }

    /// Lets the next thing happen; false when there is none, or none until then.
    fn happens(&mut self, until: Option<DateTime<Utc>>) -> bool {
        let Some((at, event)) = self.agenda.pop() else { return false };
        if until.is_some_and(|until| at > until) {
            self.agenda.push(at, event);
            self.now = self.now.max(until.unwrap_or(at));
            return false;
        }
        self.now = self.now.max(at);
        self.carry_out(event);
        true
    }

    fn carry_out(&mut self, event: Planned) {
        match event {
            Planned::Act(n) => self.act(n),
            Planned::Trigger { trigger, attempt } => self.trigger(trigger, attempt),
            Planned::Effect { of, call, request, fault } => self.effect(of, call, *request, fault),
            Planned::Answer { of, call, answer } => {
                self.answer(of, call, Arc::unwrap_or_clone(answer));
            }
        }
    }

    /// Starts a function.
    fn begin(&mut self, trigger: Trigger, attempt: u32, comes_again: bool) {
        self.invocations = self.invocations.saturating_add(1);
        let id = InvocationId(self.invocations);
        let handler = trigger.handler();
        let (name, nth) = self.name(handler.name(), &trigger);
        let skew = Skew::of(self.choose(name, 0, What::Skew, Skew::options()));
        self.trace.write_u32(id.0);
        self.trace.write_u8(handler as u8);
        self.trace.write_u64(name.0);
        self.trace.record();
        self.tell(&Event::Began { of: id, name, trigger: &trigger, nth, skew });
        let skew = TimeDelta::seconds(skew.seconds());
        let ports = self.plant.ports(&self.cloud.management, &trigger);
        let limits = self.settings.limits;
        let work = invocation::start(trigger.clone(), ports, limits, later(self.now, skew));
        if matches!(trigger, Trigger::Message(_)) {
            self.working = self.working.saturating_add(1);
        }
        // A platform lets a function finish a little after it was asked to stop.
        let deadline =
            later(self.now, limits.time.checked_add(&TimeDelta::minutes(5)).unwrap_or(limits.time));
        let task = Task {
            work,
            trigger,
            handler,
            attempt,
            name,
            skew,
            next: 0,
            answers: Vec::new(),
            open: 0,
            frozen: None,
            deadline,
            comes_again,
        };
        self.tasks.insert(id, task);
        self.poll(id);
    }

    /// Lets a function go on as far as it comes without an answer.
    fn poll(&mut self, id: InvocationId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        with_mail(|mail| {
            mail.now = later(self.now, task.skew);
            mail.next = task.next;
            mail.answers = std::mem::take(&mut task.answers);
        });
        let polled = task.work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut sent = Vec::new();
        with_mail(|mail| {
            task.next = mail.next;
            std::mem::swap(&mut mail.sent, &mut sent);
            task.answers = std::mem::take(&mut mail.answers);
        });
        match polled {
            Poll::Ready(ending) => self.end(id, &ending),
            Poll::Pending => {
                let Some(task) = self.tasks.get_mut(&id) else { return };
                let new = u32::try_from(sent.len()).unwrap_or(u32::MAX);
                task.open = task.open.saturating_add(new);
                if task.open == 0 {
                    let handler = task.handler;
                    self.fail(Violation {
                        invariant: Invariant::Runs,
                        code: "HANGS",
                        site: handler.to_string(),
                        says: format!("`{handler}` waits for something that is no call of a port"),
                    });
                }
                for (call, request) in sent.drain(..) {
                    self.call(id, call, request);
                }
            }
        }
        // The buffer is used again, so that a call allocates none.
        with_mail(|mail| mail.sent = sent);
    }

    fn end(&mut self, id: InvocationId, ending: &Ending) {
        let Some(task) = self.tasks.remove(&id) else { return };
        self.cloud.transfers.die(id);
        self.tell(&Event::Ended { of: id, handler: task.handler, ending });
        self.release(&task.trigger);
        let Task { trigger, attempt, comes_again, .. } = task;
        match ending {
            Ending::Done(_) => {
                if comes_again {
                    self.redeliver(trigger, attempt);
                }
            }
            Ending::Answered(_) => self.pending = self.pending.saturating_sub(1),
            Ending::Failed { .. } => self.retry(trigger, attempt),
        }
        self.arm();
    }

    /// Kills a function: nothing more of it happens, and what it had in memory is gone.
    fn kill(&mut self, id: InvocationId) {
        let Some(task) = self.tasks.remove(&id) else { return };
        let Task { work, trigger, attempt, handler, .. } = task;
        drop(work);
        let is_silent = with_mail(|mail| std::mem::take(&mut mail.sent).is_empty());
        if !is_silent {
            self.fail(Violation {
                invariant: Invariant::Runs,
                code: "CALLS_WHEN_DEAD",
                site: handler.to_string(),
                says: format!("`{handler}` called a port after it had died"),
            });
        }
        self.cloud.transfers.die(id);
        self.tell(&Event::Died { of: id, handler });
        self.release(&trigger);
        self.retry(trigger, attempt);
        self.arm();
    }

    /// Takes in what has happened in the cloud, and plans what follows from it.
    fn absorb(&mut self) {
        if self.cloud.facts.is_empty() {
            return;
        }
        let mut facts = self.cloud.take_facts();
        for fact in &facts {
            if let Fact::Committed { changes, .. } = fact {
                for change in changes {
                    let live = |row: &Option<Arc<crossvault_handlers::ports::Stored>>| {
                        row.as_ref().map_or(0, |row| i64::from(is_live(&row.record)))
                    };
                    let by = live(&change.after).saturating_sub(live(&change.before));
                    self.live_jobs = self.live_jobs.saturating_add(by);
                }
            }
            self.follow(fact);
            if self.violation.is_none() {
                self.violation = self.watch.fact(&self.cloud, self.now, fact).err();
            }
        }
        facts.clear();
        self.cloud.facts = facts;
    }

    /// The instant so much later, where calls and deliveries take time.
    fn after(&self, way: TimeDelta) -> DateTime<Utc> {
        if self.is_instant { self.now } else { later(self.now, way) }
    }

    fn tell(&mut self, event: &Event<'_>) {
        if self.violation.is_none() {
            self.violation = self.watch.event(&self.cloud, self.now, event).err();
        }
    }

    fn fail(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    fn choose(&mut self, of: Name, call: u32, what: What, options: Options) -> u8 {
        if self.is_calm || self.chooser.is_boring() {
            return 0;
        }
        let chosen = self.chooser.choose(Key { of, call, what }, options);
        if options.has(chosen) { chosen } else { 0 }
    }

    /// The name of the next invocation or delivery of a subject, and which of them it is.
    fn name(&mut self, kind: &str, trigger: &Trigger) -> (Name, u32) {
        if self.chooser.is_boring() {
            return (Name::default(), 0);
        }
        let subject = trigger.subject();
        let nth = self.nth.entry(Name::of_subject(kind, &subject)).or_default();
        *nth = nth.saturating_add(1);
        (Name::of(kind, &subject, *nth), *nth)
    }
}

/// Whether a row is a job that has not ended.
fn is_live(record: &Record) -> bool {
    matches!(record, Record::Job(job) if !job.work.is_ended())
}

fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(at)
}
