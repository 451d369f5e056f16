//! Authority that breaks as a fault, and the healing of it.

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, DataSource, RoleName},
    policy::ServiceRole,
};

use super::Cloud;
use crate::{
    fault::Fault,
    world::{self, Change, Command, Deed, Event, World},
};

const DENY_ALL: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

impl Cloud {
    /// Breaks authority over an account the way the fault says, by the deeds of those who can; what
    /// the account does not rest on breaks nothing. Returns what the trails tell of it.
    pub fn break_authority(
        &mut self,
        fault: Fault,
        account: &AccountId,
        source: Option<&DataSource>,
        now: DateTime<Utc>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        for Command { by, deed } in deeds(self, fault, account, source) {
            // A policy is attached by the id that it was given.
            let deed = match deed {
                Deed::AttachControlPolicy { target, .. } => {
                    let Some(policy) = self.denying(&by) else { continue };
                    Deed::AttachControlPolicy { policy, target }
                }
                deed => deed,
            };
            let command = Command { by, deed };
            let Ok((_, changes)) = world::decide(&self.world, now, command.clone()) else {
                continue;
            };
            events.extend(world::events(&self.world, now, &command, &changes));
            let undo: Vec<Change> =
                changes.iter().map(|change| undo(&self.world, change)).collect();
            self.wounds.extend(undo);
            self.change(changes, None);
        }
        events
    }

    /// Makes everything that [broke](Self::break_authority) as it was.
    pub fn heal(&mut self) {
        let mut undo = std::mem::take(&mut self.wounds);
        undo.reverse();
        self.change(undo, None);
    }

    fn denying(&self, management: &AccountId) -> Option<String> {
        let directory = self.world.directory_of(management)?;
        let mut policies = self.world.control_policies_of(directory);
        policies.find(|policy| policy.name == NAME).map(|policy| policy.id.clone())
    }
}

const NAME: &str = "deny-all";

fn undo(world: &World, change: &Change) -> Change {
    let key = change.key();
    world.entity(&key).map_or(Change::Remove(key), Change::Put)
}

fn deeds(
    cloud: &Cloud,
    fault: Fault,
    account: &AccountId,
    source: Option<&DataSource>,
) -> Vec<Command> {
    let world = &cloud.world;
    let by = |by: &AccountId, deed| Command { by: by.clone(), deed };
    let directory = world.directory_of(account).map(|directory| directory.management.clone());
    let roles = || world.roles_of(account).filter(|role| role.service_role.is_none());
    let detach = |name: &RoleName, policy: &String| {
        by(account, Deed::DetachPolicy { role: name.clone(), policy: policy.clone() })
    };
    match fault {
        Fault::RoleDeleted => roles()
            .flat_map(|role| {
                let name = &role.arn.name;
                let detached: Vec<_> =
                    role.attached.iter().map(|policy| detach(name, policy)).collect();
                detached.into_iter().chain([by(account, Deed::DeleteRole { name: name.clone() })])
            })
            .collect(),
        Fault::TrustChanged => {
            let trust = format!(
                r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"RAM":["acs:ram::{account}:root"]}}}}]}}"#
            );
            let update =
                |name: &RoleName| Deed::UpdateTrust { name: name.clone(), trust: trust.clone() };
            roles().map(|role| by(account, update(&role.arn.name))).collect()
        }
        Fault::PermissionRemoved => roles()
            .flat_map(|role| {
                let all = role.attached.iter();
                all.map(|policy| detach(&role.arn.name, policy)).collect::<Vec<_>>()
            })
            .collect(),
        Fault::ServiceRoleDeleted => {
            let role = ServiceRole::HbrCrossAccountBackup;
            vec![by(&cloud.management, Deed::DeleteServiceRole { role })]
        }
        Fault::MemberServiceRoleDeleted => {
            vec![by(account, Deed::DeleteServiceRole { role: ServiceRole::HbrRd })]
        }
        Fault::MemberLeft => {
            let leave = |of| by(&of, Deed::RemoveMember { account: account.clone() });
            directory.map(leave).into_iter().collect()
        }
        Fault::AdministratorDeregistered => {
            let account = cloud.management.clone();
            let remove = |of| by(&of, Deed::DeregisterAdministrator { account });
            directory.map(remove).into_iter().collect()
        }
        Fault::ControlPolicyDenies => {
            let Some(of) = directory else { return Vec::new() };
            let (policy, target) = (String::new(), account.to_string());
            let (name, document) = (NAME.to_owned(), DENY_ALL.to_owned());
            vec![
                by(&of, Deed::EnableControlPolicy),
                by(&of, Deed::PutControlPolicy { name, document }),
                by(&of, Deed::AttachControlPolicy { policy, target }),
            ]
        }
        Fault::SourceDeleted => {
            let of_account = source.filter(|source| source.account == *account);
            let remove = |source: &DataSource| Deed::RemoveSource { source: source.clone() };
            of_account.map(|source| by(account, remove(source))).into_iter().collect()
        }
        Fault::None
        | Fault::Slow
        | Fault::VerySlow
        | Fault::Throttled
        | Fault::TimedOut
        | Fault::TimedOutAfter
        | Fault::Conflict
        | Fault::Stale
        | Fault::Denied
        | Fault::Expired
        | Fault::Quota
        | Fault::Full
        | Fault::Damaged
        | Fault::CrashBefore
        | Fault::CrashAfter
        | Fault::FreezeBefore
        | Fault::FreezeAfter => Vec::new(),
    }
}
