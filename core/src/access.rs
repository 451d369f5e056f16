//! Who may ask Crossvault for what.

use crate::{
    catalog::{Deed, Party, may},
    explain::Explain,
    ids::{AccountId, SourceKind},
};

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
/// Only those may who may do something in Cloud Backup with some type of source, which is the
/// backup management account alone: resource accounts neither see nor manage backup data, jobs,
/// policies or vaults.
///
/// Source: Cloud Backup, "Cross-account backup", "How it works" and the FAQ.
///
/// # Errors
/// [`NotPermitted`] for every other account.
pub fn decide(caller: &AccountId, management: &AccountId) -> Result<(), NotPermitted> {
    let party = Party::of(caller, management);
    let of_cloud_backup = || Deed::ALL.into_iter().filter(|deed| deed.is_of_cloud_backup());
    let mut kinds = SourceKind::ALL.into_iter();
    if kinds.any(|kind| of_cloud_backup().any(|deed| may(party, kind, deed))) {
        Ok(())
    } else {
        Err(NotPermitted { caller: caller.clone(), management: management.clone() })
    }
}
