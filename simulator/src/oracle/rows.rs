//! `rows`: the rows that belong together agree, after every commit.
//!
//! A live binding with a further slot and a live job have exactly one due row, whose time stands in
//! the head; what names a live job names one; what refers to something refers to what is there.
//! Judged over all rows at once: at rest, and after every fact when paranoid.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup_policy::Binding,
    grant::{Grant, Method},
    ids::{AccountId, BindingId, DataSource, JobId, PolicyId},
    vault::PointState,
};
use crossvault_handlers::{
    enqueue::DUE_SHARD,
    ports::{Message, Stored},
    records::{BusyOf, Job, JobWork, Key, NameOf, NameRef, Record, Send, Support, Wake},
};

use super::{Oracle, broken};
use crate::{
    cloud::{self, Cloud},
    run::{Invariant, Violation, Watch},
};

/// Watches over `rows`.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    is_paranoid: bool,
}

impl Watch for Rows {
    fn at_rest(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        first(Sweep::of(&cloud.rows, &cloud.management, true))
    }
}

impl Oracle for Rows {
    const INVARIANT: Invariant = Invariant::Rows;

    fn be_paranoid(&mut self) {
        self.is_paranoid = true;
    }

    fn look(&mut self, cloud: &Cloud, _: DateTime<Utc>) -> Result<(), Violation> {
        if !self.is_paranoid {
            return Ok(());
        }
        first(Sweep::of(&cloud.rows, &cloud.management, false))
    }
}

fn first(found: Vec<Found>) -> Result<(), Violation> {
    match found.into_iter().next() {
        Some(Found { code, site, says }) => Err(broken::<Rows>(code, site, says)),
        None => Ok(()),
    }
}

/// One row that does not agree with the others.
struct Found {
    code: &'static str,
    /// The type of the row.
    site: &'static str,
    says: String,
}

/// Names every invariant that these rows break: none when all is well and nothing is under way.
#[must_use]
pub fn sweep(rows: &cloud::Rows, management: &AccountId) -> Vec<String> {
    Sweep::of(rows, management, true).into_iter().map(|found| found.says).collect()
}

struct Sweep<'a> {
    rows: &'a cloud::Rows,
    management: &'a AccountId,
    /// Whether no message is on its way: it may be what something waits for.
    is_at_rest: bool,
    site: &'static str,
    found: Vec<Found>,
}

impl<'a> Sweep<'a> {
    fn of(rows: &'a cloud::Rows, management: &'a AccountId, is_at_rest: bool) -> Vec<Found> {
        let mut sweep = Self { rows, management, is_at_rest, site: "", found: Vec::new() };
        for (_, row) in rows.all() {
            sweep.site = row.record.name();
            sweep.check(&row.record);
        }
        sweep.found
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each row type")]
    fn check(&mut self, record: &Record) {
        match record {
            Record::Due(due) => {
                let at = match &due.wake {
                    Wake::Binding(id) => self.binding(id).and_then(|binding| binding.next),
                    Wake::Job(id) => self.job(id).and_then(|job| job.wake),
                };
                self.must("DUE_WITHOUT_HEAD", at == Some(due.at), || {
                    format!("{due:?} is of no head")
                });
            }
            Record::Binding(row) => {
                let binding = &row.0;
                let id = binding.id.as_str();
                if let Some(at) = binding.next {
                    let is_due = self.has(&Key::due(DUE_SHARD, at, id));
                    // A deleted policy's bindings wait for the message that removes them.
                    let is_live = self.has(&Key::policy(&binding.policy));
                    self.must("NOT_DUE", is_due || !is_live, || format!("binding {id} is not due"));
                }
                let reference = Key::policy_binding(&binding.policy, &binding.id);
                self.must_have("UNREFERRED", &reference, || {
                    format!("binding {id} is unknown to its policy")
                });
                let reference = Key::account_binding(&binding.source, &binding.id);
                self.must_have("UNREFERRED", &reference, || {
                    format!("binding {id} is unknown to its account")
                });
                let DataSource { account, region, .. } = &binding.source;
                let is_granted =
                    account == self.management || self.has(&Key::grant(region, account));
                self.must(
                    "NOT_GRANTED",
                    is_granted || !self.has(&Key::policy(&binding.policy)),
                    || format!("binding {id} is of an account that is not on the list"),
                );
                if self.is_at_rest && !self.has(&Key::policy(&binding.policy)) {
                    let waits = self.waits_for_fan_out(&binding.policy);
                    self.must("POLICY_GONE", waits, || {
                        format!("the policy of binding {id} is gone")
                    });
                }
            }
            Record::AccountBinding(row) => {
                let is_of = self.binding(&row.binding).is_some_and(|of| of.source == row.source);
                self.must("DANGLING", is_of, || format!("{row:?} is of none"));
            }
            Record::PolicyBinding(row) => {
                self.must_have("DANGLING", &Key::binding(&row.binding), || {
                    format!("{row:?} is of none")
                });
            }
            Record::Policy(row) => {
                for version in 1..=row.0.version {
                    let key = Key::policy_version(&row.0.id, version);
                    let name = &row.0.name;
                    self.must_have("VERSION_MISSING", &key, || {
                        format!("version {version} of {name} is missing")
                    });
                }
                let key = Key::name(NameOf::Policy, &row.0.name);
                self.must_have("UNNAMED", &key, || format!("policy {} has no name", row.0.id));
                self.must_have("DANGLING", &Key::vault(&row.0.vault), || {
                    format!("{} has no vault", row.0.id)
                });
            }
            Record::Vault(row) => {
                let key = Key::name(NameOf::Vault, &row.0.name);
                self.must_have("UNNAMED", &key, || format!("vault {} has no name", row.0.id));
                self.must_have("GATE_MISSING", &Key::gate(&row.0.id), || {
                    format!("{} has no gate", row.0.id)
                });
            }
            Record::Gate(row) => {
                if let Some(job) = &row.gate.prune {
                    self.must("HELD_BY_NONE", self.lives(job), || {
                        format!("the gate is closed by {job}")
                    });
                }
            }
            Record::Name(name) => {
                let key = match name {
                    NameRef::Policy { id, .. } => Key::policy(id),
                    NameRef::Vault { id, .. } => Key::vault(id),
                };
                self.must_have("DANGLING", &key, || format!("{name:?} names nothing"));
            }
            Record::Busy(busy) => {
                let is_of = self.job(&busy.job).is_some_and(|job| match &job.work {
                    JobWork::Backup(backup, _) => BusyOf::of(backup) == busy.of,
                    JobWork::Restore(..) | JobWork::Erase(..) | JobWork::Prune(..) => false,
                });
                self.must("HELD_BY_NONE", is_of && self.lives(&busy.job), || {
                    format!("{busy:?} names none")
                });
            }
            Record::Turn(row) => {
                self.must("HELD_BY_NONE", self.lives(&row.job), || format!("{row:?} is held"));
                let is_same = |other: &(&Key, &Arc<Stored>)| matches!(&other.1.record, Record::Turn(other) if other.job == row.job);
                let count = self.rows.all().filter(is_same).count();
                self.must("TURNS_OF_ONE", count == 1, || {
                    format!("{} holds {count} turns", row.job)
                });
            }
            Record::Use(row) => {
                self.must("HELD_BY_NONE", self.lives(&row.job), || format!("{row:?} is left"));
            }
            Record::Waiting(row) => {
                let waits = self.job(&row.job).is_some_and(|job| job.waiting == Some(row.since));
                self.must("HELD_BY_NONE", waits && self.lives(&row.job), || {
                    format!("{row:?} is left")
                });
            }
            Record::Job(job) => self.check_job(job),
            Record::Grant(row) => {
                let key = Key::grant_ref(&row.0.account, &row.0.region);
                self.must_have("UNREFERRED", &key, || format!("{row:?} has no reference"));
                let key = Key::grant_ref(self.management, &row.0.region);
                self.must_have("UNREFERRED", &key, || {
                    format!("region {} is not listed", row.0.region)
                });
                for on in supports(&row.0) {
                    let key = Key::dependent(&on, &row.0.account, &row.0.region);
                    self.must_have("UNREFERRED", &key, || {
                        format!("{row:?} is not found by {on:?}")
                    });
                }
            }
            Record::FormerGrant(row) => {
                let key = Key::grant(&row.grant.region, &row.grant.account);
                let is_former = !self.has(&key);
                self.must("LISTED_TWICE", is_former, || {
                    format!("{} is on the list and off it", row.grant.account)
                });
            }
            Record::GrantRef(row) => {
                let key = Key::grant(&row.region, &row.account);
                let is_list = row.account == *self.management;
                self.must("DANGLING", is_list || self.has(&key), || {
                    format!("{row:?} refers to none")
                });
            }
            Record::Dependent(row) => {
                let key = Key::grant(&row.region, &row.account);
                let is_of = matches!(self.get(&key), Some(Record::Grant(grant))
                    if supports(&grant.0).contains(&row.on));
                self.must("DANGLING", is_of, || format!("{row:?} depends no more"));
            }
            Record::Review(row) => {
                let key = Key::grant(&row.region, &row.account);
                self.must_have("DANGLING", &key, || {
                    format!("the review of {} in {}", row.account, row.region)
                });
            }
            Record::Point(row) => {
                let point = &row.0;
                let key = Key::point_ref(&point.source, point.taken, &point.id);
                self.must_have("UNREFERRED", &key, || {
                    format!("point {} has no reference", point.id)
                });
                for user in &point.in_use_by {
                    self.must("HELD_BY_NONE", self.lives(user), || {
                        format!("{} is in use by {user}", point.id)
                    });
                }
                if let PointState::Expiring { job } = &point.state {
                    self.must("DANGLING", self.job(job).is_some(), || {
                        format!("{} goes by none", point.id)
                    });
                }
            }
            Record::PointRef(row) => {
                let key = Key::point(&row.vault, &row.source, row.taken, &row.point);
                self.must_have("DANGLING", &key, || format!("{row:?} refers to none"));
            }
            Record::JobRef(row) => {
                self.must_have("DANGLING", &Key::job(&row.job), || {
                    format!("{row:?} refers to none")
                });
            }
            Record::Latest(_)
            | Record::ReviewRound(_)
            | Record::Slot(_)
            | Record::MissedSlots(_)
            | Record::PolicyVersion(_)
            | Record::Failures(_)
            | Record::Outbox(_)
            | Record::Audit(_)
            | Record::Request(_) => {}
        }
    }

    fn check_job(&mut self, job: &Job) {
        let id = &job.id;
        for account in [&job.account, self.management] {
            let key = Key::job_ref(account, job.queued, id);
            self.must_have("UNREFERRED", &key, || format!("job {id} is unknown to {account}"));
        }
        if job.work.is_ended() {
            let is_free = job.wake.is_none() && job.lease_until.is_none() && job.turn.is_none();
            self.must("ENDED_AND_HOLDS", is_free, || {
                format!("job {id} has ended and holds something")
            });
            return;
        }
        let is_due = job.wake.is_some_and(|at| self.has(&Key::due(DUE_SHARD, at, id.as_str())));
        self.must("NOT_DUE", is_due, || format!("job {id} is not due"));
        match &job.work {
            JobWork::Backup(backup, _) => {
                let of = BusyOf::of(backup);
                let is_busy = matches!(self.get(&Key::busy(&of)), Some(Record::Busy(busy)) if busy.job == *id);
                self.must("NOT_BUSY", is_busy, || format!("job {id} runs and {of:?} is not busy"));
            }
            JobWork::Restore(restore, _) => {
                let is_used = self.rows.all().any(|(_, row)| {
                    matches!(&row.record, Record::Point(row)
                        if row.0.id == restore.point && row.0.in_use_by.contains(id))
                });
                self.must("POINT_UNHELD", is_used, || {
                    format!("job {id} reads a point that may go")
                });
            }
            JobWork::Erase(..) | JobWork::Prune(..) => {}
        }
    }

    fn get(&self, key: &Key) -> Option<&'a Record> {
        self.rows.get(key).map(|row| &row.record)
    }

    fn has(&self, key: &Key) -> bool {
        self.rows.get(key).is_some()
    }

    fn job(&self, id: &JobId) -> Option<&'a Job> {
        let Some(Record::Job(job)) = self.get(&Key::job(id)) else { return None };
        Some(job)
    }

    fn binding(&self, id: &BindingId) -> Option<&'a Binding> {
        let Some(Record::Binding(row)) = self.get(&Key::binding(id)) else { return None };
        Some(&row.0)
    }

    fn waits_for_fan_out(&self, policy: &PolicyId) -> bool {
        let is_of = |send: &Send| matches!(send, Send::Message { message: Message::FanOut { policy: of, .. }, .. } if of == policy);
        self.rows
            .all()
            .any(|(_, row)| matches!(&row.record, Record::Outbox(row) if is_of(&row.send)))
    }

    fn lives(&self, id: &JobId) -> bool {
        self.job(id).is_some_and(|job| !job.work.is_ended())
    }

    fn must(&mut self, code: &'static str, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Found { code, site: self.site, says: otherwise() });
        }
    }

    fn must_have(&mut self, code: &'static str, key: &Key, otherwise: impl FnOnce() -> String) {
        let holds = self.has(key);
        self.must(code, holds, otherwise);
    }
}

/// What a grant that was looked at depends on.
fn supports(grant: &Grant) -> Vec<Support> {
    let Some(standing) = &grant.standing else { return Vec::new() };
    if grant.method == Method::Directory {
        return vec![Support::Directory];
    }
    let mut all = vec![Support::ServiceRole];
    all.extend(standing.nodes.iter().map(|node| Support::Node(node.as_str().into())));
    all
}
