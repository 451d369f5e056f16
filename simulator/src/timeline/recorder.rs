//! Writes a run down.

mod things;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::ids::{AccountId, JobId};
use crossvault_handlers::{
    ports::Message,
    records::{Job, JobWork, Record},
};

use super::{
    difference::{Difference, without_nulls},
    recording::{Bar, Entry, Kind, Lane, Recording, Step, Verdict},
};
use crate::{
    cloud::{Cloud, Fact, InvocationId, RowChange},
    fault::Fault,
    run::{Ended, Ending, Event, Trigger, Violation, Watch},
    scenario::{Names, Scenario, command_word, job_name},
    script::{Act, Action},
    story::{self, Story},
};

/// What changes with an event: a thing by its key, and its new value.
type Changes = Vec<(String, Option<serde_json::Value>)>;

/// A watcher that writes down all that happens, for a page.
#[derive(Clone, Debug)]
pub struct Recorder {
    story: Story,
    told: usize,
    names: Names,
    start: DateTime<Utc>,
    recording: Recording,
    lanes: BTreeMap<AccountId, usize>,
    jobs: BTreeMap<JobId, usize>,
    texts: BTreeMap<String, usize>,
    keys: BTreeMap<String, usize>,
    /// How all things stand, by the numbers of their keys.
    things: BTreeMap<usize, serde_json::Value>,
    functions: BTreeMap<InvocationId, Function>,
}

/// A function that runs.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    lane: usize,
    job: Option<usize>,
    /// Which of its job's steps it is.
    step: usize,
    /// In which call it stands still, and since when.
    frozen: Option<(u32, i64)>,
}

/// What an event is about.
#[derive(Clone, Copy)]
struct About {
    kind: Kind,
    lane: usize,
    job: Option<usize>,
}

impl Recorder {
    /// Begins to write down a scenario's run.
    #[must_use]
    pub fn of(scenario: &Scenario, file: &str) -> Self {
        let recording = Recording {
            about: scenario.about.clone(),
            file: file.to_owned(),
            hash: String::new(),
            version: env!("CARGO_PKG_VERSION"),
            start: scenario.start.timestamp_millis(),
            calls: 0,
            functions: 0,
            opens: 0,
            lanes: Vec::new(),
            jobs: Vec::new(),
            kinds: Kind::ALL.map(Kind::name),
            texts: Vec::new(),
            keys: Vec::new(),
            events: Vec::new(),
            verdict: None,
        };
        let mut recorder = Self {
            story: Story::of(scenario),
            told: 0,
            names: Names::of(scenario),
            start: scenario.start,
            recording,
            lanes: BTreeMap::new(),
            jobs: BTreeMap::new(),
            texts: BTreeMap::new(),
            keys: BTreeMap::new(),
            things: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        recorder.lane(&scenario.management);
        for account in Names::of(scenario).all() {
            if let Some(account) = recorder.names.account(account) {
                recorder.lane(&account);
            }
        }
        recorder
    }

    /// The stage is set: what follows is the script, under faults.
    pub fn opens(&mut self) {
        self.functions.clear();
        self.recording.opens = self.recording.events.len();
    }

    /// What was written down.
    #[must_use]
    pub fn into_recording(mut self, ended: &Ended) -> Recording {
        if let Some(violation) = &ended.violation {
            let Violation { invariant, code, says, .. } = violation;
            let invariant = invariant.name();
            self.story.broken(ended.now, violation);
            self.tell(ended.now, self.about(Kind::Violation, None), Vec::new());
            let says = self.names.named(says);
            self.recording.verdict = Some(Verdict { invariant, code, says });
        }
        self.recording.hash.clone_from(&ended.hash);
        self.recording.calls = ended.calls;
        self.recording.functions = ended.invocations;
        self.recording
    }

    /// The lane of an account.
    fn lane(&mut self, account: &AccountId) -> usize {
        if let Some(lane) = self.lanes.get(account) {
            return *lane;
        }
        let lane = self.recording.lanes.len();
        let name = self.names.name(account).to_owned();
        self.recording.lanes.push(Lane { id: account.to_string(), name });
        self.lanes.insert(account.clone(), lane);
        lane
    }

    fn ms(&self, at: DateTime<Utc>) -> i64 {
        at.signed_duration_since(self.start).num_milliseconds()
    }

    /// An event of what a function does; of the management account when it is nobody's.
    fn about(&self, kind: Kind, of: Option<InvocationId>) -> About {
        let function = of.and_then(|of| self.functions.get(&of));
        About {
            kind,
            lane: function.map_or(0, |function| function.lane),
            job: function.and_then(|function| function.job),
        }
    }

    /// Writes down what the story has told since, the changes with its first sentence. Tells whether
    /// it had told anything.
    fn tell(&mut self, now: DateTime<Utc>, about: About, mut changes: Changes) -> bool {
        let clock = format!("{} ", story::clock(now.signed_duration_since(self.start)));
        let lines = self.story.lines().get(self.told..).unwrap_or_default().to_vec();
        self.told = self.told.saturating_add(lines.len());
        for line in &lines {
            let text = line.strip_prefix(&clock).unwrap_or(line);
            self.write(now, about, text, std::mem::take(&mut changes));
        }
        !lines.is_empty()
    }

    /// Writes down an event.
    fn write(&mut self, now: DateTime<Utc>, about: About, text: &str, changes: Changes) {
        let text = number(&mut self.texts, &mut self.recording.texts, text);
        let mut differences = Vec::with_capacity(changes.len());
        for (key, after) in changes {
            let key = number(&mut self.keys, &mut self.recording.keys, &key);
            let after = after.map(without_nulls);
            if let Some(difference) = Difference::between(self.things.get(&key), after.as_ref()) {
                differences.push((key, difference));
                match after {
                    Some(after) => self.things.insert(key, after),
                    None => self.things.remove(&key),
                };
            }
        }
        let About { kind, lane, job } = about;
        let at = self.ms(now);
        self.recording.events.push(Entry { at, kind, lane, job, text, changes: differences });
    }

    fn begins(&mut self, now: DateTime<Utc>, of: InvocationId, trigger: &Trigger) {
        let at = self.ms(now);
        let (mut lane, mut job, mut step) = (0, None, 0);
        let name = match trigger {
            Trigger::Message(Message::TakeStep(id)) => {
                job = self.jobs.get(id).copied();
                let bar = job.and_then(|job| self.recording.jobs.get_mut(job));
                if let Some(bar) = bar {
                    (lane, step) = (bar.lane, bar.steps.len());
                    let how = "runs".to_owned();
                    bar.steps.push(Step { from: at, to: None, how, frozen: Vec::new() });
                    format!("step {} of `{}`", bar.steps.len(), bar.name)
                } else {
                    format!("a step of {id}")
                }
            }
            Trigger::Ask { command, caller, .. } => {
                lane = self.lane(caller);
                format!("api, asked `{}`", command_word(command))
            }
            Trigger::Message(Message::Recheck { account, .. }) => {
                lane = self.lane(account);
                format!("directory, about {}", self.names.name(account))
            }
            _ => trigger.handler().to_string(),
        };
        let function = Function { name, lane, job, step, frozen: None };
        self.functions.insert(of, function);
    }

    fn ends(&mut self, now: DateTime<Utc>, of: InvocationId, how: &str) {
        let at = self.ms(now);
        let Some(function) = self.functions.get_mut(&of) else { return };
        let frozen = function.frozen.take();
        let job = function.job.and_then(|job| self.recording.jobs.get_mut(job));
        if let Some(step) = job.and_then(|job| job.steps.get_mut(function.step)) {
            step.to = Some(at);
            how.clone_into(&mut step.how);
            step.frozen.extend(frozen.map(|(_, since)| (since, at)));
        }
        let about = self.about(Kind::Function, Some(of));
        let name = self.functions.get(&of).map_or("a function", |function| &function.name);
        let text = format!("{name}: {how}");
        let key = things::function(of);
        if !self.tell(now, about, vec![(key.clone(), None)]) {
            self.write(now, about, &text, vec![(key, None)]);
        }
        self.functions.remove(&of);
    }

    /// A function that stood still goes on.
    fn thaws(&mut self, now: DateTime<Utc>, of: InvocationId, call: u32) {
        let at = self.ms(now);
        let Some(function) = self.functions.get_mut(&of) else { return };
        let Some((_, since)) = function.frozen.take_if(|(frozen, _)| *frozen == call) else {
            return;
        };
        let job = function.job.and_then(|job| self.recording.jobs.get_mut(job));
        if let Some(step) = job.and_then(|job| job.steps.get_mut(function.step)) {
            step.frozen.push((since, at));
        }
    }

    fn lane_of_act(&mut self, act: &Act) -> usize {
        match &act.action {
            Action::Does(command) => self.lane(&command.by),
            Action::Asks { caller, .. } => self.lane(caller),
            Action::Opens { source, .. }
            | Action::Edits(source)
            | Action::Restores { of: source, .. }
            | Action::Cancels(source)
            | Action::Deletes(source) => self.lane(&source.account),
            Action::Retains | Action::Reviews | Action::Waits => 0,
        }
    }

    /// Rows are stored: each job among them is told of by itself.
    fn stored(&mut self, cloud: &Cloud, now: DateTime<Utc>, by: InvocationId, rows: &[RowChange]) {
        let mut about = self.about(Kind::Rows, Some(by));
        for row in rows {
            let Some(Record::Job(job)) = row.after.as_ref().map(|row| &row.record) else {
                continue;
            };
            let n = self.bar(cloud, job);
            let lane = self.recording.jobs.get(n).map_or(0, |bar| bar.lane);
            let has_failed = job.work.failure().is_some();
            let kind = if has_failed { Kind::Cause } else { Kind::Job };
            about = About { kind, lane, job: Some(n) };
        }
        let changes: Changes = rows.iter().map(things::row).collect();
        if changes.is_empty() || self.tell(now, about, changes.clone()) {
            return;
        }
        let name = self.functions.get(&by).map_or("a function", |function| &function.name);
        let mut types: Vec<&str> = rows.iter().map(things::type_of).collect();
        types.dedup();
        let text = format!("{name} stores {}", types.join(", "));
        self.write(now, About { kind: Kind::Rows, ..about }, &text, changes);
    }

    /// The bar of a job, which is new or has changed.
    fn bar(&mut self, cloud: &Cloud, job: &Job) -> usize {
        let n = if let Some(n) = self.jobs.get(&job.id) {
            *n
        } else {
            let n = self.recording.jobs.len();
            let kind = match job.work {
                JobWork::Backup(..) => "backup",
                JobWork::Restore(..) => "restore",
                JobWork::Erase(..) => "erase",
                JobWork::Prune(..) => "prune",
            };
            let bar = Bar {
                id: job.id.to_string(),
                name: self.names.named(&job_name(&self.names, cloud, &job.work)),
                kind,
                lane: self.lane(&job.account),
                queued: self.ms(job.queued),
                started: None,
                ended: None,
                status: "QUEUED",
                cause: None,
                steps: Vec::new(),
            };
            self.recording.jobs.push(bar);
            self.jobs.insert(job.id.clone(), n);
            n
        };
        let (started, ended) = (job.started.map(|at| self.ms(at)), job.ended.map(|at| self.ms(at)));
        if let Some(bar) = self.recording.jobs.get_mut(n) {
            (bar.started, bar.ended, bar.status) = (started, ended, job.work.status());
            bar.cause = job.work.failure().map(|failure| failure.root_code().to_owned());
        }
        n
    }
}

impl Watch for Recorder {
    fn wants_sites(&self) -> bool {
        true
    }

    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        if let Event::Began { of, trigger, .. } = event {
            self.begins(now, *of, trigger);
        }
        self.story.event(cloud, now, event)?;
        match event {
            Event::Acts(act) | Event::Skipped { act, .. } => {
                let about = About { kind: Kind::People, lane: self.lane_of_act(act), job: None };
                self.tell(now, about, Vec::new());
            }
            Event::Began { of, .. } => {
                self.tell(now, self.about(Kind::Fault, Some(*of)), Vec::new());
                if let Some(Function { name, .. }) = self.functions.get(of) {
                    let (text, value) = (format!("{name} begins"), things::running(name, now));
                    let about = self.about(Kind::Function, Some(*of));
                    self.write(now, about, &text, vec![(things::function(*of), Some(value))]);
                }
            }
            Event::Called { of, call, request, fault, .. } if *fault != Fault::None => {
                let mut about = self.about(Kind::Fault, Some(*of));
                if let Some(account) = request.account().filter(|_| about.job.is_none()) {
                    about.lane = self.lane(account);
                }
                if matches!(fault, Fault::FreezeBefore | Fault::FreezeAfter) {
                    let at = self.ms(now);
                    if let Some(function) = self.functions.get_mut(of) {
                        function.frozen = Some((*call, at));
                    }
                }
                self.tell(now, about, Vec::new());
            }
            Event::Answered { of, call, .. } => self.thaws(now, *of, *call),
            Event::Ended { of, ending, .. } => match ending {
                Ending::Done(how) => self.ends(now, *of, how),
                Ending::Answered(answer) => {
                    let how = if answer.is_ok() { "answered" } else { "refused" };
                    self.ends(now, *of, how);
                }
                Ending::Failed { code, .. } => self.ends(now, *of, &format!("failed {code}")),
            },
            Event::Died { of, .. } => self.ends(now, *of, "died"),
            Event::Struck { trigger, .. } => {
                let mut about = self.about(Kind::Mishap, None);
                if let Trigger::Message(Message::TakeStep(job)) = trigger {
                    about.job = self.jobs.get(job).copied();
                    let bar = about.job.and_then(|job| self.recording.jobs.get(job));
                    about.lane = bar.map_or(0, |bar| bar.lane);
                }
                self.tell(now, about, Vec::new());
            }
            Event::Healed => {
                self.tell(now, self.about(Kind::Healing, None), Vec::new());
            }
            Event::Called { .. } => {}
        }
        Ok(())
    }

    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        self.story.fact(cloud, now, fact)?;
        match fact {
            Fact::Committed { by, changes } => self.stored(cloud, now, *by, changes),
            Fact::Published { alert, .. } => {
                let lane = self.lane(&alert.account);
                self.tell(now, About { kind: Kind::Alert, lane, job: None }, Vec::new());
            }
            Fact::Changed { changes, .. } => {
                for change in changes {
                    let (account, text, changes) = things::changed(cloud, &self.names, change);
                    let lane = self.lane(&account);
                    self.write(now, About { kind: Kind::Cloud, lane, job: None }, &text, changes);
                }
            }
            _ => {
                if let Some((by, account, text, changes)) = things::data(cloud, &self.names, fact) {
                    let mut about = self.about(Kind::Data, by);
                    if let Some(account) = account {
                        about.lane = self.lane(&account);
                    }
                    self.write(now, about, &text, changes);
                }
            }
        }
        Ok(())
    }
}

/// The number of a text in a list in which each stands once.
fn number(numbers: &mut BTreeMap<String, usize>, list: &mut Vec<String>, text: &str) -> usize {
    if let Some(n) = numbers.get(text) {
        return *n;
    }
    let n = list.len();
    list.push(text.to_owned());
    numbers.insert(text.to_owned(), n);
    n
}
