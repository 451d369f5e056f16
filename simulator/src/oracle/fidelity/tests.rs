use std::sync::Arc;

use crossvault_core::restore::{Overwrite, Restore};
use crossvault_handlers::records::{JobWork, Key, Record};

use crate::{
    cloud::{Cloud, Content, Fact, File, Snapshot},
    oracle::{
        job,
        story::{changed, files, instance, put, rescue, start, tampered},
    },
    run::{Invariant, Watch},
};

/// What is found when a snapshot of the file system is sealed with other files than it has.
#[track_caller]
fn check_sealed(change: impl Fn(&mut Vec<File>), expected: &str) {
    let code = changed(Invariant::Fidelity, |_, fact| {
        let Fact::Sealed { snapshot, .. } = fact else { return false };
        let mut files = snapshot.files.to_vec();
        change(&mut files);
        *snapshot = Arc::new(Snapshot { files: files.into(), ..Snapshot::clone(snapshot) });
        true
    });
    assert_eq!(code, Some(expected));
}

#[test]
fn a_snapshot_holds_what_the_source_held() {
    check_sealed(|files| files[2].content.seed ^= 1, "NEVER_SO");
    check_sealed(|files| files[2].content.length += 1, "NEVER_SO");
    check_sealed(|files| files.push(File { name: 999, ..files[0] }), "NEVER_SO");
    check_sealed(|files| files.insert(2, files[1]), "TWICE");
}

#[test]
fn what_is_left_out_of_a_snapshot_is_named() {
    check_sealed(|files| files.truncate(12), "LEFT_OUT");
}

/// Of a file that changes while it is backed up either is right, and nothing from before.
#[test]
fn what_was_so_only_before_is_not_right() {
    let mut old = None;
    let code = tampered(Invariant::Fidelity, |oracles, cloud, now, fact| {
        let first = cloud.contents.of(&files())?.files.clone()?;
        let Fact::Sealed { snapshot, .. } = fact else { return None };
        if snapshot.source != files() {
            return None;
        }
        let old = old.get_or_insert(snapshot.files.clone());
        let stale = (0..).zip(&**old).find(|(n, file)| snapshot.files.get(*n) != Some(*file));
        let (place, file) = stale?;
        assert_ne!(first.get(place), Some(file));
        let mut files = snapshot.files.to_vec();
        files[place] = *file;
        // It began when the file was still so: then it is right.
        let early = Snapshot { begun: start(), files: files.into(), ..Snapshot::clone(snapshot) };
        let vault = crossvault_core::ids::VaultId::derive(&["any"]);
        let sealed = |snapshot| Fact::Sealed { vault: vault.clone(), snapshot: Arc::new(snapshot) };
        assert_eq!(oracles.fact(cloud, now, &sealed(early.clone())), Ok(()));
        Some(oracles.fact(cloud, now, &sealed(Snapshot { begun: snapshot.begun, ..early })))
    });
    assert_eq!(code, Some("NEVER_SO"));
}

/// What is found when a file was written otherwise than it was, by the restore that replaces or by
/// that which does not.
#[track_caller]
fn check_written(
    overwrite: Overwrite,
    change: impl Fn(&mut Cloud, &mut u32, &mut Option<File>, &mut File),
    expected: &str,
) {
    let code = changed(Invariant::Fidelity, |cloud, fact| {
        let Fact::Written { source, job: id, before, after } = fact else { return false };
        let row = cloud.rows.get(&Key::job(id)).unwrap();
        let JobWork::Restore(restore, _) = &job(row).unwrap().work else { return false };
        if restore.overwrite != overwrite || restore.to != rescue() {
            return false;
        }
        change(cloud, source, before, after);
        true
    });
    assert_eq!(code, Some(expected));
}

const OTHER: Content = Content { seed: 1, length: 2 };

#[test]
fn a_restore_writes_what_the_point_holds_and_where_it_should() {
    check_written(Overwrite::Replace, |_, _, _, after| after.content = OTHER, "NOT_WANTED");
    check_written(Overwrite::Replace, |_, _, _, after| after.name = 999, "NOT_WANTED");
    let elsewhere = |cloud: &mut Cloud, source: &mut u32, _: &mut Option<File>, _: &mut File| {
        *source = cloud.contents.number(&files()).unwrap();
    };
    check_written(Overwrite::Replace, elsewhere, "OTHER_TARGET");
}

#[test]
fn files_in_the_way_stay_unless_somebody_gave_them_away() {
    let in_the_way = |_: &mut Cloud, _: &mut u32, before: &mut Option<File>, after: &mut File| {
        *before = Some(File { content: OTHER, ..*after });
    };
    check_written(Overwrite::Refuse, in_the_way, "OVERWRITES");
}

#[test]
fn what_users_write_during_a_restore_stays() {
    let code = tampered(Invariant::Fidelity, |oracles, cloud, now, fact| {
        let Fact::Written { source, before: Some(_), .. } = fact else { return None };
        // The oracle hears of an edit that changed every file, just before.
        let mut edited = cloud.clone();
        (0..64).for_each(|_| edited.edit(&rescue()));
        let edit = Fact::Edited { source: *source };
        assert_eq!(oracles.fact(&edited, now, &edit), Ok(()));
        Some(oracles.fact(cloud, now, fact))
    });
    assert_eq!(code, Some("UNDOES_EDIT"));
}

#[test]
fn a_restore_that_ends_well_has_everything_in_place() {
    // It says so after its first file, and not again when it has them all.
    let mut said = None;
    let code = tampered(Invariant::Fidelity, |oracles, cloud, now, fact| match fact {
        Fact::Written { source, job, .. } if said.is_none() => {
            said = Some(job.clone());
            let restored = Fact::Restored { job: job.clone(), source: *source };
            assert_eq!(oracles.fact(cloud, now, &restored), Ok(()));
            None
        }
        Fact::Restored { job, .. } => (said.as_ref() == Some(job)).then_some(Ok(())),
        _ => None,
    });
    assert_eq!(code, Some("LEFT_OUT"));
    let code = changed(Invariant::Fidelity, |cloud, fact| {
        let Fact::Committed { changes, .. } = fact else { return false };
        cloud.storage.restored.clear();
        let rows = changes.iter().filter_map(|change| change.after.as_deref().and_then(job));
        rows.map(|job| &job.work)
            .any(|work| matches!(work, JobWork::Restore(_, state) if state.is_ended()))
    });
    assert_eq!(code, Some("NOT_IN_PLACE"));
}

#[test]
fn as_many_files_are_named_as_failed_as_are_counted() {
    let code = changed(Invariant::Fidelity, |cloud, fact| {
        let Fact::Committed { changes, .. } = fact else { return false };
        let ended = changes.iter().filter_map(|change| change.after.as_deref().and_then(job));
        let id = ended.filter(|job| job.work.status() == "PARTIAL_COMPLETE").map(|job| &job.id);
        let Some(key) = id.map(|id| Key::failures(id, 0)).next() else { return false };
        let row = cloud.rows.get(&key).unwrap().record.clone();
        let Record::Failures(mut failures) = row else { panic!("{row:?}") };
        failures.files.push(failures.files[0].clone());
        put(cloud, failures);
        true
    });
    assert_eq!(code, Some("MISCOUNTED"));
}

#[test]
fn an_instance_goes_back_to_its_own_account() {
    let code = changed(Invariant::Fidelity, |_, fact| {
        let Fact::Committed { changes, .. } = fact else { return false };
        changes.iter_mut().filter(|change| change.before.is_none()).any(|change| {
            let Some(row) = &mut change.after else { return false };
            let Record::Job(job) = &mut Arc::make_mut(row).record else { return false };
            let JobWork::Restore(restore, _) = &mut job.work else { return false };
            *restore = Restore { from: instance(), ..restore.clone() };
            true
        })
    });
    assert_eq!(code, Some("OTHER_ACCOUNT"));
}
