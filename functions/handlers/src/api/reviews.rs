//! What the reviews found about the grants.

use crossvault_core::ids::AccountId;

use super::{Answer, ApiError, change::Asked};
use crate::{
    directory::Looked,
    facts::regions_of,
    ports::{Clock, Directory, Sources, Store},
    records::{AFTER_ALL, GrantRow, Partition, ReviewRow, Sort, scan_all},
    review,
};

/// Lists what the last reviews found about one account or about all, by region and account; `now`
/// reviews them first, which may be done at any time.
pub(super) async fn list<P: Clock + Store + Directory + Sources>(
    ports: &P,
    asked: &Asked,
    account: Option<&AccountId>,
    now: bool,
) -> Result<Answer, ApiError> {
    let is_asked = |of: &AccountId| account.is_none_or(|account| account == of);
    let mut reviews = Vec::new();
    for region in regions_of(ports, &asked.management).await? {
        let partition = Partition::Grants(region.clone());
        if now {
            let (from, to) = (Sort::Account("".into()), Sort::Account(AFTER_ALL.into()));
            let grants = scan_all::<GrantRow>(ports, partition.clone(), from, to).await?;
            for (GrantRow(grant), _) in grants.iter().filter(|(row, _)| is_asked(&row.0.account)) {
                let mut looked = Looked::default();
                review::of_grant(ports, &grant.account, &region, &mut looked).await?;
            }
        }
        let (from, to) = (Sort::Review("".into()), Sort::Review(AFTER_ALL.into()));
        let found = scan_all::<ReviewRow>(ports, partition, from, to).await?;
        reviews.extend(found.into_iter().map(|(row, _)| row).filter(|row| is_asked(&row.account)));
    }
    Ok(Answer::Reviews(reviews))
}
