//! The home directory: made whole, held by one, told apart from what is none.

use std::{fs, os::unix::fs::PermissionsExt, process};

use crossvault_core::explain::Explain;
use crossvault_embedded::home::{Home, HomeError};

use crate::place::folder;

#[test]
fn a_home_is_made_once_and_opened_again() {
    let dir = folder();
    let path = dir.path().join("deep/.crossvault");
    assert_eq!(Home::open(&path).unwrap_err().code(), "HOME_MISSING");
    assert!(!path.exists(), "looking makes nothing");

    let home = Home::begin(&path).unwrap().complete().unwrap();
    home.store().unwrap().close();
    drop(home);
    assert_eq!(Home::begin(&path).err().unwrap().code(), "HOME_EXISTS");

    let home = Home::open(&path).unwrap();
    home.store().unwrap().close();
    for folder in [home.dir(), &home.vaults(), &home.keys()] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(fs::metadata(home.state()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn places_are_where_the_page_says() {
    let dir = folder();
    let home = Home::begin(&dir.path().join("h")).unwrap().complete().unwrap();
    let vault = "v-00000000000000000000".parse().unwrap();
    let source = "1000000000000012/cn-hangzhou/ecs-files/i-web.1".parse().unwrap();
    let below = |path: std::path::PathBuf| {
        path.strip_prefix(home.dir()).unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(below(home.vault(&vault)), "vaults/v-00000000000000000000");
    assert_eq!(
        below(home.source(&source)),
        "accounts/1000000000000012/cn-hangzhou/ecs-files/i-web.1"
    );
    assert_eq!(below(home.socket()), "api.sock");
}

#[test]
fn a_second_one_is_told_who_holds_it() {
    let dir = folder();
    let path = dir.path().join("h");
    let home = Home::begin(&path).unwrap().complete().unwrap();
    for error in [Home::open(&path).unwrap_err(), Home::open(&path).unwrap_err()] {
        let HomeError::Held { ref holder, .. } = error else { panic!("{error}") };
        assert_eq!(holder.pid, Some(process::id()));
        assert!(holder.command.contains("conformance"), "{}", holder.command);
        assert_eq!(error.code(), "HOME_HELD");
        assert!(error.remedy().contains(&process::id().to_string()));
    }
    drop(home);
    drop(Home::open(&path).unwrap());
    assert_eq!(fs::read_to_string(path.join("lock")).unwrap(), "", "nobody holds it any more");
}

#[test]
fn what_a_crash_left_half_made_is_completed() {
    let dir = folder();
    let path = dir.path().join("h");
    fs::create_dir_all(path.join("vaults")).unwrap();
    fs::write(path.join("lock"), "99999\ncrossvault init\n").unwrap();
    fs::write(path.join("state.sqlite.new"), "half").unwrap();
    fs::write(path.join("state.sqlite.new-wal"), "half").unwrap();
    assert_eq!(Home::open(&path).unwrap_err().code(), "HOME_MISSING");
    let home = Home::begin(&path).unwrap().complete().unwrap();
    home.store().unwrap().close();
    let left: Vec<_> = fs::read_dir(&path).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().contains(".new")), "{left:?}");
}

#[test]
fn a_home_that_was_begun_and_not_completed_is_none() {
    let dir = folder();
    let path = dir.path().join("h");
    let begun = Home::begin(&path).unwrap();
    assert_eq!(Home::begin(&path).err().unwrap().code(), "HOME_HELD");
    drop(begun);
    assert_eq!(Home::open(&path).unwrap_err().code(), "HOME_MISSING");
    drop(Home::begin(&path).unwrap().complete().unwrap());
    Home::open(&path).unwrap().store().unwrap().close();
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let dir = folder();
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = Home::begin(dir.path()).err().unwrap();
    assert_eq!(error.code(), "HOME_OCCUPIED");
    assert!(error.to_string().contains("letter.txt"), "{error}");
    assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn vaults_without_their_state_are_damage_not_absence() {
    let dir = folder();
    let path = dir.path().join("h");
    let home = Home::begin(&path).unwrap().complete().unwrap();
    let vault = "v-00000000000000000000".parse().unwrap();
    fs::create_dir(home.vault(&vault)).unwrap();
    let state = home.state();
    drop(home);
    fs::remove_file(&state).unwrap();
    assert_eq!(Home::open(&path).unwrap_err().code(), "STATE_DAMAGED");
}
