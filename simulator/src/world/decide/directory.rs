//! The directory: members, folders, delegated administrators.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use crossvault_core::{directory::DELEGATED_ADMINISTRATORS_MAX, ids::AccountId};

use super::{
    super::{Answer, Change, Directory, Entity, EntityKey, Folder, Joined, Member, Refusal, World},
    Decided, account, control, managed, nothing, put, remove,
};

/// Source: Resource Management, "Limits", for this and the next.
const FOLDERS_MAX: usize = 100;
const FOLDER_LEVELS_MAX: usize = 5;

pub(super) fn create(world: &World, management: AccountId) -> Decided {
    account(world, &management)?;
    in_no_directory(world, &management)?;
    let id = format!("rd-{management}");
    let root = format!("r-{management}");
    let directory = Directory {
        id: id.clone(),
        root,
        management,
        control_enabled: false,
        attached: BTreeSet::new(),
        made: 0,
    };
    Ok((Answer::Directory(id), vec![Change::Put(Entity::Directory(directory))]))
}

pub(super) fn add(
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
        attached: control::first_attached(directory),
    })))
}

pub(super) fn remove_member(world: &World, by: &AccountId, account: &AccountId) -> Decided {
    let member = member(world, managed(world, by)?, account)?;
    if member.administers_since.is_some() {
        return Err(Refusal::MemberAdministers(account.clone()));
    }
    Ok(remove(EntityKey::Member(account.clone())))
}

pub(super) fn create_folder(
    world: &World,
    by: &AccountId,
    parent: Option<&str>,
    name: String,
) -> Decided {
    let directory = managed(world, by)?;
    let above = match parent {
        None => root_path(directory),
        Some(parent) => folder_path(world, directory, parent)?,
    };
    let name = folder_name(name)?;
    let folders: Vec<&Folder> = world.folders_of(directory).collect();
    if folders.len() >= FOLDERS_MAX {
        return Err(Refusal::FoldersFull { directory: directory.id.clone(), limit: FOLDERS_MAX });
    }
    if level(&above) >= FOLDER_LEVELS_MAX {
        return Err(Refusal::FolderTooDeep { limit: FOLDER_LEVELS_MAX });
    }
    let lies_there = |path: &str| path.rsplit_once('/').is_some_and(|(parent, _)| parent == above);
    if folders.iter().any(|folder| folder.name == name && lies_there(&folder.path)) {
        return Err(Refusal::FolderExists(name));
    }
    let mut directory = directory.clone();
    directory.made = directory.made.saturating_add(1);
    let id = format!("fd-{}-{}", directory.management, directory.made);
    let folder = Folder {
        management: directory.management.clone(),
        path: format!("{above}/{id}"),
        id: id.clone(),
        name,
        attached: control::first_attached(&directory),
    };
    let changes =
        vec![Change::Put(Entity::Directory(directory)), Change::Put(Entity::Folder(folder))];
    Ok((Answer::Folder(id), changes))
}

pub(super) fn delete_folder(world: &World, by: &AccountId, id: &str) -> Decided {
    let directory = managed(world, by)?;
    let path = folder_path(world, directory, id)?;
    if path == root_path(directory) {
        return Err(Refusal::FolderUnknown(id.to_owned()));
    }
    let lies_there = |below: &str| below.strip_prefix(&path).is_some_and(|b| b.starts_with('/'));
    if world.folders_of(directory).any(|folder| lies_there(&folder.path)) {
        return Err(Refusal::FolderHasFolders(id.to_owned()));
    }
    if world.members_of(directory).any(|member| lies_there(&member.path)) {
        return Err(Refusal::FolderHasMembers(id.to_owned()));
    }
    Ok(remove(EntityKey::Folder(by.clone(), id.to_owned())))
}

/// What is attached to the member itself stays so.
///
/// Source: Resource Directory API, `MoveAccount`.
pub(super) fn move_to(world: &World, by: &AccountId, account: &AccountId, folder: &str) -> Decided {
    let directory = managed(world, by)?;
    let member = member(world, directory, account)?;
    let path = format!("{}/{account}", folder_path(world, directory, folder)?);
    if member.path == path {
        return Ok(nothing());
    }
    Ok(put(Entity::Member(Member { path, ..member.clone() })))
}

pub(super) fn register(
    world: &World,
    now: DateTime<Utc>,
    by: &AccountId,
    account: &AccountId,
) -> Decided {
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

pub(super) fn deregister(world: &World, by: &AccountId, account: &AccountId) -> Decided {
    let member = member(world, managed(world, by)?, account)?;
    if member.administers_since.is_none() {
        return Err(Refusal::AdministersNot(account.clone()));
    }
    Ok(put(Entity::Member(Member { administers_since: None, ..member.clone() })))
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

fn root_path(directory: &Directory) -> String {
    format!("{}/{}", directory.id, directory.root)
}

/// The path of Root or of a folder.
fn folder_path(world: &World, directory: &Directory, id: &str) -> Result<String, Refusal> {
    if id == directory.root {
        return Ok(root_path(directory));
    }
    match world.folder(directory, id) {
        Some(folder) => Ok(folder.path.clone()),
        None => Err(Refusal::FolderUnknown(id.to_owned())),
    }
}

/// How many folders deep a path of a folder is; Root is none.
fn level(path: &str) -> usize {
    path.split('/').skip(2).count()
}

/// Source: Resource Directory API, `CreateFolder`.
fn folder_name(name: String) -> Result<String, Refusal> {
    let is_name = (1..=24).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if is_name {
        Ok(name)
    } else {
        Err(Refusal::NameInvalid {
            text: name.chars().filter(|c| !c.is_control()).take(200).collect(),
            expected: "a folder's name (1 to 24 letters, digits, `_`, `.`, `-`)",
            parameter: "InvalidParameter.Folder.Name",
        })
    }
}
