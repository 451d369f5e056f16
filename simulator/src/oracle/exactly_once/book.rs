//! What became of one binding's slots.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    backup_policy::{BackupPolicy, Binding},
    ids::PolicyId,
    schedule::slot::{Count, Missed},
};

use super::timetable;

/// All outcomes of a binding, over all its lives: unbound and bound again it goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub(super) lives: Vec<Life>,
    slots: BTreeSet<DateTime<Utc>>,
    gaps: Vec<Missed>,
}

/// The time from a binding's making to its end.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) policy: PolicyId,
    /// Which versions decided, each for slots after an instant.
    versions: Vec<(u32, DateTime<Utc>)>,
    end: End,
}

/// How far a life's slots are to be decided.
#[derive(Clone, Copy, Debug)]
enum End {
    /// To the one that stands in the binding.
    Open,
    /// To the one that was to be decided next when it was unbound, if there was one.
    Unbound(Option<DateTime<Utc>>),
}

impl Book {
    /// Adds an outcome; false when the slot has one already.
    pub(super) fn add_slot(&mut self, due: DateTime<Utc>) -> bool {
        self.slots.insert(due) && !self.gaps.iter().any(|gap| gap.first <= due && due <= gap.last)
    }

    /// Adds a gap; false when one of its slots has an outcome already.
    pub(super) fn add_gap(&mut self, gap: Missed) -> bool {
        let is_apart = |other: &Missed| gap.last < other.first || other.last < gap.first;
        let is_free = gap.first <= gap.last
            && self.gaps.iter().all(is_apart)
            && self.slots.range(gap.first..=gap.last).next().is_none();
        self.gaps.push(gap);
        is_free
    }

    /// A binding that was there before.
    pub(super) fn begin(&mut self, binding: &Binding) {
        let from = self.decided().map_or(binding.bound, |decided| decided.max(binding.bound));
        let versions = vec![(binding.version, from)];
        self.lives.push(Life { policy: binding.policy.clone(), versions, end: End::Open });
    }

    /// A binding is made, or follows its policy. `decided` is the newest outcome of the same commit.
    pub(super) fn follow(
        &mut self,
        before: Option<&Binding>,
        after: &Binding,
        decided: Option<DateTime<Utc>>,
    ) {
        let Some(before) = before else { return self.begin(after) };
        if before.version == after.version {
            return;
        }
        let from = self.decided().max(decided).unwrap_or(after.bound).max(after.bound);
        if let Some(life) = self.lives.last_mut() {
            let between = before.version.saturating_add(1)..=after.version;
            life.versions.extend(between.map(|version| (version, from)));
        }
    }

    pub(super) fn end(&mut self, binding: &Binding) {
        if let Some(life) = self.lives.last_mut() {
            life.end = End::Unbound(binding.next);
        }
    }

    fn decided(&self) -> Option<DateTime<Utc>> {
        let gaps = self.gaps.iter().map(|gap| gap.last);
        gaps.chain(self.slots.last().copied()).max()
    }

    /// The first slot of a life that should have an outcome and has none, or lies in a gap that
    /// counts wrong.
    pub(super) fn undecided(
        &self,
        life: &Life,
        policy: &[BackupPolicy],
        binding: Option<&Binding>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let next = match life.end {
            End::Unbound(next) => next,
            End::Open => binding.and_then(|binding| binding.next),
        };
        let end = next.map_or(now, before);
        life.versions.iter().find_map(|(version, from)| {
            let holds = policy.iter().find(|policy| policy.version == *version)?;
            let follower = version.saturating_add(1);
            let has_followed = life.versions.iter().any(|(version, _)| *version == follower);
            let new = policy.iter().find(|policy| policy.version == follower);
            let until = new.filter(|_| has_followed).map_or(end, |new| new.since.min(end));
            self.open(holds, (*from).max(holds.since), until)
        })
    }

    /// The first instant of a version's schedule in `(from, until]` without an outcome.
    fn open(
        &self,
        policy: &BackupPolicy,
        mut from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        loop {
            let at = timetable::after(&policy.schedule, from).filter(|at| *at <= until)?;
            from = at;
            if self.slots.contains(&at) {
                continue;
            }
            let of = |gap: &&Missed| gap.first <= at && at <= gap.last;
            let Some(gap) = self.gaps.iter().find(of) else { return Some(at) };
            // What a gap covers in one row is counted here one by one, as far as it counts itself.
            if let Count::Exactly(count) = gap.count
                && at == gap.first
                && timetable::count(&policy.schedule, gap.first, gap.last) != count
            {
                return Some(at);
            }
            from = gap.last;
        }
    }
}

fn before(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(at)
}
