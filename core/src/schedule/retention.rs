//! When a point goes: its expiry is fixed when it is made, and a plan says what goes now.
//!
//! The special retention belongs to the **first** available point of each period. Were that asked
//! anew at each look, it would wander: when the first point expires or a user deletes it, the
//! second would be the first. So the class of a point is decided once, at its commit, against the
//! newest point that its binding ever made, and what is stored is the expiry. A changed policy
//! then counts from the next point on, as it does for the schedule.

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use super::rules::{InvalidRules, Period, RETENTION_DAYS_MAX, Retention, Rules, SpecialRule};
use crate::ids::PointId;

/// When a point's retention ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// At this instant; from then on the point may go.
    At(DateTime<Utc>),
    /// Not by itself.
    Never,
}

/// Of which periods a point is the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstOf(BTreeSet<Period>);

/// What must be known of a point to say whether it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointFacts {
    /// The point.
    pub id: PointId,
    /// The instant whose content it holds.
    pub taken: DateTime<Utc>,
    /// What was decided at its commit.
    pub expires: Expiry,
    /// Whether all is in it: an incomplete point never counts as the newest.
    pub is_complete: bool,
    /// Whether a lock or a legal hold forbids to delete it.
    pub is_held: bool,
    /// Whether a restore or a copy reads it.
    pub is_in_use: bool,
}

/// What becomes of a point, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The point.
    pub point: PointId,
    /// Kept or not.
    pub fate: Fate,
}

/// Whether a point stays or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep(Reason),
    /// It goes: its retention has ended and nothing else keeps it.
    Expire {
        /// When its retention ended.
        since: DateTime<Utc>,
    },
}

/// Why a point stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A lock or a legal hold forbids to delete it, expired or not.
    Held,
    /// A restore or a copy reads it.
    InUse,
    /// Its retention lasts until then.
    Until(DateTime<Utc>),
    /// It is kept permanently.
    Permanent,
    /// It has expired, but it is the newest point of its binding, which the policy keeps.
    Latest,
}

/// Says of which periods a point is the first, given when the newest complete point before it was
/// taken that its binding **ever** made, deleted or not.
///
/// A point that is taken earlier than that one (a clock went back) is the first of none: what is
/// decided stays, and no period gets two.
///
/// Source: Cloud Backup, API `CreatePolicyV2`, parameter `WhichSnapshot`.
#[must_use]
pub fn first_of(taken: DateTime<Utc>, previous: Option<DateTime<Utc>>, zone: Tz) -> FirstOf {
    let is_first = |period: Period| {
        previous.is_none_or(|previous| period.begin(previous, zone) < period.begin(taken, zone))
    };
    FirstOf(Period::ALL.into_iter().filter(|&period| is_first(period)).collect())
}

/// Says when a point's retention ends: the longest of the normal one and the special ones that
/// apply. Days are 24 hours each; an end past what an instant can be is no end.
#[must_use]
pub fn expiry(taken: DateTime<Utc>, rules: &Rules, first_of: &FirstOf) -> Expiry {
    let Retention::Days(normal) = rules.retention() else { return Expiry::Never };
    let special = rules.special().iter().filter(|rule| first_of.contains(rule.period));
    let days = special.map(|rule| rule.days).fold(normal, u32::max);
    TimeDelta::try_days(i64::from(days))
        .and_then(|kept| taken.checked_add_signed(kept))
        .map_or(Expiry::Never, Expiry::At)
}

/// Decides for each point of **one binding** whether it stays or goes, with the reason.
///
/// `keep_latest` is the policy's rule, and takes effect only while the binding is there
/// (`is_bound`). The answer has the points by the time they were taken; the order in which they are
/// given does not matter, and carrying a plan out leaves nothing for the next at the same `now`.
///
/// Source: Cloud Backup, API `CreatePolicyV2`, parameter `KeepLatestSnapshots`.
#[must_use]
pub fn plan(
    points: &[PointFacts],
    keep_latest: bool,
    is_bound: bool,
    now: DateTime<Utc>,
) -> Vec<Verdict> {
    let mut points: Vec<&PointFacts> = points.iter().collect();
    points.sort_unstable_by_key(|point| (point.taken, &point.id));
    let latest = points.iter().rev().find(|point| point.is_complete).map(|point| &point.id);
    let kept_latest = latest.filter(|_| keep_latest && is_bound);
    points
        .iter()
        .map(|point| Verdict {
            point: point.id.clone(),
            fate: fate(point, kept_latest == Some(&point.id), now),
        })
        .collect()
}

fn fate(point: &PointFacts, is_kept_latest: bool, now: DateTime<Utc>) -> Fate {
    if point.is_held {
        return Fate::Keep(Reason::Held);
    }
    if point.is_in_use {
        return Fate::Keep(Reason::InUse);
    }
    match point.expires {
        Expiry::Never => Fate::Keep(Reason::Permanent),
        Expiry::At(at) if now < at => Fate::Keep(Reason::Until(at)),
        Expiry::At(_) if is_kept_latest => Fate::Keep(Reason::Latest),
        Expiry::At(since) => Fate::Expire { since },
    }
}

impl FirstOf {
    /// Whether the point is the first of its period.
    #[must_use]
    pub fn contains(&self, period: Period) -> bool {
        self.0.contains(&period)
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "{at}"),
            Self::Never => f.write_str("never"),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep(reason) => write!(f, "kept: {reason}"),
            Self::Expire { since } => write!(f, "goes: its retention ended at {since}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("a lock or a legal hold forbids to delete it"),
            Self::InUse => f.write_str("a restore or a copy reads it"),
            Self::Until(at) => write!(f, "its retention lasts until {at}"),
            Self::Permanent => f.write_str("it is kept permanently"),
            Self::Latest => f.write_str("it is the newest point of its binding"),
        }
    }
}
