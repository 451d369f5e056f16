//! Writes down what a run decides, after the last of its deviations: what may deviate next.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::strike::{Place, Strike};
use crate::{
    chooser::{Chooser, Deviations, Key, Options, What},
    cloud::Cloud,
    fault::Fault,
    run::{Event, Handler, Site, Violation, Watch},
};

/// Something that a run decided.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// What was decided.
    pub key: Key,
    /// What might have been chosen.
    pub options: Options,
    /// Which of its kind's it was.
    nth: usize,
}

/// Replays deviations, and keeps the decisions that come after them.
#[derive(Debug)]
pub struct Recorder<'a> {
    deviations: &'a Deviations,
    /// How many of the deviations were met.
    met: usize,
    is_kept: bool,
    calls: usize,
    starts: usize,
    /// The decisions after the last deviation.
    pub decisions: Vec<Decision>,
}

impl<'a> Recorder<'a> {
    /// A recorder, which keeps decisions or not.
    #[must_use]
    pub fn new(deviations: &'a Deviations, is_kept: bool) -> Self {
        let decisions = Vec::new();
        Self { deviations, met: 0, is_kept, calls: 0, starts: 0, decisions }
    }

    /// Whether all deviations were met.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.met == self.deviations.0.len()
    }
}

impl Chooser for Recorder<'_> {
    fn choose(&mut self, key: Key, options: Options) -> u8 {
        let nth = match key.what {
            What::Fault => &mut self.calls,
            What::Skew => &mut self.starts,
            What::Mishap => &mut 0,
        };
        let this = *nth;
        *nth = nth.saturating_add(1);
        if self.is_through() {
            if self.is_kept {
                self.decisions.push(Decision { key, options, nth: this });
            }
            return 0;
        }
        let chosen = self.deviations.0.get(&key).copied();
        self.met = self.met.saturating_add(usize::from(chosen.is_some()));
        chosen.unwrap_or(0)
    }
}

/// Writes down where it was decided, as long as faults strike.
#[derive(Debug, Default)]
pub struct Places {
    is_kept: bool,
    is_calm: bool,
    calls: Vec<Site>,
    starts: Vec<Handler>,
    /// Where the mishaps struck.
    deliveries: Vec<Handler>,
    /// What no call of a site can meet, and why; none for what some call of it can.
    closed: BTreeMap<(Site, Fault), Option<&'static str>>,
}

impl Places {
    /// Keeps the places of decisions, or only those of mishaps.
    #[must_use]
    pub fn new(is_kept: bool) -> Self {
        Self { is_kept, ..Self::default() }
    }

    /// Where a decision was made; none for a delivery, which is known once something strikes it.
    #[must_use]
    pub fn of(&self, decision: &Decision) -> Option<Place> {
        match decision.key.what {
            What::Fault => self.calls.get(decision.nth).cloned().map(Place::Call),
            What::Skew => self.starts.get(decision.nth).copied().map(Place::Start),
            What::Mishap => None,
        }
    }

    /// Where the last mishap struck.
    #[must_use]
    pub fn last_delivery(&self) -> Option<Place> {
        self.deliveries.last().copied().map(Place::Delivery)
    }

    /// What can't strike where, and why.
    pub fn impossible(&self) -> impl Iterator<Item = (Place, Strike, &'static str)> {
        self.closed.iter().filter_map(|((site, fault), why)| {
            Some((Place::Call(site.clone()), Strike::Fault(*fault), (*why)?))
        })
    }
}

impl Watch for Places {
    fn wants_sites(&self) -> bool {
        self.is_kept
    }

    fn event(&mut self, _: &Cloud, _: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Healed => self.is_calm = true,
            Event::Struck { trigger, .. } => self.deliveries.push(trigger.handler()),
            Event::Began { trigger, .. } if self.is_kept && !self.is_calm => {
                self.starts.push(trigger.handler());
            }
            Event::Called { site: Some(site), request, .. } if self.is_kept && !self.is_calm => {
                self.calls.push((*site).clone());
                for fault in Fault::ALL {
                    let why = fault.impossible_at(request);
                    let known = self.closed.entry(((*site).clone(), fault)).or_insert(why);
                    *known = known.and(why);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
