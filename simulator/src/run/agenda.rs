//! What is yet to happen, in the order of time.

use std::{cmp::Ordering, collections::BinaryHeap, sync::Arc};

use chrono::{DateTime, Utc};

use super::invocation::Trigger;
use crate::{call::Request, cloud::InvocationId, fault::Fault};

/// Something that is yet to happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// The n-th act of the script.
    Act(usize),
    /// A function is triggered.
    Trigger {
        /// By what.
        trigger: Trigger,
        /// How often it was before, in vain.
        attempt: u32,
    },
    /// A call takes effect.
    Effect {
        /// Whose call.
        of: InvocationId,
        /// Which, by number.
        call: u32,
        /// What is asked.
        request: Box<Request>,
        /// What happens to it.
        fault: Fault,
    },
    /// The answer to a call arrives.
    Answer {
        /// Whose call.
        of: InvocationId,
        /// Which, by number.
        call: u32,
        /// The answer.
        answer: Arc<crate::ports::Answer>,
    },
}

#[derive(Clone, Debug)]
struct Entry {
    at: DateTime<Utc>,
    /// Of two at one instant the one that was planned first comes first.
    order: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest, as a heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// All that is yet to happen.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Entry>,
    /// The very next one, when it was planned last: mostly the next call of the one function that
    /// runs.
    next: Option<Entry>,
    planned: u64,
}

impl Agenda {
    /// Plans something.
    pub fn push(&mut self, at: DateTime<Utc>, event: Event) {
        self.planned = self.planned.saturating_add(1);
        let entry = Entry { at, order: self.planned, event };
        if self.next.is_none() && self.heap.peek().is_none_or(|first| entry > *first) {
            self.next = Some(entry);
        } else {
            self.heap.push(entry);
        }
    }

    /// Takes what happens next.
    pub fn pop(&mut self) -> Option<(DateTime<Utc>, Event)> {
        let is_next = match (&self.next, self.heap.peek()) {
            (Some(next), Some(first)) => next > first,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let entry = if is_next { self.next.take() } else { self.heap.pop() };
        entry.map(|entry| (entry.at, entry.event))
    }

    /// All events with their times, as they will come.
    pub fn in_order(&self) -> impl Iterator<Item = (DateTime<Utc>, &Event)> {
        let mut entries: Vec<&Entry> = self.heap.iter().chain(&self.next).collect();
        entries.sort_unstable_by(|one, other| other.cmp(one));
        entries.into_iter().map(|entry| (entry.at, &entry.event))
    }

    /// All events with their numbers and times, in the order of time.
    #[must_use]
    pub fn entries(&self) -> Vec<(u64, DateTime<Utc>, &Event)> {
        let mut all: Vec<&Entry> = self.heap.iter().chain(&self.next).collect();
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.into_iter().map(|entry| (entry.order, entry.at, &entry.event)).collect()
    }

    /// Takes out the events that are asked for, in the order of time.
    pub fn take(
        &mut self,
        mut is_taken: impl FnMut(u64, DateTime<Utc>, &Event) -> bool,
    ) -> Vec<(DateTime<Utc>, Event)> {
        let all = std::mem::take(&mut self.heap).into_iter().chain(self.next.take());
        let (mut taken, left): (Vec<Entry>, Vec<Entry>) =
            all.partition(|entry| is_taken(entry.order, entry.at, &entry.event));
        self.heap = left.into();
        taken.sort_unstable_by(|one, other| other.cmp(one));
        taken.into_iter().map(|entry| (entry.at, entry.event)).collect()
    }

    /// Takes out the first event of those that are asked for.
    pub fn take_first(
        &mut self,
        is_wanted: impl Fn(DateTime<Utc>, &Event) -> bool,
    ) -> Option<(DateTime<Utc>, Event)> {
        let all = self.heap.iter().chain(&self.next);
        let first = all.filter(|entry| is_wanted(entry.at, &entry.event)).max()?.order;
        self.take(|order, _, _| order == first).pop()
    }

    /// All events with their times, in no order.
    pub fn all(&self) -> impl Iterator<Item = (DateTime<Utc>, &Event)> {
        self.heap.iter().chain(&self.next).map(|entry| (entry.at, &entry.event))
    }
}
