//! What a command changes, or why it is refused.

mod control;
mod directory;
mod policy;
mod role;

use chrono::{DateTime, Utc};
use crossvault_core::ids::{AccountId, DataSource, RoleArn};

pub use self::role::MAX_SESSION_S;
use super::{
    Account, Answer, Change, Command, Deed, Directory, Entity, EntityKey, Refusal, Source, World,
};

type Decided = Result<(Answer, Vec<Change>), Refusal>;

/// Decides a command: what it answers and what it changes. Nothing changes here.
///
/// A deed that changes nothing (a rename to the same name) succeeds without changes; one that
/// would do a thing twice is refused, as the cloud does.
///
/// # Errors
/// [`Refusal`] when the world does not permit it.
pub fn decide(world: &World, now: DateTime<Utc>, command: Command) -> Decided {
    let Command { by, deed } = command;
    match deed {
        Deed::CreateAccount { name } => create_account(world, by, name),
        Deed::RenameAccount { name } => rename_account(world, &by, name),
        Deed::CreateDirectory => directory::create(world, by),
        Deed::AddMember { account, joined } => directory::add(world, now, &by, account, joined),
        Deed::RemoveMember { account } => directory::remove_member(world, &by, &account),
        Deed::CreateFolder { parent, name } => {
            directory::create_folder(world, &by, parent.as_deref(), name)
        }
        Deed::DeleteFolder { folder } => directory::delete_folder(world, &by, &folder),
        Deed::MoveMember { account, folder } => directory::move_to(world, &by, &account, &folder),
        Deed::RegisterAdministrator { account } => directory::register(world, now, &by, &account),
        Deed::DeregisterAdministrator { account } => directory::deregister(world, &by, &account),
        Deed::EnableControlPolicy => control::enable(world, &by),
        Deed::DisableControlPolicy => control::disable(world, &by),
        Deed::PutControlPolicy { name, document } => control::put(world, by, name, &document),
        Deed::DeleteControlPolicy { policy } => control::delete(world, by, policy),
        Deed::AttachControlPolicy { policy, target } => control::attach(world, &by, policy, target),
        Deed::DetachControlPolicy { policy, target } => control::detach(world, &by, policy, target),
        Deed::CreateRole { name, trust, max_session_s } => {
            role::create(world, RoleArn { account: by, name }, &trust, max_session_s)
        }
        Deed::DeleteRole { name } => role::delete(world, by, name),
        Deed::UpdateTrust { name, trust } => role::update_trust(world, by, name, &trust),
        Deed::AttachPolicy { role, policy } => role::attach(world, by, role, policy),
        Deed::DetachPolicy { role, policy } => role::detach(world, by, role, policy),
        Deed::CreateServiceRole { account, role } => {
            role::create_service_role(world, &by, &account, role)
        }
        Deed::DeleteServiceRole { role } => role::delete_service_role(world, &by, role),
        Deed::PutPolicy { name, document } => policy::put(world, by, name, &document),
        Deed::PutPolicyVersion { name, document, set_as_default } => {
            policy::put_version(world, &by, name, &document, set_as_default)
        }
        Deed::SetDefaultPolicyVersion { name, version } => {
            policy::set_default(world, &by, name, version)
        }
        Deed::DeletePolicyVersion { name, version } => {
            policy::delete_version(world, &by, name, version)
        }
        Deed::DeletePolicy { name } => policy::delete(world, by, name),
        Deed::PutSource { source, name, location, running } => {
            put_source(world, &by, Source { id: source, name, location, running })
        }
        Deed::RemoveSource { source } => remove_source(world, &by, source),
    }
}

fn create_account(world: &World, id: AccountId, name: String) -> Decided {
    if world.account(&id).is_some() {
        return Err(Refusal::AccountExists(id));
    }
    let name = display_name(name)?;
    Ok(put(Entity::Account(Account { id, name, roles_made: 0 })))
}

fn rename_account(world: &World, by: &AccountId, name: String) -> Decided {
    let account = account(world, by)?.clone();
    let name = display_name(name)?;
    if account.name == name {
        return Ok(nothing());
    }
    Ok(put(Entity::Account(Account { name, ..account })))
}

fn put_source(world: &World, by: &AccountId, source: Source) -> Decided {
    account(world, by)?;
    owned(by, &source.id)?;
    let name = display_name(source.name)?;
    Ok(put(Entity::Source(Source { name, ..source })))
}

fn remove_source(world: &World, by: &AccountId, source: DataSource) -> Decided {
    account(world, by)?;
    owned(by, &source)?;
    match world.find_source(&source) {
        Some(_) => Ok(remove(EntityKey::Source(source))),
        None => Err(Refusal::SourceUnknown(source)),
    }
}

fn account<'a>(world: &'a World, account: &AccountId) -> Result<&'a Account, Refusal> {
    world.account(account).ok_or_else(|| Refusal::AccountUnknown(account.clone()))
}

fn managed<'a>(world: &'a World, by: &AccountId) -> Result<&'a Directory, Refusal> {
    account(world, by)?;
    world
        .directory_of(by)
        .filter(|directory| directory.management == *by)
        .ok_or_else(|| Refusal::DirectoryUnknown(by.clone()))
}

fn owned(by: &AccountId, source: &DataSource) -> Result<(), Refusal> {
    if *by == source.account {
        Ok(())
    } else {
        Err(Refusal::NotOwner { by: by.clone(), owner: source.account.clone() })
    }
}

fn display_name(name: String) -> Result<String, Refusal> {
    if (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        Ok(name)
    } else {
        Err(Refusal::NameInvalid {
            text: name.chars().filter(|c| !c.is_control()).take(200).collect(),
            expected: "a display name (1 to 128 characters)",
            parameter: "InvalidParameter.DisplayName",
        })
    }
}

/// Source: RAM API, `CreatePolicy`; Resource Directory API, `CreateControlPolicy`.
fn policy_name(name: String) -> Result<String, Refusal> {
    let is_name = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_name {
        Ok(name)
    } else {
        Err(Refusal::NameInvalid {
            text: name.chars().filter(|c| !c.is_control()).take(200).collect(),
            expected: "a policy name (1 to 128 letters, digits, `-`)",
            parameter: "InvalidParameter.PolicyName",
        })
    }
}

fn put(entity: Entity) -> (Answer, Vec<Change>) {
    (Answer::Done, vec![Change::Put(entity)])
}

fn remove(key: EntityKey) -> (Answer, Vec<Change>) {
    (Answer::Done, vec![Change::Remove(key)])
}

/// Nothing changes.
fn nothing() -> (Answer, Vec<Change>) {
    (Answer::Done, vec![])
}
