//! A small honest world for the oracles' tests: what happens in it breaks nothing.

#![allow(clippy::arithmetic_side_effects, reason = "a test's numbers are small")]

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource},
    policy::{ServiceRole, trust_policy_for},
    restore::Overwrite,
};
use crossvault_handlers::api::{Command, PolicySpec, RetentionSpec};

use crate::{
    chooser::Boring,
    cloud::{Cloud, Size},
    run::{Run, Settings, Watch},
    script::{Act, Action},
    world::{self, Deed, Joined},
};

/// A run of a story.
pub type Told<W> = Run<Boring, W>;

/// Acts, one after another.
pub struct Story {
    pub settings: Settings,
    acts: Vec<Act>,
    now: DateTime<Utc>,
}

pub fn start() -> DateTime<Utc> {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

/// The backup management account.
pub fn vaults() -> AccountId {
    "1000000000000001".parse().unwrap()
}

/// Its file system belongs to an account that grants by a role.
pub fn files() -> DataSource {
    "1000000000000002/cn-hangzhou/nas/fs-1".parse().unwrap()
}

/// Another account's, to restore into.
pub fn rescue() -> DataSource {
    "1000000000000003/cn-hangzhou/nas/fs-2".parse().unwrap()
}

/// An instance of an account that grants through the directory.
pub fn instance() -> DataSource {
    "1000000000000004/cn-hangzhou/ecs-instance/i-1".parse().unwrap()
}

fn directory() -> AccountId {
    "1000000000000009".parse().unwrap()
}

impl Story {
    /// Two accounts that grant by a role and one through the directory, a vault, and a policy that
    /// backs up each hour and keeps a point for a day, the newest for ever.
    pub fn new() -> Self {
        let settings = Settings { is_daily: true, ..Settings::default() };
        let mut story = Self { settings, acts: Vec::new(), now: start() };
        for source in [files(), rescue(), instance()] {
            let name = source.account.to_string();
            story.does(&source.account, Deed::CreateAccount { name });
            story.act(Action::Opens { source, size: Size { files: 20, length: 4096 } });
        }
        story.does(&directory(), Deed::CreateAccount { name: "directory".into() });
        story.does(&directory(), Deed::CreateDirectory);
        for account in [vaults(), instance().account] {
            story.does(&directory(), Deed::AddMember { account, joined: Joined::Invited });
        }
        story.does(&directory(), Deed::RegisterAdministrator { account: vaults() });
        let role = ServiceRole::HbrCrossAccountBackup;
        story.does(&vaults(), Deed::CreateServiceRole { account: vaults(), role });
        for source in [files(), rescue()] {
            let (by, name) = (&source.account, "hbrcrossrole".parse().unwrap());
            let trust = trust_policy_for(&vaults());
            story.does(by, Deed::CreateRole { name, trust, max_session_s: None });
            let (role, policy) = ("hbrcrossrole".parse().unwrap(), "AliyunHBRRolePolicy".into());
            story.does(by, Deed::AttachPolicy { role, policy });
            story.adds(&source, Method::Role { name: "hbrcrossrole".parse().unwrap() });
        }
        story.adds(&instance(), Method::Directory);
        let region = files().region;
        story.asks(Command::CreateVault { name: "main".into(), region });
        let retention = RetentionSpec { days: Some(1), keep_latest: true, ..Default::default() };
        story.asks(Command::CreatePolicy(PolicySpec {
            name: "hourly".into(),
            vault: "main".into(),
            schedule: format!("I|{}|PT1H", start().timestamp() + 1800),
            zone: "UTC".into(),
            retention,
        }));
        for source in [files(), instance()] {
            story.asks(Command::Bind { policy: "hourly".into(), source });
        }
        story
    }

    fn adds(&mut self, source: &DataSource, method: Method) {
        let (account, region) = (source.account.clone(), source.region.clone());
        let alias = String::new();
        self.asks(Command::AddAccount { account, region, method, alias, consent: true });
    }

    pub fn does(&mut self, by: &AccountId, deed: Deed) {
        self.act(Action::Does(world::Command { by: by.clone(), deed }));
    }

    pub fn asks(&mut self, command: Command) {
        self.act(Action::Asks { caller: vaults(), command });
    }

    pub fn restores(&mut self, into: &str, overwrite: Overwrite) {
        let into = into.to_owned();
        self.act(Action::Restores { of: files(), to: rescue(), into, overwrite });
    }

    /// Something is done, ten seconds after what was done before.
    pub fn act(&mut self, action: Action) {
        self.now += TimeDelta::seconds(10);
        let id = u32::try_from(self.acts.len()).unwrap();
        self.acts.push(Act { id, at: self.now, action });
    }

    /// Time passes.
    pub fn waits(&mut self, minutes: i64) {
        self.now += TimeDelta::minutes(minutes);
        self.act(Action::Waits);
    }

    pub fn run<W: Watch>(self, watch: W) -> Told<W> {
        let cloud = Cloud::new(vaults(), start()).unwrap();
        Run::new(cloud, start(), self.acts.into(), self.settings, Boring, watch)
    }

    /// Two backups with edits, restores, and what a day brings.
    pub fn full() -> Self {
        let mut story = Self::new();
        for _ in 0..3 {
            story.waits(45);
            story.act(Action::Edits(files()));
            story.act(Action::Edits(instance()));
        }
        story.restores("", Overwrite::Replace);
        story.restores("", Overwrite::Refuse);
        story.restores("copy", Overwrite::Refuse);
        story.act(Action::Restores {
            of: instance(),
            to: instance(),
            into: String::new(),
            overwrite: Overwrite::Refuse,
        });
        story.waits(30);
        story.act(Action::Deletes(files()));
        story.waits(2 * 24 * 60);
        story
    }
}
