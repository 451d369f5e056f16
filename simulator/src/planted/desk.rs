//! Where the calls of an invocation go when a mistake stands between it and its mailbox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use crossvault_core::ids::AccountId;
use crossvault_handlers::{
    ports::{PortError, Range, Stored, Transaction, Version},
    records::{Key, Record},
};

use super::{Mistake, Way};
use crate::{
    call::{Request, Response, SessionId},
    ports::{Answer, call, with_mail},
    run::Trigger,
};

/// What warm instances remember from one invocation to the next, one for the whole run.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Remembered>>);

/// What is remembered, each for the mistakes that need it.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// Sessions by what they were entered for.
    pub(super) sessions: BTreeMap<String, (SessionId, DateTime<Utc>)>,
    /// Answers by what was asked.
    pub(super) answers: BTreeMap<String, Response>,
    /// Rows by their keys.
    pub(super) rows: BTreeMap<Key, Stored>,
    /// Calls that are made later.
    pub(super) later: Vec<Request>,
}

/// Between an invocation and its mailbox.
#[derive(Clone, Debug)]
pub struct Desk {
    mistake: &'static Mistake,
    run: Memory,
    invocation: Memory,
    /// What the invocation is for.
    pub(super) trigger: Arc<Trigger>,
    /// The backup management account.
    pub(super) management: AccountId,
}

impl Desk {
    pub(super) fn new(
        mistake: &'static Mistake,
        run: Memory,
        trigger: &Trigger,
        management: AccountId,
    ) -> Self {
        let (invocation, trigger) = (Memory::default(), Arc::new(trigger.clone()));
        Self { mistake, run, invocation, trigger, management }
    }

    /// Answers a call in the way of the mistake.
    pub(crate) async fn answer(&self, mut request: Request) -> Answer {
        match self.mistake.way {
            Way::Stores(edit) => {
                if let Request::Commit(transaction) = &mut request {
                    edit(self, transaction);
                }
                call(request).await
            }
            Way::Hears(edit) => {
                let mut answer = call(request.clone()).await;
                edit(self, &request, &mut answer);
                answer
            }
            Way::Calls(make) => make(self.clone(), request).await,
            Way::DeletesEarly | Way::AsksAnew => call(request).await,
        }
    }

    /// Makes a call.
    pub(super) async fn ask(&self, request: Request) -> Answer {
        call(request).await
    }

    /// Reads a row.
    pub(super) async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        match call(Request::Get(key)).await? {
            Response::Row(row) => Ok(row),
            _ => Ok(None),
        }
    }

    /// Reads rows.
    pub(super) async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        match call(Request::Range(range)).await? {
            Response::Range(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }

    /// Stores rows.
    pub(super) async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        match call(Request::Commit(transaction)).await? {
            Response::Version(version) => Ok(version),
            _ => Err(PortError::TimedOut),
        }
    }

    /// What the invocation's clock shows.
    pub(super) fn now() -> DateTime<Utc> {
        with_mail(|mail| mail.now)
    }

    /// What the warm instances remember.
    pub(super) fn run(&self) -> MutexGuard<'_, Remembered> {
        self.run.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this invocation remembers.
    pub(super) fn own(&self) -> MutexGuard<'_, Remembered> {
        self.invocation.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers all rows of a type that an answer shows, in this invocation.
    pub(super) fn note(&self, answer: &Answer, is_it: impl Fn(&Record) -> bool) {
        let rows: Vec<&Stored> = match answer {
            Ok(Response::Row(Some(row))) => vec![row],
            Ok(Response::Range(rows)) => rows.iter().collect(),
            Ok(Response::Rows(rows)) => rows.iter().flatten().collect(),
            _ => return,
        };
        let mut own = self.own();
        for row in rows.into_iter().filter(|row| is_it(&row.record)) {
            own.rows.insert(row.record.key(), row.clone());
        }
    }
}
