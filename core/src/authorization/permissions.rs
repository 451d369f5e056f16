//! What a role's policies, and the control policies above it, give of what an operation needs.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    cause::Cause,
    facts::{Known, RoleView, Subject},
};
use crate::{
    catalog::{self, Need, Scope},
    directory::ControlLevel,
    ids::RoleArn,
    policy::{Compiled, Context, Policy, PolicyKind, Request, Verdict, Vocabulary, system_policy},
};

/// What keeps the role from the operation.
///
/// Control policies do not bear on service-linked roles, nor where they can't be read: then the
/// call itself tells.
///
/// Source: RAM, "Policy evaluation process"; Resource Management, "Overview of the Control Policy
/// feature".
pub(super) fn causes(
    subject: &Subject,
    view: &RoleView,
    control: &Known<Vec<ControlLevel>>,
) -> Vec<Cause> {
    let levels: &[ControlLevel] = match control {
        Known::Known(levels) => levels,
        Known::Unreadable => &[],
    };
    let attached = Attached::read(&view.policies);
    let control: Vec<Attached> =
        levels.iter().map(|level| Attached::read(&level.policies)).collect();
    let compile =
        |attached: &Attached<'_>| Compiled::of(Vocabulary::product(), &attached.policies());
    let (own, bounds) = (compile(&attached), control.iter().map(compile).collect::<Vec<_>>());
    let context =
        Context::default().with("acs:PrincipalARN", &view.role.to_string().to_ascii_lowercase());
    let mut found = Found::default();
    let Subject { account, region, source, operation, .. } = subject;
    let scope = Scope { account, region, source: source.as_ref() };
    for Need { action, resource } in catalog::needs(*operation, scope) {
        let request = Request::new(action, &resource).within(&context);
        for (level, bound) in bounds.iter().enumerate() {
            match bound.evaluate(&request) {
                Verdict::Allow { .. } => {}
                Verdict::ExplicitDeny { policy, .. } => {
                    found.add(Barrier::Control { level, policy: Some(policy) }, action);
                }
                Verdict::ImplicitDeny => {
                    found.add(Barrier::Control { level, policy: None }, action);
                }
            }
        }
        match own.evaluate(&request) {
            Verdict::Allow { .. } => {}
            Verdict::ExplicitDeny { policy, .. } => found.add(Barrier::Denied { policy }, action),
            Verdict::ImplicitDeny => found.add(Barrier::Missing, action),
        }
    }
    found.told(subject, &view.role, levels, &attached, &control)
}

/// What keeps an action back; several may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Barrier {
    Control { level: usize, policy: Option<usize> },
    Denied { policy: usize },
    Missing,
}

/// The actions that each barrier keeps back.
#[derive(Default)]
struct Found(BTreeMap<Barrier, Vec<String>>);

impl Found {
    fn add(&mut self, barrier: Barrier, action: &str) {
        self.0.entry(barrier).or_default().push(action.to_owned());
    }

    fn told(
        self,
        subject: &Subject,
        role: &RoleArn,
        levels: &[ControlLevel],
        attached: &Attached<'_>,
        control: &[Attached<'_>],
    ) -> Vec<Cause> {
        let operation = || subject.operation.to_string();
        let cause = |(barrier, actions)| match barrier {
            Barrier::Control { level, policy } => Cause::ControlPolicyDenies {
                role: role.clone(),
                node: levels.get(level).map_or_else(String::new, |level| level.node.clone()),
                policy: policy
                    .and_then(|policy| control.get(level)?.name(policy))
                    .map(str::to_owned),
                actions,
            },
            Barrier::Denied { policy } => Cause::PermissionDenied {
                role: role.clone(),
                operation: operation(),
                policy: attached.name(policy).unwrap_or_default().to_owned(),
                actions,
            },
            Barrier::Missing => {
                Cause::PermissionMissing { role: role.clone(), operation: operation(), actions }
            }
        };
        self.0.into_iter().map(cause).collect()
    }
}

/// Policies with their names.
///
/// The cloud has stored them, so no limit of length is asked; one that does not parse gives
/// nothing. The cloud's own are known already, unless it has changed them.
pub(super) struct Attached<'a>(Vec<(&'a str, Cow<'static, Policy>)>);

impl<'a> Attached<'a> {
    pub(super) fn read(policies: &'a [super::AttachedPolicy]) -> Self {
        let read = |attached: &'a super::AttachedPolicy| {
            let is_known = |known: &&Policy| known.text() == attached.document;
            let policy = match system_policy(&attached.name).filter(is_known) {
                Some(known) => Cow::Borrowed(known),
                None => Cow::Owned(Policy::parse(&attached.document, PolicyKind::System).ok()?),
            };
            Some((attached.name.as_str(), policy))
        };
        Self(policies.iter().filter_map(read).collect())
    }

    pub(super) fn policies(&self) -> Vec<&Policy> {
        self.0.iter().map(|(_, policy)| policy.as_ref()).collect()
    }

    fn name(&self, number: usize) -> Option<&'a str> {
        self.0.get(number).map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authorization::AttachedPolicy,
        catalog::{Operation, Verb},
        ids::{DataSource, SourceKind},
    };

    /// What stands against a backup of files by a role with that policy.
    fn against(name: &str, document: &str) -> Vec<Cause> {
        let source: DataSource = "1000000000000012/cn-hangzhou/ecs-files/i-1".parse().unwrap();
        let subject = Subject {
            management: "1000000000000001".parse().unwrap(),
            account: source.account.clone(),
            region: source.region.clone(),
            operation: Operation { kind: SourceKind::EcsFiles, verb: Verb::BackUp },
            source: Some(source),
        };
        let attached = AttachedPolicy { name: name.to_owned(), document: document.to_owned() };
        let view = RoleView {
            role: "acs:ram::1000000000000012:role/hbrcrossrole".parse().unwrap(),
            trust: String::new(),
            policies: vec![attached],
        };
        causes(&subject, &view, &Known::Known(Vec::new()))
    }

    /// The cloud may change a policy of its own: what was read of it counts, never its name.
    #[test]
    fn a_policy_of_the_cloud_gives_what_its_document_says() {
        let known = system_policy("AliyunHBRRolePolicy").unwrap().text();
        let changed =
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#;
        assert_eq!(against("AliyunHBRRolePolicy", known), []);
        assert_eq!(against("pasted", known), []);
        let lacks = |causes: &[Cause]| matches!(causes, [Cause::PermissionMissing { .. }]);
        assert!(lacks(&against("AliyunHBRRolePolicy", changed)));
    }
}
