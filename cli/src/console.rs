//! What every command works at: a home, who asks, and the account and region that are switched to.

use std::{cell::OnceCell, path::PathBuf};

use crossvault_core::{
    access,
    ids::{AccountId, DataSource, JobId, Region, Token},
};
use crossvault_embedded::{
    Settings,
    socket::{Failure, Kind, Reply, Request},
};
use crossvault_handlers::api::{Answer, Command, JobView};
use crossvault_simulator::world::{self, World};

use crate::{
    output::Output,
    platform::{Platform, fresh_token, unexpected},
    source::{AccountName, SourceName},
};

/// What was said of the console before the command.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The home.
    pub home: PathBuf,
    /// Who asks.
    pub caller: Option<AccountName>,
    /// The account that is switched to.
    pub account: Option<AccountName>,
    /// The region that is switched to.
    pub region: Option<Region>,
    /// Under which the change is carried out at most once.
    pub token: Option<Token>,
}

/// The console of an account.
pub struct Console {
    /// How answers are written.
    pub output: Output,
    platform: Box<dyn Platform>,
    settings: Settings,
    caller: AccountId,
    account: Option<AccountId>,
    wishes: Wishes,
    world: OnceCell<World>,
}

impl Console {
    /// Stands before a platform and finds the accounts that were named.
    ///
    /// # Errors
    /// [`Failure`] when an account is not known.
    pub fn new(
        platform: Box<dyn Platform>,
        output: Output,
        wishes: Wishes,
    ) -> Result<Self, Failure> {
        let reply = platform.request(Request::Settings)?;
        let Reply::Settings(settings) = reply else { return Err(unexpected(&reply)) };
        let caller = settings.management.clone();
        let world = OnceCell::new();
        let mut console = Self { output, platform, settings, caller, account: None, wishes, world };
        if let Some(caller) = &console.wishes.caller {
            console.caller = console.find(caller)?;
        }
        if let Some(account) = &console.wishes.account {
            console.account = Some(console.find(account)?);
        }
        Ok(console)
    }

    /// The backup management account.
    pub fn management(&self) -> &AccountId {
        &self.settings.management
    }

    /// Who asks.
    pub fn caller(&self) -> &AccountId {
        &self.caller
    }

    /// Whether somebody said who asks.
    pub fn has_caller(&self) -> bool {
        self.wishes.caller.is_some()
    }

    /// The account that was switched to; none when nothing was said.
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// The region that was named, or else the home's.
    pub fn region(&self) -> &Region {
        self.wishes.region.as_ref().unwrap_or(&self.settings.region)
    }

    /// The region that was named; none when nothing was said.
    pub fn region_named(&self) -> Option<&Region> {
        self.wishes.region.as_ref()
    }

    /// The home, as it was typed.
    pub fn home(&self) -> &PathBuf {
        &self.wishes.home
    }

    /// Whether `crossvault up` runs: jobs go on without this process.
    pub fn is_served(&self) -> bool {
        self.platform.is_served()
    }

    /// Asks something that changes nothing.
    ///
    /// # Errors
    /// [`Failure`] when it is refused or nothing came of it.
    pub fn ask(&self, command: Command) -> Result<Answer, Failure> {
        self.ask_by(fresh_token(), command)
    }

    /// Asks for a change, under the token that was given on the command line.
    ///
    /// # Errors
    /// [`Failure`] when it is refused or nothing came of it.
    pub fn change(&self, command: Command) -> Result<Answer, Failure> {
        self.ask_by(self.wishes.token.clone().unwrap_or_else(fresh_token), command)
    }

    fn ask_by(&self, token: Token, command: Command) -> Result<Answer, Failure> {
        let request =
            Request::Ask { caller: self.caller.clone(), token, command: Box::new(command) };
        let reply = self.platform.request(request)?;
        let Reply::Answer(answer) = reply else { return Err(unexpected(&reply)) };
        Ok(answer)
    }

    /// Asks something that the API has no command for, and that only the backup management
    /// account may have.
    ///
    /// # Errors
    /// [`Failure`] when another account asks, or nothing came of it.
    pub fn request(&self, request: Request) -> Result<Reply, Failure> {
        access::decide(&self.caller, &self.settings.management)?;
        self.platform.request(request)
    }

    /// Does something to the local world.
    ///
    /// # Errors
    /// [`Failure`] when the world refuses it.
    pub fn act(&self, command: world::Command) -> Result<world::Answer, Failure> {
        let reply = self.platform.request(Request::World(command))?;
        let Reply::World(answer) = reply else { return Err(unexpected(&reply)) };
        Ok(answer)
    }

    /// Waits for a job.
    ///
    /// # Errors
    /// [`Failure`] when it can't be seen.
    pub fn wait(&self, job: &JobId, seen: &mut dyn FnMut(&JobView)) -> Result<JobView, Failure> {
        self.platform.wait(&self.caller, job, seen)
    }

    /// The local world as it was when it was first looked at.
    ///
    /// # Errors
    /// [`Failure`] when it can't be read.
    pub fn world(&self) -> Result<&World, Failure> {
        if let Some(world) = self.world.get() {
            return Ok(world);
        }
        let reply = self.platform.request(Request::View)?;
        let Reply::View(world) = reply else { return Err(unexpected(&reply)) };
        Ok(self.world.get_or_init(|| *world))
    }

    /// The account of a name.
    ///
    /// # Errors
    /// [`Failure`] when there is none or several.
    pub fn find(&self, name: &AccountName) -> Result<AccountId, Failure> {
        name.find(self.world()?)
    }

    /// The source of a name. A short name is one of the account that was switched to, else of the
    /// backup management account, in the region that was switched to.
    ///
    /// # Errors
    /// [`Failure`] when its account is not known, or a short name belongs to other accounts only.
    pub fn source(&self, name: &SourceName) -> Result<DataSource, Failure> {
        let account = match (&name.account, &self.account) {
            (Some(account), _) => self.find(account)?,
            (None, Some(account)) => account.clone(),
            (None, None) => self.settings.management.clone(),
        };
        let region = name.region.as_ref().unwrap_or(self.region()).clone();
        let source = DataSource { account, region, kind: name.kind, id: name.id.clone() };
        if name.account.is_none() && self.account.is_none() {
            self.check_own(&source)?;
        }
        Ok(source)
    }

    /// Nobody said whose source it is: if only others have one of that name, they are told.
    fn check_own(&self, source: &DataSource) -> Result<(), Failure> {
        let world = self.world()?;
        if world.find_source(source).is_some() {
            return Ok(());
        }
        let alike = |other: &DataSource| other.kind == source.kind && other.id == source.id;
        let others: Vec<String> = world
            .all_sources()
            .filter(|other| alike(&other.id))
            .map(|other| format!("`{}`", self.source_text(&other.id)))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Refused,
            "SOURCE_OF_OTHER_ACCOUNT",
            format!(
                "the backup management account has no source `{}/{}` in region `{}`",
                source.kind, source.id, source.region
            ),
            format!(
                "Switch to its account with `--account`, or write it whole: {}.",
                others.join(", ")
            ),
        ))
    }

    /// An account as people know it: by its name in the world where that is clear.
    pub fn account_text(&self, account: &AccountId) -> String {
        self.account_name(account).unwrap_or_else(|| account.to_string())
    }

    /// An account by its name and its id.
    pub fn account_in_full(&self, account: &AccountId) -> String {
        match self.account_name(account) {
            Some(name) => format!("{name} ({account})"),
            None => account.to_string(),
        }
    }

    /// A source by the shortest name by which this console finds it again.
    pub fn source_text(&self, source: &DataSource) -> String {
        let DataSource { account, region, kind, id } = source;
        let is_here = region == self.region();
        if is_here && self.account.as_ref() == Some(account) {
            return format!("{kind}/{id}");
        }
        let account = self.account_text(account);
        if is_here {
            format!("{account}/{kind}/{id}")
        } else {
            format!("{account}/{region}/{kind}/{id}")
        }
    }

    /// The name of an account that could be typed in place of its id.
    fn account_name(&self, account: &AccountId) -> Option<String> {
        // A list is still a list where names can't be had.
        let world = self.world().ok()?;
        let name = &world.account(account)?.name;
        let is_clear = world.accounts().filter(|other| other.name == *name).count() == 1;
        let is_typable = !name.contains(|c: char| c == '/' || c.is_whitespace())
            && name.parse::<AccountId>().is_err();
        (is_clear && is_typable).then(|| name.clone())
    }
}
