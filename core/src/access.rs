//! Who may ask Crossvault for what.

use crate::{explain::Explain, ids::AccountId};

/// A caller that may not have what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "account `{caller}` may not use Cloud Backup's data: it belongs to the backup management account `{management}`"
)]
pub struct NotPermitted {
    /// Who asked.
    pub caller: AccountId,
    /// Whose data it is.
    pub management: AccountId,
}

impl Explain for NotPermitted {
    fn code(&self) -> &'static str {
        "NOT_PERMITTED"
    }
    fn remedy(&self) -> String {
        format!("Ask the administrators of `{}`.", self.management)
    }
}

/// Decides whether a caller may use the backup management account's functions at all.
///
/// Only the backup management account may: resource accounts neither see nor manage backup data,
/// jobs, policies or vaults.
///
/// Source: Cloud Backup, "Cross-account backup", "How it works" and the FAQ.
///
/// # Errors
/// [`NotPermitted`] for every other account.
pub fn decide(caller: &AccountId, management: &AccountId) -> Result<(), NotPermitted> {
    if caller == management {
        Ok(())
    } else {
        Err(NotPermitted { caller: caller.clone(), management: management.clone() })
    }
}
