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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::JobId;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn rules() -> Rules {
        let special = [(Period::Weekly, 30), (Period::Monthly, 365)];
        let special = special.map(|(period, days)| SpecialRule { period, days });
        Rules::new(Retention::Days(2), special.to_vec(), true).unwrap()
    }

    #[test]
    fn the_longest_retention_that_applies_counts() {
        // 2025-09-01 is a Monday.
        let points = [
            ("2025-08-31T02:00", "2026-08-31T02:00"), // the first ever: of all periods
            ("2025-09-01T02:00", "2026-09-01T02:00"), // first of week and month
            ("2025-09-01T08:00", "2025-09-03T08:00"),
            ("2025-09-07T23:00", "2025-09-09T23:00"),
            ("2025-09-08T00:00", "2025-10-08T00:00"), // first of the week
        ];
        let mut previous = None;
        for (taken, expected) in points {
            let taken = at(taken);
            let first_of = first_of(taken, previous, Tz::UTC);
            assert_eq!(expiry(taken, &rules(), &first_of), Expiry::At(at(expected)), "{taken}");
            previous = Some(taken);
        }
    }

    #[test]
    fn a_longer_rule_of_a_shorter_period_counts_too() {
        let special = [(Period::Daily, 90), (Period::Yearly, 30)];
        let special = special.map(|(period, days)| SpecialRule { period, days });
        let rules = Rules::new(Retention::Days(2), special.to_vec(), true).unwrap();
        let taken = at("2025-01-01T00:00");
        let first_of = first_of(taken, None, Tz::UTC);
        assert_eq!(expiry(taken, &rules, &first_of), Expiry::At(at("2025-04-01T00:00")));
    }

    #[test]
    fn the_longest_retention_there_is_has_an_end() {
        let long = Rules::new(Retention::Days(RETENTION_DAYS_MAX), vec![], false).unwrap();
        let taken = at("2025-01-01T00:00");
        let none = FirstOf::default();
        assert_eq!(expiry(taken, &long, &none), Expiry::At(at("3023-05-05T00:00")));
        assert_eq!(expiry(DateTime::<Utc>::MAX_UTC, &long, &none), Expiry::Never);
        let forever = Rules::new(Retention::Forever, vec![], false).unwrap();
        assert_eq!(expiry(taken, &forever, &none), Expiry::Never);
    }

    #[test]
    fn every_reason_is_said() {
        let point = |taken: &str, expires: Expiry| PointFacts {
            id: PointId::of_job(&JobId::derive(&[taken])),
            taken: at(taken),
            expires,
            is_complete: true,
            is_held: false,
            is_in_use: false,
        };
        let gone = Expiry::At(at("2025-02-01T00:00"));
        let later = at("2025-04-01T00:00");
        let expired = point("2025-01-01T00:00", gone);
        let held = PointFacts { is_held: true, ..point("2025-01-02T00:00", gone) };
        let in_use = PointFacts { is_in_use: true, ..point("2025-01-03T00:00", gone) };
        let fresh = point("2025-01-04T00:00", Expiry::At(later));
        let permanent = point("2025-01-05T00:00", Expiry::Never);
        let latest = point("2025-01-06T00:00", gone);
        let partial = PointFacts { is_complete: false, ..point("2025-01-07T00:00", gone) };
        let points = [&latest, &partial, &expired, &held, &in_use, &fresh, &permanent];
        let points = points.map(Clone::clone);
        let fates = |is_bound| -> Vec<Fate> {
            let plan = plan(&points, true, is_bound, at("2025-03-01T00:00"));
            plan.into_iter().map(|verdict| verdict.fate).collect()
        };
        let goes = Fate::Expire { since: at("2025-02-01T00:00") };
        let mut expected = [
            goes,
            Fate::Keep(Reason::Held),
            Fate::Keep(Reason::InUse),
            Fate::Keep(Reason::Until(later)),
            Fate::Keep(Reason::Permanent),
            Fate::Keep(Reason::Latest),
            goes,
        ];
        assert_eq!(fates(true), expected);
        expected[5] = goes;
        assert_eq!(fates(false), expected);
    }
}
