//! Mistakes about accounts, grants, requests and the delivery of work.

use crossvault_core::policy::ServiceRole;
use crossvault_handlers::{
    api::Command,
    ports::{Expect, Stored, Version, Write},
    records::{Key, Record, Sort},
};

use super::{
    Mistake, Way,
    desk::Desk,
    edits::{deleted, leave, leave_out},
};
use crate::{
    call::{Request, Response},
    ports::Answer,
    run::{Handler, Invariant, Trigger},
};

const API: &[Handler] = &[Handler::Api];
const LOOKS: &[Handler] = &[Handler::Directory, Handler::Review];

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        number: 68,
        name: "service-role-elsewhere",
        story: "The service-linked role of the management account is made in the resource account.",
        breaks: Invariant::Isolation,
        of: API,
        way: Way::Calls(|desk, request| Box::pin(service_role_elsewhere(desk, request))),
    },
    Mistake {
        number: 69,
        name: "standing-not-stored",
        story: "A grant that breaks goes on standing as it did.",
        breaks: Invariant::Explained,
        of: LOOKS,
        way: Way::Calls(|desk, request| Box::pin(standing_not_stored(desk, request))),
    },
    Mistake {
        number: 70,
        name: "dependents-left",
        story: "A grant that is removed is still looked for by what it depended on.",
        breaks: Invariant::Rows,
        of: API,
        way: Way::Stores(|_, transaction| {
            leave(transaction, |sort| matches!(sort, Sort::Dependent(..)));
        }),
    },
    Mistake {
        number: 71,
        name: "binding-outlives-grant",
        story: "An account is removed while its sources are bound.",
        breaks: Invariant::Rows,
        of: API,
        way: Way::Hears(|desk, _, answer| {
            if is_removal(desk)
                && let Ok(Response::Range(rows)) = answer
            {
                rows.retain(|row| !matches!(row.record, Record::AccountBinding(_)));
            }
        }),
    },
    Mistake {
        number: 72,
        name: "removal-takes-points",
        story: "With an account its recovery points go.",
        breaks: Invariant::Durability,
        of: API,
        way: Way::Calls(|desk, request| Box::pin(removal_takes_points(desk, request))),
    },
    Mistake {
        number: 73,
        name: "request-not-kept",
        story: "The answer to a request is not kept, so that a repeat is carried out again.",
        breaks: Invariant::ExactlyOnce,
        of: API,
        way: Way::Calls(|desk, request| Box::pin(request_not_kept(desk, request))),
    },
    Mistake {
        number: 74,
        name: "asks-under-new-token",
        story: "Who gets no answer asks again under another token.",
        breaks: Invariant::ExactlyOnce,
        of: API,
        way: Way::AsksAnew,
    },
    Mistake {
        number: 75,
        name: "message-deleted-early",
        story: "A message is deleted when it is received, and not when it is seen to.",
        breaks: Invariant::Progress,
        of: &[Handler::Job, Handler::FanOut, Handler::Directory],
        way: Way::DeletesEarly,
    },
    Mistake {
        number: 76,
        name: "policy-version-missing",
        story: "A changed policy forgets how it was before.",
        breaks: Invariant::Progress,
        of: API,
        way: Way::Stores(|_, transaction| {
            leave_out(transaction, |record| matches!(record, Record::PolicyVersion(_)));
        }),
    },
    Mistake {
        number: 77,
        name: "job-not-referred-to",
        story: "A job cannot be found by its account.",
        breaks: Invariant::Rows,
        of: &[Handler::Schedule],
        way: Way::Stores(|desk, transaction| {
            let management = desk.management.clone();
            leave_out(
                transaction,
                |record| matches!(record, Record::JobRef(row) if row.account != management),
            );
        }),
    },
];

fn is_removal(desk: &Desk) -> bool {
    matches!(desk.trigger.as_ref(), Trigger::Ask { command, .. }
        if matches!(**command, Command::RemoveAccount { .. }))
}

async fn service_role_elsewhere(desk: Desk, mut request: Request) -> Answer {
    let Trigger::Ask { command, .. } = desk.trigger.as_ref() else {
        return desk.ask(request).await;
    };
    if let Request::EnsureServiceRole { account, role, .. } = &mut request
        && let Command::AddAccount { account: added, .. } = command.as_ref()
    {
        *account = match role {
            ServiceRole::HbrCrossAccountBackup => added.clone(),
            ServiceRole::HbrRd => desk.management.clone(),
        };
    }
    desk.ask(request).await
}

/// What is stored is what was stored; the handler believes that it was stored.
async fn standing_not_stored(desk: Desk, request: Request) -> Answer {
    if let Request::Commit(transaction) = &request {
        let grant = transaction.writes.iter().find_map(|write| match write {
            Write::Put(record, _) if matches!(**record, Record::Grant(_)) => Some(record),
            _ => None,
        });
        if let Some(record) = grant {
            let version = Version(0);
            let row = Stored { record: (**record).clone(), version };
            desk.own().rows.insert(record.key(), row);
            return Ok(Response::Version(version));
        }
    }
    if let Request::Get(key) = &request
        && let Some(row) = desk.own().rows.get(key).cloned()
    {
        return Ok(Response::Row(Some(row)));
    }
    desk.ask(request).await
}

async fn removal_takes_points(desk: Desk, mut request: Request) -> Answer {
    if let Request::Commit(transaction) = &mut request
        && is_removal(&desk)
        && transaction
            .writes
            .iter()
            .filter_map(deleted)
            .any(|key| matches!(key.sort, Sort::Account(_)))
    {
        let account = match desk.trigger.as_ref() {
            Trigger::Ask { command, .. } => match command.as_ref() {
                Command::RemoveAccount { account, .. } => account.clone(),
                _ => return desk.ask(request).await,
            },
            _ => return desk.ask(request).await,
        };
        for row in desk.own().rows.values() {
            if let Record::Point(row) = &row.record
                && row.0.source.account == account
            {
                let point = &row.0;
                let key = Key::point(&point.vault, &point.source, point.taken, &point.id);
                transaction.delete(key, Expect::Owned);
                let key = Key::point_ref(&point.source, point.taken, &point.id);
                transaction.delete(key, Expect::Owned);
            }
        }
    }
    let answer = desk.ask(request).await;
    if is_removal(&desk) {
        desk.note(&answer, |record| matches!(record, Record::Point(_)));
    }
    answer
}

/// Neither the request's row nor the job that it made is looked for.
async fn request_not_kept(desk: Desk, mut request: Request) -> Answer {
    if let Request::Commit(transaction) = &mut request {
        leave_out(transaction, |record| matches!(record, Record::Request(_)));
    }
    desk.ask(request).await
}
