//! A run in plain sentences: who did what, what went wrong, what came of it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    ids::JobId,
    job::{Outcome, State},
};
use crossvault_handlers::{
    ports::Message,
    records::{Job, JobWork, Record},
};
use serde_json::Value;

use crate::{
    cloud::{Cloud, Fact, InvocationId},
    fault::{Fault, Mishap, Skew},
    run::{Ending, Event, Site, Trigger, Violation, Watch},
    scenario::{Names, Scenario, command_word, deed_word, job_name},
    script::{Act, Action},
};

/// A watcher that writes down what a person would tell of a run.
#[derive(Clone, Debug)]
pub struct Story {
    names: Names,
    start: DateTime<Utc>,
    jobs: BTreeMap<JobId, String>,
    functions: BTreeMap<InvocationId, String>,
    lines: Vec<String>,
}

impl Story {
    /// Begins the story of a scenario's run.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            names: Names::of(scenario),
            start: scenario.start,
            jobs: BTreeMap::new(),
            functions: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    /// The sentences, each with its time from the start on.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Ends the story with what must not be.
    pub fn broken(&mut self, now: DateTime<Utc>, violation: &Violation) {
        let Violation { invariant, code, says, .. } = violation;
        self.say(now, &format!("broken: {} ({code}): {says}", invariant.name()));
    }

    fn say(&mut self, now: DateTime<Utc>, what: &str) {
        let at = clock(now.signed_duration_since(self.start));
        self.lines.push(format!("{at} {}", self.names.named(what)));
    }

    /// What a trigger is about, in words.
    fn subject(&self, trigger: &Trigger) -> String {
        match trigger {
            Trigger::Message(Message::TakeStep(job)) => match self.jobs.get(job) {
                Some(name) => format!("`{name}`"),
                None => job.to_string(),
            },
            Trigger::Ask { command, .. } => {
                format!("question `{}`", command_word(command))
            }
            _ => {
                let (handler, subject) = (trigger.handler(), trigger.subject());
                if subject.is_empty() {
                    handler.to_string()
                } else {
                    format!("{handler} {subject}")
                }
            }
        }
    }

    fn function(&self, of: InvocationId) -> &str {
        self.functions.get(&of).map_or("a function", String::as_str)
    }

    fn acts(&mut self, now: DateTime<Utc>, act: &Act) {
        let source = |source| self.names.source_name(source);
        let line = match &act.action {
            Action::Does(command) => {
                let value = serde_json::to_value(&command.deed).unwrap_or_default();
                let fields = value.as_object().and_then(|map| map.values().next());
                let told = sentence(&deed_word(&command.deed), fields.unwrap_or(&Value::Null));
                format!("account {} {told}", self.names.name(&command.by))
            }
            Action::Asks { caller, command } => {
                let value = serde_json::to_value(command).unwrap_or_default();
                let told = sentence(&command_word(command), &value);
                format!("for {}, Crossvault {told}", self.names.name(caller))
            }
            Action::Opens { source: of, size } => {
                format!("{} comes into being with {} files", source(of), size.files)
            }
            Action::Edits(of) => format!("users change {}", source(of)),
            Action::Restores { of, to, .. } => {
                format!("a restore of {} to {} is asked for", source(of), source(to))
            }
            Action::Cancels(of) => format!("the job of {} is asked to stop", source(of)),
            Action::Deletes(of) => format!("the oldest point of {} is to be deleted", source(of)),
            Action::Retains => "retention runs".to_owned(),
            Action::Reviews => "the grants are reviewed".to_owned(),
            Action::Waits => return,
        };
        self.say(now, &line);
    }

    fn job(&mut self, cloud: &Cloud, now: DateTime<Utc>, before: Option<&Job>, job: &Job) {
        let name = job_name(&self.names, cloud, &job.work);
        if before.is_none() {
            self.jobs.insert(job.id.clone(), name.clone());
            self.say(now, &format!("{name} is queued"));
        }
        let was_ended = before.is_some_and(|before| before.work.is_ended());
        if job.work.is_ended() && !was_ended {
            let status = job.work.status();
            match why(&job.work) {
                Some(why) => self.say(now, &format!("{name} {status}: {why}")),
                None => self.say(now, &format!("{name} {status}")),
            }
        }
    }
}

impl Watch for Story {
    fn wants_sites(&self) -> bool {
        true
    }

    fn event(&mut self, _: &Cloud, now: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Acts(act) => self.acts(now, act),
            Event::Skipped { why, .. } => self.say(now, &format!("which is refused: {why}")),
            Event::Began { of, trigger, nth, skew, .. } => {
                let subject = self.subject(trigger);
                let again = if *nth > 1 { format!(", time {nth}") } else { String::new() };
                let name = format!("{subject}{again}");
                if *skew != Skew::None {
                    self.say(now, &format!("{name}: its clock is {} s wrong", skew.seconds()));
                }
                self.functions.insert(*of, name);
            }
            Event::Called { of, call, site, fault, .. } if *fault != Fault::None => {
                let at =
                    site.map_or_else(|| format!("call {call}"), |site: &Site| format!("`{site}`"));
                let line =
                    format!("{}: {} {at} (call {call})", self.function(*of), happens(*fault));
                self.say(now, &line);
            }
            Event::Ended { of, ending, .. } => {
                let name = self.functions.remove(of).unwrap_or_default();
                match ending {
                    Ending::Answered(answer) => {
                        if let Err(code) = answer.as_ref() {
                            self.say(now, &format!("{name} is refused: {code}"));
                        }
                    }
                    Ending::Failed { code, message } => {
                        self.say(now, &format!("{name} fails and comes again: {code}, {message}"));
                    }
                    Ending::Done(_) => {}
                }
            }
            Event::Struck { trigger, mishap, .. } => {
                let how = match mishap {
                    Mishap::None => "comes once",
                    Mishap::Twice => "comes twice at once",
                    Mishap::Late => "comes two minutes late",
                    Mishap::Lost => "is lost",
                    Mishap::Again => "will come again, though it is seen to",
                };
                let line = format!("the message of {} {how}", self.subject(trigger));
                self.say(now, &line);
            }
            Event::Healed => self.say(now, "faults stop, and what they broke is whole again"),
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { changes, .. } => {
                for change in changes {
                    let job = |row: &Option<std::sync::Arc<crossvault_handlers::ports::Stored>>| {
                        match row.as_ref().map(|row| &row.record) {
                            Some(Record::Job(job)) => Some(job.clone()),
                            _ => None,
                        }
                    };
                    let before = job(&change.before);
                    if let Some(after) = job(&change.after) {
                        self.job(cloud, now, before.as_deref(), &after);
                    }
                }
            }
            Fact::Published { alert, .. } => {
                self.say(now, &format!("people are told: {}", alert.message));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Why a job failed.
fn why(work: &JobWork) -> Option<String> {
    fn of<S>(state: &State<S>) -> Option<String> {
        match state {
            State::Ended(Outcome::Failed(failure)) => {
                Some(format!("{}, {failure}", failure.root_code()))
            }
            _ => None,
        }
    }
    match work {
        JobWork::Backup(_, state) => of(state),
        JobWork::Restore(_, state) => of(state),
        JobWork::Erase(_, state) | JobWork::Prune(_, state) => of(state),
    }
}

/// What happens to a call, as the beginning of a sentence that its site ends.
fn happens(fault: Fault) -> &'static str {
    match fault {
        Fault::None => "as usual",
        Fault::Slow => "3 seconds pass in",
        Fault::VerySlow => "2 minutes pass in",
        Fault::Throttled => "the cloud asks to slow down at",
        Fault::TimedOut => "no answer and no effect of",
        Fault::TimedOutAfter => "no answer, but the effect of",
        Fault::Conflict => "another change comes before",
        Fault::Stale => "what was so before is read by",
        Fault::Denied => "the cloud refuses, against its policies,",
        Fault::Expired => "the credentials have expired at",
        Fault::Quota => "a quota is used up at",
        Fault::Full => "no space is left for",
        Fault::Damaged => "damaged data is read by",
        Fault::CrashBefore => "the function dies before",
        Fault::CrashAfter => "the function dies after",
        Fault::FreezeBefore => "the function stands still before",
        Fault::FreezeAfter => "the function stands still after",
        Fault::RoleDeleted => "the account's role is deleted before",
        Fault::TrustChanged => "the role's trust is changed before",
        Fault::PermissionRemoved => "the role's permissions are taken away before",
        Fault::ServiceRoleDeleted => {
            "the management account's service-linked role is deleted before"
        }
        Fault::MemberServiceRoleDeleted => "the member's service-linked role is deleted before",
        Fault::MemberLeft => "the account leaves the directory before",
        Fault::AdministratorDeregistered => "the delegated administrator is deregistered before",
        Fault::ControlPolicyDenies => "a control policy denies all before",
        Fault::SourceDeleted => "the source is deleted before",
    }
}

/// `delete-role` with its fields as `deletes role hbrcrossrole`.
fn sentence(word: &str, fields: &Value) -> String {
    const TOLD: [&str; 8] =
        ["name", "account", "source", "role", "policy", "target", "vault", "folder"];
    let (verb, rest) = word.split_once('-').unwrap_or((word, ""));
    let ending = if verb.ends_with("ch") { "es" } else { "s" };
    let told = TOLD.into_iter().filter_map(|key| fields.get(key).and_then(Value::as_str));
    let told = told.collect::<Vec<_>>().join(", ");
    let parts = [format!("{verb}{ending}"), rest.replace('-', " "), told];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A time from the start on, as short as it can be: `00:10`, `00:10:03.050`, `2d 00:10`.
pub(crate) fn clock(since: TimeDelta) -> String {
    let sign = if since < TimeDelta::zero() { "-" } else { "" };
    let ms = since.num_milliseconds().unsigned_abs();
    let part =
        |unit: u64, of: u64| ms.checked_div(unit).and_then(|n| n.checked_rem(of)).unwrap_or(0);
    let (days, hours, minutes) =
        (part(86_400_000, u64::MAX), part(3_600_000, 24), part(60_000, 60));
    let (seconds, millis) = (part(1000, 60), part(1, 1000));
    let days = if days > 0 { format!("{days}d ") } else { String::new() };
    let seconds = match (seconds, millis) {
        (0, 0) => String::new(),
        (s, 0) => format!(":{s:02}"),
        (s, ms) => format!(":{s:02}.{ms:03}"),
    };
    format!("{sign}{days}{hours:02}:{minutes:02}{seconds}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let at = |ms| clock(TimeDelta::milliseconds(ms));
        assert_eq!(at(600_000), "00:10");
        assert_eq!(at(603_000), "00:10:03");
        assert_eq!(at(3_603_050), "01:00:03.050");
        assert_eq!(at(-60_000), "-00:01");
        assert_eq!(at(2 * 86_400_000 + 60_000), "2d 00:01");
    }
}
