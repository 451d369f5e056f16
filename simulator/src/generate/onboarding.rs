//! How everything was set up: accounts, directory, roles, sources, grants, vaults, policies,
//! bindings, in an order in which nothing is refused.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, Region, RoleName},
    policy::{ServiceRole, trust_policy_for},
};
use crossvault_handlers::api::{Command, PolicySpec};

use super::{
    cast::{Cast, Planned, Resident},
    later,
};
use crate::{
    script::Action,
    world::{self, Deed, Joined},
};

/// How long what is asked may take before the next is asked.
const GAP: TimeDelta = TimeDelta::seconds(5);

/// After all is set up, the first slot may come.
const FIRST_SLOT: TimeDelta = TimeDelta::minutes(5);

const DENY_ALL: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// The acts with their times, and when all is ready.
pub(super) fn acts(
    cast: &Cast,
    start: DateTime<Utc>,
) -> (Vec<(DateTime<Utc>, Action)>, DateTime<Utc>) {
    let mut setup = Vec::new();
    identities(cast, &mut setup);
    setup.extend(cast.residents.iter().flat_map(|resident| identity(cast, resident)));
    setup.extend(
        cast.sources
            .iter()
            .map(|sourced| Action::Opens { source: sourced.source.clone(), size: sourced.size }),
    );
    let granted = cast.residents.iter().map(|resident| add(cast, resident));
    setup.extend(granted);
    setup.extend(cast.regions().into_iter().map(|region| vault(cast, region)));
    let count = setup.len().saturating_add(cast.policies.len()).saturating_add(cast.sources.len());
    let ready = (0..=count).fold(start, |at, _| later(at, GAP));
    setup.extend(
        cast.policies.iter().map(|planned| policy(cast, planned, later(ready, FIRST_SLOT))),
    );
    setup.extend(cast.sources.iter().filter_map(|sourced| {
        let policy = sourced.policy.clone()?;
        Some(asks(cast, Command::Bind { policy, source: sourced.source.clone() }))
    }));
    let times = std::iter::successors(Some(start), |at| Some(later(*at, GAP)));
    (times.zip(setup).collect(), ready)
}

/// The management account's service-linked role, and the directory.
fn identities(cast: &Cast, setup: &mut Vec<Action>) {
    let Cast { management, director, .. } = cast;
    setup.push(service_role(cast));
    if !cast.has_directory() {
        return;
    }
    if director != management {
        setup.push(does(director, Deed::CreateAccount { name: "director".to_owned() }));
    }
    setup.push(does(director, Deed::CreateDirectory));
    if director != management {
        setup.push(joins(cast, management, Joined::Invited));
        setup.push(does(director, Deed::RegisterAdministrator { account: management.clone() }));
    }
    let name = "production".to_owned();
    setup.push(does(director, Deed::CreateFolder { parent: None, name }));
    if cast.has_control {
        setup.push(does(director, Deed::EnableControlPolicy));
        let (name, document) = ("deny-all".to_owned(), DENY_ALL.to_owned());
        setup.push(does(director, Deed::PutControlPolicy { name, document }));
    }
}

/// An account with what it grants by.
fn identity(cast: &Cast, resident: &Resident) -> Vec<Action> {
    let account = &resident.account;
    let mut acts = vec![does(account, Deed::CreateAccount { name: resident.name.clone() })];
    match &resident.method {
        Method::Directory => {
            acts.push(joins(cast, account, Joined::Created));
            if resident.is_in_folder {
                acts.push(moves(cast, account, cast.folder()));
            }
        }
        Method::Role { name } => acts.extend(role(cast, resident, name)),
    }
    acts
}

/// A role with its trust and permission.
pub(super) fn role(cast: &Cast, resident: &Resident, name: &RoleName) -> [Action; 2] {
    let (account, role) = (&resident.account, name.clone());
    let trust = trust_policy_for(&cast.management);
    let create = Deed::CreateRole { name: name.clone(), trust, max_session_s: None };
    let attach = Deed::AttachPolicy { role, policy: resident.policy.to_owned() };
    [does(account, create), does(account, attach)]
}

/// The service-linked role that the way by RAM role begins with.
pub(super) fn service_role(cast: &Cast) -> Action {
    let (account, role) = (cast.management.clone(), ServiceRole::HbrCrossAccountBackup);
    does(&cast.management, Deed::CreateServiceRole { account, role })
}

pub(super) fn joins(cast: &Cast, account: &AccountId, joined: Joined) -> Action {
    does(&cast.director, Deed::AddMember { account: account.clone(), joined })
}

pub(super) fn moves(cast: &Cast, account: &AccountId, folder: String) -> Action {
    does(&cast.director, Deed::MoveMember { account: account.clone(), folder })
}

pub(super) fn add(cast: &Cast, resident: &Resident) -> Action {
    asks(
        cast,
        Command::AddAccount {
            account: resident.account.clone(),
            region: resident.region.clone(),
            method: resident.method.clone(),
            alias: resident.name.clone(),
            consent: true,
        },
    )
}

fn vault(cast: &Cast, region: Region) -> Action {
    asks(cast, Command::CreateVault { name: format!("vault-{region}"), region })
}

fn policy(cast: &Cast, planned: &Planned, first: DateTime<Utc>) -> Action {
    asks(
        cast,
        Command::CreatePolicy(PolicySpec {
            name: planned.name.clone(),
            vault: format!("vault-{}", planned.region),
            schedule: schedule(planned.every, first),
            zone: planned.zone.to_owned(),
            retention: planned.retention.clone(),
        }),
    )
}

/// An interval or a cron, from an instant on.
pub(super) fn schedule(every: &str, from: DateTime<Utc>) -> String {
    let kind = if every.starts_with('P') { 'I' } else { 'C' };
    format!("{kind}|{}|{every}", from.timestamp())
}

pub(super) fn does(by: &AccountId, deed: Deed) -> Action {
    Action::Does(world::Command { by: by.clone(), deed })
}

pub(super) fn asks(cast: &Cast, command: Command) -> Action {
    Action::Asks { caller: cast.management.clone(), command }
}
