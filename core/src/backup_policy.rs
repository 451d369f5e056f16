//! Backup policies: schedule and retention rules, attachable to sources of several accounts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    explain::Explain,
    ids::{BindingId, DataSource, PolicyId, VaultId},
    schedule::{Recurrence, retention::Rules},
};

/// A policy in its present version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPolicy {
    /// Its id.
    pub id: PolicyId,
    /// The name that people gave it, unique within the management account.
    pub name: String,
    /// The one vault that it backs up to.
    ///
    /// Source: SDK `CreatePolicyV2`: each policy backs up to one vault only.
    pub vault: VaultId,
    /// When its slots are.
    pub schedule: Recurrence,
    /// How long points are kept.
    pub retention: Rules,
    /// Counts up with each change, from 1.
    pub version: u32,
    /// Since when this version holds: it decides the slots after this instant.
    pub since: DateTime<Utc>,
}

/// One policy attached to one data source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Its id, derived from policy and source.
    pub id: BindingId,
    /// The policy.
    pub policy: PolicyId,
    /// The source.
    pub source: DataSource,
    /// Since when it is bound.
    pub bound: DateTime<Utc>,
    /// Whether its slots are skipped.
    pub paused: bool,
    /// The next slot that is not decided yet; none when the policy has no further slot.
    pub next: Option<DateTime<Utc>>,
    /// The version of the policy by which `next` was computed.
    pub version: u32,
}

impl Binding {
    /// The id of the binding of this policy to this source: there is at most one.
    ///
    /// Source: Terraform `hbr_policy_binding`: the key is policy, source type and source.
    #[must_use]
    pub fn id(policy: &PolicyId, source: &DataSource) -> BindingId {
        BindingId::derive(&[policy.as_str(), &source.to_string()])
    }
}

/// A name that breaks the rules for names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a name: {rule}")]
pub struct InvalidName {
    /// What was given.
    pub name: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl Explain for InvalidName {
    fn code(&self) -> &'static str {
        "INVALID_NAME"
    }
    fn remedy(&self) -> String {
        "Give 2 to 128 characters that start with a letter and not with `auto`.".to_owned()
    }
}

/// Checks the name of a policy or a vault.
///
/// Source: Cloud Backup, "Backup policies": 2 to 128 characters, not starting with `auto`, a
/// digit or a special character.
///
/// # Errors
/// [`InvalidName`] with the rule that is broken.
pub fn check_name(name: &str) -> Result<(), InvalidName> {
    let rule = match name.chars().next() {
        _ if !(2..=128).contains(&name.chars().count()) => "it must have 2 to 128 characters",
        Some(first) if !first.is_alphabetic() => "it must start with a letter",
        _ if name.starts_with("auto") => "it must not start with `auto`",
        _ if name.chars().any(char::is_control) => "it must not hold control characters",
        _ => return Ok(()),
    };
    Err(InvalidName { name: name.chars().take(200).collect(), rule })
}
