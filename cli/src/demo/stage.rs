//! The accounts of the demonstration, and how they are asked for things.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crossvault_core::{
    ids::{AccountId, DataSource, JobId, Region, RoleName},
    policy::trust_policy_for,
};
use crossvault_embedded::{
    Settings,
    socket::{Failure, Kind, Reply, Request},
};
use crossvault_handlers::api::{Answer, Command, JobView};
use crossvault_simulator::world::{self, Deed, Joined};

use super::io_failure;
use crate::{
    local,
    platform::{Platform, fresh_token, unexpected},
};

/// The RAM role that the outside account grants.
pub(super) const ROLE: &str = "hbrcrossrole";

/// The recommended system policy.
pub(super) const POLICY: &str = "AliyunHBRRolePolicy";

/// The region in which everything happens.
pub(super) const REGION: &str = "cn-hangzhou";

/// A home with its accounts.
pub(super) struct Stage {
    platform: Box<dyn Platform>,
    /// The home's whole name.
    pub(super) home: PathBuf,
    /// The directory's management account.
    pub(super) directory: AccountId,
    /// The backup management account, a delegated administrator.
    pub(super) vaults: AccountId,
    /// A member of the directory.
    pub(super) payroll: AccountId,
    /// A second member.
    pub(super) archive: AccountId,
    /// An account outside of the directory.
    pub(super) partner: AccountId,
    /// A host of payroll.
    pub(super) host: DataSource,
    /// A file system of the partner.
    pub(super) shared: DataSource,
    /// A file system of archive, into which is restored.
    pub(super) rescue: DataSource,
}

impl Stage {
    /// Makes the home and all accounts, roles and sources.
    pub(super) fn set(home: &Path, mark: &str) -> Result<Self, Failure> {
        let vaults: AccountId = "1000000000000001".parse()?;
        let (payroll, partner): (AccountId, AccountId) =
            ("1000000000000021".parse()?, "1000000000000099".parse()?);
        let archive: AccountId = "1000000000000022".parse()?;
        let region: Region = REGION.parse()?;
        let settings = Settings { management: vaults.clone(), region };
        let home = local::create(home, &settings, "vaults")?;
        fs::write(home.join(mark), "").map_err(|error| io_failure(&home, &error))?;
        let source = |account: &AccountId, kind: &str, id: &str| {
            format!("{account}/{REGION}/{kind}/{id}").parse::<DataSource>()
        };
        let stage = Self {
            platform: local::open(&home)?,
            directory: "1000000000000010".parse()?,
            host: source(&payroll, "ecs-files", "web-1")?,
            shared: source(&partner, "nas", "shared-1")?,
            rescue: source(&archive, "nas", "rescue-1")?,
            home,
            vaults,
            payroll,
            archive,
            partner,
        };
        stage.make_accounts()?;
        Ok(stage)
    }

    fn make_accounts(&self) -> Result<(), Failure> {
        let names = [
            (&self.directory, "headquarters"),
            (&self.payroll, "payroll"),
            (&self.archive, "archive"),
            (&self.partner, "partner"),
        ];
        for (account, name) in names {
            self.world(account, Deed::CreateAccount { name: name.to_owned() })?;
        }
        self.world(&self.directory, Deed::CreateDirectory)?;
        for (account, joined) in [
            (&self.vaults, Joined::Invited),
            (&self.payroll, Joined::Created),
            (&self.archive, Joined::Created),
        ] {
            self.world(&self.directory, Deed::AddMember { account: account.clone(), joined })?;
        }
        let account = self.vaults.clone();
        self.world(&self.directory, Deed::RegisterAdministrator { account })
    }

    /// The partner makes the role that its grant rests on.
    pub(super) fn make_role(&self) -> Result<(), Failure> {
        let name: RoleName = ROLE.parse()?;
        let trust = trust_policy_for(&self.vaults);
        let role = name.clone();
        self.world(&self.partner, Deed::CreateRole { name, trust, max_session_s: None })?;
        self.world(&self.partner, Deed::AttachPolicy { role, policy: POLICY.to_owned() })
    }

    /// The partner deletes that role.
    pub(super) fn delete_role(&self) -> Result<(), Failure> {
        let name: RoleName = ROLE.parse()?;
        let role = name.clone();
        self.world(&self.partner, Deed::DetachPolicy { role, policy: POLICY.to_owned() })?;
        self.world(&self.partner, Deed::DeleteRole { name })
    }

    /// Where a source's data lies if nobody says otherwise.
    pub(super) fn place(&self, source: &DataSource) -> PathBuf {
        let DataSource { account, region, kind, id } = source;
        let place = self.home.join("accounts").join(account.as_str()).join(region.as_str());
        place.join(kind.word()).join(id.as_str())
    }

    /// Puts a source whose data lies in a folder.
    pub(super) fn put_source(&self, source: &DataSource, folder: &Path) -> Result<(), Failure> {
        let Some(location) = folder.to_str() else {
            return Err(Failure::new(
                Kind::Usage,
                "PATH_NOT_TEXT",
                format!("`{}` is not text", folder.display()),
                "Choose a folder whose name is UTF-8.",
            ));
        };
        let deed = Deed::PutSource {
            source: source.clone(),
            name: source.id.to_string(),
            location: location.to_owned(),
            running: true,
        };
        self.world(&source.account, deed)
    }

    /// An account's administrator does something in the local world.
    pub(super) fn world(&self, by: &AccountId, deed: Deed) -> Result<(), Failure> {
        let command = world::Command { by: by.clone(), deed };
        self.platform.request(Request::World(command)).map(drop)
    }

    /// An account asks Crossvault.
    pub(super) fn ask_as(&self, caller: &AccountId, command: Command) -> Result<Answer, Failure> {
        let command = Box::new(command);
        let request = Request::Ask { caller: caller.clone(), token: fresh_token(), command };
        let reply = self.platform.request(request)?;
        if let Reply::Answer(answer) = reply { Ok(answer) } else { Err(unexpected(&reply)) }
    }

    /// The backup management account asks Crossvault.
    pub(super) fn ask(&self, command: Command) -> Result<Answer, Failure> {
        self.ask_as(&self.vaults, command)
    }

    /// Asks for a job and waits for its end.
    pub(super) fn run(&self, command: Command) -> Result<JobView, Failure> {
        let answer = self.ask(command)?;
        if let Answer::JobStarted(job) = answer {
            self.wait(&job)
        } else {
            Err(unexpected(&answer))
        }
    }

    fn wait(&self, job: &JobId) -> Result<JobView, Failure> {
        self.platform.wait(&self.vaults, job, &mut |_| {})
    }
}
