//! Authority judged plainly: what the world itself would say to each call that an operation needs.
//!
//! No session policy, no remembered answer and none of `core::authorization`: roles are entered one
//! from the other in the world as it is, and each action is checked there.

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::Cause,
    catalog::{self, Need, Operation, Scope, Verb},
    grant::Method,
    ids::{AccountId, DataSource, Region, RoleArn, SourceKind},
    policy::{self, Context, Policy, ServiceRole, Verdict, system_policy},
};

use crate::world::{self, Barrier, Refusal, Role, Session, World};

/// The longest session that roles are entered for, in seconds.
const SESSION_S: u32 = 3600;

/// The world and the grants at one instant.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) management: &'a AccountId,
    pub(crate) account: &'a AccountId,
    pub(crate) region: &'a Region,
    /// How the account is added in the region; none when it is not.
    pub(crate) method: Option<&'a Method>,
    pub(crate) now: DateTime<Utc>,
}

impl Scene<'_> {
    /// What refuses an operation on a source, or on all of a type; none when nothing does.
    pub(crate) fn against(
        &self,
        kind: SourceKind,
        verb: Verb,
        source: Option<&DataSource>,
    ) -> Option<String> {
        let session = match self.enter() {
            Ok(session) => session,
            Err(why) => return Some(why),
        };
        if let Some(source) = source
            && self.world.find_source(source).is_none()
        {
            return Some(format!("{source} is gone"));
        }
        let scope = Scope { account: self.account, region: self.region, source };
        let needs = catalog::needs(Operation { kind, verb }, scope);
        needs.iter().find_map(|need| self.refused(&session, need)).map(|why| why.to_string())
    }

    /// Whether a grant by RAM role lets its role be read.
    pub(crate) fn is_readable(&self) -> bool {
        let Some(Method::Role { name }) = self.method else { return true };
        let role = RoleArn { account: self.account.clone(), name: name.clone() };
        let Ok(session) = self.enter() else { return true };
        catalog::reads(&role).iter().all(|need| self.refused(&session, need).is_none())
    }

    /// Enters the account the way it granted.
    fn enter(&self) -> Result<Session, String> {
        let Self { management, account, .. } = *self;
        if account == management {
            return Ok(Session::root(management.clone()));
        }
        match self.method {
            None => Err(format!("{account} is not added")),
            Some(Method::Directory) => {
                if !self.holds_office() {
                    return Err(format!("{management} holds no office in the directory"));
                }
                let of = Session::service_of(ServiceRole::HbrRd, account.clone());
                self.assume(&of.serving(management.clone()), &ServiceRole::HbrRd.arn(account))
            }
            Some(Method::Role { name }) => {
                let service = self.enter_service_role()?;
                let role = RoleArn { account: account.clone(), name: name.clone() };
                self.assume(&service, &role)
            }
        }
    }

    fn enter_service_role(&self) -> Result<Session, String> {
        let role = ServiceRole::HbrCrossAccountBackup;
        let of = Session::service_of(role, self.management.clone());
        self.assume(&of.serving(self.management.clone()), &role.arn(self.management))
    }

    fn assume(&self, by: &Session, role: &RoleArn) -> Result<Session, String> {
        let wish = world::Assume {
            role,
            session_name: "oracle",
            duration_s: SESSION_S,
            session_policy: None,
        };
        world::assume(self.world, by, &wish, self.now).map_err(|refusal| refusal.to_string())
    }

    fn refused(&self, session: &Session, need: &Need) -> Option<Refusal> {
        let context = Context::default();
        world::check(self.world, session, need.action, &need.resource, &context, self.now).err()
    }

    fn holds_office(&self) -> bool {
        let directory = self.world.directory_of(self.management);
        let member = self.world.member(self.management);
        directory.is_some_and(|directory| directory.management == *self.management)
            || member.is_some_and(|member| member.administers_since.is_some())
    }

    /// Whether a cause that people are told is a fact here.
    pub(crate) fn is_true(&self, cause: &Cause, kind: SourceKind) -> bool {
        let is_gone = |role: &RoleArn| self.world.find_role(role).is_none();
        match cause {
            Cause::GrantRemoved { .. } | Cause::RegionNotAdded { .. } => self.method.is_none(),
            Cause::NotAdministrator { .. } => !self.holds_office(),
            Cause::NotMember { account, .. } => {
                let of = |account| self.world.directory_of(account).map(|of| &of.management);
                self.world.member(account).is_none() || of(account) != of(self.management)
            }
            Cause::MemberServiceRoleDeleted { role }
            | Cause::ManagementServiceRoleDeleted { role }
            | Cause::RoleDeleted { role } => is_gone(role),
            Cause::TrustMissing { role, .. } => {
                !is_gone(role)
                    && self.enter_service_role().is_ok_and(|by| self.assume(&by, role).is_err())
            }
            Cause::RoleChainRefused { role } => ServiceRole::is_named_like_one(&role.name),
            // The service itself refuses where the directory does not let it in.
            Cause::EntryDenied { role } => !is_gone(role) && self.enter().is_err(),
            Cause::ControlPolicyDenies { actions, .. } => self.enter().is_ok_and(|session| {
                let is_control = |refusal: Refusal| {
                    matches!(
                        refusal,
                        Refusal::Denied {
                            barrier: Barrier::ControlPolicyDenies { .. }
                                | Barrier::ControlPolicySilent { .. },
                            ..
                        }
                    )
                };
                let needs = self.needs(kind, actions);
                needs.iter().any(|need| self.refused(&session, need).is_some_and(is_control))
            }),
            Cause::PermissionMissing { role, actions, .. } => {
                self.lacks(role, kind, actions, |verdict| {
                    matches!(verdict, Verdict::ImplicitDeny | Verdict::ExplicitDeny { .. })
                })
            }
            Cause::PermissionDenied { role, actions, .. } => {
                self.lacks(role, kind, actions, |verdict| {
                    matches!(verdict, Verdict::ExplicitDeny { .. })
                })
            }
            Cause::SourceNotFound { source_id } => self.world.find_source(source_id).is_none(),
            // Ours to avoid, or the cloud's mood of a moment: nothing in the world makes them true.
            Cause::SessionPolicyTooSmall { .. }
            | Cause::CredentialsExpired { .. }
            | Cause::QuotaExceeded { .. } => false,
        }
    }

    fn lacks(
        &self,
        role: &RoleArn,
        kind: SourceKind,
        actions: &[String],
        is_it: impl Fn(&Verdict) -> bool,
    ) -> bool {
        let Some(role) = self.world.find_role(role) else { return false };
        let attached = attached(self.world, role);
        self.needs(kind, actions).iter().any(|need| {
            let context = Context::default()
                .with("acs:PrincipalARN", &role.arn.to_string().to_ascii_lowercase());
            let request = policy::Request::new(need.action, &need.resource).within(&context);
            is_it(&policy::evaluate(&attached, &request))
        })
    }

    /// What operations on a type of source need by these actions, on some or on all sources.
    fn needs(&self, kind: SourceKind, actions: &[String]) -> Vec<Need> {
        let sources = self.world.all_sources().map(|source| Some(&source.id));
        let is_here = |source: Option<&DataSource>| {
            source.is_none_or(|of| {
                of.account == *self.account && of.region == *self.region && of.kind == kind
            })
        };
        let mut all = Vec::new();
        for source in sources.chain([None]).filter(|source| is_here(*source)) {
            for verb in [Verb::Discover, Verb::BackUp, Verb::Restore] {
                let scope = Scope { account: self.account, region: self.region, source };
                let needs = catalog::needs(Operation { kind, verb }, scope).into_iter();
                all.extend(needs.filter(|need| actions.iter().any(|one| one == need.action)));
            }
        }
        all
    }
}

fn attached<'a>(world: &'a World, role: &'a Role) -> Vec<&'a Policy> {
    let named = |name: &String| {
        let custom = world.custom_policy(&role.arn.account, name).map(|policy| &policy.document);
        system_policy(name).or(custom)
    };
    role.attached.iter().filter_map(named).collect()
}
