use serde_json::{Value, json};

use super::*;
use crate::explain::Explain;

const PAYROLL: &str = "1000000000000012";

#[expect(clippy::needless_pass_by_value, reason = "values are made where they are used")]
fn event(service: &str, name: &str, parameters: Value) -> Value {
    json!({
        "acsRegion": "cn-hangzhou", "apiVersion": "2015-05-01", "eventId": "6b1c", "eventName": name,
        "eventRW": "Write", "eventSource": "ram.aliyuncs.com",
        "eventTime": "2026-03-01T08:58:50Z", "eventType": "ApiCall", "eventVersion": "1",
        "recipientAccountId": PAYROLL, "requestId": "1485", "requestParameters": parameters,
        "serviceName": service, "sourceIpAddress": "192.0.2.7", "userAgent": "AliyunConsole",
        "userIdentity": {"type": "ram-user", "accountId": PAYROLL, "userName": "alice"}
    })
}

#[expect(clippy::needless_pass_by_value, reason = "values are made where they are used")]
fn envelope(data: Value) -> Value {
    json!({
        "id": "45ef", "specversion": "1.0", "source": "acs.ram", "type": "ram:ActionTrail:ApiCall",
        "subject": "acs:ram:cn-hangzhou:1000000000000012:role", "time": "2026-03-01T08:58:50Z",
        "datacontenttype": "application/json;charset=utf-8", "aliyunaccountid": PAYROLL,
        "aliyuneventbusname": "default", "data": data
    })
}

fn read(event: &Value) -> Option<Touch> {
    Hint::read(&event.to_string()).unwrap().map(|hint| hint.touches)
}

#[track_caller]
fn check(service: &str, name: &str, parameters: Value, expected: &Touch) {
    let event = event(service, name, parameters);
    assert_eq!(read(&event).as_ref(), Some(expected), "{event}");
    assert_eq!(read(&envelope(event)).as_ref(), Some(expected), "in an envelope");
}

fn member() -> AccountId {
    "1000000000000034".parse().unwrap()
}

#[test]
fn events_of_roles_name_the_role() {
    let role = Touch::Role { name: "HbrCrossRole".parse().unwrap() };
    let names =
        ["CreateRole", "DeleteRole", "UpdateRole", "AttachPolicyToRole", "DetachPolicyFromRole"];
    for name in names {
        for service in ["Ram", "ram", "ResourceManager"] {
            check(service, name, json!({"RoleName": "HbrCrossRole", "PolicyName": "p"}), &role);
        }
    }
    for name in ["AttachPolicy", "DetachPolicy"] {
        let asked = |kind: &str, name: &str| json!({"PrincipalType": kind, "PrincipalName": name});
        let of_role = "HbrCrossRole@role.1000000000000012.onaliyunservice.com";
        check("ResourceManager", name, asked("ServiceRole", of_role), &role);
        assert_eq!(read(&event("ResourceManager", name, asked("IMSUser", "alice@x.com"))), None);
    }
}

#[test]
fn events_of_policies_name_the_policy() {
    let policy = Touch::Policy { name: "backups".to_owned() };
    for name in ["SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy"] {
        check("Ram", name, json!({"PolicyName": "backups", "VersionId": "v2"}), &policy);
    }
    let made = |default: Value| json!({"PolicyName": "backups", "SetAsDefault": default});
    for default in [json!(true), json!("true")] {
        check("Ram", "CreatePolicyVersion", made(default), &policy);
    }
    for default in [json!(false), json!("false"), Value::Null] {
        assert_eq!(read(&event("Ram", "CreatePolicyVersion", made(default))), None);
    }
}

#[test]
fn events_of_service_linked_roles_name_it_by_role_or_by_service() {
    let role = |role| Touch::ServiceRole { role };
    for known in ServiceRole::ALL {
        let by_name = json!({"RoleName": known.role_name().to_lowercase()});
        check("Ram", "DeleteServiceLinkedRole", by_name, &role(known));
        let by_service = json!({"ServiceName": known.service_principal()});
        check("ResourceManager", "CreateServiceLinkedRole", by_service, &role(known));
    }
    let other = json!({"ServiceName": "ossbackup.hbr.aliyuncs.com"});
    assert_eq!(read(&event("Ram", "CreateServiceLinkedRole", other)), None);
}

#[test]
fn events_of_the_directory_name_who_they_are_about() {
    for service in ["ResourceManager", "ResourceDirectoryMaster"] {
        let account = || json!({"AccountId": "1000000000000034", "DestinationFolderId": "fd-1"});
        for name in ["RemoveCloudAccount", "DeleteAccount"] {
            check(service, name, account(), &Touch::Member { member: member() });
        }
        check(service, "MoveAccount", account(), &Touch::Moved { member: member() });
        let invited = Touch::Member { member: PAYROLL.parse().unwrap() };
        check(service, "AcceptHandshake", json!({"HandshakeId": "h-1"}), &invited);
        check(service, "DestroyResourceDirectory", Value::Null, &Touch::Directory);
        for name in ["RegisterDelegatedAdministrator", "DeregisterDelegatedAdministrator"] {
            let of = |principal: &str| json!({"AccountId": 1_000_000_000_000_034_u64, "ServicePrincipal": principal});
            let touch = Touch::Administrator { administrator: member() };
            check(service, name, of("hbr.aliyuncs.com"), &touch);
            assert_eq!(read(&event(service, name, of("config.aliyuncs.com"))), None);
        }
    }
}

#[test]
fn events_of_control_policies_name_policy_or_node() {
    let asked = || json!({"PolicyId": "cp-1", "TargetId": "fd-1"});
    let control = Touch::Control;
    for name in ["AttachControlPolicy", "DetachControlPolicy"] {
        check("ResourceManager", name, asked(), &control(Control::Node("fd-1".to_owned())));
    }
    let policy = control(Control::Policy("cp-1".to_owned()));
    check("ResourceManager", "UpdateControlPolicy", asked(), &policy);
    for name in ["EnableControlPolicy", "DisableControlPolicy"] {
        check("ResourceManager", name, json!({}), &control(Control::Feature));
    }
    // One that is attached nowhere bears on nobody.
    for name in ["CreateControlPolicy", "DeleteControlPolicy"] {
        assert_eq!(read(&event("ResourceManager", name, asked())), None);
    }
}

#[test]
fn a_hint_says_who_when_and_by_what_id() {
    let event = event("Ram", "DeleteRole", json!({"RoleName": "hbr"}));
    let hint = Hint::read(&envelope(event).to_string()).unwrap().unwrap();
    assert_eq!((hint.id.as_str(), hint.account.as_str()), ("6b1c", PAYROLL));
    assert_eq!(hint.at, "2026-03-01T08:58:50Z".parse::<DateTime<Utc>>().unwrap());
}

#[test]
fn what_failed_or_touches_no_authority_is_no_hint() {
    let mut failed = event("Ram", "DeleteRole", json!({"RoleName": "hbr"}));
    failed["errorCode"] = json!("DeleteConflict.Role.Policy");
    assert_eq!(read(&failed), None);
    failed["errorCode"] = json!("");
    assert!(read(&failed).is_some(), "an empty code is no failure");
    // Of another service, or of none of ours; parameters do not matter then.
    assert_eq!(read(&event("Ecs", "DeleteRole", Value::Null)), None);
    assert_eq!(read(&event("Ram", "CreateUser", Value::Null)), None);
    assert_eq!(read(&event("Oss", "DeleteBucket", json!({"bucketName": "b"}))), None);
    let mut other = envelope(json!("whatever"));
    other["type"] = json!("ram:Config:ConfigurationItemChangeNotification");
    assert_eq!(read(&other), None);
}

#[track_caller]
fn refuse(text: &str, place: &str, rule: &str) {
    let error = Hint::read(text).unwrap_err();
    assert_eq!((error.place.as_str(), error.code()), (place, "INVALID_EVENT"));
    assert!(error.to_string().contains(rule), "{error}");
    assert!(error.remedy().ends_with('.'));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    refuse("", "$", "not JSON");
    refuse("{", "$", "not JSON");
    refuse(&"[".repeat(100_000), "$", "not JSON");
    refuse("[]", "$", "an object");
    refuse("{}", "$", "neither `specversion` nor `eventName`");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut event = envelope(event("Ram", "DeleteRole", json!({"RoleName": "hbr"})));
        change(&mut event);
        event.to_string()
    };
    refuse(&with(&|e| e["specversion"] = json!("0.3")), "$.specversion", "0.3");
    for required in ["id", "source", "type", "data"] {
        let missing = with(&|e| e[required] = Value::Null);
        refuse(&missing, &format!("$.{required}"), "missing");
    }
    refuse(&with(&|e| e["data"] = json!([])), "$.data", "an object");
    refuse(&with(&|e| e["data"] = json!({"a": 1})), "$.data", "eventName");
    for (required, rule) in [
        ("serviceName", "missing"),
        ("recipientAccountId", "missing"),
        ("requestParameters", "missing"),
        ("eventId", "missing"),
        ("eventTime", "missing"),
    ] {
        let missing = with(&|e| e["data"][required] = Value::Null);
        refuse(&missing, &format!("$.data.{required}"), rule);
    }
    refuse(&with(&|e| e["data"]["eventTime"] = json!("noon")), "$.data.eventTime", "an instant");
    let name = "$.data.requestParameters.RoleName";
    refuse(&with(&|e| e["data"]["requestParameters"]["RoleName"] = json!(true)), name, "a text");
    refuse(&with(&|e| e["data"]["requestParameters"]["RoleName"] = json!("a/b")), name, "a/b");
    let long = "i".repeat(513);
    refuse(&with(&|e| e["data"]["eventId"] = json!(long)), "$.data.eventId", "512 bytes");
}
