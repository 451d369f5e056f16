//! Only the backup management account sees or changes anything.

use std::collections::BTreeSet;

use crossvault_core::{ids::JobId, restore::Overwrite};
use crossvault_handlers::api::{ApiError, Command, handle};
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, OUTSIDE, PAYROLL, RESCUE, account, add, back_up, bind, by_role, create_policy,
    create_vault, region, remove, source, token, update,
};

#[test]
fn no_other_account_may_ask_for_anything() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let point = cloud.backed_up(&nas);
    let (text, none) = (|text: &str| text.to_owned(), None);
    let commands = [
        add(RESCUE, by_role(), true),
        Command::CheckAccount {
            account: account(PAYROLL),
            region: region(),
            method: None,
            source: None,
        },
        Command::ListAccounts { region: None, search: None },
        Command::SearchMembers { search: String::new() },
        remove(PAYROLL),
        Command::ListSources { account: account(PAYROLL), region: region(), kind: None },
        create_vault("mine"),
        Command::ListVaults,
        Command::PruneVault { vault: text("main") },
        Command::ExportKey { vault: text("main") },
        create_policy("mine"),
        update("daily", "I|0|P1D"),
        Command::ListPolicies,
        Command::DeletePolicy { policy: text("daily") },
        bind("daily", &nas),
        Command::Unbind { policy: text("daily"), source: nas.clone() },
        Command::PauseBinding { policy: text("daily"), source: nas.clone(), paused: true },
        Command::ListBindings { policy: None },
        back_up(&nas, None, Some("main")),
        Command::ListJobs { account: Some(account(PAYROLL)), limit: 10 },
        Command::ShowJob { job: JobId::derive(&["any"]) },
        Command::CancelJob { job: JobId::derive(&["any"]) },
        Command::ListPoints { source: Some(nas.clone()), account: none, vault: None },
        Command::BrowsePoint { point: point.clone(), path: String::new() },
        Command::DeletePoint { point: point.clone() },
        Command::Restore {
            point,
            to: nas.clone(),
            into: String::new(),
            only: None,
            overwrite: Overwrite::Refuse,
        },
        Command::ListAudit { account: Some(account(PAYROLL)), limit: 10 },
        Command::ListSlots { policy: text("daily"), source: nas, limit: 10 },
    ];
    let names: BTreeSet<String> = commands.iter().map(name).collect();
    assert_eq!(names.len(), 28, "each command once: {names:?}");
    let before = cloud.ports.rows();
    for caller in [PAYROLL, RESCUE, OUTSIDE].map(account) {
        for command in &commands {
            let token = token("t");
            let asked = handle(&cloud.ports, &caller, &token, command.clone());
            let Err(ApiError::Refused(refusal)) = run(asked) else { panic!("{command:?}") };
            assert_eq!(refusal.root_code(), "NOT_PERMITTED", "{command:?}");
        }
    }
    assert_eq!(cloud.ports.rows(), before);
}

/// The name of a command, as it is sent; a new one must be added to the list above.
fn name(command: &Command) -> String {
    let json = serde_json::to_value(command).unwrap();
    json["command"].as_str().unwrap().to_owned()
}
