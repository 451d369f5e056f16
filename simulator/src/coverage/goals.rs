//! What must be reached, as data. A goal that can't be reached does not stand here, and the comment
//! says why; one that is reached and does not stand here is told by [`super::Coverage::unlisted`].

use super::Goal;

/// Every cause of broken authority.
pub(super) const CAUSES: &[&str] = &[
    "GRANT_REMOVED",
    "REGION_NOT_ADDED",
    "NOT_ADMINISTRATOR",
    "NOT_MEMBER",
    "MEMBER_SERVICE_ROLE_DELETED",
    "MANAGEMENT_SERVICE_ROLE_DELETED",
    "ROLE_DELETED",
    "TRUST_MISSING",
    "ROLE_CHAIN_REFUSED",
    "ENTRY_DENIED",
    "CONTROL_POLICY_DENIES",
    "PERMISSION_DENIED",
    "PERMISSION_MISSING",
    "SESSION_POLICY_TOO_SMALL",
    "CREDENTIALS_EXPIRED",
    "QUOTA_EXCEEDED",
    "SOURCE_NOT_FOUND",
];

/// Every other way in which a job fails.
pub(super) const FAILURES: &[&str] = &["BROKEN", "EXHAUSTED"];

/// Every state of each kind of job. Upkeep fails no single files, so it is never in part complete;
/// and nobody can ask a prune to stop, since people see it nowhere.
pub(super) const JOBS: &[(&str, &[&str])] = &[
    ("backup", ALL_STATES),
    ("restore", ALL_STATES),
    ("erase", &["QUEUED", "RUNNING", "CANCELING", "COMPLETE", "FAILED", "CANCELED"]),
    ("prune", &["QUEUED", "RUNNING", "COMPLETE", "FAILED"]),
];

const ALL_STATES: &[&str] =
    &["QUEUED", "RUNNING", "CANCELING", "COMPLETE", "PARTIAL_COMPLETE", "FAILED", "CANCELED"];

/// Every way in which a grant stands.
pub(super) const GRANTS: &[&str] = &["never looked at", "stands", "broken", "mended", "former"];

/// Every step of leaving an account, and how it stands.
pub(super) const LEAVING: &[&str] = &[
    "unbind: next",
    "unbind: done",
    "end jobs: next",
    "end jobs: later",
    "end jobs: done",
    // A platform that works without clients has nothing to uninstall.
    "uninstall clients: done",
    "delete grant: next",
    "delete grant: later",
    "delete grant: done",
    "detach policies: next",
    "detach policies: later",
    "detach policies: done",
    "detach policies: unseen",
    "delete role: next",
    "delete role: later",
    "delete role: done",
    "delete role: unseen",
];

/// Branches of handlers that only some stories take.
pub(super) const BRANCHES: &[&str] = &[
    "a claim waits for a turn",
    "a turn is passed on",
    "a claim finds the gate closed",
    "a prune waits for its vault",
    "a step finds its job taken or ended",
    "a step has lost its fence",
    "a step takes over from a dead one",
    "a step rests at a checkpoint",
    "a step stumbles",
    "a step enters its roles again",
    "a seal of before is adopted",
    "what was sealed is outdated",
    "a job is woken by the due index",
    "files of a job failed",
    "a slot is skipped: still runs",
    "a slot is skipped: paused",
    "slots are missed",
    "a tick moves a binding to a new version",
    "the fan-out moves a binding to a new version",
    "the fan-out removes a binding of a deleted policy",
    "an effect is tried again",
    "an effect is put aside",
    "a token is replayed",
    "a commit conflicts",
    "an event is none of ours",
    "an event touches all who depend on something",
    "a look finds a grant changed",
    "a review finds something",
    "points expire",
    "the sweep discards sealed data",
    "a prune gives space back",
];

/// All goals.
pub(super) fn all() -> impl Iterator<Item = Goal> {
    let of = |of: &'static str, names: &'static [&'static str]| {
        names.iter().map(move |is| Goal { of, is })
    };
    of("cause", CAUSES)
        .chain(of("failure", FAILURES))
        .chain(JOBS.iter().flat_map(move |(kind, states)| of(kind, states)))
        .chain(of("grant", GRANTS))
        .chain(of("leaving", LEAVING))
        .chain(of("branch", BRANCHES))
}
