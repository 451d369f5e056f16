//! The events that deeds leave.

use serde_json::{Value, json};

use super::*;

/// Does it and returns its events as JSON, each with the account whose trail has it.
#[track_caller]
fn told(world: &mut World, by: &str, deed: Deed) -> Vec<(AccountId, Value)> {
    let command = Command { by: id(by), deed };
    let (_, changes) = decide(world, now(), command.clone()).unwrap();
    let events = events(world, now(), &command, &changes);
    for change in &changes {
        world.absorb(change);
    }
    let read = |event: Event| (event.account, serde_json::from_str(&event.json).unwrap());
    events.into_iter().map(read).collect()
}

/// Asserts that a deed leaves one event in that account's trail.
#[track_caller]
fn check(world: &mut World, by: &str, deed: Deed, account: &str, expected: (&str, Value)) {
    let events = told(world, by, deed);
    let told: Vec<_> = events
        .into_iter()
        .map(|(account, mut event)| {
            let data = &mut event["data"];
            assert_eq!(data["recipientAccountId"], account.as_str());
            let operation = data["eventName"].as_str().unwrap().to_owned();
            (account, operation, data["requestParameters"].take())
        })
        .collect();
    let (operation, parameters) = expected;
    assert_eq!(told, [(id(account), operation.to_owned(), parameters)]);
}

#[test]
fn an_event_is_a_cloud_event_around_a_trails() {
    let mut world = role_way();
    let deed = detach("hbrcrossrole", "AliyunHBRRolePolicy");
    let mut events = told(&mut world, PAYROLL, deed);
    let (account, mut event) = events.remove(0);
    assert_eq!((account, events), (id(PAYROLL), vec![]));
    let event_id = event["id"].as_str().unwrap().to_owned();
    assert!(event_id.starts_with("ev-"), "{event_id}");
    assert_eq!(event["data"]["eventId"], event_id);
    let data = event["data"].take();
    let envelope = json!({
        "specversion": "1.0", "id": event_id, "source": "acs.ram",
        "type": "ram:ActionTrail:ApiCall",
        "subject": "acs:ram:cn-hangzhou:1000000000000002:DetachPolicyFromRole",
        "time": "2026-11-23T12:00:00Z", "datacontenttype": "application/json;charset=utf-8",
        "aliyunaccountid": PAYROLL, "aliyunregionid": "cn-hangzhou",
        "aliyunpublishtime": "2026-11-23T12:00:00Z", "aliyuneventbusname": "default", "data": null,
    });
    assert_eq!(event, envelope);
    for (member, expected) in [
        ("eventName", json!("DetachPolicyFromRole")),
        ("serviceName", json!("Ram")),
        ("eventSource", json!("ram.aliyuncs.com")),
        ("apiVersion", json!("2015-05-01")),
        ("eventTime", json!("2026-11-23T12:00:00Z")),
        ("eventType", json!("ApiCall")),
        ("recipientAccountId", json!(PAYROLL)),
        (
            "requestParameters",
            json!({
                "PolicyType": "System", "PolicyName": "AliyunHBRRolePolicy",
                "RoleName": "hbrcrossrole",
            }),
        ),
    ] {
        assert_eq!(data[member], expected, "{member}");
    }
    assert_eq!(data["userIdentity"]["accountId"], PAYROLL);
    assert_eq!(data.get("errorCode"), None);
}

#[test]
fn equal_deeds_have_equal_events_and_others_other_ids() {
    let world = role_way();
    let command = |policy: &str| Command { by: id(PAYROLL), deed: attach("hbrcrossrole", policy) };
    let ids = |policy: &str, now| -> Vec<String> {
        let command = command(policy);
        let (_, changes) = decide(&world, now, command.clone()).unwrap();
        events(&world, now, &command, &changes).into_iter().map(|event| event.json).collect()
    };
    let (first, second) = ("AdministratorAccess", "AliyunHBRReadOnlyAccess");
    assert_eq!(ids(first, now()), ids(first, now()));
    let id_of = |json: Vec<String>| {
        serde_json::from_str::<Value>(&json[0]).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let all = [ids(first, now()), ids(second, now()), ids(first, after(1))].map(id_of);
    let within_a_second = now().checked_add_signed(TimeDelta::nanoseconds(1)).unwrap();
    let distinct: std::collections::BTreeSet<_> =
        all.into_iter().chain([id_of(ids(first, within_a_second))]).collect();
    assert_eq!(distinct.len(), 4);
}

#[test]
fn deeds_on_roles_and_policies_are_in_their_accounts_trail() {
    let mut world = role_way();
    let w = &mut world;
    let trust = trust_policy_for(&id(VAULTS));
    let create = create_role("r1", &trust);
    let parameters = json!({ "RoleName": "r1", "AssumeRolePolicyDocument": trust });
    check(w, PAYROLL, create, PAYROLL, ("CreateRole", parameters));
    let update = Deed::UpdateTrust { name: "r1".parse().unwrap(), trust: trust.clone() };
    let parameters = json!({ "RoleName": "r1", "NewAssumeRolePolicyDocument": trust });
    check(w, PAYROLL, update, PAYROLL, ("UpdateRole", parameters));
    let delete = Deed::DeleteRole { name: "r1".parse().unwrap() };
    check(w, PAYROLL, delete, PAYROLL, ("DeleteRole", json!({ "RoleName": "r1" })));

    let put = |document: &str| Deed::PutPolicy { name: "p".into(), document: document.into() };
    let (one, two) = (statement("Allow", "ecs:*"), statement("Allow", "oss:*"));
    let parameters = json!({ "PolicyName": "p", "PolicyDocument": one });
    check(w, PAYROLL, put(&one), PAYROLL, ("CreatePolicy", parameters));
    let parameters = json!({
        "PolicyName": "p", "PolicyDocument": two, "SetAsDefault": true,
        "RotateStrategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded",
    });
    check(w, PAYROLL, put(&two), PAYROLL, ("CreatePolicyVersion", parameters));
    assert_eq!(told(w, PAYROLL, put(&two)), [], "nothing changed");
    let version =
        Deed::PutPolicyVersion { name: "p".into(), document: one.clone(), set_as_default: false };
    let parameters = json!({ "PolicyName": "p", "PolicyDocument": one, "SetAsDefault": false });
    check(w, PAYROLL, version, PAYROLL, ("CreatePolicyVersion", parameters));
    let name = || "p".to_owned();
    let version = || "v3".parse().unwrap();
    let parameters = || json!({ "PolicyName": "p", "VersionId": "v3" });
    let deed = Deed::SetDefaultPolicyVersion { name: name(), version: version() };
    check(w, PAYROLL, deed, PAYROLL, ("SetDefaultPolicyVersion", parameters()));
    done(
        w,
        PAYROLL,
        Deed::SetDefaultPolicyVersion { name: name(), version: "v2".parse().unwrap() },
    );
    let deed = Deed::DeletePolicyVersion { name: name(), version: version() };
    check(w, PAYROLL, deed, PAYROLL, ("DeletePolicyVersion", parameters()));
    let parameters =
        json!({ "PolicyType": "Custom", "PolicyName": "p", "RoleName": "hbrcrossrole" });
    check(w, PAYROLL, attach("hbrcrossrole", "p"), PAYROLL, ("AttachPolicyToRole", parameters));
    done(w, PAYROLL, detach("hbrcrossrole", "p"));
    let deed = Deed::DeletePolicy { name: name() };
    check(w, PAYROLL, deed, PAYROLL, ("DeletePolicy", json!({ "PolicyName": "p" })));
}

#[test]
fn deeds_on_the_directory_are_in_its_management_accounts_trail() {
    let mut world = accounts();
    let w = &mut world;
    check(w, VAULTS, Deed::CreateDirectory, VAULTS, ("EnableResourceDirectory", json!({})));
    let created = Deed::AddMember { account: id(RESCUE), joined: Joined::Created };
    let parameters = json!({ "DisplayName": "rescue" });
    check(w, VAULTS, created, VAULTS, ("CreateResourceAccount", parameters));
    let invited = told(w, VAULTS, add(PAYROLL));
    let names: Vec<_> = invited
        .iter()
        .map(|(account, event)| (account.as_str(), &event["data"]["eventName"]))
        .collect();
    assert_eq!(
        names,
        [
            (VAULTS, &json!("InviteAccountToResourceDirectory")),
            (PAYROLL, &json!("AcceptHandshake")),
        ]
    );
    let root = root_of(VAULTS);
    let deed = Deed::CreateFolder { parent: Some(root.clone()), name: "f".into() };
    let parameters = json!({ "ParentFolderId": root, "FolderName": "f" });
    check(w, VAULTS, deed, VAULTS, ("CreateFolder", parameters));
    let folder = format!("fd-{VAULTS}-1");
    let deed = Deed::MoveMember { account: id(PAYROLL), folder: folder.clone() };
    let parameters = json!({ "AccountId": PAYROLL, "DestinationFolderId": folder });
    check(w, VAULTS, deed, VAULTS, ("MoveAccount", parameters));
    let office = json!({ "AccountId": PAYROLL, "ServicePrincipal": "hbr.aliyuncs.com" });
    let deed = Deed::RegisterAdministrator { account: id(PAYROLL) };
    check(w, VAULTS, deed, VAULTS, ("RegisterDelegatedAdministrator", office.clone()));
    let deed = Deed::DeregisterAdministrator { account: id(PAYROLL) };
    check(w, VAULTS, deed, VAULTS, ("DeregisterDelegatedAdministrator", office));
    let deed = Deed::RemoveMember { account: id(PAYROLL) };
    check(w, VAULTS, deed, VAULTS, ("RemoveCloudAccount", json!({ "AccountId": PAYROLL })));
    let deed = Deed::DeleteFolder { folder: folder.clone() };
    check(w, VAULTS, deed, VAULTS, ("DeleteFolder", json!({ "FolderId": folder })));
}

#[test]
fn control_policies_are_told_with_their_ids() {
    let mut world = directory_way();
    let w = &mut world;
    let document = statement("Deny", "ecs:*");
    let put =
        |document: &str| Deed::PutControlPolicy { name: "p".into(), document: document.into() };
    let created = told(w, VAULTS, put(&document));
    let policy = format!("cp-{VAULTS}-1");
    let data = &created[0].1["data"];
    assert_eq!(data["eventName"], "CreateControlPolicy");
    assert_eq!(data["responseElements"]["ControlPolicy"]["PolicyId"], policy);
    let document = statement("Deny", "oss:*");
    let parameters = json!({ "PolicyId": policy, "NewPolicyDocument": document });
    check(w, VAULTS, put(&document), VAULTS, ("UpdateControlPolicy", parameters));
    check(w, VAULTS, Deed::EnableControlPolicy, VAULTS, ("EnableControlPolicy", json!({})));
    let parameters = json!({ "PolicyId": policy, "TargetId": PAYROLL });
    let deed = attach_control(&policy, PAYROLL);
    check(w, VAULTS, deed, VAULTS, ("AttachControlPolicy", parameters.clone()));
    let deed = detach_control(&policy, PAYROLL);
    check(w, VAULTS, deed, VAULTS, ("DetachControlPolicy", parameters));
    let deed = Deed::DeleteControlPolicy { policy: policy.clone() };
    check(w, VAULTS, deed, VAULTS, ("DeleteControlPolicy", json!({ "PolicyId": policy })));
    check(w, VAULTS, Deed::DisableControlPolicy, VAULTS, ("DisableControlPolicy", json!({})));
}

#[test]
fn a_service_linked_role_is_told_where_it_is() {
    let mut world = directory_way();
    let role = ServiceRole::HbrRd;
    let deed = Deed::DeleteServiceRole { role };
    let parameters = json!({ "RoleName": role.role_name() });
    check(&mut world, PAYROLL, deed, PAYROLL, ("DeleteServiceLinkedRole", parameters));
    let deed = Deed::CreateServiceRole { account: id(PAYROLL), role };
    let (account, event) = told(&mut world, VAULTS, deed).remove(0);
    let data = &event["data"];
    assert_eq!((account, &data["eventName"]), (id(PAYROLL), &json!("CreateServiceLinkedRole")));
    assert_eq!(data["requestParameters"], json!({ "ServiceName": "rd.hbr.aliyuncs.com" }));
    // Not the asking account made it there, but the directory.
    assert_eq!(data["userIdentity"]["type"], "assumed-role");
    assert_eq!(data["userIdentity"]["accountId"], PAYROLL);
}

#[test]
fn a_source_that_goes_is_told_by_its_own_service() {
    let mut world = role_way();
    let source = source_of(PAYROLL);
    let deed = Deed::RemoveSource { source: source.clone() };
    let (_, event) = told(&mut world, PAYROLL, deed).remove(0);
    assert_eq!(event["source"], "acs.ecs");
    let data = &event["data"];
    assert_eq!(
        (&data["eventName"], &data["acsRegion"], &data["requestParameters"]),
        (&json!("DeleteInstance"), &json!("cn-hangzhou"), &json!({ "InstanceId": "i-1" }))
    );
    let put = Deed::PutSource { source, name: "s".into(), location: "/s".into(), running: true };
    assert_eq!(told(&mut world, PAYROLL, put), []);
}
