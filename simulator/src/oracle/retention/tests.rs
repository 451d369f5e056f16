use std::sync::Arc;

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup_policy::BackupPolicy,
    ids::{JobId, PolicyId, VaultId},
    job::State,
    restore::{Overwrite, Restore},
    schedule::{
        Recurrence,
        retention::{Expiry, Period, Retention, Rules, SpecialRule},
    },
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::records::{GateRow, Job, JobWork, Key, PointRow, Record};

use super::rules;
use crate::{
    cloud::{Cloud, Content, Fact, InvocationId, RowChange, Snapshot},
    oracle::{
        point, points,
        story::{changed, files, found_at_rest, point_of, put, rescue, start, tampered},
    },
    run::{Invariant, Watch},
};

/// The point that a commit marks as going by retention, of which there are several.
fn marked(fact: &Fact) -> Option<&RecoveryPoint> {
    let Fact::Committed { changes, .. } = fact else { return None };
    changes.iter().find_map(|change| {
        let before = change.before.as_deref().and_then(point)?;
        let after = change.after.as_deref().and_then(point)?;
        let is_marked = before.state == PointState::Available && after.state != before.state;
        is_marked.then_some(after)
    })
}

#[test]
fn a_point_goes_only_once_its_time_has_come() {
    let code = changed(Invariant::Retention, |_, fact| {
        if marked(fact).is_none_or(|point| point.expires == Expiry::Never) {
            return false;
        }
        let Fact::Committed { by, changes } = fact else { return false };
        // Nobody asked for it: it is by retention.
        *by = InvocationId(0);
        for change in changes {
            let Some(row) = &mut change.after else { continue };
            let Record::Point(point) = &mut Arc::make_mut(row).record else { continue };
            point.0.expires = Expiry::At(start() + chrono::TimeDelta::days(99));
        }
        true
    });
    assert_eq!(code, Some("TOO_EARLY"));
}

#[test]
fn the_newest_point_of_a_binding_stays_if_its_policy_says_so() {
    let code = tampered(Invariant::Retention, |oracles, cloud, now, fact| {
        let going = marked(fact).filter(|going| going.expires <= Expiry::At(now))?;
        let mut cloud = cloud.clone();
        let newer: Vec<RecoveryPoint> =
            points(&cloud).filter(|point| point.taken > going.taken).cloned().collect();
        for point in newer {
            let key = Key::point(&point.vault, &point.source, point.taken, &point.id);
            cloud.rows.lose(&key);
        }
        Some(oracles.fact(&cloud, now, fact))
    });
    assert_eq!(code, Some("LATEST"));
}

/// A commit that makes a restore of a point.
fn reading(point: &RecoveryPoint) -> Fact {
    let restore = Restore {
        vault: point.vault.clone(),
        point: point.id.clone(),
        from: point.source.clone(),
        snapshot: point.snapshot.clone(),
        bytes: point.bytes,
        to: rescue(),
        into: String::new(),
        only: None,
        overwrite: Overwrite::Refuse,
    };
    let id = JobId::derive(&["reader"]);
    let work = JobWork::Restore(restore, State::Queued);
    let record = Record::from(Box::new(Job::new(id, work, rescue().account, start())));
    let key = record.key();
    let version = crossvault_handlers::ports::Version(1);
    let after = Some(Arc::new(crossvault_handlers::ports::Stored { record, version }));
    let changes = vec![RowChange { key, before: None, after }];
    Fact::Committed { by: InvocationId(0), changes }
}

#[test]
fn nothing_goes_while_a_restore_reads_it() {
    let code = tampered(Invariant::Retention, |oracles, cloud, now, fact| {
        let going = marked(fact)?;
        assert_eq!(oracles.fact(cloud, now, &reading(going)), Ok(()));
        Some(oracles.fact(cloud, now, fact))
    });
    assert_eq!(code, Some("READ"));
    let code = tampered(Invariant::Retention, |oracles, cloud, now, fact| {
        let Fact::Erased { snapshot, .. } = fact else { return None };
        let going = points(cloud).find(|point| point.snapshot == snapshot.name)?;
        assert_eq!(oracles.fact(cloud, now, &reading(going)), Ok(()));
        Some(oracles.fact(cloud, now, fact))
    });
    assert_eq!(code, Some("READ"));
}

#[test]
fn a_point_is_kept_as_long_as_its_policy_says() {
    let code = changed(Invariant::Retention, |_, fact| {
        let Fact::Committed { changes, .. } = fact else { return false };
        changes.iter_mut().filter(|change| change.before.is_none()).any(|change| {
            let Some(row) = &mut change.after else { return false };
            let Record::Point(point) = &mut Arc::make_mut(row).record else { return false };
            point.0.expires = Expiry::Never;
            true
        })
    });
    assert_eq!(code, Some("KEPT_OTHERWISE"));
}

#[track_caller]
fn check_at_rest(tamper: impl FnOnce(&mut Cloud, RecoveryPoint), expected: &str) {
    let code = found_at_rest(Invariant::Retention, |cloud| {
        let point = point_of(cloud, &files());
        tamper(cloud, point);
    });
    assert_eq!(code, Some(expected));
}

#[test]
fn what_should_have_gone_is_gone() {
    check_at_rest(
        |cloud, mut point| {
            point.expires = Expiry::At(start());
            put(cloud, Box::new(PointRow(point)));
        },
        "STAYS",
    );
    check_at_rest(
        |cloud, mut point| {
            point.state = PointState::Expiring { job: point.job.clone() };
            put(cloud, Box::new(PointRow(point)));
        },
        "GOES_FOREVER",
    );
}

#[test]
fn no_data_is_left_that_no_point_names() {
    check_at_rest(
        |cloud, point| {
            let vaulted = cloud.storage.vaults.get_mut(&point.vault).unwrap();
            let mut snapshot = Snapshot::clone(&vaulted.snapshots[&point.snapshot]);
            snapshot.name.push_str("-part");
            vaulted.snapshots.insert(snapshot.name.clone(), Arc::new(snapshot));
        },
        "ORPHAN",
    );
    check_at_rest(
        |cloud, point| {
            cloud.rows.lose(&Key::point(&point.vault, &point.source, point.taken, &point.id));
        },
        "LEFT_BEHIND",
    );
}

#[test]
fn space_is_given_back() {
    check_at_rest(
        |cloud, point| {
            let row = cloud.rows.get(&Key::gate(&point.vault)).unwrap().record.clone();
            let Record::Gate(GateRow { vault, mut gate }) = row else { panic!("{row:?}") };
            gate.erased = false;
            put(cloud, GateRow { vault, gate });
        },
        "NEVER_GIVEN_BACK",
    );
    let code = changed(Invariant::Retention, |cloud, fact| {
        let Fact::Pruned { vault, .. } = fact else { return false };
        let vaulted = cloud.storage.vaults.get_mut(vault).unwrap();
        vaulted.blobs.insert(Content { seed: 1, length: 2 }, 2);
        true
    });
    assert_eq!(code, Some("BLOBS_LEFT"));
}

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

/// A point that is taken at an instant, the newest before it at another, goes at a third.
#[track_caller]
fn check_rules(taken: &str, newest: Option<&str>, expected: &str) {
    let special = [(Period::Daily, 3), (Period::Weekly, 30), (Period::Yearly, 365)];
    let special = special.map(|(period, days)| SpecialRule { period, days }).to_vec();
    let zone = "Asia/Shanghai".parse().unwrap();
    let policy = BackupPolicy {
        id: PolicyId::derive(&["policy"]),
        name: "daily".to_owned(),
        vault: VaultId::derive(&["vault"]),
        schedule: Recurrence::parse("C|0|0 0 2 * * ?", zone).unwrap(),
        retention: Rules::new(Retention::Days(1), special, false).unwrap(),
        version: 1,
        since: at("2025-01-01T00:00"),
    };
    let found = rules::expiry(at(taken), newest.map(at), &policy);
    assert_eq!(found, Expiry::At(at(expected)));
}

#[test]
fn the_longest_rule_that_applies_counts() {
    check_rules("2025-09-03T08:00", None, "2026-09-03T08:00");
    check_rules("2025-09-03T08:00", Some("2025-09-03T07:00"), "2025-09-04T08:00");
    // In Shanghai it is the next day from 16:00 on.
    check_rules("2025-09-03T16:00", Some("2025-09-03T15:59"), "2025-09-06T16:00");
    // 2025-09-07 is a Sunday.
    check_rules("2025-09-07T16:00", Some("2025-09-07T15:59"), "2025-10-07T16:00");
    check_rules("2025-12-31T16:00", Some("2025-12-31T15:59"), "2026-12-31T16:00");
    // A clock went back.
    check_rules("2025-09-03T08:00", Some("2025-09-05T08:00"), "2025-09-04T08:00");
}
