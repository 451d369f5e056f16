//! `audit`: every change has one record that says who and why; the record itself can't be changed.
//!
//! What people care about (jobs made, cancelled and ended, points that come, are marked and go,
//! grants, policies, bindings, vaults) changes only in a commit that holds exactly one record of it.
//! Who stands in it is who it was: the caller of that request, or the function that ran. A record is
//! written once and stays as it was.

mod duty;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit::{self, Actor},
    ids::{AccountId, AuditId, Token},
};
use crossvault_handlers::{
    ports::Version,
    records::{Key, Record},
};

use self::duty::{Duty, duties};
use super::{Oracle, broken};
use crate::{
    cloud::{Cloud, Fact, InvocationId, RowChange},
    run::{Event, Handler, Invariant, Trigger, Violation, Watch},
};

/// What is put on record although no row changes with it: it is done elsewhere.
const DONE_ELSEWHERE: [&str; 3] = ["account.mended", "service-role.created", "vault.key-exported"];

/// Watches over `audit`.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Who runs.
    running: BTreeMap<InvocationId, Who>,
    /// The ids of all records: none is given twice.
    ids: BTreeSet<AuditId>,
    /// Where each record lies, and the stamp of its only commit.
    written: BTreeMap<Key, Version>,
}

#[derive(Clone, Debug)]
enum Who {
    Caller(AccountId, Token),
    Function(Handler),
}

impl Watch for Audit {
    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Began { of, trigger, .. } => {
                let who = match trigger {
                    Trigger::Ask { caller, token, .. } => {
                        Who::Caller(caller.clone(), token.clone())
                    }
                    other => Who::Function(other.handler()),
                };
                self.running.insert(*of, who);
            }
            Event::Ended { of, .. } | Event::Died { of, .. } => {
                self.running.remove(of);
            }
            _ => {}
        }
        Ok(())
    }

    fn fact(&mut self, _: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        let Fact::Committed { by, changes } = fact else { return Ok(()) };
        let records = self.records(*by, changes)?;
        of_commit(&records, &duties(changes))
    }

    fn at_rest(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        for (key, version) in &self.written {
            if cloud.rows.get(key).map(|row| row.version) != Some(*version) {
                let says = format!("the audit record at {:?} is gone or was changed", key.sort);
                return Err(broken::<Audit>("RECORD_GONE", "record", says));
            }
        }
        Ok(())
    }
}

impl Oracle for Audit {
    const INVARIANT: Invariant = Invariant::Audit;

    fn begin(&mut self, cloud: &Cloud, _: DateTime<Utc>) {
        for (key, row) in cloud.rows.all() {
            if let Record::Audit(audit) = &row.record {
                self.ids.insert(audit.record.id.clone());
                self.written.insert(key.clone(), row.version);
            }
        }
    }
}

impl Audit {
    /// The records of a commit, each checked by itself.
    fn records<'a>(
        &mut self,
        by: InvocationId,
        changes: &'a [RowChange],
    ) -> Result<Vec<&'a audit::Record>, Violation> {
        let mut records = Vec::new();
        for change in changes {
            if let Some(Record::Audit(row)) = change.before.as_ref().map(|row| &row.record) {
                let says = format!("the record of `{}` was changed", row.record.what);
                return Err(broken::<Audit>("RECORD_CHANGED", &row.record.what, says));
            }
            let Some(after) = &change.after else { continue };
            let Record::Audit(row) = &after.record else { continue };
            let record = &row.record;
            let fail = |code, says| Err(broken::<Audit>(code, &record.what, says));
            // What went and was made anew is on record anew.
            let is_made_anew = record.what == "service-role.created";
            if !self.ids.insert(record.id.clone()) && !is_made_anew {
                let says = format!("`{}` of {} is on record twice", record.what, record.subject);
                return fail("RECORDED_TWICE", says);
            }
            self.written.insert(change.key.clone(), after.version);
            // A job that ended well says so by its end alone.
            let is_plain = [".complete", ".canceled"].iter().any(|end| record.what.ends_with(end));
            if record.why.is_empty() && !is_plain {
                let says = format!("`{}` of {} says no why", record.what, record.subject);
                return fail("NO_WHY", says);
            }
            if let Some(who) = self.running.get(&by)
                && !is_who(who, &record.who)
            {
                let says = format!(
                    "`{}` of {} says that {} did it, and it was {who:?}",
                    record.what, record.subject, record.who
                );
                return fail("WRONG_WHO", says);
            }
            records.push(record);
        }
        Ok(records)
    }
}

/// Each duty has its one record, and each record its duty.
fn of_commit(records: &[&audit::Record], duties: &[Duty<'_>]) -> Result<(), Violation> {
    for Duty { what, subject } in duties {
        let is_it = |record: &&&audit::Record| {
            *record.what == **what && record.subject == subject.to_string()
        };
        let code = match records.iter().filter(is_it).count() {
            1 => continue,
            0 => "UNRECORDED",
            _ => "RECORDED_TWICE",
        };
        let says = format!("`{what}` of {subject} is not on record once in its commit");
        return Err(broken::<Audit>(code, what.to_string(), says));
    }
    for record in records {
        let is_duty = |duty: &Duty<'_>| {
            *duty.what == *record.what && duty.subject.to_string() == record.subject
        };
        if !DONE_ELSEWHERE.contains(&record.what.as_str()) && !duties.iter().any(is_duty) {
            let says = format!(
                "`{}` of {} is on record and did not happen in that commit",
                record.what, record.subject
            );
            return Err(broken::<Audit>("NOT_SO", &record.what, says));
        }
    }
    Ok(())
}

/// Whether a record names who it was. What a person's request does to a job or a review, it does
/// through the function that does it else.
fn is_who(who: &Who, named: &Actor) -> bool {
    match (who, named) {
        (Who::Caller(account, token), Actor::Caller { account: named, request }) => {
            (account, token) == (named, request)
        }
        (Who::Caller(..), Actor::Handler { name }) => name == "job" || name == "review",
        (Who::Function(handler), Actor::Handler { name }) => {
            name.replace('_', "-") == handler.name()
        }
        (Who::Function(_), Actor::Caller { .. }) => false,
    }
}
