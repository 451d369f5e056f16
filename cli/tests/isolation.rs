//! Only the backup management account sees backup data.

use crate::crossvault::Home;

#[test]
fn a_resource_account_may_ask_for_nothing() {
    let home = Home::ready();
    let web = "payroll/cn-hangzhou/ecs-files/web";
    home.ok(&["policies", "create", "nightly", "--vault", "main", "--every", "1d"]);
    home.ok(&["backup", "run", web, "--vault", "main"]);
    let point = home.only_point();
    let before = home.ok(&["audit", "--limit", "1000"]);
    for command in [
        &["status"][..],
        &["accounts", "list"],
        &["accounts", "members"],
        &["accounts", "check", "payroll"],
        &["accounts", "add", "partner", "--role", "hbr", "--consent"],
        &["accounts", "remove", "payroll"],
        &["accounts", "remove", "payroll", "--plan"],
        &["sources", "list"],
        &["vaults", "list"],
        &["vaults", "create", "mine"],
        &["vaults", "prune", "main"],
        &["vaults", "check", "main"],
        &["vaults", "export-key", "main", "--to", "-"],
        &["policies", "list"],
        &["policies", "create", "mine", "--vault", "main", "--every", "1d"],
        &["policies", "update", "nightly", "--every", "2d"],
        &["policies", "delete", "nightly"],
        &["bindings", "list"],
        &["bindings", "add", "nightly", web],
        &["bindings", "remove", "nightly", web],
        &["backup", "run", web, "--vault", "main"],
        &["jobs", "list"],
        &["points", "list"],
        &["points", "browse", &point],
        &["points", "delete", &point, "--yes"],
        &["restore", &point, "--to", web],
        &["audit"],
        &["alerts"],
    ] {
        home.fails(&[&["--as", "payroll"], command].concat(), 3, "NOT_PERMITTED");
    }
    assert_eq!(home.only_point(), point);
    assert_eq!(home.ok(&["audit", "--limit", "1000"]), before, "nothing was changed");
}
