//! Those who look on: oracles, counters, recorders. They change nothing.

use chrono::{DateTime, Utc};

use super::{
    invocation::{Ending, Handler, Trigger},
    site::Site,
};
use crate::{
    call::Request,
    chooser::Name,
    cloud::{Cloud, Fact, InvocationId},
    fault::{Fault, Mishap, Skew},
    ports::Answer,
    script::Act,
};

/// Something that went on in a run, beside the [`Fact`]s of the cloud.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// Somebody acts.
    Acts(&'a Act),
    /// An act could not be done: the cloud refused it, or its subject is gone.
    Skipped {
        /// The act.
        act: &'a Act,
        /// Why.
        why: String,
    },
    /// A function begins.
    Began {
        /// The invocation.
        of: InvocationId,
        /// Its name among all choices.
        name: Name,
        /// What triggered it.
        trigger: &'a Trigger,
        /// Which of its subject's invocations it is, from 1.
        nth: u32,
        /// How wrong its clock is.
        skew: Skew,
    },
    /// A call is about to be made.
    Called {
        /// Whose call.
        of: InvocationId,
        /// Which, by number.
        call: u32,
        /// Where; none when nobody wants to know.
        site: Option<&'a Site>,
        /// What is asked.
        request: &'a Request,
        /// What happens to it.
        fault: Fault,
    },
    /// A call was answered.
    Answered {
        /// Whose call.
        of: InvocationId,
        /// Which, by number.
        call: u32,
        /// The answer.
        answer: &'a Answer,
    },
    /// A function ended.
    Ended {
        /// The invocation.
        of: InvocationId,
        /// Which function.
        handler: Handler,
        /// How.
        ending: &'a Ending,
    },
    /// A function died.
    Died {
        /// The invocation.
        of: InvocationId,
        /// Which function.
        handler: Handler,
    },
    /// Something happens to a delivery.
    Struck {
        /// The delivery's name among all choices.
        name: Name,
        /// `delivery`, or `stream` for the store's change stream.
        kind: &'static str,
        /// What is delivered.
        trigger: &'a Trigger,
        /// Which of its subject's deliveries it is, from 1.
        nth: u32,
        /// What happens.
        mishap: Mishap,
    },
    /// Faults stop, and what was broken is made whole.
    Healed,
}

/// Who looks on. What it finds wrong ends the run.
pub trait Watch {
    /// Whether it wants to know where calls are made, which costs.
    fn wants_sites(&self) -> bool {
        false
    }

    /// Sees an event.
    ///
    /// # Errors
    /// What must not be.
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        let _ = (cloud, now, event);
        Ok(())
    }

    /// Sees a fact, once it is so.
    ///
    /// # Errors
    /// What must not be.
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        let _ = (cloud, now, fact);
        Ok(())
    }

    /// Looks at everything, once all is at rest: faults have stopped and nothing is under way.
    ///
    /// # Errors
    /// What must not be.
    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        let _ = (cloud, now);
        Ok(())
    }
}

/// Nobody looks on.
impl Watch for () {}

/// Both look on.
impl<A: Watch, B: Watch> Watch for (A, B) {
    fn wants_sites(&self) -> bool {
        self.0.wants_sites() || self.1.wants_sites()
    }
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        self.0.event(cloud, now, event)?;
        self.1.event(cloud, now, event)
    }
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        self.0.fact(cloud, now, fact)?;
        self.1.fact(cloud, now, fact)
    }
    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        self.0.at_rest(cloud, now)?;
        self.1.at_rest(cloud, now)
    }
}

impl<W: Watch> Watch for &mut W {
    fn wants_sites(&self) -> bool {
        (**self).wants_sites()
    }
    fn event(
        &mut self,
        cloud: &Cloud,
        now: DateTime<Utc>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        (**self).event(cloud, now, event)
    }
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        (**self).fact(cloud, now, fact)
    }
    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        (**self).at_rest(cloud, now)
    }
}

/// One of the things that must always hold.
///
/// The names are those of the design's list; `runs` is the simulator's own: functions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named and explained by `name` and `says`")]
pub enum Invariant {
    Authority,
    Isolation,
    Durability,
    ExactlyOnce,
    Explained,
    Fidelity,
    Conservation,
    Retention,
    Secrecy,
    Quota,
    Progress,
    Audit,
    /// Rows agree with each other.
    Rows,
    /// The outcome is that of the reference model.
    Model,
    Runs,
}

impl Invariant {
    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Isolation => "isolation",
            Self::Durability => "durability",
            Self::ExactlyOnce => "exactly-once",
            Self::Explained => "explained",
            Self::Fidelity => "fidelity",
            Self::Conservation => "conservation",
            Self::Retention => "retention",
            Self::Secrecy => "secrecy",
            Self::Quota => "quota",
            Self::Progress => "progress",
            Self::Audit => "audit",
            Self::Rows => "rows",
            Self::Model => "model",
            Self::Runs => "runs",
        }
    }
}

/// Something that must not be, as one looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is broken.
    pub invariant: Invariant,
    /// Which rule of it, as a stable code: two violations are the same when invariant, code and site
    /// are.
    pub code: &'static str,
    /// What it is about, by kind and not by id: `backup`, `erase of a restored point`.
    pub site: String,
    /// The fact in the world that breaks it, in a sentence.
    pub says: String,
}

impl Violation {
    /// Whether both are the same failure, of two runs.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.invariant, self.code, &self.site) == (other.invariant, other.code, &other.site)
    }
}
