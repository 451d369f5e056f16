//! What a commit has to put on record, read off the rows that it changed.

use std::{borrow::Cow, fmt};

use crossvault_core::{
    backup_policy::BackupPolicy,
    grant::{Grant, Standing},
    vault::PointState,
};
use crossvault_handlers::records::{Job, Record};

use crate::cloud::RowChange;

/// One thing that has to be on record: what was done to what.
pub(super) struct Duty<'a> {
    pub(super) what: Cow<'static, str>,
    pub(super) subject: &'a dyn fmt::Display,
}

/// All that a commit has to put on record.
pub(super) fn duties(changes: &[RowChange]) -> Vec<Duty<'_>> {
    let mut all = Vec::new();
    for change in changes {
        let before = change.before.as_ref().map(|row| &row.record);
        let after = change.after.as_ref().map(|row| &row.record);
        let Some(row) = after.or(before) else { continue };
        match row {
            Record::Job(_) => of_job(job(before), job(after), &mut all),
            Record::Point(_) => of_point(before, after, &mut all),
            Record::Grant(_) => of_grant(grant(before), grant(after), &mut all),
            Record::Policy(_) => of_policy(policy(before), policy(after), &mut all),
            Record::Binding(_) => of_binding(before, after, &mut all),
            Record::Vault(vault) => {
                let what = match (before, after) {
                    (None, Some(_)) => "vault.created",
                    (Some(before), Some(after)) if before == after => continue,
                    (Some(_), Some(_)) => "vault.changed",
                    (_, None) => "vault.deleted",
                };
                all.push(Duty { what: what.into(), subject: &vault.0.id });
            }
            _ => {}
        }
    }
    all
}

fn of_job<'a>(before: Option<&'a Job>, after: Option<&'a Job>, all: &mut Vec<Duty<'a>>) {
    let kind = |job: &Job| job.work.kind();
    match (before, after) {
        (None, Some(job)) => {
            all.push(Duty { what: format!("{}.created", kind(job)).into(), subject: &job.id });
        }
        (Some(before), Some(after)) => {
            let has_ended = after.work.is_ended() && !before.work.is_ended();
            if has_ended {
                let status = after.work.status().to_lowercase();
                let what = format!("{}.{status}", kind(after)).into();
                all.push(Duty { what, subject: &after.id });
            }
            // One that had not begun is canceled by the wish itself; one that runs stops later.
            let is_wish = after.work.is_canceling() && !before.work.is_canceling();
            let is_at_once =
                has_ended && before.work.status() == "QUEUED" && after.work.status() == "CANCELED";
            if is_wish || is_at_once {
                all.push(Duty { what: "job.cancel-asked".into(), subject: &after.id });
            }
        }
        (Some(job), None) => {
            all.push(Duty { what: format!("{}.deleted", kind(job)).into(), subject: &job.id });
        }
        (None, None) => {}
    }
}

/// A point comes with the end of its job, is marked by the job that erases it, and goes with that
/// one's end; the records of those jobs are its own.
fn of_point<'a>(before: Option<&'a Record>, after: Option<&'a Record>, all: &mut Vec<Duty<'a>>) {
    let state = |row: Option<&'a Record>| match row {
        Some(Record::Point(row)) => Some(&row.0),
        _ => None,
    };
    match (state(before), state(after)) {
        (None, Some(point)) => {
            let what =
                if point.failed == 0 { "backup.complete" } else { "backup.partial_complete" };
            push_new(all, what, &point.job);
        }
        (Some(before), Some(after)) => {
            if let PointState::Expiring { job } = &after.state
                && before.state != after.state
            {
                push_new(all, "erase.created", job);
            }
            if before.expires != after.expires {
                push_new(all, "point.changed", &after.id);
            }
        }
        (Some(point), None) => match &point.state {
            PointState::Expiring { job } => push_new(all, "erase.complete", job),
            PointState::Available => push_new(all, "point.deleted", &point.id),
        },
        (None, None) => {}
    }
}

/// Adds a duty that another row of the commit may have brought already.
fn push_new<'a>(all: &mut Vec<Duty<'a>>, what: &'static str, subject: &'a dyn fmt::Display) {
    let is_it =
        |duty: &Duty<'_>| duty.what == what && duty.subject.to_string() == subject.to_string();
    if !all.iter().any(is_it) {
        all.push(Duty { what: what.into(), subject });
    }
}

fn of_grant<'a>(before: Option<&'a Grant>, after: Option<&'a Grant>, all: &mut Vec<Duty<'a>>) {
    let what = match (before, after) {
        (None, Some(_)) => "account.added",
        (Some(_), None) => "account.removed",
        (Some(before), Some(after)) => {
            let broken = |grant: &'a Grant| grant.standing.as_ref().and_then(why);
            if broken(before) == broken(after) {
                let said = |grant: &Grant| (grant.method.clone(), grant.alias.clone(), grant.added);
                if said(before) == said(after) {
                    return;
                }
                "account.changed"
            } else if broken(after).is_some() {
                "grant.broken"
            } else {
                "grant.mended"
            }
        }
        (None, None) => return,
    };
    let Some(grant) = after.or(before) else { return };
    all.push(Duty { what: what.into(), subject: &grant.account });
}

fn why(standing: &Standing) -> Option<&crossvault_core::authorization::Causes> {
    standing.broken.as_ref()
}

fn of_policy<'a>(
    before: Option<&'a BackupPolicy>,
    after: Option<&'a BackupPolicy>,
    all: &mut Vec<Duty<'a>>,
) {
    let what = match (before, after) {
        (None, Some(_)) => "policy.created",
        (Some(before), Some(after)) if before == after => return,
        (Some(_), Some(_)) => "policy.changed",
        (Some(_), None) => "policy.deleted",
        (None, None) => return,
    };
    let Some(policy) = after.or(before) else { return };
    all.push(Duty { what: what.into(), subject: &policy.id });
}

fn of_binding<'a>(before: Option<&'a Record>, after: Option<&'a Record>, all: &mut Vec<Duty<'a>>) {
    let binding = |row: Option<&'a Record>| match row {
        Some(Record::Binding(row)) => Some(&row.0),
        _ => None,
    };
    let (before, after) = (binding(before), binding(after));
    let what = match (before, after) {
        (None, Some(_)) => "binding.created",
        (Some(_), None) => "binding.removed",
        (Some(before), Some(after)) if before.paused == after.paused => return,
        (Some(_), Some(after)) if after.paused => "binding.paused",
        (Some(_), Some(_)) => "binding.resumed",
        (None, None) => return,
    };
    let Some(binding) = after.or(before) else { return };
    all.push(Duty { what: what.into(), subject: &binding.id });
}

fn job(row: Option<&Record>) -> Option<&Job> {
    match row {
        Some(Record::Job(job)) => Some(job),
        _ => None,
    }
}

fn grant(row: Option<&Record>) -> Option<&Grant> {
    match row {
        Some(Record::Grant(row)) => Some(&row.0),
        _ => None,
    }
}

fn policy(row: Option<&Record>) -> Option<&BackupPolicy> {
    match row {
        Some(Record::Policy(row)) => Some(&row.0),
        _ => None,
    }
}
