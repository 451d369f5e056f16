//! A call: planned with what happens to it, taking effect, answered.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use chrono::TimeDelta;
use crossvault_handlers::ports::PortError;

use super::{Event, Planned, Run, Site, later};
use crate::{
    call::{Method, Request, Response},
    chooser::{Chooser, What},
    cloud::{Circumstances, InvocationId, key_of},
    fault::Fault,
    ports::Answer,
    run::Watch,
};

/// How long a frozen function stands still: its message has come again and its lease is over.
const FREEZE: TimeDelta = TimeDelta::seconds(200);

impl<C: Chooser, W: Watch> Run<C, W> {
    /// Plans when a call takes effect, and what happens to it.
    pub(super) fn call(&mut self, of: InvocationId, call: u32, request: Request) {
        self.calls = self.calls.saturating_add(1);
        let Some(name) = self.tasks.get(&of).map(|task| task.name) else { return };
        let fault = if self.is_calm || self.chooser.is_boring() {
            Fault::None
        } else {
            let options = Fault::options_at(&request);
            Fault::of(self.choose(name, call, What::Fault, options))
        };
        self.trace_call(of, call, &request, fault);
        self.watch_call(of, call, &request, fault);
        let way = latency(request.method());
        let slow = match fault {
            Fault::Slow => TimeDelta::seconds(3),
            Fault::VerySlow => TimeDelta::seconds(120),
            Fault::FreezeBefore => FREEZE,
            _ => TimeDelta::zero(),
        };
        if fault == Fault::CrashBefore {
            self.kill(of);
            return;
        }
        if fault == Fault::FreezeBefore {
            self.freeze(of);
        }
        let at = later(self.after(way), slow);
        self.agenda.push(at, Planned::Effect { of, call, request: Box::new(request), fault });
    }

    /// A call takes effect.
    pub(super) fn effect(&mut self, of: InvocationId, call: u32, request: Request, fault: Fault) {
        let Some(task) = self.tasks.get(&of) else { return };
        if task.frozen.is_some_and(|until| until > self.now) {
            let at = task.frozen.unwrap_or(self.now);
            self.agenda.push(at, Planned::Effect { of, call, request: Box::new(request), fault });
            return;
        }
        if self.now > task.deadline {
            self.kill(of);
            return;
        }
        if let Some(error) = refusal(fault, &request) {
            self.answer(of, call, Err(error));
            return;
        }
        if fault.is_breakage() {
            self.break_authority(fault, &request);
        }
        let at = Circumstances {
            by: of,
            now: self.now,
            is_stale: fault == Fault::Stale,
            is_damaged: fault == Fault::Damaged,
        };
        let answer = self.cloud.apply(request, at);
        self.absorb();
        match fault {
            Fault::CrashAfter => self.kill(of),
            Fault::TimedOutAfter => self.answer(of, call, Err(PortError::TimedOut)),
            Fault::FreezeAfter => {
                self.freeze(of);
                let at = later(self.now, FREEZE);
                self.agenda.push(at, Planned::Answer { of, call, answer: Arc::new(answer) });
            }
            _ if self.cloud.took_ms > 0 => {
                let took = i64::try_from(self.cloud.took_ms).unwrap_or(i64::MAX);
                let at = self.after(TimeDelta::milliseconds(took));
                self.agenda.push(at, Planned::Answer { of, call, answer: Arc::new(answer) });
            }
            _ => self.answer(of, call, answer),
        }
    }

    /// A call is answered, and its function goes on.
    pub(super) fn answer(&mut self, of: InvocationId, call: u32, answer: Answer) {
        let Some(task) = self.tasks.get_mut(&of) else { return };
        if let Some(until) = task.frozen.filter(|until| *until > self.now) {
            self.agenda.push(until, Planned::Answer { of, call, answer: Arc::new(answer) });
            return;
        }
        task.frozen = None;
        task.open = task.open.saturating_sub(1);
        trace_answer(&mut self.trace, &answer);
        if self.violation.is_none() {
            let event = Event::Answered { of, call, answer: &answer };
            self.violation = self.watch.event(&self.cloud, self.now, &event).err();
        }
        task.answers.push((call, answer));
        self.poll(of);
    }

    /// A function stands still; its message, which it has not deleted, comes again meanwhile.
    fn freeze(&mut self, of: InvocationId) {
        let until = later(self.now, FREEZE);
        let Some(task) = self.tasks.get_mut(&of) else { return };
        task.frozen = Some(until);
        task.deadline = later(task.deadline, FREEZE);
        let (trigger, attempt) = (task.trigger.clone(), task.attempt);
        self.come_again(trigger, attempt);
    }

    fn break_authority(&mut self, fault: Fault, request: &Request) {
        let Some(account) = request.account().cloned() else { return };
        let source = request.source().cloned();
        let events = self.cloud.break_authority(fault, &account, source.as_ref(), self.now);
        self.absorb();
        self.hint(events);
    }

    fn watch_call(&mut self, of: InvocationId, call: u32, request: &Request, fault: Fault) {
        let handler = self.tasks.get(&of).map(|task| task.handler);
        let site = handler.filter(|_| self.watch.wants_sites());
        let site = site.map(|handler| Site::new(handler, request));
        self.tell(&Event::Called { of, call, site: site.as_ref(), request, fault });
    }

    fn trace_call(&mut self, of: InvocationId, call: u32, request: &Request, fault: Fault) {
        let trace = &mut self.trace;
        trace.write_i64(self.now.timestamp_millis());
        trace.write_u32(of.0);
        trace.write_u32(call);
        trace.write_u8(request.method() as u8);
        trace.write_u8(fault as u8);
        match request {
            Request::Get(key) => key.hash(trace),
            Request::GetMany(keys) => keys.hash(trace),
            Request::Range(range) => (&range.partition, &range.from, &range.to).hash(trace),
            Request::Commit(transaction) => {
                for write in &transaction.writes {
                    key_of(write).hash(trace);
                }
            }
            Request::Move { mov, .. } => mov.hash(trace),
            _ => request.account().hash(trace),
        }
        trace.record();
    }
}

fn trace_answer(trace: &mut crate::trace::Trace, answer: &Answer) {
    let version = |row: &crossvault_handlers::ports::Stored| row.version.0;
    match answer {
        Ok(Response::Row(row)) => row.as_ref().map(version).hash(trace),
        Ok(Response::Range(rows)) => {
            for row in rows {
                trace.write_u128(version(row));
            }
        }
        Ok(Response::Version(version)) => trace.write_u128(version.0),
        Ok(_) => trace.write_u8(1),
        Err(error) => crossvault_core::explain::Explain::code(error).hash(trace),
    }
    trace.record();
}

/// What the call is answered in place of its effect.
fn refusal(fault: Fault, request: &Request) -> Option<PortError> {
    Some(match fault {
        Fault::Throttled => PortError::Throttled,
        Fault::TimedOut => PortError::TimedOut,
        Fault::Conflict => PortError::Conflict,
        Fault::Expired => PortError::Expired,
        Fault::Full => PortError::Full("the vault".to_owned()),
        Fault::Quota => PortError::Quota { quota: "role sessions".to_owned(), limit: Some(100) },
        Fault::Denied => denied(request),
        _ => return None,
    })
}

fn denied(request: &Request) -> PortError {
    let (action, resource) = match request {
        Request::Assume { assume, .. } => ("sts:AssumeRole", assume.role.to_string()),
        Request::Role { role, .. } => ("ram:GetRole", role.to_string()),
        _ => match request.source() {
            Some(source) => {
                let need = crossvault_core::catalog::touched(source);
                (need.action, need.resource)
            }
            None => ("ecs:DescribeInstances", "*".to_owned()),
        },
    };
    PortError::Denied { action: action.to_owned(), resource, by: None }
}

/// How long a call is under way.
fn latency(method: Method) -> TimeDelta {
    let ms = match method {
        Method::Get
        | Method::GetMany
        | Method::Range
        | Method::Commit
        | Method::Send
        | Method::Publish
        | Method::Own
        | Method::Move
        | Method::Halt => 2,
        Method::Assume
        | Method::Role
        | Method::EnsureServiceRole
        | Method::Membership
        | Method::Members
        | Method::Administrators
        | Method::ControlPolicies
        | Method::ControlTargets
        | Method::List
        | Method::Describe
        | Method::Clients
        | Method::CreateVault
        | Method::Sealed
        | Method::Browse
        | Method::Discard => 20,
    };
    TimeDelta::milliseconds(ms)
}
