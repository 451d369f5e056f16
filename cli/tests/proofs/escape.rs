//! A restore writes nothing outside its target, whatever lies there or is put there meanwhile.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;

use super::tree::{Seed, fill};
use crate::crossvault::{Home, Ran, tree};

const TARGET: &str = "rescue/cn-hangzhou/ecs-files/web";

/// A home with a point, a target, and a folder outside of it with one file.
struct Stage {
    home: Home,
    point: String,
    target: PathBuf,
    outside: PathBuf,
}

impl Stage {
    fn set() -> Self {
        let home = Home::ready();
        fill(&home.source("payroll"), &mut Seed(3), 300, 1);
        home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
        let (point, target, outside) =
            (home.only_point(), home.source("rescue"), home.beside("outside"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("app.conf"), "not yours").unwrap();
        Self { home, point, target, outside }
    }

    fn restore(&self, into: &str, more: &[&str]) -> Ran {
        let arguments = ["restore", &self.point, "--to", TARGET, "--into", into];
        self.home.ask(&[&arguments[..], more].concat())
    }

    /// Nothing outside was touched.
    #[track_caller]
    fn check(&self) {
        let outside = tree(&self.outside);
        assert_eq!(outside, [(PathBuf::from("app.conf"), b"not yours".to_vec())]);
    }
}

/// The job came to nothing or to a part, and says why.
#[track_caller]
fn check_told(ran: &Ran) {
    let answer = ran.json();
    let job = &answer["value"];
    let told = [&job["failure"]["code"], &job["failures"][0]["code"]];
    assert!(matches!(ran.exit, 1 | 4) && told.into_iter().any(Value::is_string), "{ran}");
}

#[test]
fn a_link_on_the_way_into_the_target_is_not_followed() {
    let stage = Stage::set();
    symlink(&stage.outside, stage.target.join("way")).unwrap();
    for into in ["way", "way/below"] {
        for more in [&[][..], &["--overwrite"]] {
            check_told(&stage.restore(into, more));
            stage.check();
        }
    }
}

#[test]
fn a_link_inside_of_the_target_is_not_followed() {
    let stage = Stage::set();
    let copy = stage.target.join("copy");
    fs::create_dir(&copy).unwrap();
    // In the place of a folder, and in the place of a file.
    symlink(&stage.outside, copy.join("etc")).unwrap();
    fs::create_dir(copy.join("large")).unwrap();
    symlink(stage.outside.join("app.conf"), copy.join("large/0.bin")).unwrap();
    check_told(&stage.restore("copy", &[]));
    stage.check();
    assert!(copy.join("large/0.bin").is_symlink(), "what is in the way stays");

    stage.restore("copy", &["--overwrite"]);
    stage.check();
    assert!(!copy.join("large/0.bin").is_symlink(), "the link is replaced, not followed");
}

#[test]
fn paths_that_lead_out_are_refused() {
    let stage = Stage::set();
    for into in ["..", "../out", "copy/../../out", "/etc", "copy/./../.."] {
        let ran = stage.restore(into, &[]).exits(3);
        assert_eq!(ran.json()["error"]["code"], "PATH_OUTSIDE", "{ran}");
    }
    stage.restore("copy", &["--only", "../etc"]).exits(3);
    stage.check();
}

/// Puts a link in the place of a folder, and the folder back, until told to stop.
fn swap(folder: &Path, outside: &Path, is_over: &AtomicBool) -> u64 {
    let away = folder.with_file_name("away");
    let mut swaps = 0;
    while !is_over.load(Ordering::Relaxed) {
        if fs::rename(folder, &away).is_ok() {
            if symlink(outside, folder).is_ok() {
                thread::yield_now();
                fs::remove_file(folder).unwrap();
            }
            if fs::rename(&away, folder).is_ok() {
                swaps += 1;
            }
        }
    }
    swaps
}

#[test]
fn a_link_that_is_swapped_in_meanwhile_is_not_followed() {
    let stage = Stage::set();
    let is_over = AtomicBool::new(false);
    let mut swaps = 0;
    for number in 0..5 {
        let into = format!("copy-{number}");
        let folder = stage.target.join(&into).join("small/00");
        fs::create_dir_all(&folder).unwrap();
        is_over.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            let swapping = scope.spawn(|| swap(&folder, &stage.outside, &is_over));
            let ran = stage.restore(&into, &[]);
            is_over.store(true, Ordering::Relaxed);
            swaps += swapping.join().unwrap();
            assert!(matches!(ran.exit, 0 | 1 | 4), "{ran}");
        });
        stage.check();
    }
    assert!(swaps > 0, "nothing was swapped");
}
