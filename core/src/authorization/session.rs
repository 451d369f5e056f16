//! The policy that a step's session is cut down to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    catalog::{self, Need, Operation, Scope},
    ids::RoleArn,
};

/// Returns the session policy, as JSON text, for these operations within the scope: their actions
/// on the resources that they concern, and the reading of the role itself.
///
/// It fits into the 2,048 characters that a session policy may have for a step of any job, which
/// looks at one source and works on it, and for the discovery of all types.
///
/// Source: STS API, `AssumeRole`, `Policy`.
#[must_use]
pub fn session_policy(role: &RoleArn, operations: &[Operation], scope: Scope<'_>) -> String {
    let mut by_resource: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let needed = operations.iter().flat_map(|operation| catalog::needs(*operation, scope));
    for Need { action, resource } in needed.chain(catalog::reads(role)) {
        let actions = by_resource.entry(resource).or_default();
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    let statements: Vec<Value> =
        by_resource.into_iter().map(|(resource, actions)| statement(&actions, &resource)).collect();
    json!({ "Version": "1", "Statement": statements }).to_string()
}

/// Returns the session policy, as JSON text, with which one role does nothing but enter another.
///
/// Source: STS API, `AssumeRole`.
#[must_use]
pub fn entry_policy(role: &RoleArn) -> String {
    let statement = statement(&["sts:AssumeRole"], &role.to_string());
    json!({ "Version": "1", "Statement": [statement] }).to_string()
}

fn statement(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::Verb,
        ids::{DataSource, SourceKind},
        policy::{Policy, PolicyKind, Request, evaluate},
    };

    fn role() -> RoleArn {
        format!("acs:ram::1000000000000012:role/{}", "r".repeat(64)).parse().unwrap()
    }

    fn source(kind: SourceKind) -> DataSource {
        let id = "x".repeat(128).parse().unwrap();
        let (account, region) = (role().account, "ap-southeast-1".parse().unwrap());
        DataSource { account, region, kind, id }
    }

    #[test]
    fn it_gives_what_the_operation_needs_and_no_other_source() {
        for kind in SourceKind::ALL {
            for verb in Verb::ALL {
                let (operation, source) = (Operation { kind, verb }, source(kind));
                let text = session_policy(&role(), &[operation], (&source).into());
                let policy = Policy::parse(&text, PolicyKind::Session).unwrap();
                for Need { action, resource } in catalog::needs(operation, (&source).into()) {
                    let allows = |resource: &str| {
                        evaluate(&[&policy], &Request::new(action, resource)).is_allow()
                    };
                    assert!(allows(&resource), "{operation}: {action} on {resource}");
                    let other = resource.replace(source.id.as_str(), "other");
                    assert!(other == resource || !allows(&other), "{action} on {other}");
                    assert!(!allows(&resource.replace("1000000000000012", "1000000000000013")));
                }
                let delete = Request::new("oss:DeleteObject", "acs:oss:*:1000000000000012:x/y");
                assert!(!evaluate(&[&policy], &delete).is_allow());
            }
        }
    }

    /// A job's step looks at the source and then works on it.
    #[test]
    fn a_step_of_any_job_fits() {
        for kind in SourceKind::ALL {
            for verb in Verb::ALL {
                let (operation, source) = (Operation { kind, verb }, source(kind));
                let operations = [operation.look(), operation];
                let text = session_policy(&role(), &operations, (&source).into());
                let read = Policy::parse(&text, PolicyKind::Session);
                assert!(read.is_ok(), "{operation}: {} characters", text.len());
            }
        }
    }

    #[test]
    fn the_discovery_of_all_types_fits() {
        let discover = |kind| Operation { kind, verb: Verb::Discover };
        let (account, region) = (role().account, "ap-southeast-1".parse().unwrap());
        let scope = Scope { account: &account, region: &region, source: None };
        let operations = SourceKind::ALL.map(discover);
        let text = session_policy(&role(), &operations, scope);
        assert!(Policy::parse(&text, PolicyKind::Session).is_ok(), "{}", text.len());
    }

    #[test]
    fn the_role_itself_may_be_read_and_no_other() {
        let text = session_policy(&role(), &[], (&source(SourceKind::Nas)).into());
        let policy = Policy::parse(&text, PolicyKind::Session).unwrap();
        let allows = |action, resource: &str| {
            evaluate(&[&policy], &Request::new(action, resource)).is_allow()
        };
        assert!(allows("ram:GetRole", &role().to_string().to_lowercase()));
        assert!(allows("ram:GetPolicy", "acs:ram::system:policy/AliyunHBRRolePolicy"));
        assert!(!allows("ram:GetRole", "acs:ram::1000000000000012:role/other"));
        assert!(!allows("ram:PassRole", &role().to_string()));
    }
}
