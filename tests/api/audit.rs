//! Every change says who made it.

use chrono::TimeDelta;
use crossvault_core::audit::Actor;
use crossvault_handlers::api::{Answer, Command};

use crate::cloud::{
    Cloud, PAYROLL, RESCUE, VAULTS, account, bind, create_vault, remove, source, update,
};

fn audit(cloud: &Cloud, owner: Option<&str>, limit: usize) -> Vec<String> {
    let Answer::Audit(records) =
        cloud.ok(Command::ListAudit { account: owner.map(account), limit })
    else {
        panic!("no audit")
    };
    for record in &records {
        match &record.who {
            Actor::Caller { account, .. } => assert_eq!(account.as_str(), VAULTS),
            Actor::Handler { name } => assert_eq!(name, "job"),
        }
    }
    records.into_iter().map(|record| record.what).collect()
}

#[test]
fn every_change_has_one_record_newest_first() {
    let cloud = Cloud::set_up();
    let nas = source(PAYROLL, "nas/fs-1");
    let steps: [(Command, &str); 4] = [
        (bind("daily", &nas), "binding.created"),
        (update("daily", "I|0|P2D"), "policy.changed"),
        (remove(PAYROLL), "account.removed"),
        (create_vault("second"), "vault.created"),
    ];
    for (command, what) in steps {
        // More than a month each: several partitions, and empty ones between.
        cloud.ports.pass(TimeDelta::days(40));
        let before = cloud.count("Audit");
        cloud.ok(command);
        let unbound = usize::from(what == "account.removed");
        assert_eq!(cloud.count("Audit"), before + 1 + unbound, "{what}");
        assert!(audit(&cloud, None, 2).contains(&what.to_owned()), "{what}");
    }
    let of_rescue = audit(&cloud, Some(RESCUE), 10);
    assert_eq!(of_rescue, ["account.added"]);
    assert_eq!(audit(&cloud, None, 1000).len(), cloud.count("Audit"));
    assert_eq!(audit(&cloud, None, 1), ["vault.created"]);
    for limit in [0, 1001] {
        cloud.refused(Command::ListAudit { account: None, limit }, "OUT_OF_BOUNDS");
    }
}

#[test]
fn more_than_a_page_of_one_month_is_listed() {
    let cloud = Cloud::set_up();
    for n in 0..230 {
        cloud.ok(create_vault(&format!("vault-{n}")));
        cloud.ports.pass(TimeDelta::seconds(1));
    }
    assert_eq!(audit(&cloud, None, 1000).len(), cloud.count("Audit"));
    assert_eq!(audit(&cloud, None, 205).len(), 205);
    let Answer::Vaults(vaults) = cloud.ok(Command::ListVaults) else { panic!("no vaults") };
    assert_eq!(vaults.len(), 231);
}
