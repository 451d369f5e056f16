//! Whose authority the calls need: one role an account, with what can be wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::{AttachedPolicy, RoleView, SourceView},
    directory::{Administrators, ControlLevel, Member, Membership},
    ids::{AccountId, DataSource, Region, RoleArn, SourceKind},
    policy::{ServiceRole, trust_policy_for},
};
use crossvault_handlers::ports::{
    Assume, Credentials, Directory, Identity, Page, PortError, Sources,
};

use super::Stage;
use crate::words::{VAULTS, account};

const ALL: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

#[derive(Clone)]
pub struct Cloud {
    pub roles: BTreeMap<AccountId, Role>,
    pub absent: BTreeSet<DataSource>,
    /// How long an assumed role's credentials live.
    pub session: TimeDelta,
    /// Members whose service-linked role is there.
    pub served: BTreeSet<AccountId>,
    /// Whether the management account has a directory, of which every account is a member.
    pub is_organized: bool,
    /// Members that left it.
    pub outside: BTreeSet<AccountId>,
    /// Whether the management account has its service-linked role.
    pub has_agreed: bool,
    /// The folders above members, Root first, where control policies are on.
    pub folders: BTreeMap<AccountId, Vec<String>>,
    /// Folders with a control policy `cp-deny` that denies all.
    pub denying: BTreeSet<String>,
}

/// A RAM role in a resource account.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each can be wrong by itself")]
pub struct Role {
    pub exists: bool,
    pub trusts: bool,
    /// Whether its policies may be read through it.
    pub is_readable: bool,
    /// Whether its policies permit backups and restores.
    pub permits: bool,
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            roles: BTreeMap::new(),
            absent: BTreeSet::new(),
            session: TimeDelta::hours(1),
            served: BTreeSet::new(),
            is_organized: false,
            outside: BTreeSet::new(),
            has_agreed: true,
            folders: BTreeMap::new(),
            denying: BTreeSet::new(),
        }
    }
}

impl Cloud {
    pub fn open(&mut self, account: &AccountId) {
        let role = Role { exists: true, trusts: true, is_readable: true, permits: true };
        self.roles.insert(account.clone(), role);
    }

    pub fn role(&mut self, account: &AccountId) -> &mut Role {
        self.roles.get_mut(account).unwrap()
    }

    /// What the cloud says to a touch of a source.
    pub fn touch(&self, by: &Session, now: DateTime<Utc>) -> Result<(), PortError> {
        if by.expires <= now {
            return Err(PortError::Expired);
        }
        match self.roles.get(&by.account) {
            Some(role) if role.exists && role.permits => Ok(()),
            Some(_) => Err(denied("nas:DescribeFileSystems", by.account.as_str())),
            None => Ok(()),
        }
    }
}

fn denied(action: &str, resource: &str) -> PortError {
    PortError::Denied { action: action.to_owned(), resource: resource.to_owned(), by: None }
}

fn attached(name: &str, document: &str) -> AttachedPolicy {
    AttachedPolicy { name: name.to_owned(), document: document.to_owned() }
}

#[derive(Clone)]
pub struct Session {
    pub account: AccountId,
    pub expires: DateTime<Utc>,
}

impl Credentials for Session {
    fn expires(&self) -> DateTime<Utc> {
        self.expires
    }
}

impl Identity for Stage {
    type Credentials = Session;

    fn management(&self) -> AccountId {
        account(VAULTS)
    }

    async fn own(&self) -> Result<Session, PortError> {
        self.call("own", |_| {
            Ok(Session { account: account(VAULTS), expires: DateTime::<Utc>::MAX_UTC })
        })
        .await
    }

    async fn assume(&self, _by: &Session, assume: Assume) -> Result<Session, PortError> {
        self.call("assume", |state| {
            let (account, role) = (assume.role.account.clone(), &assume.role);
            let expires = state.now + state.cloud.session;
            if let Some(kind) = ServiceRole::of(role) {
                let is_there = match kind {
                    ServiceRole::HbrRd => state.cloud.served.contains(&account),
                    ServiceRole::HbrCrossAccountBackup => state.cloud.has_agreed,
                };
                if !is_there {
                    return Err(PortError::NotFound(role.to_string()));
                }
                return Ok(Session { account, expires: DateTime::<Utc>::MAX_UTC });
            }
            match state.cloud.roles.get(&account) {
                Some(found) if !found.exists => Err(PortError::NotFound(role.to_string())),
                Some(found) if !found.trusts => Err(denied("sts:AssumeRole", &role.to_string())),
                Some(_) => Ok(Session { account, expires }),
                None => Err(PortError::NotFound(role.to_string())),
            }
        })
        .await
    }

    async fn role(&self, _by: &Session, role: RoleArn) -> Result<RoleView, PortError> {
        self.call("role", |state| {
            let Some(found) = state.cloud.roles.get(&role.account).filter(|role| role.exists)
            else {
                return Err(PortError::NotFound(role.to_string()));
            };
            if !found.is_readable {
                return Err(denied("ram:GetRole", &role.to_string()));
            }
            let policies = if found.permits { vec![attached("all", ALL)] } else { vec![] };
            Ok(RoleView { role, trust: trust_policy_for(&account(VAULTS)), policies })
        })
        .await
    }

    fn service_role(&self, account: &AccountId, role: ServiceRole) -> Option<RoleArn> {
        Some(role.arn(account))
    }

    async fn ensure_service_role(
        &self,
        _by: &Session,
        account: AccountId,
        role: ServiceRole,
    ) -> Result<(), PortError> {
        self.call("ensure_service_role", |state| {
            if role == ServiceRole::HbrRd {
                state.cloud.served.insert(account);
            }
            Ok(())
        })
        .await
    }
}

impl Directory for Stage {
    async fn membership(&self, _by: &Session, account: AccountId) -> Result<Membership, PortError> {
        self.call("membership", |state| {
            let member = Membership::Member { path: format!("rd-1/r-1/{account}") };
            let is_in = state.cloud.is_organized && !state.cloud.outside.contains(&account);
            Ok(if is_in { member } else { Membership::Outside })
        })
        .await
    }

    async fn members(
        &self,
        _by: &Session,
        _search: String,
        _page: Page,
    ) -> Result<Vec<Member>, PortError> {
        self.call("members", |_| Ok(Vec::new())).await
    }

    async fn administrators(&self, _by: &Session) -> Result<Option<Administrators>, PortError> {
        self.call("administrators", |state| {
            let administrators = Administrators {
                directory: "rd-1".to_owned(),
                management: account(VAULTS),
                delegated: vec![],
            };
            Ok(state.cloud.is_organized.then_some(administrators))
        })
        .await
    }

    async fn control_policies(
        &self,
        _by: &Session,
        account: AccountId,
    ) -> Result<Vec<ControlLevel>, PortError> {
        self.call("control_policies", |state| {
            let Some(above) = state.cloud.folders.get(&account) else { return Ok(Vec::new()) };
            let level = |node: &String| {
                let mut policies = vec![attached("FullAliyunAccess", ALL)];
                if state.cloud.denying.contains(node) {
                    policies.push(attached("deny", &ALL.replace("Allow", "Deny")));
                }
                ControlLevel { node: node.clone(), name: node.clone(), policies }
            };
            Ok(above.iter().chain([&account.to_string()]).map(level).collect())
        })
        .await
    }

    async fn control_targets(
        &self,
        _by: &Session,
        policy: String,
    ) -> Result<Vec<String>, PortError> {
        self.call("control_targets", |state| {
            let targets = state.cloud.denying.iter().cloned().collect();
            if policy == "cp-deny" { Ok(targets) } else { Err(PortError::NotFound(policy)) }
        })
        .await
    }
}

impl Sources for Stage {
    fn kinds(&self) -> &[SourceKind] {
        &[SourceKind::EcsFiles, SourceKind::Nas]
    }

    async fn list(
        &self,
        _by: &Session,
        _account: AccountId,
        _region: Region,
        _kind: SourceKind,
        _page: Page,
    ) -> Result<Vec<DataSource>, PortError> {
        self.call("list", |_| Ok(Vec::new())).await
    }

    async fn describe(&self, _by: &Session, source: DataSource) -> Result<SourceView, PortError> {
        self.call("describe", |state| {
            let is_absent = state.cloud.absent.contains(&source);
            Ok(if is_absent { SourceView::Absent } else { SourceView::Present })
        })
        .await
    }

    async fn clients(
        &self,
        _by: &Session,
        _account: AccountId,
        _region: Region,
    ) -> Result<Option<Vec<DataSource>>, PortError> {
        self.call("clients", |_| Ok(None)).await
    }
}
