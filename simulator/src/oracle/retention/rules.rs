//! When a point may go, by its policy's rules: the documents' words as plain code.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use crossvault_core::{
    backup_policy::BackupPolicy,
    schedule::retention::{Expiry, Period, Retention},
};

/// When a point may go that was taken at that instant, the newest complete one before it at another.
///
/// The first point of a day, a week from Monday on, a month or a year is kept by that period's rule
/// where it is longer. A point that is not newer than the newest is the first of none.
///
/// Source: Cloud Backup, API `CreatePolicyV2`, parameters `Retention` and `RetentionRules`.
pub(super) fn expiry(
    taken: DateTime<Utc>,
    newest: Option<DateTime<Utc>>,
    policy: &BackupPolicy,
) -> Expiry {
    let Retention::Days(mut days) = policy.retention.retention() else { return Expiry::Never };
    let zone = policy.schedule.zone();
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    for rule in policy.retention.special() {
        let is_first = newest.is_none_or(|newest| {
            let (before, this) = (day(newest), day(taken));
            let is_another = match rule.period {
                Period::Daily => before != this,
                Period::Weekly => before.iso_week() != this.iso_week(),
                Period::Monthly => (before.year(), before.month()) != (this.year(), this.month()),
                Period::Yearly => before.year() != this.year(),
            };
            newest < taken && is_another
        });
        if is_first {
            days = days.max(rule.days);
        }
    }
    let kept = TimeDelta::try_days(i64::from(days));
    kept.and_then(|kept| taken.checked_add_signed(kept)).map_or(Expiry::Never, Expiry::At)
}
