//! Every way in which authority breaks, as a file: the job fails with the true causes, no recovery
//! point is harmed, and the mend that is printed mends it and is the smallest that does.

mod mending;
mod scenario;

use std::{fs, path::Path};

use crossvault_core::{authorization::Mend, explain::Explain};
use crossvault_handlers::api::{Answer, Command, JobView};

use self::{
    mending::{apply, smaller},
    scenario::{Scenario, Stage, backed_up_source},
};
use crate::cloud::{PAYROLL, VAULTS, account, add, back_up, region, restore, source};

fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/causes");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap();
        let scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, scenario)
    };
    paths.iter().map(read).collect()
}

/// Backs up the source to the end.
fn backed_up(stage: &Stage) -> JobView {
    let job = stage.cloud.started(back_up(&backed_up_source(), None, Some("main")));
    stage.cloud.work();
    stage.cloud.job(&job)
}

fn codes(view: &JobView) -> Vec<&str> {
    view.causes.iter().map(|view| view.cause.code()).collect()
}

fn mends(stage: &Stage, scenario: &Scenario, name: &str) -> Vec<Mend> {
    let (account, region) = (account(PAYROLL), region());
    // What is not added yet is checked by the method that it would be added by.
    let method = (!scenario.is_added()).then(|| stage.method());
    let source = Some(backed_up_source());
    let asked = Command::CheckAccount { account, region, method, source };
    let Answer::Check(check) = stage.cloud.ok(asked) else { panic!("no check") };
    assert!(!check.is_authorized(), "{name}: the check sees nothing");
    check.mends
}

/// The mends of what the job tells, where the check can't see it.
fn mends_of(stage: &Stage, scenario: &Scenario, name: &str) -> Vec<Mend> {
    if scenario.is_seen_by_check { mends(stage, scenario, name) } else { Vec::new() }
}

fn kind(mend: &Mend) -> String {
    let value = serde_json::to_value(mend).unwrap();
    value["mend"].as_str().unwrap().to_owned()
}

#[test]
fn a_job_fails_with_the_true_causes_and_harms_no_point() {
    for (name, scenario) in scenarios() {
        let stage = scenario.stage();
        if !scenario.is_added() {
            let command = add(PAYROLL, stage.method(), true);
            let refusal = stage.cloud.refused(command, &scenario.causes[0]);
            assert!(!refusal.remedy().is_empty());
            continue;
        }
        let point = backed_up(&stage).point.unwrap();
        scenario.break_it(&stage);
        let failed = backed_up(&stage);
        assert_eq!(failed.status, "FAILED", "{name}: {failed:?}");
        assert_eq!(codes(&failed), scenario.causes, "{name}: {failed:?}");
        for cause in &failed.causes {
            assert!(!cause.message.is_empty() && !cause.remedy.is_empty(), "{name}");
        }
        let to = source(VAULTS, "nas/fs-own");
        let job = stage.cloud.started(restore(&point, &to));
        stage.cloud.work();
        assert_eq!(stage.cloud.job(&job).status, "COMPLETE", "{name}: its point is harmed");
    }
}

#[test]
fn authority_that_breaks_while_a_job_runs_ends_it_at_the_next_call() {
    for (name, scenario) in scenarios() {
        let Some(expected) = &scenario.during else { continue };
        let stage = scenario.stage();
        let job = stage.cloud.started(back_up(&backed_up_source(), None, Some("main")));
        stage.cloud.ports.stand(scenario::moving());
        scenario.break_once_it_moves(&stage);
        stage.cloud.work();
        let view = stage.cloud.job(&job);
        assert_eq!(view.status, *expected, "{name}: {view:?}");
        if expected == "FAILED" {
            assert_eq!(codes(&view), scenario.causes, "{name}");
        }
        assert_eq!(stage.cloud.count("Point"), usize::from(expected == "COMPLETE"), "{name}");
    }
}

#[test]
fn the_mend_that_is_printed_mends_it() {
    for (name, scenario) in scenarios() {
        let stage = scenario.stage();
        scenario.break_it(&stage);
        let mends = mends_of(&stage, &scenario, &name);
        assert_eq!(mends.iter().map(kind).collect::<Vec<_>>(), scenario.mends, "{name}");
        // What was refused once without a lasting fact is used up by a job.
        if !scenario.is_seen_by_check {
            assert_eq!(backed_up(&stage).status, "FAILED", "{name}");
        }
        for mend in &mends {
            apply(&stage, mend).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let view = backed_up(&stage);
        assert_eq!(view.status, "COMPLETE", "{name}: {mends:?} does not mend {view:?}");
    }
}

#[test]
fn without_any_part_of_the_mend_the_job_still_fails() {
    let mut tried = 0;
    for (name, scenario) in scenarios() {
        let count = {
            let stage = scenario.stage();
            scenario.break_it(&stage);
            mends_of(&stage, &scenario, &name).len()
        };
        for n in 0..count {
            for part in 0.. {
                let stage = scenario.stage();
                scenario.break_it(&stage);
                let mends = mends_of(&stage, &scenario, &name);
                let Some((left_out, rest)) = smaller(&mends[n], part) else { break };
                for (m, mend) in mends.iter().enumerate() {
                    let mend = if m == n { rest.as_ref() } else { Some(mend) };
                    // What rests on the part that is left out can't be done either.
                    let _or_not = mend.map(|mend| apply(&stage, mend));
                }
                let view = backed_up(&stage);
                assert_eq!(view.status, "FAILED", "{name}: {left_out} is not needed: {mends:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 30, "{tried} parts");
}

#[test]
fn every_cause_has_a_scenario() {
    let all: Vec<String> =
        scenarios().into_iter().flat_map(|(_, scenario)| scenario.causes).collect();
    for code in [
        "GRANT_REMOVED",
        "REGION_NOT_ADDED",
        "NOT_ADMINISTRATOR",
        "NOT_MEMBER",
        "MANAGEMENT_SERVICE_ROLE_DELETED",
        "MEMBER_SERVICE_ROLE_DELETED",
        "ROLE_DELETED",
        "ROLE_CHAIN_REFUSED",
        "TRUST_MISSING",
        "CONTROL_POLICY_DENIES",
        "PERMISSION_DENIED",
        "PERMISSION_MISSING",
        "SESSION_POLICY_TOO_SMALL",
        "CREDENTIALS_EXPIRED",
        "QUOTA_EXCEEDED",
        "SOURCE_NOT_FOUND",
    ] {
        assert!(all.iter().any(|found| found == code), "{code}");
    }
}
