//! A home that was half made when its maker was killed.

use std::{
    process::{Command as Program, Stdio},
    time::Duration,
};

use crate::{
    crossvault::{BACKUP, Home},
    proofs::{server::pause, tree::Seed},
};

#[test]
fn a_home_whose_making_was_killed_is_made_by_the_next_try() {
    let mut seed = Seed(12);
    for _ in 0..16 {
        let home = Home::none();
        let mut program = Program::new(env!("CARGO_BIN_EXE_crossvault"));
        program.args(["init", "--management", BACKUP]).env("CROSSVAULT_HOME", home.dir());
        let mut child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        pause(Duration::from_micros(seed.below(60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let again = home.ask(&["init", "--management", BACKUP]);
        if again.exit != 0 {
            assert_eq!(again.json()["error"]["code"], "HOME_EXISTS", "{again}");
        }
        home.ok(&["status"]);
        home.ok(&["vaults", "create", "main"]);
    }
}
