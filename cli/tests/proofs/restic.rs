//! A stock `restic` lists, restores and checks what Crossvault wrote.

use std::{fs, path::Path};

use serde_json::Value;

use super::{
    settled::{self, Restic},
    tree::{Seed, odd},
};
use crate::crossvault::Home;

/// How many entries lie below a folder.
fn entries(folder: &Path) -> usize {
    let below = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        1 + if entry.file_type().unwrap().is_dir() { entries(&entry.path()) } else { 0 }
    });
    below.sum()
}

#[test]
fn a_stock_restic_lists_restores_and_checks_a_vault() {
    let home = Home::ready();
    let source = home.source("payroll");
    odd(&source, &mut Seed(7));
    let run = ["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"];
    let job = home.ok(&run);
    assert_eq!((&job["status"], &job["progress"]["failed"]), (&"COMPLETE".into(), &0.into()));
    // A second point, so that there is something to tell apart.
    home.ok(&run);
    let Some(restic) = Restic::of(&home, "main") else { return };

    let snapshots: Value = serde_json::from_str(&restic.run(&["snapshots", "--json"])).unwrap();
    let snapshots = snapshots.as_array().unwrap();
    let points = home.ok(&["points", "list"]);
    let points = points.as_array().unwrap();
    assert_eq!((snapshots.len(), points.len()), (2, 2));
    for point in points {
        let name = point["snapshot"].as_str().unwrap();
        let snapshot = snapshots.iter().find(|one| one["id"] == name).unwrap();
        let said = snapshot.to_string();
        for word in [point["job"].as_str().unwrap(), "1000000000000012", "ecs-files"] {
            assert!(said.contains(word), "{word}: {said}");
        }

        let listed = restic.run(&["ls", "--json", name]);
        let listed = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let nodes = listed.filter(|line| line["struct_type"] == "node").count();
        assert_eq!(nodes, entries(&source));

        let target = home.beside(&format!("restic-{name}"));
        restic.run(&["restore", name, "--target", target.to_str().unwrap()]);
        settled::check_equal(&source, &target);
    }
    restic.run(&["check", "--read-data"]);

    // Our own restore gives the same.
    let point = points[0]["id"].as_str().unwrap();
    home.ok(&["restore", point, "--to", "rescue/cn-hangzhou/ecs-files/web", "--into", "copy"]);
    settled::check_equal(&source, &home.source("rescue").join("copy"));
}
