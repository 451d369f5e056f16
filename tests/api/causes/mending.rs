//! Does what a mend says, and what is less than it says.

use crossvault_core::{authorization::Mend, ids::RoleArn};
use crossvault_handlers::api::Command;
use crossvault_simulator::world::{Answer, Deed, Joined};
use serde_json::Value;

use super::scenario::{ORGANIZATION, Stage};
use crate::cloud::{Cloud, PAYROLL, ROLE, account, add, by_role};

/// Does what the mend says; it may fail when another part of the mending was left out.
pub fn apply(stage: &Stage, mend: &Mend) -> Result<(), String> {
    let cloud = &stage.cloud;
    match mend {
        Mend::AddAccount { account, .. } => {
            asks(cloud, add(account.as_str(), stage.method(), true))?;
        }
        Mend::CreateServiceRole { .. } => {
            asks(cloud, add(PAYROLL, stage.method(), true))?;
        }
        Mend::RegisterAdministrator { management } => {
            does(cloud, ORGANIZATION, Deed::RegisterAdministrator { account: management.clone() })?;
        }
        Mend::AddMember { account } => {
            let (account, joined) = (account.clone(), Joined::Invited);
            does(cloud, ORGANIZATION, Deed::AddMember { account, joined })?;
        }
        Mend::CreateRole { role, trust, permissions } => {
            create(cloud, role, trust, permissions)?;
        }
        Mend::Trust { role, document } => {
            let (name, trust) = (role.name.clone(), document.clone());
            does(cloud, role.account.as_str(), Deed::UpdateTrust { name, trust })?;
        }
        Mend::Permit { role, documents } => attach(cloud, role, documents)?,
        Mend::LiftDeny { role, policy, document: None } => {
            let (role_name, policy) = (role.name.clone(), policy.clone());
            does(cloud, role.account.as_str(), Deed::DetachPolicy { role: role_name, policy })?;
        }
        Mend::LiftDeny { role, policy, document: Some(document) } => {
            let (name, document) = (policy.clone(), document.clone());
            does(cloud, role.account.as_str(), Deed::PutPolicy { name, document })?;
        }
        Mend::Except { policy, document, .. } => {
            let (name, document) = (policy.clone(), document.clone());
            does(cloud, ORGANIZATION, Deed::PutControlPolicy { name, document })?;
        }
        Mend::AllowAt { node, documents } => {
            for (n, document) in documents.iter().enumerate() {
                let (name, document) = (format!("needed-{n}"), document.clone());
                let deed = Deed::PutControlPolicy { name, document };
                let answer = cloud.ports.does(&account(ORGANIZATION), deed).unwrap();
                let Answer::ControlPolicy(policy) = answer else { panic!("{answer:?}") };
                let target = node.clone();
                does(cloud, ORGANIZATION, Deed::AttachControlPolicy { policy, target })?;
            }
        }
        Mend::OrdinaryRole { account } => {
            let role = ROLE.parse().unwrap();
            cloud.ports.trust(account, &role, "AliyunHBRRolePolicy").unwrap();
            asks(cloud, add(account.as_str(), by_role(), true))?;
        }
        Mend::FindSource { source } => {
            let (name, location) = (source.id.to_string(), format!("/{}", source.id));
            let (source, by) = (source.clone(), source.account.clone());
            does(cloud, by.as_str(), Deed::PutSource { source, name, location, running: true })?;
        }
        Mend::SetClock | Mend::RaiseQuota { .. } | Mend::LookAtRole { .. } | Mend::Report => {
            panic!("{mend:?} is nothing that the world does")
        }
    }
    Ok(())
}

fn asks(cloud: &Cloud, command: Command) -> Result<(), String> {
    cloud.ask(command).map(|_| ()).map_err(|error| error.to_string())
}

fn does(cloud: &Cloud, by: &str, deed: Deed) -> Result<(), String> {
    cloud.ports.does(&account(by), deed).map(|_| ()).map_err(|refusal| refusal.to_string())
}

fn create(
    cloud: &Cloud,
    role: &RoleArn,
    trust: &str,
    permissions: &[String],
) -> Result<(), String> {
    let (name, trust) = (role.name.clone(), trust.to_owned());
    let deed = Deed::CreateRole { name, trust, max_session_s: None };
    does(cloud, role.account.as_str(), deed)?;
    attach(cloud, role, permissions)
}

fn attach(cloud: &Cloud, role: &RoleArn, documents: &[String]) -> Result<(), String> {
    for (n, document) in documents.iter().enumerate() {
        let (name, document) = (format!("mend-{n}"), document.clone());
        does(cloud, role.account.as_str(), Deed::PutPolicy { name: name.clone(), document })?;
        let deed = Deed::AttachPolicy { role: role.name.clone(), policy: name };
        does(cloud, role.account.as_str(), deed)?;
    }
    Ok(())
}

/// The mend without its n-th part: what is left out, and the rest; no rest when it is not done at
/// all, which is the part numbered 0. None when it has no such part.
pub fn smaller(mend: &Mend, n: usize) -> Option<(String, Option<Mend>)> {
    let Some(n) = n.checked_sub(1) else { return Some(("the whole".to_owned(), None)) };
    if let Mend::CreateRole { role, trust, permissions } = mend {
        let (left_out, permissions) = without(permissions, n)?;
        let (role, trust) = (role.clone(), trust.clone());
        Some((left_out, Some(Mend::CreateRole { role, trust, permissions })))
    } else if let Mend::Permit { role, documents } = mend {
        let (left_out, documents) = without(documents, n)?;
        Some((left_out, Some(Mend::Permit { role: role.clone(), documents })))
    } else if let Mend::AllowAt { node, documents } = mend {
        let (left_out, documents) = without(documents, n)?;
        Some((left_out, Some(Mend::AllowAt { node: node.clone(), documents })))
    } else {
        None
    }
}

/// The documents without the n-th action of all that they allow.
fn without(documents: &[String], n: usize) -> Option<(String, Vec<String>)> {
    let mut left_out = None;
    let mut numbers = 0..;
    let mut rest = Vec::new();
    for text in documents {
        let mut document: Value = serde_json::from_str(text).unwrap();
        let statements = document["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut() {
            if let Value::String(one) = &statement["Action"] {
                statement["Action"] = Value::Array(vec![Value::String(one.clone())]);
            }
            let actions = statement["Action"].as_array_mut().unwrap();
            actions.retain(|action| {
                let is_it = numbers.next() == Some(n);
                if is_it {
                    left_out = Some(action.to_string());
                }
                !is_it
            });
        }
        statements.retain(|statement| !statement["Action"].as_array().unwrap().is_empty());
        if !statements.is_empty() {
            rest.push(document.to_string());
        }
    }
    left_out.map(|left_out| (left_out, rest))
}
