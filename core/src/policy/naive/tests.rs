//! Whole policies, by the rules of the documents.

use super::*;
use crate::{
    ids::RoleArn,
    policy::{PolicyKind, ServiceRole, system_policy, trust_policy_for},
};

const MANAGEMENT: &str = "1000000000000001";
const RESOURCE: &str = "1000000000000012";

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn policy(text: &str) -> Policy {
    Policy::parse(text, PolicyKind::Permission).unwrap()
}

fn trust(principal: &str) -> Policy {
    let text = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}}}]}}"#
    );
    Policy::parse(&text, PolicyKind::Trust).unwrap()
}

fn asks(policies: &[&Policy], action: &str, resource: &str, context: &Context) -> Verdict {
    evaluate(policies, &Request { action, resource, context })
}

#[test]
fn a_deny_wins_wherever_it_stands() {
    let allow =
        policy(r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#);
    let deny = policy(
        r#"{"Version":"1","Statement":[
            {"Effect":"Allow","Action":"oss:*","Resource":"*"},
            {"Effect":"Deny","Action":"oss:PutObject","Resource":"acs:oss:*:*:b/*"}]}"#,
    );
    let none = Context::default();
    assert_eq!(
        asks(&[&allow, &deny], "oss:PutObject", "acs:oss:cn:1:b/x", &none),
        Verdict::ExplicitDeny { policy: 1, statement: 1 }
    );
    assert_eq!(
        asks(&[&deny, &allow], "oss:PutObject", "acs:oss:cn:1:c/x", &none),
        Verdict::Allow { policy: 0, statement: 0 }
    );
    assert_eq!(asks(&[&deny], "ecs:RunCommand", "*", &none), Verdict::ImplicitDeny);
    assert_eq!(asks(&[], "ecs:RunCommand", "*", &none), Verdict::ImplicitDeny);
}

#[test]
fn not_action_names_all_others() {
    let power = policy(
        r#"{"Version":"1","Statement":[{"Effect":"Allow","NotAction":["ram:*","ims:*"],"Resource":"*"}]}"#,
    );
    let none = Context::default();
    assert!(asks(&[&power], "ecs:RunCommand", "*", &none).is_allow());
    assert!(asks(&[&power], "new:Thing", "*", &none).is_allow());
    assert_eq!(asks(&[&power], "RAM:getRole", "*", &none), Verdict::ImplicitDeny);
}

#[test]
fn keys_and_operators_must_all_be_met() {
    let policy = policy(
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:ListObjects","Resource":"*",
            "Condition":{"StringLike":{"oss:Prefix":["home/*","tmp/*"],"acs:SourceVpc":"vpc-1"},
                         "Bool":{"acs:SecureTransport":true}}}]}"#,
    );
    let all = Context::default()
        .with("oss:prefix", "tmp/x")
        .with("acs:SourceVpc", "vpc-1")
        .with("acs:securetransport", "true");
    assert!(asks(&[&policy], "oss:ListObjects", "*", &all).is_allow());
    for (key, value) in
        [("oss:Prefix", "etc/"), ("acs:SourceVpc", "vpc-2"), ("acs:SecureTransport", "false")]
    {
        let mut others = Context::default();
        for (name, values) in all.iter().filter(|(name, _)| *name != key.to_lowercase()) {
            others.add(name, &values[0]);
        }
        assert_eq!(asks(&[&policy], "oss:ListObjects", "*", &others), Verdict::ImplicitDeny);
        let others = others.with(key, value);
        assert_eq!(asks(&[&policy], "oss:ListObjects", "*", &others), Verdict::ImplicitDeny);
    }
}

#[test]
fn the_role_policy_allows_its_actions_and_no_other() {
    let policy = system_policy("AliyunHBRRolePolicy").unwrap();
    let none = Context::default();
    let mut named = 0;
    for statement in policy.statements() {
        let Actions::Only(actions) = &statement.actions else { panic!("NotAction") };
        for action in actions {
            named += 1;
            let ecs = "acs:ecs:cn-hangzhou:1000000000000012:instance/i-1";
            assert!(asks(&[policy], action.as_str(), ecs, &none).is_allow(), "{action:?}");
        }
    }
    assert_eq!(named, 99);
    for other in ["oss:DeleteObject", "ram:DeleteRole", "sts:AssumeRole", "hbr:CreateVault"] {
        assert_eq!(asks(&[policy], other, "*", &none), Verdict::ImplicitDeny, "{other}");
    }
}

#[test]
fn the_instance_role_is_named_in_lower_case_and_still_meant() {
    let policy = system_policy("AliyunHBRRolePolicy").unwrap();
    let attach = |resource: &str| {
        asks(&[policy], "ecs:AttachInstanceRamRole", resource, &Context::default())
    };
    assert!(attach("acs:ram::1000000000000012:role/AliyunECSAccessingHBRRole").is_allow());
    assert_eq!(attach("acs:ram::1000000000000012:role/Other"), Verdict::ImplicitDeny);
    assert_eq!(attach("acs:oss:cn-hangzhou:1000000000000012:b"), Verdict::ImplicitDeny);
}

#[test]
fn pass_role_of_the_service_role_is_only_for_instances() {
    let policy = system_policy("AliyunServiceRolePolicyForHbrRd").unwrap();
    let pass = |context: &Context| asks(&[policy], "ram:PassRole", "acs:ram::1:role/x", context);
    assert!(pass(&Context::default().with("acs:Service", "ecs.aliyuncs.com")).is_allow());
    assert_eq!(
        pass(&Context::default().with("acs:Service", "fc.aliyuncs.com")),
        Verdict::ImplicitDeny
    );
    assert_eq!(pass(&Context::default()), Verdict::ImplicitDeny);
}

#[test]
fn the_pasted_trust_policy_trusts_the_service_role_of_that_account_only() {
    let management = account(MANAGEMENT);
    let trust = Policy::parse(&trust_policy_for(&management), PolicyKind::Trust).unwrap();
    let trusted = |role: RoleArn| {
        trusts(&trust, &account(RESOURCE), &TrustedPrincipal::Role(role), &Context::default())
    };
    let service_role = ServiceRole::HbrCrossAccountBackup;
    assert!(trusted(service_role.arn(&management)).is_allow());
    let lower = service_role.arn(&management).to_string().to_lowercase();
    assert!(trusted(lower.parse().unwrap()).is_allow());
    assert_eq!(trusted(service_role.arn(&account(RESOURCE))), Verdict::ImplicitDeny);
    assert_eq!(trusted(ServiceRole::HbrRd.arn(&management)), Verdict::ImplicitDeny);
}

#[test]
fn root_stands_for_users_and_role_sessions_of_its_account() {
    let trust = trust(r#"{"RAM":["acs:ram::1000000000000001:root"]}"#);
    let trusted = |principal: &TrustedPrincipal| {
        trusts(&trust, &account(RESOURCE), principal, &Context::default()).is_allow()
    };
    let user =
        |account_id| TrustedPrincipal::User { account: account(account_id), name: "bob".into() };
    assert!(trusted(&TrustedPrincipal::Role(
        "acs:ram::1000000000000001:role/any".parse().unwrap()
    )));
    assert!(trusted(&user(MANAGEMENT)));
    assert!(!trusted(&user(RESOURCE)));
    assert!(!trusted(&TrustedPrincipal::Role(
        "acs:ram::1000000000000012:role/any".parse().unwrap()
    )));
    let service = TrustedPrincipal::Service {
        name: "hbr.aliyuncs.com".into(),
        acts_for: account(MANAGEMENT),
    };
    assert!(!trusted(&service));
}

#[test]
fn a_service_acts_for_the_roles_own_account_unless_another_is_named() {
    let own = trust(r#"{"Service":["rd.hbr.aliyuncs.com"]}"#);
    let other = trust(r#"{"Service":"1000000000000001@eventbridge.aliyuncs.com"}"#);
    let trusted = |trust: &Policy, name: &str, acts_for: &str| {
        let principal =
            TrustedPrincipal::Service { name: name.into(), acts_for: account(acts_for) };
        trusts(trust, &account(RESOURCE), &principal, &Context::default()).is_allow()
    };
    assert!(trusted(&own, "rd.hbr.aliyuncs.com", RESOURCE));
    assert!(!trusted(&own, "rd.hbr.aliyuncs.com", MANAGEMENT));
    assert!(!trusted(&own, "hbr.aliyuncs.com", RESOURCE));
    assert!(trusted(&other, "eventbridge.aliyuncs.com", MANAGEMENT));
    assert!(!trusted(&other, "eventbridge.aliyuncs.com", RESOURCE));
}

#[test]
fn an_external_id_is_a_condition_of_trust() {
    let text = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"RAM":"acs:ram::1000000000000001:root"},
        "Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}"#;
    let trust = Policy::parse(text, PolicyKind::Trust).unwrap();
    let role = TrustedPrincipal::Role("acs:ram::1000000000000001:role/any".parse().unwrap());
    let ask = |context: &Context| trusts(&trust, &account(RESOURCE), &role, context).is_allow();
    assert!(ask(&Context::default().with("sts:ExternalId", "x")));
    assert!(!ask(&Context::default()));
}

#[test]
fn a_trust_policy_permits_nothing_else() {
    let trust = trust(r#"{"RAM":["acs:ram::1000000000000001:root"]}"#);
    assert_eq!(asks(&[&trust], "sts:AssumeRole", "*", &Context::default()), Verdict::ImplicitDeny);
}
