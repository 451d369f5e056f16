//! A change happens once, however often it is asked for.

use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::offboarding::RunningJobs;
use crossvault_handlers::{
    api::{Answer, ApiError, Command, handle},
    ports::PortError,
    retention,
};
use crossvault_tests::platform::run;

use crate::cloud::{
    Cloud, PAYROLL, VAULTS, account, back_up, bind, create_policy, create_vault, remove_with,
    source, token, update,
};

/// One of each change that can be made one after the other.
fn changes() -> Vec<Command> {
    let nas = source(PAYROLL, "nas/fs-1");
    vec![
        create_vault("second"),
        Command::PruneVault { vault: "second".to_owned() },
        create_policy("hourly"),
        bind("hourly", &nas),
        Command::PauseBinding { policy: "hourly".to_owned(), source: nas.clone(), paused: true },
        update("hourly", "C|0|0 0 * * * ?"),
        back_up(&nas, Some("hourly"), None),
        Command::Unbind { policy: "hourly".to_owned(), source: nas },
        Command::DeletePolicy { policy: "hourly".to_owned() },
        remove_with(PAYROLL, RunningJobs::Abandon),
    ]
}

#[test]
fn a_repeat_gets_the_same_answer_and_changes_nothing() {
    let cloud = Cloud::set_up();
    for (n, change) in changes().into_iter().enumerate() {
        let name = format!("change-{n}");
        let first = cloud.ask_under(&name, change.clone()).unwrap();
        let rows = cloud.ports.rows();
        assert_eq!(cloud.ask_under(&name, change).unwrap(), first);
        assert_eq!(cloud.ports.rows(), rows);
    }
}

#[test]
fn an_answer_that_was_lost_is_given_to_the_repeat() {
    let cloud = Cloud::set_up();
    for (n, change) in changes().into_iter().enumerate() {
        let name = format!("change-{n}");
        cloud.ports.lose_answer();
        let lost = cloud.ask_under(&name, change.clone());
        assert_eq!(lost, Err(ApiError::Port(PortError::TimedOut)));
        let rows = cloud.ports.rows();
        cloud.ask_under(&name, change).unwrap();
        assert_eq!(cloud.ports.rows(), rows);
    }
}

#[test]
fn two_of_the_same_request_at_once_are_one() {
    let cloud = Cloud::set_up();
    for (n, change) in changes().into_iter().enumerate() {
        let name = format!("change-{n}");
        let (twin, under) = (change.clone(), name.clone());
        cloud.ports.before_commit(move |ports| {
            run(handle(ports, &account(VAULTS), &token(&under), twin)).unwrap();
        });
        let audit = cloud.count("Audit");
        let answer = cloud.ask_under(&name, change.clone()).unwrap();
        assert_eq!(cloud.ask_under(&name, change).unwrap(), answer);
        assert!(cloud.count("Audit") > audit);
    }
}

#[test]
fn a_request_is_not_refused_for_what_it_did_itself() {
    let cloud = Cloud::set_up();
    // Between the look for an answer and the look for the name, its other attempt ends.
    cloud.ports.before_get(2, |ports| {
        run(handle(ports, &account(VAULTS), &token("mine"), create_vault("second"))).unwrap();
    });
    let answer = cloud.ask_under("mine", create_vault("second")).unwrap();
    assert!(matches!(answer, Answer::Vault(vault) if vault.name == "second"));
}

#[test]
fn a_token_is_good_for_one_request() {
    let cloud = Cloud::set_up();
    cloud.ask_under("mine", create_vault("second")).unwrap();
    let other = cloud.ask_under("mine", create_vault("third")).unwrap_err();
    let ApiError::Refused(refusal) = other else { panic!("{other:?}") };
    assert_eq!(refusal.root_code(), "TOKEN_REUSED");
    // What only shows something needs none.
    assert!(matches!(cloud.ask_under("mine", Command::ListVaults), Ok(Answer::Vaults(_))));
}

#[test]
fn a_token_whose_request_is_forgotten_makes_nothing_new() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let changes = [create_policy("hourly"), back_up(&nas, None, Some("main"))];
    for (n, change) in changes.iter().enumerate() {
        cloud.ask_under(&format!("change-{n}"), change.clone()).unwrap();
    }
    cloud.ok(Command::DeletePolicy { policy: "hourly".to_owned() });
    cloud.work();
    cloud.ports.pass(TimeDelta::hours(25));
    run(retention::run(&cloud.ports, DateTime::<Utc>::MAX_UTC)).unwrap();
    assert_eq!(cloud.count("Request"), 0);
    for (n, change) in changes.iter().enumerate() {
        let again = cloud.ask_under(&format!("change-{n}"), change.clone()).unwrap_err();
        let ApiError::Refused(refusal) = again else { panic!("{again:?}") };
        assert_eq!(refusal.root_code(), "TOKEN_REUSED");
    }
}

#[test]
fn a_platform_may_answer_on_any_thread() {
    fn is_send(_: impl Future + Send) {}
    let cloud = Cloud::new();
    let (caller, token) = (account(VAULTS), token("t"));
    is_send(handle(&cloud.ports, &caller, &token, Command::ListVaults));
}

#[test]
fn another_change_that_came_first_is_seen() {
    let cloud = Cloud::set_up();
    cloud.ports.before_commit(|ports| {
        let name = token("other");
        run(handle(ports, &account(VAULTS), &name, create_vault("second"))).unwrap();
    });
    let ApiError::Refused(refusal) = cloud.ask(create_vault("second")).unwrap_err() else {
        panic!("refused")
    };
    assert_eq!(refusal.root_code(), "NAME_TAKEN");

    let nas = source(PAYROLL, "nas/fs-1");
    cloud.ok(bind("daily", &nas));
    let again = back_up(&nas, Some("daily"), None);
    let other = again.clone();
    cloud.ports.before_commit(move |ports| {
        run(handle(ports, &account(VAULTS), &token("other-backup"), other)).unwrap();
    });
    let ApiError::Refused(refusal) = cloud.ask(again).unwrap_err() else { panic!("refused") };
    assert_eq!(refusal.root_code(), "SOURCE_BUSY");
}

#[test]
fn a_failure_that_does_not_pass_is_a_refusal() {
    let cloud = Cloud::set_up();
    cloud.ports.fail("create", PortError::Full("/vaults".to_owned()));
    cloud.refused(create_vault("second"), "FULL");
    cloud.ports.fail("create", PortError::Throttled);
    assert_eq!(cloud.ask(create_vault("second")), Err(ApiError::Port(PortError::Throttled)));
    cloud.ok(create_vault("second"));
}
