//! The cloud in which the tests play, and the words in which they ask.

use std::cell::Cell;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    explain::Explain,
    grant::Method,
    ids::{AccountId, DataSource, JobId, PointId, Region, SourceKind, Token},
    offboarding::RunningJobs,
};
use crossvault_handlers::{
    api::{Answer, ApiError, Command, JobView, PolicySpec, Refusal, RetentionSpec, handle},
    directory,
    enqueue::OUTBOX_SHARD,
    fan_out::fan_out,
    job::{self, Pace},
    outbox,
    ports::{Clock, Message},
    records::Record,
};
use crossvault_simulator::world::Deed;
use crossvault_tests::{
    platform::{Platform, run},
    sweep::sweep,
};

pub const VAULTS: &str = "1000000000000001";
pub const PAYROLL: &str = "1000000000000012";
pub const RESCUE: &str = "1000000000000013";
pub const OUTSIDE: &str = "1000000000000099";
pub const ROLE: &str = "hbrcrossrole";

/// A new Monday; what is due daily at 02:00 is due the next night.
pub const START: &str = "2026-03-02T12:00:00Z";

const PACE: Pace = Pace { pulse: TimeDelta::seconds(10), step: TimeDelta::minutes(5), turns: 2 };

/// A management account, two accounts with a file system and an instance each, and Crossvault.
pub struct Cloud {
    pub ports: Platform,
    requests: Cell<u32>,
}

impl Cloud {
    pub fn new() -> Self {
        let ports = Platform::new(&account(VAULTS), START.parse().unwrap()).unwrap();
        Self::with(ports, &["nas/fs-1", "ecs-files/i-1"])
    }

    /// The same where all types of source are backed up, with a source of each: `oss/x-1`.
    pub fn of_all_kinds() -> Self {
        let ports = Platform::new(&account(VAULTS), START.parse().unwrap()).unwrap();
        let sources = SourceKind::ALL.map(|kind| format!("{kind}/x-1"));
        Self::with(ports.of_kinds(&SourceKind::ALL), &sources.each_ref().map(String::as_str))
    }

    fn with(ports: Platform, sources: &[&str]) -> Self {
        for owner in [PAYROLL, RESCUE] {
            let sources: Vec<_> = sources.iter().map(|name| source(owner, name)).collect();
            ports.open(&account(owner), &sources).unwrap();
        }
        ports.open(&account(OUTSIDE), &[]).unwrap();
        Self { ports, requests: Cell::new(0) }
    }

    /// The cloud of two types with both accounts added by RAM role, a vault `main` and a policy
    /// `daily`.
    pub fn set_up() -> Self {
        Self::new().added()
    }

    /// Adds so much to it.
    pub fn added(self) -> Self {
        self.ports.agree().unwrap();
        for owner in [PAYROLL, RESCUE] {
            let role = ROLE.parse().unwrap();
            self.ports.trust(&account(owner), &role, "AliyunHBRRolePolicy").unwrap();
            self.ok(add(owner, by_role(), false));
        }
        self.ok(create_vault("main"));
        self.ok(create_policy("daily"));
        self
    }

    /// Asks as the management account, under a new token.
    pub fn ask(&self, command: Command) -> Result<Answer, ApiError> {
        let n = self.requests.get().saturating_add(1);
        self.requests.set(n);
        self.ask_under(&format!("t{n}"), command)
    }

    /// Asks as the management account. Afterwards all rows are as they must be.
    pub fn ask_under(&self, name: &str, command: Command) -> Result<Answer, ApiError> {
        let answer = run(handle(&self.ports, &account(VAULTS), &token(name), command));
        self.sweep();
        answer
    }

    #[track_caller]
    pub fn ok(&self, command: Command) -> Answer {
        self.ask(command).unwrap()
    }

    /// Asks for what is refused with this code and changes nothing.
    #[track_caller]
    pub fn refused(&self, command: Command, code: &str) -> Refusal {
        let before = self.ports.rows();
        let refusal = self.refusal(command, code);
        assert_eq!(self.ports.rows(), before);
        refusal
    }

    /// Asks for what is refused with this code.
    #[track_caller]
    pub fn refusal(&self, command: Command, code: &str) -> Refusal {
        match self.ask(command) {
            Err(ApiError::Refused(refusal)) => {
                assert_eq!(refusal.root_code(), code, "{refusal}");
                assert!(!refusal.remedy().is_empty());
                refusal
            }
            other => panic!("{code} was expected, not {other:?}"),
        }
    }

    #[track_caller]
    pub fn started(&self, command: Command) -> JobId {
        let Answer::JobStarted(job) = self.ok(command) else { panic!("no job") };
        job
    }

    #[track_caller]
    pub fn job(&self, job: &JobId) -> JobView {
        let Answer::Job(view) = self.ok(Command::ShowJob { job: job.clone() }) else {
            panic!("no job")
        };
        *view
    }

    /// Backs up a source into the vault `main`, to the end: the point.
    #[track_caller]
    pub fn backed_up(&self, of: &DataSource) -> PointId {
        let job = self.started(back_up(of, None, Some("main")));
        self.work();
        let view = self.job(&job);
        assert_eq!(view.status, "COMPLETE", "{view:?}");
        view.point.unwrap()
    }

    /// Carries out all that waits: effects, messages, and what comes of them.
    pub fn work(&self) {
        loop {
            run(outbox::drain(&self.ports, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC)).unwrap();
            let messages = self.ports.sent();
            if messages.is_empty() {
                self.sweep();
                return;
            }
            for message in messages {
                self.receive(message);
            }
        }
    }

    /// Carries out what waits now, and nothing that comes of it.
    pub fn step(&self) {
        run(outbox::drain(&self.ports, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC)).unwrap();
        for message in self.ports.sent() {
            self.receive(message);
        }
    }

    fn receive(&self, message: Message) {
        match message {
            Message::TakeStep(id) => {
                let stop_at = DateTime::<Utc>::MAX_UTC;
                run(job::step(&self.ports, &id, PACE, stop_at)).unwrap();
            }
            Message::FanOut { policy, after } => {
                run(fan_out(&self.ports, &policy, after.as_ref())).unwrap();
            }
            Message::RecheckAll { on, after, hint } => {
                let stop_at = DateTime::<Utc>::MAX_UTC;
                run(directory::recheck_all(&self.ports, &on, after.as_ref(), &hint, stop_at))
                    .unwrap();
            }
            Message::Recheck { account, region, hint } => {
                run(directory::recheck(&self.ports, &account, &region, &hint)).unwrap();
            }
        }
        self.sweep();
    }

    /// Asks that no invariant of the rows is broken.
    #[track_caller]
    pub fn sweep(&self) {
        let broken = sweep(&self.ports.rows(), &account(VAULTS));
        assert_eq!(broken, Vec::<String>::new());
    }

    /// How many rows of a type there are.
    pub fn count(&self, name: &str) -> usize {
        self.ports.rows().iter().filter(|stored| stored.record.name() == name).count()
    }

    /// The times at which bindings are due.
    pub fn due(&self) -> Vec<DateTime<Utc>> {
        let rows = self.ports.rows();
        let time = |record: &Record| {
            let Record::Binding(row) = record else { return None };
            row.0.next
        };
        rows.iter().filter_map(|stored| time(&stored.record)).collect()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.ports.now()
    }

    #[track_caller]
    pub fn does(&self, by: &str, deed: Deed) {
        self.ports.does(&account(by), deed).unwrap();
    }
}

pub fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

pub fn token(text: &str) -> Token {
    text.parse().unwrap()
}

pub fn region() -> Region {
    "cn-hangzhou".parse().unwrap()
}

/// Such as `nas/fs-1` of an account.
pub fn source(owner: &str, name: &str) -> DataSource {
    format!("{owner}/cn-hangzhou/{name}").parse().unwrap()
}

pub fn by_role() -> Method {
    Method::Role { name: ROLE.parse().unwrap() }
}

pub fn add(owner: &str, method: Method, consent: bool) -> Command {
    let (account, region, alias) = (account(owner), region(), String::new());
    Command::AddAccount { account, region, method, alias, consent }
}

pub fn remove(owner: &str) -> Command {
    remove_with(owner, RunningJobs::Finish)
}

pub fn remove_with(owner: &str, jobs: RunningJobs) -> Command {
    Command::RemoveAccount { account: account(owner), region: region(), jobs }
}

pub fn create_vault(name: &str) -> Command {
    Command::CreateVault { name: name.to_owned(), region: region() }
}

pub fn spec(name: &str) -> PolicySpec {
    PolicySpec {
        name: name.to_owned(),
        vault: "main".to_owned(),
        schedule: "C|0|0 0 2 * * ?".to_owned(),
        zone: "UTC".to_owned(),
        retention: RetentionSpec { days: Some(7), ..RetentionSpec::default() },
    }
}

pub fn create_policy(name: &str) -> Command {
    Command::CreatePolicy(spec(name))
}

pub fn update(policy: &str, schedule: &str) -> Command {
    let (policy, schedule) = (policy.to_owned(), Some(schedule.to_owned()));
    Command::UpdatePolicy { policy, schedule, zone: None, retention: None }
}

pub fn bind(policy: &str, to: &DataSource) -> Command {
    Command::Bind { policy: policy.to_owned(), source: to.clone() }
}

pub fn back_up(of: &DataSource, policy: Option<&str>, vault: Option<&str>) -> Command {
    let (policy, vault) = (policy.map(str::to_owned), vault.map(str::to_owned));
    Command::BackUp { source: of.clone(), policy, vault }
}

pub fn restore(point: &PointId, to: &DataSource) -> Command {
    Command::Restore {
        point: point.clone(),
        to: to.clone(),
        into: String::new(),
        only: None,
        overwrite: crossvault_core::restore::Overwrite::Refuse,
    }
}
