//! What a killed restore left half-written goes also when nobody goes on with it.

use std::{fs, path::Path, time::Duration};

use crate::{
    crossvault::Home,
    proofs::{
        server::{Server, pause},
        settled,
        tree::Seed,
    },
};

/// How often a restore is killed until it was at the right moment.
const TRIES_MAX: u32 = 20;

fn has_scrap(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else { return false };
    entries.any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(".crossvault-"))
}

#[test]
fn a_restore_that_is_killed_and_then_canceled_leaves_no_half_written_file() {
    let home = Home::ready();
    fs::write(home.source("payroll").join("large.bin"), Seed(4).bytes(80_000_000)).unwrap();
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    let (point, target) = (home.only_point(), home.source("rescue"));
    for number in 0..TRIES_MAX {
        let into = format!("copy-{number}");
        let server = Server::ready(&home.dir());
        let to = ["--to", "rescue/cn-hangzhou/ecs-files/web", "--into", &into, "--detach"];
        let job = home.ok(&[&["restore", &point], &to[..]].concat());
        let id = job.as_str().unwrap();
        let asker = server.asker();
        while !has_scrap(&target.join(&into)) && !asker.job(&id.parse().unwrap()).unwrap().ended {
            pause(Duration::from_millis(1));
        }
        server.kill();
        if !has_scrap(&target.join(&into)) {
            continue;
        }
        // Nothing runs: the wish is stored, and the job's next step meets it.
        home.ok(&["jobs", "cancel", id]);
        let waited = home.ask(&["jobs", "wait", id]).exits(1);
        assert_eq!(waited.json()["value"]["status"], "CANCELED", "{waited}");
        settled::check_no_scraps(&target);
        return;
    }
    panic!("no restore was killed in the middle of a file");
}
