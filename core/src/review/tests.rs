use super::*;
use crate::{
    authorization::AttachedPolicy,
    catalog::{Operation, Scope, Verb, needs},
    explain::Explain,
    ids::DataSource,
    policy::{Request, system_policy},
};

const MANAGEMENT: &str = "1000000000000001";
const BUCKET: &str = "1000000000000012/cn-hangzhou/oss/b";

/// What backing up and finding a source needs.
fn needs_of(source: &str) -> Vec<Need> {
    let source: DataSource = source.parse().unwrap();
    let everywhere = Scope { source: None, ..Scope::from(&source) };
    let of = |verb, scope| needs(Operation { kind: source.kind, verb }, scope);
    [of(Verb::Discover, everywhere), of(Verb::BackUp, Scope::from(&source))].concat()
}

fn role(trust: &str, policies: &[(&str, &str)]) -> RoleView {
    RoleView {
        role: "acs:ram::1000000000000012:role/hbr".parse().unwrap(),
        trust: trust.to_owned(),
        policies: policies
            .iter()
            .map(|(name, document)| AttachedPolicy {
                name: (*name).to_owned(),
                document: (*document).to_owned(),
            })
            .collect(),
    }
}

fn narrow_trust() -> String {
    policy::trust_policy_for(&MANAGEMENT.parse().unwrap())
}

fn review_of(view: &RoleView, needs: &[Need], regions: &[(&str, usize)]) -> Review {
    let regions: Vec<(Region, usize)> =
        regions.iter().map(|(region, sources)| (region.parse().unwrap(), *sources)).collect();
    let management = MANAGEMENT.parse().unwrap();
    review(&Reviewed { view, management: &management, needs, regions: &regions })
}

fn codes(review: &Review) -> Vec<&'static str> {
    review.findings.iter().map(Explain::code).collect()
}

fn system(name: &'static str) -> (&'static str, &'static str) {
    (name, system_policy(name).unwrap().text())
}

fn read(documents: &[String]) -> Vec<Policy> {
    let parse = |text: &String| Policy::parse(text, PolicyKind::Permission).unwrap();
    documents.iter().map(parse).collect()
}

#[test]
fn an_administrator_is_far_too_much_and_the_smaller_policy_is_proven() {
    let view = role(&narrow_trust(), &[system("AdministratorAccess")]);
    let needs = needs_of(BUCKET);
    let review = review_of(&view, &needs, &[("cn-hangzhou", 1)]);
    assert_eq!(codes(&review), ["OVER_BROAD_POLICY", "PASS_ROLE_UNCONDITIONAL"]);
    let message = review.findings[0].to_string();
    assert!(message.contains("`*`") && message.contains("ram:CreateAccessKey"), "{message}");
    let Replacement::Smaller { documents, beyond } = &review.replacement else {
        panic!("{:?}", review.replacement)
    };
    let smaller = read(documents);
    let smaller: Vec<&Policy> = smaller.iter().collect();
    let present = system_policy("AdministratorAccess").unwrap();
    assert!(permits_no_more(&smaller, &[present]).is_yes());
    assert!(!policy::evaluate(&smaller, &beyond.request()).is_allow());
    for need in &needs {
        let resource = need.resource.replace('*', "x");
        assert!(policy::evaluate(&smaller, &Request::new(need.action, &resource)).is_allow());
    }
    assert!(!documents.concat().contains("ecs:"));
}

#[test]
fn the_role_policy_holds_what_a_bucket_does_not_need() {
    let view = role(&narrow_trust(), &[system("AliyunHBRRolePolicy")]);
    let review = review_of(&view, &needs_of(BUCKET), &[("cn-hangzhou", 1)]);
    let unused: Vec<(&str, &Vec<String>)> = review
        .findings
        .iter()
        .filter_map(|finding| {
            let Finding::UnusedPermission { service, actions } = finding else { return None };
            Some((service.as_str(), actions))
        })
        .collect();
    let services: Vec<&str> = unused.iter().map(|(service, _)| *service).collect();
    assert_eq!(
        services,
        ["bssapi", "cms", "ecs", "hcs-sgw", "kms", "nas", "oss", "ots", "ram", "vpc"]
    );
    let oss = unused.iter().find(|(service, _)| *service == "oss").unwrap().1;
    assert!(
        oss.contains(&"oss:PutObject".to_owned()) && !oss.contains(&"oss:GetObject".to_owned())
    );
    assert!(codes(&review).contains(&"PASS_ROLE_UNCONDITIONAL"));
    assert!(matches!(review.replacement, Replacement::Smaller { .. }));
}

#[test]
fn what_is_small_enough_has_no_findings() {
    let needs = needs_of(BUCKET);
    let documents = policy::mend(&needs, &[]).documents;
    let view = role(&narrow_trust(), &[("own", &documents[0])]);
    let review = review_of(&view, &needs, &[("cn-hangzhou", 1)]);
    assert_eq!(review, Review { findings: vec![], replacement: Replacement::SmallEnough });
}

#[test]
fn a_role_that_can_not_do_what_is_needed_is_to_be_mended_first() {
    let view = role(&narrow_trust(), &[system("AliyunHBRReadOnlyAccess")]);
    let review = review_of(&view, &needs_of(BUCKET), &[("cn-hangzhou", 1)]);
    assert!(matches!(review.replacement, Replacement::Insufficient(_)));
}

#[test]
fn trust_in_a_whole_account_is_too_wide_and_the_one_to_paste_is_given() {
    let trust = narrow_trust().replace("role/AliyunServiceRoleForHbrCrossAccountBackup", "root");
    let view = role(&trust, &[]);
    let review = review_of(&view, &[], &[("cn-hangzhou", 1)]);
    assert_eq!(codes(&review), ["TRUST_TOO_WIDE"]);
    assert!(review.findings[0].remedy().contains(&narrow_trust()));
}

#[test]
fn regions_without_sources_are_told_and_an_unused_grant_once() {
    let view = role(&narrow_trust(), &[]);
    let review = review_of(&view, &[], &[("cn-hangzhou", 2), ("cn-beijing", 0)]);
    assert_eq!(codes(&review), ["REGION_WITHOUT_SOURCES"]);
    let review = review_of(&view, &[], &[("cn-hangzhou", 0), ("cn-beijing", 0)]);
    assert_eq!(codes(&review), ["GRANT_UNUSED"]);
    assert_eq!(review.replacement, Replacement::NothingNeeded);
}

#[test]
fn a_service_asked_for_makes_pass_role_narrow_and_a_dead_statement_is_told() {
    let document = r#"{"Version":"1","Statement":[
{"Effect":"Allow","Action":"ram:PassRole","Resource":"*","Condition":{"StringEquals":{"acs:Service":"ecs.aliyuncs.com"}}},
{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"},
{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:b"}]}"#;
    let view = role(&narrow_trust(), &[("own", document)]);
    let review = review_of(&view, &[], &[("cn-hangzhou", 1)]);
    assert_eq!(codes(&review), ["POLICY_DEAD_STATEMENT"]);
    assert_eq!(
        review.findings[0].to_string(),
        "the statement of `own` at line 4, column 1 decides nothing, because of the statements at line 3, column 1"
    );
}
