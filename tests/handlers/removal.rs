//! Backup of an account is cancelled while jobs run in it, under every fault.

use crossvault_core::offboarding::RunningJobs;
use crossvault_handlers::api::Command;

use crate::{
    crash::{Scenario, ask, exhaust, the_point, with_a_point},
    words::{PAYROLL, account, back_up, bind, region, restore, source},
};

/// More bindings than one transaction removes, a job that runs, and one that waits.
pub const REMOVAL: Scenario = Scenario {
    set_up: |stage| {
        with_a_point(stage);
        for n in 1..=21 {
            stage.ok(bind("daily", &source(PAYROLL, n)));
        }
        stage.state().transfers.lengths.insert(account(PAYROLL), 9);
    },
    play: |stage| {
        let remove =
            |jobs| Command::RemoveAccount { account: account(PAYROLL), region: region(), jobs };
        ask(stage, "one", &back_up(&source(PAYROLL, 1)));
        ask(stage, "other", &restore(&the_point(), &source(PAYROLL, 2)));
        stage.before("advance", 3, move |stage| {
            ask(stage, "remove", &remove(RunningJobs::Cancel));
        });
        stage.settle();
        ask(stage, "remove-again", &remove(RunningJobs::Finish));
        stage.settle();
    },
    methods: &["get", "get_many", "range", "commit", "assume", "clients"],
};

#[test]
fn a_removed_account_survives_every_fault() {
    exhaust(&REMOVAL, 300);
}
