//! Grants: resource accounts that were added for backup, region by region.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    authorization::Causes,
    ids::{AccountId, Region, RoleName},
};

/// A resource account added for backup in one region.
///
/// Source: Cloud Backup, "Cross-account backup", "Add the resource account in the backup
/// management account": an account is added in the region where its resources are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The resource account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// How it granted.
    pub method: Method,
    /// A name that people know the account by; may be empty.
    pub alias: String,
    /// When it was added.
    pub added: DateTime<Utc>,
    /// How it stood when it was last looked at beside a job; none if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// How a grant stood when it was looked at: told to people, and never taken as a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// When it came to stand so.
    pub since: DateTime<Utc>,
    /// Counts the changes of `broken`, so that each is told once.
    pub revision: u32,
    /// Why it is broken; none when it stands.
    pub broken: Option<Causes>,
    /// The folders of the directory, Root first, whose control policies bear on it: a change there
    /// can touch it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}

/// What a look at a grant showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Why it is broken; none when it stands.
    pub broken: Option<Causes>,
    /// As [`Standing::nodes`]; none when they could not be read.
    pub nodes: Option<Vec<String>>,
}

/// What people should hear of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is broken, or for other causes than before.
    Broken,
    /// It stands again.
    Mended,
}

impl Standing {
    /// How a grant stands after a look at it, and what is new about that. The same sight twice
    /// changes nothing the second time.
    #[must_use]
    pub fn after(before: Option<&Self>, sight: Sight, now: DateTime<Utc>) -> (Self, Option<News>) {
        let Sight { broken, nodes } = sight;
        let nodes_of = |before: &Self| nodes.clone().unwrap_or_else(|| before.nodes.clone());
        let (since, revision, nodes) = match before {
            Some(before) if before.broken == broken => {
                let nodes = nodes_of(before);
                return (Self { nodes, ..before.clone() }, None);
            }
            Some(before) => (now, before.revision.saturating_add(1), nodes_of(before)),
            None => (now, u32::from(broken.is_some()), nodes.unwrap_or_default()),
        };
        let was_broken = before.is_some_and(|before| before.broken.is_some());
        let news = match &broken {
            Some(_) => Some(News::Broken),
            None => was_broken.then_some(News::Mended),
        };
        (Self { since, revision, broken, nodes }, news)
    }
}

/// How a resource account grants access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Through the resource directory (`CROSS_ACCOUNT_BY_RD`).
    Directory,
    /// Through a RAM role of the resource account (`CROSS_ACCOUNT`).
    Role {
        /// The role's name.
        name: RoleName,
    },
}

impl Method {
    /// The cloud's code for the method, `CrossAccountType`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Directory => "CROSS_ACCOUNT_BY_RD",
            Self::Role { .. } => "CROSS_ACCOUNT",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::Role { name } => write!(f, "role {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::Cause;

    fn at(second: u32) -> DateTime<Utc> {
        format!("2026-03-01T00:00:{second:02}Z").parse().unwrap()
    }

    fn causes(region: &str) -> Causes {
        let account = "1000000000000012".parse().unwrap();
        let cause =
            Cause::RegionNotAdded { account, region: region.parse().unwrap(), added: vec![] };
        Causes::one(cause)
    }

    #[test]
    fn each_change_is_new_once() {
        let mut before = None;
        let mut news = Vec::new();
        let seen = [
            None,
            Some(causes("cn-a")),
            Some(causes("cn-a")),
            Some(causes("cn-b")),
            None,
            None,
            Some(causes("cn-a")),
        ];
        for (second, broken) in (0..).zip(seen) {
            let sight = Sight { broken, nodes: None };
            let (standing, new) = Standing::after(before.as_ref(), sight, at(second));
            news.push((standing.since, standing.revision, new));
            before = Some(standing);
        }
        let (broken, mended) = (Some(News::Broken), Some(News::Mended));
        assert_eq!(
            news,
            [
                (at(0), 0, None),
                (at(1), 1, broken),
                (at(1), 1, None),
                (at(3), 2, broken),
                (at(4), 3, mended),
                (at(4), 3, None),
                (at(6), 4, broken)
            ]
        );
    }

    #[test]
    fn what_is_broken_at_the_first_look_is_new() {
        let sight = Sight { broken: Some(causes("cn-a")), nodes: Some(vec!["r-1".to_owned()]) };
        let (standing, news) = Standing::after(None, sight, at(0));
        assert_eq!((standing.revision, news), (1, Some(News::Broken)));
        // What could not be read stays as it was; what could is followed without news.
        let unread = Sight { broken: Some(causes("cn-a")), nodes: None };
        assert_eq!(Standing::after(Some(&standing), unread, at(1)), (standing.clone(), None));
        let moved = Sight { broken: Some(causes("cn-a")), nodes: Some(vec![]) };
        let expected = Standing { nodes: vec![], ..standing.clone() };
        assert_eq!(Standing::after(Some(&standing), moved, at(1)), (expected, None));
    }
}
