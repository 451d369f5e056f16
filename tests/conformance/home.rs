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

    let home = Home::create(&path).unwrap();
    home.store().unwrap().close();
    drop(home);
    assert_eq!(Home::create(&path).unwrap_err().code(), "HOME_EXISTS");

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
    let home = Home::create(&dir.path().join("h")).unwrap();
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
    let home = Home::create(&path).unwrap();
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
    assert_eq!(Home::open(&path).unwrap_err().code(), "HOME_MISSING");
    let home = Home::create(&path).unwrap();
    home.store().unwrap().close();
    assert!(!path.join("state.sqlite.new").exists());
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let dir = folder();
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = Home::create(dir.path()).unwrap_err();
    assert_eq!(error.code(), "HOME_OCCUPIED");
    assert!(error.to_string().contains("letter.txt"), "{error}");
    assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn vaults_without_their_state_are_damage_not_absence() {
    let dir = folder();
    let path = dir.path().join("h");
    let home = Home::create(&path).unwrap();
    let vault = "v-00000000000000000000".parse().unwrap();
    fs::create_dir(home.vault(&vault)).unwrap();
    let state = home.state();
    drop(home);
    fs::remove_file(&state).unwrap();
    assert_eq!(Home::open(&path).unwrap_err().code(), "STATE_DAMAGED");
}
