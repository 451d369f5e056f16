//! How long a policy keeps what it makes.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{explain::Explain, ids::SourceKind};

/// The longest retention that is not permanent: 999 years.
///
/// Source: Cloud Backup, API `CreatePolicyV2`, parameter `Retention`.
pub const RETENTION_DAYS_MAX: u32 = 364_635;

/// How long a point is kept, from the instant at which it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retention {
    /// So many days of 24 hours.
    Days(u32),
    /// Permanently.
    Forever,
}

/// The calendar period whose first point is kept longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Period {
    /// A calendar day.
    Daily,
    /// A week from Monday on.
    Weekly,
    /// A calendar month.
    Monthly,
    /// A calendar year.
    Yearly,
}

/// A longer retention for the first available point of each period.
///
/// Source: Cloud Backup, API `CreatePolicyV2`, parameter `RetentionRules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialRule {
    /// Of which period the first point is meant.
    pub period: Period,
    /// How long it is kept, in days.
    pub days: u32,
}

/// The retention rules of a policy, right by construction.
///
/// Stored and sent with the cloud's names; there `Retention` -1 means permanent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Rules {
    retention: Retention,
    special: Vec<SpecialRule>,
    keep_latest: bool,
}

impl Rules {
    /// Checks rules as the cloud does.
    ///
    /// # Errors
    /// [`InvalidRules`] when a number of days is out of bounds, or a special rule is no longer than
    /// the normal retention, given twice, or given beside a permanent one.
    pub fn new(
        retention: Retention,
        mut special: Vec<SpecialRule>,
        keep_latest: bool,
    ) -> Result<Self, InvalidRules> {
        let normal = match retention {
            Retention::Days(days) => days_checked(i64::from(days))?,
            Retention::Forever if special.is_empty() => 0,
            Retention::Forever => return Err(InvalidRules::SpecialBesidePermanent),
        };
        for &SpecialRule { period, days } in &special {
            if days_checked(i64::from(days))? <= normal {
                return Err(InvalidRules::SpecialNotLonger { period, days, normal });
            }
        }
        special.sort_unstable_by_key(|rule| rule.period);
        for (rule, next) in special.iter().zip(special.iter().skip(1)) {
            if rule.period == next.period {
                return Err(InvalidRules::SpecialTwice { period: rule.period });
            }
        }
        Ok(Self { retention, special, keep_latest })
    }

    /// How long a point is kept that no special rule keeps longer.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// The special rules, from daily to yearly.
    #[must_use]
    pub fn special(&self) -> &[SpecialRule] {
        &self.special
    }

    /// Whether the newest point of each binding stays beyond its expiry.
    #[must_use]
    pub fn keep_latest(&self) -> bool {
        self.keep_latest
    }

    /// Whether a source of this type may be bound to a policy with these rules.
    ///
    /// # Errors
    /// [`InvalidRules`] for permanent points of ECS instances and for keeping the newest point of
    /// a Tablestore instance.
    ///
    /// Source: Cloud Backup console, "Manage backup policies".
    pub fn check_for(&self, kind: SourceKind) -> Result<(), InvalidRules> {
        match kind {
            SourceKind::EcsInstance if self.retention == Retention::Forever => {
                Err(InvalidRules::PermanentInstance)
            }
            SourceKind::Tablestore if self.keep_latest => Err(InvalidRules::KeepLatestTablestore),
            SourceKind::EcsInstance
            | SourceKind::EcsFiles
            | SourceKind::Nas
            | SourceKind::Oss
            | SourceKind::Tablestore
            | SourceKind::EcsDatabase
            | SourceKind::SapHana => Ok(()),
        }
    }
}

impl Period {
    /// All four, from the shortest to the longest.
    pub const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Monthly, Self::Yearly];

    /// The first day of the period that an instant lies in, by the zone's calendar.
    pub(super) fn begin(self, at: DateTime<Utc>, zone: Tz) -> NaiveDate {
        // `naive_local` cannot show the last hours of chrono's range; UTC's date will do there.
        let local = at
            .naive_utc()
            .checked_add_offset(offset(at, zone))
            .unwrap_or_else(|| at.naive_utc())
            .date();
        match self {
            Self::Daily => Some(local),
            Self::Weekly => {
                let since_monday = u64::from(local.weekday().num_days_from_monday());
                local.checked_sub_days(chrono::Days::new(since_monday))
            }
            Self::Monthly => local.with_day(1),
            Self::Yearly => NaiveDate::from_ymd_opt(local.year(), 1, 1),
        }
        .unwrap_or(NaiveDate::MIN)
    }
}

/// Why rules are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    /// A number of days out of bounds.
    #[error("a retention of {days} days is not from 1 to {RETENTION_DAYS_MAX}")]
    Days {
        /// What was given.
        days: i64,
    },
    /// A special rule that would keep nothing longer.
    #[error("the {period} retention of {days} days is not longer than the normal {normal} days")]
    SpecialNotLonger {
        /// The rule's period.
        period: Period,
        /// The rule's retention.
        days: u32,
        /// The normal retention.
        normal: u32,
    },
    /// Two special rules for one period.
    #[error("there are two {period} rules")]
    SpecialTwice {
        /// The period.
        period: Period,
    },
    /// A special rule beside a permanent retention.
    #[error("special retention is given although all points are kept permanently")]
    SpecialBesidePermanent,
    /// Anything but the first point of a period.
    #[error("`WhichSnapshot` is {which}, but only the first point (1) can be kept longer")]
    WhichSnapshot {
        /// What was given.
        which: i64,
    },
    /// `KeepLatestSnapshots` other than 0 and 1.
    #[error("`KeepLatestSnapshots` is {given}, neither 0 nor 1")]
    KeepLatest {
        /// What was given.
        given: i64,
    },
    /// Permanent points of an ECS instance.
    #[error("points of ECS instances cannot be kept permanently")]
    PermanentInstance,
    /// Keeping the newest point of a Tablestore instance.
    #[error("the newest point of a Tablestore instance cannot be kept beyond its expiry")]
    KeepLatestTablestore,
}

impl Explain for InvalidRules {
    fn code(&self) -> &'static str {
        match self {
            Self::Days { .. } => "RETENTION_DAYS_INVALID",
            Self::SpecialNotLonger { .. } => "RETENTION_SPECIAL_NOT_LONGER",
            Self::SpecialTwice { .. } => "RETENTION_SPECIAL_TWICE",
            Self::SpecialBesidePermanent => "RETENTION_SPECIAL_BESIDE_PERMANENT",
            Self::WhichSnapshot { .. } => "RETENTION_WHICH_SNAPSHOT_INVALID",
            Self::KeepLatest { .. } => "RETENTION_KEEP_LATEST_INVALID",
            Self::PermanentInstance => "RETENTION_PERMANENT_INSTANCE",
            Self::KeepLatestTablestore => "RETENTION_KEEP_LATEST_TABLESTORE",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Days { .. } => {
                format!("Give 1 to {RETENTION_DAYS_MAX} days, or keep points permanently.")
            }
            Self::SpecialNotLonger { normal, .. } => {
                format!("Give more than {normal} days, or remove the rule.")
            }
            Self::SpecialTwice { .. } => "Remove one of them.".to_owned(),
            Self::SpecialBesidePermanent => {
                "Remove the special rules, or give a normal retention in days.".to_owned()
            }
            Self::WhichSnapshot { .. } => "Give 1.".to_owned(),
            Self::KeepLatest { .. } => "Give 1 to keep the newest point, or 0.".to_owned(),
            Self::PermanentInstance => {
                format!("Give a retention of 1 to {RETENTION_DAYS_MAX} days.")
            }
            Self::KeepLatestTablestore => {
                "Bind the instance to a policy that does not keep the newest point.".to_owned()
            }
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

/// How the cloud's API writes rules.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    retention: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retention_rules: Vec<WrittenRule>,
    #[serde(default)]
    keep_latest_snapshots: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WrittenRule {
    advanced_retention_type: Period,
    retention: i64,
    #[serde(default = "first")]
    which_snapshot: i64,
}

/// Permanent, in `Retention`.
const PERMANENT: i64 = -1;

fn first() -> i64 {
    1
}

impl TryFrom<Written> for Rules {
    type Error = InvalidRules;
    fn try_from(written: Written) -> Result<Self, InvalidRules> {
        let retention = match written.retention {
            PERMANENT => Retention::Forever,
            days => Retention::Days(days_checked(days)?),
        };
        let special = written.retention_rules.into_iter().map(|rule| {
            if rule.which_snapshot != first() {
                return Err(InvalidRules::WhichSnapshot { which: rule.which_snapshot });
            }
            let days = days_checked(rule.retention)?;
            Ok(SpecialRule { period: rule.advanced_retention_type, days })
        });
        let keep_latest = match written.keep_latest_snapshots {
            0 => false,
            1 => true,
            given => return Err(InvalidRules::KeepLatest { given }),
        };
        Self::new(retention, special.collect::<Result<_, _>>()?, keep_latest)
    }
}

impl From<Rules> for Written {
    fn from(rules: Rules) -> Self {
        let special = rules.special.into_iter().map(|rule| WrittenRule {
            advanced_retention_type: rule.period,
            retention: i64::from(rule.days),
            which_snapshot: first(),
        });
        Self {
            retention: match rules.retention {
                Retention::Days(days) => i64::from(days),
                Retention::Forever => PERMANENT,
            },
            retention_rules: special.collect(),
            keep_latest_snapshots: i64::from(rules.keep_latest),
        }
    }
}

fn days_checked(days: i64) -> Result<u32, InvalidRules> {
    u32::try_from(days)
        .ok()
        .filter(|days| (1..=RETENTION_DAYS_MAX).contains(days))
        .ok_or(InvalidRules::Days { days })
}

fn offset(at: DateTime<Utc>, zone: Tz) -> chrono::FixedOffset {
    use chrono::{Offset, TimeZone};
    zone.offset_from_utc_datetime(&at.naive_utc()).fix()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, code: Option<&str>) {
        let written: Written = serde_json::from_str(written).unwrap();
        assert_eq!(Rules::try_from(written).err().map(|e| e.code()), code);
    }

    #[test]
    fn rules_are_checked_as_the_cloud_does() {
        check(r#"{"Retention":1}"#, None);
        check(r#"{"Retention":364635,"KeepLatestSnapshots":1}"#, None);
        check(r#"{"Retention":-1}"#, None);
        for days in ["0", "-2", "364636", "9000000000"] {
            check(&format!(r#"{{"Retention":{days}}}"#), Some("RETENTION_DAYS_INVALID"));
        }
        let special = |normal: i64, rules: &[(&str, i64, i64)]| {
            let rules = rules.iter().map(|(period, days, which)| {
                format!(
                    r#"{{"AdvancedRetentionType":"{period}","Retention":{days},"WhichSnapshot":{which}}}"#
                )
            });
            let rules = rules.collect::<Vec<_>>().join(",");
            format!(r#"{{"Retention":{normal},"RetentionRules":[{rules}]}}"#)
        };
        check(&special(7, &[("YEARLY", 999, 1), ("DAILY", 8, 1)]), None);
        check(&special(7, &[("DAILY", 7, 1)]), Some("RETENTION_SPECIAL_NOT_LONGER"));
        check(&special(7, &[("DAILY", 364_636, 1)]), Some("RETENTION_DAYS_INVALID"));
        check(
            &special(7, &[("WEEKLY", 8, 1), ("DAILY", 8, 1), ("WEEKLY", 9, 1)]),
            Some("RETENTION_SPECIAL_TWICE"),
        );
        check(&special(-1, &[("DAILY", 8, 1)]), Some("RETENTION_SPECIAL_BESIDE_PERMANENT"));
        check(&special(7, &[("DAILY", 8, 2)]), Some("RETENTION_WHICH_SNAPSHOT_INVALID"));
        check(r#"{"Retention":1,"KeepLatestSnapshots":2}"#, Some("RETENTION_KEEP_LATEST_INVALID"));
    }

    #[test]
    fn some_rules_do_not_suit_some_types() {
        let permanent = Rules::new(Retention::Forever, vec![], true).unwrap();
        for kind in SourceKind::ALL {
            let expected = match kind.code() {
                "UDM_ECS" => Err(InvalidRules::PermanentInstance),
                "OTS" => Err(InvalidRules::KeepLatestTablestore),
                _ => Ok(()),
            };
            assert_eq!(permanent.check_for(kind), expected);
        }
    }

    #[test]
    fn a_period_begins_by_the_zones_calendar() {
        let at: DateTime<Utc> = "2024-12-31T16:30:00Z".parse().unwrap();
        let day = |period: Period, zone| period.begin(at, zone).to_string();
        assert_eq!(day(Period::Daily, Tz::Asia__Shanghai), "2025-01-01");
        assert_eq!(day(Period::Weekly, Tz::Asia__Shanghai), "2024-12-30");
        assert_eq!(day(Period::Monthly, Tz::Asia__Shanghai), "2025-01-01");
        assert_eq!(day(Period::Yearly, Tz::Asia__Shanghai), "2025-01-01");
        assert_eq!(day(Period::Yearly, Tz::UTC), "2024-01-01");
    }
}
