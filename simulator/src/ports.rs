//! The ports of a simulated invocation: a mailbox, and no world behind it.
//!
//! A method puts its [`Request`] into the mailbox and yields once; whoever polls the invocation
//! takes it, has it carried out and polls again with the answer. Several calls may be under way.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    future::{Future, poll_fn},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    authorization::{RoleView, SourceView},
    directory::{Administrators, ControlLevel, Member, Membership},
    ids::{AccountId, DataSource, EffectId, Region, RoleArn, SourceKind, VaultId},
    policy::ServiceRole,
    vault::Vault,
};
use crossvault_handlers::{
    ports::{
        Assume, BrowsedEntry, Clock, Credentials, Directory, Events, FailedFile, Identity, Message,
        Order, Page, PortError, Queue, Range, SealedIn, Sources, Standing, Store, Stored,
        Transaction, TransferName, Transfers, Vaults, Version,
    },
    records::Key,
};

use crate::{
    call::{Move, Moved, Request, Response, SessionId},
    cloud::token,
};

/// What a call came to.
pub type Answer = Result<Response, PortError>;

/// The mailbox of the invocation that is polled on this thread.
#[derive(Debug, Default)]
pub struct Mail {
    /// What its clock shows.
    pub now: DateTime<Utc>,
    /// The number of its next call.
    pub next: u32,
    /// Calls that it has made since it was polled, by their numbers.
    pub sent: Vec<(u32, Request)>,
    /// Answers that wait for it, by the numbers of the calls.
    pub answers: Vec<(u32, Answer)>,
}

thread_local! {
    static MAIL: RefCell<Mail> = RefCell::default();
}

/// Looks into the mailbox.
pub fn with_mail<T>(look: impl FnOnce(&mut Mail) -> T) -> T {
    MAIL.with_borrow_mut(look)
}

/// Puts a call into the mailbox, and waits for its answer.
pub(crate) fn call(request: Request) -> impl Future<Output = Answer> + Send {
    let mut request = Some(request);
    let mut number = 0;
    poll_fn(move |_| {
        with_mail(|mail| {
            if let Some(request) = request.take() {
                number = mail.next;
                mail.next = mail.next.saturating_add(1);
                mail.sent.push((number, request));
                return Poll::Pending;
            }
            let place = mail.answers.iter().position(|(of, _)| *of == number);
            place.map_or(Poll::Pending, |place| Poll::Ready(mail.answers.swap_remove(place).1))
        })
    })
}

/// Calls, and takes the kind of answer that belongs to the request.
macro_rules! ask {
    ($ports:expr, $request:expr, $answer:pat => $value:expr) => {{
        let $answer = $ports.call($request).await? else {
            return Err(PortError::Invalid("an answer to another question".to_owned()));
        };
        Ok($value)
    }};
}

/// All ports, of one invocation.
#[derive(Clone, Debug)]
pub struct Ports {
    management: AccountId,
    failures: Arc<Mutex<Failures>>,
    #[cfg(feature = "planted")]
    desk: Option<crate::planted::Desk>,
}

impl Ports {
    /// The ports of an invocation that works for a backup management account.
    #[must_use]
    pub fn new(management: AccountId) -> Self {
        Self {
            management,
            failures: Arc::default(),
            #[cfg(feature = "planted")]
            desk: None,
        }
    }

    /// The same, with a mistake between the invocation and its mailbox.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn behind(self, desk: Option<crate::planted::Desk>) -> Self {
        Self { desk, ..self }
    }

    #[cfg(feature = "planted")]
    async fn call(&self, request: Request) -> Answer {
        match &self.desk {
            Some(desk) => desk.answer(request).await,
            None => call(request).await,
        }
    }

    #[cfg(not(feature = "planted"))]
    #[expect(clippy::unused_self, reason = "a planted mistake is asked of it")]
    fn call(&self, request: Request) -> impl Future<Output = Answer> + Send + use<> {
        call(request)
    }
}

/// What an instance remembers of the files that failed in its transfer.
#[derive(Debug, Default)]
struct Failures {
    /// Those that no report has named yet: a call that fails is no report.
    untold: Vec<FailedFile>,
    /// The paths that were named. Whoever seals first seals for all, and names them all again.
    told: BTreeSet<String>,
}

impl Failures {
    /// Those that the next report names.
    fn tell(&mut self) -> Vec<FailedFile> {
        let mut files = std::mem::take(&mut self.untold);
        files.retain(|file| self.told.insert(file.path.clone()));
        files
    }
}

/// Credentials: the number of a session, and when it ends.
#[derive(Clone, Copy)]
pub struct SimCredentials {
    session: SessionId,
    expires: DateTime<Utc>,
}

impl SimCredentials {
    /// The text that would go with each call, and that nobody may find anywhere.
    #[must_use]
    pub fn token(&self) -> String {
        token(self.session)
    }
}

impl Credentials for SimCredentials {
    fn expires(&self) -> DateTime<Utc> {
        self.expires
    }
}

impl Clock for Ports {
    fn now(&self) -> DateTime<Utc> {
        with_mail(|mail| mail.now)
    }
}

impl Store for Ports {
    async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        ask!(self, Request::Get(key), Response::Row(row) => row)
    }

    async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Option<Stored>>, PortError> {
        ask!(self, Request::GetMany(keys), Response::Rows(rows) => rows)
    }

    async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        ask!(self, Request::Range(range), Response::Range(rows) => rows)
    }

    async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        ask!(self, Request::Commit(transaction), Response::Version(version) => version)
    }
}

impl Queue for Ports {
    async fn send(
        &self,
        message: Message,
        group: AccountId,
        delay_s: u32,
    ) -> Result<(), PortError> {
        ask!(self, Request::Send { message, group, delay_s }, Response::Done => ())
    }
}

impl Events for Ports {
    async fn publish(&self, id: EffectId, alert: Alert) -> Result<(), PortError> {
        ask!(self, Request::Publish { id, alert }, Response::Done => ())
    }
}

impl Identity for Ports {
    type Credentials = SimCredentials;

    fn management(&self) -> AccountId {
        self.management.clone()
    }

    async fn own(&self) -> Result<SimCredentials, PortError> {
        ask!(self, Request::Own, Response::Session { id, expires } => SimCredentials { session: id, expires })
    }

    async fn assume(
        &self,
        by: &SimCredentials,
        assume: Assume,
    ) -> Result<SimCredentials, PortError> {
        let request = Request::Assume { by: by.session, assume };
        ask!(self, request, Response::Session { id, expires } => SimCredentials { session: id, expires })
    }

    async fn role(&self, by: &SimCredentials, role: RoleArn) -> Result<RoleView, PortError> {
        ask!(self, Request::Role { by: by.session, role }, Response::Role(view) => view)
    }

    fn service_role(&self, account: &AccountId, role: ServiceRole) -> Option<RoleArn> {
        Some(role.arn(account))
    }

    async fn ensure_service_role(
        &self,
        by: &SimCredentials,
        account: AccountId,
        role: ServiceRole,
    ) -> Result<(), PortError> {
        let request = Request::EnsureServiceRole { by: by.session, account, role };
        ask!(self, request, Response::Done => ())
    }
}

impl Directory for Ports {
    async fn membership(
        &self,
        by: &SimCredentials,
        account: AccountId,
    ) -> Result<Membership, PortError> {
        let request = Request::Membership { by: by.session, account };
        ask!(self, request, Response::Membership(membership) => membership)
    }

    async fn members(
        &self,
        by: &SimCredentials,
        search: String,
        page: Page,
    ) -> Result<Vec<Member>, PortError> {
        let request = Request::Members { by: by.session, search, page };
        ask!(self, request, Response::Members(members) => members)
    }

    async fn administrators(
        &self,
        by: &SimCredentials,
    ) -> Result<Option<Administrators>, PortError> {
        let request = Request::Administrators { by: by.session };
        ask!(self, request, Response::Administrators(administrators) => administrators)
    }

    async fn control_policies(
        &self,
        by: &SimCredentials,
        account: AccountId,
    ) -> Result<Vec<ControlLevel>, PortError> {
        let request = Request::ControlPolicies { by: by.session, account };
        ask!(self, request, Response::ControlPolicies(levels) => levels)
    }

    async fn control_targets(
        &self,
        by: &SimCredentials,
        policy: String,
    ) -> Result<Vec<String>, PortError> {
        let request = Request::ControlTargets { by: by.session, policy };
        ask!(self, request, Response::ControlTargets(targets) => targets)
    }
}

impl Sources for Ports {
    fn kinds(&self) -> &[SourceKind] {
        &SourceKind::ALL
    }

    async fn list(
        &self,
        by: &SimCredentials,
        account: AccountId,
        region: Region,
        kind: SourceKind,
        page: Page,
    ) -> Result<Vec<DataSource>, PortError> {
        let request = Request::List { by: by.session, account, region, kind, page };
        ask!(self, request, Response::Sources(sources) => sources)
    }

    async fn describe(
        &self,
        by: &SimCredentials,
        source: DataSource,
    ) -> Result<SourceView, PortError> {
        ask!(self, Request::Describe { by: by.session, source }, Response::Source(view) => view)
    }

    async fn clients(
        &self,
        by: &SimCredentials,
        account: AccountId,
        region: Region,
    ) -> Result<Option<Vec<DataSource>>, PortError> {
        let request = Request::Clients { by: by.session, account, region };
        ask!(self, request, Response::Clients(clients) => clients)
    }
}

impl Transfers for Ports {
    /// Moves one thing after another, each a call of its own, until it is time to report.
    async fn advance(
        &self,
        order: Order,
        by: &SimCredentials,
        report_by: DateTime<Utc>,
    ) -> Result<Standing, PortError> {
        let order = Arc::new(order);
        let mut mov = Move::Find;
        loop {
            let request = Request::Move { by: by.session, order: Arc::clone(&order), mov };
            let Response::Moved(moved, failed) = self.call(request).await? else {
                return Err(PortError::Invalid("an answer to another question".to_owned()));
            };
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.untold.extend(failed);
            match moved {
                Moved::On { next, .. } if self.now() < report_by => mov = next,
                Moved::On { progress, .. } => {
                    return Ok(Standing::Moving { progress, failures: failures.tell() });
                }
                Moved::Stands(standing) => return Ok(with_failures(standing, &mut failures)),
            }
        }
    }

    async fn halt(&self, name: TransferName) -> Result<(), PortError> {
        ask!(self, Request::Halt { name }, Response::Done => ())
    }
}

/// The standing, naming what failed since the last report.
fn with_failures(standing: Standing, failures: &mut Failures) -> Standing {
    match standing {
        Standing::Moving { progress, .. } => {
            Standing::Moving { progress, failures: failures.tell() }
        }
        Standing::Paused { at, progress, .. } => {
            Standing::Paused { at, progress, failures: failures.tell() }
        }
        Standing::Sealed { sealed, progress, failures: of_job } => {
            // What an earlier invocation sealed names all that failed in it.
            if !of_job.is_empty() {
                failures.untold = of_job;
            }
            Standing::Sealed { sealed, progress, failures: failures.tell() }
        }
    }
}

impl Vaults for Ports {
    async fn create(&self, by: &SimCredentials, vault: Vault) -> Result<(), PortError> {
        ask!(self, Request::CreateVault { by: by.session, vault }, Response::Done => ())
    }

    async fn sealed(
        &self,
        by: &SimCredentials,
        vault: VaultId,
        page: Page,
    ) -> Result<Vec<SealedIn>, PortError> {
        let request = Request::Sealed { by: by.session, vault, page };
        ask!(self, request, Response::Sealed(sealed) => sealed)
    }

    async fn browse(
        &self,
        by: &SimCredentials,
        vault: VaultId,
        snapshot: String,
        path: String,
        page: Page,
    ) -> Result<Vec<BrowsedEntry>, PortError> {
        let request = Request::Browse { by: by.session, vault, snapshot, path, page };
        ask!(self, request, Response::Entries(entries) => entries)
    }

    async fn discard(
        &self,
        by: &SimCredentials,
        vault: VaultId,
        snapshots: Vec<String>,
    ) -> Result<(), PortError> {
        ask!(self, Request::Discard { by: by.session, vault, snapshots }, Response::Done => ())
    }
}
