//! Administrators who break what backups rest on, and mostly mend it again.

use chrono::{DateTime, Utc};
use crossvault_core::{
    grant::Method,
    ids::RoleName,
    policy::{ServiceRole, trust_policy_for},
};

use super::{
    super::{
        cast::Resident,
        onboarding::{add, does, joins, moves, role, service_role},
    },
    Life,
};
use crate::{
    script::Action,
    world::{Deed, Joined},
};

/// How many percent of what is broken is mended.
const MENDED: u64 = 65;

impl Life<'_> {
    pub(super) fn break_authority(&mut self, at: DateTime<Utc>) {
        let Some(resident) = self.resident() else { return };
        let (broken, mended) = match &resident.method {
            Method::Role { name } => self.of_role(&resident, name),
            Method::Directory => self.of_directory(&resident),
        };
        for action in broken {
            self.act(at, action);
        }
        if self.chance.percent(MENDED) {
            let again = self.after(at);
            for action in mended {
                self.act(again, action);
            }
        }
    }

    fn of_role(&mut self, resident: &Resident, name: &RoleName) -> (Vec<Action>, Vec<Action>) {
        let account = &resident.account;
        let policy = resident.policy.to_owned();
        let detach =
            || does(account, Deed::DetachPolicy { role: name.clone(), policy: policy.clone() });
        let trust = |management| {
            let trust = trust_policy_for(management);
            does(account, Deed::UpdateTrust { name: name.clone(), trust })
        };
        match self.chance.below(5) {
            // Made anew under its name, it is another role.
            0 => {
                let delete = does(account, Deed::DeleteRole { name: name.clone() });
                (vec![detach(), delete], role(self.cast, resident, name).into())
            }
            1 => {
                let attach = Deed::AttachPolicy { role: name.clone(), policy: policy.clone() };
                (vec![detach()], vec![does(account, attach)])
            }
            2 => (vec![distrust(resident, name)], vec![trust(&self.cast.management)]),
            3 => {
                let weak = "AliyunHBRReadOnlyAccess".to_owned();
                let attach =
                    |policy| does(account, Deed::AttachPolicy { role: name.clone(), policy });
                (vec![detach(), attach(weak)], vec![attach(policy.clone())])
            }
            _ => {
                let role = ServiceRole::HbrCrossAccountBackup;
                let delete = does(&self.cast.management, Deed::DeleteServiceRole { role });
                (vec![delete], vec![service_role(self.cast)])
            }
        }
    }

    fn of_directory(&mut self, resident: &Resident) -> (Vec<Action>, Vec<Action>) {
        let cast = self.cast;
        let (account, director) = (&resident.account, &cast.director);
        match self.chance.below(6) {
            0 => {
                let leaves = does(director, Deed::RemoveMember { account: account.clone() });
                let returns = joins(cast, account, Joined::Invited);
                (vec![leaves], vec![returns, add(cast, resident)])
            }
            1 => {
                let role = ServiceRole::HbrRd;
                let delete = does(account, Deed::DeleteServiceRole { role });
                (vec![delete], vec![add(cast, resident)])
            }
            2 if *director != cast.management => {
                let account = cast.management.clone();
                let end = Deed::DeregisterAdministrator { account: account.clone() };
                let begin = Deed::RegisterAdministrator { account };
                (vec![does(director, end)], vec![does(director, begin)])
            }
            3 if cast.has_control => self.control(account.to_string()),
            4 if cast.has_control => self.control(cast.folder()),
            _ => {
                let root = format!("r-{director}");
                let there = moves(cast, account, cast.folder());
                (vec![there], vec![moves(cast, account, root)])
            }
        }
    }

    /// A control policy denies everything at a node of the directory.
    fn control(&self, target: String) -> (Vec<Action>, Vec<Action>) {
        let (policy, director) = (self.cast.deny_all(), &self.cast.director);
        let attach = Deed::AttachControlPolicy { policy: policy.clone(), target: target.clone() };
        let detach = Deed::DetachControlPolicy { policy, target };
        (vec![does(director, attach)], vec![does(director, detach)])
    }
}

/// The role trusts only its own account from now on.
fn distrust(resident: &Resident, name: &RoleName) -> Action {
    let account = &resident.account;
    let trust = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"RAM":["acs:ram::{account}:root"]}}}}]}}"#
    );
    does(account, Deed::UpdateTrust { name: name.clone(), trust })
}
