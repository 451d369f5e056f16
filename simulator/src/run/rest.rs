//! A run taken apart: it can be kept where no function runs, and gone on from in any order.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{Planned, Run, Settings, Trigger, Violation, Watch, agenda::Agenda, planted::Planted};
use crate::{chooser::Chooser, cloud::Cloud, script::Act, trace::Trace};

/// A run between its functions, as a value: all that it goes on from.
#[derive(Clone)]
pub struct Rest<W> {
    /// The cloud.
    pub cloud: Cloud,
    /// Who looks on.
    pub watch: W,
    agenda: Agenda,
    nth: BTreeMap<u64, u32>,
    world_before: u64,
    now: DateTime<Utc>,
    invocations: u32,
    pending: usize,
    deliveries: usize,
    live_jobs: i64,
    tick_at: Option<DateTime<Utc>>,
    drain_at: Option<DateTime<Utc>>,
}

/// Something that is planned and may be chosen to happen next.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Its number, by which it is chosen.
    pub number: u64,
    /// When it is planned for.
    pub at: DateTime<Utc>,
    /// What it is.
    pub planned: &'a Planned,
}

impl<C: Chooser, W: Watch> Run<C, W> {
    /// Goes on from a rest.
    pub fn resume(rest: Rest<W>, script: Arc<[Act]>, settings: Settings, chooser: C) -> Self {
        let mut run = Self::bare(rest.cloud, rest.now, script, settings, chooser, rest.watch);
        run.agenda = rest.agenda;
        run.nth = rest.nth;
        run.world_before = rest.world_before;
        run.invocations = rest.invocations;
        run.pending = rest.pending;
        run.deliveries = rest.deliveries;
        run.live_jobs = rest.live_jobs;
        run.tick_at = rest.tick_at;
        run.drain_at = rest.drain_at;
        run
    }

    /// A run in which nothing is planned yet.
    pub(super) fn bare(
        cloud: Cloud,
        from: DateTime<Utc>,
        script: Arc<[Act]>,
        settings: Settings,
        chooser: C,
        watch: W,
    ) -> Self {
        let world_before = cloud.world.version();
        Self {
            cloud,
            watch,
            settings,
            chooser,
            agenda: Agenda::default(),
            tasks: BTreeMap::new(),
            waiting: VecDeque::new(),
            working: 0,
            nth: BTreeMap::new(),
            world_before,
            now: from,
            trace: Trace::default(),
            calls: 0,
            invocations: 0,
            is_calm: false,
            is_instant: false,
            pending: script.len(),
            deliveries: 0,
            live_jobs: 0,
            tick_at: None,
            drain_at: None,
            is_draining: false,
            violation: None,
            script,
            plant: Planted::default(),
        }
    }

    /// The run as a value; none while a function runs or messages wait for a worker.
    pub fn into_rest(self) -> Option<Rest<W>> {
        let is_between = self.tasks.is_empty() && self.waiting.is_empty();
        is_between.then_some(Rest {
            cloud: self.cloud,
            watch: self.watch,
            agenda: self.agenda,
            nth: self.nth,
            world_before: self.world_before,
            now: self.now,
            invocations: self.invocations,
            pending: self.pending,
            deliveries: self.deliveries,
            live_jobs: self.live_jobs,
            tick_at: self.tick_at,
            drain_at: self.drain_at,
        })
    }

    /// The same run, with another to choose from now on.
    pub fn choosing(&mut self, chooser: C) -> C {
        std::mem::replace(&mut self.chooser, chooser)
    }

    /// What is planned beside the calls of functions that stand still, in the order of time.
    #[must_use]
    pub fn choices(&self) -> Vec<Choice<'_>> {
        let entries = self.agenda.entries().into_iter();
        let choice = |(number, at, planned)| Choice { number, at, planned };
        entries.map(choice).filter(|choice| !choice.planned.is_call()).collect()
    }

    /// What was broken so far.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Whether a function stands still in the middle.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Lets one planned thing happen, at its instant or now if that is over, and each function that
    /// it starts come to its end or to where it is frozen. No call takes time.
    pub fn step(&mut self, number: u64) {
        self.is_instant = true;
        for (at, event) in self.agenda.take(|of, _, _| of == number) {
            self.now = self.now.max(at);
            self.carry_out(event);
        }
        self.run_on();
    }

    /// When the next tick and the next drain come, if they are planned; what is overdue comes now.
    #[must_use]
    pub fn armed(&self) -> [Option<DateTime<Utc>>; 2] {
        [self.tick_at, self.drain_at].map(|at| at.map(|at| at.max(self.now)))
    }

    /// Lets functions that stand still go on, to their ends.
    pub fn thaw(&mut self) {
        self.is_instant = true;
        for task in self.tasks.values_mut() {
            task.frozen = None;
        }
        for (_, event) in self.agenda.take(|_, _, event| event.is_call()) {
            self.carry_out(event);
        }
        self.run_on();
    }

    /// Ends it as a run ends: faults stop, all comes to rest, and everything must hold.
    pub fn conclude(&mut self) -> super::Ended {
        self.is_instant = false;
        self.finish()
    }

    /// Takes away all acts that are still to come.
    #[must_use]
    pub fn without_acts(mut self) -> Self {
        let acts = self.agenda.take(|_, _, event| matches!(event, Planned::Act(_)));
        self.pending = self.pending.saturating_sub(acts.len());
        self
    }

    fn run_on(&mut self) {
        while self.violation.is_none() {
            let now = self.now;
            let due = self.agenda.take_first(|at, event| at <= now && event.is_call());
            let Some((_, event)) = due else { break };
            self.carry_out(event);
        }
        self.forget_repeats();
    }

    /// The scheduler comes once a minute, and the stream has one reader.
    fn forget_repeats(&mut self) {
        let mut seen = BTreeSet::new();
        let now = self.now;
        self.agenda.take(|_, at, event| match event {
            Planned::Trigger { trigger: Trigger::Tick(_), .. } => !seen.insert((true, at)),
            Planned::Trigger { trigger: Trigger::Drain, .. } => !seen.insert((false, at.max(now))),
            _ => false,
        });
    }
}

impl Planned {
    /// Whether it belongs to a call that is under way.
    #[must_use]
    pub fn is_call(&self) -> bool {
        matches!(self, Self::Effect { .. } | Self::Answer { .. })
    }
}
