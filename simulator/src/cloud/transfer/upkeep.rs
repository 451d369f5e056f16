//! Erasing points, and giving their space back.

use crossvault_core::{
    catalog::{Party, Verb, data_lies_with},
    job::Progress,
    quantity::Bytes,
    upkeep::{self, Erase, Prune},
};
use crossvault_handlers::ports::Sealed;

use super::{Asked, Outcome, index, seal};
use crate::{
    call::{Move, Moved},
    cloud::{Cloud, Fact},
};

impl Cloud {
    /// Takes points out of a vault. What lies with the resource account goes by its leave.
    pub(super) fn erase(&mut self, asked: Asked<'_>, erase: &Erase) -> Outcome {
        let Asked { by, order, mov, .. } = asked;
        let lies_elsewhere = data_lies_with(erase.source.kind) == Party::Resource;
        if lies_elsewhere && matches!(mov, Move::Item(_)) {
            self.touch(asked, Verb::Erase, &erase.source)?;
        }
        let count = u32::try_from(erase.points.len()).unwrap_or(u32::MAX);
        let progress = Progress::default();
        let moved = match mov {
            Move::Find | Move::Open | Move::Pause => Moved::On { next: Move::Item(0), progress },
            Move::Item(n) => {
                if let Some(point) = erase.points.get(index(n)) {
                    let job = Some(order.name.job.clone());
                    self.remove_snapshot(by, &erase.vault, &point.snapshot, job);
                }
                let next = n.saturating_add(1);
                let next = if next < count { Move::Item(next) } else { Move::Seal };
                Moved::On { next, progress }
            }
            Move::Seal => {
                let sealed = upkeep::Sealed { removed: count.into(), freed: Bytes::ZERO };
                seal(Sealed::Upkeep(sealed), progress)
            }
        };
        Ok((moved, vec![]))
    }

    pub(super) fn prune(&mut self, asked: Asked<'_>, prune: &Prune) -> Moved {
        let progress = Progress::default();
        if asked.mov != Move::Seal {
            return Moved::On { next: Move::Seal, progress };
        }
        let vaulted = self.storage.vaults.entry(prune.vault.clone()).or_default();
        let removed = vaulted.prune();
        self.facts.push(Fact::Pruned { vault: prune.vault.clone(), removed });
        seal(Sealed::Upkeep(upkeep::Sealed { removed, freed: Bytes::ZERO }), progress)
    }
}
