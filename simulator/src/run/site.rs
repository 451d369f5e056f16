//! Where a call is made: the handler, the method, and what it is called with by kind.

use std::fmt;

use crossvault_core::policy::ServiceRole;
use crossvault_handlers::{
    ports::{Work, Write},
    records::{Key, Partition, Sort},
};

use super::invocation::Handler;
use crate::call::{Method, Move, Request};

/// A call site, as a person would point at it: `job: get Job/Head`, `job: commit Due Job Turn Use`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The function.
    pub handler: Handler,
    /// The port's method.
    pub method: Method,
    /// What kind of thing it is called for; empty where there is only one.
    pub of: String,
}

impl Site {
    /// The site of a call.
    #[must_use]
    pub fn new(handler: Handler, request: &Request) -> Self {
        Self { handler, method: request.method(), of: kind(request) }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.of.is_empty() {
            format!("{}: {}", self.handler, self.method.name())
        } else {
            format!("{}: {} {}", self.handler, self.method.name(), self.of)
        };
        f.pad(&text)
    }
}

fn kind(request: &Request) -> String {
    match request {
        Request::Get(key) => place(key).to_owned(),
        Request::GetMany(keys) => keys.first().map_or("", place).to_owned(),
        Request::Range(range) => row(&range.partition, &range.from).to_owned(),
        Request::Commit(transaction) => {
            let mut rows: Vec<&str> = transaction
                .writes
                .iter()
                .filter_map(|write| match write {
                    Write::Put(record, _) => Some(record.name()),
                    Write::Delete(..) | Write::Check(..) => None,
                })
                .collect();
            rows.sort_unstable();
            rows.dedup();
            if rows.is_empty() { "nothing but deletions".to_owned() } else { rows.join(" ") }
        }
        Request::Assume { assume, .. } => match ServiceRole::of(&assume.role) {
            Some(role) => format!("{role:?}"),
            None => "RAM role".to_owned(),
        },
        Request::Move { order, mov, .. } => {
            let work = match &order.work {
                Work::BackUp { .. } => "backup",
                Work::Restore(_) => "restore",
                Work::Erase(_) => "erase",
                Work::Prune(_) => "prune",
            };
            let mov = match mov {
                Move::Find => "find",
                Move::Open => "open",
                Move::Item(_) => "item",
                Move::Pause => "pause",
                Move::Seal => "seal",
            };
            format!("{work} {mov}")
        }
        Request::Send { .. }
        | Request::Publish { .. }
        | Request::Own
        | Request::Role { .. }
        | Request::EnsureServiceRole { .. }
        | Request::Membership { .. }
        | Request::Members { .. }
        | Request::Administrators { .. }
        | Request::ControlPolicies { .. }
        | Request::ControlTargets { .. }
        | Request::List { .. }
        | Request::Describe { .. }
        | Request::Clients { .. }
        | Request::CreateVault { .. }
        | Request::Sealed { .. }
        | Request::Browse { .. }
        | Request::Discard { .. }
        | Request::Halt { .. } => String::new(),
    }
}

fn place(key: &Key) -> &'static str {
    row(&key.partition, &key.sort)
}

/// The type of the row that lies there.
fn row(partition: &Partition, sort: &Sort) -> &'static str {
    match (sort, partition) {
        (Sort::Head, Partition::Binding(_)) => "Binding",
        (Sort::Head, Partition::Job(_)) => "Job",
        (Sort::Head, Partition::Policy(_)) => "Policy",
        (Sort::Head, Partition::Reviews) => "ReviewRound",
        (Sort::Head, Partition::Vault(_)) => "Vault",
        (Sort::Head, _) => "Head",
        (Sort::At(..), Partition::Due(_)) => "Due",
        (Sort::At(..), Partition::Outbox(_)) => "Outbox",
        (Sort::At(..), Partition::Source(_)) => "PointRef",
        (Sort::At(..), Partition::Audit(..)) => "Audit",
        (Sort::At(..), _) => "At",
        (Sort::Account(_), _) => "Grant",
        (Sort::Binding(_), Partition::Policy(_)) => "PolicyBinding",
        (Sort::Binding(_), _) => "AccountBinding",
        (Sort::Busy, _) => "Busy",
        (Sort::Dependent(..), _) => "Dependent",
        (Sort::Failures(_), _) => "Failures",
        (Sort::Former(_), _) => "FormerGrant",
        (Sort::Gate, _) => "Gate",
        (Sort::Grant(_), _) => "GrantRef",
        (Sort::Job(..), _) => "JobRef",
        (Sort::Latest, _) => "Latest",
        (Sort::Missed(_), _) => "MissedSlots",
        (Sort::Name(..), _) => "Name",
        (Sort::Point(..), _) => "Point",
        (Sort::Review(_), _) => "Review",
        (Sort::Slot(_), _) => "Slot",
        (Sort::Token(_), _) => "Request",
        (Sort::Turn(_), _) => "Turn",
        (Sort::Use(_), _) => "Use",
        (Sort::Version(_), _) => "PolicyVersion",
        (Sort::Waiting(..), _) => "Waiting",
    }
}
