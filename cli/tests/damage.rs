//! Homes and vaults that are damaged, or of a newer version.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::PathBuf,
};

use crate::crossvault::{Home, tree};

/// The packs of the only vault.
fn packs(home: &Home) -> Vec<PathBuf> {
    let vaults = home.dir().join("vaults");
    let files = tree(&vaults).into_iter().map(|(path, _)| vaults.join(path));
    files.filter(|path| path.components().any(|part| part.as_os_str() == "data")).collect()
}

fn backed_up() -> Home {
    let home = Home::ready();
    home.write("payroll", "data/big.bin", &"0123456789abcdef".repeat(10_000));
    home.ok(&["--account", "payroll", "backup", "run", "ecs-files/web", "--vault", "main"]);
    home
}

#[test]
fn a_damaged_state_file_is_told_and_left_as_it_is() {
    let home = backed_up();
    let state = home.dir().join("state.sqlite");
    let whole = fs::read(&state).unwrap();
    let damaged = vec![b'x'; 4_096];
    fs::write(&state, &damaged).unwrap();
    for arguments in [&["status"][..], &["points", "list"], &["up"]] {
        home.fails(arguments, 5, "STATE_DAMAGED");
    }
    assert_eq!(fs::read(&state).unwrap(), damaged);
    fs::write(&state, whole).unwrap();
    home.only_point();
}

#[test]
fn a_home_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    let state = home.dir().join("state.sqlite");
    // SQLite keeps the version of the schema at byte 60, the most significant byte first.
    let mut file = OpenOptions::new().write(true).open(&state).unwrap();
    file.seek(SeekFrom::Start(60)).unwrap();
    file.write_all(&9_999_u32.to_be_bytes()).unwrap();
    drop(file);
    let before = fs::read(&state).unwrap();
    home.fails(&["status"], 5, "HOME_NEWER");
    home.fails(&["up"], 5, "HOME_NEWER");
    assert_eq!(fs::read(&state).unwrap(), before);
}

#[test]
fn a_vault_with_a_flipped_or_missing_pack_is_named() {
    let home = backed_up();
    home.run(&["vaults", "check", "main", "--read-data"]).exits(0);
    for pack in packs(&home) {
        let whole = fs::read(&pack).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0xff;
        let name = pack.file_name().unwrap().to_str().unwrap().to_owned();
        fs::remove_file(&pack).unwrap();
        let missing = home.run(&["vaults", "check", "main"]).exits(6);
        assert!(missing.stdout.contains(&name), "{missing}");
        fs::write(&pack, flipped).unwrap();
        let damaged = home.run(&["vaults", "check", "main", "--read-data"]).exits(6);
        assert!(damaged.stdout.contains(&name), "{damaged}");
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, whole).unwrap();
    }
    home.run(&["vaults", "check", "main", "--read-data"]).exits(0);
}

#[test]
fn a_vault_without_its_key_is_not_opened() {
    let home = backed_up();
    let keys = home.dir().join("keys");
    let away = home.beside("keys-away");
    fs::rename(&keys, &away).unwrap();
    let point = home.only_point();
    let ran = home.ask(&["points", "browse", &point]);
    assert!(ran.exit == 6, "{ran}");
    assert!(ran.json()["error"]["remedy"].as_str().unwrap().len() > 5);
    let check = home.ask(&["vaults", "check", "main"]).exits(6);
    assert!(check.json()["error"]["code"].is_string(), "{check}");
    fs::remove_dir_all(&keys).unwrap();
    fs::rename(&away, &keys).unwrap();
    home.ok(&["points", "browse", &point]);
}
