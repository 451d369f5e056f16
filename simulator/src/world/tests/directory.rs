//! Accounts and the directory.

use super::*;

#[test]
fn an_account_is_opened_once_and_may_be_renamed() {
    let mut world = accounts();
    let open = Deed::CreateAccount { name: "again".into() };
    refused(&mut world, VAULTS, open, "WORLD_ACCOUNT_EXISTS", "EntityAlreadyExists.Account");
    done(&mut world, VAULTS, Deed::RenameAccount { name: "backups".into() });
    assert_eq!(world.account(&id(VAULTS)).unwrap().name, "backups");
    let unnamed = Deed::RenameAccount { name: String::new() };
    refused(&mut world, VAULTS, unnamed, "WORLD_NAME_INVALID", "InvalidParameter.DisplayName");
    let other = Deed::RenameAccount { name: "x".into() };
    refused(
        &mut world,
        "1000000000000009",
        other,
        "WORLD_ACCOUNT_UNKNOWN",
        "EntityNotExists.Account",
    );
}

#[test]
fn a_deed_without_effect_changes_nothing() {
    let world = accounts();
    let deed = Deed::RenameAccount { name: "vaults".into() };
    let decided = decide(&world, now(), Command { by: id(VAULTS), deed });
    assert_eq!(decided, Ok((Answer::Done, vec![])));
}

#[test]
fn an_account_is_in_one_directory_at_most() {
    let mut world = directory_way();
    let code = ("WORLD_IN_DIRECTORY", "EntityAlreadyExists.ResourceDirectory");
    refused(&mut world, VAULTS, Deed::CreateDirectory, code.0, code.1);
    refused(&mut world, PAYROLL, Deed::CreateDirectory, code.0, code.1);
    refused(&mut world, VAULTS, add(PAYROLL), code.0, code.1);
    refused(&mut world, VAULTS, add(VAULTS), code.0, code.1);
    done(&mut world, RESCUE, Deed::CreateDirectory);
    refused(&mut world, RESCUE, add(PAYROLL), code.0, code.1);
    refused(
        &mut world,
        RESCUE,
        Deed::RemoveMember { account: id(PAYROLL) },
        "WORLD_NOT_MEMBER",
        "EntityNotExists.Account",
    );
}

#[test]
fn only_the_management_account_changes_the_directory() {
    let mut world = directory_way();
    let code = ("WORLD_DIRECTORY_UNKNOWN", "EntityNotExists.ResourceDirectory");
    refused(&mut world, PAYROLL, add(RESCUE), code.0, code.1);
    let register = Deed::RegisterAdministrator { account: id(PAYROLL) };
    refused(&mut world, PAYROLL, register, code.0, code.1);
}

#[test]
fn three_delegated_administrators_at_most_and_all_are_members() {
    let mut world = directory_way();
    let register = |account: &str| Deed::RegisterAdministrator { account: id(account) };
    refused(&mut world, VAULTS, register(RESCUE), "WORLD_NOT_MEMBER", "EntityNotExists.Account");
    refused(&mut world, VAULTS, register(VAULTS), "WORLD_NOT_MEMBER", "EntityNotExists.Account");
    for account in ["1000000000000011", "1000000000000012", "1000000000000013"] {
        done(&mut world, account, Deed::CreateAccount { name: "more".into() });
        done(&mut world, VAULTS, add(account));
        done(&mut world, VAULTS, register(account));
    }
    refused(
        &mut world,
        VAULTS,
        register(PAYROLL),
        "WORLD_ADMINISTRATORS_FULL",
        "LimitExceeded.DelegatedAdministrators",
    );
    refused(
        &mut world,
        VAULTS,
        register("1000000000000011"),
        "WORLD_ADMINISTERS_ALREADY",
        "EntityAlreadyExists.DelegatedAdministrator",
    );
}

#[test]
fn a_delegated_administrator_leaves_only_after_it_is_deregistered() {
    let mut world = directory_way();
    let (remove, deregister) = (
        Deed::RemoveMember { account: id(PAYROLL) },
        Deed::DeregisterAdministrator { account: id(PAYROLL) },
    );
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(PAYROLL) });
    refused(
        &mut world,
        VAULTS,
        remove.clone(),
        "WORLD_MEMBER_ADMINISTERS",
        "DeleteConflict.Account.DelegatedAdministrator",
    );
    done(&mut world, VAULTS, deregister.clone());
    refused(
        &mut world,
        VAULTS,
        deregister,
        "WORLD_ADMINISTERS_NOT",
        "EntityNotExists.DelegatedAdministrator",
    );
    done(&mut world, VAULTS, remove);
    // What the service made in the account stays there.
    assert!(world.find_role(&ServiceRole::HbrRd.arn(&id(PAYROLL))).is_some());
}
