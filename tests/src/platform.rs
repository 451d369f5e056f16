//! A cloud of many accounts in memory: all that a handler asks of a platform.
//!
//! Identities, directory and sources are the simulator's world, which decides by itself what is
//! permitted; rows lie in a [`MemoryStore`]; of backup data there are only the names. Time stands
//! still until a test moves it, and no future ever waits: [`run`] polls it to its end.

mod transfers;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    alert::Alert,
    authorization::{RoleView, SourceView},
    directory::{Administrators, ControlLevel, Member, Membership},
    ids::{AccountId, DataSource, EffectId, Region, RoleArn, RoleName, SourceKind, VaultId},
    policy::{ServiceRole, trust_policy_for},
    vault::Vault,
};
use crossvault_handlers::{
    ports::{
        Assume, BrowsedEntry, Clock, Credentials, Directory, Events, Identity, Message, Page,
        PortError, Queue, Range, SealedIn, Sources, Standing, Store, Stored, Transaction, Vaults,
        Version, Write,
    },
    records::{Key, codec::sort_text},
};
use crossvault_simulator::{
    refusal::port_error,
    world::{self, Command, Deed, Joined, Principal, Refusal, Session, World},
};

pub use transfers::snapshot;

use crate::memory_store::MemoryStore;

/// How long an assumed role's credentials live.
const SESSION_S: u32 = 3600;

/// How long a sort key may be.
///
/// Source: DynamoDB, "Constraints".
const SORT_BYTES_MAX: usize = 1024;

/// The platform.
pub struct Platform {
    management: AccountId,
    kinds: Vec<SourceKind>,
    store: MemoryStore,
    state: Mutex<State>,
}

type Interference = Box<dyn FnOnce(&Platform) + Send>;

struct State {
    now: DateTime<Utc>,
    world: World,
    vaults: BTreeSet<VaultId>,
    keys: BTreeSet<Key>,
    before_commits: VecDeque<Interference>,
    before_get: Option<(u32, Interference)>,
    after_advance: Option<Interference>,
    lost_answers: u32,
    faults: BTreeMap<&'static str, VecDeque<PortError>>,
    standings: VecDeque<Standing>,
    entries: BTreeMap<String, Vec<BrowsedEntry>>,
    clients: Option<Vec<DataSource>>,
    sent: Vec<Message>,
    alerts: Vec<Alert>,
}

/// Credentials in the world.
#[derive(Clone)]
pub struct WorldCredentials(Session);

/// Runs a future of this platform to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

impl Platform {
    /// A world with one account: the backup management account. ECS files and NAS file systems are
    /// backed up.
    ///
    /// # Errors
    /// When the world refuses the account.
    pub fn new(management: &AccountId, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let state = State {
            now,
            world: World::default(),
            vaults: BTreeSet::new(),
            keys: BTreeSet::new(),
            before_commits: VecDeque::new(),
            before_get: None,
            after_advance: None,
            lost_answers: 0,
            faults: BTreeMap::new(),
            standings: VecDeque::new(),
            entries: BTreeMap::new(),
            clients: None,
            sent: Vec::new(),
            alerts: Vec::new(),
        };
        let (store, state) = (MemoryStore::default(), Mutex::new(state));
        let kinds = vec![SourceKind::EcsFiles, SourceKind::Nas];
        let platform = Self { management: management.clone(), kinds, store, state };
        platform.does(management, Deed::CreateAccount { name: "vaults".to_owned() })?;
        Ok(platform)
    }

    /// Backs up these types of source instead.
    #[must_use]
    pub fn of_kinds(self, kinds: &[SourceKind]) -> Self {
        Self { kinds: kinds.to_vec(), ..self }
    }

    /// Lets an account's administrator do something.
    ///
    /// # Errors
    /// When the world refuses it.
    pub fn does(&self, by: &AccountId, deed: Deed) -> Result<world::Answer, Refusal> {
        self.tells(by, deed).map(|(answer, _)| answer)
    }

    /// Does the same, and returns besides what the cloud tells of it.
    ///
    /// # Errors
    /// When the world refuses it.
    pub fn tells(
        &self,
        by: &AccountId,
        deed: Deed,
    ) -> Result<(world::Answer, Vec<world::Event>), Refusal> {
        let mut state = self.state();
        let command = Command { by: by.clone(), deed };
        let (answer, changes) = world::decide(&state.world, state.now, command.clone())?;
        let events = world::events(&state.world, state.now, &command, &changes);
        for change in &changes {
            state.world.absorb(change);
        }
        Ok((answer, events))
    }

    /// Opens an account with these sources.
    ///
    /// # Errors
    /// When the world refuses it.
    pub fn open(&self, account: &AccountId, sources: &[DataSource]) -> Result<(), Refusal> {
        self.does(account, Deed::CreateAccount { name: format!("account {account}") })?;
        for source in sources {
            let (name, location) = (source.id.to_string(), format!("/{}", source.id));
            let source = source.clone();
            self.does(account, Deed::PutSource { source, name, location, running: true })?;
        }
        Ok(())
    }

    /// Makes the management account's service-linked role for the way by RAM role.
    ///
    /// # Errors
    /// When the world refuses it: it is there already.
    pub fn agree(&self) -> Result<(), Refusal> {
        let account = self.management.clone();
        let role = ServiceRole::HbrCrossAccountBackup;
        self.does(&self.management, Deed::CreateServiceRole { account, role })?;
        Ok(())
    }

    /// Makes a RAM role in an account that trusts the management account, with this policy. A trust
    /// policy may name only a role that exists: the management account has to [agree](Self::agree)
    /// first.
    ///
    /// # Errors
    /// When the world refuses it.
    pub fn trust(&self, account: &AccountId, role: &RoleName, policy: &str) -> Result<(), Refusal> {
        let (name, trust) = (role.clone(), trust_policy_for(&self.management));
        self.does(account, Deed::CreateRole { name, trust, max_session_s: None })?;
        let policy = policy.to_owned();
        self.does(account, Deed::AttachPolicy { role: role.clone(), policy })?;
        Ok(())
    }

    /// Makes the management account the one of a directory with these members.
    ///
    /// # Errors
    /// When the world refuses it.
    pub fn organize(&self, members: &[AccountId]) -> Result<(), Refusal> {
        let management = self.management.clone();
        self.does(&management, Deed::CreateDirectory)?;
        for account in members {
            let (account, joined) = (account.clone(), Joined::Invited);
            self.does(&management, Deed::AddMember { account, joined })?;
        }
        Ok(())
    }

    /// Looks at the world.
    pub fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        at(&self.state().world)
    }

    /// Lets time pass; a negative duration sets the clock back.
    pub fn pass(&self, by: TimeDelta) {
        let mut state = self.state();
        state.now = state.now.checked_add_signed(by).unwrap_or(state.now);
    }

    /// Does something just before the next commit: what another invocation does meanwhile.
    pub fn before_commit(&self, interference: impl FnOnce(&Self) + Send + 'static) {
        self.state().before_commits.push_back(Box::new(interference));
    }

    /// Does something just before the n-th read of one row from now on, counted from 1.
    pub fn before_get(&self, n: u32, interference: impl FnOnce(&Self) + Send + 'static) {
        self.state().before_get = Some((n, Box::new(interference)));
    }

    /// Does something once a transfer was asked for: what others do while a job runs.
    pub fn after_advance(&self, interference: impl FnOnce(&Self) + Send + 'static) {
        self.state().after_advance = Some(Box::new(interference));
    }

    /// Loses the answer of the next commit, which happens.
    pub fn lose_answer(&self) {
        let mut state = self.state();
        state.lost_answers = state.lost_answers.saturating_add(1);
    }

    /// Lets the next call of a port's method fail, by the method's name.
    pub fn fail(&self, method: &'static str, error: PortError) {
        self.state().faults.entry(method).or_default().push_back(error);
    }

    /// How the next transfer that is asked stands; without it, it is sealed at once.
    pub fn stand(&self, standing: Standing) {
        self.state().standings.push_back(standing);
    }

    /// What a folder of every recovery point holds.
    pub fn fill(&self, path: &str, entries: Vec<BrowsedEntry>) {
        self.state().entries.insert(path.to_owned(), entries);
    }

    /// Works with clients from now on, which are installed on these sources.
    pub fn install(&self, clients: Vec<DataSource>) {
        self.state().clients = Some(clients);
    }

    /// Vaults that were made.
    pub fn vaults(&self) -> Vec<VaultId> {
        self.state().vaults.iter().cloned().collect()
    }

    /// Takes the messages that were sent.
    pub fn sent(&self) -> Vec<Message> {
        std::mem::take(&mut self.state().sent)
    }

    /// Takes the alerts that were published.
    pub fn alerts(&self) -> Vec<Alert> {
        std::mem::take(&mut self.state().alerts)
    }

    /// Every row there is.
    pub fn rows(&self) -> Vec<Stored> {
        let keys: Vec<Key> = self.state().keys.iter().cloned().collect();
        keys.into_iter().filter_map(|key| run(self.store.get(key)).ok().flatten()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be done before this read.
    fn due_interference(&self) -> Option<Interference> {
        let mut state = self.state();
        let (n, interference) = state.before_get.take()?;
        match n.checked_sub(1) {
            Some(rest) if rest > 0 => {
                state.before_get = Some((rest, interference));
                None
            }
            Some(_) | None => Some(interference),
        }
    }

    /// The fault that was asked for.
    fn fault(&self, method: &'static str) -> Result<(), PortError> {
        match self.state().faults.get_mut(method).and_then(VecDeque::pop_front) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn read<T>(
        &self,
        method: &'static str,
        read: impl FnOnce(&World, DateTime<Utc>) -> Result<T, Refusal>,
    ) -> Result<T, PortError> {
        self.fault(method)?;
        let state = self.state();
        read(&state.world, state.now).map_err(|refusal| port_error(&refusal))
    }
}

impl Clock for Platform {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }
}

impl Store for Platform {
    async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        self.fault("get")?;
        if sort_text(&key.sort).len() > SORT_BYTES_MAX {
            return Err(PortError::Invalid("a key that is too long".to_owned()));
        }
        let interference = self.due_interference();
        if let Some(interference) = interference {
            interference(self);
        }
        self.store.get(key).await
    }

    async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Option<Stored>>, PortError> {
        self.store.get_many(keys).await
    }

    async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        self.store.range(range).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        self.fault("commit")?;
        let interference = self.state().before_commits.pop_front();
        if let Some(interference) = interference {
            interference(self);
        }
        let put: Vec<Key> = transaction
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::Put(record, _) => Some(record.key()),
                Write::Delete(..) | Write::Check(..) => None,
            })
            .collect();
        let version = self.store.commit(transaction).await?;
        let mut state = self.state();
        state.keys.extend(put);
        if let Some(rest) = state.lost_answers.checked_sub(1) {
            state.lost_answers = rest;
            return Err(PortError::TimedOut);
        }
        Ok(version)
    }
}

impl Queue for Platform {
    async fn send(&self, message: Message, _group: AccountId, _s: u32) -> Result<(), PortError> {
        self.fault("send")?;
        self.state().sent.push(message);
        Ok(())
    }
}

impl Events for Platform {
    async fn publish(&self, _id: EffectId, alert: Alert) -> Result<(), PortError> {
        self.fault("publish")?;
        self.state().alerts.push(alert);
        Ok(())
    }
}

impl Credentials for WorldCredentials {
    fn expires(&self) -> DateTime<Utc> {
        self.0.expires().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Identity for Platform {
    type Credentials = WorldCredentials;

    fn management(&self) -> AccountId {
        self.management.clone()
    }

    async fn own(&self) -> Result<WorldCredentials, PortError> {
        self.fault("own")?;
        Ok(WorldCredentials(Session::root(self.management.clone())))
    }

    async fn assume(
        &self,
        by: &WorldCredentials,
        assume: Assume,
    ) -> Result<WorldCredentials, PortError> {
        // The service enters its own roles for the management account, and for no other caller.
        let is_own = matches!(by.0.principal(), Principal::Root(_));
        let session = match ServiceRole::of(&assume.role).filter(|_| is_own) {
            Some(role) => Session::service_of(role, assume.role.account.clone())
                .serving(self.management.clone()),
            None => by.0.clone(),
        };
        let wish = world::Assume {
            role: &assume.role,
            session_name: &assume.session,
            duration_s: SESSION_S,
            session_policy: assume.policy.as_deref(),
        };
        self.read("assume", |world, now| world::assume(world, &session, &wish, now))
            .map(WorldCredentials)
    }

    async fn role(&self, by: &WorldCredentials, role: RoleArn) -> Result<RoleView, PortError> {
        self.read("role", |world, now| world::role(world, &by.0, &role, now))
    }

    fn service_role(&self, account: &AccountId, role: ServiceRole) -> Option<RoleArn> {
        Some(role.arn(account))
    }

    async fn ensure_service_role(
        &self,
        by: &WorldCredentials,
        account: AccountId,
        role: ServiceRole,
    ) -> Result<(), PortError> {
        self.fault("ensure_service_role")?;
        match self.does(by.0.account(), Deed::CreateServiceRole { account, role }) {
            Ok(_) | Err(Refusal::RoleExists(_)) => Ok(()),
            Err(refusal) => Err(port_error(&refusal)),
        }
    }
}

impl Directory for Platform {
    async fn membership(
        &self,
        by: &WorldCredentials,
        account: AccountId,
    ) -> Result<Membership, PortError> {
        self.read("membership", |world, now| world::membership(world, &by.0, &account, now))
    }

    async fn members(
        &self,
        by: &WorldCredentials,
        search: String,
        page: Page,
    ) -> Result<Vec<Member>, PortError> {
        let all = self.read("members", |world, now| world::members(world, &by.0, &search, now))?;
        Ok(part(all, &page, |member| member.account.as_str()))
    }

    async fn administrators(
        &self,
        by: &WorldCredentials,
    ) -> Result<Option<Administrators>, PortError> {
        self.read("administrators", |world, now| world::administrators(world, &by.0, now))
    }

    async fn control_policies(
        &self,
        by: &WorldCredentials,
        account: AccountId,
    ) -> Result<Vec<ControlLevel>, PortError> {
        self.read("control_policies", |world, now| {
            world::control_policies(world, &by.0, &account, now)
        })
    }

    async fn control_targets(
        &self,
        by: &WorldCredentials,
        policy: String,
    ) -> Result<Vec<String>, PortError> {
        self.read("control_targets", |world, now| {
            world::control_targets(world, &by.0, &policy, now)
        })
    }
}

impl Sources for Platform {
    fn kinds(&self) -> &[SourceKind] {
        &self.kinds
    }

    async fn list(
        &self,
        by: &WorldCredentials,
        account: AccountId,
        region: Region,
        kind: SourceKind,
        page: Page,
    ) -> Result<Vec<DataSource>, PortError> {
        let all = self.read("list", |world, now| {
            world::sources(world, &by.0, &account, &region, kind, now)
        })?;
        Ok(part(all, &page, |source| source.id.as_str()))
    }

    async fn describe(
        &self,
        by: &WorldCredentials,
        source: DataSource,
    ) -> Result<SourceView, PortError> {
        self.read("describe", |world, now| world::source(world, &by.0, &source, now))
    }

    async fn clients(
        &self,
        _by: &WorldCredentials,
        account: AccountId,
        region: Region,
    ) -> Result<Option<Vec<DataSource>>, PortError> {
        self.fault("clients")?;
        let is_asked = |of: &&DataSource| of.account == account && of.region == region;
        let of_account = |all: &Vec<DataSource>| all.iter().filter(is_asked).cloned().collect();
        Ok(self.state().clients.as_ref().map(of_account))
    }
}

impl Vaults for Platform {
    async fn create(&self, _by: &WorldCredentials, vault: Vault) -> Result<(), PortError> {
        self.fault("create")?;
        self.state().vaults.insert(vault.id);
        Ok(())
    }

    async fn sealed(
        &self,
        _by: &WorldCredentials,
        _vault: VaultId,
        _page: Page,
    ) -> Result<Vec<SealedIn>, PortError> {
        self.fault("sealed")?;
        Ok(Vec::new())
    }

    async fn browse(
        &self,
        _by: &WorldCredentials,
        _vault: VaultId,
        _snapshot: String,
        path: String,
        page: Page,
    ) -> Result<Vec<BrowsedEntry>, PortError> {
        self.fault("browse")?;
        match self.state().entries.get(&path) {
            Some(entries) => Ok(part(entries.clone(), &page, |entry| &entry.name)),
            None => Err(PortError::NotFound(path)),
        }
    }

    async fn discard(
        &self,
        _by: &WorldCredentials,
        _vault: VaultId,
        _snapshots: Vec<String>,
    ) -> Result<(), PortError> {
        self.fault("discard")
    }
}

fn part<T>(all: Vec<T>, page: &Page, id: impl Fn(&T) -> &str) -> Vec<T> {
    let is_after = |one: &T| page.after.as_ref().is_none_or(|after| id(one) > after.as_str());
    all.into_iter().filter(is_after).take(page.limit).collect()
}
