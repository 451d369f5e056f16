//! Backup policies: schedule and retention rules, attachable to sources of several accounts.

use chrono::{DateTime, TimeDelta, Utc};
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

    /// The binding under the version of its policy that follows its present one; none while a slot
    /// is undecided that the present one decides.
    ///
    /// A version decides the slots after its `since`; later slots of the version before are dropped.
    /// What is decided stays decided: where a clock has stepped back, the next slot still lies
    /// behind the last one that the old version decided.
    ///
    /// Source: Cloud Backup, "Backup policies": a changed policy takes effect at the next run.
    #[must_use]
    pub fn follow(&self, old: &BackupPolicy, new: &BackupPolicy) -> Option<Self> {
        if self.next.is_some_and(|next| next <= new.since) {
            return None;
        }
        let decided = self
            .next
            .and_then(|next| next.checked_sub_signed(TimeDelta::nanoseconds(1)))
            .and_then(|before| old.schedule.last_until(before));
        let from = decided.unwrap_or(new.since).max(new.since).max(self.bound);
        let next = new.schedule.next_after(from);
        Some(Self { next, version: new.version, ..self.clone() })
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

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::schedule::retention::Retention;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-03-{text}:00Z").parse().unwrap()
    }

    fn policy(version: u32, since: &str, schedule: &str) -> BackupPolicy {
        BackupPolicy {
            id: PolicyId::derive(&["policy"]),
            name: "daily".to_owned(),
            vault: VaultId::derive(&["vault"]),
            schedule: Recurrence::parse(schedule, Tz::UTC).unwrap(),
            retention: Rules::new(Retention::Forever, vec![], false).unwrap(),
            version,
            since: at(since),
        }
    }

    /// A binding whose next slot is at `next` follows from 02:00 each day to 05:00 each day.
    #[track_caller]
    fn check(next: Option<&str>, since: &str, expected: Option<&str>) {
        let old = policy(1, "01T00:00", "C|0|0 0 2 * * ?");
        let new = policy(2, since, "C|0|0 0 5 * * ?");
        let source: DataSource = "1000000000000012/cn-hangzhou/nas/fs-1".parse().unwrap();
        let binding = Binding {
            id: Binding::id(&old.id, &source),
            policy: old.id.clone(),
            source,
            bound: at("01T00:00"),
            paused: false,
            next: next.map(at),
            version: 1,
        };
        let followed = binding.follow(&old, &new);
        assert_eq!(followed.as_ref().and_then(|binding| binding.next), expected.map(at));
        assert!(followed.is_none_or(|binding| binding.version == 2));
    }

    #[test]
    fn a_binding_follows_its_policy_slot_by_slot() {
        check(Some("02T02:00"), "01T12:00", Some("02T05:00"));
        // A slot that was due before the change is the old version's.
        check(Some("02T02:00"), "02T03:00", None);
        check(Some("02T02:00"), "02T02:00", None);
        // A clock stepped back: the slots up to the 9th were decided.
        check(Some("10T02:00"), "03T12:00", Some("09T05:00"));
        // A schedule that had ended begins again.
        check(None, "03T12:00", Some("04T05:00"));
    }

    #[test]
    fn names_keep_their_rules() {
        for name in ["daily", "Übersicht 1", "a2", "日报"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "a", "1st", "-a", "automatic", "a\u{7}b", &"a".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
