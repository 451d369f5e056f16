//! What tells that something was reached.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossvault_core::{
    explain::Explain,
    job::{Failure, Running, State},
    offboarding::{StepState, Task},
    schedule::slot::{self, Skip},
};
use crossvault_handlers::{
    api::Answer,
    enqueue::OUTBOX_SHARD,
    ports::{Message, PortError, Standing},
    records::{GrantRow, Job, JobWork, Key, Record},
};

use super::{Coverage, Those};
use crate::{
    call::{Method, Move, Moved, Request, Response},
    cloud::{Cloud, Fact, InvocationId, RowChange},
    run::{Ending, Event, Handler, Trigger, Violation, Watch},
};

/// What a run remembers of its functions.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    triggers: BTreeMap<InvocationId, Trigger>,
    /// Those that have stored something.
    committed: Those,
    /// Those whose transfer is sealed.
    sealed: Those,
    /// Those that wait for an answer to whether their job has sealed anything before.
    finding: Those,
    committing: Those,
    /// How often each entered a role of a resource account.
    entered: BTreeMap<InvocationId, u32>,
}

impl Watch for Coverage {
    fn event(
        &mut self,
        cloud: &Cloud,
        _: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        match event {
            Event::Began { of, trigger, .. } => {
                self.seen.triggers.insert(*of, (*trigger).clone());
                if matches!(trigger, Trigger::Message(Message::RecheckAll { .. })) {
                    self.branch("an event touches all who depend on something");
                }
            }
            Event::Called { of, request, .. } => {
                self.seen.finding.remove(of);
                self.seen.committing.remove(of);
                match request {
                    Request::Move { mov: Move::Find, .. } => self.seen.finding.insert(*of),
                    _ if request.method() == Method::Commit => self.seen.committing.insert(*of),
                    _ => false,
                };
            }
            Event::Answered { of, answer, .. } => match answer {
                Ok(Response::Moved(Moved::Stands(Standing::Sealed { .. }), _)) => {
                    self.seen.sealed.insert(*of);
                    if self.seen.finding.contains(of) {
                        self.branch("a seal of before is adopted");
                    }
                }
                Err(PortError::Conflict) if self.seen.committing.contains(of) => {
                    self.branch("a commit conflicts");
                }
                _ => {}
            },
            Event::Ended { of, ending, .. } => self.ended(cloud, *of, ending),
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, _: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { by, changes } => {
                let handler = self.seen.triggers.get(by).map(Trigger::handler);
                for change in changes {
                    self.row(*by, handler, change);
                }
                self.seen.committed.insert(*by);
            }
            Fact::Assumed { by, role, .. }
                if !role.name.as_str().starts_with("AliyunServiceRole") =>
            {
                let times = self.seen.entered.entry(*by).or_default();
                *times = times.saturating_add(1);
                let is_step = self.seen.triggers.get(by).is_some_and(is_step);
                if *times == 2 && is_step {
                    self.branch("a step enters its roles again");
                }
            }
            Fact::Erased { job: None, .. } => self.branch("the sweep discards sealed data"),
            Fact::Pruned { removed: 1.., .. } => self.branch("a prune gives space back"),
            _ => {}
        }
        Ok(())
    }
}

impl Coverage {
    fn ended(&mut self, cloud: &Cloud, of: InvocationId, ending: &Ending) {
        let has_stored = self.seen.committed.contains(&of);
        let Some(trigger) = self.seen.triggers.remove(&of) else { return };
        match (ending, &trigger) {
            (Ending::Done("stale"), _) if has_stored => self.branch("a step has lost its fence"),
            (Ending::Done("stale"), _) => self.branch("a step finds its job taken or ended"),
            (Ending::Done("rests"), _) => self.branch("a step rests at a checkpoint"),
            (Ending::Done("no event"), _) => self.branch("an event is none of ours"),
            (Ending::Done("waits"), Trigger::Message(Message::TakeStep(job))) => {
                let row = cloud.rows.get(&Key::job(job));
                let Some(Record::Job(job)) = row.map(|row| &row.record) else { return };
                if matches!(job.work, JobWork::Prune(..)) {
                    self.branch("a prune waits for its vault");
                } else if job.waiting.is_none() {
                    self.branch("a claim finds the gate closed");
                }
            }
            (Ending::Answered(answer), Trigger::Ask { caller, token, .. }) => {
                let is_known = cloud.rows.get(&Key::request(caller, token)).is_some();
                if answer.is_ok() && is_known && !has_stored {
                    self.branch("a token is replayed");
                }
                if let Ok(answer) = answer.as_ref() {
                    self.answered(answer);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, answer: &Answer) {
        match answer {
            Answer::Removal(plan) => {
                for step in &plan.steps {
                    self.reach("leaving", leaving(&step.task, &step.state));
                }
            }
            Answer::Check(check) => {
                for operation in &check.operations {
                    for view in &operation.causes {
                        self.reach("cause", view.cause.code());
                    }
                }
            }
            _ => {}
        }
    }

    fn row(&mut self, by: InvocationId, handler: Option<Handler>, change: &RowChange) {
        let before = change.before.as_ref().map(|row| &row.record);
        let after = change.after.as_ref().map(|row| &row.record);
        match (before, after) {
            (None, Some(Record::Waiting(_))) => self.branch("a claim waits for a turn"),
            (Some(Record::Turn(before)), Some(Record::Turn(after))) if before.job != after.job => {
                self.branch("a turn is passed on");
            }
            (before, Some(Record::Job(after))) => {
                let before = before.and_then(|before| match before {
                    Record::Job(job) => Some(&**job),
                    _ => None,
                });
                self.job(by, handler, before, after);
            }
            (_, Some(Record::Slot(row))) => match &row.outcome {
                slot::Outcome::Skipped(Skip::PredecessorRuns(_)) => {
                    self.branch("a slot is skipped: still runs");
                }
                slot::Outcome::Skipped(Skip::Paused) => self.branch("a slot is skipped: paused"),
                slot::Outcome::Started(_) => {}
            },
            (_, Some(Record::MissedSlots(_))) => self.branch("slots are missed"),
            (_, Some(Record::Failures(_))) => self.branch("files of a job failed"),
            (Some(Record::Binding(before)), Some(Record::Binding(after)))
                if before.0.version < after.0.version =>
            {
                match handler {
                    Some(Handler::Schedule) => {
                        self.branch("a tick moves a binding to a new version");
                    }
                    Some(Handler::FanOut) => {
                        self.branch("the fan-out moves a binding to a new version");
                    }
                    _ => {}
                }
            }
            (Some(Record::Binding(_)), None) if handler == Some(Handler::FanOut) => {
                self.branch("the fan-out removes a binding of a deleted policy");
            }
            (_, Some(Record::Outbox(row))) if row.shard != OUTBOX_SHARD => {
                self.branch("an effect is put aside");
            }
            (_, Some(Record::Outbox(row))) if row.attempts > 0 => {
                self.branch("an effect is tried again");
            }
            (before, Some(Record::Grant(after))) => {
                let before = before.and_then(|before| match before {
                    Record::Grant(grant) => Some(grant),
                    _ => None,
                });
                self.grant(before, after);
            }
            (_, Some(Record::FormerGrant(_))) => self.reach("grant", "former"),
            (_, Some(Record::Review(row))) if !row.findings.is_empty() => {
                self.branch("a review finds something");
            }
            _ => {}
        }
    }

    fn grant(&mut self, before: Option<&GrantRow>, after: &GrantRow) {
        let was_broken = before
            .and_then(|before| before.0.standing.as_ref())
            .is_some_and(|standing| standing.broken.is_some());
        let Some(standing) = &after.0.standing else {
            return self.reach("grant", "never looked at");
        };
        match &standing.broken {
            Some(causes) => {
                self.reach("grant", "broken");
                for cause in causes.iter() {
                    self.reach("cause", cause.code());
                }
            }
            None if was_broken => self.reach("grant", "mended"),
            None => self.reach("grant", "stands"),
        }
        if before.is_some_and(|before| before.0.standing.is_some()) {
            self.branch("a look finds a grant changed");
        }
    }

    fn job(
        &mut self,
        by: InvocationId,
        handler: Option<Handler>,
        before: Option<&Job>,
        after: &Job,
    ) {
        let (kind, status) = (after.work.kind(), after.work.status());
        if before.is_none_or(|before| before.work.status() != status) {
            self.reach(kind, status);
            match after.work.failure() {
                Some(Failure::Unauthorized(causes)) => {
                    for cause in causes.iter() {
                        self.reach("cause", cause.code());
                    }
                }
                Some(failure) => self.reach("failure", failure.code()),
                None => {}
            }
            if kind == "erase" && status == "QUEUED" && handler == Some(Handler::Retention) {
                self.branch("points expire");
            }
        }
        let Some(before) = before else { return };
        if after.fence > before.fence && before.lease_until.is_some() {
            self.branch("a step takes over from a dead one");
        }
        if handler == Some(Handler::Schedule) {
            self.branch("a job is woken by the due index");
        }
        let (was, is) = (running(&before.work), running(&after.work));
        if let (Some(was), Some(is)) = (was, is)
            && is.stumbles > was.stumbles
        {
            self.branch("a step stumbles");
        }
        if self.seen.sealed.contains(&by) && is.is_some() {
            self.branch("what was sealed is outdated");
        }
    }
}

fn is_step(trigger: &Trigger) -> bool {
    trigger.handler() == Handler::Job
}

fn running(work: &JobWork) -> Option<&Running> {
    fn of<S>(state: &State<S>) -> Option<&Running> {
        match state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }
    match work {
        JobWork::Backup(_, state) => of(state),
        JobWork::Restore(_, state) => of(state),
        JobWork::Erase(_, state) | JobWork::Prune(_, state) => of(state),
    }
}

fn leaving(task: &Task, state: &StepState) -> &'static str {
    macro_rules! stands {
        ($task:literal) => {
            match state {
                StepState::Done => concat!($task, ": done"),
                StepState::Next => concat!($task, ": next"),
                StepState::Later => concat!($task, ": later"),
                StepState::Kept { .. } => concat!($task, ": kept"),
                StepState::Unseen => concat!($task, ": unseen"),
            }
        };
    }
    match task {
        Task::Unbind { .. } => stands!("unbind"),
        Task::EndJobs { .. } => stands!("end jobs"),
        Task::UninstallClients { .. } => stands!("uninstall clients"),
        Task::DeleteGrant => stands!("delete grant"),
        Task::DetachPolicies { .. } => stands!("detach policies"),
        Task::DeleteRole { .. } => stands!("delete role"),
    }
}
