//! A platform in memory whose calls can be counted, failed, cut off and interleaved.
//!
//! Its state is plain data: a test sets it up once and plays from a copy of it as often as it
//! likes. Time moves only when a transfer is waited for, or when a test says so.

pub mod both;
mod cloud;
mod store;
mod transfers;

use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    alert::Alert,
    ids::{AccountId, EffectId, JobId, PointId},
};
use crossvault_handlers::{
    api::{Answer, ApiError, Command, handle},
    directory,
    enqueue::{DUE_SHARD, OUTBOX_SHARD},
    fan_out::fan_out,
    job::{self, Done, Pace, StepError},
    outbox,
    ports::{Clock, Events, Message, PortError, Queue, Store, Stored, Transaction},
    records::{Job, Key, Record},
    retention, review,
    schedule::{self, Ticked},
};
use crossvault_tests::sweep::sweep;

pub use self::transfers::Datum;
use crate::words::{
    PAYROLL, RESCUE, START, VAULTS, account, add, create_policy, create_vault, seconds, token,
};

/// How long a message whose receiver failed stays out of sight.
const VISIBILITY: TimeDelta = TimeDelta::seconds(30);

/// What strikes one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No answer, and nothing was done.
    LostBefore,
    /// No answer, and it was done.
    LostAfter,
    /// The invocation dies before the call.
    CrashBefore,
    /// The invocation dies after the call; transfers on hosts of their own go on.
    CrashAfter,
    /// The invocation dies after the call, and all transfers with it.
    Blackout,
}

pub const FAULTS: [Fault; 5] =
    [Fault::LostBefore, Fault::LostAfter, Fault::CrashBefore, Fault::CrashAfter, Fault::Blackout];

/// Which call, counted from 1, is struck by what.
pub type Strike = (usize, Fault);

type Hook = Box<dyn FnOnce(&Stage) + Send>;

/// A message that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub message: Message,
    pub group: AccountId,
    pub visible: DateTime<Utc>,
}

#[derive(Clone)]
pub struct State {
    pub now: DateTime<Utc>,
    pub pace: Pace,
    /// How long a platform lets an invocation run.
    pub limit: TimeDelta,
    pub cloud: cloud::Cloud,
    pub transfers: transfers::Running,
    pub queue: Vec<Waiting>,
    pub alerts: Vec<(EffectId, Alert)>,
    /// The method of each call since the count began.
    pub calls: Vec<&'static str>,
    /// Calls that fail by script, by method.
    pub scripted: BTreeMap<&'static str, VecDeque<PortError>>,
    pub is_interleaved: bool,
    rows: BTreeMap<Key, Stored>,
    stamp: u128,
    strikes: Vec<Strike>,
    is_crashed: bool,
    requests: u32,
}

pub struct Stage {
    state: Mutex<State>,
    hooks: Mutex<Vec<(&'static str, usize, Hook)>>,
}

impl Stage {
    /// A management account with a vault `main`, a policy `daily`, and two accounts added by role.
    pub fn new() -> Self {
        let state = State {
            now: START.parse().unwrap(),
            pace: Pace { pulse: seconds(10), step: TimeDelta::minutes(5), turns: 2 },
            limit: TimeDelta::minutes(10),
            cloud: cloud::Cloud::default(),
            transfers: transfers::Running::default(),
            queue: Vec::new(),
            alerts: Vec::new(),
            calls: Vec::new(),
            scripted: BTreeMap::new(),
            is_interleaved: false,
            rows: BTreeMap::new(),
            stamp: 0,
            strikes: Vec::new(),
            is_crashed: false,
            requests: 0,
        };
        let stage = Self::of(state);
        stage.ok(create_vault("main"));
        stage.ok(create_policy("daily", "C|0|0 0 2 * * ?"));
        for owner in [PAYROLL, RESCUE] {
            stage.state().cloud.open(&account(owner));
            stage.ok(add(owner));
        }
        stage
    }

    fn of(state: State) -> Self {
        Self { state: Mutex::new(state), hooks: Mutex::default() }
    }

    /// A copy in which these calls are struck, and which counts its calls anew.
    pub fn fork(&self, strikes: &[Strike]) -> Self {
        let mut state = self.state().clone();
        state.strikes = strikes.to_vec();
        state.calls.clear();
        Self::of(state)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something just before the n-th call of a method from now on, from 1.
    pub fn before(
        &self,
        method: &'static str,
        n: usize,
        hook: impl FnOnce(&Self) + Send + 'static,
    ) {
        self.hooks.lock().unwrap().push((method, n, Box::new(hook)));
    }

    /// Lets the next calls of a method fail.
    pub fn fail(&self, method: &'static str, error: PortError, times: usize) {
        let errors = std::iter::repeat_n(error, times);
        self.state().scripted.entry(method).or_default().extend(errors);
    }

    /// Runs one invocation to its end; none when it died.
    pub fn invoke<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return Some(done);
            }
            if std::mem::take(&mut self.state().is_crashed) {
                return None;
            }
        }
    }

    /// Runs one invocation that does not die.
    #[track_caller]
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.invoke(future).expect("no crash was asked for")
    }

    /// One call of a port: counted, struck, and then carried out.
    async fn call<T>(
        &self,
        method: &'static str,
        effect: impl FnOnce(&mut State) -> Result<T, PortError> + Send,
    ) -> Result<T, PortError> {
        let is_interleaved = self.state().is_interleaved;
        if is_interleaved {
            let mut has_waited = false;
            poll_fn(|_| {
                if std::mem::replace(&mut has_waited, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
        self.meddle(method);
        let fault = {
            let mut state = self.state();
            state.calls.push(method);
            let n = state.calls.len();
            let fault = state.strikes.iter().find(|(at, _)| *at == n).map(|(_, fault)| *fault);
            let scripted = state.scripted.get_mut(method).and_then(VecDeque::pop_front);
            if let (None, Some(error)) = (fault, scripted) {
                state.transfers.drop_if_expired(method, &error);
                return Err(error);
            }
            fault
        };
        let Some(fault) = fault else { return effect(&mut self.state()) };
        if matches!(fault, Fault::LostAfter | Fault::CrashAfter | Fault::Blackout) {
            drop(effect(&mut self.state()));
        }
        if matches!(fault, Fault::LostBefore | Fault::LostAfter) {
            return Err(PortError::TimedOut);
        }
        {
            let mut state = self.state();
            state.is_crashed = true;
            if fault == Fault::Blackout {
                state.transfers.halt_all();
            }
        }
        pending().await
    }

    /// Does what others do just before this call.
    fn meddle(&self, method: &'static str) {
        let mut ripe = Vec::new();
        {
            let mut hooks = self.hooks.lock().unwrap();
            for (of, n, _) in hooks.iter_mut().filter(|(of, _, _)| *of == method) {
                debug_assert_eq!(*of, method);
                *n -= 1;
            }
            let mut i = 0;
            while i < hooks.len() {
                if hooks[i].1 == 0 { ripe.push(hooks.remove(i).2) } else { i += 1 }
            }
        }
        for hook in ripe {
            hook(self);
        }
    }
}

/// What people and triggers do.
impl Stage {
    /// Asks under a token until there is an answer, as a client does.
    pub fn ask_under(&self, name: &str, command: &Command) -> Result<Answer, ApiError> {
        for _ in 0..10 {
            let (caller, token) = (account(VAULTS), token(name));
            match self.invoke(handle(self, &caller, &token, command.clone())) {
                None | Some(Err(ApiError::Port(_))) => {}
                Some(answered) => return answered,
            }
        }
        panic!("{command:?} has no answer");
    }

    /// Asks under a new token.
    #[expect(clippy::needless_pass_by_value, reason = "commands are made where they are asked")]
    pub fn ask(&self, command: Command) -> Result<Answer, ApiError> {
        let n = {
            let mut state = self.state();
            state.requests += 1;
            state.requests
        };
        self.ask_under(&format!("request-{n}"), &command)
    }

    #[track_caller]
    pub fn ok(&self, command: Command) -> Answer {
        self.ask(command).unwrap()
    }

    #[track_caller]
    pub fn started(&self, command: Command) -> JobId {
        match self.ok(command) {
            Answer::JobStarted(job) => job,
            other => panic!("no job: {other:?}"),
        }
    }

    /// Takes a job one step now, whatever the queue holds.
    pub fn step(&self, id: &JobId) -> Result<Done, StepError> {
        self.run(self.stepping(id))
    }

    pub async fn stepping(&self, id: &JobId) -> Result<Done, StepError> {
        let (pace, stop_at) = {
            let state = self.state();
            (state.pace, state.now + state.limit)
        };
        job::step(self, id, pace, stop_at).await
    }

    pub fn tick(&self) -> Ticked {
        let now = self.now();
        self.run(schedule::tick(self, DUE_SHARD, now, DateTime::<Utc>::MAX_UTC)).unwrap()
    }

    pub fn drain(&self) -> outbox::Drained {
        self.run(outbox::drain(self, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC)).unwrap()
    }

    pub fn pass(&self, by: TimeDelta) {
        self.state().now += by;
    }

    /// Receives every message that can be seen; one whose receiver failed comes again later.
    /// Whether there was one.
    fn deliver(&self) -> bool {
        let mut is_busy = false;
        loop {
            let waiting = {
                let mut state = self.state();
                let now = state.now;
                let Some(i) = state.queue.iter().position(|waiting| waiting.visible <= now) else {
                    return is_busy;
                };
                state.queue.remove(i)
            };
            is_busy = true;
            let is_done = match &waiting.message {
                Message::TakeStep(id) => match self.invoke(self.stepping(id)) {
                    Some(Ok(_)) => true,
                    Some(Err(error)) => {
                        assert!(is_passing(&error), "{error:?}");
                        false
                    }
                    None => false,
                },
                Message::FanOut { policy, after } => {
                    matches!(self.invoke(fan_out(self, policy, after.as_ref())), Some(Ok(_)))
                }
                Message::RecheckAll { on, after, hint } => {
                    let stop_at = self.now() + self.state().limit;
                    let done = directory::recheck_all(self, on, after.as_ref(), hint, stop_at);
                    matches!(self.invoke(done), Some(Ok(())))
                }
                Message::Recheck { account, region, hint } => {
                    let done = directory::recheck(self, account, region, hint);
                    matches!(self.invoke(done), Some(Ok(_)))
                }
            };
            if !is_done {
                let mut state = self.state();
                let visible = state.now + VISIBILITY;
                state.queue.push(Waiting { visible, ..waiting });
            }
        }
    }

    /// Lets the platform work until nothing is left to do before an instant. Handlers that failed
    /// or died are triggered again.
    #[track_caller]
    pub fn settle_until(&self, end: DateTime<Utc>) {
        for _ in 0..2_000 {
            if self.now() > end {
                return;
            }
            let drained = self.invoke(outbox::drain(self, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC));
            let has_sent = !matches!(drained, Some(Ok(drained)) if drained.sent == 0);
            if self.deliver() || has_sent {
                continue;
            }
            let Some(next) = self.next_event().filter(|next| *next <= end) else { return };
            let now = {
                let mut state = self.state();
                state.now = state.now.max(next);
                state.now
            };
            let _ = self.invoke(schedule::tick(self, DUE_SHARD, now, DateTime::<Utc>::MAX_UTC));
        }
        panic!("it never comes to rest");
    }

    /// One drain that may fail or die.
    pub fn drain_once(&self) {
        let _ = self.invoke(outbox::drain(self, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC));
    }

    /// Brings an event again and again until somebody takes it, as an event bus does.
    #[track_caller]
    pub fn hint(&self, event: &str) {
        for _ in 0..10 {
            let stop_at = self.now() + self.state().limit;
            if let Some(Ok(_)) = self.invoke(directory::run(self, event, stop_at)) {
                return;
            }
        }
        panic!("nobody takes {event}");
    }

    /// Runs reviews until a round is done.
    #[track_caller]
    pub fn review(&self) {
        for _ in 0..10 {
            let done = self.invoke(review::run(self, DateTime::<Utc>::MAX_UTC));
            if matches!(done, Some(Ok(done)) if done.is_done) {
                return;
            }
        }
        panic!("no round is ever done");
    }

    /// Runs retention until it comes through.
    #[track_caller]
    pub fn retain(&self) {
        for _ in 0..10 {
            if let Some(Ok(_)) = self.invoke(retention::run(self, DateTime::<Utc>::MAX_UTC)) {
                return;
            }
        }
        panic!("retention never comes through");
    }

    /// Lets jobs end without that anybody hears of it.
    pub fn settle_but_alerts(&self) {
        self.fail("publish", PortError::Throttled, 1);
        self.settle_until(self.now());
    }

    /// Lets the platform work until every job has ended and only slots of bindings are to come.
    #[track_caller]
    pub fn settle(&self) {
        let end = self.jobs_due().unwrap_or(self.now()) + TimeDelta::hours(6);
        self.settle_until(end);
    }

    fn jobs_due(&self) -> Option<DateTime<Utc>> {
        self.jobs().into_iter().filter_map(|job| job.wake).max()
    }

    /// When something is to be done next: a message, an effect, a job or a slot.
    fn next_event(&self) -> Option<DateTime<Utc>> {
        let state = self.state();
        let visible = state.queue.iter().map(|waiting| waiting.visible);
        let rows = state.rows.values().filter_map(|stored| match &stored.record {
            Record::Due(due) => Some(due.at),
            Record::Outbox(row) if row.shard == OUTBOX_SHARD => Some(row.not_before),
            _ => None,
        });
        visible.chain(rows).min()
    }
}

/// Whether trying again may mend it: all else is a mistake of ours.
pub fn is_passing(error: &StepError) -> bool {
    matches!(
        error,
        StepError::Port(PortError::Conflict | PortError::TimedOut | PortError::Throttled)
    )
}

/// What can be seen afterwards.
impl Stage {
    pub fn records(&self) -> Vec<Record> {
        self.state().rows.values().map(|stored| stored.record.clone()).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.state().rows.values().filter(|stored| stored.record.name() == name).count()
    }

    pub fn record(&self, key: &Key) -> Option<Record> {
        self.state().rows.get(key).map(|stored| stored.record.clone())
    }

    /// The rows, to be compared.
    pub fn rows(&self) -> BTreeMap<Key, Stored> {
        self.state().rows.clone()
    }

    /// Puts a row as no handler does.
    pub fn put(&self, record: Record) {
        let mut transaction = Transaction::default();
        transaction.put(record);
        self.run(self.commit(transaction)).unwrap();
    }

    #[track_caller]
    pub fn job(&self, id: &JobId) -> Job {
        match self.record(&Key::job(id)) {
            Some(Record::Job(job)) => *job,
            other => panic!("no job {id}: {other:?}"),
        }
    }

    pub fn jobs(&self) -> Vec<Job> {
        let jobs = self.records().into_iter().filter_map(|record| match record {
            Record::Job(job) => Some(*job),
            _ => None,
        });
        jobs.collect()
    }

    #[track_caller]
    pub fn status(&self, id: &JobId) -> &'static str {
        self.job(id).work.status()
    }

    /// The code that people look up for a job's failure.
    #[track_caller]
    pub fn why(&self, id: &JobId) -> String {
        let job = self.job(id);
        job.work.failure().map(|failure| failure.root_code().to_owned()).unwrap_or_default()
    }

    /// Asks that no invariant of the rows is broken.
    #[track_caller]
    pub fn sweep(&self) {
        let rows: Vec<Stored> = self.state().rows.values().cloned().collect();
        assert_eq!(sweep(&rows, &account(VAULTS)), Vec::<String>::new());
    }

    /// Backs a source up to the end: the point.
    #[track_caller]
    pub fn backed_up(&self, command: Command) -> PointId {
        let job = self.started(command);
        self.settle();
        assert_eq!(self.status(&job), "COMPLETE");
        PointId::of_job(&job)
    }
}

impl Clock for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }
}

impl State {
    /// No call is struck any more.
    pub fn calm(&mut self) {
        self.strikes.clear();
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.rows.values().map(|stored| &stored.record)
    }
}

impl Queue for Stage {
    async fn send(
        &self,
        message: Message,
        group: AccountId,
        delay_s: u32,
    ) -> Result<(), PortError> {
        assert!(delay_s <= 900);
        self.call("send", |state| {
            let visible = state.now + seconds(delay_s.into());
            state.queue.push(Waiting { message, group, visible });
            Ok(())
        })
        .await
    }
}

impl Events for Stage {
    async fn publish(&self, id: EffectId, alert: Alert) -> Result<(), PortError> {
        self.call("publish", |state| {
            state.alerts.push((id, alert));
            Ok(())
        })
        .await
    }
}
