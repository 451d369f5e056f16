//! Every id its own type: text becomes one of these once, where it enters.

use std::{fmt, str::FromStr};

use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::explain::Explain;

/// A text that is copied often: up to 24 bytes lie in place, and copying them allocates nothing.
///
/// Every derived id fits, and so does the id of an account.
pub type ShortText = CompactString;

/// A text that is not the id it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct InvalidId {
    /// What was given, cut to 200 characters.
    pub text: String,
    /// What would have been right.
    pub expected: &'static str,
}

impl InvalidId {
    /// Names the text that is wrong and what was expected in its place.
    #[must_use]
    pub fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(200).collect(), expected }
    }
}

impl Explain for InvalidId {
    fn code(&self) -> &'static str {
        "INVALID_ID"
    }
    fn remedy(&self) -> String {
        format!("Give {}.", self.expected)
    }
}

/// Lets serde write a value as it displays itself, and read it as it is parsed.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                ShortText::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// Defines an id that is a checked text: `FromStr`, serde through the same check, `Display`, `Ord`.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, |$text:ident| $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ShortText);

        serde_as_text!($name);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str($text: &str) -> Result<Self, InvalidId> {
                if $check { Ok(Self($text.into())) } else { Err(InvalidId::new($text, $expected)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

/// Defines an id that Crossvault derives from what it stands for: a prefix and 20 hex digits.
///
/// The same parts give the same id on every machine, so a repeat names the same thing.
macro_rules! derived_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        text_id! {
            $(#[$doc])* $name, $expected,
            |text| text.strip_prefix($prefix).is_some_and(is_derived)
        }

        impl $name {
            /// Derives the id from the parts that make it unique; their order matters.
            #[must_use]
            pub fn derive(parts: &[&str]) -> Self {
                Self(derive($prefix, parts))
            }
        }
    };
}

text_id! {
    /// A cloud account: 12 to 16 decimal digits.
    AccountId, "an account id (12 to 16 digits)",
    |text| (12..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

text_id! {
    /// A region, such as `cn-hangzhou`.
    Region, "a region (lower-case letters, digits and hyphens, such as `cn-hangzhou`)",
    |text| (2..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
}

text_id! {
    /// The name of a RAM role: 1 to 64 letters, digits, `.`, `-` and `_`.
    ///
    /// Source: RAM, "Limits" and API `CreateRole`.
    RoleName, "a role name (1 to 64 letters, digits, `.`, `-`, `_`)",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

text_id! {
    /// The id that the cloud gives a resource: an instance, a file system, a bucket.
    ResourceId, "a resource id (1 to 128 letters, digits, `.`, `-`, `_`; not starting with `.`)",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && !text.starts_with('.')
}

text_id! {
    /// The key under which a person's or program's request is carried out at most once.
    Token, "a request token (1 to 64 letters, digits, `-`, `_`)",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

derived_id! {
    /// A vault.
    VaultId, "v-", "a vault id (`v-` and 20 hex digits)"
}
derived_id! {
    /// A policy: schedule and retention rules.
    PolicyId, "po-", "a policy id (`po-` and 20 hex digits)"
}
derived_id! {
    /// A binding: one policy attached to one data source.
    BindingId, "bd-", "a binding id (`bd-` and 20 hex digits)"
}
derived_id! {
    /// A backup, restore, erase or prune job.
    JobId, "job-", "a job id (`job-` and 20 hex digits)"
}
derived_id! {
    /// A recovery point.
    PointId, "s-", "a recovery point id (`s-` and 20 hex digits)"
}
derived_id! {
    /// A recorded effect that waits in the outbox.
    EffectId, "e-", "an effect id (`e-` and 20 hex digits)"
}
derived_id! {
    /// An audit record.
    AuditId, "a-", "an audit record id (`a-` and 20 hex digits)"
}
derived_id! {
    /// An event of the local world, as its audit trail numbers them.
    TrailEventId, "ev-", "the id of a trail's event (`ev-` and 20 hex digits)"
}

impl PointId {
    /// The point that a backup job makes: one job, one point, the same digits.
    #[must_use]
    pub fn of_job(job: &JobId) -> Self {
        let digits = job.as_str().strip_prefix("job-").unwrap_or_default();
        Self(format_compact!("s-{digits}"))
    }
}

/// A RAM role of an account: `acs:ram::<account>:role/<name>`.
///
/// Role names are compared without case: the cloud keeps them unique regardless of case and some
/// of its own documents write them in lower case.
///
/// Source: RAM, "Basic elements of policies"; the case rule is derived from `AliyunHBRRolePolicy`.
#[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleArn {
    /// The account that owns the role.
    pub account: AccountId,
    /// The role's name, as it was written.
    pub name: RoleName,
}

impl RoleArn {
    /// Whether both name the same role: names are compared without case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.account == other.account
            && self.name.as_str().eq_ignore_ascii_case(other.name.as_str())
    }
}

impl FromStr for RoleArn {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new(text, "a role ARN (`acs:ram::<account>:role/<name>`)");
        let (account, name) = text
            .strip_prefix("acs:ram::")
            .and_then(|rest| rest.split_once(":role/"))
            .ok_or_else(invalid)?;
        Ok(Self {
            account: account.parse().map_err(|_| invalid())?,
            name: name.parse().map_err(|_| invalid())?,
        })
    }
}

serde_as_text!(RoleArn);

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acs:ram::{}:role/{}", self.account, self.name)
    }
}

/// The seven types of data source, by the cloud's names.
///
/// Source: Cloud Backup, "Cross-account backup", section "Quotas and limits".
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SourceKind {
    /// A whole ECS instance, by snapshots of its disks.
    #[serde(rename = "UDM_ECS")]
    EcsInstance,
    /// Files on an ECS instance.
    #[serde(rename = "ECS_FILE")]
    EcsFiles,
    /// A NAS file system.
    #[serde(rename = "NAS")]
    Nas,
    /// An OSS bucket.
    #[serde(rename = "OSS")]
    Oss,
    /// A Tablestore instance.
    #[serde(rename = "OTS")]
    Tablestore,
    /// A database on an ECS instance.
    #[serde(rename = "ECS_DATABASE")]
    EcsDatabase,
    /// An SAP HANA database.
    #[serde(rename = "HANA")]
    SapHana,
}

impl SourceKind {
    /// All seven, in the order of the documents.
    pub const ALL: [Self; 7] = [
        Self::EcsInstance,
        Self::EcsFiles,
        Self::Nas,
        Self::Oss,
        Self::Tablestore,
        Self::EcsDatabase,
        Self::SapHana,
    ];

    /// The cloud's code for the type, as its API has it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::EcsInstance => "UDM_ECS",
            Self::EcsFiles => "ECS_FILE",
            Self::Nas => "NAS",
            Self::Oss => "OSS",
            Self::Tablestore => "OTS",
            Self::EcsDatabase => "ECS_DATABASE",
            Self::SapHana => "HANA",
        }
    }

    /// The word that people type, such as `ecs-files`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EcsInstance => "ecs-instance",
            Self::EcsFiles => "ecs-files",
            Self::Nas => "nas",
            Self::Oss => "oss",
            Self::Tablestore => "tablestore",
            Self::EcsDatabase => "ecs-database",
            Self::SapHana => "sap-hana",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for SourceKind {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL.into_iter().find(|kind| kind.word() == text || kind.code() == text).ok_or_else(
            || {
                InvalidId::new(
                    text,
                    "a source type (ecs-instance, ecs-files, nas, oss, tablestore, ecs-database, sap-hana)",
                )
            },
        )
    }
}

/// One resource that can be backed up, named once in the world:
/// `<account>/<region>/<type>/<resource id>`.
#[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataSource {
    /// The account that owns the resource.
    pub account: AccountId,
    /// Where the resource lies.
    pub region: Region,
    /// Its type.
    pub kind: SourceKind,
    /// The cloud's id of the resource.
    pub id: ResourceId,
}

impl DataSource {
    /// The source as text.
    #[must_use]
    pub fn to_text(&self) -> ShortText {
        self.parts().concat().into()
    }

    /// What its text consists of.
    fn parts(&self) -> [&str; 7] {
        let Self { account, region, kind, id } = self;
        [account.as_str(), "/", region.as_str(), "/", kind.word(), "/", id.as_str()]
    }
}

impl FromStr for DataSource {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let expected = "a data source (`<account>/<region>/<type>/<resource id>`)";
        let invalid = || InvalidId::new(text, expected);
        let mut parts = text.split('/');
        let mut part = || parts.next().ok_or_else(invalid);
        let source = Self {
            account: part()?.parse().map_err(|_| invalid())?,
            region: part()?.parse().map_err(|_| invalid())?,
            kind: part()?.parse().map_err(|_| invalid())?,
            id: part()?.parse().map_err(|_| invalid())?,
        };
        if parts.next().is_some() { Err(invalid()) } else { Ok(source) }
    }
}

serde_as_text!(DataSource);

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().into_iter().try_for_each(|part| f.write_str(part))
    }
}

/// Hashes the parts with their lengths, so that no two lists of parts share an id.
fn derive(prefix: &str, parts: &[&str]) -> ShortText {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part.as_bytes());
    }
    // 80 of its bits: 20 digits of four.
    let first = hash.finalize().first_chunk().copied().unwrap_or_default();
    format_compact!("{prefix}{:020x}", u128::from_be_bytes(first) >> 48)
}

fn is_derived(digits: &str) -> bool {
    digits.len() == 20 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_id_and_no_other_parts_do() {
        assert_eq!(JobId::derive(&["a", "b"]), JobId::derive(&["a", "b"]));
        assert_ne!(JobId::derive(&["ab"]), JobId::derive(&["a", "b"]));
        assert_ne!(JobId::derive(&["a", ""]), JobId::derive(&["", "a"]));
    }

    #[test]
    fn a_derived_id_reads_back() {
        let job = JobId::derive(&["binding", "1"]);
        assert_eq!(job.as_str().parse::<JobId>(), Ok(job.clone()));
        assert_eq!(PointId::of_job(&job).as_str().parse::<PointId>(), Ok(PointId::of_job(&job)));
    }

    /// The store is full of ids that were derived before: the digits stay for ever.
    #[test]
    fn a_derived_id_stays_what_it_was_and_lies_in_place() {
        let job = JobId::derive(&["binding", "1"]);
        assert_eq!(job.as_str(), "job-2466b52eae5311043084");
        assert_eq!(PointId::of_job(&job).as_str(), "s-2466b52eae5311043084");
        assert!(!job.0.is_heap_allocated());
    }

    #[test]
    fn an_id_is_a_checked_text_in_json() {
        let job = JobId::derive(&["binding", "1"]);
        let json = format!("\"{job}\"");
        assert_eq!(serde_json::to_string(&job).unwrap(), json);
        assert_eq!(serde_json::from_str::<JobId>(&json).unwrap(), job);
        let error = serde_json::from_str::<JobId>("\"job-1\"").unwrap_err();
        assert!(error.to_string().contains("`job-1` is not a job id"), "{error}");
    }

    #[test]
    fn a_data_source_reads_back_as_it_was_written() {
        let text = "1000000000000012/cn-hangzhou/ecs-files/i-web.1";
        let source = text.parse::<DataSource>().unwrap();
        assert_eq!(source.to_string(), text);
        assert_eq!(source.to_text(), text);
        for wrong in ["", "1/2/3/4", "1000000000000012/cn-hangzhou/ecs-files/i/x"] {
            assert!(wrong.parse::<DataSource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn roles_are_the_same_regardless_of_case() {
        let a: RoleArn = "acs:ram::1000000000000012:role/HbrRole".parse().unwrap();
        let b: RoleArn = "acs:ram::1000000000000012:role/hbrrole".parse().unwrap();
        assert!(a.is_same(&b));
    }
}
