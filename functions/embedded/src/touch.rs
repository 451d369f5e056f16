//! Authority at each touch of a source.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use crossvault_core::{
    catalog::{self, Need},
    ids::DataSource,
    policy::Context,
};
use crossvault_simulator::world::{Refusal, Session, check};

use crate::{
    files::entry::{Refused, Touch},
    world::LocalWorld,
};

/// Asks the world before each touch whether this session may still do it.
///
/// A positive answer holds until the world changes or the session expires, so a touch costs one
/// load and two comparisons as long as nothing changes.
pub(crate) struct SourceTouch {
    world: Arc<LocalWorld>,
    session: Session,
    source: DataSource,
    need: Need,
    /// The world's version for which the answer was yes, plus one; 0 for none.
    permitted: AtomicU64,
    expires: DateTime<Utc>,
}

impl SourceTouch {
    pub(crate) fn new(world: Arc<LocalWorld>, session: Session, source: DataSource) -> Self {
        let expires = session.expires().unwrap_or(DateTime::<Utc>::MAX_UTC);
        let need = catalog::touched(&source);
        Self { world, session, source, need, permitted: AtomicU64::new(0), expires }
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
        if self.permitted.load(Ordering::Acquire) == version {
            return Ok(());
        }
        let Need { action, resource } = &self.need;
        self.world.read(|world| {
            let context = Context::default();
            check(world, &self.session, action, resource, &context, now).map_err(|refusal| {
                if matches!(refusal, Refusal::Expired(_)) {
                    return Refused::Expired;
                }
                let by = refusal.denied_by();
                let (action, resource) = ((*action).to_owned(), resource.clone());
                Refused::Denied { action, resource, by }
            })?;
            if world.find_source(&self.source).is_none() {
                return Err(Refused::Gone { resource: resource.clone() });
            }
            Ok(())
        })?;
        self.permitted.store(version, Ordering::Release);
        Ok(())
    }
}
