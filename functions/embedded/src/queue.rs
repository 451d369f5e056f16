//! The queue on one machine: in memory, one line a group, served in turn.
//!
//! Nothing of it is stored: after a start the due index brings back what was waiting.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crossvault_core::ids::AccountId;
use crossvault_handlers::ports::{Message, PortError, Queue};
use tokio::sync::Notify;

use crate::platform::Embedded;

/// Messages that wait for a worker.
#[derive(Clone, Default)]
pub struct LocalQueue {
    lines: Arc<Mutex<Lines>>,
    arrival: Arc<Notify>,
}

#[derive(Default)]
struct Lines {
    /// Each group's messages, in the order of their arrival.
    waiting: BTreeMap<AccountId, VecDeque<Message>>,
    /// The groups that have any, in the order in which they are served.
    ring: VecDeque<AccountId>,
}

impl LocalQueue {
    /// The next message, by turns of the groups; waits for one.
    pub async fn receive(&self) -> Message {
        loop {
            let arrival = self.arrival.notified();
            if let Some(message) = self.take() {
                return message;
            }
            arrival.await;
        }
    }

    fn take(&self) -> Option<Message> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let group = lines.ring.pop_front()?;
        let line = lines.waiting.get_mut(&group)?;
        let message = line.pop_front();
        if line.is_empty() {
            lines.waiting.remove(&group);
        } else {
            lines.ring.push_back(group);
            // One waiter is woken for each arrival; more may be left.
            self.arrival.notify_one();
        }
        message
    }

    /// Puts a message at the end of its group's line, unless the same waits there already.
    fn put(&self, message: Message, group: AccountId) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.waiting.entry(group.clone()).or_default();
        if line.contains(&message) {
            return;
        }
        let is_new = line.is_empty();
        line.push_back(message);
        if is_new {
            lines.ring.push_back(group);
        }
        self.arrival.notify_one();
    }
}

impl Queue for Embedded {
    async fn send(
        &self,
        message: Message,
        group: AccountId,
        delay_s: u32,
    ) -> Result<(), PortError> {
        let queue = self.inner().queue.clone();
        if delay_s == 0 {
            queue.put(message, group);
        } else {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(delay_s.into())).await;
                queue.put(message, group);
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: u8) -> Message {
        Message::TakeStep(crossvault_core::ids::JobId::derive(&[&n.to_string()]))
    }

    #[test]
    fn groups_are_served_in_turn() {
        let queue = LocalQueue::default();
        let busy: AccountId = "1000000000000001".parse().unwrap();
        let quiet: AccountId = "1000000000000002".parse().unwrap();
        for n in 0..3 {
            queue.put(message(n), busy.clone());
        }
        queue.put(message(9), quiet);
        let order: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(order, [message(0), message(9), message(1), message(2)]);
    }

    #[test]
    fn a_message_that_waits_already_waits_once() {
        let queue = LocalQueue::default();
        let group: AccountId = "1000000000000001".parse().unwrap();
        queue.put(message(1), group.clone());
        queue.put(message(1), group);
        assert_eq!(std::iter::from_fn(|| queue.take()).count(), 1);
    }
}
