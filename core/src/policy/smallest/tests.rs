use proptest::{prelude::*, sample::select};

use super::*;
use crate::policy::system_policy;

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"1","Statement":[{statements}]}}"#);
    Policy::parse(&text, PolicyKind::Permission).unwrap()
}

fn need(action: &'static str, resource: &str) -> Need {
    Need { action, resource: resource.to_owned() }
}

fn read(documents: &[String]) -> Vec<Policy> {
    let parse = |text: &String| Policy::parse(text, PolicyKind::Permission).unwrap();
    documents.iter().map(parse).collect()
}

#[test]
fn what_is_allowed_already_is_not_granted_again() {
    let needs = [need("oss:GetObject", "acs:oss:*:1:b/*"), need("ots:GetRange", "acs:ots:*:1:*")];
    let role = system_policy("AliyunHBRRolePolicy").unwrap();
    assert_eq!(mend(&needs, &[role]), Mend::default());
}

#[test]
fn the_mend_is_written_by_service_and_scope() {
    let needs = [
        need("oss:PutObject", "acs:oss:*:1:b/*"),
        need("oss:GetObject", "acs:oss:*:1:b/*"),
        need("oss:GetObject", "acs:oss:*:1:b/logs/*"),
        need("ecs:DescribeDisks", "acs:ecs:cn-hangzhou:1:*"),
        need("oss:ListBuckets", "acs:oss:*:1:*"),
    ];
    let mend =
        mend(&needs, &[&policy(r#"{"Effect":"Allow","Action":"oss:List*","Resource":"*"}"#)]);
    assert_eq!(mend.missing.len(), 4);
    assert_eq!(
        mend.documents,
        [r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "ecs:DescribeDisks"
      ],
      "Resource": [
        "acs:ecs:cn-hangzhou:1:*"
      ]
    },
    {
      "Effect": "Allow",
      "Action": [
        "oss:GetObject",
        "oss:PutObject"
      ],
      "Resource": [
        "acs:oss:*:1:b/*"
      ]
    }
  ]
}"#]
    );
}

#[test]
fn what_is_denied_is_told_with_the_statement_and_not_granted() {
    let needs =
        [need("oss:GetObject", "acs:oss:*:1:b/*"), need("oss:PutObject", "acs:oss:*:1:b/*")];
    let first = policy(r#"{"Effect":"Allow","Action":"nas:*","Resource":"*"}"#);
    let second = policy(
        r#"{"Effect":"Allow","Action":"oss:*","Resource":"*"},
        {"Effect":"Deny","Action":"oss:Put*","Resource":"acs:oss:*:*:b/secret/*"}"#,
    );
    let mend = mend(&needs, &[&first, &second]);
    assert!(mend.documents.is_empty());
    let [Missing::Denied { need, policy: 1, statement: 1, witness }] = mend.missing.as_slice()
    else {
        panic!("{mend:?}");
    };
    assert_eq!(need.action, "oss:PutObject");
    assert!(witness.resource.ends_with(":b/secret/"), "{witness}");
}

#[test]
fn a_long_mend_is_several_documents_each_short_enough() {
    let many: Vec<Need> = (0..400)
        .map(|n| need("oss:GetObject", &format!("acs:oss:*:1000000000000012:bucket-{n}/*")))
        .collect();
    let mend = mend(&many, &[]);
    assert!(mend.documents.len() > 2, "{}", mend.documents.len());
    let policies = read(&mend.documents);
    let policies: Vec<&Policy> = policies.iter().collect();
    let wanted = granting(many.iter()).unwrap();
    assert_eq!(permits_no_more(&[&wanted], &policies), Inclusion::Yes);
    assert_eq!(permits_no_more(&policies, &[&wanted]), Inclusion::Yes);
}

const ACTIONS: [&str; 4] = ["oss:GetObject", "oss:PutObject", "ecs:RunCommand", "ecs:Describe"];
const SCOPES: [&str; 6] =
    ["acs:oss:*:1:b", "acs:oss:*:1:b/*", "acs:oss:*:1:*", "acs:*:*:1:b/x", "acs:ecs:cn:1:*", "*"];

fn any_need() -> impl Strategy<Value = Need> {
    (select(&ACTIONS[..]), select(&SCOPES[..])).prop_map(|(action, scope)| need(action, scope))
}

fn any_statement() -> impl Strategy<Value = String> {
    let effect = prop_oneof![4 => Just("Allow"), 1 => Just("Deny")];
    let action = select(&["oss:*", "oss:Get*", "ecs:RunCommand", "nas:*", "*"][..]);
    (effect, action, select(&SCOPES[..])).prop_map(|(effect, action, scope)| {
        format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{scope}"}}"#)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// With the mend all needs are allowed that no statement denies; it permits no more than
    /// them; and without any one action on any one resource of it some need is not allowed.
    #[test]
    fn the_mend_is_enough_no_more_and_nothing_of_it_too_much(
        needs in prop::collection::vec(any_need(), 1..8),
        present in prop::collection::vec(any_statement(), 0..3),
    ) {
        let present: Vec<Policy> = present.iter().map(|text| policy(text)).collect();
        let present: Vec<&Policy> = present.iter().collect();
        let mend = mend(&needs, &present);
        let denied: Vec<&Need> = mend.missing.iter().filter_map(|missing| match missing {
            Missing::Denied { need, .. } => Some(need),
            Missing::NotGranted(_) => None,
        }).collect();
        let mendable = granting(needs.iter().filter(|need| !denied.contains(need)));
        let documents = read(&mend.documents);
        let with = |mend: &[Policy]| -> bool {
            let all: Vec<&Policy> = present.iter().copied().chain(mend).collect();
            mendable.as_ref().is_none_or(|wanted| permits_no_more(&[wanted], &all).is_yes())
        };
        prop_assert!(with(&documents));
        for document in &documents {
            let needed: Vec<&Policy> = mendable.iter().collect();
            prop_assert_eq!(permits_no_more(&[document], &needed), Inclusion::Yes);
        }
        let parts: Vec<Need> = needs.iter().filter(|need| {
            let documents: Vec<&Policy> = documents.iter().collect();
            let one = granting(std::iter::once(*need)).unwrap();
            permits_no_more(&[&one], &documents).is_yes() && mend.documents.iter().any(|text| {
                text.contains(need.action) && text.contains(&format!("\"{}\"", need.resource))
            })
        }).cloned().collect();
        let kept = without_covered(parts.iter().collect::<BTreeSet<_>>().into_iter().collect(), &present);
        for left_out in &kept {
            let rest: Vec<&Need> = kept.iter().filter(|need| *need != left_out).copied().collect();
            prop_assert!(!with(&read(&super::documents(&rest))), "{left_out:?}");
        }
        // The two are written alike, so that the parts are all that there is.
        prop_assert_eq!(super::documents(&kept), mend.documents);
    }
}
