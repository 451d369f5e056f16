//! Vaults are made and pruned.

use crossvault_core::{
    job::{Checkpoint, Progress},
    quantity::Bytes,
};
use crossvault_handlers::{
    api::{Answer, Command},
    ports::{PortError, Standing},
};

use crate::cloud::{Cloud, PAYROLL, RESCUE, account, create_vault, source};

#[test]
fn a_vault_on_the_list_exists() {
    let cloud = Cloud::new();
    cloud.ports.fail("create", PortError::TimedOut);
    cloud.ask(create_vault("main")).unwrap_err();
    assert_eq!(cloud.count("Vault"), 0);
    // What a crash leaves behind is the next try's.
    cloud.ports.fail("commit", PortError::TimedOut);
    cloud.ask(create_vault("main")).unwrap_err();
    assert_eq!(cloud.ports.vaults().len(), 1);
    let Answer::Vault(vault) = cloud.ok(create_vault("main")) else { panic!("no vault") };
    assert_eq!(cloud.ports.vaults(), [vault.id]);
}

#[test]
fn a_name_is_given_once_and_keeps_its_rules() {
    let cloud = Cloud::new();
    cloud.ok(create_vault("main"));
    cloud.refused(create_vault("main"), "NAME_TAKEN");
    for name in ["", "1st", "automatic", "a\u{7}"] {
        cloud.refused(create_vault(name), "INVALID_NAME");
    }
    assert_eq!(cloud.ports.vaults().len(), 1);
}

#[test]
fn the_list_says_what_lies_in_each() {
    let cloud = Cloud::set_up();
    for owner in [PAYROLL, RESCUE] {
        cloud.backed_up(&source(owner, "nas/fs-1"));
    }
    cloud.ok(create_vault("empty"));
    let Answer::Vaults(views) = cloud.ok(Command::ListVaults) else { panic!("no vaults") };
    let names: Vec<&str> = views.iter().map(|view| view.vault.name.as_str()).collect();
    assert_eq!(names, ["empty", "main"]);
    assert_eq!((views[1].points, views[1].bytes, views[1].added), (2, Bytes(2048), Bytes(1024)));
    assert_eq!(views[1].accounts, [PAYROLL, RESCUE].map(account));
    assert_eq!((views[0].points, views[0].bytes), (0, Bytes::ZERO));
}

#[test]
fn a_prune_that_runs_is_the_answer() {
    let cloud = Cloud::set_up();
    let prune = Command::PruneVault { vault: "main".to_owned() };
    let first = cloud.started(prune.clone());
    cloud.ports.stand(Standing::Paused {
        at: Checkpoint(Some("half".to_owned())),
        progress: Progress::default(),
        failures: vec![],
    });
    // It rests in the middle: the gate is its own.
    cloud.step();
    assert_eq!(cloud.started(prune), first);
    cloud.work();
    assert_eq!(cloud.job(&first).status, "COMPLETE");
    cloud.refused(Command::PruneVault { vault: "other".to_owned() }, "UNKNOWN");
}
