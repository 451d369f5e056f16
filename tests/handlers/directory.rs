//! Events of the cloud's audit trail: what each makes Crossvault look at, and what is told then.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    alert::Alert,
    grant::{Grant, Method, Standing},
    ids::{AccountId, Region},
    offboarding::RunningJobs,
};
use crossvault_handlers::{
    api::Command,
    directory::{self, EventError, Looked},
    ports::{Clock, PortError, Store, Transaction},
    records::{Dependent, GrantRef, GrantRow, Key, Record, Support},
};
use serde_json::{Value, json};

use crate::{
    stage::Stage,
    words::{MEMBER, PAYROLL, RESCUE, ROLE, VAULTS, account, bind, pause, region, source},
};

/// A second member, added through the directory like the first.
const SECOND: &str = "1000000000000015";

/// An event of a trail as it comes.
#[expect(clippy::needless_pass_by_value, reason = "values are made where they are used")]
fn event(account: &str, service: &str, name: &str, parameters: Value) -> String {
    json!({
        "specversion": "1.0", "id": "x", "source": "acs.ram", "type": "ram:ActionTrail:ApiCall",
        "data": {
            "eventId": format!("{account}/{name}/{parameters}"), "eventName": name,
            "eventTime": "2026-03-02T11:50:00Z", "recipientAccountId": account,
            "requestParameters": parameters, "serviceName": service,
        }
    })
    .to_string()
}

pub fn of_role(owner: &str, name: &str) -> String {
    event(owner, "Ram", name, json!({"RoleName": ROLE}))
}

/// The management account's service-linked role is gone.
pub fn of_own_role() -> String {
    let own = json!({"RoleName": "AliyunServiceRoleForHbrCrossAccountBackup"});
    event(VAULTS, "Ram", "DeleteServiceLinkedRole", own)
}

fn of_directory(name: &str, parameters: Value) -> String {
    event(VAULTS, "ResourceManager", name, parameters)
}

fn added(owner: &str, region: &str, method: Method) -> Command {
    Command::AddAccount {
        account: account(owner),
        region: region.parse().unwrap(),
        method,
        alias: String::new(),
        consent: true,
    }
}

/// Accounts added by role, of which one in two regions, and by directory. Payroll lies in folder
/// `fd-1`, rescue beside it, and control policies are on.
fn stage() -> Stage {
    let stage = Stage::new();
    {
        let mut state = stage.state();
        state.cloud.is_organized = true;
        for (owner, above) in [(PAYROLL, vec!["r-1", "fd-1"]), (RESCUE, vec!["r-1"])] {
            let above = above.into_iter().map(str::to_owned).collect();
            state.cloud.folders.insert(account(owner), above);
        }
    }
    let role = Method::Role { name: ROLE.parse().unwrap() };
    stage.ok(added(PAYROLL, "cn-shanghai", role));
    for owner in [MEMBER, SECOND] {
        stage.ok(added(owner, "cn-hangzhou", Method::Directory));
    }
    // The first two were added before control policies were on.
    stage.hint(&of_directory("EnableControlPolicy", json!({})));
    stage.settle();
    stage.sweep();
    stage
}

/// Lets everything be wrong in the cloud: whatever is looked at is broken.
fn wreck(stage: &Stage) {
    let mut state = stage.state();
    state.cloud.roles.values_mut().for_each(|role| role.exists = false);
    state.cloud.served.clear();
}

fn grant(stage: &Stage, owner: &str) -> Grant {
    match stage.record(&Key::grant(&region(), &account(owner))) {
        Some(Record::Grant(GrantRow(grant))) => grant,
        other => panic!("no grant: {other:?}"),
    }
}

fn standing(stage: &Stage, owner: &str) -> Standing {
    grant(stage, owner).standing.unwrap()
}

/// The grants that are stored as broken.
fn broken(stage: &Stage) -> BTreeSet<String> {
    let of = |record: Record| match record {
        Record::Grant(GrantRow(grant)) if grant.standing.as_ref()?.broken.is_some() => {
            Some(format!("{}/{}", grant.account, grant.region))
        }
        _ => None,
    };
    stage.records().into_iter().filter_map(of).collect()
}

/// What was told of grants, by time and grant: the outbox keeps no order.
fn told(stage: &Stage) -> Vec<Alert> {
    let state = stage.state();
    let alerts = state.alerts.iter().map(|(_, alert)| alert.clone());
    let mut alerts: Vec<Alert> = alerts.filter(|alert| alert.grant.is_some()).collect();
    alerts.sort_by_key(|alert| {
        (alert.at, alert.account.clone(), alert.grant.as_ref().map(|grant| grant.region.clone()))
    });
    alerts
}

fn kinds(stage: &Stage) -> Vec<String> {
    told(stage).into_iter().map(|alert| alert.kind).collect()
}

const PAYROLL_HERE: &str = "1000000000000012/cn-hangzhou";
const PAYROLL_THERE: &str = "1000000000000012/cn-shanghai";
const RESCUE_HERE: &str = "1000000000000013/cn-hangzhou";
const MEMBER_HERE: &str = "1000000000000014/cn-hangzhou";
const SECOND_HERE: &str = "1000000000000015/cn-hangzhou";

#[track_caller]
fn touches(event: &str, expected: &[&str]) {
    let stage = stage();
    wreck(&stage);
    stage.hint(event);
    stage.settle();
    assert_eq!(broken(&stage), expected.iter().map(|&grant| grant.to_owned()).collect(), "{event}");
    assert_eq!(told(&stage).len(), expected.len(), "each is told once");
    stage.sweep();
}

#[test]
fn an_event_of_a_role_touches_the_grants_by_it() {
    let both = [PAYROLL_HERE, PAYROLL_THERE];
    for name in ["DeleteRole", "CreateRole", "UpdateRole", "DetachPolicyFromRole"] {
        touches(&of_role(PAYROLL, name), &both);
    }
    let in_capitals = json!({"RoleName": "HBRCrossRole"});
    touches(&event(PAYROLL, "ResourceManager", "AttachPolicyToRole", in_capitals), &both);
    let of_group = json!({"PrincipalType": "ServiceRole", "PrincipalName": "hbrcrossrole@role.x"});
    touches(&event(PAYROLL, "ResourceManager", "DetachPolicy", of_group), &both);
    touches(&event(PAYROLL, "Ram", "DeleteRole", json!({"RoleName": "another"})), &[]);
    touches(&of_role(MEMBER, "DeleteRole"), &[]);
    touches(&of_role(VAULTS, "DeleteRole"), &[]);
}

#[test]
fn an_event_of_a_policy_touches_the_accounts_grants_by_role() {
    let policy = json!({"PolicyName": "backups", "SetAsDefault": true});
    for name in ["CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"] {
        let of = |owner| event(owner, "Ram", name, policy.clone());
        touches(&of(PAYROLL), &[PAYROLL_HERE, PAYROLL_THERE]);
        touches(&of(MEMBER), &[]);
    }
}

#[test]
fn an_event_of_a_service_linked_role_touches_what_is_entered_by_it() {
    let of = |owner, role: &str| {
        event(owner, "Ram", "DeleteServiceLinkedRole", json!({"RoleName": role}))
    };
    touches(&of(MEMBER, "AliyunServiceRoleForHbrRd"), &[MEMBER_HERE]);
    touches(&of(PAYROLL, "AliyunServiceRoleForHbrRd"), &[]);
    let own = "AliyunServiceRoleForHbrCrossAccountBackup";
    touches(&of(VAULTS, own), &[PAYROLL_HERE, PAYROLL_THERE, RESCUE_HERE]);
    touches(&of(PAYROLL, own), &[]);
}

#[test]
fn an_event_of_a_member_touches_its_grants() {
    let of = |name, member: &str| of_directory(name, json!({"AccountId": member}));
    touches(&of("RemoveCloudAccount", MEMBER), &[MEMBER_HERE]);
    // Control policies bore on the role; they do no more.
    touches(&of("DeleteAccount", RESCUE), &[RESCUE_HERE]);
    // They spare service-linked roles, wherever the member is.
    touches(&of("MoveAccount", MEMBER), &[]);
    touches(&of("MoveAccount", RESCUE), &[RESCUE_HERE]);
    let joined = json!({"HandshakeId": "h-1"});
    touches(&event(SECOND, "ResourceManager", "AcceptHandshake", joined), &[SECOND_HERE]);
    touches(&of("RemoveCloudAccount", VAULTS), &[MEMBER_HERE, SECOND_HERE]);
}

#[test]
fn an_event_of_the_offices_touches_the_grants_by_directory() {
    let of = |who: &str| json!({"AccountId": who, "ServicePrincipal": "hbr.aliyuncs.com"});
    let name = "DeregisterDelegatedAdministrator";
    touches(&of_directory(name, of(VAULTS)), &[MEMBER_HERE, SECOND_HERE]);
    touches(&of_directory(name, of(RESCUE)), &[]);
    touches(&of_directory("DestroyResourceDirectory", json!({})), &[MEMBER_HERE, SECOND_HERE]);
}

#[test]
fn an_event_of_control_policies_touches_the_grants_by_role_below() {
    let at = |node: &str| of_directory("AttachControlPolicy", json!({"TargetId": node}));
    let by_role = [PAYROLL_HERE, PAYROLL_THERE, RESCUE_HERE];
    touches(&at("fd-1"), &[PAYROLL_HERE, PAYROLL_THERE]);
    touches(&at("r-1"), &by_role);
    touches(&at("fd-2"), &[]);
    touches(&at(RESCUE), &[RESCUE_HERE]);
    touches(&at(MEMBER), &[]);
    touches(&of_directory("DisableControlPolicy", json!({})), &by_role);
    let update = |policy: &str| of_directory("UpdateControlPolicy", json!({"PolicyId": policy}));
    touches(&update("cp-deny"), &[]);
    touches(&update("cp-gone"), &[]);
    let stage = stage();
    stage.state().cloud.denying.insert("fd-1".to_owned());
    stage.hint(&update("cp-deny"));
    stage.settle();
    assert_eq!(broken(&stage), [PAYROLL_HERE, PAYROLL_THERE].map(str::to_owned).into());
    let causes = standing(&stage, PAYROLL).broken.unwrap();
    assert!(causes.to_string().contains("fd-1"), "{causes}");
}

#[test]
fn what_is_no_hint_touches_nothing_and_reads_nothing() {
    let stage = stage().fork(&[]);
    let failed = of_role(PAYROLL, "DeleteRole")
        .replace("\"eventName\"", "\"errorCode\":\"NoPermission\",\"eventName\"");
    for event in [failed, of_role(PAYROLL, "CreateUser")] {
        stage.hint(&event);
    }
    let stop_at = DateTime::<Utc>::MAX_UTC;
    let refused = stage.run(directory::run(&stage, "{}", stop_at));
    assert!(matches!(refused, Err(EventError::Invalid(_))), "{refused:?}");
    assert_eq!(stage.state().calls, Vec::<&str>::new());
}

/// The order and number of events do not matter, since none is believed.
#[test]
fn events_late_repeated_and_out_of_order_end_in_the_truth() {
    let stage = stage();
    let deleted = of_role(PAYROLL, "DeleteRole");
    let created = of_role(PAYROLL, "CreateRole");
    // The role was deleted and made again before anybody heard of either.
    for event in [&created, &deleted, &deleted, &created] {
        stage.hint(event);
    }
    assert_eq!(told(&stage), vec![]);
    stage.state().cloud.role(&account(PAYROLL)).exists = false;
    // Only the older event comes.
    stage.hint(&created);
    stage.hint(&created);
    stage.settle();
    assert_eq!(broken(&stage), [PAYROLL_HERE, PAYROLL_THERE].map(str::to_owned).into());
    assert_eq!(kinds(&stage), ["crossvault.grant.broken"; 2]);
}

#[test]
fn an_alert_names_the_bindings_and_their_next_slots_and_a_repair_clears_it() {
    let stage = stage();
    for n in 1..=22 {
        stage.ok(bind("daily", &source(PAYROLL, n)));
    }
    stage.ok(pause("daily", &source(PAYROLL, 3), true));
    stage.ok(bind("daily", &source(RESCUE, 1)));
    stage.state().cloud.role(&account(PAYROLL)).trusts = false;
    stage.pass(TimeDelta::minutes(5));
    stage.hint(&of_role(PAYROLL, "UpdateRole"));
    stage.drain();
    let [here, there] = told(&stage).try_into().unwrap();
    let about = here.grant.unwrap();
    assert_eq!((here.code.as_str(), about.causes.len()), ("TRUST_MISSING", 1));
    assert_eq!(about.causes[0].code, "TRUST_MISSING");
    assert!(here.remedy.contains("trust policy"), "{}", here.remedy);
    assert_eq!((about.at_risk.bindings.len(), about.at_risk.others), (20, 2));
    for named in &about.at_risk.bindings {
        assert_eq!(named.source.account, account(PAYROLL));
        assert_eq!(named.next, Some(crate::words::at("03T02:00:00")));
        assert_eq!(named.policy, "daily");
        assert_ne!(named.source, source(PAYROLL, 3), "it is paused");
    }
    assert!(
        there.grant.unwrap().at_risk.bindings.is_empty(),
        "nothing is bound in the other region"
    );
    let since = standing(&stage, PAYROLL).since;
    assert_eq!(since, stage.now());

    stage.pass(TimeDelta::minutes(5));
    stage.state().cloud.role(&account(PAYROLL)).trusts = true;
    stage.hint(&of_role(PAYROLL, "UpdateRole"));
    stage.drain();
    assert_eq!(broken(&stage), BTreeSet::new());
    assert_eq!(kinds(&stage)[2..], ["crossvault.grant.mended"; 2]);
    assert_eq!(
        (standing(&stage, PAYROLL).revision, standing(&stage, PAYROLL).since),
        (2, stage.now())
    );
    stage.sweep();
}

/// What the bound sources do not need may be missing; nothing bound needs one type at least.
#[test]
fn a_grant_is_judged_by_what_is_bound() {
    let stage = stage();
    stage.ok(bind("daily", &source(PAYROLL, 1)));
    stage.state().cloud.role(&account(PAYROLL)).permits = false;
    stage.hint(&of_role(PAYROLL, "DetachPolicyFromRole"));
    let causes: Vec<_> = standing(&stage, PAYROLL).broken.unwrap().into();
    // Finding and backing up a file system, and nothing of instances.
    assert!(causes.iter().all(|cause| cause.to_string().contains("nas")), "{causes:?}");
    assert_eq!(causes.len(), 2);
}

/// Two looks at once: the older sight may be stored last, but then its looker looks again.
#[test]
fn a_sight_that_is_older_than_the_truth_does_not_stay() {
    let stage = stage();
    stage.state().cloud.role(&account(PAYROLL)).exists = false;
    stage.before("commit", 1, |stage| {
        // The role comes back; its event is seen to, and finds nothing to store.
        stage.state().cloud.role(&account(PAYROLL)).exists = true;
        let stop_at = DateTime::<Utc>::MAX_UTC;
        let event = of_role(PAYROLL, "CreateRole");
        let looked = stage.run(directory::run(stage, &event, stop_at)).unwrap();
        assert_eq!(looked, Looked { grants: 2, broken: 0, mended: 0 });
    });
    stage.hint(&of_role(PAYROLL, "DeleteRole"));
    stage.settle();
    assert_eq!(broken(&stage), BTreeSet::new());
    let kinds: BTreeSet<String> = kinds(&stage).into_iter().collect();
    assert_eq!(kinds, ["broken", "mended"].map(|news| format!("crossvault.grant.{news}")).into());
}

#[test]
fn a_passing_failure_of_one_grant_keeps_no_other_from_being_looked_at() {
    let stage = stage();
    wreck(&stage);
    stage.fail("assume", PortError::Throttled, 1);
    let event = of_role(PAYROLL, "DeleteRole");
    let stop_at = DateTime::<Utc>::MAX_UTC;
    let failed = stage.run(directory::run(&stage, &event, stop_at));
    assert!(matches!(failed, Err(EventError::Port(PortError::Throttled))), "{failed:?}");
    assert_eq!(broken(&stage), [PAYROLL_THERE.to_owned()].into());
    stage.hint(&event);
    assert_eq!(broken(&stage), [PAYROLL_HERE, PAYROLL_THERE].map(str::to_owned).into());
}

#[test]
fn a_grant_that_moves_is_found_by_its_new_folder_only() {
    let stage = stage();
    let above = vec!["r-1".to_owned(), "fd-2".to_owned()];
    stage.state().cloud.folders.insert(account(PAYROLL), above);
    stage.hint(&of_directory("MoveAccount", json!({"AccountId": PAYROLL})));
    stage.sweep();
    assert_eq!(told(&stage), vec![], "a move is no news");
    wreck(&stage);
    let at = |node: &str| of_directory("AttachControlPolicy", json!({"TargetId": node}));
    stage.hint(&at("fd-1"));
    stage.settle();
    assert_eq!(broken(&stage), BTreeSet::new());
    stage.hint(&at("fd-2"));
    stage.settle();
    assert_eq!(broken(&stage), [PAYROLL_HERE, PAYROLL_THERE].map(str::to_owned).into());
    let (account, region, jobs) = (account(PAYROLL), region(), RunningJobs::Finish);
    let removal = Command::RemoveAccount { account, region, jobs };
    stage.ok(removal);
    stage.sweep();
}

/// A further grant by role, below these nodes.
fn put_grant(transaction: &mut Transaction, n: u64, nodes: &[&str], now: DateTime<Utc>) {
    let id: AccountId = format!("2{n:015}").parse().unwrap();
    let region: Region = region();
    let nodes: Vec<String> = nodes.iter().map(|&node| node.to_owned()).collect();
    let supports = nodes.iter().map(|node| Support::Node(node.as_str().into()));
    for on in supports.chain([Support::ServiceRole]) {
        transaction.create(Dependent { on, account: id.clone(), region: region.clone() }.into());
    }
    transaction.create(GrantRef { account: id.clone(), region: region.clone() }.into());
    let standing = Standing { since: now, revision: 0, broken: None, nodes };
    transaction.create(
        GrantRow(Grant {
            account: id,
            region,
            method: Method::Role { name: ROLE.parse().unwrap() },
            alias: String::new(),
            added: now,
            standing: Some(standing),
        })
        .into(),
    );
}

/// The calls of an event that touches the last 10 of so many grants.
fn calls_among(grants: u64) -> Vec<&'static str> {
    let stage = Stage::new();
    stage.state().cloud.is_organized = true;
    for n in 0..grants {
        let nodes = if n + 10 < grants { ["r-1", "fd-1"] } else { ["r-1", "fd-2"] };
        let mut transaction = Transaction::default();
        put_grant(&mut transaction, n, &nodes, stage.now());
        stage.run(stage.commit(transaction)).unwrap();
        let id = format!("2{n:015}").parse().unwrap();
        stage.state().cloud.open(&id);
        stage.state().cloud.folders.insert(id, nodes.map(str::to_owned).to_vec());
    }
    stage.sweep();
    let stage = stage.fork(&[]);
    stage.state().cloud.denying.insert("fd-2".to_owned());
    stage.hint(&of_directory("AttachControlPolicy", json!({"TargetId": "fd-2"})));
    stage.settle();
    assert_eq!(broken(&stage).len(), 10);
    assert_eq!(told(&stage).len(), 10);
    std::mem::take(&mut stage.state().calls)
}

/// The cost is in proportion to what an event touches: the same calls among 20 grants and among
/// 10,000.
#[test]
fn an_event_costs_what_it_touches() {
    let few = calls_among(20);
    assert_eq!(few.iter().filter(|&&call| call == "control_policies").count(), 20, "twice each");
    assert!(few.len() < 10 * 40, "{} calls for 10 grants", few.len());
    assert_eq!(calls_among(10_000).len(), few.len());
}

/// More grants than one message sees to, and no time left: the rest is a further message.
#[test]
fn what_is_too_much_for_one_invocation_goes_on_in_another() {
    let stage = Stage::new();
    for n in 0..120 {
        let mut transaction = Transaction::default();
        put_grant(&mut transaction, n, &[], stage.now());
        stage.run(stage.commit(transaction)).unwrap();
    }
    stage.state().limit = TimeDelta::zero();
    stage.hint(&of_own_role());
    stage.settle();
    // None of them has a role, and those of the stage stand.
    assert_eq!(broken(&stage).len(), 120);
    stage.sweep();
}
