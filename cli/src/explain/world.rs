//! The policies that bear on a role of the local world.

use chrono::{SecondsFormat, Utc};
use crossvault_core::{
    ids::{RoleArn, RoleName},
    policy::{Context, system_policy},
};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::world::{Role, World};

use super::{Arguments, Policies};
use crate::{console::Console, policy::Document, source::AccountName};

/// The role's trust policy and attached policies, and the control policies from Root down to its
/// account; none for those that are exempt from them.
///
/// # Errors
/// [`Failure`] when the role is not there, or the resource is out of its reach.
///
/// Source: RAM, "Policy evaluation process"; Resource Management, "Overview of the Control Policy
/// feature".
pub fn policies(
    console: &Console,
    account: &AccountName,
    name: &RoleName,
    arguments: &Arguments,
) -> Result<Policies, Failure> {
    let arn = RoleArn { account: console.find(account)?, name: name.clone() };
    let world = console.world()?;
    let Some(role) = world.find_role(&arn) else {
        return Err(Failure::new(
            Kind::Refused,
            "ROLE_UNKNOWN",
            format!("there is no role `{arn}`"),
            "Look for its name with `crossvault world roles list`.",
        ));
    };
    check_reach(&arguments.resource, role)?;
    let attached = role.attached.iter().filter_map(|name| {
        let custom = || world.custom_policy(&role.arn.account, name).map(|found| &found.document);
        let policy = system_policy(name).or_else(custom)?.clone();
        Some(Document { name: name.clone(), policy })
    });
    Ok(Policies {
        control: control(world, role),
        session: None,
        identity: (role.arn.to_string(), attached.collect()),
        trust: Some(Document { name: "trust policy".to_owned(), policy: role.trust.clone() }),
        owner: Some(role.arn.account.clone()),
    })
}

/// What the cloud itself says of each call of a role; what was said already stays.
pub fn add_context(context: &mut Context, role: &str) {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    for (key, value) in [("acs:CurrentTime", now.as_str()), ("acs:PrincipalARN", role)] {
        if context.values(&key.to_lowercase()).is_empty() {
            context.add(key, value);
        }
    }
}

fn control(world: &World, role: &Role) -> Vec<(String, Vec<Document>)> {
    let Some(directory) = world.directory_of(&role.arn.account) else { return Vec::new() };
    let is_exempt = role.service_role.is_some() || role.arn.account == directory.management;
    if !directory.control_enabled || is_exempt {
        return Vec::new();
    }
    let level = |node| {
        let (name, id) = (world.node_name(node), node.id());
        let attached = node.attached().iter().filter_map(|id| {
            let (name, policy) = world.control_policy(directory, id)?;
            Some(Document { name: name.to_owned(), policy: policy.clone() })
        });
        (format!("{name} ({id})"), attached.collect())
    };
    world.way_to(&role.arn.account).into_iter().map(level).collect()
}

/// A role reaches what is in its own account; no policy changes that.
fn check_reach(resource: &str, role: &Role) -> Result<(), Failure> {
    let owner = resource.split(':').nth(3).filter(|o| o.starts_with(|c: char| c.is_ascii_digit()));
    if owner.is_none_or(|owner| owner == role.arn.account.as_str()) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        "RESOURCE_OF_OTHER_ACCOUNT",
        format!("`{resource}` is not in the account of `{}`", role.arn),
        "Only a role of the resource's own account reaches it, whatever policies allow.",
    ))
}
