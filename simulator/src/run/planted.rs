//! A mistake that is planted in a run; without the feature there is none.

use crossvault_core::ids::AccountId;

use super::Trigger;
use crate::ports::Ports;

/// The mistake, if there is one.
#[derive(Default)]
pub(super) struct Planted {
    #[cfg(feature = "planted")]
    plant: Option<crate::planted::Plant>,
}

#[cfg(feature = "planted")]
impl Planted {
    /// The ports of a function that is triggered.
    pub(super) fn ports(&self, management: &AccountId, trigger: &Trigger) -> Ports {
        let desk = self.plant.as_ref().and_then(|plant| plant.desk(trigger, management));
        Ports::new(management.clone()).behind(desk)
    }

    /// What comes again of what is triggered again.
    pub(super) fn again(&self, trigger: Trigger, attempt: u32) -> Option<Trigger> {
        crate::planted::again(self.plant.as_ref(), trigger, attempt)
    }
}

#[cfg(feature = "planted")]
impl<C, W> super::Run<C, W> {
    /// Plants a mistake.
    #[must_use]
    pub fn with(mut self, mistake: &'static crate::planted::Mistake) -> Self {
        self.plant = Planted { plant: Some(crate::planted::Plant::new(mistake)) };
        self
    }
}

#[cfg(not(feature = "planted"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "a mistake would need it")]
impl Planted {
    /// The ports of a function that is triggered.
    pub(super) fn ports(&self, management: &AccountId, _: &Trigger) -> Ports {
        Ports::new(management.clone())
    }

    /// What comes again of what is triggered again.
    pub(super) fn again(&self, trigger: Trigger, _: u32) -> Option<Trigger> {
        Some(trigger)
    }
}
