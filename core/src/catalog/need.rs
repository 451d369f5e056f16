//! What an operation needs of the resource account: which action on which resource.

use super::{Operation, actions, touch};
use crate::ids::{AccountId, DataSource, Region, RoleArn, SourceKind};

/// One action that an operation cannot do without, and the resource that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Such as `ecs:RunCommand`.
    pub action: &'static str,
    /// What the cloud is asked about, such as `acs:ecs:cn-hangzhou:1000000000000012:instance/i-1`;
    /// an action that lists or makes things concerns them all: `…:instance/*`.
    pub resource: String,
}

/// Where an operation happens.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The resource account.
    pub account: &'a AccountId,
    /// The region of the resource.
    pub region: &'a Region,
    /// The one source that it is done to; none when sources are only listed.
    pub source: Option<&'a DataSource>,
}

impl<'a> From<&'a DataSource> for Scope<'a> {
    fn from(source: &'a DataSource) -> Self {
        Self { account: &source.account, region: &source.region, source: Some(source) }
    }
}

/// The needs of an operation, in the order of [`actions`].
///
/// Source: domain facts, section 3.3, for the actions; which resource each concerns is derived
/// from the services' tables of RAM resources.
#[must_use]
pub fn needs(operation: Operation, scope: Scope<'_>) -> Vec<Need> {
    let need = |action: &&'static str| Need { action, resource: concerned(action, scope) };
    actions(operation).iter().map(need).collect()
}

/// What Crossvault asks for to read a role that it entered, so that it can tell what the role lacks
/// and what is too much about it.
///
/// Source: RAM API, the operations of the same names; `AliyunHBRRolePolicy` has all three.
#[must_use]
pub fn reads(role: &RoleArn) -> Vec<Need> {
    let account = &role.account;
    [
        ("ram:GetRole", role.to_string()),
        ("ram:ListPoliciesForRole", role.to_string()),
        ("ram:GetPolicy", format!("acs:ram::{account}:policy/*")),
        ("ram:GetPolicy", "acs:ram::system:policy/*".to_owned()),
    ]
    .map(|(action, resource)| Need { action, resource })
    .into()
}

/// What is asked for at each touch of a source's data.
#[must_use]
pub fn touched(source: &DataSource) -> Need {
    let action = touch(source.kind);
    Need { action, resource: concerned(action, source.into()) }
}

/// The resource that an action concerns.
fn concerned(action: &str, scope: Scope<'_>) -> String {
    let Scope { account, region, source } = scope;
    let id = source.map_or("*", id_in_the_cloud);
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    let relative = match service {
        "ecs" => of_ecs(name, id),
        "nas" => of_nas(name, id),
        "ots" => of_tablestore(name, id),
        "oss" => return format!("acs:oss:*:{account}:{}", of_oss(name, id)),
        _ => "*".to_owned(),
    };
    format!("acs:{service}:{region}:{account}:{relative}")
}

/// The id by which the service that holds the source knows it.
///
/// A database's id is that of its registration with Cloud Backup, which does not say on which
/// instances its clients are: each of them may be one.
///
/// Source: domain facts, section 3.2: the ids of data sources, such as an SAP HANA cluster's.
fn id_in_the_cloud(source: &DataSource) -> &str {
    match source.kind {
        SourceKind::EcsDatabase | SourceKind::SapHana => "*",
        SourceKind::EcsInstance
        | SourceKind::EcsFiles
        | SourceKind::Nas
        | SourceKind::Oss
        | SourceKind::Tablestore => source.id.as_str(),
    }
}

fn of_ecs(action: &str, instance: &str) -> String {
    if action.contains("Snapshot") {
        "snapshot/*".to_owned()
    } else if action.contains("Disk") {
        "disk/*".to_owned()
    } else {
        format!("instance/{instance}")
    }
}

fn of_nas(action: &str, file_system: &str) -> String {
    if action.contains("AccessGroup") {
        "accessgroup/*".to_owned()
    } else {
        format!("filesystem/{file_system}")
    }
}

fn of_tablestore(action: &str, instance: &str) -> String {
    match action {
        "ListInstance" => "instance/*".to_owned(),
        "GetInstance" => format!("instance/{instance}"),
        _ => format!("instance/{instance}/table/*"),
    }
}

/// Buckets have a namespace of their own; what is in them lies below their name.
fn of_oss(action: &str, bucket: &str) -> String {
    match action {
        "ListBuckets" => "*".to_owned(),
        "ListObjects"
        | "HeadBucket"
        | "GetBucketInfo"
        | "GetBucketAcl"
        | "GetBucketLocation"
        | "ListMultipartUploads" => bucket.to_owned(),
        _ => format!("{bucket}/*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Verb;

    fn source(kind: SourceKind) -> DataSource {
        DataSource {
            account: "1000000000000012".parse().unwrap(),
            region: "cn-hangzhou".parse().unwrap(),
            kind,
            id: "x-1".parse().unwrap(),
        }
    }

    #[track_caller]
    fn check(kind: SourceKind, verb: Verb, action: &str, resource: &str) {
        let source = source(kind);
        let needs = needs(Operation { kind, verb }, (&source).into());
        let found: Vec<_> = needs.iter().filter(|need| need.action == action).collect();
        assert_eq!(found.iter().map(|need| need.resource.as_str()).collect::<Vec<_>>(), [resource]);
    }

    #[test]
    fn an_action_on_the_source_concerns_the_source_alone() {
        let instance = "acs:ecs:cn-hangzhou:1000000000000012:instance/x-1";
        check(SourceKind::EcsFiles, Verb::BackUp, "ecs:RunCommand", instance);
        check(
            SourceKind::Nas,
            Verb::Restore,
            "nas:CreateMountTargetSpecial",
            "acs:nas:cn-hangzhou:1000000000000012:filesystem/x-1",
        );
        check(SourceKind::Oss, Verb::BackUp, "oss:ListObjects", "acs:oss:*:1000000000000012:x-1");
        check(SourceKind::Oss, Verb::BackUp, "oss:GetObject", "acs:oss:*:1000000000000012:x-1/*");
        check(
            SourceKind::Tablestore,
            Verb::BackUp,
            "ots:GetRange",
            "acs:ots:cn-hangzhou:1000000000000012:instance/x-1/table/*",
        );
    }

    #[test]
    fn a_database_may_be_on_any_instance() {
        let instances = "acs:ecs:cn-hangzhou:1000000000000012:instance/*";
        for kind in [SourceKind::EcsDatabase, SourceKind::SapHana] {
            for verb in [Verb::Discover, Verb::BackUp, Verb::Restore] {
                check(kind, verb, "ecs:DescribeInstances", instances);
            }
            check(kind, Verb::BackUp, "ecs:RunCommand", instances);
        }
    }

    #[test]
    fn what_makes_or_lists_other_things_concerns_them_all() {
        check(
            SourceKind::EcsInstance,
            Verb::BackUp,
            "ecs:CreateSnapshot",
            "acs:ecs:cn-hangzhou:1000000000000012:snapshot/*",
        );
        check(
            SourceKind::Nas,
            Verb::Discover,
            "vpc:DescribeVpcs",
            "acs:vpc:cn-hangzhou:1000000000000012:*",
        );
        check(SourceKind::Oss, Verb::Discover, "oss:ListBuckets", "acs:oss:*:1000000000000012:*");
    }

    #[test]
    fn without_a_source_all_of_its_type_are_meant() {
        let (account, region) = (source(SourceKind::Nas).account, source(SourceKind::Nas).region);
        let scope = Scope { account: &account, region: &region, source: None };
        let operation = Operation { kind: SourceKind::EcsFiles, verb: Verb::Discover };
        for need in needs(operation, scope) {
            assert_eq!(need.resource, "acs:ecs:cn-hangzhou:1000000000000012:instance/*");
        }
    }

    #[test]
    fn a_touch_is_among_the_needs_of_a_backup() {
        for kind in SourceKind::ALL {
            let source = source(kind);
            let operation = Operation { kind, verb: Verb::BackUp };
            assert!(needs(operation, (&source).into()).contains(&touched(&source)), "{operation}");
        }
    }
}
