//! A backup by schedule, from nothing to its recovery point.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::DataSource,
    policy::{ServiceRole, trust_policy_for},
};
use crossvault_handlers::{
    api::{Command, PolicySpec, RetentionSpec},
    records::Record,
};
use crossvault_simulator::{
    chooser::Boring,
    cloud::{Cloud, Size},
    run::{Run, Settings},
    script::{Act, Action},
    world::{self, Deed},
};

#[test]
fn a_slot_becomes_a_point() {
    let start: DateTime<Utc> = "2026-01-05T00:00:00Z".parse().unwrap();
    let vaults: crossvault_core::ids::AccountId = "1000000000000001".parse().unwrap();
    let payroll: crossvault_core::ids::AccountId = "1000000000000002".parse().unwrap();
    let source: DataSource = "1000000000000002/cn-hangzhou/nas/fs-1".parse().unwrap();
    let does = |by: &crossvault_core::ids::AccountId, deed| {
        Action::Does(world::Command { by: by.clone(), deed })
    };
    let asks = |command| Action::Asks { caller: vaults.clone(), command };
    let role = "hbrcrossrole";
    let actions = vec![
        does(&payroll, Deed::CreateAccount { name: "payroll".into() }),
        does(
            &vaults,
            Deed::CreateServiceRole {
                account: vaults.clone(),
                role: ServiceRole::HbrCrossAccountBackup,
            },
        ),
        does(
            &payroll,
            Deed::CreateRole {
                name: role.parse().unwrap(),
                trust: trust_policy_for(&vaults),
                max_session_s: None,
            },
        ),
        does(
            &payroll,
            Deed::AttachPolicy {
                role: role.parse().unwrap(),
                policy: "AliyunHBRRolePolicy".into(),
            },
        ),
        Action::Opens { source: source.clone(), size: Size { files: 1000, length: 4096 } },
        asks(Command::AddAccount {
            account: payroll.clone(),
            region: source.region.clone(),
            method: Method::Role { name: role.parse().unwrap() },
            alias: String::new(),
            consent: true,
        }),
        asks(Command::CreateVault { name: "main".into(), region: source.region.clone() }),
        asks(Command::CreatePolicy(PolicySpec {
            name: "daily".into(),
            vault: "main".into(),
            schedule: format!("I|{}|PT1H", start.timestamp() + 600),
            zone: "UTC".into(),
            retention: RetentionSpec { days: Some(7), ..RetentionSpec::default() },
        })),
        asks(Command::Bind { policy: "daily".into(), source: source.clone() }),
        Action::Edits(source.clone()),
        Action::Waits,
    ];
    let mut script: Vec<Act> = actions
        .into_iter()
        .enumerate()
        .map(|(n, action)| Act {
            id: u32::try_from(n).unwrap(),
            at: start + TimeDelta::seconds(i64::try_from(n).unwrap() * 10),
            action,
        })
        .collect();
    script.last_mut().unwrap().at = start + TimeDelta::hours(3);
    let cloud = Cloud::new(vaults.clone(), start).unwrap();
    let mut run = Run::new(cloud, start, script.into(), Settings::default(), Boring, ());
    let ended = run.run();
    println!("{ended:?}");
    let mut counts = std::collections::BTreeMap::new();
    for (_, row) in run.cloud.rows.all() {
        *counts.entry(row.record.name()).or_insert(0) += 1;
        if let Record::Job(job) = &row.record {
            println!("{} {:?}", job.work.status(), job.work.failure());
        }
        if let Record::Request(request) = &row.record {
            println!("{}", request.answer);
        }
    }
    println!("{counts:?}");
    assert_eq!(ended.violation, None);
    assert_eq!(counts.get("Point"), Some(&3));
}
