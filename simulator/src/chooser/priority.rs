//! Order: who goes before whom, where the order is what goes wrong.

use super::{Chance, Chooser, Key, Options, What, chance::below};
use crate::{
    cloud::mix,
    fault::{Fault, Mishap},
};

/// Gives each invocation and each delivery a priority, and changes a few on the way: an error that
/// hangs on the order of d events needs no more than d − 1 changes, wherever else chance is spent.
///
/// Here an order is a set of delays. An invocation of low priority is held up at its first call, a
/// delivery comes late; at a change, whoever makes that call falls behind all others.
///
/// Source: Burckhardt and others, "A randomized scheduler with probabilistic guarantees of finding
/// bugs" (PCT).
#[derive(Clone, Debug)]
pub struct Priority {
    seed: u64,
    /// The numbers of the calls at which priorities change, the last first.
    changes: Vec<u64>,
    calls: u64,
}

impl Priority {
    /// An order by seed that has d events in it, d − 1 of them among the first `calls` calls.
    #[must_use]
    pub fn new(seed: u64, d: u32, calls: u64) -> Self {
        let mut chance = Chance::new(seed, 2);
        let mut changes: Vec<u64> = (1..d).map(|_| chance.below(calls)).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Self { seed: mix(seed ^ mix(3)), changes, calls: 0 }
    }

    /// From 0, the first, to 7, the last.
    fn of(&self, key: Key) -> u64 {
        below(mix(self.seed ^ key.of.0), 8)
    }

    fn fault(&mut self, key: Key) -> Fault {
        let this = self.calls;
        self.calls = self.calls.saturating_add(1);
        let before = self.changes.len();
        self.changes.retain(|at| *at != this);
        if self.changes.len() < before {
            return Fault::FreezeBefore;
        }
        match self.of(key) {
            _ if key.call > 0 => Fault::None,
            5 => Fault::Slow,
            6 => Fault::VerySlow,
            7 => Fault::FreezeBefore,
            _ => Fault::None,
        }
    }
}

impl Chooser for Priority {
    fn choose(&mut self, key: Key, options: Options) -> u8 {
        let chosen = match key.what {
            What::Fault => self.fault(key) as u8,
            What::Mishap if self.of(key) > 5 => Mishap::Late as u8,
            What::Mishap | What::Skew => 0,
        };
        if options.has(chosen) { chosen } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chooser::{Allowed, Name};

    fn choose(priority: &mut Priority, of: u64, call: u32, what: What) -> u8 {
        let key = Key { of: Name(of), call, what };
        priority.choose(key, Allowed::default().of(what))
    }

    #[test]
    fn each_of_the_changes_is_made_once_and_only_delays_are_chosen() {
        for seed in 0..100 {
            let mut priority = Priority::new(seed, 4, 300);
            let of_changes = priority.changes.iter().collect::<BTreeSet<_>>().len();
            let later_calls = (0..300).map(|n| choose(&mut priority, n / 10, 1, What::Fault));
            let freezes = later_calls.filter(|chosen| *chosen == Fault::FreezeBefore as u8);
            assert_eq!(freezes.count(), of_changes);
            assert!(priority.changes.is_empty());
        }
    }

    #[test]
    fn a_priority_is_said_at_the_first_call_and_by_every_delay() {
        let mut priority = Priority::new(9, 1, 1);
        let of_calls = |priority: &mut Priority, call| -> BTreeSet<u8> {
            (0..100).map(|of| choose(priority, of, call, What::Fault)).collect()
        };
        let delays = [Fault::None, Fault::Slow, Fault::VerySlow, Fault::FreezeBefore];
        assert_eq!(of_calls(&mut priority, 0), delays.map(|fault| fault as u8).into());
        assert_eq!(of_calls(&mut priority, 1), BTreeSet::from([0]));
        let of_deliveries: BTreeSet<u8> =
            (0..100).map(|of| choose(&mut priority, of, 0, What::Mishap)).collect();
        assert_eq!(of_deliveries, BTreeSet::from([0, Mishap::Late as u8]));
    }

    #[test]
    fn other_seeds_are_other_orders() {
        let order = |seed| -> Vec<u8> {
            let mut priority = Priority::new(seed, 3, 100);
            (0..100).map(|n| choose(&mut priority, n, 0, What::Fault)).collect()
        };
        assert_eq!(order(1), order(1));
        let orders: BTreeSet<_> = (0..50).map(order).collect();
        assert_eq!(orders.len(), 50);
    }
}
