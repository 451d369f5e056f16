//! A change that is carried out at most once: who asked for it, and what is written.

use chrono::{DateTime, Utc};
use crossvault_core::{
    audit::{self, Actor},
    ids::{AccountId, AuditId, JobId, Token},
};
use sha2::{Digest, Sha256};

use super::{Answer, ApiError, Command, Refusal};
use crate::{
    enqueue::{enqueue, record},
    ports::{PortError, Store, Transaction},
    records::{Job, JobWork, Key, Request, read},
};

/// Who asks for what.
pub(super) struct Asked {
    /// The backup management account.
    pub(super) management: AccountId,
    caller: AccountId,
    token: Token,
    digest: String,
}

/// What a command writes, and how it is answered.
pub(super) struct Change {
    /// The writes of the change itself.
    pub(super) transaction: Transaction,
    /// The answer.
    pub(super) answer: Answer,
}

/// One audit record of a change.
pub(super) struct Note<'a> {
    /// What was done, as a word such as `vault.created`.
    pub(super) what: &'static str,
    /// What it was done to: an id.
    pub(super) subject: &'a str,
    /// The account whose resource it concerns.
    pub(super) account: &'a AccountId,
    /// The wish in words.
    pub(super) why: String,
}

impl Change {
    /// A change that writes nothing: what was asked for is so already.
    pub(super) fn none(answer: Answer) -> Self {
        Self { transaction: Transaction::default(), answer }
    }
}

impl Asked {
    pub(super) fn new(
        management: AccountId,
        caller: &AccountId,
        token: &Token,
        command: &Command,
    ) -> Result<Self, PortError> {
        let json = serde_json::to_vec(command).map_err(|error| unwritable("a command", &error))?;
        let mut digest = String::with_capacity(64);
        for byte in Sha256::digest(&json) {
            digest.extend(
                [byte >> 4, byte & 0xf]
                    .map(|digit| char::from_digit(digit.into(), 16))
                    .into_iter()
                    .flatten(),
            );
        }
        Ok(Self { management, caller: caller.clone(), token: token.clone(), digest })
    }

    /// The answer, if it was carried out before.
    pub(super) async fn answered(&self, ports: &impl Store) -> Result<Option<Answer>, ApiError> {
        let key = Key::request(&self.caller, &self.token);
        let Some((request, _)) = read::<Request>(ports, key).await? else { return Ok(None) };
        if request.digest != self.digest {
            return Err(Refusal::TokenReused.into());
        }
        match serde_json::from_str(&request.answer) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => Err(PortError::Corrupt {
                what: format!("the answer to request `{}`", self.token),
                detail: error.to_string(),
            }
            .into()),
        }
    }

    /// All writes of the change, with the row that keeps its answer for a repeat.
    pub(super) fn seal(
        &self,
        change: Change,
        now: DateTime<Utc>,
    ) -> Result<Transaction, PortError> {
        let answer = serde_json::to_string(&change.answer)
            .map_err(|error| unwritable("an answer", &error))?;
        let mut transaction = change.transaction;
        let request = Request {
            caller: self.caller.clone(),
            token: self.token.clone(),
            digest: self.digest.clone(),
            answer,
            at: now,
        };
        transaction.create(request.into());
        Ok(transaction)
    }

    /// Adds an audit record.
    pub(super) fn note(&self, transaction: &mut Transaction, now: DateTime<Utc>, note: Note<'_>) {
        let Note { what, subject, account, why } = note;
        let parts = [what, subject, self.caller.as_str(), self.token.as_str()];
        let new = audit::Record {
            id: AuditId::derive(&parts),
            at: now,
            who: self.actor(),
            what: what.to_owned(),
            subject: subject.to_owned(),
            account: account.clone(),
            why,
        };
        record(transaction, &self.management, new);
    }

    /// Makes the job that the request asks for, and answers with its id.
    ///
    /// # Errors
    /// [`Refusal::TokenReused`] when the token made a job so long ago that its request was
    /// forgotten.
    pub(super) async fn start(
        &self,
        ports: &impl Store,
        mut transaction: Transaction,
        work: JobWork,
        account: AccountId,
        now: DateTime<Utc>,
    ) -> Result<Change, ApiError> {
        let id = self.job();
        if ports.get(Key::job(&id)).await?.is_some() {
            return Err(Refusal::TokenReused.into());
        }
        let job = Job::new(id.clone(), work, account, now);
        let why = "asked for by hand".to_owned();
        enqueue(&mut transaction, &self.management, job, self.actor(), why);
        Ok(Change { transaction, answer: Answer::JobStarted(id) })
    }

    /// The id of the job that the request makes.
    pub(super) fn job(&self) -> JobId {
        JobId::derive(&["by-hand", self.caller.as_str(), self.token.as_str()])
    }

    /// What tells this request from all others.
    pub(super) fn parts(&self) -> [&str; 2] {
        [self.caller.as_str(), self.token.as_str()]
    }

    /// Who makes the change.
    pub(super) fn actor(&self) -> Actor {
        Actor::Caller { account: self.caller.clone(), request: self.token.clone() }
    }

    /// The name of the sessions in which roles are assumed for it.
    pub(super) fn session(&self) -> String {
        AuditId::derive(&["request", self.caller.as_str(), self.token.as_str()]).to_string()
    }
}

fn unwritable(what: &str, error: &serde_json::Error) -> PortError {
    PortError::Invalid(format!("{what} that can't be written down: {error}"))
}
