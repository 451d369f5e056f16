//! Who stops a transfer can rely on it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use crossvault_core::vault::Epoch;

use super::{
    super::*,
    Home, all_of,
    memory::{MemoryTarget, MemoryTree, Thing, file},
    noise, order,
};
use crate::files::entry::Refused;

/// Ten files of 100 kB, of which the fifth does something in its middle.
fn ten(act: impl Fn() -> Result<(), Trouble> + Send + Sync + 'static) -> MemoryTree {
    let act = Arc::new(act);
    let things = (0..10_u64).map(move |n| {
        let plain = file(&format!("f{n}"), noise(n, 100_000));
        let act = act.clone();
        if n == 5 { plain.on_read(move |at| if at > 0 { act() } else { Ok(()) }) } else { plain }
    });
    MemoryTree::new(things.collect())
}

#[track_caller]
fn check(control: &Arc<Control>, tree: MemoryTree, expected: &VaultError) {
    let home = Home::new();
    assert_eq!(home.vault.back_up(&order(1), tree, control).unwrap_err(), *expected);
    assert_eq!(home.vault.sealed(), Ok(vec![]));
    // The vault is as good as before.
    home.sealed(&order(1), &super::tree());
    assert_eq!(home.vault.check(true), Ok(vec![]));
}

#[test]
fn a_halted_backup_seals_nothing() {
    let control = Control::new();
    let halted = control.clone();
    let tree = ten(move || {
        halted.halt();
        Ok(())
    });
    check(&control, tree, &VaultError::Stopped(Stop::Halted));
}

#[test]
fn the_first_reason_to_stop_stands() {
    let control = Control::new();
    let stopped = control.clone();
    let tree = ten(move || {
        stopped.stop(Stop::FencedOut);
        stopped.halt();
        Ok(())
    });
    check(&control, tree, &VaultError::Stopped(Stop::FencedOut));
}

#[test]
fn lost_authority_seals_nothing() {
    let denied =
        Refused::Denied { action: "ecs:RunCommand".into(), resource: "i-web".into(), by: None };
    for refused in [denied, Refused::Expired, Refused::Gone { resource: "i-web".to_owned() }] {
        let trouble = refused.clone();
        let reading = ten(move || Err(trouble.clone().into()));
        check(&Control::new(), reading, &VaultError::Refused(refused.clone()));

        let trouble = refused.clone();
        let listing = ten(|| Ok(()))
            .on_list(move |n| if n < 7 { Ok(()) } else { Err(trouble.clone().into()) });
        check(&Control::new(), listing, &VaultError::Refused(refused.clone()));

        let root = MemoryTree::new(vec![Thing::Fails("".into(), refused.clone().into())]);
        check(&Control::new(), root, &VaultError::Refused(refused));
    }
    let halted = ten(|| Err(Refused::Halted.into()));
    check(&Control::new(), halted, &VaultError::Stopped(Stop::Halted));
}

#[test]
fn a_gate_that_is_closed_at_the_end_lets_nothing_be_sealed() {
    struct Shut(Stop);
    impl Gate for Shut {
        fn may_seal(&self) -> Result<(), Stop> {
            Err(self.0)
        }
    }
    let outdated = Stop::Outdated { began: Epoch(3), now: Epoch(4) };
    let control = Control::gated(Arc::new(Shut(outdated)));
    check(&control, ten(|| Ok(())), &VaultError::Stopped(outdated));
    assert!(control.is_stopping());
}

#[test]
fn a_backup_that_was_halted_before_it_began_reads_nothing() {
    let control = Control::new();
    control.halt();
    let tree = ten(|| Ok(()));
    check(&control, tree.clone(), &VaultError::Stopped(Stop::Halted));
    assert_eq!(tree.opened(), 0);
}

#[test]
fn a_paused_backup_goes_on_where_it_was() {
    let home = Home::new();
    let control = Control::new();
    let paused = control.clone();
    let tree = ten(|| Ok(())).on_list(move |n| {
        if n == 6 {
            paused.pause();
        }
        Ok(())
    });
    let end = home.vault.back_up(&order(1), tree.clone(), &control).unwrap();
    let BackupEnd::Paused { at, bytes_added, failures } = end else { panic!("{end:?}") };
    assert_eq!((tree.opened(), failures), (6, vec![]));
    assert!(bytes_added > 600_000);
    // A checkpoint is nobody's recovery point.
    assert_eq!(home.vault.find(&order(1).job), Ok(None));
    let known = home.vault.sealed().unwrap();
    assert_eq!((known.len(), known[0].snapshot, known[0].partial), (1, at, true));

    // Another job of the source does not lean on it.
    let other = home.vault.back_up(&order(2), ten(|| Ok(())), &Control::new()).unwrap();
    let BackupEnd::Sealed(other) = other else { panic!("{other:?}") };
    home.vault.forget(&[other.snapshot]).unwrap();

    let rest = ten(|| Ok(()));
    let next = BackupOrder { fence: 2, ..order(1) };
    let sealed = home.sealed(&next, &rest);
    assert_eq!((rest.opened(), sealed.files, sealed.fence), (4, 10, 2));
    // What the step before added counts too. (The other job found it all there.)
    assert!(sealed.bytes_added >= bytes_added, "{}", sealed.bytes_added);
    let known = home.vault.sealed().unwrap();
    assert_eq!((known.len(), known[0].snapshot), (1, sealed.snapshot));
    assert_eq!(home.restored(sealed.snapshot).0.content(), rest.content());
}

#[test]
fn a_pause_after_the_last_file_seals() {
    let home = Home::new();
    let control = Control::new();
    control.pause();
    let end = home.vault.back_up(&order(1), MemoryTree::new(vec![]), &control).unwrap();
    assert!(matches!(end, BackupEnd::Sealed(_)));
}

#[test]
fn a_halted_restore_commits_no_further_file() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &ten(|| Ok(())));
    let control = Control::new();
    let (halted, was_halted) = (control.clone(), Arc::new(AtomicBool::new(false)));
    let target = MemoryTarget {
        on_write: Some(Arc::new(move |path| {
            if path.ends_with("f3") {
                halted.halt();
                was_halted.store(true, SeqCst);
            }
        })),
        ..MemoryTarget::default()
    };
    let error = home.vault.restore(&all_of(sealed.snapshot), &target, &control).unwrap_err();
    assert_eq!(error, VaultError::Stopped(Stop::Halted));
    assert!(target.content().len() < 10);
}

#[test]
fn a_paused_restore_goes_on_where_it_was() {
    let home = Home::new();
    let tree = super::tree();
    let sealed = home.sealed(&order(1), &tree);
    let control = Control::new();
    let paused = control.clone();
    let target = MemoryTarget {
        on_write: Some(Arc::new(move |path| {
            if path.ends_with("b/c") {
                paused.pause();
            }
        })),
        ..MemoryTarget::default()
    };
    let all = all_of(sealed.snapshot);
    let first = home.vault.restore(&all, &target, &control).unwrap();
    assert_eq!(first.paused.as_deref(), Some("b/c".as_ref()));
    assert_eq!(target.paths(), ["a/empty", "a/small"]);
    let rest = RestoreOrder { after: first.paused, ..all };
    let second = home.vault.restore(&rest, &target, &Control::new()).unwrap();
    assert_eq!(second.paused, None);
    assert_eq!(target.content(), tree.content());
}
