//! Mistakes about what is told: audit records, alerts, messages, secrets.

use crossvault_core::ids::{AuditId, EffectId};
use crossvault_handlers::{
    ports::{Expect, Stored, Transaction, Version, Write},
    records::{Outbox, Record, Send},
};

use super::{
    Mistake, Way,
    desk::Desk,
    edits::{job, leave_out, put, records},
    jobs::in_two_commits,
};
use crate::{
    call::{Request, Response},
    cloud::token,
    ports::Answer,
    run::{Handler, Invariant},
};

const JOB: &[Handler] = &[Handler::Job];
const OUTBOX: &[Handler] = &[Handler::Outbox];
const LOOKS: &[Handler] = &[Handler::Directory, Handler::Review];

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        number: 56,
        name: "audit-left-out",
        story: "The end of a job is not put on record.",
        breaks: Invariant::Audit,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            leave_out(transaction, |record| matches!(record, Record::Audit(_)));
        }),
    },
    Mistake {
        number: 57,
        name: "audit-twice",
        story: "What a person asked for is put on record twice.",
        breaks: Invariant::Audit,
        of: &[Handler::Api],
        way: Way::Stores(audit_twice),
    },
    Mistake {
        number: 58,
        name: "audit-changed",
        story: "The record of a job's making is written again with its end.",
        breaks: Invariant::Audit,
        of: &[Handler::Schedule, Handler::Job],
        way: Way::Stores(audit_changed),
    },
    Mistake {
        number: 59,
        name: "alert-left-out",
        story: "A job fails and nobody is told.",
        breaks: Invariant::Explained,
        of: JOB,
        way: Way::Stores(|_, transaction| leave_out(transaction, is_alert)),
    },
    Mistake {
        number: 60,
        name: "alert-id-by-time",
        story: "An alert's id comes from the time of its sending, so that a repeat looks like another.",
        breaks: Invariant::ExactlyOnce,
        of: OUTBOX,
        way: Way::Calls(|desk, mut request| {
            if let Request::Publish { id, .. } = &mut request {
                *id = EffectId::derive(&[&Desk::now().to_rfc3339()]);
            }
            Box::pin(async move { desk.ask(request).await })
        }),
    },
    Mistake {
        number: 61,
        name: "alert-in-another-commit",
        story: "A job ends in one commit, and its alert is recorded in the next.",
        breaks: Invariant::Explained,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(in_two_commits(desk, request, is_alert))),
    },
    Mistake {
        number: 62,
        name: "deleted-before-sent",
        story: "An effect is taken out of the outbox first, and carried out afterwards.",
        breaks: Invariant::Explained,
        of: OUTBOX,
        way: Way::Calls(|desk, request| Box::pin(deleted_before_sent(desk, request))),
    },
    Mistake {
        number: 63,
        name: "secret-in-alert",
        story: "An alert tells with which session the job was made.",
        breaks: Invariant::Secrecy,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(secret_told(desk, request, true))),
    },
    Mistake {
        number: 64,
        name: "secret-in-row",
        story: "The record of a job's end holds the session that it was made with.",
        breaks: Invariant::Secrecy,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(secret_told(desk, request, false))),
    },
    Mistake {
        number: 65,
        name: "cause-not-told",
        story: "A job's alert says that it failed, and not why.",
        breaks: Invariant::Explained,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            for record in records(transaction) {
                if let Record::Outbox(Outbox { send: Send::Alert(alert), .. }) = record {
                    "FAILED".clone_into(&mut alert.code);
                }
            }
        }),
    },
    Mistake {
        number: 66,
        name: "told-to-another",
        story: "An alert about one account's job goes to the management account.",
        breaks: Invariant::Isolation,
        of: JOB,
        way: Way::Stores(|desk, transaction| {
            for record in records(transaction) {
                if let Record::Outbox(Outbox { send: Send::Alert(alert), .. }) = record {
                    alert.account = desk.management.clone();
                }
            }
        }),
    },
    Mistake {
        number: 67,
        name: "grant-alert-left-out",
        story: "A grant breaks and nobody is told.",
        breaks: Invariant::Explained,
        of: LOOKS,
        way: Way::Stores(|_, transaction| leave_out(transaction, is_alert)),
    },
];

pub(super) fn is_alert(record: &Record) -> bool {
    matches!(record, Record::Outbox(row) if matches!(row.send, Send::Alert(_)))
}

fn audit_twice(_: &Desk, transaction: &mut Transaction) {
    let again = transaction.writes.iter().filter_map(put).find_map(|record| match record {
        Record::Audit(row) => Some(row.clone()),
        _ => None,
    });
    if let Some(mut row) = again {
        row.record.id = AuditId::derive(&["again", row.record.id.as_str()]);
        transaction.create(row.into());
    }
}

fn audit_changed(desk: &Desk, transaction: &mut Transaction) {
    let made = transaction.writes.iter().filter_map(put).find_map(|record| match record {
        Record::Audit(row) if row.record.what.ends_with(".created") => Some(row.clone()),
        _ => None,
    });
    if let Some(row) = made {
        let key = Record::from(row.clone()).key();
        let version = Version(0);
        desk.run().rows.insert(key, Stored { record: row.into(), version });
        return;
    }
    let Some(ended) = job(transaction).filter(|job| job.work.is_ended()) else { return };
    let id = ended.id.to_string();
    let earlier = desk.run().rows.values().find_map(|row| match &row.record {
        Record::Audit(row) if row.record.subject == id => Some(row.clone()),
        _ => None,
    });
    if let Some(mut row) = earlier {
        row.record.why.push_str(", and it has ended");
        transaction.put(row.into());
    }
}

async fn deleted_before_sent(desk: Desk, request: Request) -> Answer {
    match &request {
        Request::Send { .. } | Request::Publish { .. } => {
            let is_it = |row: &Outbox| match (&row.send, &request) {
                (Send::Message { message, .. }, Request::Send { message: sent, .. }) => {
                    message == sent
                }
                (Send::Alert(_), Request::Publish { id, .. }) => row.id == *id,
                _ => false,
            };
            let found = desk.own().rows.iter().find_map(|(key, row)| match &row.record {
                Record::Outbox(outbox) if is_it(outbox) => Some((key.clone(), row.version)),
                _ => None,
            });
            if let Some((key, version)) = found {
                let mut transaction = Transaction::default();
                transaction.delete(key.clone(), Expect::Version(version));
                desk.commit(transaction).await?;
                desk.own().answers.insert(format!("{key:?}"), Response::Done);
            }
            desk.ask(request).await
        }
        Request::Commit(transaction) => {
            let is_done = |write: &Write| match write {
                Write::Delete(key, _) => desk.own().answers.contains_key(&format!("{key:?}")),
                Write::Put(..) | Write::Check(..) => false,
            };
            if transaction.writes.iter().any(is_done) {
                return Ok(Response::Version(Version(0)));
            }
            desk.ask(request).await
        }
        _ => {
            let answer = desk.ask(request).await;
            desk.note(&answer, |record| matches!(record, Record::Outbox(_)));
            answer
        }
    }
}

/// Tells the session that a role was entered with.
async fn secret_told(desk: Desk, mut request: Request, in_alert: bool) -> Answer {
    let session = desk.own().sessions.values().next().map(|(id, _)| *id);
    if let (Request::Commit(transaction), Some(session)) = (&mut request, session) {
        let secret = token(session);
        for record in records(transaction) {
            match record {
                Record::Outbox(Outbox { send: Send::Alert(alert), .. }) if in_alert => {
                    alert.message = format!("{} ({secret})", alert.message);
                }
                Record::Audit(row) if !in_alert => {
                    row.record.why = format!("{} ({secret})", row.record.why);
                }
                _ => {}
            }
        }
    }
    let answer = desk.ask(request).await;
    if let Ok(Response::Session { id, expires }) = &answer {
        desk.own().sessions.insert(String::new(), (*id, *expires));
    }
    answer
}
