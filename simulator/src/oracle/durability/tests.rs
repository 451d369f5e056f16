use std::sync::Arc;

use crossvault_core::{
    ids::JobId,
    vault::{PointState, RecoveryPoint},
};
use crossvault_handlers::{
    ports::Stored,
    records::{Key, PointRow, Record},
};

use crate::{
    cloud::{Cloud, Fact, RowChange, Snapshot, Vaulted},
    oracle::{
        job, point,
        story::{changed, files, found_at_rest, point_of, put, rescue},
    },
    run::Invariant,
};

/// What is found at rest when a vault does not hold what it held.
#[track_caller]
fn check_data(change: impl FnOnce(&mut Vaulted, &RecoveryPoint), expected: &str) {
    let code = found_at_rest(Invariant::Durability, |cloud| {
        let point = point_of(cloud, &files());
        change(cloud.storage.vaults.get_mut(&point.vault).unwrap(), &point);
    });
    assert_eq!(code, Some(expected));
}

fn replace(vaulted: &mut Vaulted, point: &RecoveryPoint, change: impl FnOnce(&mut Snapshot)) {
    let snapshot = vaulted.snapshots.get_mut(&point.snapshot).unwrap();
    change(Arc::make_mut(snapshot));
}

#[test]
fn the_data_of_a_point_stays_whole_and_the_same() {
    check_data(
        |vaulted, point| {
            vaulted.snapshots.remove(&point.snapshot);
        },
        "NO_DATA",
    );
    check_data(|vaulted, point| replace(vaulted, point, |it| it.sealed = None), "NO_DATA");
    check_data(
        |vaulted, point| {
            let content = vaulted.snapshots[&point.snapshot].files[3].content;
            vaulted.blobs.remove(&content);
        },
        "LACKS_BLOBS",
    );
    check_data(
        |vaulted, point| replace(vaulted, point, |it| it.files = it.files[1..].into()),
        "DATA_CHANGED",
    );
    check_data(|vaulted, point| replace(vaulted, point, |it| it.source = rescue()), "OTHER_DATA");
}

#[test]
fn a_point_neither_vanishes_nor_appears() {
    let key =
        |point: &RecoveryPoint| Key::point(&point.vault, &point.source, point.taken, &point.id);
    let vanish = |cloud: &mut Cloud| {
        let point = point_of(cloud, &files());
        cloud.rows.lose(&key(&point));
    };
    assert_eq!(found_at_rest(Invariant::Durability, vanish), Some("VANISHED"));
    let appear = |cloud: &mut Cloud| {
        let mut point = point_of(cloud, &files());
        point.id = "s-00000000000000000000".parse().unwrap();
        put(cloud, Box::new(PointRow(point)));
    };
    assert_eq!(found_at_rest(Invariant::Durability, appear), Some("APPEARED"));
}

/// What is found when a commit that changes a point is not as it was. The first that is so for which
/// the change says yes counts.
#[track_caller]
fn check_commit(
    change: impl Fn(Option<&RecoveryPoint>, Option<&mut RecoveryPoint>) -> bool,
    with_job: bool,
    expected: &str,
) {
    let code = changed(Invariant::Durability, |_, fact| {
        let Fact::Committed { changes, .. } = fact else { return false };
        let is_changed = changes.iter_mut().any(|it| {
            let is_point = |row: &Option<Arc<Stored>>| row.as_deref().and_then(point).is_some();
            (is_point(&it.before) || is_point(&it.after)) && edit(it, &change)
        });
        if is_changed && !with_job {
            changes.retain(|it| it.after.as_deref().and_then(job).is_none());
        }
        is_changed
    });
    assert_eq!(code, Some(expected));
}

fn edit(
    it: &mut RowChange,
    change: impl Fn(Option<&RecoveryPoint>, Option<&mut RecoveryPoint>) -> bool,
) -> bool {
    let before = it.before.as_deref().and_then(point);
    let Some(stored) = &mut it.after else { return change(before, None) };
    let Record::Point(row) = &mut Arc::make_mut(stored).record else { return false };
    change(before, Some(&mut row.0))
}

#[test]
fn what_a_point_says_stays() {
    let other = |before: Option<&RecoveryPoint>, after: Option<&mut RecoveryPoint>| {
        let Some((_, after)) = before.zip(after) else { return false };
        after.files += 1;
        true
    };
    check_commit(other, true, "CHANGED");
}

#[test]
fn a_point_comes_and_goes_with_its_job() {
    check_commit(|before, after| before.is_none() && after.is_some(), false, "MADE_BY_NOBODY");
    let is_marked = |before: Option<&RecoveryPoint>, after: Option<&mut RecoveryPoint>| {
        let is_going = |point: &RecoveryPoint| point.state != PointState::Available;
        before.is_some_and(|it| !is_going(it)) && after.is_some_and(|it| is_going(it))
    };
    check_commit(is_marked, false, "MARKED_BY_NOBODY");
    let marked_for_another = |before: Option<&RecoveryPoint>, after: Option<&mut RecoveryPoint>| {
        let Some((_, after)) = before.zip(after) else { return false };
        after.state = PointState::Expiring { job: JobId::derive(&["another"]) };
        true
    };
    check_commit(marked_for_another, true, "MARKED_BY_NOBODY");
    check_commit(|before, after| before.is_some() && after.is_none(), false, "WENT");
}

#[test]
fn data_goes_by_the_job_of_its_mark() {
    let code = changed(Invariant::Durability, |_, fact| {
        let Fact::Erased { job, .. } = fact else { return false };
        *job = None;
        true
    });
    assert_eq!(code, Some("SWEPT"));
    let code = changed(Invariant::Durability, |_, fact| {
        let Fact::Erased { job, .. } = fact else { return false };
        *job = Some(JobId::derive(&["another"]));
        true
    });
    assert_eq!(code, Some("ERASED"));
}

#[test]
fn a_prune_takes_nothing_that_a_point_needs() {
    let code = changed(Invariant::Durability, |cloud, fact| {
        let Fact::Pruned { vault, .. } = fact else { return false };
        cloud.storage.vaults.get_mut(vault).unwrap().blobs.clear();
        true
    });
    assert_eq!(code, Some("LACKS_BLOBS"));
}
