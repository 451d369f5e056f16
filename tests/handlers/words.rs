//! The accounts, the names and the requests of the tests.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, JobId, PointId, Region, Token},
    restore::Overwrite,
};
use crossvault_handlers::api::{Command, PolicySpec, RetentionSpec};

pub const VAULTS: &str = "1000000000000001";
pub const PAYROLL: &str = "1000000000000012";
pub const RESCUE: &str = "1000000000000013";
pub const MEMBER: &str = "1000000000000014";
pub const ROLE: &str = "hbrcrossrole";

/// A Monday at noon; what is due daily at 02:00 is due the next night.
pub const START: &str = "2026-03-02T12:00:00Z";

pub fn at(text: &str) -> DateTime<Utc> {
    format!("2026-03-{text}Z").parse().unwrap()
}

pub fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
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

/// The n-th file system of an account.
pub fn source(owner: &str, n: u32) -> DataSource {
    format!("{owner}/cn-hangzhou/nas/fs-{n}").parse().unwrap()
}

pub fn add(owner: &str) -> Command {
    Command::AddAccount {
        account: account(owner),
        region: region(),
        method: Method::Role { name: ROLE.parse().unwrap() },
        alias: String::new(),
        consent: true,
    }
}

pub fn create_vault(name: &str) -> Command {
    Command::CreateVault { name: name.to_owned(), region: region() }
}

pub fn create_policy(name: &str, schedule: &str) -> Command {
    Command::CreatePolicy(PolicySpec {
        name: name.to_owned(),
        vault: "main".to_owned(),
        schedule: schedule.to_owned(),
        zone: "UTC".to_owned(),
        retention: RetentionSpec { days: Some(7), ..RetentionSpec::default() },
    })
}

pub fn update(policy: &str, schedule: &str) -> Command {
    let (policy, schedule) = (policy.to_owned(), Some(schedule.to_owned()));
    Command::UpdatePolicy { policy, schedule, zone: None, retention: None }
}

pub fn bind(policy: &str, to: &DataSource) -> Command {
    Command::Bind { policy: policy.to_owned(), source: to.clone() }
}

pub fn pause(policy: &str, of: &DataSource, paused: bool) -> Command {
    Command::PauseBinding { policy: policy.to_owned(), source: of.clone(), paused }
}

/// A backup into the vault `main`, for no binding.
pub fn back_up(of: &DataSource) -> Command {
    let vault = Some("main".to_owned());
    Command::BackUp { source: of.clone(), policy: None, vault }
}

pub fn cancel(job: &JobId) -> Command {
    Command::CancelJob { job: job.clone() }
}

pub fn prune() -> Command {
    Command::PruneVault { vault: "main".to_owned() }
}

pub fn delete(point: &PointId) -> Command {
    Command::DeletePoint { point: point.clone() }
}

pub fn restore(point: &PointId, to: &DataSource) -> Command {
    Command::Restore {
        point: point.clone(),
        to: to.clone(),
        into: String::new(),
        only: None,
        overwrite: Overwrite::Refuse,
    }
}

/// The job that a request under this token makes.
pub fn job_of(name: &str) -> JobId {
    JobId::derive(&["by-hand", VAULTS, name])
}
