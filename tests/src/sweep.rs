//! The invariants of the rows, looked for in all rows at once.

use crossvault_core::ids::AccountId;
use crossvault_handlers::ports::Stored;
use crossvault_simulator::oracle;

/// Names every invariant that these rows break: none when all is well.
#[must_use]
pub fn sweep(rows: &[Stored], management: &AccountId) -> Vec<String> {
    oracle::sweep(&rows.iter().cloned().collect(), management)
}
