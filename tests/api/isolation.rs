//! Only the backup management account sees or changes anything.

use crossvault_core::{ids::JobId, offboarding::RunningJobs, restore::Overwrite};
use crossvault_handlers::api::{ApiError, Command, handle};
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, OUTSIDE, PAYROLL, RESCUE, account, add, back_up, bind, by_role, create_policy,
    create_vault, region, remove_with, source, token, update,
};

/// A command of each variant: one that is missing does not compile.
macro_rules! one_of_each {
    ($($variant:ident: $command:expr),+ $(,)?) => {{
        let name = |command: &Command| match command {
            $(Command::$variant { .. } => stringify!($variant)),+
        };
        let commands = vec![$(($command, stringify!($variant))),+];
        for (command, variant) in &commands {
            assert_eq!(name(command), *variant);
        }
        commands
    }};
}

/// A resource account can neither list nor read, restore or delete backup data, whatever it asks.
#[test]
fn no_other_account_may_ask_for_anything() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let point = cloud.backed_up(&nas);
    let (text, none) = (|text: &str| text.to_owned(), None);
    let job = || JobId::derive(&["any"]);
    let commands = one_of_each![
        AddAccount: add(RESCUE, by_role(), true),
        CheckAccount: Command::CheckAccount {
            account: account(PAYROLL),
            region: region(),
            method: None,
            source: None,
        },
        ListAccounts: Command::ListAccounts { region: None, search: None },
        SearchMembers: Command::SearchMembers { search: String::new() },
        PlanRemoval: Command::PlanRemoval { account: account(PAYROLL), region: region() },
        RemoveAccount: remove_with(PAYROLL, RunningJobs::Abandon),
        ListReviews: Command::ListReviews { account: None, now: true },
        ListSources: Command::ListSources {
            account: account(PAYROLL),
            region: region(),
            kind: None,
        },
        CreateVault: create_vault("mine"),
        ListVaults: Command::ListVaults,
        PruneVault: Command::PruneVault { vault: text("main") },
        ExportKey: Command::ExportKey { vault: text("main") },
        CreatePolicy: create_policy("mine"),
        UpdatePolicy: update("daily", "I|0|P1D"),
        ListPolicies: Command::ListPolicies,
        DeletePolicy: Command::DeletePolicy { policy: text("daily") },
        Bind: bind("daily", &nas),
        Unbind: Command::Unbind { policy: text("daily"), source: nas.clone() },
        PauseBinding: Command::PauseBinding {
            policy: text("daily"),
            source: nas.clone(),
            paused: true,
        },
        ListBindings: Command::ListBindings { policy: None },
        BackUp: back_up(&nas, None, Some("main")),
        ListJobs: Command::ListJobs { account: Some(account(PAYROLL)), limit: 10 },
        ShowJob: Command::ShowJob { job: job() },
        CancelJob: Command::CancelJob { job: job() },
        ListPoints: Command::ListPoints { source: Some(nas.clone()), account: none, vault: None },
        BrowsePoint: Command::BrowsePoint { point: point.clone(), path: String::new() },
        DeletePoint: Command::DeletePoint { point: point.clone() },
        Restore: Command::Restore {
            point,
            to: nas.clone(),
            into: String::new(),
            only: None,
            overwrite: Overwrite::Refuse,
        },
        ListAudit: Command::ListAudit { account: Some(account(PAYROLL)), limit: 10 },
        ListSlots: Command::ListSlots { policy: text("daily"), source: nas, limit: 10 },
    ];
    let before = cloud.ports.rows();
    for caller in [PAYROLL, RESCUE, OUTSIDE].map(account) {
        for (command, name) in &commands {
            let token = token("t");
            let asked = handle(&cloud.ports, &caller, &token, command.clone());
            let Err(ApiError::Refused(refusal)) = run(asked) else { panic!("{name}") };
            assert_eq!(refusal.root_code(), "NOT_PERMITTED", "{name}");
        }
    }
    assert_eq!(cloud.ports.rows(), before);
}
