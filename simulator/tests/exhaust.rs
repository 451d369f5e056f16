//! Every single fault, in small scenarios.

#![cfg(test)]

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource},
    policy::{ServiceRole, trust_policy_for},
    restore::Overwrite,
};
use crossvault_handlers::api::{Command, PolicySpec, RetentionSpec};
use crossvault_simulator::{
    chooser::Deviations,
    cloud::Size,
    exhaust::{Cell, Plan, Report, Strike, Table, exhaust},
    oracle::Oracles,
    run::Settings,
    scenario::{Expect, Scenario, Stage},
    script::{Act, Action},
    world::{self, Deed},
};

const VAULTS: &str = "1000000000000001";
const PAYROLL: &str = "1000000000000002";
const SOURCE: &str = "1000000000000002/cn-hangzhou/nas/fs-1";

fn does(by: &str, deed: Deed) -> Action {
    Action::Does(world::Command { by: by.parse().unwrap(), deed })
}

fn asks(command: Command) -> Action {
    Action::Asks { caller: VAULTS.parse().unwrap(), command }
}

fn acts(start: DateTime<Utc>, first: u32, actions: Vec<(i64, Action)>) -> Arc<[Act]> {
    let at = |minute| start.checked_add_signed(TimeDelta::minutes(minute)).unwrap();
    let act = |(id, (minute, action))| Act { id, at: at(minute), action };
    (first..).zip(actions).map(act).collect()
}

/// One account with a role, one source, an hourly policy.
fn scenario(about: &str, actions: Vec<(i64, Action)>) -> Scenario {
    let start: DateTime<Utc> = "2026-01-05T00:00:00Z".parse().unwrap();
    let vaults: AccountId = VAULTS.parse().unwrap();
    let payroll: AccountId = PAYROLL.parse().unwrap();
    let source: DataSource = SOURCE.parse().unwrap();
    let role = "hbrcrossrole";
    let before = vec![
        (0, does(PAYROLL, Deed::CreateAccount { name: "payroll".into() })),
        (
            0,
            does(
                VAULTS,
                Deed::CreateServiceRole {
                    account: vaults.clone(),
                    role: ServiceRole::HbrCrossAccountBackup,
                },
            ),
        ),
        (
            0,
            does(
                PAYROLL,
                Deed::CreateRole {
                    name: role.parse().unwrap(),
                    trust: trust_policy_for(&vaults),
                    max_session_s: None,
                },
            ),
        ),
        (
            0,
            does(
                PAYROLL,
                Deed::AttachPolicy {
                    role: role.parse().unwrap(),
                    policy: "AliyunHBRRolePolicy".into(),
                },
            ),
        ),
        (0, Action::Opens { source: source.clone(), size: Size { files: 3, length: 4096 } }),
        (
            1,
            asks(Command::AddAccount {
                account: payroll,
                region: source.region.clone(),
                method: Method::Role { name: role.parse().unwrap() },
                alias: String::new(),
                consent: true,
            }),
        ),
        (1, asks(Command::CreateVault { name: "main".into(), region: source.region.clone() })),
        (
            2,
            asks(Command::CreatePolicy(PolicySpec {
                name: "hourly".into(),
                vault: "main".into(),
                schedule: "I|1767572400|PT1H".into(),
                zone: "UTC".into(),
                retention: RetentionSpec { days: Some(7), ..RetentionSpec::default() },
            })),
        ),
        (3, asks(Command::Bind { policy: "hourly".into(), source })),
    ];
    Scenario {
        about: about.into(),
        management: vaults,
        start,
        settings: Settings::default(),
        before: acts(start, 100, before),
        acts: acts(start, 0, actions),
        deviations: Deviations::default(),
        expect: Expect::default(),
    }
}

fn corpus() -> Vec<Scenario> {
    let source: DataSource = SOURCE.parse().unwrap();
    let restores = Action::Restores {
        of: source.clone(),
        to: source.clone(),
        into: "back".into(),
        overwrite: Overwrite::Refuse,
    };
    vec![
        scenario("a backup", vec![(22, Action::Waits)]),
        scenario("two backups", vec![(40, Action::Edits(source.clone())), (82, Action::Waits)]),
        scenario("a backup and its restore", vec![(50, restores)]),
    ]
}

fn singles_of(scenario: &Scenario, plan: Plan) -> Report {
    exhaust(scenario, plan, &mut |_: &Stage| Oracles::default(), &mut |_| ()).unwrap()
}

/// Every fault at every call, every mishap of every delivery, every wrong clock: from all of those
/// that are no one's fault the system recovers without a mark, and each place meets each of them or
/// says why it can't.
#[test]
fn singles() {
    let mut all = Report::default();
    for scenario in corpus() {
        let begun = Instant::now();
        let report = singles_of(&scenario, Plan::up_to(1));
        println!("{}: {} runs, {:?}", scenario.about, report.runs, begun.elapsed());
        all.merge(report);
    }
    println!("{}", Table(&all.matrix));
    for found in &all.found {
        let strikes: Vec<String> = found.strikes.iter().map(ToString::to_string).collect();
        println!("{} times: {:?} by {strikes:?}", found.times, found.violation);
    }
    assert!(all.found.is_empty());
    assert_eq!(all.matrix.empty(), vec![]);
    assert!(all.runs > 1900 && all.same > 1000, "{} runs, {} same", all.runs, all.same);
}

/// What ends early, because a run before it stood there too, ends as it would have ended.
#[test]
fn a_known_future_is_the_same_future() {
    let scenario = &corpus()[0];
    let reduced = singles_of(scenario, Plan::up_to(1));
    let whole = singles_of(scenario, Plan::up_to(1).unreduced());
    assert!(reduced.same > 0 && whole.same == 0);
    let ends = |report: &Report| -> Vec<String> {
        let rows = report.matrix.rows();
        rows.map(|(at, cells)| {
            let end = |(by, cell): (&Strike, &Cell)| {
                let Cell { runs, recovered, ended, broken, causes, .. } = cell;
                format!("{}: {runs} {recovered} {ended} {broken} {causes:?}", by.name())
            };
            format!("{at}: {:?}", cells.iter().map(end).collect::<Vec<_>>())
        })
        .collect()
    };
    assert_eq!(ends(&reduced), ends(&whole));
}

/// The shares of several threads are together what one thread runs.
#[test]
fn shares_are_the_whole() {
    let scenario = &corpus()[0];
    let whole = singles_of(scenario, Plan::up_to(1).unreduced());
    let mut shares = Report::default();
    for i in 0..3 {
        shares.merge(singles_of(scenario, Plan::up_to(1).unreduced().part(i, 3)));
    }
    // The run without faults is each share's own.
    assert_eq!(shares.runs, whole.runs + 2);
    assert_eq!(shares.matrix, whole.matrix);
}

/// Measures; run by hand.
#[test]
fn measure() {
    let begun = Instant::now();
    let mut all = Report::default();
    for scenario in corpus() {
        all.merge(singles_of(&scenario, Plan::up_to(1)));
    }
    let took = begun.elapsed();
    println!("singles: {} runs, {} same, {} calls, {took:?}", all.runs, all.same, all.calls);
    let begun = Instant::now();
    let mut all = Report::default();
    for scenario in corpus() {
        all.merge(singles_of(&scenario, Plan::up_to(1).unreduced()));
    }
    let took = begun.elapsed();
    println!("unreduced: {} runs, {} same, {} calls, {took:?}", all.runs, all.same, all.calls);
    let begun = Instant::now();
    let all = singles_of(&corpus()[0], Plan::up_to(2));
    let took = begun.elapsed();
    println!("pairs: {} runs, {} same, {} calls, {took:?}", all.runs, all.same, all.calls);
    for found in &all.found {
        let strikes: Vec<String> = found.strikes.iter().map(ToString::to_string).collect();
        println!("{} times: {:?} by {strikes:?}", found.times, found.violation);
    }
}
