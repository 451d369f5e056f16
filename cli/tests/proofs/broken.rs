//! Homes, vaults and keys that are damaged: an error that helps, and nothing is lost by it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    server::{PATIENCE, pause},
    settled,
    tree::{Seed, fill},
};
use crate::crossvault::{Home, tree};

const TARGET: &str = "rescue/cn-hangzhou/ecs-files/web";

/// A home with one point of a source of many files.
fn backed_up() -> Home {
    let home = Home::ready();
    fill(&home.source("payroll"), &mut Seed(11), 300, 3);
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    home
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 0xff;
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    fs::write(file, bytes).unwrap();
}

fn only(folder: &Path) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn bytes_flipped_in_the_state_are_told_and_nothing_is_lost() {
    let home = backed_up();
    let state = home.dir().join("state.sqlite");
    let whole = fs::read(&state).unwrap();
    let page = 4_096;
    let mut told = 0;
    // Each page's head, and a place in its middle.
    for at in (0..whole.len() / page).flat_map(|number| [number * page, number * page + 2_000]) {
        let mut damaged = whole.clone();
        for byte in &mut damaged[at..at + 64] {
            *byte ^= 0xff;
        }
        fs::write(&state, &damaged).unwrap();
        let ran = home.ask(&["points", "list"]);
        if ran.exit == 0 {
            // The flipped bytes are of no row that was read, or of none at all.
            continue;
        }
        told += 1;
        let error = &ran.json()["error"];
        assert!(matches!(ran.exit, 5 | 6), "{ran}");
        assert!(error["code"].is_string() && error["remedy"].as_str().unwrap().len() > 5, "{ran}");
        assert!(error["message"].as_str().unwrap().contains('`'), "no place is named: {ran}");
    }
    assert!(told > 3, "only {told} damages were told");
    fs::write(&state, whole).unwrap();
    home.only_point();
    settled::check_vault(&home, "main");
}

#[test]
fn a_damaged_pack_costs_only_what_it_held_and_the_rest_restores() {
    let home = backed_up();
    let vaults = home.dir().join("vaults");
    let is_pack = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "data");
    let packs: Vec<_> = tree(&vaults).into_iter().map(|(path, _)| path).filter(is_pack).collect();
    // The largest holds file contents.
    let size = |path: &PathBuf| fs::metadata(vaults.join(path)).unwrap().len();
    let pack = vaults.join(packs.iter().max_by_key(|path| size(path)).unwrap());
    let whole = fs::read(&pack).unwrap();
    let point = home.only_point();
    let source = tree(&home.source("payroll"));

    let damages: [(&str, &dyn Fn()); 2] = [
        ("flipped", &|| flip(&pack, whole.len() / 3)),
        ("missing", &|| fs::remove_file(&pack).unwrap()),
    ];
    for (name, damage) in damages {
        damage();
        let ran = home.ask(&["restore", &point, "--to", TARGET, "--into", name]).exits(4);
        let answer = ran.json();
        let failures = answer["value"]["failures"].as_array().unwrap().clone();
        assert!(!failures.is_empty(), "{ran}");
        let restored = tree(&home.source("rescue").join(name));
        for (path, content) in &source {
            let is_named = failures.iter().any(|one| one["path"] == path.to_str().unwrap());
            let is_there = restored.iter().any(|other| other == &(path.clone(), content.clone()));
            assert!(is_named != is_there, "{path:?}: named {is_named}, there {is_there}");
        }
        settled::check_no_scraps(&home.source("rescue"));
        // A check names the pack; the next one after the repair finds nothing.
        home.run(&["vaults", "check", "main", "--read-data"]).exits(6);
        let _ = fs::remove_file(&pack);
        fs::write(&pack, &whole).unwrap();
        settled::check_vault(&home, "main");
    }
    home.ok(&["restore", &point, "--to", TARGET, "--into", "whole"]);
    settled::check_equal(&home.source("payroll"), &home.source("rescue").join("whole"));
}

#[test]
fn a_damaged_vault_holds_up_no_other() {
    let home = backed_up();
    home.ok(&["vaults", "create", "other"]);
    let listed = home.ok(&["vaults", "list"]);
    let id = listed.as_array().unwrap().iter().find(|one| one["vault"]["name"] == "main").unwrap()
        ["vault"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let config = home.dir().join("vaults").join(id).join("config");
    let away = home.beside("config");
    fs::copy(&config, &away).unwrap();
    fs::remove_file(&config).unwrap();

    let run = ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault"];
    let failed = home.ask(&[&run[..], &["main"]].concat()).exits(1);
    let trouble = &failed.json()["value"]["failure"];
    assert!(trouble["code"].is_string() && trouble["remedy"].is_string(), "{failed}");
    // Its jobs fail, and another vault's backups, deletions and upkeep go on.
    home.ok(&[&run[..], &["other"]].concat());
    let points = home.ok(&["points", "list", "--vault", "other"]);
    home.ok(&["points", "delete", points[0]["id"].as_str().unwrap(), "--yes"]);
    let up = home.up();
    home.ok(&[&run[..], &["other"]].concat());
    let begun = Instant::now();
    let is_pruned = || {
        let jobs = home.ok(&["jobs", "list"]);
        jobs.as_array().unwrap().iter().any(|job| job["kind"] == "prune")
    };
    while !is_pruned() {
        assert!(begun.elapsed() < PATIENCE, "no space is given back");
        pause(Duration::from_millis(100));
    }
    assert_eq!(up.interrupt(), 0);

    fs::copy(&away, &config).unwrap();
    home.ok(&[&run[..], &["main"]].concat());
    settled::check_vault(&home, "main");
    settled::check_snapshots(&home.dir());
}

#[test]
fn a_key_that_is_not_the_vaults_opens_nothing_and_breaks_nothing() {
    let home = backed_up();
    let key = only(&home.dir().join("keys"));
    let own = fs::read(&key).unwrap();
    home.ok(&["vaults", "create", "another"]);
    let others: Vec<_> = fs::read_dir(home.dir().join("keys"))
        .unwrap()
        .map(|one| one.unwrap().path())
        .filter(|one| *one != key)
        .collect();
    let point = home.only_point();
    let before = tree(&home.dir().join("vaults"));

    let keys: [(&str, Vec<u8>); 4] = [
        ("another vault's", fs::read(&others[0]).unwrap()),
        ("empty", Vec::new()),
        ("cut", own[..own.len() / 2].to_vec()),
        ("flipped", own.iter().map(|byte| byte ^ 1).collect()),
    ];
    for (name, bytes) in keys {
        fs::write(&key, bytes).unwrap();
        let ran = home.ask(&["points", "browse", &point]);
        let error = &ran.json()["error"];
        assert_eq!(ran.exit, 6, "{name}: {ran}");
        assert!(error["code"].is_string() && error["remedy"].as_str().unwrap().len() > 5, "{ran}");
        let ran = home.ask(&["restore", &point, "--to", TARGET, "--into", "none"]).exits(1);
        assert!(ran.json()["value"]["failure"]["remedy"].is_string(), "{name}: {ran}");
    }
    assert_eq!(tree(&home.dir().join("vaults")), before, "the vaults were touched");
    fs::write(&key, &own).unwrap();
    home.ok(&["points", "browse", &point]);
}

#[test]
fn a_key_that_others_can_read_is_told() {
    let home = backed_up();
    let key = only(&home.dir().join("keys"));
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let ran = home.ask(&["vaults", "check", "main"]).exits(6);
    let answer = ran.json();
    let said = answer["error"]["remedy"].as_str().unwrap();
    assert!(said.contains("chmod") || said.contains("600"), "{ran}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    home.ok(&["vaults", "check", "main"]);
}
