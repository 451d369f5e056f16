//! What a command changes, or why it is refused.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use crossvault_core::{
    directory::DELEGATED_ADMINISTRATORS_MAX,
    ids::{AccountId, DataSource, RoleArn, RoleName},
    policy::{Policy, PolicyKind, PrincipalPattern, ServiceRole, system_policy},
};

use super::{
    Account, Answer, Change, Command, CustomPolicy, Deed, Directory, Entity, EntityKey, Joined,
    Member, Refusal, Role, RoleId, Source, World,
};

/// The longest session of a role that says nothing else, in seconds; always so for service-linked
/// roles.
///
/// Source: RAM, "Specify the maximum session duration".
pub const MAX_SESSION_S: u32 = 3600;

/// Source: RAM, "Limits", for this and the next three.
const ROLES_MAX: usize = 1000;
const SYSTEM_POLICIES_ATTACHED_MAX: usize = 20;
const CUSTOM_POLICIES_ATTACHED_MAX: usize = 10;
const CUSTOM_POLICIES_MAX: usize = 1500;

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
        Deed::CreateDirectory => create_directory(world, by),
        Deed::AddMember { account, joined } => add_member(world, now, &by, account, joined),
        Deed::RemoveMember { account } => remove_member(world, &by, &account),
        Deed::RegisterAdministrator { account } => register(world, now, &by, &account),
        Deed::DeregisterAdministrator { account } => deregister(world, &by, &account),
        Deed::CreateRole { name, trust, max_session_s } => {
            create_role(world, RoleArn { account: by, name }, &trust, max_session_s)
        }
        Deed::DeleteRole { name } => delete_role(world, by, name),
        Deed::UpdateTrust { name, trust } => update_trust(world, by, name, &trust),
        Deed::AttachPolicy { role, policy } => attach(world, by, role, policy),
        Deed::DetachPolicy { role, policy } => detach(world, by, role, policy),
        Deed::PutPolicy { name, document } => put_policy(world, by, name, &document),
        Deed::DeletePolicy { name } => delete_policy(world, by, name),
        Deed::CreateServiceRole { account, role } => {
            create_service_role(world, &by, &account, role)
        }
        Deed::DeleteServiceRole { role } => delete_service_role(world, &by, role),
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
        return Ok((Answer::Done, vec![]));
    }
    Ok(put(Entity::Account(Account { name, ..account })))
}

fn create_directory(world: &World, management: AccountId) -> Decided {
    account(world, &management)?;
    in_no_directory(world, &management)?;
    let id = format!("rd-{management}");
    let root = format!("r-{management}");
    let directory = Directory { id: id.clone(), root, management };
    Ok((Answer::Directory(id), vec![Change::Put(Entity::Directory(directory))]))
}

fn add_member(
    world: &World,
    now: DateTime<Utc>,
    by: &AccountId,
    new: AccountId,
    joined: Joined,
) -> Decided {
    let directory = managed(world, by)?;
    account(world, &new)?;
    in_no_directory(world, &new)?;
    Ok(put(Entity::Member(Member {
        path: format!("{}/{}/{new}", directory.id, directory.root),
        account: new,
        management: by.clone(),
        joined,
        since: now,
        administers_since: None,
    })))
}

fn remove_member(world: &World, by: &AccountId, account: &AccountId) -> Decided {
    let member = member(world, managed(world, by)?, account)?;
    if member.administers_since.is_some() {
        return Err(Refusal::MemberAdministers(account.clone()));
    }
    Ok(remove(EntityKey::Member(account.clone())))
}

fn register(world: &World, now: DateTime<Utc>, by: &AccountId, account: &AccountId) -> Decided {
    let directory = managed(world, by)?;
    let member = member(world, directory, account)?;
    if member.administers_since.is_some() {
        return Err(Refusal::AdministersAlready(account.clone()));
    }
    let administrators =
        world.members_of(directory).filter(|member| member.administers_since.is_some()).count();
    if administrators >= DELEGATED_ADMINISTRATORS_MAX {
        return Err(Refusal::AdministratorsFull);
    }
    Ok(put(Entity::Member(Member { administers_since: Some(now), ..member.clone() })))
}

fn deregister(world: &World, by: &AccountId, account: &AccountId) -> Decided {
    let member = member(world, managed(world, by)?, account)?;
    if member.administers_since.is_none() {
        return Err(Refusal::AdministersNot(account.clone()));
    }
    Ok(put(Entity::Member(Member { administers_since: None, ..member.clone() })))
}

fn create_role(world: &World, arn: RoleArn, trust: &str, max_session_s: Option<u32>) -> Decided {
    account(world, &arn.account)?;
    if ServiceRole::of(&arn).is_some() {
        return Err(Refusal::RoleServiceLinked(arn));
    }
    if world.find_role(&arn).is_some() {
        return Err(Refusal::RoleExists(arn));
    }
    if world.roles_of(&arn.account).count() >= ROLES_MAX {
        return Err(Refusal::RolesFull { account: arn.account, limit: ROLES_MAX });
    }
    let max_session_s = max_session_s.unwrap_or(MAX_SESSION_S);
    if !(3600..=43200).contains(&max_session_s) {
        return Err(Refusal::MaxSessionInvalid(max_session_s));
    }
    let trust = read_trust(world, trust)?;
    make_role(world, arn, trust, max_session_s, None)
}

fn delete_role(world: &World, by: AccountId, name: RoleName) -> Decided {
    let role = editable_role(world, by, name)?;
    if !role.attached.is_empty() {
        return Err(Refusal::RoleHasPolicies {
            role: role.arn.clone(),
            policies: role.attached.iter().cloned().collect(),
        });
    }
    Ok(remove(EntityKey::role(&role.arn)))
}

fn update_trust(world: &World, by: AccountId, name: RoleName, trust: &str) -> Decided {
    let role = editable_role(world, by, name)?;
    let trust = read_trust(world, trust)?;
    Ok(put(Entity::Role(Role { trust, ..role.clone() })))
}

fn attach(world: &World, by: AccountId, name: RoleName, policy: String) -> Decided {
    let mut role = editable_role(world, by, name)?.clone();
    let is_system = system_policy(&policy).is_some();
    if !is_system && world.custom_policy(&role.arn.account, &policy).is_none() {
        return Err(Refusal::PolicyUnknown(policy));
    }
    if role.attached.contains(&policy) {
        return Err(Refusal::PolicyAttachedAlready { policy, role: role.arn });
    }
    let limit = if is_system { SYSTEM_POLICIES_ATTACHED_MAX } else { CUSTOM_POLICIES_ATTACHED_MAX };
    let alike = role.attached.iter().filter(|name| system_policy(name).is_some() == is_system);
    if alike.count() >= limit {
        return Err(Refusal::AttachedFull { role: role.arn, limit });
    }
    role.attached.insert(policy);
    Ok(put(Entity::Role(role)))
}

fn detach(world: &World, by: AccountId, name: RoleName, policy: String) -> Decided {
    let mut role = editable_role(world, by, name)?.clone();
    if !role.attached.remove(&policy) {
        return Err(Refusal::PolicyNotAttached { policy, role: role.arn });
    }
    Ok(put(Entity::Role(role)))
}

fn put_policy(world: &World, by: AccountId, name: String, document: &str) -> Decided {
    account(world, &by)?;
    if system_policy(&name).is_some() {
        return Err(Refusal::PolicyIsSystem(name));
    }
    let is_name = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_name {
        return Err(Refusal::NameInvalid {
            text: name,
            expected: "a policy name (1 to 128 letters, digits, `-`)",
            parameter: "InvalidParameter.PolicyName",
        });
    }
    if world.custom_policy(&by, &name).is_none()
        && world.custom_policies_of(&by).count() >= CUSTOM_POLICIES_MAX
    {
        return Err(Refusal::PoliciesFull { account: by, limit: CUSTOM_POLICIES_MAX });
    }
    let document =
        Policy::parse(document, PolicyKind::Permission).map_err(Refusal::PolicyInvalid)?;
    Ok(put(Entity::Policy(CustomPolicy { account: by, name, document })))
}

fn delete_policy(world: &World, by: AccountId, name: String) -> Decided {
    account(world, &by)?;
    if system_policy(&name).is_some() {
        return Err(Refusal::PolicyIsSystem(name));
    }
    if world.custom_policy(&by, &name).is_none() {
        return Err(Refusal::PolicyUnknown(name));
    }
    if let Some(role) = world.roles_of(&by).find(|role| role.attached.contains(&name)) {
        return Err(Refusal::PolicyAttached { policy: name, role: role.arn.clone() });
    }
    Ok(remove(EntityKey::Policy(by, name)))
}

/// Service-linked roles are made even beyond the limit of roles.
///
/// Source: RAM, "Service-linked roles".
fn create_service_role(
    world: &World,
    by: &AccountId,
    owner: &AccountId,
    role: ServiceRole,
) -> Decided {
    account(world, owner)?;
    // The directory's own service role makes those of trusted services in members.
    let through_directory = role == ServiceRole::HbrRd && world.administers(by, owner);
    if by != owner && !through_directory {
        return Err(Refusal::NotOwner { by: by.clone(), owner: owner.clone() });
    }
    let arn = role.arn(owner);
    if world.find_role(&arn).is_some() {
        return Err(Refusal::RoleExists(arn));
    }
    let trust =
        Policy::parse(role.trust_document(), PolicyKind::Trust).map_err(Refusal::PolicyInvalid)?;
    make_role(world, arn, trust, MAX_SESSION_S, Some(role))
}

fn delete_service_role(world: &World, by: &AccountId, role: ServiceRole) -> Decided {
    account(world, by)?;
    let arn = role.arn(by);
    match world.find_role(&arn) {
        Some(role) => Ok(remove(EntityKey::role(&role.arn))),
        None => Err(Refusal::RoleUnknown(arn)),
    }
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

/// Makes the role and counts it, so that no other role ever gets its id.
fn make_role(
    world: &World,
    arn: RoleArn,
    trust: Policy,
    max_session_s: u32,
    service_role: Option<ServiceRole>,
) -> Decided {
    let mut owner = account(world, &arn.account)?.clone();
    owner.roles_made = owner.roles_made.saturating_add(1);
    let role = Role {
        id: RoleId(format!("{}-{}", owner.id, owner.roles_made)),
        arn: arn.clone(),
        trust,
        max_session_s,
        attached: service_role.map_or_else(BTreeSet::new, |service_role| {
            BTreeSet::from([service_role.policy_name().to_owned()])
        }),
        service_role,
    };
    let changes = vec![Change::Put(Entity::Account(owner)), Change::Put(Entity::Role(role))];
    Ok((Answer::Role(arn), changes))
}

/// A role that a trust policy names must exist when the policy is saved.
///
/// Source: RAM, "Edit the trust policy of a RAM role".
fn read_trust(world: &World, text: &str) -> Result<Policy, Refusal> {
    let trust = Policy::parse(text, PolicyKind::Trust).map_err(Refusal::PolicyInvalid)?;
    for principal in trust.statements().iter().flat_map(|statement| statement.principals.named()) {
        if let PrincipalPattern::Role(role) = principal
            && world.find_role(role).is_none()
        {
            return Err(Refusal::TrustedRoleUnknown(role.clone()));
        }
    }
    Ok(trust)
}

fn editable_role(world: &World, account: AccountId, name: RoleName) -> Result<&Role, Refusal> {
    let arn = RoleArn { account, name };
    match world.find_role(&arn) {
        Some(role) if role.service_role.is_some() => Err(Refusal::RoleServiceLinked(arn)),
        Some(role) => Ok(role),
        None => Err(Refusal::RoleUnknown(arn)),
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

fn member<'a>(
    world: &'a World,
    directory: &Directory,
    account: &AccountId,
) -> Result<&'a Member, Refusal> {
    world.member(account).filter(|member| member.management == directory.management).ok_or_else(
        || Refusal::NotMember { account: account.clone(), directory: directory.id.clone() },
    )
}

fn in_no_directory(world: &World, account: &AccountId) -> Result<(), Refusal> {
    match world.directory_of(account) {
        Some(directory) => {
            Err(Refusal::InDirectory { account: account.clone(), directory: directory.id.clone() })
        }
        None => Ok(()),
    }
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

fn put(entity: Entity) -> (Answer, Vec<Change>) {
    (Answer::Done, vec![Change::Put(entity)])
}

fn remove(key: EntityKey) -> (Answer, Vec<Change>) {
    (Answer::Done, vec![Change::Remove(key)])
}
