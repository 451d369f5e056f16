//! A scenario: what people do, what goes wrong, and what is expected of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use crossvault_core::ids::AccountId;

use crate::{
    chooser::{Boring, Chooser, Deviations},
    cloud::Cloud,
    run::{Run, Settings, Violation, Watch},
    script::Act,
    world::Refusal,
};

/// A run as data: with the same scenario a run is the same, bit for bit.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is about, in a sentence.
    pub about: String,
    /// The backup management account.
    pub management: AccountId,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// How it goes.
    pub settings: Settings,
    /// What was done before, without faults: the stage.
    pub before: Arc<[Act]>,
    /// What people do while faults strike.
    pub acts: Arc<[Act]>,
    /// What goes wrong.
    pub deviations: Deviations,
}

/// A cloud in which a scenario may begin, any number of times.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The cloud.
    pub cloud: Cloud,
    /// What time it is.
    pub now: DateTime<Utc>,
}

/// Why a scenario has no stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStage {
    /// The world refuses the management account.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is done before breaks something by itself, without any fault.
    #[error("before any fault, {} is broken: {}", _0.invariant.name(), _0.says)]
    Broken(Violation),
}

impl Scenario {
    /// Does what was done before, without faults.
    ///
    /// # Errors
    /// [`NoStage`] when that is not possible.
    pub fn stage(&self) -> Result<Stage, NoStage> {
        let cloud = Cloud::new(self.management.clone(), self.start)?;
        let before = Arc::clone(&self.before);
        let mut run = Run::new(cloud, self.start, before, self.settings, Boring, ());
        let ended = run.play();
        match ended.violation {
            Some(violation) => Err(NoStage::Broken(violation)),
            None => Ok(Stage { cloud: run.cloud, now: ended.now }),
        }
    }

    /// A run of what people do, from a stage, by any chooser.
    pub fn run<C: Chooser, W: Watch>(&self, stage: &Stage, chooser: C, watch: W) -> Run<C, W> {
        let (cloud, acts) = (stage.cloud.clone(), Arc::clone(&self.acts));
        Run::new(cloud, stage.now, acts, self.settings, chooser, watch)
    }
}
