//! Oracles: what must always hold, judged by what is so in the cloud.
//!
//! An oracle believes nobody. It looks at the cloud's own journal ([`Fact`]), at rows as they are
//! stored, at contents and storage, and decides by plain code of its own; it never asks handlers or
//! `core` what they think of themselves. Each file begins with its law in words.
//!
//! Looking on must be cheap: an oracle follows facts one by one, and looks at everything only once
//! all is at rest. [`Oracles::paranoid`] looks at everything after every fact.

mod audit;
mod authority;
mod conservation;
mod durability;
mod exactly_once;
mod explained;
mod fidelity;
mod isolation;
pub(crate) mod plain;
mod progress;
mod quota;
mod retention;
mod rows;
mod secrecy;

use chrono::{DateTime, Utc};
use crossvault_core::{ids::JobId, vault::RecoveryPoint};
use crossvault_handlers::{
    ports::Stored,
    records::{Job, Key, Record},
};

pub use audit::Audit;
pub use authority::Authority;
pub use conservation::Conservation;
pub use durability::Durability;
pub use exactly_once::ExactlyOnce;
pub use explained::Explained;
pub use fidelity::Fidelity;
pub use isolation::Isolation;
pub use progress::Progress;
pub use quota::Quota;
pub use retention::Retention;
pub use rows::{Rows, sweep};
pub use secrecy::Secrecy;

use crate::{
    cloud::{Cloud, Fact, mix},
    run::{Event, Invariant, Settings, Violation, Watch},
};

/// One that watches over one invariant.
///
/// [`Watch`] is how it follows a run: event by event, fact by fact, and all of it at rest.
pub trait Oracle: Watch + Clone + Default {
    /// What it watches over.
    const INVARIANT: Invariant;

    /// Takes in what the cloud holds before anything happens.
    fn begin(&mut self, cloud: &Cloud, now: DateTime<Utc>) {
        let _ = (cloud, now);
    }

    /// From now on checks everything, where it would check a sample.
    fn be_paranoid(&mut self) {}

    /// Looks at everything that must hold at any moment, at rest or not.
    ///
    /// # Errors
    /// What must not be.
    fn look(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        let _ = (cloud, now);
        Ok(())
    }
}

/// Defines the one struct of all oracles: each is called directly, and one that is off costs a bit
/// that is looked at.
macro_rules! oracles {
    ($($field:ident: $oracle:ty),+ $(,)?) => {
        /// All oracles, in the order in which they are asked: the first that finds something names
        /// it.
        #[derive(Clone, Default)]
        pub struct Oracles {
            $($field: $oracle,)+
            /// Those that look on, as bits by the numbers of their invariants.
            on: u32,
            is_paranoid: bool,
            has_begun: bool,
        }

        impl Oracles {
            /// What is watched over.
            pub const INVARIANTS: &[Invariant] = &[$(<$oracle>::INVARIANT),+];

            /// Looks at everything after every fact, and samples nothing.
            #[must_use]
            pub fn paranoid(mut self) -> Self {
                self.is_paranoid = true;
                $(self.$field.be_paranoid();)+
                self
            }

            fn begin(&mut self, cloud: &Cloud, now: DateTime<Utc>) {
                if std::mem::replace(&mut self.has_begun, true) {
                    return;
                }
                $(if self.watches::<$oracle>() {
                    self.$field.begin(cloud, now);
                })+
            }

            fn look(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
                $(if self.watches::<$oracle>() {
                    self.$field.look(cloud, now)?;
                })+
                Ok(())
            }
        }

        impl Watch for Oracles {
            fn event(
                &mut self,
                cloud: &Cloud,
                now: DateTime<Utc>,
                event: &Event<'_>,
            ) -> Result<(), Violation> {
                self.begin(cloud, now);
                $(if self.watches::<$oracle>() {
                    self.$field.event(cloud, now, event)?;
                })+
                Ok(())
            }

            fn fact(
                &mut self,
                cloud: &Cloud,
                now: DateTime<Utc>,
                fact: &Fact,
            ) -> Result<(), Violation> {
                self.begin(cloud, now);
                $(if self.watches::<$oracle>() {
                    self.$field.fact(cloud, now, fact)?;
                })+
                if self.is_paranoid { self.look(cloud, now) } else { Ok(()) }
            }

            fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
                self.begin(cloud, now);
                self.look(cloud, now)?;
                $(if self.watches::<$oracle>() {
                    self.$field.at_rest(cloud, now)?;
                })+
                Ok(())
            }
        }
    };
}

oracles! {
    authority: Authority,
    isolation: Isolation,
    durability: Durability,
    fidelity: Fidelity,
    retention: Retention,
    secrecy: Secrecy,
    exactly_once: ExactlyOnce,
    explained: Explained,
    conservation: Conservation,
    quota: Quota,
    audit: Audit,
    rows: Rows,
    progress: Progress,
}

impl Oracles {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::only(Self::INVARIANTS)
    }

    /// Only those that watch over these.
    #[must_use]
    pub fn only(invariants: &[Invariant]) -> Self {
        let on = invariants.iter().fold(0, |on, invariant| on | bit(*invariant));
        Self { on, ..Self::default() }
    }

    /// The same for a run with these settings: some limits are set there.
    #[must_use]
    pub fn within(mut self, settings: &Settings) -> Self {
        self.quota = Quota::of(settings);
        self
    }

    /// The others: what that one alone would have found stays unseen.
    #[must_use]
    pub fn without(self, invariant: Invariant) -> Self {
        Self { on: self.on & !bit(invariant), ..self }
    }

    fn watches<O: Oracle>(&self) -> bool {
        self.on & bit(O::INVARIANT) != 0
    }
}

fn bit(invariant: Invariant) -> u32 {
    1_u32.wrapping_shl(invariant as u32)
}

/// What breaks the invariant that an oracle watches over.
fn broken<O: Oracle>(code: &'static str, site: impl Into<String>, says: String) -> Violation {
    Violation { invariant: O::INVARIANT, code, site: site.into(), says }
}

/// Whether one of 64 is looked at more closely: by what is looked at, so that other runs look at
/// others and the same run always looks at the same.
fn is_sampled(of: u64) -> bool {
    mix(of).trailing_zeros() >= 6
}

/// A job as it is stored.
fn job_of<'a>(cloud: &'a Cloud, id: &JobId) -> Option<&'a Job> {
    job(cloud.rows.get(&Key::job(id))?)
}

fn job(row: &Stored) -> Option<&Job> {
    let Record::Job(job) = &row.record else { return None };
    Some(job)
}

fn point(row: &Stored) -> Option<&RecoveryPoint> {
    let Record::Point(point) = &row.record else { return None };
    Some(&point.0)
}

/// All recovery points as they are stored.
fn points(cloud: &Cloud) -> impl Iterator<Item = &RecoveryPoint> {
    cloud.rows.all().filter_map(|(_, row)| point(row))
}

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
