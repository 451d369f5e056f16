//! The story of a run, as a person would tell it.

use std::fs;

use crossvault_simulator::{
    chooser::Replay,
    scenario::{self, Scenario},
    story::Story,
};

fn told(file: &str) -> (Scenario, String) {
    let path = format!("{}/scenarios/runs/{file}.toml", env!("CARGO_MANIFEST_DIR"));
    let scenario = scenario::read(&fs::read_to_string(path).unwrap()).unwrap();
    let stage = scenario.stage().unwrap();
    let deviations = Replay(scenario.deviations.clone());
    let mut run = scenario.run(&stage, deviations, Story::of(&scenario));
    run.run();
    let story = run.watch.lines().join("\n");
    (scenario, story)
}

/// Each must stand in the story, in this order.
#[track_caller]
fn check(file: &str, lines: &[&str]) {
    let (_, story) = told(file);
    let mut rest = story.as_str();
    for line in lines {
        let found = rest.split_once(line);
        let (_, after) = found.unwrap_or_else(|| panic!("`{line}` does not follow in\n{story}"));
        rest = after;
    }
}

#[test]
fn what_people_do_and_what_comes_of_it_is_told() {
    check(
        "role-deleted-mid-backup",
        &[
            "00:00 users change payroll/nas/fs-1\n",
            "00:00:01 for vaults, Crossvault backs up payroll/nas/fs-1, main\n",
            "backup of payroll/nas/fs-1 is queued\n",
            "account payroll deletes role hbrcrossrole\n",
            "backup of payroll/nas/fs-1 FAILED: ROLE_DELETED, ",
            "00:10 a restore of payroll/nas/fs-1 to vaults/nas/fs-own is asked for\n",
            "restore of payroll/nas/fs-1 to vaults/nas/fs-own COMPLETE",
        ],
    );
}

#[test]
fn what_goes_wrong_is_told() {
    check(
        "function-dies-mid-backup",
        &["`backup of payroll/nas/fs-1`: the function dies after `job: ", "COMPLETE"],
    );
    check("message-lost", &["the message of `backup of payroll/nas/fs-1` is lost", "COMPLETE"]);
    check(
        "clock-far-ahead",
        &["`backup of payroll/nas/fs-1`: its clock is 300 s wrong", "COMPLETE"],
    );
}
