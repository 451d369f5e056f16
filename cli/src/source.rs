//! Names of accounts and sources as people type them.

use std::{fmt, str::FromStr};

use crossvault_core::{
    explain::Explain,
    ids::{AccountId, InvalidId, Region, ResourceId, SourceKind},
};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_simulator::world::World;

/// An account by its id, or by the name that it has in the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

impl FromStr for AccountName {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            Err(InvalidId::new(text, "an account's id (12 to 16 digits) or name"))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AccountName {
    /// The account's id, when it is one.
    pub fn id(&self) -> Option<AccountId> {
        self.0.parse().ok()
    }

    /// Finds the account in the world.
    ///
    /// # Errors
    /// [`Failure`] when there is none, or several bear the name.
    pub fn find(&self, world: &World) -> Result<AccountId, Failure> {
        if let Some(id) = self.id() {
            return match world.account(&id) {
                Some(_) => Ok(id),
                None => Err(self.unknown()),
            };
        }
        let named: Vec<_> = world.accounts().filter(|account| account.name == self.0).collect();
        match named.as_slice() {
            [one] => Ok(one.id.clone()),
            [] => Err(self.unknown()),
            several => {
                let ids: Vec<_> = several.iter().map(|account| account.id.to_string()).collect();
                Err(Failure::new(
                    Kind::Refused,
                    "ACCOUNT_AMBIGUOUS",
                    format!("{} accounts are named `{self}`", several.len()),
                    format!("Give the id of the one that is meant: {}.", ids.join(", ")),
                ))
            }
        }
    }

    fn unknown(&self) -> Failure {
        Failure::new(
            Kind::Refused,
            "ACCOUNT_UNKNOWN",
            format!("there is no account `{self}`"),
            "List the accounts with `crossvault world accounts list`, or open one with `crossvault world accounts add`.",
        )
    }
}

/// A source as it is typed: whole, without its region, or without its account too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceName {
    /// The account, when it was typed.
    pub account: Option<AccountName>,
    /// The region, when it was typed.
    pub region: Option<Region>,
    /// The type.
    pub kind: SourceKind,
    /// The resource's id.
    pub id: ResourceId,
}

impl FromStr for SourceName {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        let parts: Vec<&str> = text.split('/').collect();
        let (account, region, kind, id) = match *parts.as_slice() {
            [kind, id] => (None, None, kind, id),
            [account, kind, id] => (Some(account), None, kind, id),
            [account, region, kind, id] => (Some(account), Some(region), kind, id),
            _ => {
                return Err(InvalidId::new(
                    text,
                    "a source: `<type>/<id>` such as `ecs-files/web-1`, `<account>/<type>/<id>` or `<account>/<region>/<type>/<id>`",
                )
                .into());
            }
        };
        Ok(Self {
            account: account.map(str::parse).transpose()?,
            region: region.map(str::parse).transpose()?,
            kind: kind.parse()?,
            id: id.parse()?,
        })
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(account) = &self.account {
            write!(f, "{account}/")?;
        }
        if let Some(region) = &self.region {
            write!(f, "{region}/")?;
        }
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// An argument that is not understood, with its code and remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// The stable code.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Wrong {
    /// An argument that is not what it should be.
    pub fn new(code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), remedy: remedy.into() }
    }
}

impl From<InvalidId> for Wrong {
    fn from(error: InvalidId) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, account: Option<&str>, region: Option<&str>) {
        let name: SourceName = text.parse().unwrap();
        assert_eq!(name.account.as_ref().map(ToString::to_string).as_deref(), account);
        assert_eq!(name.region.as_ref().map(Region::as_str), region);
        assert_eq!((name.kind, name.id.as_str()), (SourceKind::EcsFiles, "web-1"));
        assert_eq!(name.to_string(), text);
    }

    #[test]
    fn a_source_is_typed_short_or_whole() {
        check("ecs-files/web-1", None, None);
        check("payroll/ecs-files/web-1", Some("payroll"), None);
        check("payroll/cn-hangzhou/ecs-files/web-1", Some("payroll"), Some("cn-hangzhou"));
        let id = "1000000000000012/cn-hangzhou/ecs-files/web-1";
        check(id, Some("1000000000000012"), Some("cn-hangzhou"));
    }

    #[test]
    fn what_is_no_source_says_which_part_is_wrong() {
        for (text, part) in [
            ("web-1", "web-1"),
            ("a/b/c/d/e", "a/b/c/d/e"),
            ("floppy/web-1", "floppy"),
            ("nas/.hidden", ".hidden"),
            ("payroll/CN/nas/fs-1", "CN"),
            ("/nas/fs-1", "``"),
            ("nas/", "``"),
        ] {
            let wrong = text.parse::<SourceName>().unwrap_err();
            assert_eq!(wrong.code, "INVALID_ID");
            assert!(wrong.message.contains(part), "{}", wrong.message);
        }
    }
}
