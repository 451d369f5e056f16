//! Transfers that move nothing: what they call is checked, and what they make has only a name.

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup,
    catalog::{self, Need, Operation, Verb},
    ids::JobId,
    job::Progress,
    policy::Context,
    quantity::Bytes,
    restore, upkeep,
};
use crossvault_handlers::ports::{
    Order, PortError, Sealed, Standing, TransferName, Transfers, Work,
};
use crossvault_simulator::world;

use super::{Platform, WorldCredentials};

impl Transfers for Platform {
    async fn advance(
        &self,
        order: Order,
        by: &WorldCredentials,
        _report_by: DateTime<Utc>,
    ) -> Result<Standing, PortError> {
        // What a transfer calls is checked with the credentials that it is made with.
        self.fault("advance")?;
        let (verb, source) = match &order.work {
            Work::BackUp { source, .. } => (Verb::BackUp, Some(source)),
            Work::Restore(restore) => (Verb::Restore, Some(&restore.to)),
            Work::Erase(erase) => (Verb::Erase, Some(&erase.source)),
            Work::Prune(_) => (Verb::Erase, None),
        };
        if let Some(source) = source {
            let operation = Operation { kind: source.kind, verb };
            for Need { action, resource } in catalog::needs(operation, source.into()) {
                self.read("touch", |world, now| {
                    let context = Context::default();
                    world::check(world, &by.0, action, &resource, &context, now)
                })?;
            }
        }
        let (standing, interference) = {
            let mut state = self.state();
            let standing = state.standings.pop_front().unwrap_or_else(|| seal(&order, state.now));
            (standing, state.after_advance.take())
        };
        if let Some(interfere) = interference {
            interfere(self);
        }
        Ok(standing)
    }

    async fn halt(&self, _name: TransferName) -> Result<(), PortError> {
        self.fault("halt")
    }
}

/// What a transfer makes that is sealed at once: one file of a kibibyte.
fn seal(order: &Order, now: DateTime<Utc>) -> Standing {
    let bytes = Bytes(1024);
    let sealed = match &order.work {
        Work::BackUp { .. } => Sealed::Backup(backup::Sealed {
            snapshot: snapshot(&order.name.job),
            epoch: order.epoch,
            taken: now,
            files: 1,
            bytes,
            added: Bytes(512),
            failed: 0,
        }),
        Work::Restore(_) => {
            Sealed::Restore(restore::Sealed { files: 1, bytes, failed: 0, warnings: vec![] })
        }
        Work::Erase(erase) => {
            let removed = u64::try_from(erase.points.len()).unwrap_or(u64::MAX);
            Sealed::Upkeep(upkeep::Sealed { removed, freed: Bytes::ZERO })
        }
        Work::Prune(_) => Sealed::Upkeep(upkeep::Sealed { removed: 0, freed: Bytes::ZERO }),
    };
    let progress = Progress { bytes, files: 1, failed: 0, expected: Some(bytes) };
    Standing::Sealed { sealed, progress, failures: Vec::new() }
}

/// How a vault names what a job made.
#[must_use]
pub fn snapshot(job: &JobId) -> String {
    format!("snapshot-of-{job}")
}
