//! What was changed: who, what, when and why.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{audit, ids::AccountId};

use super::{Answer, ApiError, jobs::check_limit, rows};
use crate::{
    enqueue::later,
    ports::{Clock, Directory, PortError, Store},
    records::{AFTER_ALL, AuditRow, Month, Partition, Sort},
};

/// How many records are read at a time.
const PAGE: usize = 100;

/// After how many months without any record nothing older is looked for.
const SILENT_MONTHS: u32 = 24;

/// Lists the newest audit records, of one account's resources or all.
pub(super) async fn list<P: Clock + Store + Directory>(
    ports: &P,
    account: Option<&AccountId>,
    limit: usize,
) -> Result<Answer, ApiError> {
    check_limit(limit, 1000)?;
    let mut all = Vec::new();
    let mut silent = 0_u32;
    // A clock that stepped back has left records of the month to come.
    let mut month = Some(Month::of(later(ports.now(), TimeDelta::days(31))));
    while let Some(present) = month {
        if all.len() >= limit || silent >= SILENT_MONTHS {
            break;
        }
        let is_silent = of_month(ports, present, account, limit, &mut all).await?;
        silent = if is_silent { silent.saturating_add(1) } else { 0 };
        month = present.before();
    }
    Ok(Answer::Audit(all))
}

/// Adds the records of one month, newest first, until there are as many as asked for. True when the
/// month has none, of whatever account.
async fn of_month<P: Store + Directory>(
    ports: &P,
    month: Month,
    account: Option<&AccountId>,
    limit: usize,
    all: &mut Vec<audit::Record>,
) -> Result<bool, PortError> {
    let partition = Partition::Audit(ports.management(), month);
    let from = Sort::At(DateTime::<Utc>::MIN_UTC, "".into());
    let mut to = Sort::At(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into());
    let mut seen = 0_usize;
    loop {
        let page: Vec<AuditRow> =
            rows::newest(ports, partition.clone(), from.clone(), to, PAGE).await?;
        let is_last_page = page.len() < PAGE;
        let oldest = page.last().map(|row| (row.record.at, row.record.id.to_string()));
        // A further page begins with the row that the one before ended with.
        let fresh = page.into_iter().skip(usize::from(seen > 0)).map(|row| row.record);
        for record in fresh {
            seen = seen.saturating_add(1);
            if account.is_none_or(|account| record.account == *account) && all.len() < limit {
                all.push(record);
            }
        }
        match oldest {
            Some((at, id)) if !is_last_page && all.len() < limit => to = Sort::At(at, id.into()),
            _ => return Ok(seen == 0),
        }
    }
}
