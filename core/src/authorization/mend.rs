//! What mends a broken authority: who does what, and exactly what with.

mod told;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    cause::{Cause, Causes},
    facts::{Facts, GrantFacts, Known, Subject},
    permissions::Attached,
};
use crate::{
    catalog::{self, Need, Operation, Scope},
    directory::ControlLevel,
    ids::{AccountId, DataSource, Region, RoleArn},
    policy::{self, Context, Policy, PolicyKind, Request, Verdict, trust_policy_for},
};

/// One deed that mends, as small as it can be: a policy document in it gives exactly what is
/// missing and takes away nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mend", rename_all = "kebab-case")]
pub enum Mend {
    /// The backup management account adds the account in the region.
    AddAccount {
        /// The resource account.
        account: AccountId,
        /// The region.
        region: Region,
    },
    /// The directory's management account makes this one a delegated administrator.
    RegisterAdministrator {
        /// The backup management account.
        management: AccountId,
    },
    /// The directory's management account takes the account in again.
    AddMember {
        /// The resource account.
        account: AccountId,
    },
    /// The backup management account adds the account again, which creates the role.
    CreateServiceRole {
        /// The role that is missing.
        role: RoleArn,
    },
    /// The resource account creates the role with its trust policy and permissions.
    CreateRole {
        /// The role that is missing.
        role: RoleArn,
        /// Its trust policy, as JSON text.
        trust: String,
        /// The permission policies to attach, as JSON texts.
        permissions: Vec<String>,
    },
    /// The resource account replaces the role's trust policy.
    Trust {
        /// The role.
        role: RoleArn,
        /// The trust policy, as JSON text.
        document: String,
    },
    /// The resource account attaches policies to the role, beside those it has.
    Permit {
        /// The role.
        role: RoleArn,
        /// The policies, as JSON texts.
        documents: Vec<String>,
    },
    /// The resource account takes out of an attached policy what denies.
    LiftDeny {
        /// The role.
        role: RoleArn,
        /// The policy's name.
        policy: String,
        /// The policy without the statements that deny; none when nothing is left, so that it is
        /// detached.
        document: Option<String>,
    },
    /// The directory's management account excepts the role from a control policy.
    Except {
        /// The node that it is attached to.
        node: String,
        /// The policy's name.
        policy: String,
        /// The policy with the exception in it.
        document: String,
    },
    /// The directory's management account attaches a control policy that allows what is needed.
    AllowAt {
        /// The node.
        node: String,
        /// The policies, as JSON texts.
        documents: Vec<String>,
    },
    /// The resource account makes an ordinary role, through which it is added instead.
    OrdinaryRole {
        /// The resource account.
        account: AccountId,
    },
    /// The clock of the machine that runs Crossvault is set.
    SetClock,
    /// The cloud raises a quota of the account.
    RaiseQuota {
        /// The account.
        account: AccountId,
        /// What is limited.
        quota: String,
    },
    /// The source is created again, or unbound.
    FindSource {
        /// The source that is missing.
        source: DataSource,
    },
    /// Nobody but the role's owner can tell: the cloud shows nothing that forbids the entry.
    LookAtRole {
        /// The role.
        role: RoleArn,
    },
    /// A mistake of Crossvault is reported.
    Report,
}

/// What mends all causes that were found against operations on the subject, in the order in which
/// it is to be done. The subject's own operation is not looked at.
#[must_use]
pub fn mends(subject: &Subject, found: &[(Operation, Vec<Cause>)], facts: &Facts) -> Vec<Mend> {
    let all = found.iter().flat_map(|(_, causes)| causes).cloned().collect();
    let Some(causes) = Causes::of(all) else { return Vec::new() };
    let refused = found.iter().filter(|(_, causes)| !causes.is_empty());
    let operations: Vec<Operation> = refused.map(|(operation, _)| *operation).collect();
    let asked = Asked { subject, operations: &operations, facts };
    let mut mends: Vec<Mend> = Vec::new();
    for mend in causes.iter().flat_map(|cause| asked.of_cause(cause)) {
        if !mends.contains(&mend) {
            mends.push(mend);
        }
    }
    mends
}

struct Asked<'a> {
    subject: &'a Subject,
    operations: &'a [Operation],
    facts: &'a Facts,
}

impl Asked<'_> {
    fn of_cause(&self, cause: &Cause) -> Vec<Mend> {
        let one = match cause {
            Cause::GrantRemoved { account } => {
                Mend::AddAccount { account: account.clone(), region: self.subject.region.clone() }
            }
            Cause::RegionNotAdded { account, region, .. } => {
                Mend::AddAccount { account: account.clone(), region: region.clone() }
            }
            Cause::NotAdministrator { management } => {
                Mend::RegisterAdministrator { management: management.clone() }
            }
            Cause::NotMember { account, .. } => Mend::AddMember { account: account.clone() },
            Cause::MemberServiceRoleDeleted { role }
            | Cause::ManagementServiceRoleDeleted { role } => {
                Mend::CreateServiceRole { role: role.clone() }
            }
            Cause::RoleDeleted { role } => Mend::CreateRole {
                role: role.clone(),
                trust: trust_policy_for(&self.subject.management),
                permissions: policy::mend(&self.needs(), &[]).documents,
            },
            Cause::TrustMissing { role, trusted } => {
                Mend::Trust { role: role.clone(), document: trust_policy_for(&trusted.account) }
            }
            Cause::RoleChainRefused { role } => {
                Mend::OrdinaryRole { account: role.account.clone() }
            }
            Cause::EntryDenied { role } => Mend::LookAtRole { role: role.clone() },
            Cause::PermissionMissing { role, .. } => return self.permit(role),
            Cause::PermissionDenied { role, policy, .. } => return self.lift(role, policy),
            Cause::ControlPolicyDenies { role, node, policy, .. } => {
                return self.control(role, node, policy.as_deref());
            }
            Cause::SessionPolicyTooSmall { .. } => Mend::Report,
            Cause::CredentialsExpired { .. } => Mend::SetClock,
            Cause::QuotaExceeded { account, quota, .. } => {
                Mend::RaiseQuota { account: account.clone(), quota: quota.clone() }
            }
            Cause::SourceNotFound { source_id } => Mend::FindSource { source: source_id.clone() },
        };
        vec![one]
    }

    /// What the operations need in the resource account.
    fn needs(&self) -> Vec<Need> {
        let Subject { account, region, source, .. } = self.subject;
        let scope = Scope { account, region, source: source.as_ref() };
        self.operations.iter().flat_map(|operation| catalog::needs(*operation, scope)).collect()
    }

    /// The policies that give what the role lacks; of a role that can't be read, all that is
    /// needed is taken to be missing.
    fn permit(&self, role: &RoleArn) -> Vec<Mend> {
        let GrantFacts::Role { view, .. } = &self.facts.grant else { return Vec::new() };
        let attached = match view {
            Some(Known::Known(view)) => Attached::read(&view.policies),
            Some(Known::Unreadable) | None => Attached::read(&[]),
        };
        let documents = policy::mend(&self.needs(), &attached.policies()).documents;
        vec![Mend::Permit { role: role.clone(), documents }]
    }

    fn lift(&self, role: &RoleArn, name: &str) -> Vec<Mend> {
        let GrantFacts::Role { view: Some(Known::Known(view)), .. } = &self.facts.grant else {
            return Vec::new();
        };
        let found = view.policies.iter().find(|attached| attached.name == name);
        let Some(text) = found.map(|attached| attached.document.as_str()) else {
            return Vec::new();
        };
        let lifted = self.edited(text, PolicyKind::Permission, role, |_| Edit::Remove);
        let document = lifted.filter(|text| Policy::parse(text, PolicyKind::Permission).is_ok());
        vec![Mend::LiftDeny { role: role.clone(), policy: name.to_owned(), document }]
    }

    fn control(&self, role: &RoleArn, node: &str, name: Option<&str>) -> Vec<Mend> {
        let GrantFacts::Role { control: Known::Known(levels), .. } = &self.facts.grant else {
            return Vec::new();
        };
        let Some(level) = levels.iter().find(|level| level.node == node) else {
            return Vec::new();
        };
        let node = node.to_owned();
        let Some(name) = name else {
            return vec![Mend::AllowAt { node, documents: self.allowed_at(level) }];
        };
        let found = level.policies.iter().find(|attached| attached.name == name);
        let Some(text) = found.map(|attached| attached.document.as_str()) else {
            return Vec::new();
        };
        let excepted = |statement: &mut Value| {
            except(statement, role);
            Edit::Keep
        };
        let document = self.edited(text, PolicyKind::Control, role, excepted);
        let Some(document) = document else { return Vec::new() };
        vec![Mend::Except { node, policy: name.to_owned(), document }]
    }

    fn allowed_at(&self, level: &ControlLevel) -> Vec<String> {
        let attached = Attached::read(&level.policies);
        policy::mend(&self.needs(), &attached.policies()).documents
    }

    /// The document with each statement edited that denies something needed; `None` when it is
    /// none that can be read.
    fn edited(
        &self,
        text: &str,
        kind: PolicyKind,
        role: &RoleArn,
        mut edit: impl FnMut(&mut Value) -> Edit,
    ) -> Option<String> {
        let policy = Policy::parse(text, kind).ok()?;
        let denying = self.denying(&policy, role);
        let mut document: Value = serde_json::from_str(text).ok()?;
        let statements = document.get_mut("Statement")?.as_array_mut()?;
        let mut number = 0_usize;
        statements.retain_mut(|statement| {
            let is_denying = denying.contains(&number);
            number = number.saturating_add(1);
            !is_denying || edit(statement) == Edit::Keep
        });
        serde_json::to_string_pretty(&document).ok()
    }

    /// The statements that deny one of the needs, by number.
    fn denying(&self, policy: &Policy, role: &RoleArn) -> Vec<usize> {
        let context =
            Context::default().with("acs:PrincipalARN", &role.to_string().to_ascii_lowercase());
        let mut denying = Vec::new();
        for (number, statement) in policy.statements().iter().enumerate() {
            let alone = policy.only(number);
            let denies = |need: &Need| {
                let request = Request::new(need.action, &need.resource).within(&context);
                matches!(policy::evaluate(&[&alone], &request), Verdict::ExplicitDeny { .. })
            };
            if statement.effect == policy::Effect::Deny && self.needs().iter().any(denies) {
                denying.push(number);
            }
        }
        denying
    }
}

/// What becomes of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
}

/// Lets a statement that denies spare the role.
///
/// Source: Resource Management, "Examples of custom access control policies".
fn except(statement: &mut Value, role: &RoleArn) {
    let pattern = format!("acs:ram:*:*:role/{}", role.name.as_str().to_ascii_lowercase());
    let Some(statement) = statement.as_object_mut() else { return };
    let condition = statement.entry("Condition").or_insert_with(|| Value::Object(Map::new()));
    let Some(condition) = condition.as_object_mut() else { return };
    let operator = condition.entry("StringNotLike").or_insert_with(|| Value::Object(Map::new()));
    let Some(keys) = operator.as_object_mut() else { return };
    // A key that stands there already, in whatever case, gets one value more.
    let key = keys.keys().find(|key| key.eq_ignore_ascii_case("acs:PrincipalARN")).cloned();
    let values = keys
        .entry(key.unwrap_or_else(|| "acs:PrincipalARN".to_owned()))
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::String(one) = values {
        *values = Value::Array(vec![Value::String(std::mem::take(one))]);
    }
    if let Some(values) = values.as_array_mut() {
        values.push(Value::String(pattern));
    }
}
