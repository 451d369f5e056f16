//! Mistakes about recovery points: gone too early, kept too long, restored where they must not be.

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, SourceKind},
    job::{Outcome, State},
    restore::Overwrite,
    schedule::retention::{Expiry, Rules},
    vault::PointState,
};
use crossvault_handlers::{
    api::Command,
    ports::Work,
    records::{JobWork, Record, Sort},
};

use super::{
    Mistake, Way,
    desk::Desk,
    edits::{job, leave_out, records, shown},
};
use crate::{
    call::{Move, Moved, Request, Response},
    ports::Answer,
    run::{Handler, Invariant, Trigger},
};

const RETENTION: &[Handler] = &[Handler::Retention];
const API: &[Handler] = &[Handler::Api];
const JOB: &[Handler] = &[Handler::Job];

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        number: 42,
        name: "expiry-ignores-use",
        story: "A point expires while a restore reads it.",
        breaks: Invariant::Retention,
        of: RETENTION,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Point(row) = &mut row.record {
                    row.0.in_use_by.clear();
                }
            }
        }),
    },
    Mistake {
        number: 43,
        name: "not-taken-into-use",
        story: "A restore does not tell the point that it reads it.",
        breaks: Invariant::Rows,
        of: API,
        way: Way::Stores(|_, transaction| {
            if job(transaction).is_some_and(|job| matches!(job.work, JobWork::Restore(..))) {
                leave_out(transaction, |record| matches!(record, Record::Point(_)));
            }
        }),
    },
    Mistake {
        number: 44,
        name: "use-not-ended",
        story: "A point stays in use by a restore that has ended.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            if job(transaction).is_some_and(|job| matches!(job.work, JobWork::Restore(..))) {
                leave_out(transaction, |record| matches!(record, Record::Point(_)));
            }
        }),
    },
    Mistake {
        number: 45,
        name: "expires-at-once",
        story: "A point expires whenever the daily run comes by.",
        breaks: Invariant::Retention,
        of: RETENTION,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Point(row) = &mut row.record {
                    row.0.expires = Expiry::At(DateTime::<Utc>::MIN_UTC);
                }
            }
        }),
    },
    Mistake {
        number: 46,
        name: "newest-not-kept",
        story: "The newest point of a binding that is to be kept goes with the others.",
        breaks: Invariant::Retention,
        of: RETENTION,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Policy(row) = &mut row.record {
                    let rules = &row.0.retention;
                    let special = rules.special().to_vec();
                    if let Ok(rules) = Rules::new(rules.retention(), special, false) {
                        row.0.retention = rules;
                    }
                }
            }
        }),
    },
    Mistake {
        number: 47,
        name: "wrong-data-erased",
        story: "A point is marked, and the data of another one is erased.",
        breaks: Invariant::Durability,
        of: &[Handler::Retention, Handler::Api],
        way: Way::Calls(|desk, request| Box::pin(wrong_data_erased(desk, request))),
    },
    Mistake {
        number: 48,
        name: "erased-in-name-only",
        story: "An erase job ends without having removed any data.",
        breaks: Invariant::Retention,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(erased_in_name_only(desk, request))),
    },
    Mistake {
        number: 49,
        name: "sweep-of-live-data",
        story: "The sweep removes what a job that has not ended has sealed.",
        breaks: Invariant::Durability,
        of: RETENTION,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Job(job) = &mut row.record
                    && let JobWork::Backup(_, state) = &mut job.work
                    && !state.is_ended()
                {
                    *state = State::Ended(Outcome::Canceled);
                }
            }
        }),
    },
    Mistake {
        number: 50,
        name: "sweep-by-wrong-name",
        story: "The sweep takes each point's data for what a crash has left.",
        breaks: Invariant::Durability,
        of: RETENTION,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Job(job) = &mut row.record
                    && let JobWork::Backup(_, State::Ended(outcome)) = &mut job.work
                    && let Outcome::Complete(sealed) | Outcome::Partial(sealed) = outcome
                {
                    sealed.snapshot.push('?');
                }
            }
        }),
    },
    Mistake {
        number: 51,
        name: "instance-restored-elsewhere",
        story: "An ECS instance is restored into another account.",
        breaks: Invariant::Isolation,
        of: API,
        way: Way::Calls(|desk, request| Box::pin(restored_elsewhere(desk, request))),
    },
    Mistake {
        number: 52,
        name: "restore-overwrites",
        story: "A restore replaces files that it was to leave alone.",
        breaks: Invariant::Fidelity,
        of: JOB,
        way: Way::Calls(|desk, mut request| {
            if let Request::Move { order, .. } = &mut request
                && let Work::Restore(restore) = &order.work
            {
                let mut replacing = crossvault_handlers::ports::Order::clone(order);
                let restore = restore.clone();
                let overwrite = Overwrite::Replace;
                replacing.work =
                    Work::Restore(crossvault_core::restore::Restore { overwrite, ..restore });
                *order = replacing.into();
            }
            Box::pin(async move { desk.ask(request).await })
        }),
    },
    Mistake {
        number: 53,
        name: "last-of-page-left-out",
        story: "The last row of each page is not looked at.",
        breaks: Invariant::Retention,
        of: RETENTION,
        way: Way::Hears(|_, _, answer| {
            if let Ok(Response::Range(rows)) = answer
                && rows.iter().any(|row| matches!(row.record, Record::Point(_)))
            {
                rows.pop();
            }
        }),
    },
    Mistake {
        number: 54,
        name: "point-not-listed",
        story: "A point cannot be found by its source.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            leave_out(transaction, |record| matches!(record, Record::PointRef(_)));
        }),
    },
    Mistake {
        number: 55,
        name: "point-never-expires",
        story: "A point that a policy made is kept for ever.",
        breaks: Invariant::Retention,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            for record in records(transaction) {
                if let Record::Point(row) = record
                    && row.0.state == PointState::Available
                {
                    row.0.expires = Expiry::Never;
                }
            }
        }),
    },
];

/// The data of the last point that the invocation has seen and that stays.
async fn wrong_data_erased(desk: Desk, mut request: Request) -> Answer {
    if let Request::Commit(transaction) = &mut request {
        let own = desk.own().rows.clone();
        for record in records(transaction) {
            if let Record::Job(job) = record
                && let JobWork::Erase(erase, _) = &mut job.work
                && let Some(first) = erase.points.first_mut()
            {
                let other = own.values().find_map(|row| match &row.record {
                    Record::Point(row) if row.0.id != first.point => Some(row.0.snapshot.clone()),
                    _ => None,
                });
                if let Some(other) = other {
                    first.snapshot = other;
                }
            }
        }
    }
    let answer = desk.ask(request).await;
    desk.note(&answer, |record| matches!(record, Record::Point(_)));
    answer
}

async fn erased_in_name_only(desk: Desk, request: Request) -> Answer {
    let Request::Move { order, mov: Move::Item(_), .. } = &request else {
        return desk.ask(request).await;
    };
    if !matches!(order.work, Work::Erase(_)) {
        return desk.ask(request).await;
    }
    let progress = crossvault_core::job::Progress::default();
    Ok(Response::Moved(Moved::On { next: Move::Seal, progress }, vec![]))
}

/// The point is taken to be of the account that it is to be restored to; the job says the truth.
async fn restored_elsewhere(desk: Desk, mut request: Request) -> Answer {
    let Trigger::Ask { command, .. } = desk.trigger.as_ref() else {
        return desk.ask(request).await;
    };
    let Command::Restore { to, .. } = command.as_ref() else { return desk.ask(request).await };
    let to: AccountId = to.account.clone();
    let asked_for_point =
        matches!(&request, Request::Get(key) if matches!(key.sort, Sort::Point(..)));
    if let Request::Commit(transaction) = &mut request {
        let true_account = desk.own().rows.values().find_map(|row| match &row.record {
            Record::Point(row) => Some(row.0.source.account.clone()),
            _ => None,
        });
        for record in records(transaction) {
            match (record, &true_account) {
                (Record::Job(job), Some(account)) => {
                    if let JobWork::Restore(restore, _) = &mut job.work {
                        restore.from.account = account.clone();
                    }
                }
                (Record::Point(row), Some(account)) => row.0.source.account = account.clone(),
                _ => {}
            }
        }
    }
    let mut answer = desk.ask(request).await;
    if asked_for_point {
        desk.note(&answer, |record| matches!(record, Record::Point(_)));
        for row in shown(&mut answer) {
            if let Record::Point(row) = &mut row.record
                && row.0.source.kind == SourceKind::EcsInstance
            {
                row.0.source.account = to.clone();
            }
        }
    }
    answer
}
