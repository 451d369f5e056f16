//! Mistakes of job steps: claims, fences, turns, transfers, and what the end of a job writes.

use chrono::{DateTime, Utc};
use crossvault_core::{backup, ids::JobId, quantity::Bytes};
use crossvault_handlers::{
    ports::{Expect, Order, Sealed, Standing, Work, Write},
    records::{GateRow, JobWork, Record, Sort, Wake},
};

use super::{
    Mistake, Way,
    desk::Desk,
    edits::{job, leave, leave_out, records, shown, split},
};
use crate::{
    call::{Move, Moved, Request, Response},
    ports::Answer,
    run::{Handler, Invariant},
};

const JOB: &[Handler] = &[Handler::Job];

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        number: 13,
        name: "fence-missing",
        story: "A step stores its job whatever was stored meanwhile.",
        breaks: Invariant::ExactlyOnce,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            for write in &mut transaction.writes {
                if let Write::Put(record, expect) = write
                    && matches!(**record, Record::Job(_))
                {
                    *expect = Expect::Owned;
                }
            }
        }),
    },
    Mistake {
        number: 14,
        name: "lease-not-checked",
        story: "A step claims a job whose lease another step still holds.",
        breaks: Invariant::ExactlyOnce,
        of: JOB,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Job(job) = &mut row.record {
                    job.lease_until = None;
                }
            }
        }),
    },
    Mistake {
        number: 15,
        name: "gate-not-checked",
        story: "A backup begins in a vault that a prune has for itself.",
        breaks: Invariant::Durability,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(gate_not_checked(desk, request))),
    },
    Mistake {
        number: 16,
        name: "epoch-not-checked",
        story: "A point is recorded although a prune began after its data.",
        breaks: Invariant::Durability,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(epoch_not_checked(desk, request))),
    },
    Mistake {
        number: 17,
        name: "epoch-not-raised",
        story: "A prune removes data without raising the vault's epoch.",
        breaks: Invariant::Durability,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(epoch_not_raised(desk, request))),
    },
    Mistake {
        number: 18,
        name: "recorded-before-sealed",
        story: "A point is recorded first, and its data is sealed afterwards.",
        breaks: Invariant::Durability,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(recorded_before_sealed(desk, request))),
    },
    Mistake {
        number: 19,
        name: "recorded-in-two-commits",
        story: "A job ends in one commit, and its point comes in the next.",
        breaks: Invariant::Conservation,
        of: JOB,
        way: Way::Calls(|desk, request| {
            let is_late =
                |record: &Record| matches!(record, Record::Point(_) | Record::PointRef(_));
            Box::pin(in_two_commits(desk, request, is_late))
        }),
    },
    Mistake {
        number: 20,
        name: "checkpoint-taken-for-all",
        story: "A snapshot that is only a checkpoint becomes a whole point.",
        breaks: Invariant::Fidelity,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(checkpoint_taken_for_all(desk, request))),
    },
    Mistake {
        number: 21,
        name: "begins-anew-on-retry",
        story: "Each attempt of a backup has a name of its own, so none finds what one before sealed.",
        breaks: Invariant::ExactlyOnce,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(begins_anew(desk, request))),
    },
    Mistake {
        number: 22,
        name: "skips-where-it-stood",
        story: "A restore that begins again goes on behind the file at which it stood.",
        breaks: Invariant::Fidelity,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(skips_where_it_stood(desk, request))),
    },
    Mistake {
        number: 23,
        name: "failed-files-unnamed",
        story: "Files that failed are counted, and nobody learns which.",
        breaks: Invariant::Explained,
        of: JOB,
        way: Way::Hears(|_, _, answer| {
            if let Ok(Response::Moved(_, failed)) = answer {
                failed.clear();
            }
        }),
    },
    Mistake {
        number: 24,
        name: "busy-left",
        story: "The end of a backup does not free its binding.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| leave(transaction, |sort| *sort == Sort::Busy)),
    },
    Mistake {
        number: 25,
        name: "turn-leaked",
        story: "The end of a job leaves its turn taken.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| leave(transaction, |sort| matches!(sort, Sort::Turn(_)))),
    },
    Mistake {
        number: 26,
        name: "turn-not-passed-on",
        story: "The job that waits longest is told to go on, and the turn stays with the one that ended.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            transaction.writes.retain(|write| {
                !matches!(write, Write::Put(record, Expect::Version(_))
                    if matches!(**record, Record::Turn(_)))
            });
        }),
    },
    Mistake {
        number: 27,
        name: "too-many-turns",
        story: "A job takes a turn beyond those that its account has.",
        breaks: Invariant::Quota,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(too_many_turns(desk, request))),
    },
    Mistake {
        number: 28,
        name: "waiting-left",
        story: "A job that has its turn goes on standing in line.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            leave(transaction, |sort| matches!(sort, Sort::Waiting(..)));
        }),
    },
    Mistake {
        number: 29,
        name: "use-left",
        story: "A job that has ended goes on using its vault.",
        breaks: Invariant::Rows,
        of: JOB,
        way: Way::Stores(|_, transaction| leave(transaction, |sort| matches!(sort, Sort::Use(_)))),
    },
    Mistake {
        number: 30,
        name: "watchdog-lost",
        story: "A claim takes the job out of the due index and does not put it back.",
        breaks: Invariant::Progress,
        of: JOB,
        way: Way::Stores(|_, transaction| {
            leave_out(
                transaction,
                |record| matches!(record, Record::Due(due) if matches!(due.wake, Wake::Job(_))),
            );
        }),
    },
    Mistake {
        number: 31,
        name: "half-of-it-counted",
        story: "A point says that it holds half of the bytes that it has.",
        breaks: Invariant::Conservation,
        of: JOB,
        way: Way::Hears(|_, _, answer| {
            if let Ok(Response::Moved(Moved::Stands(Standing::Sealed { sealed, .. }), _)) = answer
                && let Sealed::Backup(sealed) = sealed
            {
                sealed.bytes = Bytes(sealed.bytes.0 >> 1);
            }
        }),
    },
];

/// Rows of one kind are stored in a second commit.
pub(super) async fn in_two_commits(
    desk: Desk,
    request: Request,
    is_late: fn(&Record) -> bool,
) -> Answer {
    let Request::Commit(mut transaction) = request else { return desk.ask(request).await };
    let late = split(&mut transaction, is_late);
    let answer = desk.ask(Request::Commit(transaction)).await;
    if answer.is_ok() && !late.writes.is_empty() {
        // Nobody looks at what becomes of it.
        let _ = desk.commit(late).await;
    }
    answer
}

fn is_gate(request: &Request) -> bool {
    matches!(request, Request::Get(key) if key.sort == Sort::Gate)
}

/// Whether the invocation has seen that its job is a prune.
fn is_prune(desk: &Desk) -> bool {
    desk.own().rows.values().any(
        |row| matches!(&row.record, Record::Job(job) if matches!(job.work, JobWork::Prune(..))),
    )
}

fn is_job(record: &Record) -> bool {
    matches!(record, Record::Job(_))
}

async fn gate_not_checked(desk: Desk, mut request: Request) -> Answer {
    let reads_gate = is_gate(&request) && !is_prune(&desk);
    if let Request::Commit(transaction) = &mut request {
        transaction
            .writes
            .retain(|write| !matches!(write, Write::Check(key, _) if key.sort == Sort::Gate));
    }
    let mut answer = desk.ask(request).await;
    desk.note(&answer, is_job);
    for row in shown(&mut answer).into_iter().filter(|_| reads_gate) {
        if let Record::Gate(GateRow { gate, .. }) = &mut row.record {
            gate.prune = None;
        }
    }
    answer
}

/// The gate is read once in a step: at its end it is as it was at its claim.
async fn epoch_not_checked(desk: Desk, mut request: Request) -> Answer {
    if is_prune(&desk) {
        return desk.ask(request).await;
    }
    if let Request::Commit(transaction) = &mut request
        && job(transaction).is_some_and(|job| job.work.is_ended())
    {
        transaction
            .writes
            .retain(|write| !matches!(write, Write::Check(key, _) if key.sort == Sort::Gate));
    }
    let key = match &request {
        Request::Get(key) if key.sort == Sort::Gate => Some(key.clone()),
        _ => None,
    };
    let known = key.as_ref().and_then(|key| desk.own().rows.get(key).cloned());
    if let Some(row) = known {
        return Ok(Response::Row(Some(row)));
    }
    let answer = desk.ask(request).await;
    desk.note(&answer, |record| matches!(record, Record::Job(_) | Record::Gate(_)));
    answer
}

/// The prune believes in the epoch that it would have raised.
async fn epoch_not_raised(desk: Desk, mut request: Request) -> Answer {
    if let Request::Commit(transaction) = &mut request {
        let prune = job(transaction).filter(|job| matches!(job.work, JobWork::Prune(..)));
        if let Some(epoch) = prune.and_then(|job| job.epoch) {
            for record in records(transaction) {
                if let Record::Gate(row) = record
                    && row.gate.epoch == epoch
                    && epoch.0 > 0
                {
                    row.gate.epoch.0 = epoch.0.saturating_sub(1);
                }
            }
        }
    }
    let reads_gate = is_gate(&request) && is_prune(&desk);
    let mut answer = desk.ask(request).await;
    desk.note(&answer, is_job);
    let believed = desk.own().rows.values().find_map(|row| match &row.record {
        Record::Job(job) => job.epoch,
        _ => None,
    });
    for row in shown(&mut answer).into_iter().filter(|_| reads_gate) {
        if let Record::Gate(row) = &mut row.record
            && let Some(epoch) = believed
        {
            row.gate.epoch = epoch;
        }
    }
    answer
}

/// Says that a backup is sealed when its last file was read; seals it when all is stored.
async fn recorded_before_sealed(desk: Desk, request: Request) -> Answer {
    match &request {
        Request::Move { order, mov: Move::Seal, .. }
            if matches!(order.work, Work::BackUp { .. }) =>
        {
            desk.own().later.push(request.clone());
            Ok(Response::Moved(Moved::Stands(sealed(order, Desk::now())), vec![]))
        }
        Request::Halt { .. } => {
            let late = desk.own().later.pop();
            if let Some(late) = late {
                let _ = desk.ask(late).await;
            }
            desk.ask(request).await
        }
        _ => desk.ask(request).await,
    }
}

fn sealed(order: &Order, now: DateTime<Utc>) -> Standing {
    let sealed = backup::Sealed {
        snapshot: format!("{}-{}", order.name.job, order.name.fence),
        epoch: order.epoch,
        taken: now,
        files: 0,
        bytes: Bytes::ZERO,
        added: Bytes::ZERO,
        failed: 0,
    };
    let progress = crossvault_core::job::Progress::default();
    Standing::Sealed { sealed: Sealed::Backup(sealed), progress, failures: vec![] }
}

async fn checkpoint_taken_for_all(desk: Desk, request: Request) -> Answer {
    let order = match &request {
        Request::Move { order, .. } => Some(std::sync::Arc::clone(order)),
        _ => None,
    };
    let answer = desk.ask(request).await;
    let (Some(order), Ok(Response::Moved(Moved::Stands(standing), _))) = (order, &answer) else {
        return answer;
    };
    let Standing::Paused { at, progress, .. } = standing else { return answer };
    let (Work::BackUp { .. }, Some(snapshot)) = (&order.work, &at.0) else { return answer };
    let Standing::Sealed { sealed: Sealed::Backup(made), .. } = sealed(&order, Desk::now()) else {
        return answer;
    };
    let made = backup::Sealed {
        snapshot: snapshot.clone(),
        files: progress.files,
        bytes: progress.bytes,
        ..made
    };
    let standing =
        Standing::Sealed { sealed: Sealed::Backup(made), progress: *progress, failures: vec![] };
    Ok(Response::Moved(Moved::Stands(standing), vec![]))
}

/// A transfer is named by its attempt and not by its job.
async fn begins_anew(desk: Desk, mut request: Request) -> Answer {
    if let Request::Move { order, .. } = &mut request
        && matches!(order.work, Work::BackUp { .. })
    {
        let mut anew = Order::clone(order);
        let fence = anew.name.fence.to_string();
        anew.name.job = JobId::derive(&[anew.name.job.as_str(), &fence]);
        *order = anew.into();
    }
    desk.ask(request).await
}

async fn skips_where_it_stood(desk: Desk, request: Request) -> Answer {
    let is_begun_again = matches!(&request, Request::Move { order, mov: Move::Open, .. }
        if matches!(order.work, Work::Restore(_)) && order.name.fence > 1);
    let mut answer = desk.ask(request).await;
    if let Ok(Response::Moved(Moved::On { next: Move::Item(n), .. }, _)) = &mut answer
        && is_begun_again
    {
        *n = n.saturating_add(1);
    }
    answer
}

/// The turns are taken to be free, whoever has them.
async fn too_many_turns(desk: Desk, mut request: Request) -> Answer {
    let reads_turns = matches!(&request, Request::Range(range) if matches!(range.from, Sort::Turn(_)))
        && desk.own().answers.insert("turns".to_owned(), Response::Done).is_none();
    if let Request::Commit(transaction) = &mut request {
        let free = job(transaction).map_or(0, |job| {
            job.id.as_str().bytes().fold(2_u16, |sum, byte| sum.saturating_add(u16::from(byte)))
        });
        let is_new = transaction.writes.iter().any(
            |write| matches!(write, Write::Put(record, Expect::Absent) if matches!(**record, Record::Turn(_))),
        );
        for record in records(transaction).filter(|_| is_new) {
            match record {
                Record::Turn(turn) => turn.n = free,
                Record::Job(job) => job.turn = Some(free),
                _ => {}
            }
        }
    }
    let answer = desk.ask(request).await;
    if reads_turns && answer.is_ok() { Ok(Response::Range(vec![])) } else { answer }
}
