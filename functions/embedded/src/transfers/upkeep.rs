//! Points' data removed, and a vault's unused space given back.

use crossvault_core::{
    job::Progress,
    quantity::Bytes,
    upkeep::{self, Erase},
};
use crossvault_handlers::ports::{PortError, Sealed};

use super::{End, port_error};
use crate::vault::{Prune, Vault};

pub(super) fn erase(vault: &Vault, erase: &Erase) -> Result<End, PortError> {
    // A name that is none has nothing behind it that could be removed.
    let names: Vec<_> =
        erase.points.iter().filter_map(|point| point.snapshot.parse().ok()).collect();
    vault.forget(&names).map_err(|error| port_error(&error))?;
    let removed = u64::try_from(erase.points.len()).unwrap_or(u64::MAX);
    Ok(done(removed, Bytes::ZERO))
}

/// Removes at once: the lease keeps every reader and writer out, and the home's lock every other
/// process.
pub(super) fn prune(vault: &Vault) -> Result<End, PortError> {
    let alone = vault.leases().exclude();
    let pruned = vault.prune(&alone, Prune::Instant).map_err(|error| port_error(&error))?;
    Ok(done(0, Bytes(pruned.freed)))
}

fn done(removed: u64, freed: Bytes) -> End {
    let progress = Progress { files: removed, bytes: freed, ..Progress::default() };
    let sealed = Sealed::Upkeep(upkeep::Sealed { removed, freed });
    End::Sealed { sealed, progress, failures: vec![] }
}
