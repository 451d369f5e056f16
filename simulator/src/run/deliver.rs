//! What triggers functions: people, the scheduler, the queue, the store's stream, the audit trail.

use chrono::{DateTime, Duration, TimeDelta, Timelike, Utc};
use crossvault_core::ids::Token;
use crossvault_handlers::{
    api::Command,
    enqueue::{DUE_SHARD, OUTBOX_SHARD},
    ports::{Range, Stored},
    records::{AFTER_ALL, Partition, Record, Sort},
};

use super::{Event, Planned, Run, Trigger, Watch, later};
use crate::{
    chooser::{Chooser, What},
    cloud::Fact,
    fault::Mishap,
    script::Action,
    world,
};

/// After what time a message that was not seen to comes again.
const VISIBILITY: TimeDelta = TimeDelta::seconds(60);

/// How often a message is tried before it is put aside as a dead letter.
const RECEIVES_MAX: u32 = 5;

/// After what time a person or a program asks again.
const ASKED_AGAIN: TimeDelta = TimeDelta::seconds(5);

impl<C: Chooser, W: Watch> Run<C, W> {
    /// Somebody acts.
    pub(super) fn act(&mut self, n: usize) {
        let Some(act) = self.script.get(n).cloned() else { return };
        self.tell(&Event::Acts(&act));
        let token = format!("act-{}", act.id);
        match &act.action {
            Action::Does(command) => match self.cloud.does(command.clone(), self.now) {
                Ok(events) => self.hint(events),
                Err(refusal) => self.skip(&act, refusal.to_string()),
            },
            Action::Opens { source, size } => {
                self.cloud.contents.size = *size;
                let deed = world::Deed::PutSource {
                    source: source.clone(),
                    name: source.id.to_string(),
                    location: String::new(),
                    running: true,
                };
                let command = world::Command { by: source.account.clone(), deed };
                if let Err(refusal) = self.cloud.does(command, self.now) {
                    self.skip(&act, refusal.to_string());
                }
            }
            Action::Edits(source) => self.cloud.edit(source),
            Action::Waits => {}
            Action::Retains => self.plan(self.now, Trigger::Retain, 0),
            Action::Reviews => self.plan(self.now, Trigger::Review, 0),
            Action::Asks { caller, command } => {
                self.ask(caller.clone(), &token, command.clone());
                return self.absorb();
            }
            Action::Restores { of, to, into, overwrite } => match self.newest_point(of) {
                Some(point) => {
                    let (to, into, overwrite) = (to.clone(), into.clone(), *overwrite);
                    let command = Command::Restore { point, to, into, only: None, overwrite };
                    return self.ask(self.cloud.management.clone(), &token, command);
                }
                None => self.skip(&act, format!("{of} has no recovery point")),
            },
            Action::Cancels(of) => match self.newest_job(of) {
                Some(job) => {
                    let command = Command::CancelJob { job };
                    return self.ask(self.cloud.management.clone(), &token, command);
                }
                None => self.skip(&act, format!("{of} has no job")),
            },
            Action::Deletes(of) => match self.points(of, false) {
                Some(point) => {
                    let command = Command::DeletePoint { point };
                    return self.ask(self.cloud.management.clone(), &token, command);
                }
                None => self.skip(&act, format!("{of} has no recovery point")),
            },
        }
        self.pending = self.pending.saturating_sub(1);
        self.absorb();
    }

    fn skip(&mut self, act: &crate::script::Act, why: String) {
        self.tell(&Event::Skipped { act, why });
    }

    fn ask(&mut self, caller: crossvault_core::ids::AccountId, token: &str, command: Command) {
        let Ok(token) = token.parse::<Token>() else { return };
        self.plan(self.now, Trigger::Ask { caller, token, command: Box::new(command) }, 0);
    }

    fn newest_point(
        &self,
        of: &crossvault_core::ids::DataSource,
    ) -> Option<crossvault_core::ids::PointId> {
        self.points(of, true)
    }

    /// The newest or the oldest point of a source.
    fn points(
        &self,
        of: &crossvault_core::ids::DataSource,
        is_newest: bool,
    ) -> Option<crossvault_core::ids::PointId> {
        let rows = self.cloud.rows.range(Range {
            partition: Partition::Source(of.clone()),
            from: Sort::At(DateTime::<Utc>::MIN_UTC, "".into()),
            to: Sort::At(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into()),
            reverse: is_newest,
            limit: 1,
        });
        rows.into_iter().find_map(|row| match row.record {
            Record::PointRef(row) => Some(row.point),
            _ => None,
        })
    }

    fn newest_job(
        &self,
        of: &crossvault_core::ids::DataSource,
    ) -> Option<crossvault_core::ids::JobId> {
        let rows = self.cloud.rows.range(Range {
            partition: Partition::Account(of.account.clone()),
            from: Sort::Job(DateTime::<Utc>::MIN_UTC, "".into()),
            to: Sort::Job(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into()),
            reverse: true,
            limit: 100,
        });
        let job = |row: Stored| match row.record {
            Record::JobRef(row) => Some(row.job),
            _ => None,
        };
        rows.into_iter().filter_map(job).find(|id| {
            let key = crossvault_handlers::records::Key::job(id);
            let row = self.cloud.rows.get(&key);
            row.is_some_and(
                |row| matches!(&row.record, Record::Job(job) if job.work.source() == Some(of)),
            )
        })
    }

    /// Plans a trigger.
    fn plan(&mut self, at: DateTime<Utc>, trigger: Trigger, attempt: u32) {
        self.deliveries = self.deliveries.saturating_add(1);
        self.agenda.push(at, Planned::Trigger { trigger, attempt });
    }

    /// Plans what runs once a day, at that hour.
    pub(super) fn plan_daily(&mut self, trigger: Trigger, hour: u32) {
        let today = self.now.with_hour(hour).and_then(|at| at.with_minute(0));
        let today = today.and_then(|at| at.with_second(0)).unwrap_or(self.now);
        let at = if today > self.now { today } else { later(today, Duration::days(1)) };
        self.agenda.push(at, Planned::Trigger { trigger, attempt: u32::MAX });
    }

    /// A function is triggered; messages wait for a worker.
    pub(super) fn trigger(&mut self, trigger: Trigger, attempt: u32) {
        let is_daily = attempt == u32::MAX;
        match &trigger {
            Trigger::Tick(_) => self.tick_at = None,
            Trigger::Drain => (self.drain_at, self.is_draining) = (None, true),
            Trigger::Retain if is_daily => self.plan_daily(Trigger::Retain, 2),
            Trigger::Review if is_daily => self.plan_daily(Trigger::Review, 3),
            Trigger::Message(_)
            | Trigger::Hint(_)
            | Trigger::Retain
            | Trigger::Review
            | Trigger::Ask { .. } => self.deliveries = self.deliveries.saturating_sub(1),
        }
        let is_message = matches!(trigger, Trigger::Message(_));
        if is_message && self.working >= self.settings.workers {
            self.waiting.push_back((trigger, attempt));
            return;
        }
        let comes_again = attempt & COMES_AGAIN != 0;
        self.begin(trigger, attempt & !COMES_AGAIN, comes_again && !is_daily);
    }

    /// A worker is free again.
    pub(super) fn release(&mut self, trigger: &Trigger) {
        match trigger {
            Trigger::Message(_) => {
                self.working = self.working.saturating_sub(1);
                if let Some((trigger, attempt)) = self.waiting.pop_front() {
                    self.plan(self.now, trigger, attempt);
                }
            }
            Trigger::Drain => self.is_draining = false,
            Trigger::Tick(_)
            | Trigger::Hint(_)
            | Trigger::Retain
            | Trigger::Review
            | Trigger::Ask { .. } => {}
        }
    }

    /// What is triggered again after it failed or died.
    pub(super) fn retry(&mut self, trigger: Trigger, attempt: u32) {
        let Some(trigger) = self.plant.again(trigger, attempt) else { return };
        match trigger {
            Trigger::Message(_) | Trigger::Hint(_) => self.redeliver(trigger, attempt),
            Trigger::Ask { .. } => {
                self.plan(later(self.now, ASKED_AGAIN), trigger, attempt.saturating_add(1));
            }
            // The next comes by itself.
            Trigger::Tick(_) | Trigger::Drain | Trigger::Retain | Trigger::Review => {}
        }
    }

    /// A message comes again, until it has come too often.
    pub(super) fn redeliver(&mut self, trigger: Trigger, attempt: u32) {
        let attempt = attempt.saturating_add(1);
        if attempt < RECEIVES_MAX {
            self.plan(later(self.now, VISIBILITY), trigger, attempt);
        }
    }

    /// A message that a frozen function has not deleted comes again.
    pub(super) fn come_again(&mut self, trigger: Trigger, attempt: u32) {
        if matches!(trigger, Trigger::Message(_) | Trigger::Hint(_)) {
            self.redeliver(trigger, attempt);
        }
    }

    /// Events of the audit trail are on their way.
    pub(super) fn hint(&mut self, events: Vec<world::Event>) {
        for event in events {
            let at = self.after(TimeDelta::seconds(1));
            self.deliver(at, Trigger::Hint(event.json.into()));
        }
    }

    /// What follows from a fact: messages are delivered, the outbox is drained, ticks come.
    pub(super) fn follow(&mut self, fact: &Fact) {
        match fact {
            Fact::Sent { message, delay_s, .. } => {
                let at = later(self.now, TimeDelta::seconds(i64::from(*delay_s)));
                self.deliver(at, Trigger::Message(message.clone()));
            }
            Fact::Committed { changes, .. } => {
                let is_sent = changes.iter().any(|change| {
                    let row = change.after.as_ref().map(|row| &row.record);
                    matches!(row, Some(Record::Outbox(row)) if row.shard == OUTBOX_SHARD)
                });
                if is_sent && !self.is_draining && self.drain_at.is_none() {
                    self.stream();
                }
            }
            _ => {}
        }
    }

    /// The change stream tells of new rows in the outbox, unless that is lost; then the sweep finds
    /// them.
    fn stream(&mut self) {
        let kind = "stream";
        let (name, nth) = self.name(kind, &Trigger::Drain);
        let mishap = Mishap::of(self.choose(name, 0, What::Mishap, Mishap::options()));
        if mishap != Mishap::None {
            self.tell(&Event::Struck { name, kind, trigger: &Trigger::Drain, nth, mishap });
        }
        let at = self.after(TimeDelta::milliseconds(5));
        match mishap {
            Mishap::None => self.drain(at),
            Mishap::Twice | Mishap::Again => {
                self.drain(at);
                let trigger = Trigger::Drain;
                self.agenda.push(at, Planned::Trigger { trigger, attempt: 0 });
            }
            Mishap::Late => self.drain(later(at, TimeDelta::seconds(120))),
            Mishap::Lost => self.arm(),
        }
    }

    fn drain(&mut self, at: DateTime<Utc>) {
        self.drain_at = Some(at);
        self.agenda.push(at, Planned::Trigger { trigger: Trigger::Drain, attempt: 0 });
    }

    /// Delivers a message or an event, or whatever becomes of it.
    fn deliver(&mut self, at: DateTime<Utc>, trigger: Trigger) {
        let kind = "delivery";
        let (name, nth) = self.name(kind, &trigger);
        let mishap = Mishap::of(self.choose(name, 0, What::Mishap, Mishap::options()));
        if mishap != Mishap::None {
            self.tell(&Event::Struck { name, kind, trigger: &trigger, nth, mishap });
        }
        match mishap {
            Mishap::None => self.plan(at, trigger, 0),
            Mishap::Twice => {
                self.plan(at, trigger.clone(), 0);
                self.plan(at, trigger, 0);
            }
            Mishap::Late => self.plan(later(at, TimeDelta::seconds(120)), trigger, 0),
            Mishap::Lost => {}
            Mishap::Again => self.plan(at, trigger, COMES_AGAIN),
        }
    }

    /// The first instant after now: what is overdue was not done by what runs now.
    fn soon(&self) -> DateTime<Utc> {
        later(self.now, TimeDelta::milliseconds(1))
    }

    /// Plans the next tick and the next sweep of the outbox, on the minute, if there is anything for
    /// them: those in between would read one page that is empty.
    pub(super) fn arm(&mut self) {
        let rows = &self.cloud.rows;
        if let Some(due) = rows.first_at(&Partition::Due(DUE_SHARD)) {
            let at = next_minute(due.max(self.soon()));
            if self.tick_at.is_none_or(|planned| planned > at) {
                self.tick_at = Some(at);
                let trigger = Trigger::Tick(at);
                self.agenda.push(at, Planned::Trigger { trigger, attempt: 0 });
            }
        }
        if self.drain_at.is_none()
            && !self.is_draining
            && let Some(at) = self.cloud.rows.first_at(&Partition::Outbox(OUTBOX_SHARD))
        {
            self.drain(next_minute(at.max(self.soon())));
        }
    }
}

/// In a planned trigger's count of attempts: that it comes once more although it was seen to.
const COMES_AGAIN: u32 = 1 << 30;

fn next_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    let minute = at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at);
    if minute == at { at } else { later(minute, TimeDelta::minutes(1)) }
}
