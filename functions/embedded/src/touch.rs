//! Authority at each touch of a source.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::{self, Need, Operation, Verb},
    ids::DataSource,
    policy::Context,
};
use crossvault_simulator::world::{Refusal, Session, World, check};

use crate::{
    files::entry::{Refused, Touch},
    world::LocalWorld,
};

/// Asks the world before each touch whether this session may still do it; before the first one,
/// whether it may do all that its operation needs.
///
/// A positive answer holds until the world changes or the session expires, so a touch costs one
/// load and two comparisons as long as nothing changes.
pub(crate) struct SourceTouch {
    world: Arc<LocalWorld>,
    session: Session,
    source: DataSource,
    needs: Vec<Need>,
    touched: Need,
    /// The world's version for which the answer was yes, plus one; 0 for none.
    permitted: AtomicU64,
    expires: DateTime<Utc>,
}

impl SourceTouch {
    pub(crate) fn new(
        world: Arc<LocalWorld>,
        session: Session,
        source: DataSource,
        verb: Verb,
    ) -> Self {
        let expires = session.expires().unwrap_or(DateTime::<Utc>::MAX_UTC);
        let needs = catalog::needs(Operation { kind: source.kind, verb }, (&source).into());
        let touched = catalog::touched(&source);
        Self { world, session, source, needs, touched, permitted: AtomicU64::new(0), expires }
    }

    fn check(&self, world: &World, need: &Need, now: DateTime<Utc>) -> Result<(), Refused> {
        let Need { action, resource } = need;
        check(world, &self.session, action, resource, &Context::default(), now).map_err(|refusal| {
            if matches!(refusal, Refusal::Expired(_)) {
                return Refused::Expired;
            }
            let by = refusal.denied_by();
            Refused::Denied { action: (*action).to_owned(), resource: resource.clone(), by }
        })
    }
}

impl Touch for SourceTouch {
    fn touch(&self) -> Result<(), Refused> {
        let now = Utc::now();
        if now >= self.expires {
            return Err(Refused::Expired);
        }
        // Before the world is looked at: a change that comes in between asks again.
        let version = self.world.version().saturating_add(1);
        let permitted = self.permitted.load(Ordering::Acquire);
        if permitted == version {
            return Ok(());
        }
        let is_first = permitted == 0;
        let needs =
            if is_first { self.needs.as_slice() } else { std::slice::from_ref(&self.touched) };
        self.world.read(|world| {
            needs.iter().try_for_each(|need| self.check(world, need, now))?;
            if world.find_source(&self.source).is_none() {
                return Err(Refused::Gone { resource: self.touched.resource.clone() });
            }
            Ok(())
        })?;
        self.permitted.store(version, Ordering::Release);
        Ok(())
    }
}
