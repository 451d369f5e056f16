//! Disks that are full, targets that can't be written, and sources that change while they are read.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crossvault_core::ids::JobId;
use crossvault_handlers::api::{Answer, Command};
use serde_json::Value;

use super::{
    mount::Disk,
    server::{Asker, Server, pause},
    settled,
    tree::{Seed, fill},
};
use crate::crossvault::{Home, PAYROLL, Ran, tree};

const TARGET: &str = "rescue/cn-hangzhou/ecs-files/web";
const BACKUP: [&str; 7] =
    ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"];

/// How often a source vanishes until it does so at the right moment.
const TRIES_MAX: u64 = 20;

/// The job came to nothing, and says why and what to do.
#[track_caller]
fn check_failed(ran: &Ran) {
    let answer = ran.json();
    let trouble = &answer["value"]["failure"];
    assert_eq!((ran.exit, &answer["value"]["status"]), (1, &"FAILED".into()), "{ran}");
    assert!(trouble["code"].as_str().is_some_and(|code| code != "TRANSFER_PANICKED"), "{ran}");
    assert!(trouble["remedy"].as_str().is_some_and(|text| text.len() > 5), "{ran}");
}

/// The points' ids.
fn points(home: &Home) -> Vec<String> {
    let points = home.ok(&["points", "list"]);
    points.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// All points restore, as a whole, into the target.
#[track_caller]
fn check_points(home: &Home, name: &str) {
    for (number, point) in points(home).iter().enumerate() {
        let into = format!("{name}-{number}");
        home.ok(&["restore", point, "--to", TARGET, "--into", &into]);
    }
}

#[test]
fn a_full_disk_of_a_vault_fails_the_job_and_costs_nothing_else() {
    let home = Home::none();
    let Some(disk) = Disk::of(&home.dir().join("vaults"), 8_000) else { return };
    let home = home.populate();
    home.ok(&BACKUP);
    let server = Server::ready(&home.dir());
    fill(&home.source("payroll"), &mut Seed(5), 200, 8);
    check_failed(&home.ask(&BACKUP));
    assert_eq!(points(&home).len(), 1);
    home.ok(&["restore", &points(&home)[0], "--to", TARGET, "--into", "while-full"]);
    // A prune gives back what the failed job left, or says that it can't.
    let pruned = home.ask(&["vaults", "prune", "main"]);
    assert!(matches!(pruned.exit, 0 | 1), "{pruned}");
    home.run(&["vaults", "check", "main", "--read-data"]).exits(0);

    disk.resize(100_000);
    home.ok(&BACKUP);
    home.ok(&["vaults", "prune", "main"]);
    check_points(&home, "later");
    server.stop();
    settled::check_equal(&home.source("payroll"), &home.source("rescue").join("later-0"));
    settled::check_snapshots(&home.dir());
    settled::check_vault(&home, "main");
}

#[test]
fn a_full_disk_of_the_state_refuses_changes_and_loses_none() {
    let home = Home::none();
    let Some(_disk) = Disk::of(&home.dir(), 20_000) else { return };
    let home = home.populate();
    home.ok(&BACKUP);
    let server = Server::ready(&home.dir());
    let ballast = home.dir().join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    // Until not one byte more goes in.
    while file.write(&[1; 4_096]).is_ok_and(|written| written > 0) {}
    let mut made = vec![];
    let mut refused = 0;
    for number in 0..200 {
        let name = format!("policy-{number}");
        let create = ["policies", "create", &name, "--vault", "main", "--daily", "02:00"];
        let ran = home.ask(&[&create[..], &["--keep", "30d"]].concat());
        if ran.exit == 0 {
            made.push(name);
            continue;
        }
        assert_eq!(ran.exit, 6, "{ran}");
        let error = &ran.json()["error"];
        assert!(error["code"].as_str().unwrap().contains("FULL"), "{ran}");
        refused += 1;
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "the disk is not full");
    assert_eq!(points(&home).len(), 1, "what is stored can be read");
    drop(file);
    fs::remove_file(&ballast).unwrap();
    home.ok(&BACKUP);
    check_points(&home, "later");
    server.stop();
    let policies = home.ok(&["policies", "list"]);
    let mut names: Vec<_> =
        policies.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    made.sort_unstable();
    assert_eq!(names, made, "acknowledged and no others");
    settled::check_rows(&settled::rows(&home.dir()));
}

#[test]
fn a_full_disk_of_a_target_names_what_is_missing() {
    let home = Home::ready();
    fill(&home.source("payroll"), &mut Seed(6), 100, 4);
    home.ok(&BACKUP);
    let Some(disk) = Disk::of(&home.source("rescue"), 4_000) else { return };
    let restore = ["restore", &points(&home)[0], "--to", TARGET, "--into", "copy"];
    let ran = home.ask(&restore);
    let answer = ran.json();
    let job = &answer["value"];
    let told = [&job["failure"]["code"], &job["failures"][0]["code"]];
    assert!(matches!(ran.exit, 1 | 4), "{ran}");
    assert!(
        told.into_iter().any(|code| code.as_str().is_some_and(|c| c.contains("FULL"))),
        "{ran}"
    );
    settled::check_no_scraps(&home.source("rescue"));

    disk.resize(100_000);
    home.ok(&restore);
    settled::check_equal(&home.source("payroll"), &home.source("rescue").join("copy"));
}

#[test]
fn a_target_that_can_not_be_written_is_named() {
    let home = Home::ready();
    home.ok(&BACKUP);
    let point = points(&home)[0].clone();
    // A file in the way of the folder: also for root.
    home.write("rescue", "file", "mine");
    for into in ["file", "file/below"] {
        check_failed(&home.ask(&["restore", &point, "--to", TARGET, "--into", into]));
    }
    assert_eq!(home.read("rescue", "file"), "mine");
    let Some(disk) = Disk::of(&home.source("rescue"), 4_000) else { return };
    disk.protect();
    for into in ["", "copy"] {
        let ran = home.ask(&["restore", &point, "--to", TARGET, "--into", into]);
        assert!(matches!(ran.exit, 1 | 4), "{ran}");
        let answer = ran.json();
        let job = &answer["value"];
        let told = [&job["failure"]["code"], &job["failures"][0]["code"]];
        assert!(told.into_iter().any(Value::is_string), "{ran}");
    }
}

/// Begins a backup of payroll's source.
fn begin(asker: &Asker, number: u64) -> JobId {
    let source = format!("{PAYROLL}/cn-hangzhou/ecs-files/web").parse().unwrap();
    let vault = Some("main".to_owned());
    let command = Command::BackUp { source, policy: None, vault };
    let token = format!("trouble-{number}").parse().unwrap();
    let Answer::JobStarted(job) = asker.ask(&token, command).unwrap() else { panic!() };
    job
}

#[test]
fn a_source_that_vanishes_is_no_complete_point() {
    let home = Home::ready();
    let source = home.source("payroll");
    let server = Server::ready(&home.dir());
    let asker = server.asker();
    let mut seed = Seed(8);
    let mut unlike = 0;
    for number in 0..TRIES_MAX {
        fs::create_dir_all(&source).unwrap();
        fill(&source, &mut seed, 1_000, 4);
        let all = tree(&source).len();
        let before = points(&home).len();
        let job = begin(&asker, number);
        pause(Duration::from_millis(seed.below(300)));
        fs::rename(&source, home.beside(&format!("gone-{number}"))).unwrap();
        let ended = asker.ended(&job);
        match ended.status.as_str() {
            "COMPLETE" => assert!(ended.failures.is_empty(), "{ended:?}"),
            "PARTIAL_COMPLETE" => assert!(!ended.failures.is_empty(), "{ended:?}"),
            "FAILED" => {
                assert_eq!(points(&home).len(), before, "{ended:?}");
                let code = ended.failure.unwrap().code;
                assert_ne!(code, "TRANSFER_PANICKED");
            }
            _ => panic!("{ended:?}"),
        }
        if let Some(point) = ended.point.filter(|_| points(&home).len() > before) {
            let into = format!("copy-{number}");
            home.ok(&["restore", point.as_str(), "--to", TARGET, "--into", &into]);
            let restored = tree(&home.source("rescue").join(&into));
            let gone = tree(&home.beside(&format!("gone-{number}")));
            assert!(restored.iter().all(|one| gone.contains(one)), "a file is not what it was");
            let is_whole = restored.len() == all;
            assert_eq!(is_whole, ended.status == "COMPLETE", "{} of {all}", restored.len());
        }
        unlike += u32::from(ended.status != "COMPLETE");
        if unlike == 3 {
            break;
        }
    }
    assert!(unlike > 0, "the source never vanished in time");
    server.stop();
    settled::check_snapshots(&home.dir());
    settled::check_vault(&home, "main");
}

/// Writes files anew, each of one letter and of a length of its own, until told to stop.
fn rewrite(folder: &Path, mut seed: Seed, is_over: &AtomicBool) -> u64 {
    let mut written = 0;
    while !is_over.load(Ordering::Relaxed) {
        let letter = u8::try_from(seed.below(26)).unwrap();
        let file = folder.join(format!("changing-{}", seed.below(8)));
        let length = (usize::from(letter) + 1) * 200_000;
        fs::write(file, vec![b'a' + letter; length]).unwrap();
        written += 1;
    }
    written
}

#[test]
fn files_that_change_while_they_are_read_are_whole_or_named() {
    let home = Home::ready();
    let source = home.source("payroll");
    fill(&source, &mut Seed(9), 100, 1);
    let server = Server::ready(&home.dir());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writing = scope.spawn(|| rewrite(&source, Seed(10), &is_over));
        let asker = server.asker();
        let mut named = 0;
        for number in 0..4 {
            let ended = asker.ended(&begin(&asker, number));
            assert!(matches!(ended.status.as_str(), "COMPLETE" | "PARTIAL_COMPLETE"), "{ended:?}");
            assert_eq!(ended.status == "COMPLETE", ended.failures.is_empty(), "{ended:?}");
            named += ended.failures.len();
        }
        is_over.store(true, Ordering::Relaxed);
        println!("{} writes, {named} files named", writing.join().unwrap());
    });
    check_points(&home, "copy");
    for (path, content) in tree(&home.source("rescue")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("changing-") {
            let is_one = content.iter().all(|byte| *byte == content[0]);
            assert!(is_one, "{} is of two states", path.display());
        }
    }
    server.stop();
    settled::check_vault(&home, "main");
}
