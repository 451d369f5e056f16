//! The daily review: what no event told of, and what is too much about a grant.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{grant::Method, offboarding::RunningJobs};
use crossvault_handlers::{
    api::Command,
    ports::{Clock, PortError},
    records::{Advice, GrantRow, Key, Record, ReviewRow},
    review::{self, Done},
};

use crate::{
    stage::Stage,
    words::{MEMBER, PAYROLL, RESCUE, account, bind, region, source},
};

/// Two accounts by role, and one by directory.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.state().cloud.is_organized = true;
    let (account, region, alias) = (account(MEMBER), region(), String::new());
    let method = Method::Directory;
    stage.ok(Command::AddAccount { account, region, method, alias, consent: true });
    stage
}

#[track_caller]
fn run(stage: &Stage) -> Done {
    let done = stage.run(review::run(stage, DateTime::<Utc>::MAX_UTC)).unwrap();
    stage.settle();
    stage.sweep();
    done
}

fn is_broken(stage: &Stage, owner: &str) -> bool {
    match stage.record(&Key::grant(&region(), &account(owner))) {
        Some(Record::Grant(GrantRow(grant))) => grant.standing.unwrap().broken.is_some(),
        other => panic!("no grant: {other:?}"),
    }
}

fn reviewed(stage: &Stage, owner: &str) -> Option<ReviewRow> {
    match stage.record(&Key::review(&region(), &account(owner))) {
        Some(Record::Review(row)) => Some(row),
        Some(other) => panic!("no review: {other:?}"),
        None => None,
    }
}

fn codes(stage: &Stage, owner: &str) -> Vec<String> {
    let row = reviewed(stage, owner).unwrap();
    row.findings.into_iter().map(|noted| noted.found.code).collect()
}

fn kinds(stage: &Stage) -> Vec<String> {
    stage.state().alerts.iter().map(|(_, alert)| alert.kind.clone()).collect()
}

#[test]
fn what_no_event_told_of_is_found_by_the_next_round() {
    let stage = stage();
    assert!(run(&stage).is_done);
    stage.state().cloud.role(&account(PAYROLL)).exists = false;
    // Within the day nothing is looked at again.
    let calls = stage.state().calls.len();
    assert_eq!(run(&stage), Done { is_done: true, ..Done::default() });
    assert!(stage.state().calls.len() - calls < 5);
    assert!(!is_broken(&stage, PAYROLL));
    stage.pass(TimeDelta::hours(24));
    let done = run(&stage);
    assert_eq!((done.looked.grants, done.looked.broken, done.failed), (3, 1, 0));
    assert!(is_broken(&stage, PAYROLL) && !is_broken(&stage, RESCUE));
    assert_eq!(kinds(&stage), ["crossvault.grant.broken"]);
    stage.state().cloud.role(&account(PAYROLL)).exists = true;
    stage.pass(TimeDelta::hours(24));
    run(&stage);
    assert_eq!(kinds(&stage)[1..], ["crossvault.grant.mended"]);
}

#[test]
fn a_review_says_what_is_too_much_and_what_would_do() {
    let stage = stage();
    stage.ok(bind("daily", &source(PAYROLL, 1)));
    run(&stage);
    // The role of the stage may do everything.
    assert!(codes(&stage, PAYROLL).contains(&"OVER_BROAD_POLICY".to_owned()));
    let row = reviewed(&stage, PAYROLL).unwrap();
    let Advice::Smaller { documents } = &row.advice else { panic!("{row:?}") };
    assert!(documents.iter().any(|policy| policy.contains("fs-1")), "{documents:?}");
    assert_eq!((row.findings[0].severity.as_str(), row.at), ("high", stage.now()));
    assert!(codes(&stage, RESCUE).contains(&"GRANT_UNUSED".to_owned()));
    assert_eq!(codes(&stage, MEMBER), ["GRANT_UNUSED"]);
    // Of a role that can't be read any more nothing old is said.
    stage.state().cloud.role(&account(PAYROLL)).exists = false;
    stage.pass(TimeDelta::hours(24));
    run(&stage);
    let row = reviewed(&stage, PAYROLL).unwrap();
    assert_eq!((row.findings.len(), row.at), (0, stage.now()), "{row:?}");
    assert!(matches!(&row.advice, Advice::AsItIs { why } if why.contains("can't be read")));
    // What goes, goes with what was found.
    stage.ok(Command::RemoveAccount {
        account: account(RESCUE),
        region: region(),
        jobs: RunningJobs::Finish,
    });
    assert_eq!(reviewed(&stage, RESCUE), None);
    stage.sweep();
}

#[test]
fn an_empty_region_is_a_finding_of_its_own_grant() {
    let stage = stage();
    stage.ok(bind("daily", &source(PAYROLL, 1)));
    let method = Method::Role { name: crate::words::ROLE.parse().unwrap() };
    stage.ok(Command::AddAccount {
        account: account(PAYROLL),
        region: "cn-shanghai".parse().unwrap(),
        method,
        alias: String::new(),
        consent: true,
    });
    run(&stage);
    let empty = "REGION_WITHOUT_SOURCES".to_owned();
    assert!(!codes(&stage, PAYROLL).contains(&empty));
    let key = Key::review(&"cn-shanghai".parse().unwrap(), &account(PAYROLL));
    let Some(Record::Review(there)) = stage.record(&key) else { panic!("no review") };
    assert!(there.findings.iter().any(|noted| noted.found.code == empty), "{there:?}");
}

#[test]
fn a_round_goes_on_where_it_stopped() {
    let stage = stage();
    // Time is over once two grants are seen to.
    let stop_at = stage.now() + TimeDelta::seconds(1);
    stage.before("commit", 2, |stage| stage.pass(TimeDelta::seconds(2)));
    let done = stage.run(review::run(&stage, stop_at)).unwrap();
    assert_eq!((done.looked.grants, done.is_done), (2, false));
    assert!(reviewed(&stage, MEMBER).is_none());
    let done = run(&stage);
    assert_eq!((done.looked.grants, done.is_done), (1, true));
    assert!(reviewed(&stage, MEMBER).is_some());
}

#[test]
fn one_accounts_trouble_does_not_stop_the_others() {
    let stage = stage();
    stage.fail("assume", PortError::Throttled, 1);
    let done = run(&stage);
    assert_eq!((done.looked.grants, done.failed, done.is_done), (3, 1, true));
    let count =
        [PAYROLL, RESCUE, MEMBER].into_iter().filter(|owner| reviewed(&stage, owner).is_some());
    assert_eq!(count.count(), 2);
}

#[test]
fn of_two_rounds_at_once_the_later_stops() {
    let stage = stage();
    // The other one comes through while this one is about to store how far it is.
    stage.before("commit", 4, |stage| assert!(run(stage).is_done));
    let done = stage.run(review::run(&stage, DateTime::<Utc>::MAX_UTC)).unwrap();
    assert!(!done.is_done);
    stage.sweep();
}
