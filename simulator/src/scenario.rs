//! A scenario: what people do, what goes wrong, and what is expected of it.
//!
//! It is a file that people read, write and review ([`read`], [`write`]): who there is, what they
//! own and bind in a line each, then what they do, what goes wrong, and what must come of it.

mod expect;
mod fault;
mod names;
mod read;
mod setup;
mod table;
mod tell;
mod time;
mod words;
mod write;
mod wrong;

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

pub use expect::{Expect, Finds, job_line, job_name};
pub use names::Names;
pub use read::read;
pub use words::{command_word, deed_word};
pub use write::write;
pub use wrong::{Mistake, Wrong};

/// The version of the files that [`write`] writes.
pub const FORMAT: i64 = 1;
/// How the backup management account is called, in each scenario.
pub const MANAGEMENT: &str = "vaults";
/// The region that is meant where none is named.
pub const HOME: &str = "cn-hangzhou";
/// The role by which an account grants where no other is named.
const ROLE: &str = "hbrcrossrole";
/// What is attached to it.
const ROLE_POLICY: &str = "AliyunHBRRolePolicy";
/// The number of the first act that is written under `before`; the first of `acts` has 1.
const BEFORE: u32 = 1001;
/// When scenarios start that say nothing of it: noon of 2 March 2026, a Monday.
const START: i64 = 1_772_452_800;

/// A run as data: with the same scenario a run is the same, bit for bit.
#[derive(Clone, Debug, PartialEq)]
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
    /// What must come of it.
    pub expect: Expect,
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
        self.watched_stage(()).map(|(stage, ())| stage)
    }

    /// The same while somebody looks on.
    ///
    /// # Errors
    /// [`NoStage`] when that is not possible.
    pub fn watched_stage<W: Watch>(&self, watch: W) -> Result<(Stage, W), NoStage> {
        let first = self.before.iter().map(|act| act.at).min();
        let begin = first.unwrap_or(self.start).min(self.start);
        let cloud = Cloud::new(self.management.clone(), begin)?;
        let before = Arc::clone(&self.before);
        let mut run = Run::new(cloud, begin, before, self.settings, Boring, watch);
        let ended = run.play();
        match ended.violation {
            Some(violation) => Err(NoStage::Broken(violation)),
            None => Ok((Stage { cloud: run.cloud, now: ended.now }, run.watch)),
        }
    }

    /// A run of what people do, from a stage, by any chooser.
    pub fn run<C: Chooser, W: Watch>(&self, stage: &Stage, chooser: C, watch: W) -> Run<C, W> {
        let (cloud, acts) = (stage.cloud.clone(), Arc::clone(&self.acts));
        Run::new(cloud, stage.now, acts, self.settings, chooser, watch)
    }
}
