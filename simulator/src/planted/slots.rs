//! Mistakes about slots: decided twice or never, by the wrong policy, or without a record.

use chrono::TimeDelta;
use crossvault_core::{
    audit::Actor, backup::Backup, ids::JobId, job::State, schedule::slot::Outcome,
};
use crossvault_handlers::{
    enqueue::{DUE_SHARD, enqueue},
    ports::{Expect, Transaction, Write},
    records::{Due, Job, JobWork, Key, PolicyRow, PolicyVersion, Record, SlotRow, Sort, Wake},
};

use super::{
    Mistake, Way,
    desk::Desk,
    edits::{leave_out, put, records, shown, without_conditions},
};
use crate::{
    call::{Request, Response},
    ports::Answer,
    run::{Handler, Invariant},
};

const SCHEDULE: &[Handler] = &[Handler::Schedule];

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        number: 32,
        name: "slot-decided-twice",
        story: "A tick stores what it decided whatever another tick has decided.",
        breaks: Invariant::ExactlyOnce,
        of: SCHEDULE,
        way: Way::Stores(|_, transaction| without_conditions(transaction)),
    },
    Mistake {
        number: 33,
        name: "missed-made-up-for",
        story: "The first of the slots that were missed is made up for.",
        breaks: Invariant::Conservation,
        of: SCHEDULE,
        way: Way::Calls(|desk, request| Box::pin(missed_made_up_for(desk, request))),
    },
    Mistake {
        number: 34,
        name: "missed-unrecorded",
        story: "Slots that were missed leave no record.",
        breaks: Invariant::Conservation,
        of: SCHEDULE,
        way: Way::Stores(|_, transaction| {
            leave_out(transaction, |record| matches!(record, Record::MissedSlots(_)));
        }),
    },
    Mistake {
        number: 35,
        name: "skip-unrecorded",
        story: "A slot that is skipped leaves no record.",
        breaks: Invariant::Conservation,
        of: SCHEDULE,
        way: Way::Stores(|_, transaction| {
            leave_out(
                transaction,
                |record| matches!(record, Record::Slot(slot) if matches!(slot.outcome, Outcome::Skipped(_))),
            );
        }),
    },
    Mistake {
        number: 36,
        name: "next-moved-on-too-far",
        story: "A binding's next slot is counted from the next one, so that each second is left out.",
        breaks: Invariant::Conservation,
        of: SCHEDULE,
        way: Way::Stores(next_too_far),
    },
    Mistake {
        number: 37,
        name: "old-slots-by-new-policy",
        story: "A tick that comes late judges slots before a change by the policy after it.",
        breaks: Invariant::Conservation,
        of: SCHEDULE,
        way: Way::Calls(|desk, request| Box::pin(by_new_policy(desk, request))),
    },
    Mistake {
        number: 38,
        name: "predecessor-not-asked",
        story: "A slot starts its backup although the one before still runs.",
        breaks: Invariant::Quota,
        of: SCHEDULE,
        way: Way::Calls(|desk, request| Box::pin(predecessor_not_asked(desk, request))),
    },
    Mistake {
        number: 39,
        name: "pause-forgotten",
        story: "A paused binding's slots are run.",
        breaks: Invariant::Conservation,
        of: SCHEDULE,
        way: Way::Hears(|_, _, answer| {
            for row in shown(answer) {
                if let Record::Binding(row) = &mut row.record {
                    row.0.paused = false;
                }
            }
        }),
    },
    Mistake {
        number: 40,
        name: "binding-not-due-again",
        story: "A binding whose slot was decided is not put back into the due index.",
        breaks: Invariant::Rows,
        of: SCHEDULE,
        way: Way::Stores(|_, transaction| {
            leave_out(
                transaction,
                |record| matches!(record, Record::Due(due) if matches!(due.wake, Wake::Binding(_))),
            );
        }),
    },
    Mistake {
        number: 41,
        name: "moved-when-changed",
        story: "A binding that follows its policy's change leaves its old row in the due index.",
        breaks: Invariant::Rows,
        of: &[Handler::FanOut],
        way: Way::Stores(|_, transaction| {
            transaction.writes.retain(
                |write| !matches!(write, Write::Delete(key, _) if matches!(key.sort, Sort::At(..))),
            );
        }),
    },
];

async fn missed_made_up_for(desk: Desk, mut request: Request) -> Answer {
    if let Request::Commit(transaction) = &mut request {
        make_up(&desk, transaction);
    }
    let answer = desk.ask(request).await;
    desk.note(&answer, |record| matches!(record, Record::Policy(_)));
    answer
}

fn make_up(desk: &Desk, transaction: &mut Transaction) {
    let put = || transaction.writes.iter().filter_map(put);
    let missed = put().find_map(|record| match record {
        Record::MissedSlots(row) => Some(row.missed),
        _ => None,
    });
    let binding = put().find_map(|record| match record {
        Record::Binding(row) => Some(row.0.clone()),
        _ => None,
    });
    let (Some(missed), Some(binding)) = (missed, binding) else { return };
    let policy = desk.own().rows.get(&Key::policy(&binding.policy)).cloned();
    let Some(Record::Policy(PolicyRow(policy))) = policy.map(|row| row.record) else { return };
    leave_out(transaction, |record| matches!(record, Record::MissedSlots(_)));
    let due = missed.first;
    let id = JobId::derive(&["slot", binding.id.as_str(), &due.to_rfc3339()]);
    let account = binding.source.account.clone();
    let backup = Backup {
        source: binding.source,
        vault: policy.vault,
        policy: Some(policy.id),
        binding: Some(binding.id.clone()),
        due: Some(due),
    };
    let job = Job::new(id.clone(), JobWork::Backup(backup, State::Queued), account, Desk::now());
    let who = Actor::Handler { name: "schedule".to_owned() };
    enqueue(transaction, &desk.management, job, who, "a slot that was missed".to_owned());
    let outcome = Outcome::Started(id);
    transaction.create(SlotRow { binding: binding.id, due, outcome }.into());
}

/// By an hour, with its row in the due index.
fn next_too_far(_: &Desk, transaction: &mut Transaction) {
    let mut moved = None;
    for record in records(transaction) {
        if let Record::Binding(row) = record
            && let Some(next) = row.0.next
        {
            let by = TimeDelta::hours(1);
            row.0.next = next.checked_add_signed(by);
            moved = row.0.next;
        }
    }
    for record in records(transaction) {
        if let Record::Due(Due { at, wake: Wake::Binding(_), shard: DUE_SHARD }) = record
            && let Some(next) = moved
        {
            *at = next;
        }
    }
}

async fn by_new_policy(desk: Desk, mut request: Request) -> Answer {
    let mut is_old = false;
    if let Request::Get(key) = &mut request
        && matches!(key.sort, Sort::Version(_))
    {
        is_old = true;
        *key = Key { sort: Sort::Head, ..key.clone() };
    }
    let mut answer = desk.ask(request).await;
    for row in shown(&mut answer).into_iter().filter(|_| is_old) {
        if let Record::Policy(PolicyRow(policy)) = &row.record {
            row.record = PolicyVersion(policy.clone()).into();
        }
    }
    answer
}

async fn predecessor_not_asked(desk: Desk, mut request: Request) -> Answer {
    let asks = matches!(&request, Request::Get(key) if key.sort == Sort::Busy);
    if let Request::Commit(transaction) = &mut request {
        for write in &mut transaction.writes {
            if let Write::Put(record, expect) = write
                && matches!(**record, Record::Busy(_))
            {
                *expect = Expect::Owned;
            }
        }
    }
    let answer = desk.ask(request).await;
    if asks && answer.is_ok() { Ok(Response::Row(None)) } else { answer }
}
