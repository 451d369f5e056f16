//! Stock restic reads our vaults. Only where it is installed, as in CI.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use super::{Home, order, tree};

const PASSWORD: &str = "correct horse";

fn restic(vault: &Path, arguments: &[&str]) -> Option<Output> {
    let ran = Command::new("restic")
        .args(["--no-cache", "--repo"])
        .arg(vault)
        .args(arguments)
        .env("RESTIC_PASSWORD", PASSWORD)
        .output();
    ran.ok()
}

#[test]
fn stock_restic_checks_and_restores_a_vault_that_got_a_password() {
    let home = Home::new();
    let sealed = home.sealed(&order(1), &tree());
    let alone = home.vault.leases().exclude();
    home.vault.add_password(&alone, PASSWORD).unwrap();
    drop(alone);
    assert_eq!(fs::read_dir(home.path().join("keys")).unwrap().count(), 1);
    // The vault still opens with its own key.
    assert_eq!(home.reopened().find(&order(1).job), Ok(Some(sealed.clone())));

    let Some(checked) = restic(&home.path(), &["check", "--read-data"]) else {
        println!("restic is not installed: only half of this was tested");
        return;
    };
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.contains("no errors were found"), "{checked:?}");
    let master = restic(&home.path(), &["cat", "masterkey"]).unwrap().stdout;
    let master: serde_json::Value = serde_json::from_slice(&master).unwrap();
    let own: serde_json::Value = serde_json::from_str(home.key.json()).unwrap();
    // `r` is not compared: some of its bits have no meaning, and restic clears them.
    assert_eq!((&master["encrypt"], &master["mac"]["k"]), (&own["encrypt"], &own["mac"]["k"]));

    let target = home.folder.path().join("restored");
    let snapshot = sealed.snapshot.to_string();
    let restored =
        restic(&home.path(), &["restore", &snapshot, "--target", target.to_str().unwrap()]);
    assert!(restored.unwrap().status.success());
    for (entry, content) in tree().files() {
        let path = target.join(&entry.path);
        if entry.kind == crate::files::entry::EntryKind::Directory {
            assert!(path.is_dir(), "{path:?}");
        } else {
            assert!(fs::read(&path).unwrap() == *content, "{path:?}");
        }
    }
    // restic's own backups beside ours are no recovery points.
    let file = home.folder.path().join("restored/z");
    assert!(restic(&home.path(), &["backup", file.to_str().unwrap()]).unwrap().status.success());
    assert_eq!(home.vault.sealed().unwrap().len(), 1);
    assert_eq!(home.vault.check(true), Ok(vec![]));
}
