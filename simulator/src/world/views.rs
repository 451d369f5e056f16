//! What a session may read of the world.

use chrono::{DateTime, Utc};
use crossvault_core::{
    authorization::{AttachedPolicy, RoleView, SourceView},
    catalog::{self, Operation, Scope, Verb},
    directory::{self, Administrators, ControlLevel, Membership},
    ids::{AccountId, DataSource, Region, RoleArn, SourceKind},
    policy::{Context, system_policy},
};

use super::{
    Barrier, Directory, Node, Principal, Refusal, Session, World,
    check::{check, denied, live},
};

/// Whether an account is a member of the directory that the caller's account administers.
///
/// # Errors
/// [`Refusal::Denied`] when the caller's account holds no office in a directory.
pub fn membership(
    world: &World,
    by: &Session,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<Membership, Refusal> {
    let directory = administered(world, by, "resourcemanager:GetAccount", now)?;
    Ok(match world.member(account) {
        Some(member) if member.management == directory.management => {
            Membership::Member { path: member.path.clone() }
        }
        Some(_) | None => Membership::Outside,
    })
}

/// The members of that directory whose id or name holds the text (without case), in the order of
/// their ids; an empty text finds all.
///
/// # Errors
/// [`Refusal::Denied`] when the caller's account holds no office in a directory.
pub fn members(
    world: &World,
    by: &Session,
    search: &str,
    now: DateTime<Utc>,
) -> Result<Vec<directory::Member>, Refusal> {
    let directory = administered(world, by, "resourcemanager:ListAccounts", now)?;
    let search = search.to_lowercase();
    let found = world.members_of(directory).map(|member| directory::Member {
        account: member.account.clone(),
        name: world.account(&member.account).map_or_else(String::new, |found| found.name.clone()),
        path: member.path.clone(),
    });
    Ok(found
        .filter(|member| {
            member.account.as_str().contains(&search)
                || member.name.to_lowercase().contains(&search)
        })
        .collect())
}

/// Who may manage the members of the caller's directory; none when the caller's account is in no
/// directory.
///
/// # Errors
/// [`Refusal::Denied`] when the caller's account is a member that holds no office.
pub fn administrators(
    world: &World,
    by: &Session,
    now: DateTime<Utc>,
) -> Result<Option<Administrators>, Refusal> {
    live(world, by, now)?;
    if world.directory_of(by.account()).is_none() {
        return Ok(None);
    }
    let action = "resourcemanager:ListDelegatedAdministrators";
    let directory = administered(world, by, action, now)?;
    Ok(Some(Administrators {
        directory: directory.id.clone(),
        management: directory.management.clone(),
        delegated: delegated(world, directory),
    }))
}

/// The control policies that bear on an account's identities, one level a node, Root first: none
/// when the feature is off or the account is no member.
///
/// # Errors
/// [`Refusal::Denied`] when the caller's account holds no office in a directory.
///
/// Source: Resource Directory API, `ListControlPolicyAttachmentsForTarget`.
pub fn control_policies(
    world: &World,
    by: &Session,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<ControlLevel>, Refusal> {
    let action = "resourcemanager:ListControlPolicyAttachmentsForTarget";
    let directory = administered(world, by, action, now)?;
    let is_member = world.directory_of(account).is_some_and(|found| found == directory);
    if !directory.control_enabled || !is_member {
        return Ok(Vec::new());
    }
    let level = |node: Node<'_>| ControlLevel {
        node: node.id().to_owned(),
        name: world.node_name(node).to_owned(),
        policies: world
            .attached_to(directory, node)
            .into_iter()
            .map(|(name, policy)| AttachedPolicy {
                name: name.to_owned(),
                document: policy.text().to_owned(),
            })
            .collect(),
    };
    Ok(world.way_to(account).into_iter().map(level).collect())
}

/// The ids of the nodes that a control policy is attached to, Root first, then folders, then
/// members.
///
/// # Errors
/// [`Refusal::ControlPolicyUnknown`]; [`Refusal::Denied`] when the caller's account holds no office
/// in a directory.
///
/// Source: Resource Directory API, `ListTargetAttachmentsForControlPolicy`.
pub fn control_targets(
    world: &World,
    by: &Session,
    policy: &str,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Refusal> {
    let action = "resourcemanager:ListTargetAttachmentsForControlPolicy";
    let directory = administered(world, by, action, now)?;
    if world.control_policy(directory, policy).is_none() {
        return Err(Refusal::ControlPolicyUnknown(policy.to_owned()));
    }
    let has_it = |node: &Node<'_>| node.attached().contains(policy);
    Ok(world.nodes_of(directory).filter(has_it).map(|node| node.id().to_owned()).collect())
}

/// A role with its trust policy and the policies attached to it.
///
/// # Errors
/// [`Refusal::RoleUnknown`]; [`Refusal::Denied`] unless the caller may `ram:GetRole`,
/// `ram:ListPoliciesForRole` and, for each policy, `ram:GetPolicy`.
pub fn role(
    world: &World,
    by: &Session,
    role: &RoleArn,
    now: DateTime<Utc>,
) -> Result<RoleView, Refusal> {
    let context = Context::default();
    let may = |action: &str, resource: &str| check(world, by, action, resource, &context, now);
    may("ram:GetRole", &role.to_string())?;
    let found = world.find_role(role).ok_or_else(|| Refusal::RoleUnknown(role.clone()))?;
    may("ram:ListPoliciesForRole", &role.to_string())?;
    let mut policies = Vec::new();
    for name in &found.attached {
        let (owner, document) = match system_policy(name) {
            Some(policy) => ("system", policy),
            None => match world.custom_policy(&role.account, name) {
                Some(policy) => (role.account.as_str(), &policy.document),
                None => continue,
            },
        };
        may("ram:GetPolicy", &format!("acs:ram::{owner}:policy/{name}"))?;
        let document = document.text().to_owned();
        policies.push(AttachedPolicy { name: name.clone(), document });
    }
    Ok(RoleView { role: found.arn.clone(), trust: found.trust.text().to_owned(), policies })
}

/// The sources of one type in one region of one account, in the order of their ids.
///
/// # Errors
/// [`Refusal::Denied`] when the session acts in another account or may not discover.
pub fn sources(
    world: &World,
    by: &Session,
    account: &AccountId,
    region: &Region,
    kind: SourceKind,
    now: DateTime<Utc>,
) -> Result<Vec<DataSource>, Refusal> {
    if by.account() != account {
        live(world, by, now)?;
        return Err(denied(by, catalog::touch(kind), "*", Barrier::OtherAccount));
    }
    may_discover(world, by, kind, Scope { account, region, source: None }, now)?;
    let is_asked = |source: &DataSource| {
        source.account == *account && source.region == *region && source.kind == kind
    };
    Ok(world.all_sources().map(|source| &source.id).filter(|id| is_asked(id)).cloned().collect())
}

/// What the cloud says of one source.
///
/// # Errors
/// [`Refusal::Denied`] when the session acts in another account or may not discover.
pub fn source(
    world: &World,
    by: &Session,
    source: &DataSource,
    now: DateTime<Utc>,
) -> Result<SourceView, Refusal> {
    may_discover(world, by, source.kind, source.into(), now)?;
    Ok(match world.find_source(source) {
        Some(_) => SourceView::Present,
        None => SourceView::Absent,
    })
}

fn may_discover(
    world: &World,
    by: &Session,
    kind: SourceKind,
    scope: Scope<'_>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let context = Context::default();
    for need in catalog::needs(Operation { kind, verb: Verb::Discover }, scope) {
        check(world, by, need.action, &need.resource, &context, now)?;
    }
    Ok(())
}

/// The directory in which the caller's account holds an office, if the caller may do the action.
///
/// A trusted service reads the directory for the account that it acts for.
///
/// Source: Resource Management, "Overview of trusted services".
fn administered<'a>(
    world: &'a World,
    by: &Session,
    action: &str,
    now: DateTime<Utc>,
) -> Result<&'a Directory, Refusal> {
    match by.principal() {
        Principal::Service { .. } => {
            live(world, by, now)?;
        }
        Principal::Root(_) | Principal::Role { .. } => {
            check(world, by, action, "*", &Context::default(), now)?;
        }
    }
    let account = by.account();
    world
        .directory_of(account)
        .filter(|directory| {
            directory.management == *account || delegated(world, directory).contains(account)
        })
        .ok_or_else(|| denied(by, action, "*", Barrier::Directory))
}

fn delegated(world: &World, directory: &Directory) -> Vec<AccountId> {
    world
        .members_of(directory)
        .filter(|member| member.administers_since.is_some())
        .map(|member| member.account.clone())
        .collect()
}
