//! Events and reviews under every fault.

use chrono::TimeDelta;

use crate::{
    crash::{Scenario, exhaust},
    directory,
    words::{PAYROLL, account, at, bind, source},
};

/// A role goes and comes back, and the events of it are brought until somebody takes them.
const HINT: Scenario = Scenario {
    set_up: |stage| {
        stage.ok(bind("daily", &source(PAYROLL, 1)));
        stage.settle_until(at("02T12:00:00"));
    },
    play: |stage| {
        stage.state().cloud.role(&account(PAYROLL)).exists = false;
        stage.hint(&directory::of_role(PAYROLL, "DeleteRole"));
        stage.settle_until(at("02T12:05:00"));
        stage.state().cloud.role(&account(PAYROLL)).exists = true;
        stage.hint(&directory::of_role(PAYROLL, "CreateRole"));
        stage.settle_until(at("02T12:10:00"));
    },
    methods: &["get", "range", "get_many", "commit", "publish", "own", "assume", "role"],
};

/// The management account's role goes, which touches every grant by role.
const HINT_TO_ALL: Scenario = Scenario {
    play: |stage| {
        stage.state().cloud.has_agreed = false;
        stage.hint(&directory::of_own_role());
        stage.settle_until(at("02T12:05:00"));
    },
    methods: &["get", "range", "commit", "send", "publish", "assume"],
    ..HINT
};

/// A role is gone of which no event tells, and another is too broad.
const REVIEW: Scenario = Scenario {
    play: |stage| {
        stage.state().cloud.role(&account(PAYROLL)).exists = false;
        stage.review();
        stage.settle_until(at("02T12:05:00"));
        // What a fault kept from being seen to is seen to a day later.
        stage.pass(TimeDelta::hours(13));
        stage.review();
        stage.pass(TimeDelta::hours(12));
        stage.review();
        stage.settle_until(at("03T13:05:00"));
    },
    set_up: |_| {},
    methods: &["get", "range", "commit", "assume", "role", "publish"],
};

#[test]
fn an_event_survives_every_fault() {
    exhaust(&HINT, 150);
}

#[test]
fn an_event_that_touches_many_survives_every_fault() {
    exhaust(&HINT_TO_ALL, 150);
}

#[test]
fn a_review_survives_every_fault() {
    exhaust(&REVIEW, 150);
}
